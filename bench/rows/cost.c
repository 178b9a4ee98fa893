/* cost: what publisher and subscriber spend on a message: CPU time, system calls, context switches. At a fixed rate,
 * each message by itself; and saturated, where one wake-up may do for many. System calls are counted in windows of
 * their own, since counting makes each of them slower. */
#include "cost.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "account.h"
#include "syscalls.h"

enum { PUBLISHER, SUBSCRIBER, SIDES };
enum { CPU_NS, SWITCHES, CALLS, KINDS }; /* of what is spent; CALLS: NAN where nobody counted them */
enum { RATE = 2000, AT_REST_BYTES = 64 };
static const double WARM_UP_SECONDS = 0.05;
static const double LEAST_OF_RATE = 0.9; /* else it was about another load */
static const double LEAST_ARRIVED = 0.9; /* else about messages that are not each by itself */

static const char *const side_names[SIDES] = {"publisher", "subscriber"};

struct window {
    double spent[SIDES][KINDS];
    double messages, arrived; /* all; and when the last one was sent */
    double rate, sleeps;      /* of the publisher, until a message was due */
    double retries;
};

struct cost {
    struct scene *scene;
    ipcmark_participant *participants[SIDES];
    int sides; /* 1: both are one process */
    struct syscalls counters[SIDES];
    int counting; /* 0: yes; -errno */
};

static int take_switches(struct cost *cost, double spent[SIDES][KINDS])
{
    for (int side = 0; side < SIDES; ++side) {
        ipcmark_call *call = ipcmark_process_stats(cost->participants[side]);
        if (scene_await(cost->scene, call) < 0)
            return -1;
        spent[side][SWITCHES] =
            ipcmark_reply_number(call, "voluntary_switches", 0) + ipcmark_reply_number(call, "involuntary_switches", 0);
    }
    return 0;
}

/* From outside: what is looked at does nothing for it. */
static void take_rest(struct cost *cost, double spent[SIDES][KINDS])
{
    for (int side = 0; side < SIDES; ++side) {
        spent[side][CALLS] = cost->counting == 0 ? syscalls_read(&cost->counters[side]) : NAN;
        spent[side][CPU_NS] = account_cpu_ns(cost->participants[side]);
    }
}

static int publish(struct cost *cost, const ipcmark_publish_options *options, struct window *window)
{
    struct scene *scene = cost->scene;
    ipcmark_call *call = ipcmark_publish(scene->trial, scene->publishers[0], options), *stats;
    double attempted;

    if (scene_await(scene, call) < 0)
        return -1;
    stats = ipcmark_stats(scene->trial, scene->subscribers[0], 0, false);
    if (scene_await(scene, stats) < 0)
        return -1;
    attempted = ipcmark_reply_number(call, "attempted", -1);
    window->messages = ipcmark_reply_number(call, "published", -2);
    window->arrived = ipcmark_reply_number(stats, "received", -1);
    window->rate = ipcmark_reply_number(call, "achieved_rate", 0);
    window->sleeps = ipcmark_reply_number(call, "sleeps", NAN);
    window->retries = ipcmark_reply_number(call, "retries", 0);
    if (attempted != window->messages)
        return cell_fail(scene->cell, "%.0f of %.0f messages were not sent", attempted - window->messages, attempted);
    return scene_await(scene, ipcmark_drain(scene->trial, scene->subscribers[0], scene->publishers, 1, 0));
}

static int check_window(struct cost *cost, const struct window *window)
{
    struct scene *scene = cost->scene;
    const ipcmark_call *stats;

    if (!isfinite(window->spent[PUBLISHER][CPU_NS]) || !isfinite(window->spent[SUBSCRIBER][CPU_NS]))
        return cell_fail(scene->cell, "the kernel does not say what CPU time a process has used");
    if (scene_stats(scene, scene->subscribers[0], window->messages, 0, &stats) < 0)
        return -1;
    return scene_reset(scene, scene->subscribers[0]);
}

/* A window lasts until all has arrived: what somebody puts off is on its account. */
static int measure_window(struct cost *cost, const ipcmark_publish_options *options, struct window *out)
{
    double before[SIDES][KINDS] = {0}, after[SIDES][KINDS] = {0};
    struct window window = {0};

    if (take_switches(cost, before) < 0)
        return -1;
    take_rest(cost, before);
    if (publish(cost, options, &window) < 0)
        return -1;
    take_rest(cost, after);
    if (take_switches(cost, after) < 0)
        return -1;
    for (int side = 0; side < SIDES; ++side)
        for (int kind = 0; kind < KINDS; ++kind)
            window.spent[side][kind] = after[side][kind] - before[side][kind];
    *out = window;
    return check_window(cost, &window);
}

