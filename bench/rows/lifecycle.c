/* lifecycle: how long until a new subscriber has its first message, how long closing it takes, how often a second that
 * can be done; and how long until the death of a process has been told to those that were connected to it. */
#include "scene.h"

#include <stdio.h>

#include "clearance.h"

/* Of a cell of the usual length; and at least. */
enum { CYCLES = 200, DEATHS = 10, FEWEST = 5 };
static const double MOST_SECONDS = 3;
/* Of the publisher that a new subscriber finds at work: its next message is 50 us away at most. Between them it sleeps:
 * its CPU is also that of whatever its implementation does there for who is coming or going. */
static const double RATE = 20000;
static const double LEAST_OF_RATE = 0.9; /* else they waited for the publisher */

/* ---- open, first message, close ---- */

static int take_cycles(struct scene *scene, const ipcmark_call *call)
{
    struct cell *cell = scene->cell;
    double count = ipcmark_reply_number(call, "count", 0), elapsed_ns = ipcmark_reply_number(call, "elapsed_ns", 0);

    if (count < FEWEST || !(elapsed_ns > 0))
        return cell_fail(cell, "%.0f subscribers came and went in %.1f s, which is too few", count, elapsed_ns / 1e9);
    cell_metric(cell, "connects_per_second", count * 1e9 / elapsed_ns);
    if (cell_few_times(cell, cJSON_Duplicate(cJSON_GetObjectItem(call->reply, "first"), true)) < 0)
        return -1;
    cell_more_times(cell, "first_message", cJSON_GetObjectItem(call->reply, "first"));
    cell_more_times(cell, "open", cJSON_GetObjectItem(call->reply, "open"));
    cell_more_times(cell, "close", cJSON_GetObjectItem(call->reply, "close"));
    return 0;
}

/* Every message has to be sent but for the last one, which closing may have cut off. */
static int check_sent(struct scene *scene, const ipcmark_call *publishing)
{
    const cJSON *thread = cJSON_GetArrayItem(cJSON_GetObjectItem(publishing->reply, "last"), 0);
    double attempted = ipcmark_reply_number(publishing, "attempted", -1);
    double sent = ipcmark_reply_number(publishing, "published", -2);

    if (cJSON_GetNumberValue(cJSON_GetArrayItem(thread, 1)) == sent && attempted <= sent + 1)
        return 0;
    return cell_fail(scene->cell, "%.0f of %.0f messages were not sent", attempted - sent, attempted);
}

/* The publisher is closed in the middle of its work, which ends it. */
static int end_publishing(struct scene *scene, ipcmark_call *publishing)
{
    double rate;

    if (scene_await(scene, ipcmark_close(scene->trial, scene->publishers[0])) < 0 ||
        scene_await(scene, publishing) < 0 || check_sent(scene, publishing) < 0)
        return -1;
    rate = ipcmark_reply_number(publishing, "achieved_rate", 0);
    if (rate < LEAST_OF_RATE * RATE)
        return cell_fail(scene->cell, "only %.0f messages a second of %.0f were sent", rate, RATE);
    cell_metric(scene->cell, "achieved_rate", rate);
    cell_metric(scene->cell, "retries", ipcmark_reply_number(publishing, "retries", 0));
    return 0;
}

static int measure_cycles(struct scene *scene)
{
    ipcmark_cycle_options cycle = {.count = bench_count(scene->bench, CYCLES, FEWEST), .seconds = MOST_SECONDS};
    ipcmark_publish_options endless = {.sizes = &scene->cell->row->size,
                                       .sizes_count = 1,
                                       .seconds = 600,
                                       .rate = RATE,
                                       .sleeps = true,
                                       .retries = true};
    ipcmark_call *publishing, *cycled;
    int result;

    if (scene_await(scene, ipcmark_close(scene->trial, scene->subscribers[0])) < 0)
        return -1;
    publishing = ipcmark_publish(scene->trial, scene->publishers[0], &endless);
    cycled = ipcmark_cycle(scene->sinks[0], &cycle);
    result = scene_await(scene, cycled);
    if (end_publishing(scene, publishing) < 0 || result < 0)
        return -1;
    return take_cycles(scene, cycled);
}

/* ---- death, told ---- */

/* Two are connected both ways; one dies, the other is told. */
struct party {
    ipcmark_participant *participant;
    uint16_t publisher, subscriber;
};

static const ipcmark_endpoint_options there = {.channel = "there"}, back = {.channel = "back"};

static int open_survivor(struct scene *scene, struct party *survivor)
{
    survivor->participant = scene->sources[0];
    if (scene_await(scene, ipcmark_open_publisher(survivor->participant, &survivor->publisher, &there)) < 0)
        return -1;
    return scene_await(scene, ipcmark_open_subscriber(survivor->participant, &survivor->subscriber, &back));
}

