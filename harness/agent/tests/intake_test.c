/* What a subscriber counts, while it is asked for it. */
#include <cases.h>

#include <stdlib.h>

#include "../agent.h"

struct agent agent;
static struct intake intake;
static uint64_t sequence;
static bool reporting, taking;
static size_t held, free_to_take; /* allocations of a report, with the intake locked and not */

static bool take_message(void)
{
    const uint64_t now_ns = 1000000 + 5000 * ++sequence;
    const struct delivery delivery = {
        .header = {.publisher = 1, .epoch = 1, .sequence = sequence, .scheduled_ns = 1000, .nonce = 1000},
        .framed = true,
        .timed = true,
        .now_ns = now_ns,
        .size = 64};
    return intake_take(&intake, &delivery);
}

/* All the work of a report is the making of its JSON. */
static void *allocate(size_t size)
{
    if (reporting) {
        const bool busy = atomic_load(&intake.busy);
        ++*(busy ? &held : &free_to_take);
        if (taking && !busy)
            take_message();
    }
    return malloc(size);
}

static cJSON *report(uint64_t to_ns, bool reset)
{
    cJSON *reply = cJSON_CreateObject();
    held = free_to_take = 0;
    reporting = true;
    intake_report(&intake, reply, to_ns, reset);
    reporting = false;
    return reply;
}

static double number(const cJSON *object, const char *name)
{
    assert_true(cJSON_HasObjectItem(object, name));
    return cJSON_GetObjectItem(object, name)->valuedouble;
}

static uint64_t latencies(const cJSON *reply, const char *name)
{
    struct ipcmark_histogram *histogram;
    assert_int_equal(ipcmark_histogram_new(&histogram), 0);
    assert_int_equal(ipcmark_histogram_add_json(histogram, cJSON_GetObjectItem(reply, name)), 0);
    const uint64_t total = histogram->total;
    ipcmark_histogram_free(histogram);
    return total;
}

static void begin(void)
{
    cJSON_Hooks hooks = {allocate, free};
    cJSON_InitHooks(&hooks);
    sequence = 0;
    assert_int_equal(intake_open(&intake), 0);
    for (int i = 0; i < 1000; ++i)
        take_message();
}

static void end(void)
{
    cJSON_InitHooks(NULL);
    intake_close(&intake);
}

static void whoever_is_asked_takes_messages_meanwhile(void **state)
{
    (void)state;
    begin();
    taking = true;
    cJSON *reply = report(0, false);
    taking = false;
    assert_int_equal(held, 0);
    assert_true(free_to_take > 1000);
    assert_int_equal(number(reply, "received"), 1000);
    assert_int_equal(number(reply, "bytes"), 64000);
    assert_int_equal(number(cJSON_GetObjectItem(reply, "window"), "messages"), 1000);
    assert_true(latencies(reply, "histogram") >= 1000);
    cJSON_Delete(reply);
    const uint64_t all = 1000 + free_to_take;
    reply = report(0, false);
    assert_int_equal(number(reply, "received"), all);
    assert_int_equal(number(reply, "lost"), 0);
    assert_int_equal(latencies(reply, "histogram"), all);
    assert_int_equal(latencies(reply, "histogram_uncorrected"), all);
    cJSON_Delete(reply);
    end();
}

/* Nothing may come between what is told and what is forgotten. */
static void a_reset_loses_nothing(void **state)
{
    (void)state;
    begin();
    cJSON *reply = report(0, true);
    assert_true(held > 1000);
    assert_int_equal(free_to_take, 0);
    assert_int_equal(number(reply, "received"), 1000);
    assert_int_equal(latencies(reply, "histogram"), 1000);
    cJSON_Delete(reply);
    take_message();
    reply = report(0, false);
    assert_int_equal(number(reply, "received"), 1);
    assert_int_equal(number(reply, "lost"), 0);
    assert_int_equal(latencies(reply, "histogram"), 1);
    cJSON_Delete(reply);
    end();
}

/* Whoever waits for the last message of many is not woken for each; two who wait for different ones look each time. */
static void who_waits_is_woken_by_what_it_waits_for(void **state)
{
    (void)state;
    begin();
    assert_true(intake_has(&intake, 1, 1, 0, 1000));
    assert_false(take_message());
    assert_false(intake_has(&intake, 1, 1, 0, 1003));
    assert_false(take_message());
    assert_false(intake_has(&intake, 1, 1, 0, 1003)); /* again, as after another's word */
    assert_true(take_message());
    assert_false(take_message());
    assert_false(intake_has(&intake, 1, 1, 0, 1006));
    assert_false(intake_has(&intake, 2, 1, 0, 1));
    assert_true(take_message());
    assert_false(intake_has(&intake, 1, 1, 0, 1006));
    assert_false(intake_has(&intake, 2, 1, 0, 1));
    assert_true(take_message());
    end();
}

CASES_MAIN(CASE(who_waits_is_woken_by_what_it_waits_for), CASE(whoever_is_asked_takes_messages_meanwhile),
           CASE(a_reset_loses_nothing))
