#include "targets.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char p99_of_all[] = "p99_of_all_ns";

#define HOT(size)         "target-hot/mmipc/" size "/1x1"
#define HOT_RING(size)    "target-hot/bare-ring/" size "/1x1"
#define STREAM(who, size) "target-stream/" who "/" size "/1x1"
#define WAKEUP(who)       "target-wakeup/" who "/64B/1x1"
#define FANOUT(count)     "target-fanout/mmipc/1MiB/1x" count
#define ONE(what)         "target-" what "/mmipc/64B/1x1"
static const char rate[] = "messages_per_second";

const struct goal targets_goals[TARGETS] = {
    {"one way, awake, 32 B, p50", HOT("32B"), "p50_ns", {"line"}, false, true, 2},
    {"one way, awake, 64 B, p50", HOT("64B"), "p50_ns", {"line"}, false, true, 2.5},
    {"one way, awake, 32 B, p99", HOT("32B"), "p99_ns", {HOT_RING("32B")}, false, true, 3},
    {"one way, awake, 64 B, p99", HOT("64B"), "p99_ns", {HOT_RING("64B")}, false, true, 3},
    {"one way to a sleeping reader", WAKEUP("mmipc"), "p50_ns", {WAKEUP("fifo"), WAKEUP("unix")}, true, true, 1.1},
    {"stream, 64 B", STREAM("mmipc", "64B"), rate, {STREAM("bare-ring", "64B")}, false, false, 0.7},
    {"stream, 64 B", STREAM("mmipc", "64B"), rate, {STREAM("fifo", "64B")}, false, false, 15},
    {"stream, 1 KiB", STREAM("mmipc", "1KiB"), rate, {STREAM("bare-ring", "1KiB")}, false, false, 0.7},
    {"stream, 1 MiB", STREAM("mmipc", "1MiB"), rate, {STREAM("bare-ring", "1MiB")}, false, false, 0.8},
    {"stream, 1 MiB", STREAM("mmipc", "1MiB"), rate, {STREAM("unix", "1MiB"), STREAM("tcp", "1MiB")}, false, false, 3},
    {"publisher's CPU, 8 subscribers, 1 MiB", FANOUT("8"), "publisher_cpu_ns", {FANOUT("1")}, false, true, 1.3},
    {"idle pair, CPU of a process", ONE("idle"), "cpu_share", {NULL}, true, true, 0.0002},
    {"memory a pair, both sides", "target-pairs/mmipc/64B/1x16", "bytes_per_pair", {NULL}, true, true, 128 << 10},
    {"descriptors a pair, both sides", "target-pairs/mmipc/64B/1x16", "descriptors_per_pair", {NULL}, true, true, 8},
    {"new subscriber to first message, p99", ONE("attach"), p99_of_all, {NULL}, true, true, 10e6},
    {"killed peer to disconnect reported, p99", ONE("death"), p99_of_all, {NULL}, true, true, 10e6},
};

/* Room for the samples of a row and its rival, and for ratios. */
struct scratch {
    struct sample *own, *other;
    double *values;
};

static double median_of(const struct sample *samples, size_t count, double *values)
{
    for (size_t i = 0; i < count; ++i)
        values[i] = samples[i].value;
    return statistics_median(values, count);
}

static struct ratio take_median(double *values, size_t count)
{
    struct ratio ratio = {.median = statistics_median(values, count), .pairs = count, .low = NAN, .high = NAN};
    size_t low, high;

    if (statistics_median_ranks(count, &low, &high)) {
        ratio.low = values[low]; /* the median has sorted them */
        ratio.high = values[high];
    }
    return ratio;
}

/* The n-th of all values, from 0. */
static double value_at(const struct ipcmark_histogram *histogram, size_t rank)
{
    return (double)ipcmark_histogram_percentile(histogram, ((double)rank + 0.5) / (double)histogram->total * 100);
}

static void judge_p99(const struct tally_row *row, struct goal_result *out)
{
    const struct ipcmark_histogram *all = row->histogram;
    size_t low, high;

    if (all == NULL || all->total < TARGETS_FEWEST_SAMPLES) {
        out->unknown = "too few samples";
        return;
    }
    out->value = (double)ipcmark_histogram_percentile(all, 99);
    out->ratio = (struct ratio){.median = out->value, .pairs = all->total, .low = NAN, .high = NAN};
    if (statistics_quantile_ranks(all->total, 0.99, &low, &high)) {
        out->ratio.low = value_at(all, low);
        out->ratio.high = high < all->total ? value_at(all, high) : NAN;
    }
}

static void judge_value(const struct tally *tally, const struct tally_row *row, struct goal_result *out,
                        struct scratch *scratch)
{
    size_t count = tally_metric_samples(tally, row, out->goal->metric, true, scratch->own);

