/* roundtrip, hot: a message goes there and is answered from the handler, the answer's handler sends the next one. Timed
 * trip by trip, inside the participant. roundtrip shows whole trips, as published figures do; hot shows half of one. */
#include "scene.h"

enum { WARM_UP = 500, FEWEST = 500, MOST = 20000 };

/* The way back: a publisher beside the subscriber, and a subscriber beside the publisher. */
struct way_back {
    uint16_t publisher, subscriber;
};

static int open_way_back(struct scene *scene, struct way_back *back)
{
    ipcmark_endpoint_options options = {.channel = "back"};
    ipcmark_handler_options handler = {0};

    if (scene_await(scene, ipcmark_open_subscriber(scene->source, &back->subscriber, &options)) < 0 ||
        scene_await(scene, ipcmark_open_publisher(scene->sinks[0], &back->publisher, &options)) < 0 ||
        scene_await(scene, ipcmark_wait_peers(scene->trial, back->publisher, 1, 0)) < 0)
        return -1;
    handler.reply = back->publisher;
    return scene_await(scene, ipcmark_handler(scene->trial, scene->subscribers[0], &handler));
}

static int ping(struct scene *scene, const struct way_back *back, uint64_t count, const ipcmark_call **out)
{
    ipcmark_call *call = ipcmark_ping(scene->trial, scene->publisher, back->subscriber, count, scene->cell->row->size, 0);

    if (scene_await(scene, call) < 0)
        return -1;
    if (ipcmark_reply_number(call, "count", -1) != (double)count)
        return cell_fail(scene->cell, "%.0f of %llu trips ended", ipcmark_reply_number(call, "count", -1),
                         (unsigned long long)count);
    *out = call;
    return 0;
}

/* As many trips as fit into the cell's time, going by those of the warm-up. */
static uint64_t choose_count(const struct bench *bench, const ipcmark_call *warm_up)
{
    double trip_ns = (double)(warm_up->ended_ns - warm_up->begun_ns) / WARM_UP;
    double count = bench->seconds * 1e9 / trip_ns;

    return count < FEWEST ? FEWEST : count > MOST ? MOST : (uint64_t)count;
}

static int measure(struct scene *scene)
{
    struct cell *cell = scene->cell;
    struct way_back back = {0};
    const ipcmark_call *pinged, *stats;
    cJSON *histogram;
    uint64_t count;

    if (open_way_back(scene, &back) < 0 || ping(scene, &back, WARM_UP, &pinged) < 0)
        return -1;
    count = choose_count(scene->bench, pinged);
    if (scene_await(scene, ipcmark_stats(scene->trial, back.subscriber, 0, 0, true)) < 0 || scene_begin(scene) < 0)
        return -1;
    if (ping(scene, &back, count, &pinged) < 0 || scene_end(scene) < 0)
        return -1;
    if (scene_stats(scene, scene->subscribers[0], (double)count, 0, 0, &stats) < 0 ||
        scene_stats(scene, back.subscriber, (double)count, 0, 0, &stats) < 0)
        return -1;
    histogram = cJSON_Duplicate(cJSON_GetObjectItem(pinged->reply, "histogram"), true);
    if (cell_histogram(cell, histogram, cell->row->family == ROW_ROUNDTRIP ? 1 : 2) < 0)
        return -1;
    if (cJSON_GetNumberValue(cJSON_GetObjectItem(cell->metrics, "samples")) != (double)count)
        return cell_fail(cell, "not every trip was timed");
    return 0;
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
