/* latency: one way, open loop. Each message has a scheduled time, which does not wait for the ones before it; a delay
 * of one is a delay of all that it holds up, and they all show it. The time from the actual send call stands beside.
 * In one piece, not in rounds: the pause after a round would hide what is still late. */
#include "scene.h"

enum { WARM_UP = 200 };

static int measure(struct scene *scene)
{
    struct cell *cell = scene->cell;
    const struct row *row = cell->row;
    ipcmark_publish_options options = {.sizes = &row->size, .sizes_count = 1, .rate = row->rate, .count = WARM_UP};
    const ipcmark_call *stats;
    struct sent sent;

    if (scene_publish(scene, &options, &sent) < 0 || scene_begin(scene, WARM_UP) < 0)
        return -1;
    options.count = (uint64_t)(row->rate * scene->bench->seconds);
    if (options.count < scene->bench->samples)
        options.count = scene->bench->samples;
    cell->line_before_ns = bench_line_ns(scene->bench);
    if (scene_publish(scene, &options, &sent) < 0)
        return -1;
    cell->line_after_ns = bench_line_ns(scene->bench);
    if (scene_end(scene) < 0)
        return -1;
    if (scene_stats(scene, scene->subscribers[0], (double)options.count, 0, &stats) < 0)
        return -1;
    if (sent.rate < 0.99 * row->rate)
        return cell_fail(cell, "only %.0f messages a second of %.0f were sent", sent.rate, row->rate);
    if (cell_histogram(cell, cJSON_Duplicate(cJSON_GetObjectItem(stats->reply, "histogram"), true), 1) < 0)
        return -1;
    if (cJSON_GetNumberValue(cJSON_GetObjectItem(cell->metrics, "samples")) != (double)options.count)
        return cell_fail(cell, "not every message was timed");
    cell->histogram_uncorrected = cJSON_Duplicate(cJSON_GetObjectItem(stats->reply, "histogram_uncorrected"), true);
    cell_metric(cell, "achieved_rate", sent.rate);
    cell_metric(cell, "retries", sent.retries);
    return 0;
}

int bench_latency(struct bench *bench, struct cell *cell)
{
    struct scene scene;
    int result = scene_open(&scene, bench, cell, false);

    if (result == 0)
        result = measure(&scene);
    scene_close(&scene);
    return result;
}
