#include "result.h"

#include <errno.h>
#include <stdio.h>
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

static const char *const contents =
    "In this folder:\n"
    "  history.jsonl, journals/   what was done to the participants, and what they wrote down\n"
    "  schedule.txt               what the play did, and when\n"
    "  N-NAME.stderr              what participant N said; p3.1 is the first life of publisher 3\n"
    "  N-NAME.core                the core of one that crashed: gdb -c N-NAME.core PROGRAM\n"
    "  work/N                     what participant N left where it worked, if anything\n"
    "  files/                     the directory in which publishers and subscribers met, as it was at the end\n";

int result_explain(const result *self)
{
    char path[4096];
    FILE *file;
    int error;
    if (self->evidence == NULL)
        return 0;
    if ((size_t)snprintf(path, sizeof path, "%s/verdict.txt", self->evidence) >= sizeof path)
        return -ENAMETOOLONG;
    file = fopen(path, "we");
    if (file == NULL)
        return -errno;
    fprintf(file, "%s  %s  %s  %s\n", verdict_name(self->verdict), self->driver, self->clause->id,
            self->clause->promise);
    if (self->text != NULL && self->text[0] != '\0')
        fprintf(file, "%s%s%s\n", self->violation, self->violation[0] != '\0' ? ": " : "", self->text);
    fprintf(file, "\n%s", self->detail != NULL ? self->detail : "");
    fprintf(file, "\nseed %llu, contract version %d, %.1f s\n", (unsigned long long)self->seed, CONTRACT_VERSION,
            self->seconds);
    if (self->replay != NULL)
        fprintf(file, "replay: %s\n", self->replay);
    fprintf(file, "judge again: ipcmark check %s\n\n%s", self->evidence, contents);
    error = ferror(file) != 0 ? -EIO : 0;
    return fclose(file) != 0 && error == 0 ? -errno : error;
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
