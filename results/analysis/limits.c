/* What was measured of the machine itself beside a row. */
#include "compare.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool names_family(const cJSON *families, const char *family)
{
    const cJSON *item;
    cJSON_ArrayForEach(item, families)
    {
        if (cJSON_IsString(item) && strcmp(item->valuestring, family) == 0)
            return true;
    }
    return false;
}

/* Of any size or rate, or of the row's own. */
static bool suits(double of_limit, double of_row)
{
    return isnan(of_limit) || of_limit == of_row;
}

static bool is_kind(const struct results_row *limit, const char *kind)
{
    return limit->first->limit_kind && strcmp(limit->first->limit_kind, kind) == 0;
}

static bool stands_beside(const struct results_row *limit, const struct results_row *row, bool share)
{
    return limit->run == row->run && results_row_figure(limit) &&
           (share ? is_kind(limit, "share") : is_kind(limit, "bound") || is_kind(limit, "reference")) &&
           names_family(limit->first->limit_of, row->family) && suits(limit->first->size, row->first->size) &&
           suits(limit->first->rate, row->first->rate);
}

/* What both have: the metric itself, or, where a limit only counts bytes, those. */
static const char *common_metric(const struct results_row *limit, const struct results_row *row, const char *metric)
{
    static const char bytes[] = "bytes_per_second";
    if (results_row_metric(limit, metric).count > 0)
        return metric;
    return results_more_is_better(metric) && results_row_metric(limit, bytes).count > 0 &&
                   results_row_metric(row, bytes).count > 0
               ? bytes
               : NULL;
}

/* "limit/bare-ring/64B" is "bare ring". */
static void name_limit(struct results_limit *limit)
{
    const char *begin = strchr(limit->row->name, '/');
    begin = begin ? begin + 1 : limit->row->name;
    snprintf(limit->name, sizeof limit->name, "%.*s", (int)strcspn(begin, "/"), begin);
    for (char *at = limit->name; (at = strchr(at, '-')) != NULL;)
        *at = ' ';
}

/* A time is the longer, a rate the lower, the further it is from its bound; a share is the other way round. */
static void turn(struct results_limit *limit, bool share)
{
    if (results_more_is_better(limit->metric) != share)
        limit->distance.spread = results_inverse(limit->distance.spread);
}

static int compare_limits(const void *left, const void *right)
{
    double a = ((const struct results_limit *)left)->distance.spread.median;
    double b = ((const struct results_limit *)right)->distance.spread.median;
    return (a > b) - (a < b);
}

/* The range of a few pairs is below 1 by luck as well: of three, once in eight. */
static bool beaten(const struct results_spread *distance)
{
    return distance->interval && distance->high < 1;
}

/* The line is measured around each cell of `hot`, which needs no row of its own for that. */
static size_t add_line(const struct results_row *row, const char *metric, struct results_limit *out)
{
    *out = (struct results_limit){.name = "cache line", .metric = metric, .bound = true};
    out->distance = (struct results_ratio){.spread = results_row_line_ratio(row, metric), .paired = true};
    out->beaten = beaten(&out->distance.spread);
    return out->distance.spread.count > 0 ? 1 : 0;
}

/* False: it is no limit of this row, or the two have no block in common. */
static bool measure(struct results_limit *limit, const struct results_rows *rows, const struct results_row *row,
                    const char *metric, bool share)
{
    limit->metric = common_metric(limit->row, row, metric);
    if (limit->metric == NULL)
        return false;
    limit->distance = results_compare(rows, row, limit->row, limit->metric);
    name_limit(limit);
    turn(limit, share);
    limit->bound = is_kind(limit->row, "bound");
    limit->beaten = !share && beaten(&limit->distance.spread);
    return limit->distance.spread.count > 0;
}

size_t results_limits(const struct results_rows *rows, const struct results_row *row, const char *metric, bool share,
                      struct results_limit out[RESULTS_LIMITS])
{
    bool beside_line = !share && strcmp(row->family, "hot") == 0;
    size_t count = 0;
    if (row->first->publishers > 1 || row->first->subscribers > 1 || !results_row_figure(row))
        return 0;
    if (beside_line)
        count = add_line(row, metric, out);
    for (size_t i = 0; i < rows->count && count < RESULTS_LIMITS; ++i) {
        out[count] = (struct results_limit){.row = &rows->rows[i]};
        if (stands_beside(out[count].row, row, share) &&
            !(beside_line && strcmp(out[count].row->name, "limit/line") == 0) &&
            measure(&out[count], rows, row, metric, share))
            ++count;
    }
    qsort(out, count, sizeof *out, compare_limits);
    return count;
}
