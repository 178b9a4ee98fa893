#include "tally.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

int tally_open(struct tally *out, const struct plan *plan, unsigned blocks)
{
    struct tally tally = {.rows = calloc(plan->count, sizeof *tally.rows),
                          .count = plan->count,
                          .blocks = blocks,
                          .planned = plan->count * blocks};

    if (tally.rows == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < plan->count; ++i) {
        tally.rows[i].row = &plan->rows[i];
        tally.rows[i].cells = calloc(blocks, sizeof *tally.rows[i].cells);
        if (tally.rows[i].cells == NULL) {
            tally_close(&tally);
            return -ENOMEM;
        }
    }
    *out = tally;
    return 0;
}

void tally_close(struct tally *tally)
{
    for (size_t i = 0; tally->rows != NULL && i < tally->count; ++i)
        free(tally->rows[i].cells);
    free(tally->rows);
    tally->rows = NULL;
}

const struct tally_row *tally_find(const struct tally *tally, const char *name)
{
    for (size_t i = 0; i < tally->count; ++i)
        if (strcmp(tally->rows[i].row->name, name) == 0)
            return &tally->rows[i];
    return NULL;
}

bool tally_has(const struct tally *tally, size_t row, unsigned block)
{
    return tally->rows[row].cells[block].done;
}

static double number(const cJSON *object, const char *name)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);
    return cJSON_IsNumber(item) ? item->valuedouble : NAN;
}

/* That there is no figure is no error where the driver cannot have one, or the machine does not let it be measured. */
static bool has_none(const struct row *row, const cJSON *record)
{
    const cJSON *unmeasured = cJSON_GetObjectItemCaseSensitive(record, "unmeasured");
    return cJSON_IsString(cJSON_GetObjectItemCaseSensitive(record, "not_applicable")) ||
           cJSON_IsString(cJSON_GetObjectItemCaseSensitive(unmeasured, row_metric(row)));
}

/* What a driver cannot have it has in no block. */
static void check_applicability(struct tally_row *row, const cJSON *record)
{
    bool applies = !cJSON_IsString(cJSON_GetObjectItemCaseSensitive(record, "not_applicable"));

    row->applies = row->applies || applies;
    row->does_not = row->does_not || !applies;
    if (row->applies && row->does_not && row->error[0] == '\0')
        snprintf(row->error, sizeof row->error, "it does not apply in some blocks, and does in others");
}

static void take_error(struct tally_row *row, const cJSON *record)
{
    const char *error = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(record, "error"));

    if (row->error[0] == '\0')
        snprintf(row->error, sizeof row->error, "%s", error == NULL ? "the cell has no figure" : error);
}

const struct tally_cell *tally_add(struct tally *tally, const cJSON *record)
{
    const char *name = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(record, "row"));
    const cJSON *metrics = cJSON_GetObjectItemCaseSensitive(record, "metrics");
    double block = number(record, "block");
    struct tally_row *row = name == NULL ? NULL : (struct tally_row *)(uintptr_t)tally_find(tally, name);
    struct tally_cell *cell;

    if (row == NULL || !(block >= 0 && block < tally->blocks) || row->cells[(unsigned)block].done)
        return NULL;
    cell = &row->cells[(unsigned)block];
    cell->done = true;
    cell->figure = number(metrics, row_metric(row->row));
    cell->has_none = has_none(row->row, record);
    if (!cJSON_IsNull(cJSON_GetObjectItemCaseSensitive(record, "error")) || (isnan(cell->figure) && !cell->has_none))
        cell->figure = NAN, take_error(row, record);
    check_applicability(row, record);
    ++tally->done;
    return cell;
}
