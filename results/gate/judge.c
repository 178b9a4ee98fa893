#include "gate.h"

#include "../analysis/compare.h"
#include "findings.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* With fewer pairs not even all of them slower would be unlikely enough. */
enum { FEWEST_PAIRS = 6, SEED = 1 };
static const double significant = 0.05, within = 0.90;

const struct gate_metric gate_metrics[GATE_METRICS] = {
    [GATE_P50] = {"hot", "hot/64B/1x1", "p50_ns", "p50_ns", "one way (both awake) p50, 64 B"},
    [GATE_P99] = {"hot", "hot/64B/1x1", "p99_ns", "p99_of_rounds_ns", "one way (both awake) p99, 64 B"},
    [GATE_RATE] = {"throughput", "throughput/64B/1x1", "messages_per_second", "messages_per_second",
                   "throughput, 64 B"},
};

int gate_exit(enum gate_verdict verdict)
{
    return verdict == GATE_PASS ? 0 : verdict == GATE_REGRESSION ? 1 : 2;
}

const char *gate_verdict_name(enum gate_verdict verdict)
{
    return verdict == GATE_PASS ? "pass" : verdict == GATE_REGRESSION ? "regression" : "inconclusive";
}

static const struct results_row *find(const struct results_rows *rows, const char *driver, const char *shape)
{
    for (size_t i = 0; i < rows->count; ++i)
        if (rows->rows[i].run == 0 && strcmp(rows->rows[i].driver, driver) == 0 &&
            strcmp(rows->rows[i].shape, shape) == 0)
            return &rows->rows[i];
    return NULL;
}

/* How many times as long the one takes: of a rate it is the other way round. */
static double log_slower(double ratio, const char *metric)
{
    return results_more_is_better(metric) ? -log(ratio) : log(ratio);
}

/* The logarithms of the pairs' ratios, owned by the caller. */
static int take_pairs(double **out, size_t *count, const struct results_row *row, const struct results_row *base,
                      const char *metric)
{
    struct results_pair *pairs = calloc(row->sample_count + 1, sizeof *pairs);
    double *values = calloc(row->sample_count + 1, sizeof *values);

    if (pairs == NULL || values == NULL) {
        free(pairs);
        free(values);
        return -ENOMEM;
    }
    *count = results_pairs(row, base, metric, pairs);
    for (size_t i = 0; i < *count; ++i)
        values[i] = log_slower(pairs[i].ratio, metric);
    free(pairs);
    *out = values;
    return 0;
}

/* The estimate that belongs to the signed ranks: it makes more of few values than their median does, and half of one
 * kind and half of another, as streams have them, do not make it jump. */
struct sample {
    const double *values;
    double *drawn;
    size_t count;
};

static double shift_of(void *context, const size_t *drawn, const size_t *other)
{
    struct sample *sample = context;
    double shift;
    (void)other;
    for (size_t i = 0; i < sample->count; ++i)
        sample->drawn[i] = sample->values[drawn[i]];
    return results_shift(&shift, sample->drawn, sample->count) < 0 ? NAN : shift;
}

static int spread_of(struct results_spread *out, const double *values, size_t count)
{
    struct sample sample = {values, calloc(count + 1, sizeof(double)), count};
    struct results_resampling resampling = {.count = count, .statistic = shift_of, .context = &sample, .seed = SEED};
    struct results_interval interval;
    double shift = NAN;
    int error = sample.drawn ? results_resample(&interval, &resampling, within) : -ENOMEM;
    if (error == 0)
        error = results_shift(&shift, values, count);
    if (error == 0)
        *out = (struct results_spread){.count = count,
                                       .median = exp(shift),
                                       .low = exp(interval.low),
                                       .high = exp(interval.high),
                                       .interval = !isnan(interval.low)};
    free(sample.drawn);
    return error;
}

/* One cell of each a block, no more of the one than of the other: had it only changed its name, either of the two might
 * as well have been the slower one. So the pairs' logarithms are symmetric around 0, as the test takes for granted, and
 * those of the control, made likewise, are as noisy. */
static int compare(struct results_spread *out, double *chance, const struct results_row *row,
                   const struct results_row *base, const char *metric)
{
    struct results_signed_ranks ranks = {.greater = NAN};
    double *values = NULL;
    size_t count = 0;
    int error = take_pairs(&values, &count, row, base, metric);

    if (error == 0)
        error = results_signed_ranks(&ranks, values, count);
    if (error == 0)
        error = spread_of(out, values, count);
    *chance = ranks.greater;
    free(values);
    return error;
}

/* Its interval is wider to either side than what is tolerated, or wholly beyond that: the same is not the same here. */
static bool is_noisy(const struct gate_finding *finding)
{
    const struct results_spread *control = &finding->control;
    double most = 1 + finding->tolerance;
    return !(sqrt(control->high / control->low) <= most) || control->low > most || control->high < 1 / most;
}

