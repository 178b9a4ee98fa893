/* throughput, size, fanout, fanin, mesh: as fast as publish returns, counted at the slowest subscriber from the first
 * publish until a publisher has stopped: what is in a backlog then has not been delivered, and what arrives afterwards
 * is no throughput. */
#include "../limits/cpus.h"
#include "rounds.h"
#include "scene.h"

static const double WARM_UP_SECONDS = 0.05;
enum { LARGE = 1 << 20, WARM_UP_LARGE = 8 }; /* beyond it, so many: what a driver holds of them has been touched then */
enum { ROUND_MESSAGES = 50 };                /* at least, so that the one at either end does not matter */
enum { SLOWER = 10 };                        /* than the warm-up: then a round hangs */

/* From the start of the first publish until the first publisher stopped. */
struct round_of {
    double seconds, sent, retries;
    double messages; /* that the slowest subscriber had by then */
};

/* There is nothing on the way when a round begins, so what arrives was sent in it; and the clock does not wait for a
 * subscriber that is late to begin. */
static int stream_once(struct scene *scene, const ipcmark_publish_options *options, struct round_of *out)
{
    struct round_of round = {0};
    struct sent sent;

    if (scene_publish(scene, options, &sent) < 0)
        return -1;
    round.seconds = ((double)sent.last_ns - (double)sent.first_ns) / 1e9;
    round.messages = round.sent = sent.messages;
    round.retries = sent.retries;
    for (unsigned i = 0; i < scene->subscriber_count; ++i) {
        const ipcmark_call *stats;
        double messages;
        if (scene_stats(scene, scene->subscribers[i], sent.messages, sent.last_ns, &stats) < 0 ||
            scene_reset(scene, scene->subscribers[i]) < 0)
            return -1;
        messages = cJSON_GetNumberValue(cJSON_GetObjectItem(cJSON_GetObjectItem(stats->reply, "window"), "messages"));
        round.messages = messages < round.messages ? messages : round.messages;
    }
    *out = round;
    return 0;
}

/* No round is left out for what came of it. */
static int measure_rounds(struct scene *scene, struct rounds *rounds, ipcmark_publish_options *options)
{
    struct cell *cell = scene->cell;
    double messages = 0, sent = 0, retries = 0, rate;

    while (rounds_wanted(rounds, scene->bench->seconds)) {
        struct round_of round;
        if (stream_once(scene, options, &round) < 0)
            return -1;
        rounds_add(rounds, round.seconds, round.seconds > 0 ? round.messages / round.seconds : 0, NULL);
        messages += round.messages;
        sent += round.sent;
        retries += round.retries;
    }
    rate = rounds_median(rounds, rounds_choose(rounds, cell));
    if (!(rate > 0))
        return cell_fail(cell, "in half of the rounds not one message had arrived when the publisher stopped");
    cell_metric(cell, "messages_per_second", rate);
    cell_metric(cell, "bytes_per_second", rate * (double)cell->row->size);
    if (row_is_pinned(cell->row))
        rounds_add_classes(rounds, cell, "messages_per_second");
    cell_metric(cell, "sent", sent);
    cell_metric(cell, "retries", retries);
    cell_metric(cell, "samples", messages);
    cell->headline_ns = 1e9 / rate;
    return 0;
}

/* Long enough for each process to have its turns on a CPU that it may run on; or, of messages that take long, until
 * there are some, however long that is. Going by the warm-up, which may have gone into a backlog faster than any round
 * will. */
static void plan_round(const struct scene *scene, double rate, ipcmark_publish_options *options)
{
    int first, second;
    const int cpus = cpus_choose(&first, &second);
    const double processes = scene->publisher_count + scene->subscriber_count;
    const double seconds = rounds_seconds * (cpus > 0 && processes > cpus ? processes / cpus : 1);

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
    if (scene_publish(scene, &options, &sent) < 0 || scene_begin(scene, sent.messages) < 0)
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
