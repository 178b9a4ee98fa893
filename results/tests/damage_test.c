/* A file that was cut off or changed at any byte is read, or refused with its line; whatever was read can be used. */
#include "cases.h"

#include "analysis/compare.h"
#include "analysis/fitness.h"
#include "analysis/targets.h"
#include "analysis/verdicts.h"
#include "report/report.h"
#include "scratch.h"

#include <errno.h>

#define HISTOGRAM "{\"unit\":\"ns\",\"significant_digits\":3,\"counts\":[[90,120],[100,9000],[1e3,880]]}"
#define ROW(family, driver, block, rest)                                                                               \
    "{\"record\":\"cell\",\"row\":\"" family "/" driver "/64B/1x1\",\"family\":\"" family "\",\"driver\":\"" driver    \
    "\",\"size\":64,\"publishers\":1,\"subscribers\":1,\"block\":" block ",\"placement\":\"cluster\","                 \
    "\"line_before_ns\":50,\"line_after_ns\":51," rest "}\n"
#define BLOCK(number)                                                                                                  \
    ROW("hot", "a", number, "\"metrics\":{\"p50_ns\":99.5,\"cluster_p50_ns\":99},\"histogram\":" HISTOGRAM)            \
    ROW("throughput", "a", number, "\"metrics\":{\"messages_per_second\":1e7,\"bytes_per_second\":640000000}")         \
    ROW("lifecycle", "b", number, "\"metrics\":{\"close_ns\":7},\"histograms\":{\"close\":" HISTOGRAM "}")             \
    ROW("latency", "b", number, "\"rate\":100,\"metrics\":{\"p50_ns\":9},\"histogram_uncorrected\":" HISTOGRAM)        \
    ROW("target-death", "mmipc", number, "\"metrics\":{},\"histogram\":" HISTOGRAM)                                    \
    ROW("limit", "limit", number,                                                                                      \
        "\"limit_of\":[\"hot\",\"throughput\"],\"limit_kind\":\"bound\",\"metrics\":{\"p50_ns\":50,"                   \
        "\"messages_per_second\":2e7}")                                                                                \
    ROW("cost", "b", number, "\"metrics\":{\"idle_share\":null},\"unmeasured\":{\"idle_share\":\"no right\"}")

/* In parts: a C compiler need not take longer texts. The caller frees it. */
static char *bench(void)
{
    static const char head[] =
        "{\"record\":\"header\",\"format\":1,\"kind\":\"bench\",\"suite_version\":\"0.1.0\",\"run\":"
        "\"0123456789abcdef\","
        "\"seed\":7,\"command\":\"ipcmark bench\",\"started\":\"2024-05-01T12:00:00Z\",\"manifest\":\"89abcdef\","
        "\"planned\":14,\"blocks\":2,\"suite\":\"quick\",\"shard\":{\"index\":1,\"count\":2},\"environment\":{\"cpu\":"
        "\"x\",\"cpus\":2,\"load\":0.1,\"virtualization\":\"none\",\"governor\":null,\"flags\":\"-O2\",\"commit\":"
        "\"12\"},"
        "\"drivers\":[{\"name\":\"a\",\"version\":\"1\",\"digest\":\"ab\"},{\"name\":\"b\",\"capabilities\":[\"x\"]}]}"
        "\n"
        "{\"record\":\"session\",\"session\":1,\"load\":0.1,\"seconds\":null}\n";
    static const char tail[] = ROW("fanout", "a", "0", "\"error\":\"lost 3\",\"fault\":\"messages\"")
        ROW("hot", "c", "0", "\"not_applicable\":\"it never sleeps\"") "{\"record\":\"resumed\",\"planned\":16}\n"
                                                                       "{\"record\":\"session\",\"session\":1,\"load\":"
                                                                       "0.1,\"seconds\":9,\"steal_ns\":0}\n"
                                                                       "{\"record\":\"footer\",\"finished\":\"2024-05-"
                                                                       "01T12:05:00Z\",\"exit\":0,\"written\":20,"
                                                                       "\"interrupted\":false}\n";
    char *text = NULL;
    assert_true(asprintf(&text, "%s%s%s%s", head, BLOCK("0"), BLOCK("1"), tail) > 0);
    return text;
}

static const char conformance[] =
    CONFORMANCE "{\"record\":\"case\",\"driver\":\"a\",\"clause\":\"DEL-001\",\"level\":\"MUST\",\"title\":\"it "
                "arrives\",\"round\":1,\"verdict\":\"fail\",\"seen\":\"fail\",\"class\":\"lost\",\"missing\":null,"
                "\"text\":\"17 \xe2\x80\xa6\",\"seconds\":0.5,\"seed\":4711,\"must\":10,\"received\":9,\"figures\":[{"
                "\"name\":\"p\",\"value\":1,\"unit\":\"ns\"}],\"evidence\":\"evidence/x\"}\n" FOOTER;

