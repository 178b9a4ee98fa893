/* What the page compares: with rivals, with the machine's limits, with another run; and what is no figure. */
#include "cases.h"

#include "document.h"
#include "report/chart.h"
#include "report/svg.h"
#include "scratch.h"

#define AT(row, family, driver, size, of, metrics) AT_BLOCK(0, row, family, driver, size, of, metrics)
#define AT_BLOCK(block, row, family, driver, size, of, metrics)                                                        \
    "{\"record\":\"cell\",\"row\":\"" row "\",\"family\":\"" family "\",\"driver\":\"" driver "\",\"size\":" #size     \
    ",\"publishers\":1,\"subscribers\":1,\"block\":" #block                                                            \
    ",\"placement\":\"cluster\",\"line_before_ns\":50,\"line_after_"                                                   \
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
    document_parse(&document, limited, NULL);
    assert_non_null(strstr(document.text, "data-category=\"Throughput / bare ring, 1&#x202F;MiB\" data-mid=\"2\""));
    assert_non_null(strstr(document.text, "data-category=\"Throughput / memcpy, 4&#x202F;MiB\" data-mid=\"3\""));
    assert_non_null(
        strstr(document.text, "data-category=\"One way, both awake / cache line, 64&#x202F;B\" data-mid=\"4\""));
    assert_null(strstr(document.text, "Throughput / memcpy, 1"));
    assert_null(strstr(document.text, "fixed rate / "));
    assert_null(strstr(document.text, "16&#x202F;MiB\" data-mid"));
    document_free(&document);
}

#define LOOP(rate) "\"messages_per_second\":" #rate ",\"bytes_per_second\":" #rate
/* Its block is for printf. */
#define BEATEN                                                                                                         \
    AT_BLOCK(% d, "throughput/a/64B/1x1", "throughput", "a", 64, "", LOOP(2000))                                       \
    AT_BLOCK(% d, "throughput/b/64B/1x1", "throughput", "b", 64, "", LOOP(800))                                        \
    AT_BLOCK(% d, "limit/memcpy/64B", "limit", "limit", 64, BOUND, LOOP(4000))                                         \
    AT_BLOCK(% d, "limit/bare-ring/64B", "limit", "limit", 64, BOUND, LOOP(1000))                                      \
    AT_BLOCK(% d, "limit/pipe/64B", "limit", "limit", 64, BOUND, LOOP(900))

static char *write_beaten(int blocks)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    fputs(HEADER, out);
    for (int i = 0; i < blocks; ++i)
        fprintf(out, BEATEN, i, i, i, i, i);
    fputs(FOOTER, out);
    fclose(out);
    return text;
}

/* The distance is to what bounds all; what one of them is faster than is said of that one, and is no limit of any. */
static void a_limit_that_was_beaten_is_said(void **state)
{
    struct document document;
    char *text, *beaten = write_beaten(6);
    (void)state;
    document_parse(&document, beaten, NULL);
    free(beaten);
    assert_int_equal(document_count(&document, "//table[@class='rows']//tr[contains(th,'throughput/a/')]"
                                               "[contains(.,'2.00\u202f× memcpy')]"
                                               "[contains(.,'beats pipe by 2.22\u202f×')]"
                                               "[contains(.,'beats bare ring by 2.00\u202f×')]"),
                     1);
    assert_int_equal(document_count(&document, "//table[@class='rows']//tr[contains(th,'throughput/b/')]"
                                               "[contains(.,'5.00\u202f× memcpy')]"),
                     1);
    assert_int_equal(document_count(&document, "//table[@class='rows']//tr[contains(.,'beats')]"), 1);
    assert_int_equal(document_count(&document, "//figure[@id='distance-to-the-machine-s-limit']//tr"
                                               "[@data-category='Throughput / bare ring, 64\u202fB']"
                                               "[@data-series='a'][@data-mid='0.5']"),
                     1);
    assert_int_equal(document_count(&document, "//section[@id='headline']//td[contains(.,'beats bare ring by 2.00')]"),
                     1);
    text = report_text(&document.report);
    assert_non_null(strstr(text, "2.00 × (2.00–2.00)  memcpy"));
    assert_non_null(strstr(text, " beats bare ring by 2.00 × (2.00–2.00)\n            b "));
    free(text);
    text = report_markdown(&document.report);
    assert_non_null(strstr(text, " 2.00\u202f× (2.00–2.00) memcpy; beats pipe by 2.22\u202f× (2.22–2.22); beats bare "
                                 "ring by 2.00\u202f× (2.00–2.00) | 5.00\u202f× (5.00–5.00) memcpy |"));
    free(text);
    document_free(&document);
}

static void wakeup(FILE *text, const char *name, const char *driver, const char *of, const int times[2])
{
    for (int block = 0; block < 2; ++block)
        fprintf(text,
                "{\"record\":\"cell\",\"row\":\"%s\",\"family\":\"%s\",\"driver\":\"%s\",\"size\":64,\"publishers\":1,"
                "\"subscribers\":1,\"block\":%d,%s\"metrics\":{\"p50_ns\":%d}}\n",
                name, *of ? "limit" : "wakeup", driver, block, of, times[block]);
}

