/* The page as a parser sees it. */
#include "cases.h"

#include "report/chart.h"
#include "report/readme.h"
#include "report/report.h"
#include "report/svg.h"
#include "report/targets.h"
#include "scratch.h"

#include <libxml/HTMLparser.h>
#include <libxml/parser.h>
#include <libxml/xpath.h>

struct document {
    struct results_run runs[2];
    struct report report;
    char *text;
    htmlDocPtr html;
    xmlXPathContextPtr paths;
};

/* Filled in place: the report points into the runs. */
static void document_read(struct document *document, const char *first, const char *second)
{
    const char *const files[] = {first, second};
    char error[512] = "";
    size_t count = second ? 2 : 1;
    *document = (struct document){0};
    for (size_t i = 0; i < count; ++i)
        if (results_run_read(&document->runs[i], files[i], error, sizeof error) != 0)
            fail_msg("%s", error);
    assert_int_equal(report_build(&document->report, document->runs, count, NULL), 0);
    document->text = report_html(&document->report);
    assert_non_null(document->text);
    document->html = htmlReadMemory(document->text, (int)strlen(document->text), NULL, "utf-8",
                                    HTML_PARSE_NOERROR | HTML_PARSE_NOWARNING | HTML_PARSE_NONET);
    assert_non_null(document->html);
    document->paths = xmlXPathNewContext(document->html);
    assert_non_null(document->paths);
}

static void document_free(struct document *document)
{
    xmlXPathFreeContext(document->paths);
    xmlFreeDoc(document->html);
    free(document->text);
    report_free(&document->report);
    results_run_free(&document->runs[0]);
    results_run_free(&document->runs[1]);
    xmlCleanupParser();
}

static int count(const struct document *document, const char *format, ...)
{
    char path[512];
    va_list arguments;
    xmlXPathObjectPtr found;
    int number;
    va_start(arguments, format);
    vsnprintf(path, sizeof path, format, arguments);
    va_end(arguments);
    found = xmlXPathEvalExpression(BAD_CAST path, document->paths);
    assert_non_null(found);
    number = found->nodesetval ? found->nodesetval->nodeNr : 0;
    xmlXPathFreeObject(found);
    return number;
}

static void every_clause_and_row_is_there(void **state)
{
    struct document document;
    (void)state;
    document_read(&document, SAMPLES "/conformance.jsonl", SAMPLES "/bench.jsonl");
    assert_int_equal(document.report.matrix.clause_count, 10);
    assert_int_equal(document.report.rows.count, 102);
    for (size_t i = 0; i < document.report.matrix.clause_count; ++i)
        assert_int_equal(count(&document, "//table[contains(@class,'matrix')]//tr[@id='%s']/td",
                               document.report.matrix.clauses[i].id),
                         3);
    for (size_t i = 0; i < document.report.rows.count; ++i)
        assert_int_equal(count(&document, "//table[@class='rows']//th/code[.='%s']", document.report.rows.rows[i].name),
                         1);
    document_free(&document);
}

static void targets_are_judged(void **state)
{
    struct document document;
    char *text;
    (void)state;
    document_read(&document, SAMPLES "/bench.jsonl", NULL);
    assert_int_equal(count(&document, "//section[@id='targets']//tbody/tr"), RESULTS_TARGETS);
    assert_int_equal(count(&document, "//nav//a[@href='#targets']"), 1);
    assert_int_equal(count(&document, "//section[@id='targets']//tr[starts-with(th,'one way, awake, 64 B')]"
                                      "[contains(td[2],'line: ')][contains(td[5],'reached')]"),
                     1);
    assert_int_equal(count(&document, "//section[@id='targets']//tr[th='stream, 1 MiB'][contains(td[2],'unix: ')]"
                                      "[td[5]/span[@class='bad']='not reached']"),
                     1);
    text = report_markdown(&document.report);
    assert_non_null(strstr(text, "| stream, 1 MiB | "));
    free(text);
    text = report_text(&document.report);
    assert_non_null(strstr(text, "\nstream, 1 MiB "));
    free(text);
    document_free(&document);
    document_read(&document, SAMPLES "/conformance.jsonl", NULL);
    assert_int_equal(count(&document, "//*[@id='targets'] | //a[@href='#targets']"), 0);
    document_free(&document);
}