static ipcmark_participant *start_victim(struct scene *scene, unsigned number)
{
    char name[32], cpus[16];
    ipcmark_participant_options options = {.name = name};
    ipcmark_participant *victim;

    snprintf(name, sizeof name, "victim%u", number);
    snprintf(cpus, sizeof cpus, "%d", scene->bench->cpu_b);
    if (scene->bench->cpu_b >= 0 && !scene->bench->floats)
        options.cpus = cpus;
    victim = ipcmark_participant_start(scene->trial, &options);
    if (victim == NULL)
        cell_fail(scene->cell, "%s", ipcmark_session_text(scene->bench->session));
    return victim;
}

static int meet(struct scene *scene, const struct party *survivor, struct party *victim)
{
    if (scene_await(scene, ipcmark_open_subscriber(victim->participant, &victim->subscriber, &there)) < 0 ||
        scene_await(scene, ipcmark_open_publisher(victim->participant, &victim->publisher, &back)) < 0 ||
        scene_await(scene, ipcmark_wait_peers(scene->trial, survivor->publisher, 1, 0)) < 0 ||
        scene_await(scene, ipcmark_wait_peers(scene->trial, survivor->subscriber, 1, 0)) < 0 ||
        scene_await(scene, ipcmark_wait_peers(scene->trial, victim->publisher, 1, 0)) < 0)
        return -1;
    return scene_await(scene, ipcmark_wait_peers(scene->trial, victim->subscriber, 1, 0));
}

static int take_notice(struct scene *scene, ipcmark_call *call, uint64_t killed_ns, struct ipcmark_histogram *times)
{
    if (scene_await(scene, call) < 0)
        return -1;
    ipcmark_histogram_record(times, ipcmark_reply_count(call, "at_ns") - killed_ns);
    return 0;
}

/* One death is told twice: to the publisher that had the victim's subscriber, and the other way round. */
static int kill_one(struct scene *scene, const struct party *survivor, unsigned number, struct ipcmark_histogram *times)
{
    struct party victim = {.participant = start_victim(scene, number)};
    ipcmark_call *by_publisher, *by_subscriber;
    uint64_t killed_ns;

    if (victim.participant == NULL || meet(scene, survivor, &victim) < 0)
        return -1;
    killed_ns = ipcmark_now_ns();
    if (ipcmark_kill(victim.participant) < 0)
        return cell_fail(scene->cell, "the victim was gone already");
    by_publisher = ipcmark_wait_gone(scene->trial, survivor->publisher, victim.subscriber, killed_ns);
    by_subscriber = ipcmark_wait_gone(scene->trial, survivor->subscriber, victim.publisher, killed_ns);
    if (take_notice(scene, by_publisher, killed_ns, times) < 0 ||
        take_notice(scene, by_subscriber, killed_ns, times) < 0)
        return -1;
    return ipcmark_await_exit(victim.participant, NULL) < 0 ? cell_fail(scene->cell, "a killed process did not end")
                                                            : 0;
}

static int kill_all(struct scene *scene, struct ipcmark_histogram *times)
{
    struct party survivor = {0};
    int files;

    if (open_survivor(scene, &survivor) < 0)
        return -1;
    files = clearance_count(scene->trial);
    for (unsigned i = 1; i <= bench_count(scene->bench, DEATHS, FEWEST); ++i)
        if (kill_one(scene, &survivor, i, times) < 0)
            return -1;
    clearance_await(scene->trial, files);
    return 0;
}

static int measure_deaths(struct scene *scene)
{
    const ipcmark_implementation *is = ipcmark_participant_implementation(scene->sources[0]);
    struct ipcmark_histogram *times;
    cJSON *json;
    int result;

    if ((is->capabilities & IPCMARK_CAP_PEER_EVENTS) == 0) {
        cell_unmeasured(scene->cell, "death_ns", "the driver does not tell of peers (peer_events)");
        return 0;
    }
    if (ipcmark_histogram_new(&times) < 0)
        return cell_fail(scene->cell, "out of memory");
    result = kill_all(scene, times);
    json = ipcmark_histogram_to_json(times);
    if (result == 0)
        cell_more_times(scene->cell, "death", json);
    cJSON_Delete(json);
    ipcmark_histogram_free(times);
    return result;
}

int bench_lifecycle(struct bench *bench, struct cell *cell)
{
    struct scene scene;
    int result = scene_open(&scene, bench, cell, true);

    if (result == 0)
        result = scene_begin(&scene, 0) < 0 || measure_cycles(&scene) < 0 || measure_deaths(&scene) < 0 ? -1 : 0;
    if (result == 0)
        bench_steal_since(cell, scene.steal_ns);
    scene_close(&scene);
    return result;
}