/* For a the futex is the nearer of two, for b by itself the socket. */
static void all_are_compared_with_the_same_limit(void **state)
{
    static const char of[] = "\"limit_of\":[\"wakeup\"],\"limit_kind\":\"reference\",";
    struct document document;
    char *lines = NULL;
    size_t size;
    FILE *text = open_memstream(&lines, &size);
    (void)state;
    assert_non_null(text);
    fputs(HEADER, text);
    wakeup(text, "wakeup/a/64B/1x1", "a", "", (int[]){1000, 3000});
    wakeup(text, "wakeup/b/64B/1x1", "b", "", (int[]){9000, 2100});
    wakeup(text, "limit/futex/64B", "limit", of, (int[]){800, 2000});
    wakeup(text, "limit/unix/64B", "limit", of, (int[]){900, 1000});
    fputs(FOOTER, text);
    assert_int_equal(fclose(text), 0);
    document_parse(&document, lines, NULL);
    for (size_t i = 0; i < document.report.rows.count; ++i) {
        const struct results_row *row = &document.report.rows.rows[i];
        if (strcmp(row->family, "wakeup") == 0)
            assert_string_equal(report_figures(&document.report, row)->limit.name, "futex");
    }
    document_free(&document);
    free(lines);
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
    document_parse(&document, limited, NULL);
    assert_int_equal(document_count(&document, RING), 1);
    assert_int_equal(document_count(&document, RING "/td[@data-y]"), 2);
    assert_int_equal(document_count(&document, RING "/td[@data-x='1048576'][@data-y='2000']"), 1);
    assert_int_equal(document_count(&document, RING "/td[@data-x='4194304'][not(@data-y)]"), 1);
    assert_int_equal(document_count(&document, RING "/td[@data-x='16777216'][not(@data-y)]"), 1);
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
    assert_int_equal(document_count(&document, "//section[@id='headline']//thead/tr/th[.='mmipc (bench)']"), 1);
    assert_int_equal(document_count(&document, "//section[@id='headline']//thead/tr/th[.='mmipc (faster)']"), 1);
    assert_int_equal(
        document_count(&document,
                       "//figure[@id='times-better-than-in-the-run-bench']//tr[@data-series='mmipc (faster)']"
                       "[@data-category='Throughput, 64\u202fB'][@data-mid > 1.15][@data-mid < 1.35]"),
        1);
    assert_int_equal(document_count(&document, "//figure[@id='times-better-than-in-the-run-bench']"
                                               "//tr[@data-series='mmipc (bench)']"),
                     0);
    assert_int_equal(document_count(&document, "//figure[@id='times-better-than-in-the-run-bench']"
                                               "/figcaption/p[contains(.,'not paired')]"),
                     1);
    assert_int_equal(document_count(&document, "//section[@id='headline']//tr[contains(th,'Throughput')]/td[2]"
                                               "//li[starts-with(.,'1.23\u202f× better than in bench')]"),
                     1);
    assert_int_equal(document_count(&document, "//section[@id='headline']//tr[contains(th,'fixed rate')]/td[2]"
                                               "//li[starts-with(.,'perhaps 1.20\u202f× better than in bench')]"),
                     1);
    /* Of each run its own limits: the cache line around its cells, too, in each figure of this family. */
    for (size_t i = 0; i < 6; ++i)
        assert_int_equal(document_count(&document,
                                        "//figure[starts-with(@id,'one-way-both-awake-')][@data-x-kind='percentile']"
                                        "[not(.//tr[@data-series='limit: cache line, %s (%s)'])]",
                                        (const char *[]){"siblings", "cluster", "distant"}[i / 2],
                                        i % 2 == 0 ? "bench" : "faster"),
                         0);
    assert_int_equal(document_count(&document, "//tr[starts-with(@data-series,'limit: cache line, ')]"), 12);
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
    assert_int_equal(
        document_count(&document,
                       "//figure[@id='times-better-than-the-pipe-fifo']//tr[@data-series='mmipc']"
                       "[@data-category='One way, both awake, 64\u202fB' or @data-category='Throughput, 64\u202fB' or "
                       "@data-category='CPU time of a million messages, 64\u202fB'][@data-mid > 5]"),
        3);
    assert_int_equal(
        document_count(&document, "//figure[@id='times-better-than-the-pipe-fifo']//tr[@data-series='fifo']"), 0);
    assert_int_equal(document_count(&document, "//figure[starts-with(@id,'distance')]//tr[@data-mid < 1]"
                                               "[not(contains(@data-category,' / unix,'))]"),
                     0);
    assert_int_equal(document_count(&document, "//figure[@id='distance-to-the-machine-s-limit']//tr[@data-series='tcp']"
                                               "[@data-category='Throughput / bare ring, 64\u202fB'][@data-mid > 20]"),
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
    assert_int_equal(document_count(&document, "//figure//tr[@data-series='fifo'][contains(@data-category,'Close')]"),
                     0);
    assert_int_equal(
        document_count(&document, "//section[@id='costs']//p[contains(.,'Does not apply to fifo: it does not tell')]"),
        1);
    assert_int_equal(document_count(&document, "//table[@class='rows']//tr[contains(th,'lifecycle/fifo')]"
                                               "[contains(td,'does not apply')]"),
                     1);
    text = report_text(&document.report);
    assert_non_null(strstr(text, "does not apply: it does not tell of peers"));
    assert_null(strstr(text, "ERROR"));
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

CASES_MAIN(CASE(distances_are_to_the_limit_that_bounds), CASE(a_limit_that_was_beaten_is_said),
           CASE(all_are_compared_with_the_same_limit), CASE(limits_are_drawn_where_they_were_measured),
           CASE(runs_stand_side_by_side), CASE(better_is_more), CASE(what_does_not_apply_says_so),
           CASE(a_failed_row_is_named))