static void what_fails_is_shown_at_the_top(void **state)
{
    struct document document;
    (void)state;
    document_read(&document, SAMPLES "/conformance.jsonl", NULL);
    assert_int_equal(count(&document, "//header/p[contains(@class,'bad')]"), 1);
    assert_int_equal(count(&document, "//ul[@class='troubles']/li"), 2);
    assert_int_equal(count(&document, "//ul[@class='troubles']/li[1][contains(.,'KILL-002') and contains(.,'fifo') and "
                                      "contains(.,'was OK')]"),
                     1);
    assert_int_equal(count(&document, "//li[@class='card'][contains(.,'1 broken')]"), 1);
    document_free(&document);
}

static void the_page_loads_nothing(void **state)
{
    struct document document;
    (void)state;
    document_read(&document, SAMPLES "/conformance.jsonl", SAMPLES "/bench.jsonl");
    assert_int_equal(count(&document, "//script"), 2);
    assert_int_equal(count(&document, "//*[@src or @srcset or @data or @action or @formaction or @background]"), 0);
    assert_int_equal(count(&document, "//link | //iframe | //object | //embed | //img | //base"), 0);
    assert_int_equal(count(&document, "//*[@href][not(starts-with(@href,'#'))]"), 0);
    assert_null(strstr(document.text, "@import"));
    assert_null(strstr(document.text, "url("));
    assert_non_null(strstr(document.text, "Chart.js v3"));
    assert_non_null(strstr(document.text, "Permission is hereby granted, free of charge"));
    document_free(&document);
}

static void each_chart_has_its_table(void **state)
{
    struct document document;
    int figures;
    (void)state;
    document_read(&document, SAMPLES "/bench.jsonl", NULL);
    figures = count(&document, "//figure");
    assert_true(figures >= 9);
    assert_int_equal(
        count(&document, "//figure[figcaption/h3][.//table/caption][.//tr[@data-series]/th[@scope='row']]"), figures);
    assert_int_equal(count(&document, "//figure//tr[@data-series][count(td) = 0]"), 0);
    document_free(&document);
}

static void every_table_is_for_screen_readers_too(void **state)
{
    struct document document;
    (void)state;
    document_read(&document, SAMPLES "/conformance.jsonl", SAMPLES "/bench.jsonl");
    assert_int_equal(count(&document, "//table[not(caption)]"), 0);
    assert_int_equal(count(&document, "//th[not(@scope)]"), 0);
    assert_int_equal(count(&document, "//table[not(parent::div[@class='scroll'][@tabindex='0'][@aria-label])]"), 0);
    assert_int_equal(count(&document, "//html[@lang='en']"), 1);
    document_free(&document);
}

/* "javascript:" in a homepage must not become a link, nor any other string an element or attribute. */
static void hostile_strings_stay_text(void **state)
{
    struct document document;
    (void)state;
    document_read(&document, SAMPLES "/hostile.jsonl", NULL);
    assert_int_equal(count(&document, "//script"), 0);
    assert_int_equal(count(&document, "//img"), 0);
    assert_int_equal(count(&document, "//*[@onerror]"), 0);
    assert_int_equal(count(&document, "//a[starts-with(@href,'javascript')]"), 0);
    assert_true(count(&document, "//text()[contains(.,'</script><script>')]") >= 8);
    document_free(&document);
}

