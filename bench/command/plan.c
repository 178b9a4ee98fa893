#include "plan.h"

#include <errno.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ALL  (SUITE_QUICK | SUITE_STANDARD | SUITE_FULL)
#define MORE (SUITE_STANDARD | SUITE_FULL)

/* %s: the driver. The rate of latency is at most half of what the slowest built-in driver can carry. */
static const struct {
    const char *name;
    unsigned suites;
} rows[] = {
    {"limit/line", ALL},
    {"limit/harness/64B", ALL},
    {"limit/harness/1MiB", MORE},
    {"limit/bare-ring-hot/64B", ALL},
    {"limit/bare-ring/64B", ALL},
    {"limit/bare-ring/1KiB", MORE},
    {"limit/bare-ring/64KiB", MORE},
    {"limit/bare-ring/1MiB", ALL},
    {"limit/memcpy/1MiB", ALL},
    {"hot/%s/64B/1x1", ALL},
    {"roundtrip/%s/64B/1x1", MORE},
    {"latency/%s/64B/1x1/r10000", ALL},
    {"throughput/%s/64B/1x1", ALL},
    {"throughput/%s/256B/1x1", SUITE_FULL},
    {"throughput/%s/1KiB/1x1", ALL},
    {"throughput/%s/4KiB/1x1", SUITE_FULL},
    {"throughput/%s/16KiB/1x1", SUITE_FULL},
    {"throughput/%s/64KiB/1x1", ALL},
    {"throughput/%s/256KiB/1x1", SUITE_FULL},
    {"throughput/%s/1MiB/1x1", ALL},
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
    if (filter != NULL && regexec(filter, name, 0, NULL, 0) != 0)
        return 0;
    return row_parse(&plan->rows[plan->count++], name, text, sizeof text);
}

int plan_make(struct plan *out, const struct options *options)
{
    struct plan plan = {.rows = calloc(ROWS * (options->driver_count + 1), sizeof *plan.rows)};
    regex_t regex;
    int result = 0;

    if (plan.rows == NULL)
        return -ENOMEM;
    if (options->filter != NULL && regcomp(&regex, options->filter, REG_EXTENDED | REG_NOSUB) != 0) {
        result = -EINVAL;
        goto out;
    }
    for (size_t i = 0; i < ROWS && result == 0; ++i) {
        bool is_limit = strstr(rows[i].name, "%s") == NULL;
        if ((rows[i].suites & options->suites) == 0)
            continue;
        for (size_t driver = 0; driver < (is_limit ? 1 : options->driver_count) && result == 0; ++driver)
            result = add_row(&plan, rows[i].name, options->drivers[driver], options->filter == NULL ? NULL : &regex);
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
    double seconds = options->seconds == NULL ? 0.35 : strtod(options->seconds, NULL);

    switch (row->family) {
    case ROW_LIMIT_LINE:
        return 0.03;
    case ROW_LIMIT_MEMCPY:
        return seconds / 3;
    case ROW_TARGET_IDLE:
        return 2 + 10 / 0.35 * seconds;
    case ROW_TARGET_ATTACH:
    case ROW_TARGET_DEATH:
        return 1.5;
    default:
        return 0.4 + seconds; /* processes, and the lines between rounds */
    }
}
