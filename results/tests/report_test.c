/* The page as a parser sees it. */
#include "cases.h"

#include "report/report.h"
#include "scratch.h"

#include <libxml/HTMLparser.h>
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
    assert_int_equal(document.report.rows.count, 50);
    for (size_t i = 0; i < document.report.matrix.clause_count; ++i)
        assert_int_equal(count(&document, "//table[contains(@class,'matrix')]//tr[@id='%s']/td",
                               document.report.matrix.clauses[i].id),
                         3);
    for (size_t i = 0; i < document.report.rows.count; ++i)
        assert_int_equal(count(&document, "//table[@class='rows']//th/code[.='%s']", document.report.rows.rows[i].name),
                         1);
    document_free(&document);
}

static void targets_are_judged_once(void **state)
{
    struct document document;
    char *markdown;
    (void)state;
    document_read(&document, SAMPLES "/bench.jsonl", NULL);
    assert_int_equal(count(&document, "//section[@id='targets']//tbody/tr"), 3);
    assert_int_equal(count(&document, "//nav//a[@href='#targets']"), 1);
    assert_int_equal(count(&document, "//section[@id='targets']//tr[th='one way, 64 B'][contains(td[2],'line: 58')]"
                                      "[td[5]/span[@class='good']='reached']"),
                     1);
    assert_int_equal(count(&document, "//section[@id='targets']//tr[th='stream, 1 MiB'][contains(td[2],'unix: ')]"
                                      "[td[5]/span[@class='bad']='not reached']"),
                     1);
    assert_int_equal(count(&document, "//section[@id='targets']//tr[th='idle'][contains(td[1],'0.01')]"), 1);
    markdown = report_markdown(&document.report);
    assert_non_null(strstr(markdown, "| one way, 64 B | 116"));
    assert_null(strstr(markdown, "too few pairs"));
    free(markdown);
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

/* The ring first, memcpy only where there is none of that size; and no line beside a cell in which the CPUs move. */
static void distances_are_to_the_limit_that_bounds(void **state)
{
#define AT(row, family, driver, size, metrics)                                                                         \
    "{\"record\":\"cell\",\"row\":\"" row "\",\"family\":\"" family "\",\"driver\":\"" driver "\",\"size\":" #size     \
    ",\"publishers\":1,\"subscribers\":1,\"block\":0,\"placement\":\"cluster\",\"line_before_ns\":50,\"line_after_"    \
    "ns\":50,"                                                                                                         \
    "\"metrics\":{" metrics "}}\n"
#define RATE(rate, bytes) "\"messages_per_second\":" #rate ",\"bytes_per_second\":" #bytes
    static const char text[] = HEADER AT("throughput/a/1MiB/1x1", "throughput", "a", 1048576, RATE(10, 1000))
        AT("limit/bare-ring/1MiB", "limit", "limit", 1048576, RATE(20, 2000))
            AT("limit/memcpy/1MiB", "limit", "limit", 1048576, "\"bytes_per_second\":3000")
                AT("throughput/a/4MiB/1x1", "throughput", "a", 4194304, RATE(10, 1000))
                    AT("limit/memcpy/4MiB", "limit", "limit", 4194304, "\"bytes_per_second\":3000")
                        AT("latency/a/64B/1x1", "latency", "a", 64, "\"p50_ns\":500")
                            AT("hot/a/64B/1x1", "hot", "a", 64, "\"p50_ns\":200") FOOTER;
    struct results_run run;
    struct report report;
    char error[512], *page;
    (void)state;
    assert_int_equal(scratch_read(&run, text, error, sizeof error), 0);
    assert_int_equal(report_build(&report, &run, 1, NULL), 0);
    page = report_html(&report);
    assert_non_null(page);
    assert_non_null(strstr(page, "data-category=\"throughput / bare ring, 1&#x202F;MiB\" data-mid=\"2\""));
    assert_non_null(strstr(page, "data-category=\"throughput / memcpy, 4&#x202F;MiB\" data-mid=\"3\""));
    assert_non_null(strstr(page, "data-category=\"hot / cache line, 64&#x202F;B\" data-mid=\"4\""));
    assert_null(strstr(page, "throughput / memcpy, 1"));
    assert_null(strstr(page, "latency / cache line"));
    free(page);
    report_free(&report);
    results_run_free(&run);
    xmlCleanupParser();
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
    assert_string_equal(report.drivers[0], "a");
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

CASES_MAIN(CASE(every_clause_and_row_is_there), CASE(targets_are_judged_once), CASE(what_fails_is_shown_at_the_top),
           CASE(the_page_loads_nothing), CASE(each_chart_has_its_table), CASE(every_table_is_for_screen_readers_too),
           CASE(hostile_strings_stay_text), CASE(lists_in_place_of_objects_are_nothing),
           CASE(folders_outside_are_not_shown), CASE(distances_are_to_the_limit_that_bounds),
           CASE(a_failed_row_is_named), CASE(transports_of_target_rows_are_no_implementations),
           CASE(a_run_that_was_cut_short_says_so), CASE(markdown_has_a_column_for_each_implementation),
           CASE(markdown_escapes_what_is_text))
