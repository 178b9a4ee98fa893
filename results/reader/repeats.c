/* What belongs together, and what would count double. */
#include "results.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool same_member(const cJSON *one, const cJSON *other, const char *name)
{
    const cJSON *a = cJSON_GetObjectItemCaseSensitive(one, name), *b = cJSON_GetObjectItemCaseSensitive(other, name);
    return a == b || (a && b && cJSON_Compare(a, b, true));
}

static bool same_drivers(const struct results_run *one, const struct results_run *other)
{
    const cJSON *a = cJSON_GetObjectItemCaseSensitive(one->header, "drivers");
    const cJSON *b = cJSON_GetObjectItemCaseSensitive(other->header, "drivers");
    const cJSON *driver;
    if (cJSON_GetArraySize(a) != cJSON_GetArraySize(b))
        return false;
    cJSON_ArrayForEach(driver, a)
    {
        const char *name = results_string(driver, "name");
        const cJSON *theirs = name ? results_driver(other, name) : NULL;
        if (theirs == NULL || !same_member(driver, theirs, "digest"))
            return false;
    }
    return true;
}

bool results_same_run(const struct results_run *one, const struct results_run *other)
{
    static const char *const plan[] = {"seed", "manifest", "blocks", "suite", "cell_seconds", "pin"};
    const cJSON *shard = results_object(one->header, "shard"), *their = results_object(other->header, "shard");
    if (one == other)
        return true;
    if (shard == NULL || their == NULL || !same_member(shard, their, "count") || same_member(shard, their, "index"))
        return false;
    for (size_t i = 0; i < sizeof plan / sizeof plan[0]; ++i)
        if (!same_member(one->header, other->header, plan[i]))
            return false;
    return same_drivers(one, other) && same_member(results_object(one->header, "environment"),
                                                   results_object(other->header, "environment"), "commit");
}

struct place {
    const struct results_run *run;
    const struct results_cell *cell;
};

static int compare_places(const void *left, const void *right)
{
    const struct results_cell *a = ((const struct place *)left)->cell, *b = ((const struct place *)right)->cell;
    int order = strcmp(a->row, b->row);
    if (order == 0)
        order = strcmp(a->driver, b->driver);
    return order ? order : (a->block > b->block) - (a->block < b->block);
}

/* The cells of a file and of those before it that are of the same run. */
static size_t gather(struct place *out, const struct results_run *runs, size_t last)
{
    size_t count = 0;
    for (size_t i = 0; i <= last; ++i)
        for (size_t c = 0; c < runs[i].cell_count && results_same_run(&runs[last], &runs[i]); ++c)
            out[count++] = (struct place){&runs[i], &runs[i].cells[c]};
    return count;
}

static int check_cells(const struct results_run *runs, size_t last, char *error, size_t error_size)
{
    struct place *places;
    size_t count = 0;
    int result = 0;
    for (size_t i = 0; i <= last; ++i)
        count += runs[i].cell_count;
    places = calloc(count + 1, sizeof *places);
    if (places == NULL) {
        snprintf(error, error_size, "not enough memory");
        return -ENOMEM;
    }
    count = gather(places, runs, last);
    qsort(places, count, sizeof *places, compare_places);
    for (size_t i = 1; i < count && result == 0; ++i)
        if (compare_places(&places[i - 1], &places[i]) == 0) {
            snprintf(error, error_size,
                     "%s: block %d has two cells of row %s%s%s, which would count double; remove the lines that do not "
                     "belong to this run",
                     places[i].run->file, places[i].cell->block, places[i].cell->row,
                     places[i].run == places[i - 1].run ? "" : ", one of them in ",
                     places[i].run == places[i - 1].run ? "" : places[i - 1].run->file);
            result = -EINVAL;
        }
    free(places);
    return result;
}

int results_runs_check(const struct results_run *runs, size_t run_count, char *error, size_t error_size)
{
    int result = 0;
    for (size_t i = 0; i < run_count && result == 0; ++i) {
        const char *id = results_header(&runs[i], "run");
        for (size_t j = 0; j < i; ++j)
            if (*id && strcmp(id, results_header(&runs[j], "run")) == 0) {
                snprintf(error, error_size, "%s and %s are the same run (%s), which would count double; give it once",
                         runs[j].file, runs[i].file, id);
                return -EINVAL;
            }
        result = check_cells(runs, i, error, error_size);
    }
    return result;
}
