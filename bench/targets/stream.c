/* target-stream: so many messages, as fast as they can be sent, from before the first one is until the receiver has
 * looked at the last: who begins late, or lets a backlog gather, is as slow as that made it. target-fanout: likewise to
 * several receivers, for the publisher's CPU time. */
#include <string.h>

#include "../rows/rounds.h"
#include "cast.h"
#include "targets.h"

enum {
    WARM_UP_BYTES = 16 << 20,
    WARM_UP_MOST = 20000,
    FEWEST = 50,
    MOST = 4000000,
    FANOUT_COUNT = 36,
    FANOUT_LEAD = 4,
    FANOUT_READS = 8 /* of every message, by all subscribers together */
};
enum { READERS_SPIN_US = 1000 };
static const double MOST_SLEEPS = 0.25;

struct burst {
    double seconds; /* from before the first message until the last receiver had looked at the last one */
    double cpu_ns;  /* of the publisher, for the messages after the lead */
    double slept;   /* of these, before which a receiver had slept */
};

static bool is_fanout(const struct cast *cast)
{
    return cast->cell->row->family == ROW_TARGET_FANOUT;
}

static int connect_all(struct cast *cast)
{
    for (unsigned i = 0; i < cast->count; ++i) {
        cJSON *place = cast_place(cast, "there", is_fanout(cast) ? "read" : "count");
        cast_add(place, "gather", 1);
        cast_add(place, "spin_us", is_fanout(cast) ? READERS_SPIN_US : 0);
        cast_add(place, "reads", is_fanout(cast) && cast->count < FANOUT_READS ? FANOUT_READS / cast->count : 1);
        if (cast_do(cast, cast->subscribers[i], "receiver", place) < 0)
            return -1;
    }
    return cast_do(cast, cast->publisher, "sender", cast_add(cast_place(cast, "there", ""), "peers", cast->count));
}

static cJSON *round_fields(uint64_t count, uint64_t lead)
{
    return cast_add(cast_number("count", (double)count), "lead", (double)lead);
}

static int send_once(struct cast *cast, uint64_t count, uint64_t lead, struct burst *burst)
{
    ipcmark_call *received[CAST_SUBSCRIBERS] = {NULL}, *sent;
    int result;

    *burst = (struct burst){0};
    for (unsigned i = 0; i < cast->count; ++i)
        received[i] = cast_ask(cast->subscribers[i], "receive", round_fields(count, lead));
    sent = cast_ask(cast->publisher, "send", round_fields(count, lead));
    result = cast_await(cast, sent);
    for (unsigned i = 0; i < cast->count; ++i) {
        double seconds;
        if (cast_await(cast, received[i]) < 0)
            return -1;
        seconds = (ipcmark_reply_number(received[i], "end_ns", 0) - ipcmark_reply_number(sent, "first_ns", 0)) / 1e9;
        burst->seconds = seconds > burst->seconds ? seconds : burst->seconds;
        burst->slept += ipcmark_reply_number(received[i], "slept", 0);
    }
    burst->cpu_ns = ipcmark_reply_number(sent, "cpu_ns", 0);
    return result;
}

static uint64_t choose_count(double rate)
{
    double count = rate * rounds_seconds;
    return count < FEWEST ? FEWEST : count > MOST ? MOST : (uint64_t)count;
}

static int stream_rounds(struct cast *cast, struct rounds *rounds, double rate)
{
    struct cell *cell = cast->cell;
    double messages = 0;

    while (rounds_wanted(rounds, cast->bench->seconds)) {
        uint64_t count = choose_count(rate);
        struct burst burst;
        if (send_once(cast, count, 0, &burst) < 0)
            return -1;
        rate = (double)count / burst.seconds;
        rounds_add(rounds, burst.seconds, rate, NULL);
        messages += (double)count;
    }
    rate = rounds_median(rounds, rounds_choose(rounds, cell));
    cell_metric(cell, "messages_per_second", rate);
    cell_metric(cell, "bytes_per_second", rate * (double)cell->row->size);
    rounds_add_classes(rounds, cell, "messages_per_second");
    cell_metric(cell, "samples", messages);
    cell->headline_ns = 1e9 / rate;
    return 0;
}

static int fanout_rounds(struct cast *cast, struct rounds *rounds)
{
    struct cell *cell = cast->cell;
    double messages = 0, slept = 0;

    while (rounds_wanted(rounds, cast->bench->seconds)) {
        struct burst burst;
        if (send_once(cast, FANOUT_COUNT, FANOUT_LEAD, &burst) < 0)
            return -1;
        rounds_add(rounds, burst.seconds, burst.cpu_ns / (FANOUT_COUNT - FANOUT_LEAD), NULL);
        messages += FANOUT_COUNT - FANOUT_LEAD;
        slept += burst.slept / cast->count;
    }
    /* Waking up its reader would be in the base, and make several look cheap. */
    if (cast->count == 1 && slept > MOST_SLEEPS * messages)
        return cell_fail(cell, "the reader, which is to be awake, slept before %.0f of %.0f messages", slept, messages);
    cell->headline_ns = rounds_median(rounds, rounds_choose(rounds, cell));
    cell_metric(cell, "publisher_cpu_ns", cell->headline_ns);
    rounds_add_classes(rounds, cell, "publisher_cpu_ns");
    cell_metric(cell, "samples", messages);
    cell_metric(cell, "sleeps_per_message", slept / messages);
    return 0;
}

static int measure(struct cast *cast)
{
    uint64_t warm_up = WARM_UP_BYTES / cast->cell->row->size;
    struct rounds rounds;
    struct burst burst;
    int result;

    warm_up = warm_up > WARM_UP_MOST ? WARM_UP_MOST : warm_up;
    if (connect_all(cast) < 0 || send_once(cast, warm_up, 0, &burst) < 0)
        return -1;
    rounds_begin(&rounds, cast->bench);
    result =
        is_fanout(cast) ? fanout_rounds(cast, &rounds) : stream_rounds(cast, &rounds, (double)warm_up / burst.seconds);
    rounds_end(&rounds);
    return result;
}

int targets_stream(struct bench *bench, struct cell *cell)
{
    struct cast cast;
    int result = cast_open(&cast, bench, cell, cell->row->subscribers);

    if (result == 0)
        result = measure(&cast);
    cast_close(&cast);
    return result;
}
