#include "targets.h"

#include "compare.h"
#include "estimate.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { FEWEST_PAIRS = 10, FEWEST_SAMPLES = 200 };
static const char p99_of_all[] = "p99_of_all_ns";

#define HOT(size)         "target-hot/mmipc/" size "/1x1"
#define HOT_RING(size)    "target-hot/bare-ring/" size "/1x1"
#define STREAM(who, size) "target-stream/" who "/" size "/1x1"
#define WAKEUP(who)       "target-wakeup/" who "/64B/1x1"
#define FANOUT(count)     "target-fanout/mmipc/1MiB/1x" count
#define ONE(what)         "target-" what "/mmipc/64B/1x1"
#define PAIRS             "target-pairs/mmipc/64B/1x16"
static const char rate[] = "messages_per_second";

const struct results_target results_targets[RESULTS_TARGETS] = {
    {"one way, awake, 32 B, p50", HOT("32B"), "p50_ns", {"line"}, true, 2},
    {"one way, awake, 64 B, p50", HOT("64B"), "p50_ns", {"line"}, true, 2.5},
    {"one way, awake, 32 B, p99", HOT("32B"), "p99_ns", {HOT_RING("32B")}, true, 3},
    {"one way, awake, 64 B, p99", HOT("64B"), "p99_ns", {HOT_RING("64B")}, true, 3},
    {"one way to a sleeping reader", WAKEUP("mmipc"), "p50_ns", {WAKEUP("fifo"), WAKEUP("unix")}, true, 1.1},
    {"stream, 64 B", STREAM("mmipc", "64B"), rate, {STREAM("bare-ring", "64B")}, false, 0.7},
    {"stream, 64 B", STREAM("mmipc", "64B"), rate, {STREAM("fifo", "64B")}, false, 15},
    {"stream, 1 KiB", STREAM("mmipc", "1KiB"), rate, {STREAM("bare-ring", "1KiB")}, false, 0.7},
    {"stream, 1 MiB", STREAM("mmipc", "1MiB"), rate, {STREAM("bare-ring", "1MiB")}, false, 0.8},
    {"stream, 1 MiB", STREAM("mmipc", "1MiB"), rate, {STREAM("unix", "1MiB"), STREAM("tcp", "1MiB")}, false, 3},
    {"publisher's CPU, 8 subscribers, 1 MiB", FANOUT("8"), "publisher_cpu_ns", {FANOUT("1")}, true, 1.3},
    {"idle pair, CPU of a process", ONE("idle"), "cpu_share", {NULL}, true, 0.0002},
    {"memory a pair, both sides", PAIRS, "bytes_per_pair", {NULL}, true, 128 << 10},
    {"descriptors a pair, both sides", PAIRS, "descriptors_per_pair", {NULL}, true, 8},
    {"new subscriber to first message, p99", ONE("attach"), p99_of_all, {NULL}, true, 10e6},
    {"killed peer to disconnect reported, p99", ONE("death"), p99_of_all, {NULL}, true, 10e6},
};

static const struct results_spread nothing = {.median = NAN, .low = NAN, .high = NAN};

static const char *find_fault(const struct results_row *row, const char *missing, const char *failed)
{
    return row == NULL ? missing : !results_row_figure(row) ? failed : NULL;
}

static void judge_p99(const struct results_row *row, struct results_target_verdict *out)
{
    out->judged = results_row_tail(row, "p99_ns");
    out->value = out->judged.median;
    if (row->sample_count < FEWEST_PAIRS)
        out->unknown = "too few blocks";
    else if (out->judged.count < FEWEST_SAMPLES)
        out->unknown = "too few samples";
}

static void judge_value(const struct results_row *row, struct results_target_verdict *out)
{
    out->judged = results_row_metric(row, out->target->metric);
    if (out->judged.count < FEWEST_PAIRS)
        out->unknown = "too few blocks";
}

