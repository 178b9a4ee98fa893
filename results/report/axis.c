/* A logarithmic axis of a picture: its place, its ticks, and what is written beside them. */
#include "drawing.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

double axis_at(const struct axis *axis, double value)
{
    return axis->from + (axis->to - axis->from) * log(value / axis->low) / log(axis->high / axis->low);
}

void axis_widen(struct axis *axis, double value)
{
    if (!(value > 0))
        return;
    axis->low = fmin(axis->low, value);
    axis->high = fmax(axis->high, value);
}

static struct words scaled(double value, double step, const char *const *units, size_t count)
{
    struct words out;
    size_t unit = 0;
    while (unit + 1 < count && fabs(value) >= step * 0.9995) {
        value /= step;
        ++unit;
    }
    snprintf(out.text, sizeof out.text, *units[unit] ? "%.4g %s" : "%.4g%s", value, units[unit]);
    return out;
}

struct words axis_words(const char *kind, double value)
{
    static const char *const times[] = {"ns", "µs", "ms", "s"}, *const sizes[] = {"B", "KiB", "MiB", "GiB"};
    static const char *const bandwidths[] = {"B/s", "kB/s", "MB/s", "GB/s", "TB/s"};
    static const char *const counts[] = {"", "k", "M", "G"}, *const rates[] = {"/s", "k/s", "M/s", "G/s"};
    struct words out;
    if (strcmp(kind, "duration") == 0)
        return scaled(value, 1000, times, 4);
    if (strcmp(kind, "seconds") == 0)
        return scaled(value * 1e9, 1000, times, 4);
    if (strcmp(kind, "size") == 0)
        return scaled(value, 1024, sizes, 4);
    if (strcmp(kind, "bandwidth") == 0)
        return scaled(value, 1000, bandwidths, 5);
    if (strcmp(kind, "rate") == 0)
        return scaled(value, 1000, rates, 4);
    if (strcmp(kind, "percentile") == 0)
        snprintf(out.text, sizeof out.text, "%.7g %%", 100 * (1 - 1 / value));
    else if (strcmp(kind, "share") == 0)
        snprintf(out.text, sizeof out.text, "%.3g %%", 100 * value);
    else if (strcmp(kind, "ratio") == 0)
        snprintf(out.text, sizeof out.text, "%.3g ×", value);
    else
        return scaled(value, 1000, counts, 4);
    return out;
}

static void add_tick(struct axis *axis, double value)
{
    if (axis->tick_count < TICKS && value >= axis->low * 0.999 && value <= axis->high * 1.001)
        axis->ticks[axis->tick_count++] = value;
}

/* Decades; 2 and 5 as well where there are few of them. */
void axis_decades(struct axis *axis)
{
    double decades = log10(axis->high / axis->low);
    for (double power = floor(log10(axis->low)); power <= log10(axis->high); ++power) {
        add_tick(axis, pow(10, power));
        if (decades < 3.2) {
            add_tick(axis, 2 * pow(10, power));
            add_tick(axis, 5 * pow(10, power));
        }
    }
}

/* Quarters between them where there are few. */
void axis_powers(struct axis *axis)
{
    bool few = axis->high / axis->low < 6;
    for (double power = exp2(floor(log2(axis->low))); power <= axis->high; power *= 2)
        for (int quarter = 4; quarter < (few ? 8 : 5); ++quarter)
            add_tick(axis, power * quarter / 4);
}

/* Percentiles have fixed places, sizes and counts those of the data. */
void axis_places(struct axis *axis, const struct chart *chart)
{
    static const double rare[] = {2, 10, 1e2, 1e3, 1e4, 1e5, 1e6};
    if (strcmp(axis->kind, "percentile") == 0) {
        for (size_t i = 0; i < sizeof rare / sizeof rare[0]; ++i)
            add_tick(axis, rare[i]);
        return;
    }
    if (strcmp(axis->kind, "size") != 0 && strcmp(axis->kind, "count") != 0) {
        axis_decades(axis);
        return;
    }
    for (size_t s = 0; s < chart->series_count; ++s)
        for (size_t i = 0; i < chart->series[s].count; ++i) {
            bool known = false;
            for (size_t t = 0; t < axis->tick_count; ++t)
                known = known || axis->ticks[t] == chart->series[s].points[i].x;
            if (!known)
                add_tick(axis, chart->series[s].points[i].x);
        }
}
