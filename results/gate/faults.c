#include "faults.h"

#include <stdio.h>
#include <string.h>

static const double significant = 0.05;

/* The errors of some cells. */
struct errors {
    size_t cells, failed, lost;
    const struct results_cell *first, *first_lost;
};

static bool is_lost(const struct results_cell *cell)
{
    return cell->fault != NULL && strcmp(cell->fault, "messages") == 0;
}

static void count(struct errors *errors, const struct results_row *row)
{
    for (size_t i = 0; row && i < row->sample_count; ++i) {
        const struct results_cell *cell = row->samples[i].cell;
        ++errors->cells;
        if (cell->error == NULL)
            continue;
        errors->first = errors->failed++ ? errors->first : cell;
        if (is_lost(cell))
            errors->first_lost = errors->lost++ ? errors->first_lost : cell;
    }
}

/* Whether more of the candidate's cells failed than chance would have it. */
static bool outnumber(const struct errors *candidate, const struct errors *base)
{
    return results_fisher(candidate->failed, candidate->cells, base->failed, base->cells) <= significant;
}

static void say_candidate(struct gate_look *look, const struct results_cell *cell, const struct errors *candidate,
                          const struct errors *base)
{
    snprintf(look->words, sizeof look->words, "%s in block %d: %.480s (%zu of %zu cells; of the baseline's %zu of %zu)",
             cell->row, cell->block, cell->error, candidate->failed, candidate->cells, base->failed, base->cells);
}

/* What the base does as well says nothing of the candidate, unless it does so far more. */
void gate_look_at_faults(struct gate_look *look, const struct results_row *candidate, const struct results_row *base,
                         const struct results_row *control)
{
    struct errors own = {.first = NULL}, others = {.first = NULL};

    count(&own, candidate);
    count(&others, base);
    if (control != base)
        count(&others, control);
    if (own.failed == 0 || look->lost)
        return;
    if (own.lost > 0 && others.lost == 0) {
        look->lost = true;
        say_candidate(look, own.first_lost, &own, &others);
    } else if (look->broken) {
        return;
    } else if (others.failed == 0 ? base != NULL : outnumber(&own, &others)) {
        look->broken = true;
        say_candidate(look, own.first, &own, &others);
    } else if (others.failed > 0 && !look->alike) {
        look->alike = true;
        snprintf(look->words, sizeof look->words, "%s in block %d: %.300s; of the baseline, %s in block %d: %.300s",
                 own.first->row, own.first->block, own.first->error, others.first->row, others.first->block,
                 others.first->error);
    }
}
