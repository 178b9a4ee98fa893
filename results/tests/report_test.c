/* What is on the page, and what must not be. */
#include "cases.h"

#include "document.h"
#include "report/targets.h"
#include "scratch.h"

static void every_clause_and_row_is_there(void **state)
{
    struct document document;
    (void)state;
    document_read(&document, SAMPLES "/conformance.jsonl", SAMPLES "/bench.jsonl");
    assert_int_equal(document.report.matrix.clause_count, 10);
    assert_int_equal(document.report.rows.count, 102);
    for (size_t i = 0; i < document.report.matrix.clause_count; ++i)
        assert_int_equal(document_count(&document, "//table[contains(@class,'matrix')]//tr[@id='%s']/td",
                                        document.report.matrix.clauses[i].id),
                         3);
    for (size_t i = 0; i < document.report.rows.count; ++i)
        assert_int_equal(
            document_count(&document, "//table[@class='rows']//th/code[.='%s']", document.report.rows.rows[i].name), 1);
    document_free(&document);
}

static void targets_are_judged(void **state)
{
    struct document document;
    char *text;
    (void)state;
    document_read(&document, SAMPLES "/bench.jsonl", NULL);
    assert_int_equal(document_count(&document, "//section[@id='targets']//tbody/tr"), RESULTS_TARGETS);
    assert_int_equal(document_count(&document, "//nav//a[@href='#targets']"), 1);
    assert_int_equal(document_count(&document, "//section[@id='targets']//tr[starts-with(th,'one way, awake, 64 B')]"
                                               "[contains(td[3],'line: ')][contains(td[1],'reached')]"),
                     1);
    assert_int_equal(document_count(&document,
                                    "//section[@id='targets']//tr[th='stream, 1 MiB'][contains(td[3],'unix: ')]"
                                    "[td[1]/span[@class='bad']='not reached']"),
                     1);
    text = report_markdown(&document.report);
    assert_non_null(strstr(text, "| stream, 1 MiB | "));
    free(text);
    text = report_text(&document.report);
    assert_non_null(strstr(text, "\nstream, 1 MiB "));
    free(text);
    document_free(&document);
    document_read(&document, SAMPLES "/conformance.jsonl", NULL);
    assert_int_equal(document_count(&document, "//*[@id='targets'] | //a[@href='#targets']"), 0);
    document_free(&document);
}

static void what_fails_is_shown_at_the_top(void **state)
{
    struct document document;
    (void)state;
    document_read(&document, SAMPLES "/conformance.jsonl", NULL);
    assert_int_equal(document_count(&document, "//header/p[contains(@class,'bad')]"), 1);
    assert_int_equal(document_count(&document, "//ul[@class='troubles']/li"), 2);
    assert_int_equal(document_count(&document,
                                    "//ul[@class='troubles']/li[1][contains(.,'KILL-002') and contains(.,'fifo') and "
                                    "contains(.,'was OK')]"),
                     1);
    assert_int_equal(document_count(&document, "//section[@id='headline']//td[contains(.,'1 broken')]"), 1);
    document_free(&document);
}

static void the_page_loads_nothing(void **state)
{
    struct document document;
    (void)state;
    document_read(&document, SAMPLES "/conformance.jsonl", SAMPLES "/bench.jsonl");
    assert_int_equal(document_count(&document, "//script"), 2);
    assert_int_equal(
        document_count(&document, "//*[@src or @srcset or @data or @action or @formaction or @background]"), 0);
    assert_int_equal(document_count(&document, "//link | //iframe | //object | //embed | //img | //base"), 0);
    assert_int_equal(document_count(&document, "//*[@href][not(starts-with(@href,'#'))]"), 0);
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
    figures = document_count(&document, "//figure");
    assert_true(figures >= 9);
    assert_int_equal(
        document_count(&document, "//figure[figcaption/h3][.//table/caption][.//tr[@data-series]/th[@scope='row']]"),
        figures);
    assert_int_equal(document_count(&document, "//figure//tr[@data-series][count(td) = 0]"), 0);
    document_free(&document);
}

