/* The limits as they are measured: figures like the drivers', from the same work, and asleep where that is the
 * question. */
#include <cases.h>

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "rows_run.h"

static const cJSON *figure(const struct rows_run *run, const char *row)
{
    const cJSON *cell = rows_run_cell(run, row);
    if (rows_run_error(cell) != NULL)
        fail_msg("%s: %s", row, rows_run_error(cell));
    assert_true(rows_run_metric(cell, "samples") > 0);
    return cell;
}

/* The placements that a cell saw, and the percentiles that it had samples for, are an accident. */
static bool is_accident(const char *metric)
{
    static const char *const beginnings[] = {"siblings_", "cluster_", "distant_", "p90_", "p99_", "p999_", "p9999_"};
    for (size_t i = 0; i < sizeof beginnings / sizeof beginnings[0]; ++i)
        if (strncmp(metric, beginnings[i], strlen(beginnings[i])) == 0)
            return true;
    return false;
}

static void must_have_all(const cJSON *cell, const cJSON *other)
{
    const cJSON *metric;
    cJSON_ArrayForEach(metric, cJSON_GetObjectItem(other, "metrics"))
    {
        if (!is_accident(metric->string) && isnan(rows_run_metric(cell, metric->string)))
            fail_msg("%s has no %s", cJSON_GetStringValue(cJSON_GetObjectItem(cell, "row")), metric->string);
    }
    assert_int_equal(cJSON_IsObject(cJSON_GetObjectItem(cell, "histogram")),
                     cJSON_IsObject(cJSON_GetObjectItem(other, "histogram")));
}

static bool says_limit_of(const cJSON *limit, const cJSON *driver)
{
    const char *family = cJSON_GetStringValue(cJSON_GetObjectItem(driver, "family"));
    const cJSON *name;
    cJSON_ArrayForEach(name, cJSON_GetObjectItem(limit, "limit_of"))
    {
        if (strcmp(cJSON_GetStringValue(name), family) == 0)
            return true;
    }
    return false;
}

/* A limit's cell and a driver's are made of the same figures: the same function measured both. */
static void must_be_alike(const cJSON *limit, const cJSON *driver)
{
    must_have_all(limit, driver);
    must_have_all(driver, limit);
    assert_true(says_limit_of(limit, driver));
}

static void compare(const char *limit, const char *driver)
{
    const char *words[] = {"--seconds", "0.1", limit, driver, NULL};
    struct rows_run run = rows_run_undisturbed(words);
    must_be_alike(figure(&run, limit), figure(&run, driver));
    assert_int_equal(run.exit_code, 0);
    rows_run_free(&run);
}

static void limits_do_the_work_of_their_rows(void **state)
{
    (void)state;
    compare("limit/bare-ring/64B", "throughput/fifo/64B/1x1");
    compare("limit/harness/64B", "size/fifo/64B/1x1");
    compare("limit/bare-ring-hot/64B", "hot/fifo/64B/1x1");
    compare("limit/harness-hot/64B", "hot/fifo/64B/1x1");
    compare("limit/harness-latency/64B/r2000", "latency/fifo/64B/1x1/r2000");
}

static void wake_ups_are_of_sleepers(void **state)
{
    static const char *const rows[] = {"wakeup/fifo/64B/1x1", "limit/futex/64B", "limit/pipe/64B", "limit/unix/64B"};
    enum { ROWS = sizeof rows / sizeof rows[0] };
    struct rows_run runs[ROWS];
    (void)state;
    rows_run_side_by_side(rows, ROWS, runs);
    for (size_t i = 0; i < ROWS; ++i) {
        const cJSON *cell = figure(&runs[i], rows[i]);
        assert_true(rows_run_metric(cell, "p50_ns") > 0);
        assert_true(rows_run_metric(cell, "slept") == rows_run_metric(cell, "samples"));
        if (i > 0)
            must_be_alike(cell, figure(&runs[0], rows[0]));
    }
    for (size_t i = 0; i < ROWS; ++i)
        rows_run_free(&runs[i]);
}

/* The ring of limit/futex without its sleep=1. */
static void reader_that_spins_is_no_wake_up(void **state)
{
    const char *words[] = {"--driver", BARE_RING, "wakeup/bare-ring/64B/1x1", NULL};
    struct rows_run run = rows_run(words);
    const cJSON *cell = rows_run_cell(&run, words[2]);
    (void)state;
    assert_true(isnan(rows_run_metric(cell, "p50_ns")));
    assert_true(cJSON_IsNull(cJSON_GetObjectItem(cell, "histogram")));
    rows_run_free(&run);
}

/* Smaller than the header of the suite, and larger than the ring is otherwise. */
static void limits_have_every_size(void **state)
{
    const char *words[] = {"--seconds",
                           "0.05",
                           "limit/bare-ring/8B",
                           "limit/memcpy/8B",
                           "limit/harness/8B",
                           "limit/bare-ring/16MiB",
                           "limit/memcpy/16MiB",
                           "limit/harness/16MiB",
                           NULL};
    struct rows_run run = rows_run(words);
    (void)state;
    for (size_t i = 2; words[i] != NULL; ++i)
        assert_true(rows_run_metric(figure(&run, words[i]), "messages_per_second") > 0);
    assert_int_equal(run.exit_code, 0);
    rows_run_free(&run);
}

CASES_MAIN(CASE(limits_do_the_work_of_their_rows), CASE(wake_ups_are_of_sleepers),
           CASE(reader_that_spins_is_no_wake_up), CASE(limits_have_every_size))
