#include "cost.h"

#include <math.h>

#include "account.h"

/* Of a cell of the usual length or longer. */
enum { SETTLE_MS = 1000, IDLE_MS = 2000 };

enum { MORE_PAIRS = 8, MESSAGES = 16 };

int cost_idle(struct scene *scene)
{
    const double part = fmin(1, scene->bench->seconds / bench_usual_seconds);
    double publisher, subscriber, elapsed;
    uint64_t start;

    if (!ipcmark_wait(scene->trial, (unsigned)(part * SETTLE_MS)))
        return cell_fail(scene->cell, "interrupted");
    start = ipcmark_now_ns();
    publisher = account_cpu_ns(scene->sources[0]);
    subscriber = account_cpu_ns(scene->sinks[0]);
    if (!ipcmark_wait(scene->trial, (unsigned)(part * IDLE_MS)))
        return cell_fail(scene->cell, "interrupted");
    publisher = account_cpu_ns(scene->sources[0]) - publisher;
    subscriber = account_cpu_ns(scene->sinks[0]) - subscriber;
    elapsed = (double)(ipcmark_now_ns() - start);
    if (!isfinite(publisher) || !isfinite(subscriber))
        return cell_fail(scene->cell, "the kernel does not say what CPU time a process has used");
    cell_metric(scene->cell, "idle_cpu_share", fmax(publisher, subscriber) / elapsed);
    cell_metric(scene->cell, "publisher_idle_cpu_share", publisher / elapsed);
    cell_metric(scene->cell, "subscriber_idle_cpu_share", subscriber / elapsed);
    cell_metric(scene->cell, "idle_seconds", elapsed / 1e9);
    return 0;
}

/* Opens `count` pairs more, from number `first` on, and takes what both processes hold then. */
static int add_pairs(struct scene *scene, unsigned first, unsigned count, struct holding *after)
{
    ipcmark_participant *const both[] = {scene->sources[0], scene->sinks[0]};
    ipcmark_hold_options options = {
        .channel = "pair-", .first = first, .count = count, .messages = MESSAGES, .size = scene->cell->row->size};
    ipcmark_call *subscribers = ipcmark_hold(scene->sinks[0], &options), *publishers;

    options.publishers = true;
    publishers = ipcmark_hold(scene->sources[0], &options);
    if (scene_await(scene, publishers) < 0 || scene_await(scene, subscribers) < 0)
        return -1;
    return account_holding(scene->cell, both, 2, after);
}

/* The first pair pays for what a process has once. */
int cost_pairs(struct scene *scene)
{
    struct holding one = {0}, all = {0};

    if (add_pairs(scene, 1, 1, &one) < 0 || add_pairs(scene, 2, MORE_PAIRS, &all) < 0)
        return -1;
    cell_metric(scene->cell, "bytes_per_pair", (all.bytes - one.bytes) / MORE_PAIRS);
    cell_metric(scene->cell, "descriptors_per_pair", (all.descriptors - one.descriptors) / MORE_PAIRS);
    return 0;
}
