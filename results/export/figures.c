/* Which numbers of a row are figures, and how they are written. */
#include "../report/families.h"
#include "export.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static_assert(EXPORT_FIGURES > MEASURES + 2, "all measures of a family, two percentiles and the end");

/* Of rows that no family of the report describes: the machine's limits and the rows that targets are judged by. */
static const char *const headlines[] = {"p50_ns",    "messages_per_second", "bytes_per_second",
                                        "max_ns",    "one_way_ns",          "publisher_cpu_ns",
                                        "cpu_share", "bytes_per_pair",      "cpu_seconds_per_million"};

static const struct {
    const char *metric;
    double fraction;
} percentiles[] = {{"p50_ns", 0.5}, {"p99_ns", 0.99}, {"p999_ns", 0.999}};

/* Whether it has one at all; its interval takes long to find. */
static bool row_has(const struct results_row *row, const char *metric)
{
    for (size_t i = 0; i < sizeof percentiles / sizeof percentiles[0]; ++i)
        if (strcmp(percentiles[i].metric, metric) == 0 && row->histogram.total > 0)
            return !isnan(results_histogram_percentile(&row->histogram, percentiles[i].fraction));
    for (size_t i = 0; i < row->sample_count; ++i)
        if (!isnan(results_number(row->samples[i].cell->metrics, metric)))
            return true;
    return false;
}

static size_t add(const char *out[EXPORT_FIGURES], size_t count, const struct results_row *row, const char *metric)
{
    if (count + 1 < EXPORT_FIGURES && row_has(row, metric))
        out[count++] = metric;
    return count;
}

void export_figures(const struct results_row *row, const char *out[EXPORT_FIGURES])
{
    const struct family *family = family_find(row->family);
    size_t count = 0;
    for (size_t i = 0; family && i < MEASURES && family->measures[i].metric; ++i)
        count = add(out, count, row, family->measures[i].metric);
    for (size_t i = 0; family == NULL && count == 0 && i < sizeof headlines / sizeof headlines[0]; ++i)
        count = add(out, count, row, headlines[i]);
    if (count > 0 && strcmp(out[0], "p50_ns") == 0)
        for (size_t i = 1; i < sizeof percentiles / sizeof percentiles[0]; ++i)
            count = add(out, count, row, percentiles[i].metric);
    out[count] = NULL;
}

/* The unit is the end of the name, as FORMAT.md has it; "a_per_b" is a/b. */
struct export_unit export_unit(const char *metric)
{
    static const char *const suffixes[] = {"ns", "bytes", "share", "seconds"};
    const char *per = strstr(metric, "_per_"), *end = per ? per : metric + strlen(metric), *begin = end;
    struct export_unit unit = {""};
    while (begin > metric && begin[-1] != '_')
        --begin;
    if (per) {
        const char *what = per + strlen("_per_");
        snprintf(unit.text, sizeof unit.text, "%.*s/%s", (int)(end - begin), begin,
                 strcmp(what, "second") == 0 ? "s" : what);
        return unit;
    }
    for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; ++i)
        if (strcmp(begin, suffixes[i]) == 0)
            snprintf(unit.text, sizeof unit.text, "%s", suffixes[i]);
    return unit;
}

struct export_number export_number(double value)
{
    struct export_number number = {""};
    if (!isfinite(value))
        return number;
    snprintf(number.text, sizeof number.text, "%.15g", value);
    if (strtod(number.text, NULL) != value)
        snprintf(number.text, sizeof number.text, "%.17g", value);
    return number;
}
