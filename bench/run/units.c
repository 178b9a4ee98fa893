#include "units.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static int digits_of(double value)
{
    return value < 9.995 ? 2 : value < 99.95 ? 1 : 0;
}

static void scale(char text[UNITS_BYTES], double value, const char *const units[], size_t count)
{
    size_t unit = 0;

    while (value >= 999.5 && unit + 1 < count)
        value /= 1000, ++unit;
    snprintf(text, UNITS_BYTES, "%.*f%s", digits_of(value), value, units[unit]);
}

void units_time(char text[UNITS_BYTES], double ns)
{
    static const char *const units[] = {" ns", " µs", " ms", " s"};

    if (isnan(ns))
        snprintf(text, UNITS_BYTES, "–");
    else
        scale(text, ns, units, sizeof units / sizeof units[0]);
}

void units_rate(char text[UNITS_BYTES], double a_second)
{
    static const char *const units[] = {" k", " M", " G"};

    if (a_second < 999.5)
        snprintf(text, UNITS_BYTES, "%.0f", a_second);
    else
        scale(text, a_second / 1000, units, sizeof units / sizeof units[0]);
}

void units_mib(char text[UNITS_BYTES], double bytes)
{
    const double value = bytes / 0x1p20;

    snprintf(text, UNITS_BYTES, "%.*f", digits_of(value), value);
}

void units_size(char text[UNITS_BYTES], size_t bytes)
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB"};
    size_t unit = 0;

    while (bytes > 0 && bytes % 1024 == 0 && unit < 3)
        bytes /= 1024, ++unit;
    snprintf(text, UNITS_BYTES, "%zu %s", bytes, units[unit]);
}

void units_pad(const char *text, int columns, char *out, size_t size)
{
    int width = 0;

    for (const char *at = text; *at != '\0'; ++at)
        width += ((unsigned char)*at & 0xC0) != 0x80; /* not the further bytes of a character */
    snprintf(out, size, "%*s%s", columns > width ? columns - width : 0, "", text);
}