/* From a text in place of files. */
static void document_parse(struct document *document, const char *text)
{
    char error[512];
    *document = (struct document){0};
    assert_int_equal(scratch_read(&document->runs[0], text, error, sizeof error), 0);
    assert_int_equal(report_build(&document->report, document->runs, 1, NULL), 0);
    document->text = report_html(&document->report);
    assert_non_null(document->text);
    document->html = htmlReadMemory(document->text, (int)strlen(document->text), NULL, "utf-8",
                                    HTML_PARSE_NOERROR | HTML_PARSE_NOWARNING | HTML_PARSE_NONET);
    assert_non_null(document->html);
    document->paths = xmlXPathNewContext(document->html);
    assert_non_null(document->paths);
}

#define AT(row, family, driver, size, of, metrics)                                                                     \
    "{\"record\":\"cell\",\"row\":\"" row "\",\"family\":\"" family "\",\"driver\":\"" driver "\",\"size\":" #size     \
    ",\"publishers\":1,\"subscribers\":1,\"block\":0,\"placement\":\"cluster\",\"line_before_ns\":50,\"line_after_"    \
    "ns\":50," of "\"metrics\":{" metrics "}}\n"
#define BOUND             "\"limit_of\":[\"throughput\"],\"limit_kind\":\"bound\","
#define RATE(rate, bytes) "\"messages_per_second\":" #rate ",\"bytes_per_second\":" #bytes

static const char limited[] = HEADER AT("throughput/a/1MiB/1x1", "throughput", "a", 1048576, "", RATE(10, 1000))
    AT("limit/bare-ring/1MiB", "limit", "limit", 1048576, BOUND, RATE(20, 2000))
        AT("limit/memcpy/1MiB", "limit", "limit", 1048576, BOUND, "\"bytes_per_second\":3000")
            AT("throughput/a/4MiB/1x1", "throughput", "a", 4194304, "", RATE(10, 1000))
                AT("limit/memcpy/4MiB", "limit", "limit", 4194304, BOUND, "\"bytes_per_second\":3000")
                    AT("throughput/a/16MiB/1x1", "throughput", "a", 16777216, "", RATE(5, 1000))
                        AT("throughput/a/64MiB/1x1", "throughput", "a", 67108864, "", RATE(2, 1000))
                            AT("limit/bare-ring/64MiB", "limit", "limit", 67108864, BOUND, RATE(4, 2000))
                                AT("latency/a/64B/1x1", "latency", "a", 64, "", "\"p50_ns\":500")
                                    AT("hot/a/64B/1x1", "hot", "a", 64, "", "\"p50_ns\":200") FOOTER;

/* The tightest that was measured for the very family and size; and no line beside a cell in which the CPUs move. */
static void distances_are_to_the_limit_that_bounds(void **state)
{
    struct document document;
    (void)state;
    document_parse(&document, limited);
    assert_non_null(strstr(document.text, "data-category=\"throughput / bare ring, 1&#x202F;MiB\" data-mid=\"2\""));
    assert_non_null(strstr(document.text, "data-category=\"throughput / memcpy, 4&#x202F;MiB\" data-mid=\"3\""));
    assert_non_null(strstr(document.text, "data-category=\"hot / cache line, 64&#x202F;B\" data-mid=\"4\""));
    assert_null(strstr(document.text, "throughput / memcpy, 1"));
    assert_null(strstr(document.text, "latency / "));
    assert_null(strstr(document.text, "16&#x202F;MiB\" data-mid"));
    document_free(&document);
}

/* Neither in the page nor in the picture is a limit at a size where it was not measured, nor a line across that size.
 */
