/* What the gate says of its verdict, to people and to machines. */
#include "cases.h"

#include "gate/say.h"
#include "made.h"

#include <libxml/parser.h>

static char *said(void (*say)(FILE *, const struct gate_report *), const struct gate_report *report)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    say(out, report);
    assert_int_equal(fclose(out), 0);
    return text;
}

static void words_and_table_say_what_and_why(void **state)
{
    struct made made = usual(1.25);
    struct gate_report report = conclude(&made, &made);
    char *words = said(gate_say_words, &report), *table = said(gate_say_markdown, &report);
    (void)state;
    has(words, "regression: slower, and seen again");
    has(words, "SLOWER, by more than the 10 % that are tolerated; p = 0.00073");
    has(words, "It took 91 s.");
    has(table, "### Gate: regression");
    has(table, "| latency p99, 64 B |");
    has(table, "Fresh blocks, 12 blocks");
    has(table, "It took 91 s.");
    free(words);
    free(table);
}

static char *said_of(double slower, double uncertain)
{
    struct made made = usual(slower);
    struct gate_report report;
    for (int i = 0; i < BLOCKS; ++i)
        made.slower[i] *= i % 2 ? 1 + uncertain : 1;
    report = conclude(&made, NULL);
    return said(gate_say_words, &report);
}

/* No more is said than the figures show. */
static void each_verdict_says_what_is_known(void **state)
{
    static const struct {
        double slower, uncertain;
        const char *words;
    } cases[] = {
        {1.04, 0, "slower by 3.9 %, within the 10 % that are tolerated; p = 0.00073\n"},
        {0.70, 0, "faster: it takes 30 % less\n"},
        {1.00, 0, "not slower by more than 10 %\n"},
        {0.93, 0.25, "not shown to be slower; up to "},
        {1.02, 0.12,
         "slower by 7.9 %, within the 10 % that are tolerated; p = 0.00073; up to 14 % are not ruled out\n"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; ++i) {
        char *text = said_of(cases[i].slower, cases[i].uncertain);
        has(text, cases[i].words);
        has(text, "p: how often pairs of one that takes no longer would look as much slower");
        free(text);
    }
}

static void annotations_are_one_line_each(void **state)
{
    struct made made = usual(1);
    struct gate_report report = conclude(&made, NULL);
    char *text = said(gate_say_annotations, &report);
    (void)state;
    has(text, "::notice title=ipcmark gate (pass)::");
    free(text);
    report.verdict = GATE_REGRESSION;
    snprintf(report.words, sizeof report.words, "10 %% more\nof it");
    text = said(gate_say_annotations, &report);
    assert_string_equal(text, "::error title=ipcmark gate (regression)::10 %25 more%0Aof it\n");
    free(text);
    report.verdict = GATE_INCONCLUSIVE;
    text = said(gate_say_annotations, &report);
    has(text, "::warning ");
    free(text);
}

static int count_of(xmlNode *suite, const char *attribute)
{
    xmlChar *value = xmlGetProp(suite, (const xmlChar *)attribute);
    int count = value ? atoi((const char *)value) : -1;
    xmlFree(value);
    return count;
}

static void junit_counts_as_the_exit_code_does(void **state)
{
    struct made made = usual(1.25), fine = usual(1), broken = usual(1);
    struct gate_report reports[4];
    static const int failures[] = {3, 0, 1, 0}, errors[] = {0, 0, 2, 3};
    (void)state;
    broken.error = "a \\u0001 <thing> & \\\"more\\\"";
    broken.fault = "messages";
    reports[0] = conclude(&made, &made);
    reports[1] = conclude(&made, &fine);
    reports[2] = conclude(&broken, NULL);
    made.blocks = 4;
    reports[3] = conclude(&made, NULL);
    for (int i = 0; i < 4; ++i) {
        char *text = gate_say_junit(&reports[i]);
        xmlDoc *document = xmlReadMemory(text, (int)strlen(text), "junit.xml", NULL, XML_PARSE_NONET);
        assert_non_null(document);
        assert_int_equal(count_of(xmlDocGetRootElement(document), "tests"), 4);
        assert_int_equal(count_of(xmlDocGetRootElement(document), "failures"), failures[i]);
        assert_int_equal(count_of(xmlDocGetRootElement(document), "errors"), errors[i]);
        xmlFreeDoc(document);
        free(text);
    }
    xmlCleanupParser();
}

CASES_MAIN(CASE(words_and_table_say_what_and_why), CASE(each_verdict_says_what_is_known),
           CASE(annotations_are_one_line_each), CASE(junit_counts_as_the_exit_code_does))
