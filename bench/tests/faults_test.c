/* What must not become a figure: each fault in each family, at whichever of several participants. */
#include <cases.h>

#include <stdlib.h>

#include "rows_run.h"

/* At which message a fault strikes: while the row is being measured, or while it warms up. Of messages beyond 4 KiB, of
 * which eight each are a warm-up, one in 16 is read. */
static const struct {
    const char *family, *tail;
    unsigned at, sender;               /* of several, the one at which it does; 0: there is but one */
    unsigned at_of_receiver, receiver; /* likewise; 0: there is but one */
} places[] = {
    {"latency", "64B/1x1/r2000", 300, 0, 300, 0}, /* after a warm-up of 200 */
    {"throughput", "64B/1x1", 16, 0, 16, 0},      /* in the warm-up */
    {"size", "8B/1x1", 16, 0, 16, 0},
    {"size", "2MiB/1x1", 16, 0, 16, 0},
    {"fanout", "2MiB/1x3", 16, 4, 16, 2}, /* the second of three subscribers */
    {"fanin", "2MiB/3x1", 16, 3, 30, 1},  /* the second of three publishers */
    {"mesh", "2MiB/2x2", 16, 4, 30, 2},
    {"wakeup", "64B/1x1", 10, 0, 10, 0},
};

enum { PLACES = sizeof places / sizeof places[0] };

struct struck {
    char driver[4096], row[160];
};

static void strike(struct struck *out, const char *fault, const char *family, const char *tail, unsigned at,
                   unsigned of)
{
    char params[64];
    int length = snprintf(params, sizeof params, "fault=%s&at=%u", fault, at);

    if (of > 0)
        snprintf(params + length, sizeof params - (size_t)length, "&of=%u", of);
    snprintf(out->driver, sizeof out->driver, "%s?%s", FAULTY_DRIVER, params);
    snprintf(out->row, sizeof out->row, "%s/faulty?%s/%s", family, params, tail);
}

static struct rows_run run(const struct struck *struck, size_t count)
{
    const char *words[3 * PLACES + 8] = {"--seconds", "0.1"};
    size_t used = 2;

    for (size_t i = 0; i < count; ++i) {
        words[used++] = "--driver";
        words[used++] = struck[i].driver;
        words[used++] = struck[i].row;
    }
    return rows_run(words);
}

static const char missing[] = " messages arrived";

static void check(const struct rows_run *run, const char *row, const char *reason)
{
    const cJSON *cell = rows_run_cell(run, row);

    if (rows_run_error(cell) == NULL || strstr(rows_run_error(cell), reason) == NULL)
        fail_msg("%s: '%s' is not said, but: %s", row, reason,
                 rows_run_error(cell) == NULL ? "nothing" : rows_run_error(cell));
    assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(cell, "metrics")), 0);
    assert_true(cJSON_IsNull(cJSON_GetObjectItem(cell, "histogram")));
    if (strncmp(reason, "1 messages ", 11) == 0 || strcmp(reason, missing) == 0) /* what no slow machine excuses */
        assert_string_equal(cJSON_GetStringValue(cJSON_GetObjectItem(cell, "fault")), "messages");
}

/* At senders, or where there are several participants at one of the receivers. */
static void must_be_an_error_everywhere(const char *fault, const char *reason, bool at_receivers)
{
    struct struck struck[PLACES];
    struct rows_run result;

    for (size_t i = 0; i < PLACES; ++i)
        strike(&struck[i], fault, places[i].family, places[i].tail,
               at_receivers ? places[i].at_of_receiver : places[i].at,
               at_receivers ? places[i].receiver : places[i].sender);
    result = run(struck, PLACES);
    for (size_t i = 0; i < PLACES; ++i)
        check(&result, struck[i].row, reason);
    assert_int_equal(result.exit_code, 1);
    rows_run_free(&result);
}

static void must_be_an_error(const char *fault, const char *family, const char *tail, unsigned at, unsigned of,
                             const char *reason)
{
    struct struck struck;
    struct rows_run result;

    strike(&struck, fault, family, tail, at, of);
    result = run(&struck, 1);
    check(&result, struck.row, reason);
    assert_int_equal(result.exit_code, 1);
    rows_run_free(&result);
}

static void lost_message_is_an_error(void **state)
{
    (void)state;
    must_be_an_error_everywhere("lose", "1 messages lost", true);
    must_be_an_error("lose", "fanin", "2MiB/3x1", 16, 3, "1 messages lost"); /* at one of the senders */
}