static void limits_are_drawn_where_they_were_measured(void **state)
{
#define RING "//figure[@id='bytes-a-second-by-size']//tr[@data-series='limit: bare ring']"
    struct document document;
    struct chart *charts;
    size_t chart_count, seen = 0;
    (void)state;
    document_parse(&document, limited);
    assert_int_equal(count(&document, RING), 1);
    assert_int_equal(count(&document, RING "/td[@data-y]"), 2);
    assert_int_equal(count(&document, RING "/td[@data-x='1048576'][@data-y='2000']"), 1);
    assert_int_equal(count(&document, RING "/td[@data-x='4194304'][not(@data-y)]"), 1);
    assert_int_equal(count(&document, RING "/td[@data-x='16777216'][not(@data-y)]"), 1);
    assert_int_equal(charts_read(&charts, &chart_count, document.text), 0);
    for (size_t i = 0; i < chart_count; ++i) {
        char *picture = svg_draw(&charts[i]), *path;
        assert_non_null(picture);
        if (strcmp(charts[i].id, "bytes-a-second-by-size") == 0) {
            /* Two points that stand alone: the pen is lifted between them. */
            path = strstr(picture, "<path class=\"curve limit\"");
            assert_non_null(path);
            path[strcspn(path, ">")] = '\0';
            assert_null(strchr(strstr(path, " d=\"M"), 'L'));
            ++seen;
        }
        free(picture);
    }
    assert_int_equal(seen, 1);
    charts_free(charts, chart_count);
    document_free(&document);
}

/* Two runs of one driver stand side by side; nothing of them is put together. */
static void runs_stand_side_by_side(void **state)
{
    struct document document;
    char *text;
    (void)state;
    document_read(&document, SAMPLES "/bench.jsonl", SAMPLES "/faster.jsonl");
    assert_int_equal(document.report.driver_count, 6);
    assert_string_equal(document.report.title, "mmipc, fifo and tcp: benchmarks, 2 runs");
    assert_int_equal(count(&document, "//li[@class='card'][contains(h2,'mmipc (bench)')]"), 1);
    assert_int_equal(count(&document, "//li[@class='card'][contains(h2,'mmipc (faster)')]"), 1);
    assert_int_equal(count(&document,
                           "//figure[@id='times-better-than-in-the-run-bench']//tr[@data-series='mmipc (faster)']"
                           "[@data-category='throughput, 64\u202fB'][@data-mid > 1.15][@data-mid < 1.35]"),
                     1);
    assert_int_equal(count(&document, "//figure[@id='times-better-than-in-the-run-bench']"
                                      "//tr[@data-series='mmipc (bench)']"),
                     0);
    assert_int_equal(count(&document, "//figure[@id='times-better-than-in-the-run-bench']"
                                      "/figcaption/p[contains(.,'not paired')]"),
                     1);
    text = report_text(&document.report);
    assert_non_null(strstr(text, "better than in bench"));
    assert_non_null(strstr(text, "mmipc (faster)"));
    free(text);
    document_free(&document);
}

/* More is better in every chart of ratios, of times and rates alike; and less in that of limits. */
static void better_is_more(void **state)
{
    struct document document;
    (void)state;
    document_read(&document, SAMPLES "/bench.jsonl", NULL);
    assert_int_equal(count(&document, "//figure[@id='times-better-than-the-pipe-fifo']//tr[@data-series='mmipc']"
                                      "[@data-category='hot, 64\u202fB' or @data-category='throughput, 64\u202fB' or "
                                      "@data-category='cost, 64\u202fB'][@data-mid > 5]"),
                     3);
    assert_int_equal(count(&document, "//figure[@id='times-better-than-the-pipe-fifo']//tr[@data-series='fifo']"), 0);
    assert_int_equal(count(&document, "//figure[starts-with(@id,'distance')]//tr[@data-mid < 1]"), 0);
    assert_int_equal(count(&document, "//figure[starts-with(@id,'distance')]//tr[@data-series='tcp']"
                                      "[@data-category='throughput / bare ring, 64\u202fB'][@data-mid > 20]"),
                     1);
    document_free(&document);
}

/* What does not apply is neither an error nor a figure. */
static void what_does_not_apply_says_so(void **state)
{
    struct document document;
    char *text;
    (void)state;
    document_read(&document, SAMPLES "/bench.jsonl", NULL);
    assert_int_equal(count(&document, "//figure//tr[@data-series='fifo'][contains(@data-category,'Close')]"), 0);
    assert_int_equal(
        count(&document, "//section[@id='costs']//p[contains(.,'Does not apply to fifo: it does not tell')]"), 1);
    assert_int_equal(count(&document, "//table[@class='rows']//tr[contains(th,'lifecycle/fifo')]"
                                      "[contains(td,'does not apply')]"),
                     1);
    text = report_text(&document.report);
    assert_non_null(strstr(text, "does not apply: it does not tell of peers"));
    assert_null(strstr(text, "ERROR"));
    free(text);
    document_free(&document);
}

