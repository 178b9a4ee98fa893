/* The report in other forms than the page: text, Markdown, pictures, a README's figures. */
#include "cases.h"

#include "document.h"
#include "report/chart.h"
#include "report/readme.h"
#include "report/svg.h"
#include "scratch.h"

#include <libxml/parser.h>

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

CASES_MAIN(CASE(every_family_is_drawn), CASE(a_readme_gets_new_figures_between_its_marks),
           CASE(the_text_has_no_control_characters), CASE(markdown_has_a_column_for_each_implementation),
           CASE(markdown_escapes_what_is_text))
