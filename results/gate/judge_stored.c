/* A run beside one that was kept from before. */
#include "findings.h"

#include "../analysis/compare.h"

#include <math.h>
#include <string.h>

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
    const char *metric = finding->metric->of_a_cell;
    struct gate_trio trio = {find_of(rows, now, finding->metric->shape), find_of(rows, stored, finding->metric->shape),
                             NULL};
    struct results_ratio ratio;

    trio.control = trio.base;
    if (!gate_take(look, finding, &trio, metric))
        return;
    ratio = results_compare(rows, trio.candidate, trio.base, metric);
    finding->slower = turned(ratio.spread, metric);
    finding->over_limit = ratio.normalised;
    finding->wants_more = !ratio.spread.interval;
    if (ratio.why || !ratio.normalised || !ratio.spread.interval)
        gate_find(finding, GATE_INCONCLUSIVE,
                  ratio.why                ? ratio.why
                  : !ratio.spread.interval ? "too few blocks, in one run or the other, for an interval"
                                           : "the two runs have no limit of the machine in common to be taken over");
    else if (finding->slower.low > 1 + finding->tolerance)
        finding->verdict = GATE_REGRESSION;
    else if (sqrt(finding->slower.high / finding->slower.low) > 1 + finding->tolerance)
        gate_find_noisy(finding,
                        "the runs are too noisy: the interval is wider, to either side, than what is tolerated");
    else if (finding->slower.median > 1 + finding->tolerance)
        gate_find_uncertain(finding);
}

int gate_judge_stored(struct gate_look *out, const struct results_rows *rows, size_t now, size_t stored,
                      const struct gate_tolerances *tolerances, unsigned asked)
{
    gate_begin(out, tolerances, asked);
    for (unsigned i = 0; i < GATE_METRICS; ++i)
        if (asked >> i & 1)
            judge_stored_metric(out, rows, now, stored, &out->findings[i]);
    gate_end(out);
    return 0;
}
