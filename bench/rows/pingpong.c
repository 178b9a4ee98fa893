/* roundtrip, hot: a message goes there and is answered from the handler, the answer's handler sends the next one. Timed
 * trip by trip, inside the participant. roundtrip shows whole trips, as published figures do; hot shows half of one. */
#include "rounds.h"
#include "scene.h"

/* Of a round. FEWEST is enough for a median; FOR_P99 for a p99, and who makes these in so many times the time of a
 * round has rounds of just these. Then the fast have many, and what holds the machine up is in some of them. */
enum { WARM_UP = 500, FEWEST = 200, FOR_P99 = 10000, LONGER = 4 };

/* The way back: a publisher beside the subscriber, and a subscriber beside the publisher. */
struct way_back {
    uint16_t publisher, subscriber;
};

static int open_way_back(struct scene *scene, struct way_back *back)
{
    ipcmark_endpoint_options options = {.channel = "back"};
    ipcmark_handler_options handler = {0};

    if (scene_await(scene, ipcmark_open_subscriber(scene->sources[0], &back->subscriber, &options)) < 0 ||
        scene_await(scene, ipcmark_open_publisher(scene->sinks[0], &back->publisher, &options)) < 0 ||
        scene_await(scene, ipcmark_wait_peers(scene->trial, back->publisher, 1, 0)) < 0)
        return -1;
    handler.reply = back->publisher;
    return scene_await(scene, ipcmark_handler(scene->trial, scene->subscribers[0], &handler));
}

static int ping(struct scene *scene, const struct way_back *back, uint64_t count, const ipcmark_call **out)
{
    ipcmark_call *call =
        ipcmark_ping(scene->trial, scene->publishers[0], back->subscriber, count, scene->cell->row->size);

    if (scene_await(scene, call) < 0)
        return -1;
    if (ipcmark_reply_number(call, "count", -1) != (double)count)
        return cell_fail(scene->cell, "%.0f of %llu trips ended", ipcmark_reply_number(call, "count", -1),
                         (unsigned long long)count);
    *out = call;
    return 0;
}

static double seconds_of(const ipcmark_call *call)
{
    return (double)(call->ended_ns - call->begun_ns) / 1e9;
}

/* Going by those before. */
static uint64_t choose_count(const ipcmark_call *before, uint64_t count_before)
{
    double count = rounds_seconds / (seconds_of(before) / (double)count_before);
    return LONGER * count >= FOR_P99 ? FOR_P99 : count < FEWEST ? FEWEST : (uint64_t)count;
}

static unsigned ways_of(const struct row *row)
{
    return row->family == ROW_ROUNDTRIP ? 1 : 2;
}

static int measure_rounds(struct scene *scene, const struct way_back *back, uint64_t count, struct rounds *rounds)
{
    struct cell *cell = scene->cell;
    uint64_t trips = 0;
    const ipcmark_call *call = NULL;
    cJSON *merged;

    while (rounds_wanted(rounds, scene->bench->seconds)) {
        if (ping(scene, back, count, &call) < 0)
            return -1;
        rounds_add(rounds, seconds_of(call), 0, cJSON_Duplicate(cJSON_GetObjectItem(call->reply, "histogram"), true));
        trips += count;
        count = choose_count(call, count);
    }
    if (scene_stats(scene, scene->subscribers[0], (double)trips, 0, &call) < 0 ||
        scene_stats(scene, back->subscriber, (double)trips, 0, &call) < 0)
        return -1;
    merged = rounds_merge(rounds, rounds_choose(rounds, cell));
    rounds_add_class_times(rounds, cell, ways_of(cell->row));
    return cell_histogram(cell, merged, ways_of(cell->row));
}

static int measure(struct scene *scene)
{
    struct way_back back = {0};
    const ipcmark_call *warm_up = NULL, *stats;
    struct rounds rounds;
    int result;

    if ((ipcmark_participant_implementation(scene->sinks[0])->capabilities & IPCMARK_CAP_PUBLISH_IN_HANDLER) == 0)
        return cell_not_applicable(scene->cell, "its handlers may not publish (publish_in_handler)");
    if (open_way_back(scene, &back) < 0 || ping(scene, &back, WARM_UP, &warm_up) < 0 ||
        scene_stats(scene, back.subscriber, WARM_UP, 0, &stats) < 0 || scene_reset(scene, back.subscriber) < 0 ||
        scene_begin(scene, WARM_UP) < 0)
        return -1;
    rounds_begin(&rounds, scene->bench);
    result = measure_rounds(scene, &back, choose_count(warm_up, WARM_UP), &rounds);
    rounds_end(&rounds);
    return result < 0 ? -1 : scene_end(scene);
}

int bench_pingpong(struct bench *bench, struct cell *cell)
{
    struct scene scene;
    int result = scene_open(&scene, bench, cell, false);

    if (result == 0)
        result = measure(&scene);
    scene_close(&scene);
    return result;
}