static void every_table_is_for_screen_readers_too(void **state)
{
    struct document document;
    (void)state;
    document_read(&document, SAMPLES "/conformance.jsonl", SAMPLES "/bench.jsonl");
    assert_int_equal(document_count(&document, "//table[not(caption)]"), 0);
    assert_int_equal(document_count(&document, "//th[not(@scope)]"), 0);
    assert_int_equal(
        document_count(&document, "//table[not(parent::div[@class='scroll'][@tabindex='0'][@aria-label])]"), 0);
    assert_int_equal(document_count(&document, "//html[@lang='en']"), 1);
    document_free(&document);
}

/* Each link within the page, and what describes a chart, leads to one place. */
static void links_lead_somewhere(void **state)
{
    static const char *const pages[][2] = {{SAMPLES "/conformance.jsonl", SAMPLES "/bench.jsonl"},
                                           {SAMPLES "/bench.jsonl", SAMPLES "/faster.jsonl"},
                                           {SAMPLES "/conformance.jsonl", NULL}};
    struct document document;
    (void)state;
    for (size_t i = 0; i < sizeof pages / sizeof pages[0]; ++i) {
        document_read(&document, pages[i][0], pages[i][1]);
        assert_true(document_count(&document, "//nav//a") >= 3);
        assert_int_equal(document_count(&document, "//a[not(substring(@href,2) = //@id)]"), 0);
        assert_int_equal(document_count(&document, "//*[@aria-labelledby][not(@aria-labelledby = //@id)]"), 0);
        assert_int_equal(document_count(&document, "//*[@id][@id = following::*/@id or @id = descendant::*/@id]"), 0);
        document_free(&document);
    }
}

/* A list or a paragraph with nothing in it is read out, and says nothing. */
static void nothing_is_empty(void **state)
{
    struct document document;
    (void)state;
    document_parse(&document,
                   HEADER "{\"record\":\"cell\",\"row\":\"hot/a/64B/1x1\",\"family\":\"hot\",\"driver\":\"a\","
                          "\"publishers\":1,\"subscribers\":1,\"block\":0,\"metrics\":{\"p50_ns\":5}}\n" FOOTER,
                   NULL);
    assert_int_equal(document_count(&document, "//section[@id='headline']//td/b"), 1);
    assert_int_equal(document_count(&document, "//main//ul[not(li)] | //main//p[not(normalize-space())]"), 0);
    document_free(&document);
    document_read(&document, SAMPLES "/conformance.jsonl", SAMPLES "/bench.jsonl");
    assert_int_equal(document_count(&document, "//main//ul[not(li)] | //main//p[not(normalize-space())]"), 0);
    document_free(&document);
}

/* "javascript:" in a homepage must not become a link, nor any other string an element or attribute. */
static void hostile_strings_stay_text(void **state)
{
    struct document document;
    (void)state;
    document_read(&document, SAMPLES "/hostile.jsonl", NULL);
    assert_int_equal(document_count(&document, "//script"), 0);
    assert_int_equal(document_count(&document, "//img"), 0);
    assert_int_equal(document_count(&document, "//*[@onerror]"), 0);
    assert_int_equal(document_count(&document, "//a[starts-with(@href,'javascript')]"), 0);
    assert_true(document_count(&document, "//text()[contains(.,'</script><script>')]") >= 8);
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
    assert_int_equal(document_count(&document, "//table[@class='rows']//th/code[.='hot/a/64B/1x1']"), 1);
    assert_int_equal(document_count(&document, "//text()[contains(.,'nan')]"), 0);
    text = report_markdown(&document.report);
    assert_non_null(text);
    free(text);
    document_free(&document);
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

CASES_MAIN(CASE(every_clause_and_row_is_there), CASE(targets_are_judged), CASE(what_fails_is_shown_at_the_top),
           CASE(the_page_loads_nothing), CASE(each_chart_has_its_table), CASE(every_table_is_for_screen_readers_too),
           CASE(links_lead_somewhere), CASE(nothing_is_empty), CASE(hostile_strings_stay_text),
           CASE(folders_outside_are_not_shown), CASE(lists_in_place_of_objects_are_nothing),
           CASE(transports_of_target_rows_are_no_implementations), CASE(a_run_that_was_cut_short_says_so))
