/* target-wakeup: one way to a reader that sleeps. Each message is sent only once the kernel says that the reader's
 * thread sleeps, and the reader counts the messages before which it really had given up its CPU. */
#include "cast.h"
#include "targets.h"

enum { WARM_UP = 20, LEAD = 5, COUNT = 200, GAP_US = 2000 };

static int measure(struct cast *cast)
{
    struct cell *cell = cast->cell;
    ipcmark_participant *reader = cast->subscribers[0];
    ipcmark_call *received;
    cJSON *pace = cast_add(cast_number("count", LEAD + COUNT), "gap_us", GAP_US);
    double slept;

    if (cast_do(cast, reader, "receiver", cast_place(cast, "there", "time")) < 0 ||
        cast_do(cast, cast->publisher, "sender", cast_place(cast, "there", "")) < 0)
        goto out;
    received = cast_ask(reader, "receive", cast_number("count", WARM_UP));
    if (cast_do(cast, cast->publisher, "send", cast_number("count", WARM_UP)) < 0 || cast_await(cast, received) < 0)
        goto out;
    cast_add(pace, "reader_pid", ipcmark_participant_pid(reader));
    cast_add(pace, "reader_thread", ipcmark_reply_number(received, "thread", 0));
    cell->line_before_ns = bench_line_ns(cast->bench);
    received = cast_ask(reader, "receive", cast_add(cast_number("count", LEAD + COUNT), "lead", LEAD));
    if (cast_do(cast, cast->publisher, "pace", pace) < 0)
        return -1;
    if (cast_await(cast, received) < 0)
        return -1;
    cell->line_after_ns = bench_line_ns(cast->bench);
    slept = ipcmark_reply_number(received, "slept", 0);
    if (slept != COUNT)
        return cell_fail(cell, "the reader had slept before %.0f of %d messages only", slept, COUNT);
    cell_metric(cell, "slept", slept);
    return cell_histogram(cell, cJSON_Duplicate(cJSON_GetObjectItem(received->reply, "histogram"), true), 1);
out:
    cJSON_Delete(pace);
    return -1;
}

int targets_wakeup(struct bench *bench, struct cell *cell)
{
    struct cast cast;
    int result = cast_open(&cast, bench, cell, 1);

    if (result == 0)
        result = measure(&cast);
    cast_close(&cast);
    return result;
}