struct windows {
    struct window paced, saturated;
    double sleep_ns; /* CPU time that one of the paced window's sleeps takes */
    int sides;
};

static const ipcmark_publish_options schedule = {.sizes_count = 1, .rate = RATE, .sleeps = true, .retries = true};

/* The schedule without messages: what it takes to sleep until one is due is the harness's doing. Of the thread that
 * does it, and no other: what else the implementation does meanwhile is on its own account. */
static int measure_sleep(struct cost *cost, double *sleep_ns)
{
    struct scene *scene = cost->scene;
    ipcmark_publish_options options = schedule;
    ipcmark_call *call;

    options.sizes = &scene->cell->row->size;
    options.seconds = scene->bench->seconds / 2;
    options.dry = true;
    call = ipcmark_publish(scene->trial, scene->publishers[0], &options);
    if (scene_await(scene, call) < 0)
        return -1;
    *sleep_ns = ipcmark_reply_number(call, "cpu_ns", NAN) / ipcmark_reply_number(call, "sleeps", NAN);
    return isfinite(*sleep_ns) ? 0 : cell_fail(scene->cell, "the participant does not say what its sleeping takes");
}

/* The same requests, and no message. */
static int measure_requests(struct cost *cost, struct window *out)
{
    ipcmark_publish_options options = schedule;

    options.sizes = &cost->scene->cell->row->size;
    options.seconds = 1e-6; /* over before a second one would be due */
    options.dry = true;
    return measure_window(cost, &options, out);
}

/* Of two that may both be too large by chance the smaller one. */
static void take_off(struct window *window, const struct window *before, const struct window *after)
{
    for (int side = 0; side < SIDES; ++side)
        for (int kind = 0; kind < KINDS; ++kind)
            window->spent[side][kind] -= fmin(before->spent[side][kind], after->spent[side][kind]);
}

static int check_paced(struct cell *cell, const struct window *paced)
{
    if (paced->rate < LEAST_OF_RATE * RATE)
        return cell_fail(cell, "only %.0f messages a second of %d were sent", paced->rate, RATE);
    if (paced->arrived < LEAST_ARRIVED * paced->messages)
        return cell_fail(cell, "only %.0f of %.0f messages had arrived when the last one was sent", paced->arrived,
                         paced->messages);
    return 0;
}

static int measure_windows(struct cost *cost, struct windows *out)
{
    ipcmark_publish_options options = schedule;
    struct windows windows = {.sides = cost->sides};
    struct window before, after;

    options.sizes = &cost->scene->cell->row->size;
    options.seconds = cost->scene->bench->seconds;
    if (measure_requests(cost, &before) < 0 || measure_window(cost, &options, &windows.paced) < 0)
        return -1;
    options.rate = 0;
    if (measure_window(cost, &options, &windows.saturated) < 0 || measure_requests(cost, &after) < 0)
        return -1;
    take_off(&windows.paced, &before, &after);
    take_off(&windows.saturated, &before, &after);
    *out = windows;
    return check_paced(cost->scene->cell, &windows.paced); /* last: a busy machine must not hide a wrong message */
}

static const char *metric_name(char name[96], const char *prefix, int side, const char *what)
{
    snprintf(name, 96, "%s%s_%s", prefix, side_names[side], what);
    return name;
}

/* What is taken off was measured as well. Not fmax(): calls that were not counted are to stay unknown. */
static double not_negative(double value)
{
    return value < 0 ? 0 : value;
}

/* A message's part of what a side spent. */
static double share(const struct window *window, int side, int kind)
{
    return not_negative(window->spent[side][kind] / window->messages);
}

/* Of the paced publisher's: what its sleeps took. Each is one system call, and gives up the CPU once. */
static double pacing_share(const struct windows *windows, int kind)
{
    double each = kind == CPU_NS ? windows->sleep_ns : 1;
    return windows->paced.sleeps * each / windows->paced.messages;
}

/* At the fixed rate, less that. */
static double paced_share(const struct windows *windows, int side, int kind)
{
    return not_negative(share(&windows->paced, side, kind) - (side == PUBLISHER ? pacing_share(windows, kind) : 0));
}

static void add_side(struct cell *cell, const struct windows *windows, int side)
{
    char name[96];

    cell_metric(cell, metric_name(name, "", side, "cpu_seconds_per_million"),
                paced_share(windows, side, CPU_NS) * 1e-3);
    cell_metric(cell, metric_name(name, "saturated_", side, "cpu_seconds_per_million"),
                share(&windows->saturated, side, CPU_NS) * 1e-3);
    cell_metric(cell, metric_name(name, "", side, "switches_per_message"), paced_share(windows, side, SWITCHES));
    cell_metric(cell, metric_name(name, "saturated_", side, "switches_per_message"),
                share(&windows->saturated, side, SWITCHES));
}