/* Nobody can see a gap before it; that fewer came than were sent can be seen. */
static void lost_first_message_is_an_error(void **state)
{
    struct struck struck[PLACES];
    struct rows_run result;
    (void)state;

    for (size_t i = 0; i < PLACES; ++i)
        strike(&struck[i], "lose", places[i].family, places[i].tail, 1, places[i].receiver);
    result = run(struck, PLACES);
    for (size_t i = 0; i < PLACES; ++i)
        check(&result, struck[i].row, missing);
    assert_int_equal(result.exit_code, 1);
    rows_run_free(&result);
}

static void torn_message_is_an_error(void **state)
{
    (void)state;
    must_be_an_error_everywhere("tear", "1 messages torn", false);
    must_be_an_error("tear", "fanout", "2MiB/1x3", 16, 2, "1 messages torn");
}

static void doubled_message_is_an_error(void **state)
{
    (void)state;
    must_be_an_error_everywhere("double", "1 messages duplicate", true);
}

static void reordered_message_is_an_error(void **state)
{
    (void)state;
    must_be_an_error_everywhere("swap", "1 messages reordered", false); /* two of one sender */
    must_be_an_error("swap", "fanout", "2MiB/1x3", 16, 2, "1 messages reordered");
}

static void unsent_message_is_an_error(void **state)
{
    (void)state;
    must_be_an_error_everywhere("refuse", " messages were not sent", false);
}

/* Who does not wait until there is room says so, and is asked again: each of these messages once. */
static void full_is_no_error_and_is_counted(void **state)
{
    static const char driver[] = FAULTY_DRIVER "?fault=full";
    const char *words[] = {"--seconds",
                           "0.1",
                           "--driver",
                           driver,
                           "latency/faulty?fault=full/64B/1x1/r2000",
                           "throughput/faulty?fault=full/64B/1x1",
                           "mesh/faulty?fault=full/2MiB/2x2",
                           "cost/faulty?fault=full/64B/1x1",
                           "lifecycle/faulty?fault=full/64B/1x1",
                           NULL};
    struct rows_run result = rows_run(words);
    (void)state;

    for (size_t i = 4; words[i] != NULL; ++i) {
        const cJSON *cell = rows_run_cell(&result, words[i]);
        const char *error = rows_run_error(cell);
        if (error != NULL && strstr(error, " messages a second of ") == NULL) /* others want the CPUs */
            fail_msg("%s: %s", words[i], error);
        if (error != NULL)
            continue;
        assert_true(rows_run_metric(cell, "retries") > 0);
        if (i < 7)
            assert_true(rows_run_metric(cell, "retries") == rows_run_metric(cell, i == 4 ? "samples" : "sent"));
    }
    rows_run_free(&result);
}

/* One message at a time, so that what is lost or refused ends all trips, and none can be overtaken. */
static void trips_see_faults(void **state)
{
    (void)state;
    must_be_an_error("tear", "hot", "64B/1x1", 600, 2, "1 messages torn"); /* after a warm-up of 500 */
    must_be_an_error("tear", "roundtrip", "64B/1x1", 600, 2, "1 messages torn");
    must_be_an_error("double", "hot", "64B/1x1", 600, 2, "1 messages duplicate");
    must_be_an_error("refuse", "hot", "64B/1x1", 600, 2, "ping");
    must_be_an_error("lose", "hot", "64B/1x1", 1, 2, "ping");
}

/* Such a driver ends the process that does so all the same. */
static void handlers_that_may_not_publish_make_no_trips(void **state)
{
    const char *words[] = {"--seconds",
                           "0.1",
                           "--driver",
                           LESS_DRIVER,
                           "hot/less/64B/1x1",
                           "roundtrip/less/64B/1x1",
                           "latency/less/64B/1x1/r2000",
                           NULL};
    struct rows_run result;
    (void)state;

    assert_int_equal(setenv("IPCMARK_TEST_LESS", "publish_in_handler", 1), 0);
    result = rows_run(words);
    for (size_t i = 4; i < 6; ++i) {
        const cJSON *cell = rows_run_cell(&result, words[i]);
        assert_null(rows_run_error(cell));
        assert_string_equal(cJSON_GetStringValue(cJSON_GetObjectItem(cell, "not_applicable")),
                            "its handlers may not publish (publish_in_handler)");
        assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(cell, "metrics")), 0);
    }
    assert_true(cJSON_IsNull(cJSON_GetObjectItem(rows_run_cell(&result, words[6]), "not_applicable")));
    rows_run_free(&result);
}

CASES_MAIN(CASE(lost_message_is_an_error), CASE(lost_first_message_is_an_error), CASE(torn_message_is_an_error),
           CASE(doubled_message_is_an_error), CASE(reordered_message_is_an_error), CASE(unsent_message_is_an_error),
           CASE(full_is_no_error_and_is_counted), CASE(trips_see_faults),
           CASE(handlers_that_may_not_publish_make_no_trips))