/* Each new family has its chart, and the pictures are of the same charts. */
static void every_family_is_drawn(void **state)
{
    static const char *const ids[] = {"one-way-hot-64-b-1-1",           "wake-up-64-b-1-1",
                                      "messages-a-second-by-size",      "bytes-a-second-by-size-smallest-to-largest",
                                      "fan-out-messages-of-64-b",       "fan-in-messages-of-64-b",
                                      "mesh-messages-of-64-b",          "cost-cpu-time",
                                      "coming-and-going-times",         "times-better-than-tcp",
                                      "distance-to-the-machine-s-limit"};
    struct document document;
    struct chart *charts;
    size_t chart_count;
    (void)state;
    document_read(&document, SAMPLES "/bench.jsonl", NULL);
    assert_int_equal(charts_read(&charts, &chart_count, document.text), 0);
    assert_int_equal(chart_count, count(&document, "//figure"));
    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; ++i) {
        size_t at = 0;
        char *picture;
        xmlDocPtr tree;
        while (at < chart_count && strcmp(charts[at].id, ids[i]) != 0)
            ++at;
        if (at == chart_count)
            fail_msg("there is no chart %s", ids[i]);
        picture = svg_draw(&charts[at]);
        assert_non_null(picture);
        assert_non_null(strstr(picture, "prefers-color-scheme: dark"));
        assert_null(strstr(picture, "nan"));
        assert_null(strstr(picture, "inf"));
        tree = xmlReadMemory(picture, (int)strlen(picture), NULL, NULL, XML_PARSE_NONET);
        assert_non_null(tree);
        xmlFreeDoc(tree);
        free(picture);
    }
    charts_free(charts, chart_count);
    document_free(&document);
}

static void a_readme_gets_new_figures_between_its_marks(void **state)
{
    struct document document;
    struct chart *charts;
    const struct chart *shown[2];
    const char *why = NULL;
    size_t chart_count, shown_count;
    char *text, *again;
    (void)state;
    document_read(&document, SAMPLES "/bench.jsonl", NULL);
    assert_int_equal(charts_read(&charts, &chart_count, document.text), 0);
    shown_count = readme_charts(charts, chart_count, shown);
    assert_int_equal(shown_count, 2);
    text = readme_text("before\n" README_BEGIN "\nold\n" README_END "\nafter\n", &document.report, shown, shown_count,
                       "kept", &why);
    assert_non_null(text);
    assert_memory_equal(text, "before\n" README_BEGIN "\n\nMeasured 2024-05-01", strlen("before\n" README_BEGIN) + 20);
    assert_non_null(strstr(text, "\n![Messages a second by size](kept/messages-a-second-by-size.svg)\n"));
    assert_string_equal(strstr(text, README_END), README_END "\nafter\n");
    assert_null(strstr(text, "old"));
    again = readme_text(text, &document.report, shown, shown_count, "kept", &why);
    assert_string_equal(again, text);
    free(again);
    free(text);
    assert_null(readme_text("no marks", &document.report, shown, shown_count, "kept", &why));
    assert_non_null(strstr(why, README_BEGIN));
    charts_free(charts, chart_count);
    document_free(&document);
}

static void the_text_has_no_control_characters(void **state)
{
    struct document document;
    char *text;
    (void)state;
    document_read(&document, SAMPLES "/hostile.jsonl", SAMPLES "/lists.jsonl");
    text = report_text(&document.report);
    assert_non_null(text);
    for (const char *at = text; *at; ++at)
        assert_true(*at == '\n' || (unsigned char)*at >= 0x20);
    free(text);
    document_free(&document);
}

