/* What would count double. */
#include "results.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int compare_cells(const void *left, const void *right)
{
    const struct results_cell *a = *(const struct results_cell *const *)left;
    const struct results_cell *b = *(const struct results_cell *const *)right;
    int order = strcmp(a->row, b->row);
    if (order == 0)
        order = strcmp(a->driver, b->driver);
    return order ? order : (a->block > b->block) - (a->block < b->block);
}

static int check_cells(const struct results_run *run, char *error, size_t error_size)
{
    const struct results_cell **sorted = calloc(run->cell_count + 1, sizeof *sorted);
    int result = 0;
    if (sorted == NULL) {
        snprintf(error, error_size, "not enough memory");
        return -ENOMEM;
    }
    for (size_t i = 0; i < run->cell_count; ++i)
        sorted[i] = &run->cells[i];
    qsort(sorted, run->cell_count, sizeof *sorted, compare_cells);
    for (size_t i = 1; i < run->cell_count && result == 0; ++i)
        if (compare_cells(&sorted[i - 1], &sorted[i]) == 0) {
            snprintf(error, error_size,
                     "%s: block %d has two cells of row %s, which would count double; remove the lines that do not "
                     "belong to this run",
                     run->file, sorted[i]->block, sorted[i]->row);
            result = -EINVAL;
        }
    free(sorted);
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
        result = check_cells(&runs[i], error, error_size);
    }
    return result;
}