/* Whether it can be told at all; `why` is why there are no pairs, or NULL. */
static bool tellable(struct gate_finding *finding, const char *why)
{
    const struct results_spread *control = &finding->control;

    finding->wants_more = true;
    if (finding->slower.count < FEWEST_PAIRS || control->count < FEWEST_PAIRS) {
        finding->verdict = GATE_INCONCLUSIVE;
        if (finding->slower.count == 0 && why != NULL)
            gate_find(finding, GATE_INCONCLUSIVE, why);
        else
            snprintf(
                finding->why, sizeof finding->why,
                "only %zu blocks have both in one placement of the CPUs, with all that is needed; %d are the least",
                finding->slower.count < control->count ? finding->slower.count : control->count, FEWEST_PAIRS);
        return false;
    }
    if (!is_noisy(finding)) {
        finding->wants_more = false;
        return true;
    }
    finding->verdict = GATE_INCONCLUSIVE;
    snprintf(finding->why, sizeof finding->why,
             "the baseline beside itself differs by %+.0f to %+.0f %%: more noise than the %.0f %% that are tolerated",
             100 * (control->low - 1), 100 * (control->high - 1), 100 * finding->tolerance);
    return false;
}

/* Cells that made too few rounds for a p99. Blocks without one make no pair: those that are left would be the fast
 * ones. */
static size_t count_lacking(const struct results_row *row, const char *metric)
{
    size_t count = 0;
    for (size_t i = 0; i < row->sample_count; ++i)
        count += !results_cell_has(row->samples[i].cell, metric);
    return count;
}

/* Whether the candidate lacks it as the base does, as far as chance goes. */
static bool lacks_no_more(struct gate_finding *finding, const struct gate_trio *trio, const char *metric)
{
    const size_t lacking = count_lacking(trio->candidate, metric), of = trio->candidate->sample_count,
                 base = count_lacking(trio->base, metric) + count_lacking(trio->control, metric),
                 of_base = trio->base->sample_count + trio->control->sample_count;

    if (results_fisher(lacking, of, base, of_base) > significant)
        return true;
    finding->verdict = GATE_INCONCLUSIVE;
    finding->wants_more = true;
    snprintf(finding->why, sizeof finding->why,
             "the candidate was too slow for it in %zu of %zu cells, and the baseline in %zu of %zu", lacking, of, base,
             of_base);
    return false;
}

static int judge_metric(struct gate_look *look, const struct results_rows *rows, unsigned index, double *chance)
{
    struct gate_finding *finding = &look->findings[index];
    const char *shape = finding->metric->shape, *metric = finding->metric->of_a_cell;
    struct gate_trio trio = {find(rows, "candidate", shape), find(rows, "base", shape), find(rows, "control", shape)};
    double unused;
    int error;

    if (!gate_take(look, finding, &trio, metric))
        return 0;
    error = compare(&finding->slower, chance, trio.candidate, trio.base, metric);
    if (error == 0)
        error = compare(&finding->control, &unused, trio.control, trio.base, metric);
    if (error || !tellable(finding, results_compare(rows, trio.candidate, trio.base, metric).why) ||
        !lacks_no_more(finding, &trio, metric))
        *chance = NAN;
    return error;
}

bool gate_slower_within(const struct gate_finding *finding)
{
    return finding->judged && finding->verdict == GATE_PASS &&
           (isnan(finding->chance) ? finding->slower.interval && finding->slower.low > 1
                                   : finding->chance <= significant);
}

/* Those that could be tested are one question. */
static void adjust(struct gate_look *look, const double *chances)
{
    double tested[GATE_METRICS], adjusted[GATE_METRICS];
    size_t count = 0, next = 0;

    for (size_t i = 0; i < GATE_METRICS; ++i)
        if (!isnan(chances[i]))
            tested[count++] = chances[i];
    results_holm(tested, count, adjusted);
    for (size_t i = 0; i < GATE_METRICS; ++i) {
        struct gate_finding *finding = &look->findings[i];
        if (isnan(chances[i]))
            continue;
        finding->chance = adjusted[next++];
        if (finding->chance <= significant && finding->slower.low > 1 + finding->tolerance)
            finding->verdict = GATE_REGRESSION;
        else if (finding->slower.median > 1 + finding->tolerance)
            gate_find_uncertain(finding);
    }
}

int gate_judge(struct gate_look *out, const struct results_rows *rows, const struct gate_tolerances *tolerances,
               unsigned asked)
{
    double chances[GATE_METRICS] = {NAN, NAN, NAN};

    gate_begin(out, tolerances, asked);
    for (unsigned i = 0; i < GATE_METRICS; ++i) {
        int error = asked >> i & 1 ? judge_metric(out, rows, i, &chances[i]) : 0;
        if (error)
            return error;
    }
    adjust(out, chances);
    gate_end(out);
    return 0;
}

unsigned gate_to_look_again(const struct gate_look *first)
{
    unsigned metrics = 0;

    for (unsigned i = 0; i < GATE_METRICS && !first->lost && !first->broken && !first->alike; ++i)
        if (first->findings[i].wants_more)
            metrics |= 1u << i;
    return metrics & first->asked;
}

unsigned gate_to_confirm(const struct gate_look *first)
{
    unsigned metrics = 0;

    for (unsigned i = 0; i < GATE_METRICS && !first->lost; ++i)
        if (first->findings[i].verdict == GATE_REGRESSION)
            metrics |= 1u << i;
    return first->broken && !first->lost ? first->asked : metrics;
}