static void folders_outside_are_not_shown(void **state)
{
    static const char text[] =
        "{\"record\":\"header\",\"format\":1,\"kind\":\"bench\",\"command\":\"ipcmark bench --driver "
        "/secret/a.so?spin=1 "
        "--driver '/secret/with space/b.so' --driver=../secret/c.so --driver x/../../secret/d.so --driver ./build/e.so "
        "--filter 'throughput/../64B'\"}\n";
    struct results_run run;
    struct report report;
    char error[512], *page;
    (void)state;
    assert_int_equal(scratch_read(&run, text, error, sizeof error), 0);
    assert_int_equal(report_build(&report, &run, 1, NULL), 0);
    page = report_html(&report);
    assert_non_null(page);
    assert_null(strstr(page, "secret"));
    assert_null(strstr(page, "with space"));
    assert_non_null(strstr(page, "--driver a.so?spin=1 --driver 'b.so' --driver=c.so"));
    assert_non_null(strstr(page, "--driver=c.so --driver d.so --driver ./build/e.so --filter "));
    assert_non_null(strstr(page, "throughput/../64B"));
    free(page);
    report_free(&report);
    results_run_free(&run);
    xmlCleanupParser();
}

static void lists_in_place_of_objects_are_nothing(void **state)
{
    struct document document;
    char *text;
    (void)state;
    document_read(&document, SAMPLES "/hostile.jsonl", SAMPLES "/lists.jsonl");
    assert_int_equal(count(&document, "//table[@class='rows']//th/code[.='hot/a/64B/1x1']"), 1);
    assert_int_equal(count(&document, "//text()[contains(.,'nan')]"), 0);
    text = report_markdown(&document.report);
    assert_non_null(text);
    free(text);
    document_free(&document);
}

/* A row that failed has no figure, and says so wherever it would have been. */
static void a_failed_row_is_named(void **state)
{
#define FAILED                                                                                                         \
    "{\"record\":\"cell\",\"row\":\"hot/a/64B/1x1\",\"family\":\"hot\",\"driver\":\"a\",\"size\":64,\"publishers\":1," \
    "\"subscribers\":1,\"block\":0,\"error\":\"3 messages lost\"}\n"
#define SOUND                                                                                                          \
    "{\"record\":\"cell\",\"row\":\"hot/b/64B/1x1\",\"family\":\"hot\",\"driver\":\"b\",\"size\":64,\"publishers\":1," \
    "\"subscribers\":1,\"block\":0,\"histogram\":{\"counts\":[[100,500]]}}\n"
    struct results_run run;
    struct report report;
    char error[512], *page, *place;
    int mentions = 0;
    (void)state;
    assert_int_equal(scratch_read(&run, HEADER FAILED SOUND FOOTER, error, sizeof error), 0);
    assert_int_equal(report_build(&report, &run, 1, NULL), 0);
    page = report_html(&report);
    assert_non_null(page);
    for (place = page; (place = strstr(place, "3 messages lost")) != NULL; ++place)
        ++mentions;
    assert_int_equal(mentions, 4); /* card, chart, its table, every row */
    assert_non_null(strstr(page, "not fit to publish"));
    free(page);
    page = report_markdown(&report);
    assert_non_null(page);
    assert_non_null(strstr(page, " | error: 3 messages lost | 100"));
    free(page);
    report_free(&report);
    results_run_free(&run);
    xmlCleanupParser();
}

/* What libmmipc is compared with there has no other figures, and no column. */
static void transports_of_target_rows_are_no_implementations(void **state)
{
    struct results_run run;
    struct report report;
    char error[512];
    (void)state;
    assert_int_equal(scratch_read(&run,
                                  HEADER "{\"record\":\"cell\",\"row\":\"target-stream/unix/64B/1x1\",\"family\":"
                                         "\"target-stream\",\"driver\":\"unix\",\"block\":0}\n"
                                         "{\"record\":\"cell\",\"row\":\"hot/a/64B/1x1\",\"family\":\"hot\","
                                         "\"driver\":\"a\",\"block\":0}\n" FOOTER,
                                  error, sizeof error),
                     0);
    assert_int_equal(report_build(&report, &run, 1, NULL), 0);
    assert_int_equal(report.driver_count, 1);
    assert_string_equal(report.drivers[0].label, "a");
    report_free(&report);
    results_run_free(&run);
}

