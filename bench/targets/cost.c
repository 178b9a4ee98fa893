/* target-idle: what a connected pair that sends nothing costs in CPU time. target-pairs: what one more pair costs in
 * memory and descriptors. */
#include <math.h>

#include <ipcmark/journal.h>

#include "../rows/account.h"
#include "cast.h"
#include "targets.h"

enum { PING_MS = 1000, MESSAGES = 100, SETTLE_MS = 1100 };
static const double periods_a_cell_second = 10 / 0.35; /* ten pings for a cell of the usual length */

static int stay_idle(struct cast *cast)
{
    double periods = ceil(cast->bench->seconds * periods_a_cell_second), start, elapsed, publisher, subscriber;
    struct cell *cell = cast->cell;

    if (!ipcmark_wait(cast->trial, SETTLE_MS))
        return cell_fail(cell, "interrupted");
    start = (double)ipcmark_now_ns();
    publisher = account_cpu_ns(cast->publisher);
    subscriber = account_cpu_ns(cast->subscribers[0]);
    if (!ipcmark_wait(cast->trial, (unsigned)periods * PING_MS))
        return cell_fail(cell, "interrupted");
    publisher = account_cpu_ns(cast->publisher) - publisher;
    subscriber = account_cpu_ns(cast->subscribers[0]) - subscriber;
    elapsed = (double)ipcmark_now_ns() - start;
    if (!(publisher > 0 && subscriber > 0))
        return cell_fail(cell, "the kernel counted no CPU time at all");
    cell_metric(cell, "cpu_share", fmax(publisher, subscriber) / elapsed);
    cell_metric(cell, "publisher_cpu_ns", publisher);
    cell_metric(cell, "subscriber_cpu_ns", subscriber);
    cell_metric(cell, "seconds", elapsed / 1e9);
    cell->headline_ns = fmax(publisher, subscriber) / periods;
    return 0;
}

static int measure_idle(struct cast *cast)
{
    ipcmark_call *received;

    if (cast_do(cast, cast->subscribers[0], "receiver", cast_place(cast, "there", "count")) < 0 ||
        cast_do(cast, cast->publisher, "sender", cast_place(cast, "there", "")) < 0)
        return -1;
    received = cast_ask(cast->subscribers[0], "receive", cast_number("count", MESSAGES));
    if (cast_do(cast, cast->publisher, "send", cast_number("count", MESSAGES)) < 0 || cast_await(cast, received) < 0 ||
        cast_do(cast, cast->subscribers[0], "let_go", NULL) < 0)
        return -1;
    return stay_idle(cast);
}

int targets_idle(struct bench *bench, struct cell *cell)
{
    struct cast cast;
    int result = cast_open(&cast, bench, cell, 1);

    if (result == 0)
        result = measure_idle(&cast);
    cast_close(&cast);
    return result;
}

/* Both processes together. */
static int take_holding(struct cast *cast, struct holding *out)
{
    ipcmark_participant *const both[] = {cast->publisher, cast->subscribers[0]};

    return account_holding(cast->cell, both, 2, out);
}

/* met: publishers that each subscriber then has. */
static int add_publisher(struct cast *cast, const char *channel, unsigned peers, unsigned met, struct holding *after)
{
    cJSON *fields = cast_place(cast, channel, "");

    cast_add(cast_add(fields, "publishers", 1), "peers", peers);
    if (cast_do(cast, cast->publisher, "more", fields) < 0 ||
        cast_do(cast, cast->subscribers[0], "met", cast_number("connections", met)) < 0)
        return -1;
    return take_holding(cast, after);
}

/* The first publisher pays for what a process has once. The second one's pairs are what is counted, but for what a
 * publisher costs that has none: the third. */
static int measure_pairs(struct cast *cast)
{
    unsigned pairs = cast->cell->row->subscribers;
    struct holding before = {0}, after = {0}, alone = {0};
    double bytes, descriptors;
    cJSON *fields = cast_add(cast_place(cast, "there", ""), "subscribers", pairs);

    if (cast_do(cast, cast->subscribers[0], "more", fields) < 0 ||
        add_publisher(cast, "there", pairs, 1, &before) < 0 || add_publisher(cast, "there", pairs, 2, &after) < 0 ||
        add_publisher(cast, "nowhere", 0, 2, &alone) < 0)
        return -1;
    bytes = after.bytes - before.bytes - (alone.bytes - after.bytes);
    descriptors = after.descriptors - before.descriptors - (alone.descriptors - after.descriptors);
    cell_metric(cast->cell, "bytes_per_pair", bytes / pairs);
    cell_metric(cast->cell, "descriptors_per_pair", descriptors / pairs);
    cell_metric(cast->cell, "bytes_per_publisher", alone.bytes - after.bytes);
    cell_metric(cast->cell, "descriptors_per_publisher", alone.descriptors - after.descriptors);
    return 0;
}

int targets_pairs(struct bench *bench, struct cell *cell)
{
    struct cast cast;
    int result = cast_open(&cast, bench, cell, 1);

    if (result == 0)
        result = measure_pairs(&cast);
    cast_close(&cast);
    return result;
}
