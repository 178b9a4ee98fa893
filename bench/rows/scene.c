#include "scene.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <ipcmark/payload.h>

#include "../limits/purpose.h"

enum { PEERS_SECONDS = 10 };

/* By then several publishers have been told to start together. */
static const uint64_t TELL_NS = 1000000;

/* A limit in the shape of a driver lies beside this program: it is no user's business. */
static int find_limit(char *driver, size_t driver_size, const char *name)
{
    ssize_t length = readlink("/proc/self/exe", driver, driver_size);

    while (length > 0 && driver[length - 1] != '/')
        --length;
    if (length <= 0 || (size_t)length + strlen(name) >= driver_size)
        return -1;
    memcpy(driver + length, name, strlen(name) + 1);
    return 0;
}

/* The driver of a row, as the harness takes it. */
static int find_driver(char *driver, size_t driver_size, const struct bench *bench, const struct row *row)
{
    if (row_is_limit(row))
        return find_limit(driver, driver_size, purpose_of(row->family)->driver);
    for (size_t i = 0; bench->drivers[i] != NULL; ++i) {
        char other[ROW_NAME_BYTES];
        row_driver_label(other, sizeof other, bench->drivers[i]);
        if (strcmp(other, row->driver) == 0)
            return snprintf(driver, driver_size, "%s", row_driver_spec(bench->drivers[i])) < (int)driver_size ? 0 : -1;
    }
    return snprintf(driver, driver_size, "%s", row->driver) < (int)driver_size ? 0 : -1;
}

int scene_await(struct scene *scene, ipcmark_call *call)
{
    if (ipcmark_await(call) == IPCMARK_DONE)
        return 0;
    return cell_fail(scene->cell, "%s", call == NULL ? ipcmark_session_text(scene->bench->session) : call->text);
}

/* One to one, each side has a CPU of its own; more processes than that share all CPUs as the kernel thinks best. */
static ipcmark_participant *start(struct scene *scene, const char *name, int cpu)
{
    char cpus[16];
    ipcmark_participant_options options = {.name = name};
    ipcmark_participant *participant;

    snprintf(cpus, sizeof cpus, "%d", cpu);
    if (row_is_pinned(scene->cell->row) && scene->bench->cpu_b >= 0 && !scene->bench->floats)
        options.cpus = cpus;
    participant = ipcmark_participant_start(scene->trial, &options);
    if (participant == NULL)
        cell_fail(scene->cell, "%s", ipcmark_session_text(scene->bench->session));
    return participant;
}

/* What the implementation says of itself that it cannot. */
static int check_limits(struct scene *scene, const ipcmark_participant *participant)
{
    const ipcmark_implementation *is = ipcmark_participant_implementation(participant);
    const struct row *row = scene->cell->row;

    if ((is->capabilities & IPCMARK_CAP_PEERS) == 0)
        return cell_not_applicable(scene->cell, "it does not say when its peers are there (peers)");
    if (is->max_message_bytes > 0 && row->size > is->max_message_bytes)
        return cell_not_applicable(scene->cell, "its messages have at most %llu bytes",
                                   (unsigned long long)is->max_message_bytes);
    if (is->max_publishers > 0 && row->publishers > is->max_publishers)
        return cell_not_applicable(scene->cell, "it has at most %llu publishers",
                                   (unsigned long long)is->max_publishers);
    if (is->max_subscribers > 0 && row->subscribers > is->max_subscribers)
        return cell_not_applicable(scene->cell, "it has at most %llu subscribers",
                                   (unsigned long long)is->max_subscribers);
    return 0;
}

/* Messages without room for the usual header; in streams only, for a small frame says nothing of times. */
static bool is_small(const struct scene *scene)
{
    return scene->cell->row->size < IPCMARK_PAYLOAD_HEADER;
}

/* A limit is measured as a family of the drivers' is. */
static bool is_wakeup(const struct row *row)
{
    const struct purpose *purpose = purpose_of(row->family);
    return (purpose == NULL ? row->family : purpose->as) == ROW_WAKEUP;
}

