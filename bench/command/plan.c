#include "plan.h"

#include <errno.h>
#include <math.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../limits/purpose.h"

#define ALL  (SUITE_QUICK | SUITE_STANDARD | SUITE_FULL)
#define MORE (SUITE_STANDARD | SUITE_FULL)

/* %s: the driver. *: a limit at each size, and rate, of the rows that it is the limit of. The rate of latency is at
 * most half of what the slowest built-in driver can carry. */
static const struct {
    const char *name;
    unsigned suites;
} rows[] = {
    {"limit/line", ALL},
    {"limit/memcpy/*", ALL},
    {"limit/bare-ring/*", ALL},
    {"limit/bare-ring-hot/*", ALL},
    {"limit/futex/*", ALL},
    {"limit/pipe/*", ALL},
    {"limit/unix/*", ALL},
    {"limit/harness/*", ALL},
    {"limit/harness-hot/*", ALL},
    {"limit/harness-latency/*", ALL},
    {"limit/harness-cost/*", ALL},
    {"hot/%s/64B/1x1", ALL},
    {"hot/%s/1KiB/1x1", MORE},
    {"hot/%s/16KiB/1x1", SUITE_FULL},
    {"roundtrip/%s/64B/1x1", MORE},
    {"latency/%s/64B/1x1/r10000", ALL},
    {"latency/%s/1KiB/1x1/r10000", SUITE_FULL},
    {"latency/%s/16KiB/1x1/r10000", SUITE_FULL},
    {"wakeup/%s/64B/1x1", MORE},
    {"throughput/%s/64B/1x1", ALL},
    {"throughput/%s/1KiB/1x1", MORE},
    {"throughput/%s/64KiB/1x1", ALL},
    {"throughput/%s/1MiB/1x1", ALL},
    {"size/%s/8B/1x1", MORE},
    {"size/%s/64B/1x1", MORE},
    {"size/%s/512B/1x1", MORE},
    {"size/%s/4KiB/1x1", MORE},
    {"size/%s/32KiB/1x1", MORE},
    {"size/%s/256KiB/1x1", MORE},
    {"size/%s/2MiB/1x1", MORE},
    {"size/%s/16MiB/1x1", MORE},
    {"size/%s/64MiB/1x1", SUITE_FULL},
    {"fanout/%s/64B/1x2", SUITE_FULL},
    {"fanout/%s/64B/1x4", ALL},
    {"fanout/%s/64B/1x8", SUITE_FULL},
    {"fanout/%s/64KiB/1x2", SUITE_FULL},
    {"fanout/%s/64KiB/1x4", MORE},
    {"fanout/%s/64KiB/1x8", SUITE_FULL},
    {"fanin/%s/64B/2x1", SUITE_FULL},
    {"fanin/%s/64B/4x1", ALL},
    {"fanin/%s/64B/8x1", SUITE_FULL},
    {"fanin/%s/64KiB/4x1", MORE},
    {"mesh/%s/64B/2x2", SUITE_FULL},
    {"mesh/%s/64B/4x4", MORE},
    {"mesh/%s/64B/8x8", SUITE_FULL},
    {"mesh/%s/64KiB/4x4", SUITE_FULL},
    {"cost/%s/64B/1x1", MORE},
    {"cost/%s/1KiB/1x1", SUITE_FULL},
    {"cost/%s/64KiB/1x1", SUITE_FULL},
    {"lifecycle/%s/64B/1x1", MORE},
    {"target-hot/mmipc/32B/1x1", SUITE_TARGETS},
    {"target-hot/mmipc/64B/1x1", SUITE_TARGETS},
    {"target-hot/bare-ring/32B/1x1", SUITE_TARGETS},
    {"target-hot/bare-ring/64B/1x1", SUITE_TARGETS},
    {"target-wakeup/mmipc/64B/1x1", SUITE_TARGETS},
    {"target-wakeup/fifo/64B/1x1", SUITE_TARGETS},
    {"target-wakeup/unix/64B/1x1", SUITE_TARGETS},
    {"target-stream/mmipc/64B/1x1", SUITE_TARGETS},
    {"target-stream/bare-ring/64B/1x1", SUITE_TARGETS},
    {"target-stream/fifo/64B/1x1", SUITE_TARGETS},
    {"target-stream/mmipc/1KiB/1x1", SUITE_TARGETS},
    {"target-stream/bare-ring/1KiB/1x1", SUITE_TARGETS},
    {"target-stream/mmipc/1MiB/1x1", SUITE_TARGETS},
    {"target-stream/bare-ring/1MiB/1x1", SUITE_TARGETS},
    {"target-stream/unix/1MiB/1x1", SUITE_TARGETS},
    {"target-stream/tcp/1MiB/1x1", SUITE_TARGETS},
    {"target-fanout/mmipc/1MiB/1x1", SUITE_TARGETS},
    {"target-fanout/mmipc/1MiB/1x8", SUITE_TARGETS},
    {"target-idle/mmipc/64B/1x1", SUITE_TARGETS},
    {"target-pairs/mmipc/64B/1x16", SUITE_TARGETS},
    {"target-attach/mmipc/64B/1x1", SUITE_TARGETS},
    {"target-death/mmipc/64B/1x1", SUITE_TARGETS},
};

enum { ROWS = sizeof rows / sizeof rows[0] };

static bool passes(const regex_t *filter, const char *name)
{
    return filter == NULL || regexec(filter, name, 0, NULL, 0) == 0;
}