/* The lines around the cells of the row, whichever placement they had: shown beside the ratio, not judged. */
static double median_line(const struct results_row *row)
{
    double *lines = calloc(row->sample_count + 1, sizeof *lines), median;
    size_t count = 0;
    for (size_t i = 0; lines && i < row->sample_count; ++i) {
        const struct results_cell *cell = row->samples[i].cell;
        lines[count] = (cell->line_before_ns + cell->line_after_ns) / 2;
        count += isfinite(lines[count]) ? 1 : 0;
    }
    median = results_median(lines, count);
    free(lines);
    return median;
}

static void compare_with(const struct results_rows *rows, const struct results_row *row, const char *rival,
                         struct results_target_verdict *out)
{
    const struct results_row *other = results_rows_named(rows, row->run, rival);
    bool is_line = strcmp(rival, "line") == 0;
    struct results_ratio ratio;
    out->rival = rival;
    if (!is_line)
        out->unknown = find_fault(other, "its rival's row is not measured", "its rival's row is an error");
    if (out->unknown)
        return;
    if (is_line) {
        out->rival_value = median_line(row);
        out->judged = results_row_line_ratio(row, out->target->metric);
    } else {
        ratio = results_compare(rows, row, other, out->target->metric);
        out->rival_value = results_row_metric(other, out->target->metric).median;
        out->judged = ratio.spread;
        out->unknown = ratio.why;
    }
    if (out->unknown == NULL && out->judged.count < FEWEST_PAIRS)
        out->unknown = "too few pairs";
}

static bool is_harder(const struct results_target_verdict *one, const struct results_target_verdict *other)
{
    if (one->unknown || other->unknown)
        return one->unknown && !other->unknown;
    return one->target->at_most ? one->judged.median > other->judged.median : one->judged.median < other->judged.median;
}

static void judge_rivals(const struct results_rows *rows, const struct results_row *row,
                         struct results_target_verdict *out)
{
    struct results_target_verdict empty = *out;
    for (size_t i = 0; i < 2 && out->target->rivals[i]; ++i) {
        struct results_target_verdict verdict = empty;
        compare_with(rows, row, out->target->rivals[i], &verdict);
        if (i == 0 || is_harder(&verdict, out))
            *out = verdict;
    }
}

static void judge(const struct results_rows *rows, const struct results_row *row, struct results_target_verdict *out)
{
    out->unknown = find_fault(row, "its row is not measured", "its row is an error");
    if (out->unknown)
        return;
    out->value = results_row_metric(row, out->target->metric).median;
    if (strcmp(out->target->metric, p99_of_all) == 0)
        judge_p99(row, out);
    else if (out->target->rivals[0] == NULL)
        judge_value(row, out);
    else
        judge_rivals(rows, row, out);
}

/* An end of the interval that is not known is on neither side of the bound. */
static const char *word_of(const struct results_target_verdict *verdict)
{
    const struct results_spread *judged = &verdict->judged;
    double low = judged->interval ? judged->low : NAN, high = judged->interval ? judged->high : NAN;
    double bound = verdict->target->bound;
    bool at_most = verdict->target->at_most;
    if (verdict->unknown)
        return "unknown";
    if (at_most ? high <= bound : low >= bound)
        return "reached";
    if (at_most ? low > bound : high < bound)
        return "not reached";
    return (at_most ? judged->median <= bound : judged->median >= bound) ? "perhaps reached" : "perhaps not reached";
}

bool results_targets_any(const struct results_rows *rows, size_t run)
{
    for (size_t i = 0; i < rows->count; ++i)
        if (rows->rows[i].run == run && strncmp(rows->rows[i].family, "target-", 7) == 0)
            return true;
    return false;
}

void results_targets_judge(const struct results_rows *rows, size_t run,
                           struct results_target_verdict out[RESULTS_TARGETS])
{
    for (size_t i = 0; i < RESULTS_TARGETS; ++i) {
        out[i] = (struct results_target_verdict){
            .target = &results_targets[i], .value = NAN, .rival_value = NAN, .judged = nothing};
        judge(rows, results_rows_named(rows, run, results_targets[i].row), &out[i]);
        out[i].word = word_of(&out[i]);
    }
}
