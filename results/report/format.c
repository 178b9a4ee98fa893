#include "format.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* Before a unit: narrow, and no line break. */
#define GAP "\u202f"

static const struct formatted none = {"\u2013"};

/* Three significant digits: 3.12, 31.2, 312. */
static int digits_after_point(double value)
{
    double size = fabs(value);
    return size >= 99.95 ? 0 : size >= 9.995 ? 1 : 2;
}

static struct formatted scaled(double value, double step, const char *const *units, size_t count)
{
    struct formatted out;
    size_t unit = 0;
    if (!isfinite(value))
        return none;
    /* 999.5 would print as 1000. */
    while (unit + 1 < count && fabs(value) >= 0.9995 * step) {
        value /= step;
        ++unit;
    }
    snprintf(out.text, sizeof out.text, "%.*f" GAP "%s", digits_after_point(value), value, units[unit]);
    return out;
}

struct formatted format_duration(double nanoseconds)
{
    static const char *const units[] = {"ns", "µs", "ms", "s"};
    struct formatted out;
    if (nanoseconds == floor(nanoseconds) && nanoseconds < 999.5) {
        snprintf(out.text, sizeof out.text, "%.0f" GAP "ns", nanoseconds);
        return out;
    }
    return scaled(nanoseconds, 1000, units, 4);
}

static struct formatted grouped(double number)
{
    struct formatted out;
    snprintf(out.text, sizeof out.text, number < 1000 ? "%.0f" : "%.0f,%03.0f",
             number < 1000 ? number : floor(number / 1000), fmod(number, 1000));
    return out;
}

static const char *const thousands[] = {"", "k", "M", "G", "T"};

struct formatted format_count(double number)
{
    if (isfinite(number) && number == floor(number) && number >= 0 && number < 100000)
        return grouped(number);
    if (isfinite(number) && fabs(number) < 999.5) {
        struct formatted out;
        snprintf(out.text, sizeof out.text, "%.*f", digits_after_point(number), number);
        return out;
    }
    return scaled(number, 1000, thousands, 5);
}

struct formatted format_size(double bytes)
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB"};
    struct formatted out;
    size_t unit = 0;
    if (!isfinite(bytes))
        return none;
    while (unit < 3 && bytes >= 1024 && fmod(bytes, 1024) == 0) {
        bytes /= 1024;
        ++unit;
    }
    snprintf(out.text, sizeof out.text, "%.0f" GAP "%s", bytes, units[unit]);
    return out;
}

struct formatted format_bandwidth(double bytes_per_second)
{
    static const char *const units[] = {"B/s", "kB/s", "MB/s", "GB/s", "TB/s"};
    return scaled(bytes_per_second, 1000, units, 5);
}

struct formatted format_factor(double ratio)
{
    struct formatted out;
    if (!isfinite(ratio))
        return none;
    if (ratio >= 999.5)
        return format_count(round(ratio));
    snprintf(out.text, sizeof out.text, "%.*f", digits_after_point(ratio), ratio);
    return out;
}

struct formatted format_ratio(double ratio)
{
    struct formatted out = none;
    if (isfinite(ratio))
        snprintf(out.text, sizeof out.text, "%.40s" GAP "×", format_factor(ratio).text);
    return out;
}

struct formatted format_percentile(double fraction)
{
    struct formatted out;
    snprintf(out.text, sizeof out.text, "%.6g" GAP "%%", fraction * 100);
    return out;
}

static bool ends_with(const char *text, const char *end)
{
    size_t length = strlen(text), tail = strlen(end);
    return length >= tail && strcmp(text + length - tail, end) == 0;
}

/* "bytes_per_pair", "resident_bytes". */
static bool is_size(const char *metric)
{
    return strncmp(metric, "bytes_", 6) == 0 || ends_with(metric, "_bytes") || strstr(metric, "_bytes_per_pair");
}

/* "idle_seconds", "cpu_seconds_per_million". */
static bool is_seconds(const char *metric)
{
    return ends_with(metric, "seconds") || ends_with(metric, "_seconds_per_million");
}

static struct formatted share(double fraction)
{
    struct formatted out;
    if (!isfinite(fraction))
        return none;
    snprintf(out.text, sizeof out.text, "%.3g" GAP "%%", fraction * 100);
    return out;
}

struct formatted format_metric(const char *metric, double value)
{
    static const char *const sizes[] = {"B", "KiB", "MiB", "GiB"};
    struct formatted out;
    if (!isfinite(value))
        return none;
    if (ends_with(metric, "_ns"))
        return format_duration(value);
    if (is_seconds(metric))
        return format_duration(value * 1e9);
    if (ends_with(metric, "bytes_per_second"))
        return format_bandwidth(value);
    if (ends_with(metric, "_share"))
        return share(value);
    if (is_size(metric))
        return scaled(value, 1024, sizes, 4);
    if (!strstr(metric, "rate") && !ends_with(metric, "_per_second"))
        return format_count(value);
    /* 9,875/s and 10.2 k/s do not go well below each other. */
    out = fabs(value) < 999.5 ? format_count(value) : scaled(value, 1000, thousands, 5);
    snprintf(out.text + strlen(out.text), sizeof out.text - strlen(out.text), "/s");
    return out;
}

const char *format_kind(const char *metric)
{
    if (ends_with(metric, "_ns"))
        return "duration";
    if (is_seconds(metric))
        return "seconds";
    if (ends_with(metric, "bytes_per_second"))
        return "bandwidth";
    if (ends_with(metric, "_per_second"))
        return "rate";
    if (ends_with(metric, "_share"))
        return "share";
    return is_size(metric) ? "size" : "count";
}

struct formatted format_metric_name(const char *metric)
{
    struct formatted out;
    char *place;
    snprintf(out.text, sizeof out.text, "%s", metric);
    if (ends_with(out.text, "_ns"))
        out.text[strlen(out.text) - 3] = '\0';
    place = strstr(out.text, "_per_second");
    if (place)
        strcpy(place, "/s");
    while ((place = strchr(out.text, '_')) != NULL)
        *place = ' ';
    return out;
}