    out->value = median_of(scratch->own, count, scratch->values);
    out->ratio = take_median(scratch->values, count);
    if (count < SUMMARY_FEWEST_PAIRS)
        out->unknown = "too few blocks";
}

static size_t rival_samples(const struct tally *tally, const struct tally_row *row, const struct tally_row *rival,
                            const struct goal *goal, struct sample *samples)
{
    return rival == NULL ? tally_lines(tally, row, samples)
                         : tally_metric_samples(tally, rival, goal->metric, goal->by_block, samples);
}

/* To one rival; NULL: the line around the cell itself. */
static void compare(const struct tally *tally, const struct tally_row *row, const struct tally_row *rival,
                    struct goal_result *out, struct scratch *scratch)
{
    const struct goal *goal = out->goal;
    size_t own = tally_metric_samples(tally, row, goal->metric, goal->by_block, scratch->own), other;

    if (rival == NULL) /* a line was measured around the cell as a whole */
        own = tally_samples(tally, row, scratch->own);
    other = rival_samples(tally, row, rival, goal, scratch->other);
    out->rival_value = median_of(scratch->other, other, scratch->values);
    out->ratio =
        take_median(scratch->values, statistics_pair(scratch->own, own, scratch->other, other, scratch->values));
    if (strcmp(goal->metric, "p99_ns") == 0 && !tally_has_every_p99(tally, row))
        out->unknown = "a cell was too slow to have a p99";
    else if (out->ratio.pairs < SUMMARY_FEWEST_PAIRS)
        out->unknown = "too few pairs";
}

static bool is_harder(const struct goal *goal, const struct goal_result *one, const struct goal_result *other)
{
    if (one->unknown != NULL || other->unknown != NULL)
        return one->unknown != NULL && other->unknown == NULL;
    return goal->at_most ? one->ratio.median > other->ratio.median : one->ratio.median < other->ratio.median;
}

static const char *find_fault(const struct tally_row *row, const char *missing, const char *failed)
{
    return row == NULL ? missing : row->error[0] != '\0' ? failed : NULL;
}

static void judge_rivals(const struct tally *tally, const struct tally_row *row, struct goal_result *out,
                         struct scratch *scratch)
{
    size_t count = tally_metric_samples(tally, row, out->goal->metric, true, scratch->own);
    double value = median_of(scratch->own, count, scratch->values);

    for (size_t i = 0; i < 2 && out->goal->rivals[i] != NULL; ++i) {
        struct goal_result result = {
            .goal = out->goal, .rival = out->goal->rivals[i], .rival_value = NAN, .ratio = {NAN, 0, NAN, NAN}};
        bool is_line = strcmp(result.rival, "line") == 0;
        const struct tally_row *rival = is_line ? NULL : tally_find(tally, result.rival);
        if (!is_line)
            result.unknown = find_fault(rival, "its rival's row is not measured", "its rival's row is an error");
        if (result.unknown == NULL)
            compare(tally, row, rival, &result, scratch);
        if (i == 0 || is_harder(out->goal, &result, out))
            *out = result;
    }
    out->value = value;
}

static void judge(const struct tally *tally, const struct goal *goal, struct goal_result *out, struct scratch *scratch)
{
    const struct tally_row *row = tally_find(tally, goal->row);

    *out = (struct goal_result){.goal = goal, .value = NAN, .rival_value = NAN, .ratio = {NAN, 0, NAN, NAN}};
    out->unknown = find_fault(row, "its row is not measured", "its row is an error");
    if (out->unknown != NULL)
        return;
    if (strcmp(goal->metric, p99_of_all) == 0)
        judge_p99(row, out);
    else if (goal->rivals[0] == NULL)
        judge_value(tally, row, out, scratch);
    else
        judge_rivals(tally, row, out, scratch);
}

int targets_judge(const struct tally *tally, struct goal_result out[TARGETS])
{
    size_t room = LINE_CLASSES * (size_t)tally->blocks;
    struct scratch scratch = {calloc(room, sizeof *scratch.own), calloc(room, sizeof *scratch.other),
                              calloc(room, sizeof *scratch.values)};
    int result = scratch.own == NULL || scratch.other == NULL || scratch.values == NULL ? -ENOMEM : 0;

    for (size_t i = 0; i < TARGETS && result == 0; ++i)
        judge(tally, &targets_goals[i], &out[i], &scratch);
    free(scratch.own);
    free(scratch.other);
    free(scratch.values);
    return result;
}

const char *targets_verdict(const struct goal_result *result)
{
    return result->unknown != NULL ? "unknown"
                                   : ratio_verdict(&result->ratio, result->goal->bound, result->goal->at_most);
}
