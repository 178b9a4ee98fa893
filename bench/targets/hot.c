/* target-hot: half a round trip with both sides awake. A message goes there, its handler answers, the handler of the
 * answer sends the next one; timed trip by trip. As `hot` of the harness, but for what lies between. */
#include "../rows/rounds.h"
#include "cast.h"
#include "targets.h"

enum { WARM_UP = 2000, LEAD = 50, FEWEST = 300, MOST = 250000, WAYS = 2 };

static int connect_both(struct cast *cast)
{
    ipcmark_participant *ping = cast->publisher, *pong = cast->subscribers[0];
    ipcmark_call *kicked;

    if (cast_do(cast, pong, "receiver", cast_place(cast, "there", "pong")) < 0 ||
        cast_do(cast, ping, "receiver", cast_place(cast, "back", "ping")) < 0 ||
        cast_do(cast, ping, "sender", cast_place(cast, "there", "")) < 0 ||
        cast_do(cast, pong, "sender", cast_place(cast, "back", "")) < 0)
        return -1;
    /* What sets it going: from now on only handlers send. */
    kicked = cast_ask(ping, "receive", cast_number("count", 1));
    if (cast_do(cast, pong, "send", cast_number("count", 1)) < 0)
        return -1;
    return cast_await(cast, kicked);
}

static int play(struct cast *cast, uint64_t count, ipcmark_call **out)
{
    ipcmark_call *answered = cast_ask(cast->subscribers[0], "receive", cast_number("count", (double)count));
    ipcmark_call *played =
        cast_ask(cast->publisher, "receive", cast_add(cast_number("count", (double)count), "lead", LEAD));
    int result = cast_await(cast, played);

    *out = played;
    return cast_await(cast, answered) < 0 ? -1 : result;
}

static double seconds_of(const ipcmark_call *call)
{
    return (double)(call->ended_ns - call->begun_ns) / 1e9;
}

static uint64_t choose_count(const ipcmark_call *before, uint64_t count_before)
{
    double count = rounds_seconds / (seconds_of(before) / (double)count_before);
    return count < FEWEST ? FEWEST : count > MOST ? MOST : (uint64_t)count;
}

static int measure_rounds(struct cast *cast, struct rounds *rounds, uint64_t count)
{
    struct cell *cell = cast->cell;
    ipcmark_call *call;
    cJSON *merged;

    while (rounds_wanted(rounds, cast->bench->seconds)) {
        if (play(cast, count, &call) < 0)
            return -1;
        rounds_add(rounds, seconds_of(call), 0, cJSON_Duplicate(cJSON_GetObjectItem(call->reply, "histogram"), true));
        count = choose_count(call, count);
    }
    merged = rounds_merge(rounds, rounds_choose(rounds, cell));
    rounds_add_class_times(rounds, cell, WAYS);
    return cell_histogram(cell, merged, WAYS);
}

static int measure(struct cast *cast)
{
    struct rounds rounds;
    ipcmark_call *warm_up;
    int result;

    if (connect_both(cast) < 0 || play(cast, WARM_UP, &warm_up) < 0)
        return -1;
    rounds_begin(&rounds, cast->bench);
    result = measure_rounds(cast, &rounds, choose_count(warm_up, WARM_UP));
    rounds_end(&rounds);
    return result;
}

int targets_hot(struct bench *bench, struct cell *cell)
{
    struct cast cast;
    int result = cast_open(&cast, bench, cell, 1);

    if (result == 0)
        result = measure(&cast);
    cast_close(&cast);
    return result;
}
