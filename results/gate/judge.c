#include "gate.h"

#include "../analysis/compare.h"
#include "faults.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* With fewer pairs not even all of them slower would be unlikely enough. */
enum { FEWEST_PAIRS = 6, SEED = 1 };
static const double significant = 0.05, within = 0.90;

const struct gate_metric gate_metrics[GATE_METRICS] = {
    [GATE_P50] = {"hot", "hot/64B/1x1", "p50_ns", "one way (both awake) p50, 64 B"},
    [GATE_P99] = {"hot", "hot/64B/1x1", "p99_ns", "one way (both awake) p99, 64 B"},
    [GATE_RATE] = {"throughput", "throughput/64B/1x1", "messages_per_second", "throughput, 64 B"},
};

int gate_exit(enum gate_verdict verdict)
{
    return verdict == GATE_PASS ? 0 : verdict == GATE_REGRESSION ? 1 : 2;
}

const char *gate_verdict_name(enum gate_verdict verdict)
{
    return verdict == GATE_PASS ? "pass" : verdict == GATE_REGRESSION ? "regression" : "inconclusive";
}

/* The rows of one metric. */
struct trio {
    const struct results_row *candidate, *base, *control;
};

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

/* The logarithms of the pairs' ratios, owned by the caller. That of a block in which one of the two was too slow for
 * the percentile is infinite: it is as likely to either side as any other if both are the same, and to leave it out
 * would leave the slow ones out. */
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

/* Samples are in the order of the blocks. */
static size_t blocks_of(const struct results_row *row)
{
    size_t count = 0;
    for (size_t i = 0; i < row->sample_count; ++i)
        count += i == 0 || row->samples[i].cell->block != row->samples[i - 1].cell->block;
    return count;
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

static void say(struct gate_finding *finding, enum gate_verdict verdict, const char *why)
{
    finding->verdict = verdict;
    snprintf(finding->why, sizeof finding->why, "%s", why);
}

/* A percentile that no cell of the base has is nothing that could have become worse. */
static bool has_any(const struct results_row *row, const char *metric)
{
    char name[64];
    double value = NAN;
    for (size_t i = 0; i < row->sample_count && isnan(value); ++i) {
        const struct results_cell *cell = row->samples[i].cell;
        snprintf(name, sizeof name, "cluster_%s", metric);
        value = results_number(cell->metrics, metric);
        value = isnan(value) ? results_number(cell->metrics, name) : value;
    }
    return !isnan(value);
}

/* What keeps the three from being compared. True: nothing. */
static bool comparable(struct gate_finding *finding, const struct trio *trio)
{
    const char *metric = finding->metric->metric;

    if (trio->candidate == NULL || trio->base == NULL || trio->control == NULL)
        say(finding, GATE_INCONCLUSIVE, "it was not measured");
    else if (trio->base->not_applicable)
        snprintf(finding->why, sizeof finding->why, "not judged: %s", trio->base->not_applicable);
    else if (trio->candidate->not_applicable)
        say(finding, GATE_INCONCLUSIVE, "the candidate has no such figure any more");
    else if (!results_row_figure(trio->candidate))
        say(finding, GATE_INCONCLUSIVE, "a cell of the candidate is an error, so there is no figure");
    else if (!results_row_figure(trio->base) || !results_row_figure(trio->control))
        say(finding, GATE_INCONCLUSIVE, "a cell of the baseline is an error, so there is nothing to compare with");
    else if (!has_any(trio->base, metric) && !has_any(trio->control, metric))
        snprintf(finding->why, sizeof finding->why, "not judged: the baseline sends too few messages in %s for it",
                 "the time of a cell (--cell-seconds)");
    else
        return true;
    return false;
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

    if (finding->slower.count < FEWEST_PAIRS || control->count < FEWEST_PAIRS) {
        finding->verdict = GATE_INCONCLUSIVE;
        if (finding->slower.count == 0 && why != NULL)
            say(finding, GATE_INCONCLUSIVE, why);
        else
            snprintf(
                finding->why, sizeof finding->why,
                "only %zu blocks have both in one placement of the CPUs, with all that is needed; %d are the least",
                finding->slower.count < control->count ? finding->slower.count : control->count, FEWEST_PAIRS);
        return false;
    }
    if (!is_noisy(finding))
        return true;
    finding->verdict = GATE_INCONCLUSIVE;
    snprintf(finding->why, sizeof finding->why,
             "the baseline beside itself differs by %+.0f to %+.0f %%: more noise than the %.0f %% that are tolerated",
             100 * (control->low - 1), 100 * (control->high - 1), 100 * finding->tolerance);
    return false;
}

static int judge_metric(struct gate_look *look, const struct results_rows *rows, unsigned index, double *chance)
{
    struct gate_finding *finding = &look->findings[index];
    const char *shape = finding->metric->shape, *metric = finding->metric->metric;
    struct trio trio = {find(rows, "candidate", shape), find(rows, "base", shape), find(rows, "control", shape)};
    double unused;
    int error;

    gate_look_at_faults(look, trio.candidate, trio.base, trio.control);
    if (trio.candidate && blocks_of(trio.candidate) > look->blocks)
        look->blocks = (unsigned)blocks_of(trio.candidate);
    if (!comparable(finding, &trio)) {
        finding->judged = finding->verdict != GATE_PASS;
        return 0;
    }
    finding->judged = true;
    finding->candidate = results_row_metric(trio.candidate, metric).median;
    finding->base = results_row_metric(trio.base, metric).median;
    error = compare(&finding->slower, chance, trio.candidate, trio.base, metric);
    if (error == 0)
        error = compare(&finding->control, &unused, trio.control, trio.base, metric);
    if (error || !tellable(finding, results_compare(rows, trio.candidate, trio.base, metric).why))
        *chance = NAN;
    return error;
}

/* What was measured as slower by more than is tolerated is no pass for want of certainty. */
static void uncertain(struct gate_finding *finding)
{
    char p[32] = "";

    if (!isnan(finding->chance))
        snprintf(p, sizeof p, "; p = %.2g", finding->chance);
    finding->verdict = GATE_INCONCLUSIVE;
    if (isinf(finding->slower.median))
        snprintf(finding->why, sizeof finding->why, "too slow, in too many blocks, for such a percentile at all%s", p);
    else
        snprintf(
            finding->why, sizeof finding->why,
            "measured %.1f %% slower, beyond the %.0f %% that are tolerated, but not for certain (interval %+.0f to "
            "%+.0f %%%s)",
            100 * (finding->slower.median - 1), 100 * finding->tolerance, 100 * (finding->slower.low - 1),
            100 * (finding->slower.high - 1), p);
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
            uncertain(finding);
    }
}

