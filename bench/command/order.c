#include "order.h"

#include <errno.h>
#include <stdlib.h>

#include "statistics.h"

bool order_is_alike(const struct row *a, const struct row *b)
{
    return a->family == b->family && a->size == b->size && a->publishers == b->publishers &&
           a->subscribers == b->subscribers && a->rate == b->rate;
}

/* The number of each row's group, counted in the order of the plan. Returns how many there are. */
static size_t number_groups(const struct plan *plan, unsigned *groups)
{
    size_t count = 0;

    for (size_t i = 0; i < plan->count; ++i) {
        size_t first = 0;
        while (!order_is_alike(&plan->rows[first], &plan->rows[i]))
            ++first;
        groups[i] = first == i ? (unsigned)count++ : groups[first];
    }
    return count;
}

int order_make(const struct plan *plan, uint64_t seed, unsigned block, unsigned *order)
{
    unsigned *groups = calloc(3 * plan->count + 1, sizeof *groups);
    unsigned *of_groups = groups + plan->count, *within = of_groups + plan->count;
    size_t group_count, count = 0;

    if (groups == NULL)
        return -ENOMEM;
    group_count = number_groups(plan, groups);
    statistics_shuffle(of_groups, group_count, seed, block);
    statistics_shuffle(within, plan->count, ~seed, block);
    for (size_t i = 0; i < group_count; ++i)
        for (size_t j = 0; j < plan->count; ++j)
            if (groups[within[j]] == of_groups[i])
                order[count++] = within[j];
    free(groups);
    return 0;
}