static int start_sink(struct scene *scene, unsigned index, bool count_only)
{
    ipcmark_endpoint_options options = {
        .count_only = count_only, .count_sleeps = is_wakeup(scene->cell->row), .small_frames = is_small(scene)};
    char name[32];

    snprintf(name, sizeof name, "subscriber%u", index + 1);
    scene->sinks[index] = start(scene, name, scene->bench->cpu_b);
    if (scene->sinks[index] == NULL || check_limits(scene, scene->sinks[index]) < 0)
        return -1;
    return scene_await(scene, ipcmark_open_subscriber(scene->sinks[index], &scene->subscribers[index], &options));
}

static int start_source(struct scene *scene, unsigned index)
{
    const struct purpose *purpose = purpose_of(scene->cell->row->family);
    ipcmark_endpoint_options options = {.small_frames = is_small(scene)};
    char name[32];

    snprintf(name, sizeof name, "publisher%u", index + 1);
    scene->sources[index] =
        purpose != NULL && purpose->kind == PURPOSE_SHARE ? scene->sinks[0] : start(scene, name, scene->bench->cpu_a);
    if (scene->sources[index] == NULL)
        return -1;
    return scene_await(scene, ipcmark_open_publisher(scene->sources[index], &scene->publishers[index], &options));
}

int scene_open(struct scene *scene, struct bench *bench, struct cell *cell, bool count_only)
{
    const struct row *row = cell->row;
    char driver[4096];
    ipcmark_trial_options options = {.target = {.driver = driver},
                                     .seed = bench->seed,
                                     .name = row->name,
                                     .ping_interval_ms = 1000,
                                     .max_message_bytes = row->size,
                                     .no_journal = true,
                                     .no_names = true};

    *scene = (struct scene){
        .bench = bench, .cell = cell, .publisher_count = row->publishers, .subscriber_count = row->subscribers};
    if (row->publishers > SCENE_MOST || row->subscribers > SCENE_MOST)
        return cell_fail(cell, "at most %d publishers, and as many subscribers", SCENE_MOST);
    if (find_driver(driver, sizeof driver, bench, row) < 0)
        return cell_fail(cell, "the path to the driver is too long");
    if (row->size < (count_only ? IPCMARK_PAYLOAD_SMALL : IPCMARK_PAYLOAD_HEADER))
        return cell_fail(cell, "a message of fewer than %d bytes has no room for its own check",
                         count_only ? IPCMARK_PAYLOAD_SMALL : IPCMARK_PAYLOAD_HEADER);
    if (ipcmark_trial_open(&scene->trial, bench->session, &options) < 0)
        return cell_fail(cell, "%s", ipcmark_session_text(bench->session));
    for (unsigned i = 0; i < scene->subscriber_count; ++i)
        if (start_sink(scene, i, count_only) < 0)
            return -1;
    for (unsigned i = 0; i < scene->publisher_count; ++i)
        if (start_source(scene, i) < 0)
            return -1;
    for (unsigned i = 0; i < scene->publisher_count; ++i)
        if (scene_await(scene, ipcmark_wait_peers(scene->trial, scene->publishers[i], scene->subscriber_count,
                                                  PEERS_SECONDS)) < 0)
            return -1;
    return 0;
}

void scene_close(struct scene *scene)
{
    if (scene->trial == NULL)
        return;
    ipcmark_trial_stop(scene->trial);
    if (ipcmark_trial_troubles(scene->trial) > 0)
        cell_fail(scene->cell, "%s", ipcmark_trial_trouble(scene->trial, 0)->text);
    if (ipcmark_trial_leftovers(scene->trial)[0] != '\0')
        cell_fail(scene->cell, "left behind: %s", ipcmark_trial_leftovers(scene->trial));
    ipcmark_trial_close(scene->trial, NULL);
    scene->trial = NULL;
}

static int take_sent(struct scene *scene, ipcmark_call *call, struct sent *sent)
{
    uint64_t first_ns, last_ns;
    double attempted, ok;

    if (scene_await(scene, call) < 0)
        return -1;
    attempted = ipcmark_reply_number(call, "attempted", -1);
    ok = ipcmark_reply_number(call, "published", -2);
    if (attempted != ok)
        return cell_fail(scene->cell, "%.0f of %.0f messages were not sent", attempted - ok, attempted);
    first_ns = ipcmark_reply_count(call, "first_ns");
    last_ns = ipcmark_reply_count(call, "last_ns");
    sent->first_ns = first_ns < sent->first_ns ? first_ns : sent->first_ns;
    sent->last_ns = last_ns < sent->last_ns ? last_ns : sent->last_ns;
    sent->messages += ok;
    sent->retries += ipcmark_reply_number(call, "retries", 0);
    sent->rate += ipcmark_reply_number(call, "achieved_rate", 0);
    return 0;
}

