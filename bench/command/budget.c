#include "budget.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../limits/purpose.h"
#include "order.h"

const double budget_block_seconds = 0.1;

double budget_estimate(const struct plan *plan, const struct options *options, unsigned blocks)
{
    const unsigned of_shard = (blocks + options->shard.count - 1) / options->shard.count;
    double seconds = budget_block_seconds;

    for (size_t i = 0; i < plan->count; ++i)
        seconds += plan_cell_seconds(&plan->rows[i], options);
    return seconds * of_shard;
}

static bool fits(const struct plan *plan, const struct options *options, unsigned blocks)
{
    return options->budget == 0 || budget_estimate(plan, options, blocks) <= options->budget;
}

static unsigned fewest_blocks(const struct options *options)
{
    const unsigned fewest = options->shard.count > BUDGET_FEWEST_BLOCKS ? options->shard.count : BUDGET_FEWEST_BLOCKS;
    return options->blocks < fewest ? options->blocks : fewest;
}

/* Of several that can be done without as well, the last. Limits alone would say nothing, so the last rows of drivers
 * stay. NULL: nothing can go. */
static const struct row *find_least(const struct plan *plan)
{
    const struct row *first = NULL, *least = NULL;
    bool several = false;

    for (size_t i = 0; i < plan->count; ++i) {
        const struct row *row = &plan->rows[i];
        if (row_is_limit(row))
            continue;
        first = first == NULL ? row : first;
        several = several || !order_is_alike(first, row);
    }
    for (size_t i = 0; i < plan->count; ++i) {
        const struct row *row = &plan->rows[i];
        if (row_is_limit(row) != several && (least == NULL || plan_level(row) >= plan_level(least)))
            least = row;
    }
    return plan->count == 1 ? NULL : least;
}

/* A limit of rows that are no longer there. */
static bool is_idle(const struct plan *plan, const struct row *limit, const struct row *gone)
{
    if (!row_is_limit(limit) || purpose_of(limit->family) == NULL || !purpose_includes(limit, gone))
        return false;
    for (size_t i = 0; i < plan->count; ++i)
        if (purpose_includes(limit, &plan->rows[i]))
            return false;
    return true;
}

static void say_dropped(struct budget *budget, const struct row *row, size_t count)
{
    const char *driver = row->name + strlen(row_family_name(row->family)) + 1;
    size_t used = strlen(budget->dropped);
    const char *comma = used > 0 ? ", " : "";

    if (count == 1)
        snprintf(budget->dropped + used, sizeof budget->dropped - used, "%s%s", comma, row->name);
    else
        snprintf(budget->dropped + used, sizeof budget->dropped - used, "%s%.*s*%s", comma, (int)(driver - row->name),
                 row->name, driver + strlen(row->driver));
    budget->rows += count;
}

/* False: all that is left is one row, of all drivers. */
static bool drop(struct budget *budget, struct plan *plan)
{
    const struct row *found = find_least(plan), least = found == NULL ? (struct row){0} : *found;
    size_t kept = 0, left = 0;

    if (found == NULL)
        return false;
    for (size_t i = 0; i < plan->count; ++i)
        if (!order_is_alike(&plan->rows[i], &least))
            plan->rows[kept++] = plan->rows[i];
    say_dropped(budget, &least, plan->count - kept);
    plan->count = kept;
    for (size_t i = 0; i < plan->count; ++i) {
        if (is_idle(plan, &plan->rows[i], &least))
            say_dropped(budget, &plan->rows[i], 1);
        else
            plan->rows[left++] = plan->rows[i]; /* of a limit nobody asks which others there are */
    }
    plan->count = left;
    return true;
}

int budget_fit(struct budget *out, struct plan *plan, const struct options *options)
{
    const unsigned fewest = fewest_blocks(options);

    *out = (struct budget){.blocks = fewest};
    while (!fits(plan, options, fewest))
        if (!drop(out, plan))
            return -ETIME;
    while (out->blocks < options->blocks && fits(plan, options, out->blocks + 1))
        ++out->blocks;
    return 0;
}