static void add_times(struct cell *cell, const struct windows *windows)
{
    double paced = 0, saturated = 0;

    for (int side = 0; side < windows->sides; ++side) {
        paced += paced_share(windows, side, CPU_NS) * 1e-3;
        saturated += share(&windows->saturated, side, CPU_NS) * 1e-3;
        if (windows->sides == SIDES)
            add_side(cell, windows, side);
    }
    cell_metric(cell, "cpu_seconds_per_million", paced);
    cell_metric(cell, "saturated_cpu_seconds_per_million", saturated);
    cell_metric(cell, "pacing_cpu_seconds_per_million", pacing_share(windows, CPU_NS) * 1e-3);
    cell->headline_ns = paced * 1e3;
}

static void add_traffic(struct cell *cell, const struct windows *windows)
{
    add_times(cell, windows);
    cell_metric(cell, "achieved_rate", windows->paced.rate);
    cell_metric(cell, "saturated_rate", windows->saturated.rate);
    cell_metric(cell, "samples", windows->paced.messages);
    cell_metric(cell, "saturated_samples", windows->saturated.messages);
    cell_metric(cell, "retries", windows->paced.retries);
    cell_metric(cell, "saturated_retries", windows->saturated.retries);
}

static void add_calls(struct cell *cell, const struct windows *windows)
{
    char name[96];

    for (int side = 0; side < SIDES; ++side) {
        cell_metric(cell, metric_name(name, "", side, "system_calls_per_message"), paced_share(windows, side, CALLS));
        cell_metric(cell, metric_name(name, "saturated_", side, "system_calls_per_message"),
                    share(&windows->saturated, side, CALLS));
    }
}

/* Never guessed: without the right to count there is no figure, and why stands beside it. */
static void add_unknown_calls(struct cell *cell, int error)
{
    static const char *const prefixes[] = {"", "saturated_"};
    char name[96];

    for (size_t i = 0; i < 2; ++i)
        for (int side = 0; side < SIDES; ++side)
            cell_unmeasured(cell, metric_name(name, prefixes[i], side, "system_calls_per_message"),
                            "the kernel does not let us count them: %s", strerror(-error));
}

static int open_counters(struct cost *cost)
{
    for (int side = 0; side < SIDES; ++side) {
        int error = syscalls_open(&cost->counters[side], ipcmark_participant_pid(cost->participants[side]));
        if (error < 0)
            return error;
    }
    return 0;
}

static int measure_calls(struct cost *cost)
{
    struct windows windows = {0};
    int result;

    cost->counting = open_counters(cost);
    if (cost->counting < 0)
        add_unknown_calls(cost->scene->cell, cost->counting);
    result = cost->counting < 0 ? 0 : measure_windows(cost, &windows);
    if (cost->counting == 0 && result == 0)
        add_calls(cost->scene->cell, &windows);
    for (int side = 0; side < SIDES; ++side)
        syscalls_close(&cost->counters[side]);
    return result;
}

/* What sleeping takes, from before and from after: the smaller one, so that no figure is too small by chance. */
static int measure_times(struct cost *cost)
{
    struct windows windows;
    double before_ns, after_ns;

    if (measure_sleep(cost, &before_ns) < 0 || measure_windows(cost, &windows) < 0 ||
        measure_sleep(cost, &after_ns) < 0)
        return -1;
    windows.sleep_ns = fmin(before_ns, after_ns);
    add_traffic(cost->scene->cell, &windows);
    return 0;
}

static int measure_traffic(struct scene *scene)
{
    struct cost cost = {.scene = scene,
                        .participants = {scene->sources[0], scene->sinks[0]},
                        .sides = scene->sources[0] == scene->sinks[0] ? 1 : SIDES,
                        .counting = -ENODATA};
    ipcmark_publish_options warm_up = {.sizes = &scene->cell->row->size, .sizes_count = 1, .seconds = WARM_UP_SECONDS};
    struct sent sent;

    if (scene_publish(scene, &warm_up, &sent) < 0 || scene_begin(scene, sent.messages) < 0)
        return -1;
    scene->cell->line_before_ns = bench_line_ns(scene->bench);
    if (measure_times(&cost) < 0)
        return -1;
    scene->cell->line_after_ns = bench_line_ns(scene->bench);
    if (cost.sides == SIDES && measure_calls(&cost) < 0)
        return -1;
    return scene_end(scene);
}

int bench_cost(struct bench *bench, struct cell *cell)
{
    struct scene scene;
    int result = scene_open(&scene, bench, cell, true);

    if (result == 0)
        result = measure_traffic(&scene);
    if (result == 0 && cell->row->size == AT_REST_BYTES && !row_is_limit(cell->row))
        result = cost_idle(&scene) < 0 ? -1 : cost_pairs(&scene);
    scene_close(&scene);
    return result;
}