int scene_publish(struct scene *scene, const ipcmark_publish_options *asked, struct sent *out)
{
    ipcmark_publish_options options = *asked;
    ipcmark_call *calls[SCENE_MOST];
    struct sent sent = {.first_ns = UINT64_MAX, .last_ns = UINT64_MAX};
    int result = 0;

    options.retries = true;
    if (scene->publisher_count > 1)
        options.start_at_ns = ipcmark_now_ns() + scene->publisher_count * TELL_NS;
    for (unsigned i = 0; i < scene->publisher_count; ++i)
        calls[i] = ipcmark_publish(scene->trial, scene->publishers[i], &options);
    for (unsigned i = 0; i < scene->publisher_count; ++i)
        if (take_sent(scene, calls[i], &sent) < 0)
            result = -1;
    for (unsigned i = 0; i < scene->subscriber_count && result == 0; ++i)
        result = scene_await(
            scene, ipcmark_drain(scene->trial, scene->subscribers[i], scene->publishers, scene->publisher_count, 0));
    *out = sent;
    return result;
}

static double add_switches(struct scene *scene, ipcmark_participant *participant)
{
    ipcmark_call *call = ipcmark_process_stats(participant);

    if (scene_await(scene, call) < 0)
        return 0;
    return ipcmark_reply_number(call, "voluntary_switches", 0) + ipcmark_reply_number(call, "involuntary_switches", 0);
}

static double count_switches(struct scene *scene)
{
    double switches = 0;

    for (unsigned i = 0; i < scene->publisher_count; ++i)
        switches += add_switches(scene, scene->sources[i]);
    for (unsigned i = 0; i < scene->subscriber_count; ++i)
        switches += add_switches(scene, scene->sinks[i]);
    return switches;
}

/* A torn message has no sequence that could be believed, so it leaves a gap as well; named first. */
static int check_faults(struct scene *scene, const ipcmark_call *stats)
{
    static const char *const faults[] = {"torn", "lost", "duplicate", "reordered"};

    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; ++i) {
        double count = ipcmark_reply_number(stats, faults[i], -1);
        if (count < 0)
            return cell_fail(scene->cell, "the subscriber does not say how many messages were %s", faults[i]);
        if (count > 0)
            return cell_wrong(scene->cell, "%.0f messages %s", count, faults[i]);
    }
    return 0;
}

int scene_reset(struct scene *scene, uint16_t subscriber)
{
    ipcmark_call *stats = ipcmark_stats(scene->trial, subscriber, 0, true);
    return scene_await(scene, stats) < 0 ? -1 : check_faults(scene, stats);
}

static int check_received(struct scene *scene, const ipcmark_call *stats, double expected)
{
    double received = ipcmark_reply_number(stats, "received", -1);

    if (received != expected)
        return cell_wrong(scene->cell, "%.0f of %.0f messages arrived", received, expected);
    return 0;
}

int scene_begin(struct scene *scene, double warm_up)
{
    for (unsigned i = 0; i < scene->subscriber_count; ++i) {
        ipcmark_call *stats = ipcmark_stats(scene->trial, scene->subscribers[i], 0, true);
        if (scene_await(scene, stats) < 0 || check_faults(scene, stats) < 0 ||
            check_received(scene, stats, warm_up) < 0)
            return -1;
    }
    scene->switches = count_switches(scene);
    scene->steal_ns = bench_steal_ns();
    return scene->cell->error[0] == '\0' ? 0 : -1;
}

int scene_end(struct scene *scene)
{
    bench_steal_since(scene->cell, scene->steal_ns);
    scene->cell->context_switches = (int64_t)(count_switches(scene) - scene->switches);
    return scene->cell->error[0] == '\0' ? 0 : -1;
}

int scene_stats(struct scene *scene, uint16_t subscriber, double expected, uint64_t to_ns, const ipcmark_call **out)
{
    ipcmark_call *stats = ipcmark_stats(scene->trial, subscriber, to_ns, false);

    if (scene_await(scene, stats) < 0 || check_faults(scene, stats) < 0 || check_received(scene, stats, expected) < 0)
        return -1;
    *out = stats;
    return 0;
}
