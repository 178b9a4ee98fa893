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

static const char *const side_names[SIDES] = {"publisher", "subscriber"};

struct window {
    double spent[SIDES][KINDS];
    double messages[SIDES]; /* that were sent, and that had been received when the last one was sent */
    double rate, sleeps;    /* of the publisher, until a message was due */
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

/* The window ends with the publisher's last message: what is in a backlog then is on nobody's account, neither as time
 * nor as messages. Then all of it has to arrive. */
static int publish(struct cost *cost, const ipcmark_publish_options *options, double after[SIDES][KINDS],
                   struct window *window)
{
    struct scene *scene = cost->scene;
    ipcmark_call *call = ipcmark_publish(scene->trial, scene->publishers[0], options), *stats;
    double attempted;

    if (scene_await(scene, call) < 0)
        return -1;
    take_rest(cost, after);
    stats = ipcmark_stats(scene->trial, scene->subscribers[0], 0, false);
    if (scene_await(scene, stats) < 0)
        return -1;
    attempted = ipcmark_reply_number(call, "attempted", -1);
    window->messages[PUBLISHER] = ipcmark_reply_number(call, "published", -2);
    window->messages[SUBSCRIBER] = ipcmark_reply_number(stats, "received", -1);
    after[SUBSCRIBER][CPU_NS] = ipcmark_reply_number(stats, "cpu_ns", NAN); /* it may still be at work */
    window->rate = ipcmark_reply_number(call, "achieved_rate", 0);
    window->sleeps = ipcmark_reply_number(call, "sleeps", NAN);
    if (attempted != window->messages[PUBLISHER])
        return cell_fail(scene->cell, "%.0f of %.0f messages were not sent", attempted - window->messages[PUBLISHER],
                         attempted);
    return take_switches(cost, after);
}

static int drain(struct cost *cost, double expected)
{
    struct scene *scene = cost->scene;
    const ipcmark_call *stats;

    if (scene_await(scene, ipcmark_drain(scene->trial, scene->subscribers[0], scene->publishers, 1, 0)) < 0 ||
        scene_stats(scene, scene->subscribers[0], expected, 0, &stats) < 0)
        return -1;
    return scene_reset(scene, scene->subscribers[0]);
}

static int measure_window(struct cost *cost, const ipcmark_publish_options *options, struct window *out)
{
    double before[SIDES][KINDS] = {0}, after[SIDES][KINDS] = {0};
    struct window window = {0};

    if (take_switches(cost, before) < 0)
        return -1;
    take_rest(cost, before);
    if (publish(cost, options, after, &window) < 0 || drain(cost, window.messages[PUBLISHER]) < 0)
        return -1;
    for (int side = 0; side < SIDES; ++side)
        for (int kind = 0; kind < KINDS; ++kind)
            window.spent[side][kind] = after[side][kind] - before[side][kind];
    if (!isfinite(window.spent[PUBLISHER][CPU_NS]) || !isfinite(window.spent[SUBSCRIBER][CPU_NS]))
        return cell_fail(cost->scene->cell, "the kernel does not say what CPU time a process has used");
    *out = window;
    return 0;
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

static int measure_windows(struct cost *cost, struct windows *out)
{
    struct cell *cell = cost->scene->cell;
    ipcmark_publish_options options = schedule;
    struct windows windows = {.sides = cost->sides};

    options.sizes = &cell->row->size;
    options.seconds = cost->scene->bench->seconds;
    if (measure_window(cost, &options, &windows.paced) < 0)
        return -1;
    options.rate = 0;
    if (measure_window(cost, &options, &windows.saturated) < 0)
        return -1;
    if (windows.paced.rate < LEAST_OF_RATE * RATE)
        return cell_fail(cell, "only %.0f messages a second of %d were sent", windows.paced.rate, RATE);
    if (!(windows.saturated.messages[SUBSCRIBER] > 0 && windows.paced.messages[SUBSCRIBER] > 0))
        return cell_fail(cell, "not one message had arrived when the last one was sent");
    *out = windows;
    return 0;
}

static const char *metric_name(char name[96], const char *prefix, int side, const char *what)
{
    snprintf(name, 96, "%s%s_%s", prefix, side_names[side], what);
    return name;
}

/* A message's part of what a side spent. */
static double share(const struct window *window, int side, int kind)
{
    return window->spent[side][kind] / window->messages[side];
}

/* Of the paced publisher's: what its sleeps took. Each is one system call, and gives up the CPU once. */
static double pacing_share(const struct windows *windows, int kind)
{
    double each = kind == CPU_NS ? windows->sleep_ns : 1;
    return windows->paced.sleeps * each / windows->paced.messages[PUBLISHER];
}

/* At the fixed rate, less that. */
static double paced_share(const struct windows *windows, int side, int kind)
{
    double rest = share(&windows->paced, side, kind) - (side == PUBLISHER ? pacing_share(windows, kind) : 0);
    return rest < 0 ? 0 : rest; /* not fmax(): calls that were not counted are to stay unknown */
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
    cell_metric(cell, "samples", windows->paced.messages[SUBSCRIBER]);
    cell_metric(cell, "saturated_samples", windows->saturated.messages[SUBSCRIBER]);
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
