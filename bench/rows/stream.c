/* throughput, fanout: as fast as publish returns, counted at the slowest subscriber while the publisher is still
 * sending: what is in a backlog at the end has not been delivered, and what arrives afterwards is no throughput. */
#include "scene.h"

static const double WARM_UP_SECONDS = 0.05;

/* Of one subscriber, between two exact moments of its own. */
static double subscriber_rate(struct scene *scene, uint16_t subscriber, const ipcmark_call *sent, double *messages)
{
    uint64_t first = ipcmark_reply_count(sent, "first_ns"), last = ipcmark_reply_count(sent, "last_ns");
    const ipcmark_call *stats;
    const cJSON *window;
    double from, to;

    if (scene_stats(scene, subscriber, ipcmark_reply_number(sent, "published", -1), first, last, &stats) < 0)
        return -1;
    window = cJSON_GetObjectItem(stats->reply, "window");
    from = cJSON_GetNumberValue(cJSON_GetObjectItem(window, "from_ns"));
    to = cJSON_GetNumberValue(cJSON_GetObjectItem(window, "to_ns"));
    *messages = cJSON_GetNumberValue(cJSON_GetObjectItem(window, "messages"));
    if (!(*messages > 0 && to > from))
        return cell_fail(scene->cell, "too few messages arrived while the publisher was sending");
    if (to - from < 0.5 * (double)(last - first))
        return cell_fail(scene->cell, "the subscriber was seen for %.1f of %.1f ms only", (to - from) / 1e6,
                         (double)(last - first) / 1e6);
    return *messages * 1e9 / (to - from);
}

static int measure(struct scene *scene)
{
    struct cell *cell = scene->cell;
    const struct row *row = cell->row;
    ipcmark_publish_options options = {.sizes = &row->size, .sizes_count = 1, .seconds = WARM_UP_SECONDS};
    const ipcmark_call *sent;
    double slowest = 0, samples = 0;

    if (scene_publish(scene, &options, &sent) < 0 || scene_begin(scene) < 0)
        return -1;
    options.seconds = scene->bench->seconds;
    if (scene_publish(scene, &options, &sent) < 0 || scene_end(scene) < 0)
        return -1;
    for (unsigned i = 0; i < scene->count; ++i) {
        double messages, rate = subscriber_rate(scene, scene->subscribers[i], sent, &messages);
        if (rate < 0)
            return -1;
        if (i == 0 || rate < slowest)
            slowest = rate, samples = messages;
    }
    cell_metric(cell, "messages_per_second", slowest);
    cell_metric(cell, "bytes_per_second", slowest * (double)row->size);
    if (cell->histogram == NULL) /* else it has "samples" of its own */
        cell_metric(cell, "samples", samples);
    cell_metric(cell, "sent", ipcmark_reply_number(sent, "published", 0));
    cell->headline_ns = 1e9 / slowest;
    return 0;
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
