/* throughput, size, fanout, fanin, mesh: as fast as publish returns, counted at the slowest subscriber while all
 * publishers are sending: what is in a backlog at the end has not been delivered, and what arrives afterwards is no
 * throughput. */
#include "rounds.h"
#include "scene.h"

#include <unistd.h>

static const double WARM_UP_SECONDS = 0.05;
enum { LARGE = 1 << 20, WARM_UP_LARGE = 8 }; /* beyond it, so many: what a driver holds of them has been touched then */
static const double LEAD_IN = 0.1;           /* of a round: until the subscriber is awake and the caches are warm */
static const double LATEST_START = 0.5;      /* a round in which it was not by then says nothing of a stream */
enum { ROUND_MESSAGES = 50 };                /* at least, so that the one at either end does not matter */
enum { SLOWER = 10 };                        /* than the warm-up: then a round hangs */

/* What one round is made of, from the start of the first publish to the end of the last. */
struct burst {
    double seconds, sent;
    double rate,
        messages; /* of the slowest subscriber; rate < 0: one was not awake in time, or not all sent together */
};

/* From a sample of the subscriber's own to the moment when the publisher stopped: a stall in between or at the end is
 * part of the rate. */
static int take_subscriber(struct scene *scene, uint16_t subscriber, const struct sent *sent, struct burst *burst)
{
    double first = (double)sent->first_ns, last = (double)sent->last_ns, length = last - first;
    double from, messages, rate;
    const ipcmark_call *stats;
    const cJSON *window;

    if (scene_stats(scene, subscriber, burst->sent, sent->first_ns + (length > 0 ? (uint64_t)(LEAD_IN * length) : 0),
                    sent->last_ns, &stats) < 0)
        return -1;
    window = cJSON_GetObjectItem(stats->reply, "window");
    from = cJSON_GetNumberValue(cJSON_GetObjectItem(window, "from_ns"));
    messages = cJSON_GetNumberValue(cJSON_GetObjectItem(window, "messages"));
    rate = length > 0 && messages > 0 && from < first + LATEST_START * length ? messages * 1e9 / (last - from) : -1;
    if (burst->messages < 0 || rate < burst->rate)
        burst->rate = rate, burst->messages = messages;
    return 0;
}

static int stream_once(struct scene *scene, const ipcmark_publish_options *options, struct burst *burst)
{
    struct sent sent;

    if (scene_publish(scene, options, &sent) < 0)
        return -1;
    burst->seconds = ((double)sent.last_ns - (double)sent.first_ns) / 1e9;
    burst->sent = sent.messages;
    for (unsigned i = 0; i < scene->subscriber_count; ++i)
        if (take_subscriber(scene, scene->subscribers[i], &sent, burst) < 0 ||
            scene_reset(scene, scene->subscribers[i]) < 0)
            return -1;
    return 0;
}

static int measure_rounds(struct scene *scene, struct rounds *rounds, ipcmark_publish_options *options)
{
    struct cell *cell = scene->cell;
    double messages = 0, sent = 0, rate;
    size_t asleep = 0;

    while (rounds_wanted(rounds, scene->bench->seconds)) {
        struct burst burst = {.rate = -1, .messages = -1};
        if (stream_once(scene, options, &burst) < 0)
            return -1;
        if (burst.rate >= 0)
            rounds_add(rounds, burst.seconds, burst.rate, NULL);
        else if (++asleep > rounds->count + 3)
            return cell_fail(cell, "not all were awake in time in %zu of %zu rounds", asleep, asleep + rounds->count);
        messages += burst.messages;
        sent += burst.sent;
    }
    rate = rounds_median(rounds, rounds_choose(rounds, cell));
    cell_metric(cell, "messages_per_second", rate);
    cell_metric(cell, "bytes_per_second", rate * (double)cell->row->size);
    if (row_is_pinned(cell->row))
        rounds_add_classes(rounds, cell, "messages_per_second");
    cell_metric(cell, "sent", sent);
    cell_metric(cell, "samples", messages);
    cell_metric(cell, "rounds_asleep", (double)asleep);
    cell->headline_ns = 1e9 / rate;
    return 0;
}

/* Long enough for each process to have its turns on a CPU; or, of messages that take long, until there are some,
 * however long that is. Going by the warm-up, which may have gone into a backlog faster than any round will. */
static void plan_round(const struct scene *scene, double rate, ipcmark_publish_options *options)
{
    const double processes = scene->publisher_count + scene->subscriber_count;
    const double cpus = (double)sysconf(_SC_NPROCESSORS_ONLN);
    const double seconds = rounds_seconds * (processes > cpus ? processes / cpus : 1);

    options->seconds = seconds;
    options->count = 0;
    if (rate * seconds >= ROUND_MESSAGES)
        return;
    options->seconds = 0;
    options->count = (ROUND_MESSAGES + scene->publisher_count - 1) / scene->publisher_count;
    options->deadline_seconds = ipcmark_trial_deadline(scene->trial) + (rate > 0 ? SLOWER * ROUND_MESSAGES / rate : 0);
}

static int measure(struct scene *scene)
{
    const struct row *row = scene->cell->row;
    ipcmark_publish_options options = {.sizes = &row->size, .sizes_count = 1};
    struct rounds rounds;
    struct sent sent;
    int result;

    if (row->size > LARGE)
        options.count = WARM_UP_LARGE;
    else
        options.seconds = WARM_UP_SECONDS;
    if (scene_publish(scene, &options, &sent) < 0 || scene_begin(scene) < 0)
        return -1;
    plan_round(scene, sent.rate, &options);
    rounds_begin(&rounds, scene->bench);
    result = measure_rounds(scene, &rounds, &options);
    rounds_end(&rounds);
    return result < 0 ? -1 : scene_end(scene);
}

int bench_stream(struct bench *bench, struct cell *cell)
{
    struct scene scene;
    int result = scene_open(&scene, bench, cell, true);

    if (result == 0)
        result = measure(&scene);
    scene_close(&scene);
    return result;
}