static int add_row(struct plan *plan, const char *pattern, const char *driver, const regex_t *filter)
{
    char label[ROW_NAME_BYTES], name[2 * ROW_NAME_BYTES], text[64];
    const char *gap = strstr(pattern, "%s");

    if (gap == NULL) {
        snprintf(name, sizeof name, "%s", pattern);
    } else {
        row_driver_label(label, sizeof label, driver);
        snprintf(name, sizeof name, "%.*s%s%s", (int)(gap - pattern), pattern, label, gap + 2);
    }
    if (!passes(filter, name))
        return 0;
    return row_parse(&plan->rows[plan->count++], name, text, sizeof text);
}

static bool plan_has(const struct plan *plan, const char *name)
{
    for (size_t i = 0; i < plan->count; ++i)
        if (strcmp(plan->rows[i].name, name) == 0)
            return true;
    return false;
}

/* The limit of that pattern at the size and rate of the drivers' rows of another pattern. False: it is not theirs. */
static bool make_limit(struct row *limit, const char *pattern, const char *of)
{
    char size[16], rate[16] = "", name[ROW_NAME_BYTES], text[64];
    struct row row;

    if (sscanf(of, "%*[^/]/%%s/%15[^/]/%*[^/]/%15s", size, rate) < 1)
        return false;
    snprintf(name, sizeof name, "%.*s%s%s%s", (int)strcspn(pattern, "*"), pattern, size, rate[0] == '\0' ? "" : "/",
             rate);
    return row_parse(&row, of, text, sizeof text) == 0 && row_parse(limit, name, text, sizeof text) == 0 &&
           purpose_includes(limit, &row);
}

/* By themselves, so that no row of a driver lacks its limits. */
static void add_limits(struct plan *plan, const char *pattern, unsigned suites, const regex_t *filter)
{
    for (size_t i = 0; i < ROWS; ++i) {
        struct row limit;
        if ((rows[i].suites & suites) != 0 && make_limit(&limit, pattern, rows[i].name) &&
            !plan_has(plan, limit.name) && passes(filter, limit.name))
            plan->rows[plan->count++] = limit;
    }
}

int plan_make(struct plan *out, const struct options *options)
{
    struct plan plan = {.rows = calloc(ROWS * (options->driver_count + ROW_FAMILIES), sizeof *plan.rows)};
    const regex_t *filter;
    regex_t regex;
    int result = 0;

    if (plan.rows == NULL)
        return -ENOMEM;
    if (options->filter != NULL && regcomp(&regex, options->filter, REG_EXTENDED | REG_NOSUB) != 0) {
        result = -EINVAL;
        goto out;
    }
    filter = options->filter == NULL ? NULL : &regex;
    for (size_t i = 0; i < ROWS && result == 0; ++i) {
        const size_t drivers = strstr(rows[i].name, "%s") == NULL ? 1 : options->driver_count;
        if ((rows[i].suites & options->suites) == 0)
            continue;
        if (strchr(rows[i].name, '*') != NULL) {
            add_limits(&plan, rows[i].name, rows[i].suites & options->suites, filter);
            continue;
        }
        for (size_t driver = 0; driver < drivers && result == 0; ++driver)
            result = add_row(&plan, rows[i].name, options->drivers[driver], filter);
    }
    if (options->filter != NULL)
        regfree(&regex);
out:
    if (result == 0)
        *out = plan;
    else
        plan_free(&plan);
    return result;
}

void plan_free(struct plan *plan)
{
    free(plan->rows);
    plan->rows = NULL;
    plan->count = 0;
}

double plan_cell_seconds(const struct row *row, const struct options *options)
{
    const struct purpose *purpose = purpose_of(row->family);
    /* Processes that start, connect, warm up and end; the lines between rounds. */
    const double around = 0.2 + 0.02 * (row->publishers + row->subscribers), seconds = options_cell_seconds(options);

    switch (purpose == NULL ? row->family : purpose->as) {
    case ROW_LIMIT_LINE:
        return 0.03;
    case ROW_LIMIT_MEMCPY:
        return seconds / 3;
    case ROW_LATENCY:
        return around + fmax(seconds, (double)options_samples(options) / row->rate);
    case ROW_WAKEUP:
        return around + 2.9;
    case ROW_SIZE: /* of large messages as many as a round needs, with those of the warm-up, at 1 GB/s */
        return around + fmax(seconds, 58e-9 * (double)row->size);
    case ROW_COST: /* windows, again while calls are counted; and what is of no size: idle, and more pairs */
        return around + (purpose == NULL ? 5 : 3) * seconds +
               (purpose == NULL && row->size == 64 ? 0.3 + 3 * fmin(1, seconds / 0.35) : 0);
    case ROW_LIFECYCLE:
        return 1.5;
    case ROW_TARGET_IDLE:
        return 2 + 10 / 0.35 * seconds;
    case ROW_TARGET_ATTACH:
    case ROW_TARGET_DEATH:
        return 1.5;
    default:
        return around + seconds;
    }
}

/* %s is a driver, which may be of any length, and * what is left of a limit. */
static bool is_of(const char *pattern, const char *name)
{
    size_t gap = strcspn(pattern, "%*"), length = strlen(name);
    const char *rest = pattern + gap + (pattern[gap] == '%' ? 2 : 0);

    if (strncmp(pattern, name, gap) != 0)
        return false;
    return *rest == '*' || (length >= gap + strlen(rest) && strcmp(name + length - strlen(rest), rest) == 0 &&
                            (pattern[gap] != '\0' || length == gap));
}

unsigned plan_level(const struct row *row)
{
    unsigned suites = 0;

    for (size_t i = 0; i < ROWS; ++i)
        suites |= is_of(rows[i].name, row->name) ? rows[i].suites : 0;
    return suites & (SUITE_QUICK | SUITE_TARGETS) ? 0 : suites & SUITE_STANDARD ? 1 : 2;
}
