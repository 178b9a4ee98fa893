/* The report in other forms than the page: text, Markdown, pictures, a README's figures. */
#include "cases.h"

#include "document.h"
#include "report/chart.h"
#include "report/readme.h"
#include "report/svg.h"
#include "scratch.h"

#include <libxml/parser.h>
#include <sys/stat.h>

/* Each new family has its chart, and the pictures are of the same charts. */
static void every_family_is_drawn(void **state)
{
    static const char *const ids[] = {"one-way-both-awake-64-b-1-1",    "one-way-reader-asleep-64-b-1-1",
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
    assert_int_equal(chart_count, document_count(&document, "//figure"));
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

#define RATE(driver, rate)                                                                                             \
    "{\"record\":\"cell\",\"row\":\"throughput/" driver "/64B/1x1\",\"family\":\"throughput\",\"driver\":\"" driver    \
    "\",\"size\":64,\"publishers\":1,\"subscribers\":1,\"block\":0,\"metrics\":{\"messages_per_second\":" rate "}}\n"

/* Of more than six: a table of 16 columns nobody reads. */
static void many_implementations_are_lines(void **state)
{
    struct document document;
    char *text;
    (void)state;
    document_parse(&document,
                   HEADER RATE("fifo", "1000") RATE("tcp", "2000") RATE("a", "3000") RATE("b", "4000") RATE("c", "5000")
                       RATE("d", "6000") RATE("e", "7000") FOOTER,
                   NULL);
    text = report_markdown(&document.report);
    assert_non_null(text);
    if (strstr(text,
               "| | Throughput, 64\u202fB |\n| --- | --- |\n| a | 3.00\u202fk/s<br>3.00\u202f× (one block) |\n") ==
            NULL ||
        strstr(text, "\n| fifo | 1.00\u202fk/s |\n") == NULL)
        fail_msg("%s", text);
    assert_non_null(strstr(text, "how many times better than fifo it is"));
    free(text);
    assert_int_equal(document_count(&document, "//table[contains(@class,'turned')]/tbody/tr[th='d'][count(td)=1]"), 1);
    assert_int_equal(document_count(&document, "//table[contains(@class,'turned')]/thead/tr/th"), 2);
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

static void links_lead_from_the_readme(void **state)
{
    static const char *const ways[][3] = {{"README.md", "a", "a"},          {"README.md", ".", ""},
                                          {"a/README.md", "a", ""},         {"a/README.md", "a/b", "b"},
                                          {"a/b/README.md", ".", "../.."},  {"a/b/README.md", "ab", "../../ab"},
                                          {"ab/README.md", "a/b", "../a/b"}};
    static const char *const folders[] = {"a", "ab", "a/b"};
    char scratch[] = "links.XXXXXX", path[64], *there = mkdtemp(scratch);
    (void)state;
    assert_non_null(there);
    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; ++i) {
        snprintf(path, sizeof path, "%s/%s", scratch, folders[i]);
        assert_int_equal(mkdir(path, 0700), 0);
    }
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; ++i) {
        char readme[64], *link;
        snprintf(readme, sizeof readme, "%s/%s", scratch, ways[i][0]);
        snprintf(path, sizeof path, "%s/%s", scratch, ways[i][1]);
        link = readme_link(readme, path);
        assert_non_null(link);
        assert_string_equal(link, ways[i][2]);
        free(link);
    }
    assert_null(readme_link("README.md", "no such folder"));
    for (size_t i = sizeof folders / sizeof folders[0]; i-- > 0;) {
        snprintf(path, sizeof path, "%s/%s", scratch, folders[i]);
        assert_int_equal(rmdir(path), 0);
    }
    assert_int_equal(rmdir(scratch), 0);
}

/* The ratio that stands below mmipc's figure is that figure's own. */
static void expect_ratio_below(const struct document *document, const char *text, const char *head, const char *metric)
{
    const struct results_row *row = report_key_row(&document->report, "mmipc", "latency");
    struct row_figures figures = figures_of(&document->report.rows, row, metric);
    const char *line = strstr(text, head);
    assert_non_null(line);
    for (size_t i = 0; i < FIGURES_RIVALS; ++i) {
        char expected[400];
        snprintf(expected, sizeof expected, "\n| – times better than %s | %s |", figures_rivals[i],
                 figures_ratio(&figures.better[i]).text);
        line = strchr(line + 1, '\n');
        assert_non_null(line);
        assert_memory_equal(line, expected, strlen(expected));
    }
}

static void markdown_has_ratios_below_their_figures(void **state)
{
    struct document document;
    char *text;
    (void)state;
    document_read(&document, SAMPLES "/bench.jsonl", NULL);
    text = report_markdown(&document.report);
    expect_ratio_below(&document, text, "\n| One way, at a fixed rate, 64\u202fB, 10,000/s: p50 | ", "p50_ns");
    expect_ratio_below(&document, text, "\n| One way, at a fixed rate, 64\u202fB, 10,000/s: p99 | ", "p99_ns");
    free(text);
    document_free(&document);
}

/* Of one limit alone there is no table without figures. */
static void the_text_shows_a_single_limit(void **state)
{
    struct document document;
    char *text;
    (void)state;
    document_parse(&document,
                   HEADER "{\"record\":\"cell\",\"row\":\"limit/line\",\"family\":\"limit\",\"driver\":\"limit\","
                          "\"block\":0,\"metrics\":{\"one_way_ns\":48}}\n" FOOTER,
                   NULL);
    text = report_text(&document.report);
    assert_non_null(strstr(text, "\nlimit/line   48 ns "));
    free(text);
    document_free(&document);
}

/* Rows without a size among others did not only stand somewhere, they spoilt the order of all. */
static void limits_are_in_the_order_of_sizes(void **state)
{
#define LIMIT(row, size)                                                                                               \
    "{\"record\":\"cell\",\"row\":\"limit/" row "\",\"family\":\"limit\",\"driver\":\"limit\"," size                   \
    "\"block\":0,\"metrics\":{\"bytes_per_second\":48}}\n"
    struct document document;
    char *text;
    (void)state;
    document_parse(&document,
                   HEADER LIMIT("bare-ring/1MiB", "\"size\":1048576,") LIMIT("memcpy/2MiB", "\"size\":2097152,")
                       LIMIT("memcpy/4MiB", "\"size\":4194304,") LIMIT("line", "") LIMIT("memcpy/8B", "\"size\":8,")
                           LIMIT("bare-ring/64B", "\"size\":64,") FOOTER,
                   NULL);
    text = report_text(&document.report);
    assert_true(strstr(text, "limit/bare-ring/64B ") < strstr(text, "limit/bare-ring/1MiB "));
    free(text);
    document_free(&document);
}

static void a_readme_escapes_what_is_from_a_file(void **state)
{
    static const char header[] = "{\"record\":\"header\",\"format\":1,\"kind\":\"bench\",\"planned\":1,\"suite\":"
                                 "\"<i>\",\"environment\":{\"cpu\":\"<b>[x](y)|\"}}\n";
    struct chart chart = {.id = (char[]){"chart"}, .title = (char[]){"a]b<c>"}};
    const struct chart *shown[] = {&chart};
    struct document document;
    const char *why = NULL;
    char *text;
    (void)state;
    document_parse(&document, header, NULL);
    text = readme_text(README_BEGIN "\n" README_END "\n", &document.report, shown, 1, "a (folder)", &why);
    assert_non_null(text);
    assert_non_null(strstr(text, "![a&#93;b&#60;c&#62;](a%20%28folder%29/chart.svg)"));
    assert_null(strstr(text, "<b>"));
    assert_null(strstr(text, "<i>"));
    assert_null(strstr(text, "[x]"));
    free(text);
    document_free(&document);
}

CASES_MAIN(CASE(every_family_is_drawn), CASE(a_readme_gets_new_figures_between_its_marks),
           CASE(the_text_has_no_control_characters), CASE(markdown_has_a_column_for_each_implementation),
           CASE(many_implementations_are_lines), CASE(markdown_escapes_what_is_text),
           CASE(markdown_has_ratios_below_their_figures), CASE(the_text_shows_a_single_limit),
           CASE(limits_are_in_the_order_of_sizes), CASE(links_lead_from_the_readme),
           CASE(a_readme_escapes_what_is_from_a_file))