static void use_row(const struct results_rows *rows, const struct results_row *row)
{
    static const char *const metrics[] = {"p50_ns", "uncorrected_p50_ns", "close_p99_ns", "messages_per_second",
                                          "max_ns"};
    for (size_t i = 0; i < sizeof metrics / sizeof metrics[0]; ++i) {
        struct results_limit limits[RESULTS_LIMITS];
        results_row_metric(row, metrics[i]);
        results_limits(rows, row, metrics[i], false, limits);
        results_limits(rows, row, metrics[i], true, limits);
        results_compare(rows, row, &rows->rows[0], metrics[i]);
    }
}

static void use_pages(const struct results_run *run)
{
    struct report report;
    int error = report_build(&report, run, 1, NULL);
    char *texts[3];
    assert_int_equal(error, 0);
    texts[0] = report_html(&report);
    texts[1] = report_text(&report);
    texts[2] = report_markdown(&report);
    for (size_t i = 0; i < 3; ++i) {
        assert_non_null(texts[i]);
        free(texts[i]);
    }
    report_free(&report);
}

/* All that is made of files; pages, which take longest, of some. */
static void use(const struct results_run *run, bool pages)
{
    struct results_target_verdict verdicts[RESULTS_TARGETS];
    struct results_matrix matrix;
    struct results_rows rows;
    char error[512] = "";
    if (results_runs_check(run, 1, error, sizeof error) < 0) {
        assert_true(*error != '\0');
        return;
    }
    assert_int_equal(results_rows_build(&rows, run, 1), 0);
    results_fitness(run, 1, &rows, NULL, NULL);
    for (size_t i = 0; i < rows.count; ++i)
        use_row(&rows, &rows.rows[i]);
    if (rows.run_count)
        results_targets_judge(&rows, 0, verdicts);
    assert_int_equal(results_matrix_build(&matrix, run, 1), 0);
    results_matrix_free(&matrix);
    results_rows_free(&rows);
    if (pages)
        use_pages(run);
}

/* Of a file in which the line of this byte was changed. */
static bool read_changed(struct results_run *run, const char *text, const char *original, size_t at)
{
    char error[512] = "", line[32];
    size_t number = 1;
    int result = scratch_read(run, text, error, sizeof error);
    for (size_t i = 0; i < at; ++i)
        number += original[i] == '\n';
    snprintf(line, sizeof line, ":%zu: ", number);
    /* what is wrong is in this line; or it has become one with the next, or is missed by the next */
    if (result < 0 && strstr(error, line) == NULL) {
        snprintf(line, sizeof line, ":%zu: ", number + 1);
        if (result != -EINVAL || strstr(error, line) == NULL)
            fail_msg("byte %zu, of line %zu: \"%s\"", at, number, error);
    }
    return result == 0;
}

static void change_each_byte(const char *original, size_t pages_one_in)
{
    static const char others[] = {'\0', '\n', '"', '0', '-', '{', '}', ',', '\xff', 'e', '[', '\\'};
    size_t length = strlen(original), read = 0;
    for (size_t at = 0; at < length; ++at) {
        char *text = strdup(original), other = others[at * 7 % sizeof others];
        struct results_run run;
        assert_non_null(text);
        if (other == '\0')
            other = (char)((unsigned char)text[at] ^ (1u << at % 7));
        text[at] = (char)(other ? other : ' ');
        if (read_changed(&run, text, original, at)) {
            if (++read % 2 == 0)
                use(&run, read % pages_one_in == 0);
            results_run_free(&run);
        }
        free(text);
    }
    assert_in_range(read, length / 10, length * 9 / 10); /* both happen */
}

static void cut_at_each_byte(const char *original)
{
    size_t length = strlen(original), first = strcspn(original, "\n");
    for (size_t at = 0; at < length; ++at) {
        char *text = strndup(original, at), error[512] = "";
        struct results_run run;
        int result;
        assert_non_null(text);
        result = scratch_read(&run, text, error, sizeof error);
        free(text);
        if (at < first) {
            assert_int_equal(result, -EINVAL);
            assert_non_null(strstr(error, at ? "cut off within its first line" : "empty"));
            continue;
        }
        assert_int_equal(result, 0);
        assert_true(run.torn == (original[at - 1] != '\n' && original[at] != '\n'));
        assert_true(results_run_cut_short(&run) == (at + 1 < length)); /* a footer needs no newline */
        if (at % 7 == 0)
            use(&run, at % 140 == 0);
        results_run_free(&run);
    }
}

static void a_benchmark_cut_off_anywhere_is_read(void **state)
{
    char *text = bench();
    (void)state;
    cut_at_each_byte(text);
    free(text);
}

static void conformance_cut_off_anywhere_is_read(void **state)
{
    (void)state;
    cut_at_each_byte(conformance);
}

static void a_benchmark_changed_anywhere_is_read_or_refused(void **state)
{
    char *text = bench();
    (void)state;
    change_each_byte(text, 50);
    free(text);
}

static void conformance_changed_anywhere_is_read_or_refused(void **state)
{
    (void)state;
    change_each_byte(conformance, 5);
}

CASES_MAIN(CASE(a_benchmark_cut_off_anywhere_is_read), CASE(conformance_cut_off_anywhere_is_read),
           CASE(a_benchmark_changed_anywhere_is_read_or_refused), CASE(conformance_changed_anywhere_is_read_or_refused))
