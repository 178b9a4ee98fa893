/* target-attach: from opening a new subscriber to its first message. target-death: from killing a process to the report
 * that it is gone. */
#include <stdio.h>

#include <ipcmark/journal.h>

#include "../rows/clearance.h"
#include "cast.h"
#include "targets.h"

/* Of a cell of the usual length. */
enum { ATTACHES = 200, DEATHS = 25, FEWEST = 5 };

/* The cell takes the times over. So few have no percentile of their own; those of all blocks together have. */
static int keep_times(struct cell *cell, const struct ipcmark_histogram *times)
{
    cell->histogram = ipcmark_histogram_to_json(times);
    if (cell->histogram == NULL)
        return cell_fail(cell, "out of memory");
    cell_metric(cell, "samples", (double)times->total);
    cell_metric(cell, "max_ns", (double)ipcmark_histogram_maximum(times));
    cell->headline_ns = (double)ipcmark_histogram_maximum(times);
    return 0;
}

static int attach_all(struct cast *cast, struct ipcmark_histogram *times)
{
    if (cast_do(cast, cast->publisher, "announce", cast_place(cast, "there", "")) < 0)
        return -1;
    for (unsigned i = bench_count(cast->bench, ATTACHES, FEWEST); i > 0; --i) {
        ipcmark_call *greeted = cast_ask(cast->publisher, "greet", NULL);
        ipcmark_call *attached = cast_ask(cast->subscribers[0], "attach", cast_place(cast, "there", ""));
        if (cast_await(cast, attached) < 0 || cast_await(cast, greeted) < 0)
            return -1;
        ipcmark_histogram_record(times, ipcmark_reply_count(attached, "elapsed_ns"));
    }
    return 0;
}

static cJSON *join_fields(struct cast *cast, const char *publish_on, const char *subscribe_to)
{
    cJSON *fields = cast_place(cast, "", "");

    cJSON_AddStringToObject(fields, "publish_on", publish_on);
    cJSON_AddStringToObject(fields, "subscribe_to", subscribe_to);
    return fields;
}

static int add_report(struct cell *cell, const ipcmark_call *mourned, const char *field, uint64_t killed_ns,
                      struct ipcmark_histogram *times)
{
    uint64_t at_ns = ipcmark_reply_count(mourned, field);

    if (at_ns < killed_ns)
        return cell_fail(cell, "a process was reported dead while it was alive");
    ipcmark_histogram_record(times, at_ns - killed_ns);
    return 0;
}

/* One death is noticed twice: by the publisher that had the victim's subscriber, and by the subscriber that had its
 * publisher. */
static int kill_one(struct cast *cast, unsigned number, struct ipcmark_histogram *times)
{
    ipcmark_participant *survivor = cast->publisher, *victim;
    ipcmark_call *mourned;
    uint64_t killed_ns;
    char name[32];

    snprintf(name, sizeof name, "victim%u", number);
    if ((victim = cast_start(cast, name, cast->bench->cpu_b)) == NULL ||
        cast_do(cast, victim, "join", join_fields(cast, "back", "there")) < 0 ||
        cast_do(cast, victim, "meet", NULL) < 0 || cast_do(cast, survivor, "meet", NULL) < 0)
        return -1;
    killed_ns = ipcmark_now_ns();
    if (ipcmark_kill(victim) < 0)
        return cell_fail(cast->cell, "the victim was gone already");
    mourned = cast_ask(survivor, "mourn", cast_number("pid", ipcmark_participant_pid(victim)));
    if (cast_await(cast, mourned) < 0 || add_report(cast->cell, mourned, "publisher_at_ns", killed_ns, times) < 0 ||
        add_report(cast->cell, mourned, "subscriber_at_ns", killed_ns, times) < 0)
        return -1;
    return ipcmark_await_exit(victim, NULL) < 0 ? cell_fail(cast->cell, "a killed process did not end") : 0;
}

static int kill_all(struct cast *cast, struct ipcmark_histogram *times)
{
    int survivors_files;

    if (cast_do(cast, cast->publisher, "join", join_fields(cast, "there", "back")) < 0)
        return -1;
    survivors_files = clearance_count(cast->trial);
    for (unsigned i = bench_count(cast->bench, DEATHS, FEWEST); i > 0; --i)
        if (kill_one(cast, i, times) < 0)
            return -1;
    clearance_await(cast->trial, survivors_files);
    return 0;
}

static int measure(struct bench *bench, struct cell *cell, unsigned subscribers,
                   int (*fill)(struct cast *, struct ipcmark_histogram *))
{
    struct ipcmark_histogram *times;
    struct cast cast;
    int result;

    if (ipcmark_histogram_new(&times) < 0)
        return cell_fail(cell, "out of memory");
    result = cast_open(&cast, bench, cell, subscribers);
    if (result == 0 && (result = fill(&cast, times)) == 0)
        result = keep_times(cell, times);
    cast_close(&cast);
    ipcmark_histogram_free(times);
    return result;
}

int targets_attach(struct bench *bench, struct cell *cell)
{
    return measure(bench, cell, 1, attach_all);
}

int targets_death(struct bench *bench, struct cell *cell)
{
    return measure(bench, cell, 0, kill_all);
}
