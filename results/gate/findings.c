#include "findings.h"

#include "../analysis/compare.h"
#include "faults.h"

#include <math.h>
#include <stdio.h>

void gate_begin(struct gate_look *look, const struct gate_tolerances *tolerances, unsigned asked)
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

/* Samples are in the order of the blocks. */
static size_t blocks_of(const struct results_row *row)
{
    size_t count = 0;
    for (size_t i = 0; i < row->sample_count; ++i)
        count += i == 0 || row->samples[i].cell->block != row->samples[i - 1].cell->block;
    return count;
}

void gate_find(struct gate_finding *finding, enum gate_verdict verdict, const char *why)
{
    finding->verdict = verdict;
    snprintf(finding->why, sizeof finding->why, "%s", why);
}

void gate_find_noisy(struct gate_finding *finding, const char *why)
{
    gate_find(finding, GATE_INCONCLUSIVE, why);
    finding->wants_more = true;
}

/* A percentile that no cell of the base has is nothing that could have become worse. */
static bool has_any(const struct results_row *row, const char *metric)
{
    for (size_t i = 0; i < row->sample_count; ++i)
        if (results_cell_has(row->samples[i].cell, metric))
            return true;
    return false;
}

/* One error makes a row no figure. Of a long text as much as there is room for. */
static void find_failed(struct gate_finding *finding, const char *whose, const struct results_row *row)
{
    finding->verdict = GATE_INCONCLUSIVE;
    snprintf(finding->why, sizeof finding->why, "a cell of the %s is an error (%.480s), so there is no figure", whose,
             row->error ? row->error : "some cells do not apply");
}

/* Which says nothing of the candidate, and may not happen again. */
static void find_baseline_failed(struct gate_finding *finding, const struct results_row *row)
{
    find_failed(finding, "baseline", row);
    finding->wants_more = true;
}

/* What keeps the three from being compared. True: nothing. */
static bool comparable(struct gate_finding *finding, const struct gate_trio *trio, const char *metric)
{
    if (trio->candidate == NULL || trio->base == NULL || trio->control == NULL)
        gate_find(finding, GATE_INCONCLUSIVE, "it was not measured");
    else if (trio->base->not_applicable)
        snprintf(finding->why, sizeof finding->why, "not judged: %s", trio->base->not_applicable);
    else if (trio->candidate->not_applicable)
        gate_find(finding, GATE_INCONCLUSIVE, "the candidate has no such figure any more");
    else if (!results_row_figure(trio->candidate))
        find_failed(finding, "candidate", trio->candidate);
    else if (!results_row_figure(trio->base))
        find_baseline_failed(finding, trio->base);
    else if (!results_row_figure(trio->control))
        find_baseline_failed(finding, trio->control);
    else if (!has_any(trio->base, metric) && !has_any(trio->control, metric))
        snprintf(finding->why, sizeof finding->why, "not judged: the baseline sends too few messages in %s for it",
                 "the time of a cell (--cell-seconds)");
    else
        return true;
    return false;
}

bool gate_take(struct gate_look *look, struct gate_finding *finding, const struct gate_trio *trio, const char *metric)
{
    gate_look_at_faults(look, trio->candidate, trio->base, trio->control);
    if (trio->candidate && (look->blocks == 0 || blocks_of(trio->candidate) < look->blocks))
        look->blocks = (unsigned)blocks_of(trio->candidate); /* all that are whole: of the row that has the fewest */
    if (!comparable(finding, trio, metric)) {
        finding->judged = finding->verdict != GATE_PASS;
        return false;
    }
    finding->judged = true;
    finding->candidate = results_row_metric(trio->candidate, metric).median;
    finding->base = results_row_metric(trio->base, metric).median;
    return true;
}

void gate_find_uncertain(struct gate_finding *finding)
{
    char p[32] = "";

    if (!isnan(finding->chance))
        snprintf(p, sizeof p, "; p = %.2g", finding->chance);
    finding->verdict = GATE_INCONCLUSIVE;
    finding->wants_more = true;
    snprintf(finding->why, sizeof finding->why,
             "measured %.1f %% slower, beyond the %.0f %% that are tolerated, but not for certain (interval %+.0f to "
             "%+.0f %%%s)",
             100 * (finding->slower.median - 1), 100 * finding->tolerance, 100 * (finding->slower.low - 1),
             100 * (finding->slower.high - 1), p);
}

void gate_end(struct gate_look *look)
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
