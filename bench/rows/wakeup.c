/* wakeup: one way to a reader that sleeps. Messages come by a schedule, so seldom that each finds the reader asleep,
 * and at times drawn by lot, so that no tick of a timer wakes it by chance. Timed from the call of publish: what is
 * asked is how long waking up takes, not what a sender's delay does. */
#include "scene.h"

/* A message that finds the reader awake is no wake-up, and is not timed. A machine that stalls makes a few of them; a
 * cell has more than enough without. */
enum { WARM_UP = 20, COUNT = 220, ENOUGH = 200 };

static const double RATE = 80, JITTER = 0.2; /* from 10 to 15 ms between two */
static const double MOST_BUSY = 0.25;        /* of a CPU, for a process whose reader sleeps */

/* By the thread of the handler, which counts how often it gives up its CPU. */
static double slept_of(const ipcmark_call *stats)
{
    return ipcmark_reply_number(stats, "slept", 0);
}

static int warm_up(struct scene *scene, const ipcmark_publish_options *asked)
{
    ipcmark_publish_options options = *asked;
    const ipcmark_call *stats;
    struct sent sent;

    options.count = WARM_UP;
    if (scene_publish(scene, &options, &sent) < 0 || scene_stats(scene, scene->subscribers[0], WARM_UP, 0, &stats) < 0)
        return -1;
    if (slept_of(stats) == 0)
        return cell_not_applicable(scene->cell, "its reader stays awake between messages");
    if (slept_of(stats) < WARM_UP / 2.)
        return cell_fail(scene->cell, "the reader had slept before %.0f of %d messages only", slept_of(stats), WARM_UP);
    return scene_begin(scene, WARM_UP);
}

/* CPU time of the reader's process, all its threads. */
static double busy_ns(struct scene *scene)
{
    ipcmark_call *call = ipcmark_process_stats(scene->sinks[0]);

    if (scene_await(scene, call) < 0)
        return 0;
    return ipcmark_reply_number(call, "user_ns", 0) + ipcmark_reply_number(call, "system_ns", 0);
}

/* share: of a CPU, of the reader's process, in which another thread might spin and hand over to one that sleeps. */
static int check_sleep(struct cell *cell, double slept, double share)
{
    cell_metric(cell, "slept", slept);
    cell_metric(cell, "reader_cpu_share", share);
    if (share > MOST_BUSY)
        return cell_fail(cell, "the reader's process used %.0f %% of a CPU, where it should sleep", 100 * share);
    if (slept < ENOUGH)
        return cell_fail(cell, "the reader had slept before %.0f of %d messages only", slept, COUNT);
    return 0;
}

static int measure(struct scene *scene)
{
    struct cell *cell = scene->cell;
    ipcmark_publish_options options = {.sizes = &cell->row->size, .sizes_count = 1, .rate = RATE, .jitter = JITTER};
    const ipcmark_call *stats;
    struct sent sent;
    double before_ns, share;

    if (warm_up(scene, &options) < 0)
        return -1;
    options.count = COUNT;
    cell->line_before_ns = bench_line_ns(scene->bench);
    before_ns = busy_ns(scene);
    if (scene_publish(scene, &options, &sent) < 0)
        return -1;
    share = (busy_ns(scene) - before_ns) / (double)(sent.last_ns - sent.first_ns);
    cell->line_after_ns = bench_line_ns(scene->bench);
    if (scene_end(scene) < 0 || scene_stats(scene, scene->subscribers[0], COUNT, 0, &stats) < 0 ||
        check_sleep(cell, slept_of(stats), share) < 0)
        return -1;
    cell_metric(cell, "retries", sent.retries);
    if (sent.rate < 0.99 * RATE)
        return cell_fail(cell, "only %.0f messages a second of %.0f were sent", sent.rate, RATE);
    if (cell_histogram(cell, cJSON_Duplicate(cJSON_GetObjectItem(stats->reply, "histogram_uncorrected"), true), 1) < 0)
        return -1;
    if (cJSON_GetNumberValue(cJSON_GetObjectItem(cell->metrics, "samples")) != slept_of(stats))
        return cell_fail(cell, "not every wake-up was timed");
    return 0;
}

int bench_wakeup(struct bench *bench, struct cell *cell)
{
    struct scene scene;
    int result = scene_open(&scene, bench, cell, false);

    if (result == 0)
        result = measure(&scene);
    scene_close(&scene);
    return result;
}