static void conclude(struct gate_look *look)
{
    bool any = false;

    for (size_t i = 0; i < GATE_METRICS; ++i) {
        any = any || look->findings[i].judged;
        if (look->findings[i].verdict > look->verdict)
            look->verdict = look->findings[i].verdict;
    }
    if (look->lost)
        look->verdict = GATE_REGRESSION;
    else if (!any && look->verdict == GATE_PASS)
        look->verdict = GATE_INCONCLUSIVE; /* nothing was judged, and that is no pass */
}

static void begin(struct gate_look *look, const struct gate_tolerances *tolerances, unsigned asked)
{
    *look = (struct gate_look){.asked = asked};
    for (size_t i = 0; i < GATE_METRICS; ++i)
        look->findings[i] = (struct gate_finding){.metric = &gate_metrics[i],
                                                  .tolerance = tolerances->share[i],
                                                  .candidate = NAN,
                                                  .base = NAN,
                                                  .slower = results_spread(NULL, 0),
                                                  .control = results_spread(NULL, 0),
                                                  .chance = NAN};
}

int gate_judge(struct gate_look *out, const struct results_rows *rows, const struct gate_tolerances *tolerances,
               unsigned asked)
{
    double chances[GATE_METRICS] = {NAN, NAN, NAN};

    begin(out, tolerances, asked);
    for (unsigned i = 0; i < GATE_METRICS; ++i) {
        int error = asked >> i & 1 ? judge_metric(out, rows, i, &chances[i]) : 0;
        if (error)
            return error;
    }
    adjust(out, chances);
    conclude(out);
    return 0;
}

unsigned gate_to_confirm(const struct gate_look *first)
{
    unsigned metrics = 0;

    for (unsigned i = 0; i < GATE_METRICS && !first->lost; ++i)
        if (first->findings[i].verdict == GATE_REGRESSION)
            metrics |= 1u << i;
    return first->broken && !first->lost ? first->asked : metrics;
}

/* ---- beside a stored run ------------------------------------------------------------------------------------- */

/* The row of that shape of the only driver of a run. */
static const struct results_row *find_of(const struct results_rows *rows, size_t run, const char *shape)
{
    for (size_t i = 0; i < rows->count; ++i)
        if (rows->rows[i].run == run && strcmp(rows->rows[i].shape, shape) == 0 &&
            strcmp(rows->rows[i].driver, "limit") != 0)
            return &rows->rows[i];
    return NULL;
}

static struct results_spread turned(struct results_spread spread, const char *metric)
{
    return results_more_is_better(metric) ? results_inverse(spread) : spread;
}

static void judge_stored_metric(struct gate_look *look, const struct results_rows *rows, size_t now, size_t stored,
                                struct gate_finding *finding)
{
    const char *metric = finding->metric->metric;
    struct trio trio = {find_of(rows, now, finding->metric->shape), find_of(rows, stored, finding->metric->shape),
                        NULL};
    struct results_ratio ratio;

    trio.control = trio.base;
    gate_look_at_faults(look, trio.candidate, trio.base, trio.control);
    if (trio.candidate && blocks_of(trio.candidate) > look->blocks)
        look->blocks = (unsigned)blocks_of(trio.candidate);
    if (!comparable(finding, &trio)) {
        finding->judged = finding->verdict != GATE_PASS;
        return;
    }
    finding->judged = true;
    finding->candidate = results_row_metric(trio.candidate, metric).median;
    finding->base = results_row_metric(trio.base, metric).median;
    ratio = results_compare(rows, trio.candidate, trio.base, metric);
    finding->slower = turned(ratio.spread, metric);
    finding->over_limit = ratio.normalised;
    if (ratio.why || !ratio.normalised || !ratio.spread.interval)
        say(finding, GATE_INCONCLUSIVE,
            ratio.why                ? ratio.why
            : !ratio.spread.interval ? "too few blocks, in one run or the other, for an interval"
                                     : "the two runs have no limit of the machine in common to be taken over");
    else if (finding->slower.low > 1 + finding->tolerance)
        finding->verdict = GATE_REGRESSION;
    else if (sqrt(finding->slower.high / finding->slower.low) > 1 + finding->tolerance)
        say(finding, GATE_INCONCLUSIVE,
            "the runs are too noisy: the interval is wider, to either side, than what is tolerated");
    else if (finding->slower.median > 1 + finding->tolerance)
        uncertain(finding);
}

int gate_judge_stored(struct gate_look *out, const struct results_rows *rows, size_t now, size_t stored,
                      const struct gate_tolerances *tolerances, unsigned asked)
{
    begin(out, tolerances, asked);
    for (unsigned i = 0; i < GATE_METRICS; ++i)
        if (asked >> i & 1)
            judge_stored_metric(out, rows, now, stored, &out->findings[i]);
    conclude(out);
    return 0;
}
