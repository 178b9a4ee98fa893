#include "purpose.h"

#include <assert.h>
#include <stdint.h>

#define IS(family) (UINT64_C(1) << ROW_##family)

static_assert(ROW_FAMILIES <= 64, "a set of families fits into a word");

static const struct {
    struct purpose purpose;
    uint64_t families;
} purposes[ROW_FAMILIES] = {
    [ROW_LIMIT_LINE] = {{ROW_LIMIT_LINE, NULL, PURPOSE_BOUND}, IS(HOT)},
    [ROW_LIMIT_MEMCPY] = {{ROW_LIMIT_MEMCPY, NULL, PURPOSE_REFERENCE}, IS(THROUGHPUT) | IS(SIZE)},
    [ROW_LIMIT_RING] = {{ROW_THROUGHPUT, "bare-ring.so?gather=1", PURPOSE_REFERENCE}, IS(THROUGHPUT) | IS(SIZE)},
    [ROW_LIMIT_RING_HOT] = {{ROW_HOT, "bare-ring.so", PURPOSE_REFERENCE}, IS(HOT)},
    [ROW_LIMIT_FUTEX] = {{ROW_WAKEUP, "bare-ring.so?sleep=1", PURPOSE_REFERENCE}, IS(WAKEUP)},
    [ROW_LIMIT_PIPE] = {{ROW_WAKEUP, "bytes.so?by=fifo", PURPOSE_REFERENCE}, IS(WAKEUP)},
    [ROW_LIMIT_UNIX] = {{ROW_WAKEUP, "bytes.so?by=unix", PURPOSE_REFERENCE}, IS(WAKEUP)},
    [ROW_LIMIT_HARNESS] = {{ROW_THROUGHPUT, "empty.so", PURPOSE_SHARE}, IS(THROUGHPUT) | IS(SIZE)},
    [ROW_LIMIT_HARNESS_HOT] = {{ROW_HOT, "empty.so", PURPOSE_SHARE}, IS(HOT)},
    [ROW_LIMIT_HARNESS_LATENCY] = {{ROW_LATENCY, "empty.so", PURPOSE_SHARE}, IS(LATENCY)},
    [ROW_LIMIT_HARNESS_COST] = {{ROW_COST, "empty.so", PURPOSE_SHARE}, IS(COST)},
};

const struct purpose *purpose_of(enum row_family limit)
{
    return purposes[limit].families == 0 ? NULL : &purposes[limit].purpose;
}

bool purpose_includes_family(enum row_family limit, enum row_family family)
{
    return (purposes[limit].families >> family & 1) != 0;
}

bool purpose_includes(const struct row *limit, const struct row *row)
{
    return purpose_includes_family(limit->family, row->family) && row->publishers == 1 && row->subscribers == 1 &&
           (limit->size == 0 || limit->size == row->size) && (limit->rate == 0 || limit->rate == row->rate);
}

cJSON *purpose_families(const struct row *limit)
{
    cJSON *families = purpose_of(limit->family) == NULL ? NULL : cJSON_CreateArray();

    for (enum row_family family = 0; families != NULL && family < ROW_FAMILIES; ++family)
        if (purpose_includes_family(limit->family, family))
            cJSON_AddItemToArray(families, cJSON_CreateString(row_family_name(family)));
    return families;
}

const char *purpose_kind(const struct row *limit)
{
    static const char *const kinds[] = {"bound", "reference", "share"};
    const struct purpose *purpose = purpose_of(limit->family);
    return purpose == NULL ? NULL : kinds[purpose->kind];
}
