/* What the gate says of its verdict, to people and to machines. */
#include "cases.h"

#include "gate/say.h"
#include "made.h"

#include <libxml/parser.h>
#include <math.h>

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
    has(table, "| one way (both awake) p99, 64 B |");
    has(table, "Fresh blocks, 12 blocks");
    has(table, "It took 91 s.");
    free(words);
    free(table);
}

static void what_has_no_interval_has_none_in_the_table(void **state)
{
    struct made made = usual(1.25);
    struct gate_report report = conclude(&made, NULL);
    char *table;
    (void)state;
    for (int i = 0; i < GATE_METRICS; ++i) {
        struct results_spread *slower = &report.first.findings[i].slower;
        slower->low = slower->high = NAN;
        slower->interval = false;
    }
    report.first.findings[1].control.median = NAN;
    table = said(gate_say_markdown, &report);
    has(table, "| 1.25 (–) | 1.00 (");
    has(table, "| 1.25 (–) | – |");
    assert_null(strstr(table, "nan"));
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

/* Names, errors and texts come from files, and go to terminals, services and pages. */
static void what_files_hold_is_text(void **state)
{
    struct gate_clause failing[] = {
        {GATE_REGRESSION, (char[]){"DEL-001 fails: a|b `c` <img> 100%\n::error::d\n| e |"}}};
    struct made made = usual(1);
    struct gate_report report = conclude(&made, NULL);
    char *text;
    (void)state;
    report.candidate = "`new`\n::warning::x";
    report.clauses = (struct gate_clauses){failing, 1};
    snprintf(report.first.findings[0].why, sizeof report.first.findings[0].why, "why\n::error::y <b> | _z_");
    gate_conclude(&report);

    text = said(gate_say_words, &report);
    assert_null(strstr(text, "\n::"));
    has(text, "DEL-001 fails: a|b `c` <img> 100% ::error::d | e |\n");
    free(text);

    text = said(gate_say_annotations, &report);
    has(text, "::error title=ipcmark gate (clause)::DEL-001 fails: a|b `c` <img> 100%25%0A::error::d%0A| e |\n");
    assert_null(strstr(text, "\n::error::d"));
    free(text);

    text = said(gate_say_markdown, &report);
    has(text, "\\`new\\` ::warning::x beside ");
    has(text, "* DEL-001 fails: a\\|b \\`c\\` &lt;img> 100% ::error::d \\| e \\|\n");
    has(text, "why ::error::y &lt;b> \\| \\_z\\_ | \n");
    assert_null(strstr(text, "<"));
    free(text);
}

static int count_of(xmlNode *suite, const char *attribute)
{
    xmlChar *value = xmlGetProp(suite, (const xmlChar *)attribute);
    int count = value ? atoi((const char *)value) : -1;
    xmlFree(value);
    return count;
}

static void junit_has(char *text, int tests, int failures, int errors, int skipped)
{
    xmlDoc *document = text ? xmlReadMemory(text, (int)strlen(text), "junit.xml", NULL, XML_PARSE_NONET) : NULL;

    assert_non_null(document);
    assert_int_equal(count_of(xmlDocGetRootElement(document), "tests"), tests);
    assert_int_equal(count_of(xmlDocGetRootElement(document), "failures"), failures);
    assert_int_equal(count_of(xmlDocGetRootElement(document), "errors"), errors);
    assert_int_equal(count_of(xmlDocGetRootElement(document), "skipped"), skipped);
    xmlFreeDoc(document);
    xmlCleanupParser();
    free(text);
}

/* Exit code 1 has failures, 2 has none but what is skipped, 0 has neither; and none of the three has an error. */
static void junit_says_as_the_exit_code_does(void **state)
{
    struct made slow = usual(1.25), fine = usual(1), broken = usual(1), lost = usual(1), few = usual(1.25);
    struct gate_report report;
    (void)state;
    broken.error = lost.error = "a \\u0001 <thing> & \\\"more\\\"";
    lost.fault = "messages";
    few.blocks = 4;
    report = conclude(&slow, &slow);
    junit_has(gate_say_junit(&report), 4, 3, 0, 0);
    report = conclude(&slow, &fine); /* not seen again: a pass */
    junit_has(gate_say_junit(&report), 4, 0, 0, 0);
    report = conclude(&lost, NULL);
    assert_int_equal(report.verdict, GATE_REGRESSION);
    junit_has(gate_say_junit(&report), 4, 1, 0, 2);
    report = conclude(&few, NULL);
    assert_int_equal(report.verdict, GATE_INCONCLUSIVE);
    junit_has(gate_say_junit(&report), 4, 0, 0, 3);
    report = conclude(&broken, NULL);
    assert_int_equal(report.verdict, GATE_INCONCLUSIVE);
    junit_has(gate_say_junit(&report), 4, 0, 0, 3);
    report = conclude(&broken, &broken);
    assert_int_equal(report.verdict, GATE_REGRESSION);
    junit_has(gate_say_junit(&report), 4, 1, 0, 2);
    report = conclude(&broken, &fine);
    assert_int_equal(report.verdict, GATE_INCONCLUSIVE);
    junit_has(gate_say_junit(&report), 4, 0, 0, 1);
    report = conclude(&broken, &slow); /* slower in fresh blocks alone */
    assert_int_equal(report.verdict, GATE_INCONCLUSIVE);
    junit_has(gate_say_junit(&report), 4, 0, 0, 4);
    broken.base_error = broken.error;
    report = conclude(&broken, NULL);
    assert_int_equal(report.verdict, GATE_INCONCLUSIVE);
    junit_has(gate_say_junit(&report), 4, 0, 0, 3);
    slow.error = broken.error;
    slow.hot = false;
    report = conclude(&slow, NULL);
    assert_int_equal(report.verdict, GATE_REGRESSION);
    junit_has(gate_say_junit(&report), 4, 1, 0, 3);
    junit_has(gate_say_junit_error(3), 1, 0, 1, 0);
}

static void junit_has_a_case_for_each_clause_that_changed(void **state)
{
    struct gate_clause changed[] = {{GATE_REGRESSION, (char[]){"DEL-001 fails: 3 lost"}},
                                    {GATE_INCONCLUSIVE, (char[]){"DEL-002 is skipped"}}};
    struct made made = usual(1);
    struct gate_report report = conclude(&made, NULL);
    (void)state;
    report.compared_clauses = true;
    junit_has(gate_say_junit(&report), 5, 0, 0, 0);
    report.clauses = (struct gate_clauses){changed, 2};
    gate_conclude(&report);
    junit_has(gate_say_junit(&report), 6, 1, 0, 1);
    assert_int_equal(report.verdict, GATE_REGRESSION);
    changed[1].text = (char[]){"cut within a character: \xe2\x80"}; /* and still XML */
    report.clauses = (struct gate_clauses){changed + 1, 1};
    report.verdict = GATE_PASS;
    gate_conclude(&report);
    junit_has(gate_say_junit(&report), 5, 0, 0, 1);
    assert_int_equal(report.verdict, GATE_INCONCLUSIVE);
}

CASES_MAIN(CASE(words_and_table_say_what_and_why), CASE(what_has_no_interval_has_none_in_the_table),
           CASE(each_verdict_says_what_is_known), CASE(annotations_are_one_line_each), CASE(what_files_hold_is_text),
           CASE(junit_says_as_the_exit_code_does), CASE(junit_has_a_case_for_each_clause_that_changed))
