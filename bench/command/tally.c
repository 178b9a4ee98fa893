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
    for (size_t i = 0; tally->rows != NULL && i < tally->count; ++i) {
        for (unsigned block = 0; tally->rows[i].cells != NULL && block < tally->blocks; ++block)
            cJSON_Delete(tally->rows[i].cells[block].metrics);
        free(tally->rows[i].cells);
        ipcmark_histogram_free(tally->rows[i].histogram);
    }
    free(tally->rows);
    tally->rows = NULL;
}

bool tally_lower_is_better(const struct row *row)
{
    return strstr(row_metric(row), "_per_second") == NULL;
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

static const char *placement(const cJSON *record)
{
    const char *name = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(record, "placement"));

    for (size_t i = 0; name != NULL && i < LINE_CLASSES; ++i)
        if (strcmp(line_classes[i], name) == 0)
            return line_classes[i];
    return name == NULL ? NULL : "mixed";
}

static void take_classes(struct tally_cell *cell, const struct row *row, const cJSON *metrics)
{
    for (size_t i = 0; i < LINE_CLASSES; ++i) {
        char name[64];
        snprintf(name, sizeof name, "%s_%s", line_classes[i], row_metric(row));
        cell->by_class[i] = number(metrics, name);
    }
}

static void merge_histogram(struct tally_row *row, const cJSON *json)
{
    if (!cJSON_IsObject(json))
        return;
    if (row->histogram == NULL && ipcmark_histogram_new(&row->histogram) < 0)
        return;
    (void)ipcmark_histogram_add_json(row->histogram, json); /* a bad one adds nothing */
}

/* Whether the row has nothing to do with the driver, which is no error of either. */
static bool take_not_applicable(struct tally_row *row, const cJSON *record)
{
    const char *why = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(record, "not_applicable"));

    if (why != NULL)
        snprintf(row->not_applicable, sizeof row->not_applicable, "%s", why);
    return why != NULL;
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
    cell->placement = placement(record);
    cell->line_ns = (number(record, "line_before_ns") + number(record, "line_after_ns")) / 2;
    cell->figure = number(metrics, row_metric(row->row));
    cell->bytes_per_second = number(metrics, "bytes_per_second");
    take_classes(cell, row->row, metrics);
    cell->not_applicable = take_not_applicable(row, record);
    if (cell->not_applicable)
        cell->figure = NAN;
    else if (!cJSON_IsNull(cJSON_GetObjectItemCaseSensitive(record, "error")) || isnan(cell->figure))
        cell->figure = NAN, take_error(row, record);
    else if (row_is_target(row->row))
        cell->metrics = cJSON_Duplicate(metrics, true);
    if (!isnan(cell->figure))
        merge_histogram(row, cJSON_GetObjectItemCaseSensitive(record, "histogram"));
    ++tally->done;
    return cell;
}

size_t tally_samples(const struct tally *tally, const struct tally_row *row, struct sample *samples)
{
    size_t count = 0;

    for (unsigned block = 0; block < tally->blocks; ++block)
        if (row->cells[block].done && !isnan(row->cells[block].figure))
            samples[count++] = (struct sample){block, row->cells[block].placement, row->cells[block].figure};
    return count;
}

/* A cell's figures of each class that it saw; of one that was not measured in rounds, its figure. */
static size_t add_classes(const struct tally_cell *cell, unsigned block, const char *metric, struct sample *samples)
{
    size_t count = 0;

    for (size_t i = 0; i < LINE_CLASSES; ++i) {
        char name[64];
        snprintf(name, sizeof name, "%s_%s", line_classes[i], metric);
        if (!isnan(number(cell->metrics, name)))
            samples[count++] = (struct sample){block, line_classes[i], number(cell->metrics, name)};
    }
    if (count == 0 && !isnan(number(cell->metrics, metric)))
        samples[count++] = (struct sample){block, cell->placement, number(cell->metrics, metric)};
    return count;
}

size_t tally_metric_samples(const struct tally *tally, const struct tally_row *row, const char *metric, bool by_block,
                            struct sample *samples)
{
    size_t count = 0;

    for (unsigned block = 0; block < tally->blocks; ++block) {
        const struct tally_cell *cell = &row->cells[block];
        if (cell->metrics == NULL)
            continue;
        if (!by_block)
            count += add_classes(cell, block, metric, samples + count);
        else if (!isnan(number(cell->metrics, metric)))
            samples[count++] = (struct sample){block, "any", number(cell->metrics, metric)};
    }
    return count;
}

static bool has_every_p99(const struct tally_cell *cell)
{
    bool any = false;

    for (size_t i = 0; i < LINE_CLASSES; ++i) {
        char p50[64], p99[64];
        snprintf(p50, sizeof p50, "%s_p50_ns", line_classes[i]);
        snprintf(p99, sizeof p99, "%s_p99_ns", line_classes[i]);
        if (isnan(number(cell->metrics, p50)))
            continue;
        any = true;
        if (isnan(number(cell->metrics, p99)))
            return false;
    }
    return any || !isnan(number(cell->metrics, "p99_ns"));
}

bool tally_has_every_p99(const struct tally *tally, const struct tally_row *row)
{
    for (unsigned block = 0; block < tally->blocks; ++block)
        if (row->cells[block].metrics != NULL && !has_every_p99(&row->cells[block]))
            return false;
    return true;
}

size_t tally_class_samples(const struct tally *tally, const struct tally_row *row, struct sample *samples)
{
    size_t count = 0;

    for (unsigned block = 0; block < tally->blocks; ++block) {
        const struct tally_cell *cell = &row->cells[block];
        size_t before = count;
        if (!cell->done || isnan(cell->figure))
            continue;
        if (!row_is_pinned(row->row)) {
            samples[count++] = (struct sample){block, "any", cell->figure};
            continue;
        }
        for (size_t i = 0; i < LINE_CLASSES; ++i)
            if (!isnan(cell->by_class[i]))
                samples[count++] = (struct sample){block, line_classes[i], cell->by_class[i]};
        if (count == before)
            samples[count++] = (struct sample){block, cell->placement, cell->figure};
    }
    return count;
}

size_t tally_lines(const struct tally *tally, const struct tally_row *row, struct sample *samples)
{
    size_t count = 0;

    for (unsigned block = 0; block < tally->blocks; ++block)
        if (row->cells[block].done && !isnan(row->cells[block].line_ns))
            samples[count++] = (struct sample){block, row->cells[block].placement, row->cells[block].line_ns};
    return count;
}