static void a_run_that_was_cut_short_says_so(void **state)
{
    static const char text[] =
        CONFORMANCE "{\"record\":\"case\",\"driver\":\"a\",\"clause\":\"DEL-001\",\"verdict\":\"pass\"}\n";
    struct results_run run;
    struct report report;
    char error[512], *page;
    (void)state;
    assert_int_equal(scratch_read(&run, text, error, sizeof error), 0);
    assert_int_equal(report_build(&report, &run, 1, "A title"), 0);
    page = report_html(&report);
    assert_non_null(page);
    assert_non_null(strstr(page, "The conformance run was cut short"));
    assert_null(strstr(page, "Every clause of the contract that applies holds"));
    assert_non_null(strstr(page, "<h1>A title</h1>"));
    free(page);
    report_free(&report);
    results_run_free(&run);
    xmlCleanupParser();
}

static void markdown_has_a_column_for_each_implementation(void **state)
{
    struct document document;
    char *text;
    (void)state;
    document_read(&document, SAMPLES "/conformance.jsonl", SAMPLES "/bench.jsonl");
    text = report_markdown(&document.report);
    assert_non_null(text);
    assert_non_null(
        strstr(text, "| | mmipc | fifo | tcp |\n| --- | --- | --- | --- |\n| Conformance | all 10 clauses hold | "));
    assert_non_null(strstr(text, "- **KILL-002 fail** fifo: message 4711"));
    free(text);
    document_free(&document);
}

static void markdown_escapes_what_is_text(void **state)
{
    static const char text[] =
        HEADER "{\"record\":\"cell\",\"row\":\"hot/a/<b>|\",\"family\":\"hot\",\"driver\":\"a\",\"publishers\":1,"
               "\"subscribers\":1,\"block\":0,\"error\":\"a|b\"}\n"
               "{\"record\":\"cell\",\"row\":\"throughput/a/<b>|\",\"family\":\"throughput\",\"driver\":\"a\","
               "\"publishers\":1,\"subscribers\":1,\"block\":0,\"metrics\":{\"messages_per_second\":5}}\n" FOOTER;
    struct results_run run;
    struct report report;
    char error[512], *page;
    (void)state;
    assert_int_equal(scratch_read(&run, text, error, sizeof error), 0);
    assert_int_equal(report_build(&report, &run, 1, NULL), 0);
    page = report_markdown(&report);
    assert_non_null(page);
    assert_null(strstr(page, "<b>"));
    assert_non_null(strstr(page, "error: a&#124;b |"));
    free(page);
    report_free(&report);
    results_run_free(&run);
}

CASES_MAIN(CASE(every_clause_and_row_is_there), CASE(targets_are_judged), CASE(what_fails_is_shown_at_the_top),
           CASE(the_page_loads_nothing), CASE(each_chart_has_its_table), CASE(every_table_is_for_screen_readers_too),
           CASE(hostile_strings_stay_text), CASE(lists_in_place_of_objects_are_nothing),
           CASE(folders_outside_are_not_shown), CASE(distances_are_to_the_limit_that_bounds),
           CASE(limits_are_drawn_where_they_were_measured), CASE(runs_stand_side_by_side), CASE(better_is_more),
           CASE(what_does_not_apply_says_so), CASE(every_family_is_drawn),
           CASE(a_readme_gets_new_figures_between_its_marks), CASE(the_text_has_no_control_characters),
           CASE(a_failed_row_is_named), CASE(transports_of_target_rows_are_no_implementations),
           CASE(a_run_that_was_cut_short_says_so), CASE(markdown_has_a_column_for_each_implementation),
           CASE(markdown_escapes_what_is_text))
