#include "result.h"

#include <stdlib.h>
#include <string.h>

const char *verdict_name(verdict value)
{
    static const char *const names[VERDICT_COUNT] = {"pass", "fail", "unknown", "skip", "xfail", "xpass", "error"};
    return names[value];
}

bool verdict_is_bad(verdict value)
{
    return value == VERDICT_FAIL || value == VERDICT_UNKNOWN || value == VERDICT_XPASS || value == VERDICT_ERROR;
}

static int severity(verdict value)
{
    static const int order[VERDICT_COUNT] = {
        [VERDICT_SKIP] = 0,  [VERDICT_PASS] = 1, [VERDICT_XFAIL] = 2, [VERDICT_UNKNOWN] = 3,
        [VERDICT_XPASS] = 4, [VERDICT_FAIL] = 5, [VERDICT_ERROR] = 6};
    return order[value];
}

verdict verdict_worse(verdict a, verdict b)
{
    return severity(a) > severity(b) ? a : b;
}

void result_clear(result *self)
{
    free(self->text);
    free(self->detail);
    cJSON_Delete(self->figures);
    free(self->evidence);
    free(self->replay);
    memset(self, 0, sizeof *self);
}

result *result_append(result_list *list, const result *item)
{
    if (list->count == list->capacity) {
        size_t capacity = list->capacity == 0 ? 64 : 2 * list->capacity;
        result *items = realloc(list->items, capacity * sizeof *items);
        if (items == NULL)
            return NULL;
        list->items = items;
        list->capacity = capacity;
    }
    list->items[list->count] = *item;
    return &list->items[list->count++];
}

void result_list_clear(result_list *list)
{
    for (size_t i = 0; i < list->count; ++i)
        result_clear(&list->items[i]);
    free(list->items);
    memset(list, 0, sizeof *list);
}

int result_exit_code(const result_list *list)
{
    size_t counts[VERDICT_COUNT] = {0};
    for (size_t i = 0; i < list->count; ++i)
        counts[list->items[i].verdict] += !list->items[i].excused;
    if (counts[VERDICT_ERROR] > 0)
        return EXIT_ERROR;
    if (counts[VERDICT_FAIL] + counts[VERDICT_XPASS] > 0)
        return EXIT_BROKEN;
    return counts[VERDICT_UNKNOWN] > 0 ? EXIT_UNKNOWN : EXIT_HOLDS;
}

verdict result_worst(const result_list *list, const char *driver, const clause *about, size_t *count, size_t *total)
{
    verdict worst = VERDICT_SKIP;
    *count = *total = 0;
    for (size_t i = 0; i < list->count; ++i) {
        const result *item = &list->items[i];
        if (item->clause != about || strcmp(item->driver, driver) != 0)
            continue;
        ++*total;
        if (severity(item->verdict) > severity(worst)) {
            worst = item->verdict;
            *count = 0;
        }
        *count += item->verdict == worst;
    }
    return worst;
}

size_t result_count(const result_list *list, verdict value)
{
    size_t count = 0;
    for (size_t i = 0; i < list->count; ++i)
        count += list->items[i].verdict == value;
    return count;
}
