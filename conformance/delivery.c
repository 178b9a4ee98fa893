/* DEL: delivery. */
#include "memory.h"
#include "stage.h"

enum { MEBIBYTE = 1048576, GIBIBYTE = 1024 * MEBIBYTE, LARGE_LEAST = 2 * MEBIBYTE, LARGE_MOST = 64 * MEBIBYTE };

static const unsigned quick_ping_ms = 100;
static const size_t mixed_sizes[] = {100, 64, 4096, 333, 1024, 48, 2000, 512};

static bool play_fan(stage *self, unsigned publishers, unsigned subscribers, unsigned count)
{
    const ipcmark_publish_options options = {
        .count = count, .sizes = mixed_sizes, .sizes_count = COUNT_OF(mixed_sizes), .overwrite = true};
    self->demands.min_must = (uint64_t)publishers * subscribers * count / 2;
    return stage_cast(self, publishers, subscribers) && stage_publish_all(self, &options) && stage_drain(self);
}

static bool play_one_to_one(stage *self)
{
    return play_fan(self, 1, 1, stage_either(self, 20000, 5000));
}

static bool play_fan_out(stage *self)
{
    return play_fan(self, 1, 4, stage_either(self, 10000, 2000));
}

static bool play_fan_in(stage *self)
{
    return play_fan(self, 4, 1, stage_either(self, 10000, 2000));
}

static bool play_crowd(stage *self)
{
    return play_fan(self, 8, 8, stage_either(self, 2000, 500));
}

/* Below, at and above each power of two, and the first pages; never smaller than the frame. */
static size_t list_sizes(size_t *sizes, size_t room, size_t largest)
{
    size_t count = 0;
    for (size_t power = 32; power <= largest; power *= 2)
        for (size_t size = power - 1; size <= power + 1; ++size)
            if (size >= IPCMARK_PAYLOAD_HEADER && size <= largest && count < room)
                sizes[count++] = size;
    for (size_t pages = 3; pages <= 9; pages += 2)
        for (size_t size = 4096 * pages - 1; size <= 4096 * pages + 1; ++size)
            if (size <= largest && count < room)
                sizes[count++] = size;
    return count;
}

static bool play_sizes(stage *self)
{
    const size_t limit = (size_t)self->implementation->max_message_bytes;
    size_t sizes[128];
    const size_t count = list_sizes(sizes, COUNT_OF(sizes), limit > 0 && limit < 1048576 ? limit : 1048576);
    const ipcmark_publish_options options = {
        .count = count * stage_either(self, 8, 2), .sizes = sizes, .sizes_count = count, .overwrite = true};
    self->demands.min_must = options.count / 2;
    return stage_cast(self, 1, 1) && stage_publish_all(self, &options) && stage_drain(self);
}

/* Of a message of few bytes behind its frame most parts are empty. */
static bool play_parts(stage *self)
{
    static const size_t sizes[] = {48, 49, 300, 51, 5000, 48, 70, 64};
    ipcmark_publish_options options = {.sizes = sizes, .sizes_count = COUNT_OF(sizes), .overwrite = true};
    options.count = stage_either(self, 400, 100);
    self->demands.min_must = 9 * options.count / 2;
    if (!stage_cast(self, 1, 1))
        return false;
    for (options.parts = 1; options.parts <= 9; ++options.parts)
        if (!stage_publish_all(self, &options))
            return false;
    return stage_drain(self);
}

static bool play_reused_buffer(stage *self)
{
    const ipcmark_handler_options slow = {.delay_us = 200};
    const ipcmark_publish_options options = {.count = stage_either(self, 4000, 1000),
                                             .sizes = mixed_sizes,
                                             .sizes_count = COUNT_OF(mixed_sizes),
                                             .overwrite = true};
    self->demands.min_must = options.count / 2;
    return stage_cast(self, 1, 1) &&
           stage_await(self, ipcmark_handler(self->trial, self->subscribers[0].endpoint, &slow), IPCMARK_HUNG) &&
           stage_publish_all(self, &options) && stage_drain(self);
}

/* One publisher and one subscriber with a heartbeat so short that a silence of many is soon over. */
static bool cast_quick_hearts(stage *self)
{
    if (!stage_cast_closed(self, 1, 1))
        return false;
    self->publishers[0].ping_interval_ms = self->subscribers[0].ping_interval_ms = quick_ping_ms;
    return stage_open_all(self) && stage_settle(self);
}

/* Silences shorter and longer than what an implementation may spin or poll, some longer than its ping interval. */
static bool play_bursts(stage *self)
{
    const unsigned bursts = stage_either(self, 120, 30);
    self->demands.min_must = bursts / 2;
    if (!cast_quick_hearts(self))
        return false;
    for (unsigned i = 0; i < bursts; ++i) {
        const ipcmark_publish_options options = {.count = 1 + stage_random(self, i % 2 == 0 ? 1 : 64)};
        const unsigned silence = i % 20 == 19 ? 3 * quick_ping_ms : (unsigned)stage_random(self, 30);
        stage_log(self, "burst of %llu after %u ms", (unsigned long long)options.count, silence);
        if (!ipcmark_wait(self->trial, silence) || !stage_publish(self, &self->publishers[0], &options) ||
            !stage_drain_last(self, &self->subscribers[0], &self->publishers[0], 2))
            return false;
    }
    return stage_drain(self);
}

static bool play_nobody_there(stage *self)
{
    const ipcmark_publish_options before = {.count = 100}, after = {.count = 1000};
    actor *const publisher = &self->publishers[0];
    ipcmark_call *call;
    self->demands.min_must = after.count / 2;
    if (!stage_cast_closed(self, 1, 1) || !stage_open(self, publisher))
        return false;
    call = ipcmark_publish(self->trial, publisher->endpoint, &before);
    if (!stage_await(self, call, IPCMARK_LOST))
        return false;
    if (ipcmark_reply_count(call, "published") != before.count)
        stage_object(self, IPCMARK_LOST, "with nobody connected, %llu of %llu publishes did not return 0",
                     (unsigned long long)(before.count - ipcmark_reply_count(call, "published")),
                     (unsigned long long)before.count);
    return stage_open(self, &self->subscribers[0]) && stage_settle(self) && stage_publish_all(self, &after) &&
           stage_drain(self);
}

static bool play_threads(stage *self)
{
    const ipcmark_publish_options options = {.count = stage_either(self, 4000, 1000),
                                             .sizes = mixed_sizes,
                                             .sizes_count = COUNT_OF(mixed_sizes),
                                             .threads = 4,
                                             .overwrite = true};
    self->demands.min_must = 2 * 2 * 4 * options.count / 2;
    return stage_cast(self, 2, 2) && stage_publish_all(self, &options) && stage_drain(self);
}

static bool play_short_lives(stage *self)
{
    const ipcmark_publish_options options = {.count = 3};
    const unsigned lives = stage_either(self, 50, 15);
    actor *const publisher = &self->publishers[0], *const subscriber = &self->subscribers[0];
    self->demands.min_must = lives * options.count / 2;
    if (!stage_cast_closed(self, 1, 1) || !stage_open(self, subscriber))
        return false;
    for (unsigned i = 0; i < lives; ++i)
        if (!stage_open(self, publisher) || !stage_settle(self) || !stage_publish(self, publisher, &options) ||
            !stage_close(self, publisher) || !stage_drain_last(self, subscriber, publisher, 0) || !stage_settle(self))
            return false;
    return true;
}

/* Without a part there is no room for a frame, and the options of publish know no such message: asked for by itself. */
static bool publish_no_parts(stage *self, unsigned count)
{
    const double sizes[] = {0};
    cJSON *fields = cJSON_CreateObject();
    cJSON_AddNumberToObject(fields, "endpoint", self->publishers[0].endpoint);
    cJSON_AddNumberToObject(fields, "count", count);
    cJSON_AddNumberToObject(fields, "threads", 1);
    cJSON_AddNumberToObject(fields, "parts", 0);
    cJSON_AddItemToObject(fields, "sizes", cJSON_CreateDoubleArray(sizes, 1));
    return stage_await(self, ipcmark_request(self->publishers[0].participant, "publish", fields, 0), IPCMARK_LOST);
}

static bool play_empty(stage *self)
{
    static const size_t sizes[] = {64, 0, 64, 1, 100, 2, 3, 64, 7, 8, 9, 48, 15, 16, 17, 64, 31, 32, 33, 100, 47, 48};
    const ipcmark_publish_options options = {
        .count = 2 * COUNT_OF(sizes), .sizes = sizes, .sizes_count = COUNT_OF(sizes), .overwrite = true};
    const unsigned rounds = stage_either(self, 16, 4);
    self->demands.min_must = rounds * options.count / 2;
    if (!stage_cast(self, 1, 1))
        return false;
    for (unsigned i = 0; i < rounds; ++i) {
        if (!stage_publish_all(self, &options))
            return false;
        if (stage_claims(self, IPCMARK_CAP_MULTIPART) && !publish_no_parts(self, 3))
            return false;
    }
    return stage_drain(self);
}

/* ---- at the limits ------------------------------------------------------------------------------------------------
 */

/* More than a counter of 16 bits holds, twice where there is time: once as it flows, and once while the subscribers are
 * busy with other things, so that as many lie unread where the implementation has room for them. */
static bool play_counters(stage *self)
{
    const ipcmark_publish_options options = {.count = 70000, .overwrite = true, .deadline_seconds = 60};
    const ipcmark_handler_options busy = {.delay_us = 20000}, idle = {0};
    const unsigned free_rounds = stage_amount(self, 1, 0, 4);
    self->demands.min_must = (free_rounds + 1) * self->clause->subscribers * options.count / 2;
    if (!stage_cast(self, self->clause->publishers, self->clause->subscribers))
        return false;
    for (unsigned i = 0; i < free_rounds; ++i)
        if (!stage_publish_all(self, &options) || !stage_drain(self))
            return false;
    /* Who would not wait for them in publish may drop what they do not take, and that is not what this is about. */
    if (!stage_claims(self, IPCMARK_CAP_WHEN_FULL_BLOCK))
        return stage_publish_all(self, &options) && stage_drain(self);
    for (size_t i = 0; i < self->subscriber_count; ++i)
        if (!stage_await(self, ipcmark_handler(self->trial, self->subscribers[i].endpoint, &busy), IPCMARK_HUNG))
            return false;
    if (!stage_publish_begin_all(self, &options) || !ipcmark_wait(self->trial, 300))
        return false;
    for (size_t i = 0; i < self->subscriber_count; ++i)
        if (!stage_await(self, ipcmark_handler(self->trial, self->subscribers[i].endpoint, &idle), IPCMARK_HUNG))
            return false;
    return stage_publish_end_all(self) && stage_drain(self);
}

/* A message exists several times while it is on its way: at the publisher, in between, at the subscriber; and whoever
 * doubles its buffers takes twice what it needs. */
static bool fits_in_memory(stage *self, size_t bytes)
{
    const uint64_t available = memory_available();
    if (available == 0 || bytes < available / 8)
        return true;
    stage_log(self, "no message of %zu bytes: only %llu bytes of memory are available", bytes,
              (unsigned long long)available);
    return false;
}

/* Below, at and above a power of two; in a quick run one of these. */
static bool pass_around(stage *self, size_t power)
{
    const size_t limit = (size_t)self->implementation->max_message_bytes;
    size_t sizes[3], count = 0;
    ipcmark_publish_options options = {.sizes = sizes, .overwrite = true, .deadline_seconds = 60};
    for (size_t size = power - 1; size <= power + 1; ++size)
        if (limit == 0 || size <= limit)
            sizes[count++] = size;
    if (count == 0 || !fits_in_memory(self, power))
        return true;
    if (self->effort == EFFORT_QUICK) {
        sizes[0] = sizes[stage_random(self, count)];
        count = 1;
    }
    options.count = options.sizes_count = count;
    self->demands.min_must += count;
    stage_log(self, "%zu messages around %zu bytes", count, power);
    return stage_publish(self, &self->publishers[0], &options) && stage_drain(self);
}

static bool play_large(stage *self)
{
    const size_t limit = (size_t)self->implementation->max_message_bytes, huge[] = {GIBIBYTE};
    const ipcmark_publish_options one = {
        .count = 1, .sizes = huge, .sizes_count = 1, .overwrite = true, .deadline_seconds = 120};
    if (!stage_cast(self, 1, 1))
        return false;
    for (size_t power = LARGE_LEAST; power <= LARGE_MOST; power *= 2)
        if (!pass_around(self, power))
            return false;
    if (self->effort == EFFORT_THOROUGH && (limit == 0 || limit >= GIBIBYTE) && fits_in_memory(self, GIBIBYTE)) {
        stage_log(self, "one message of %zu bytes", huge[0]);
        ++self->demands.min_must;
        if (!stage_publish(self, &self->publishers[0], &one) ||
            !stage_drain_last(self, &self->subscribers[0], &self->publishers[0], 120))
            return false;
    }
    return self->demands.min_must > 0; /* else there was no memory for any of them */
}

/* A count of parts may be held in 8 bits, and a system call takes 1,024 pieces at most. Of a message of 48 bytes all
 * parts but the first are empty. */
static bool play_part_limits(stage *self)
{
    static const unsigned parts[] = {1, 255, 256, 257, 1000, 1, 1023, 1024, 1025};
    static const size_t sizes[] = {48, 1048, 48, 5000, 65536, 1072};
    ipcmark_publish_options options = {.sizes = sizes, .sizes_count = COUNT_OF(sizes), .overwrite = true};
    const unsigned rounds = stage_either(self, 4, 1);
    options.count = 2 * COUNT_OF(sizes);
    self->demands.min_must = rounds * COUNT_OF(parts) * options.count / 2;
    if (!stage_cast(self, 1, 1))
        return false;
    for (unsigned i = 0; i < rounds * COUNT_OF(parts); ++i) {
        options.parts = parts[i % COUNT_OF(parts)];
        if (!stage_publish(self, &self->publishers[0], &options))
            return false;
        if (stage_claims(self, IPCMARK_CAP_EMPTY_MESSAGE) && !publish_no_parts(self, 2))
            return false;
    }
    return stage_drain(self);
}

/* Nothing is asked of anybody in the silence. Only when the message has arrived is it asked who is still there. */
static bool play_long_silence(stage *self)
{
    const ipcmark_publish_options some = {.count = 20}, one = {.count = 1};
    const unsigned silence_ms = stage_amount(self, 5000, 1200, 60000);
    actor *who;
    self->demands.min_must = some.count;
    if (!cast_quick_hearts(self) || !stage_publish(self, &self->publishers[0], &some) || !stage_drain(self))
        return false;
    stage_log(self, "%u ms of silence", silence_ms);
    if (!ipcmark_wait(self->trial, silence_ms))
        return false;
    self->from_ns = ipcmark_now_ns();
    if (!stage_publish(self, &self->publishers[0], &one) ||
        !stage_drain_last(self, &self->subscribers[0], &self->publishers[0], 2))
        return false;
    self->until_ns = ipcmark_now_ns();
    for (size_t i = 0; stage_claims(self, IPCMARK_CAP_PEERS) && (who = stage_actor(self, i)) != NULL; ++i) {
        ipcmark_call *call = ipcmark_peers(self->trial, who->endpoint);
        if (!stage_await(self, call, IPCMARK_COUNT))
            return false;
        if (ipcmark_reply_count(call, "count") != 1)
            return stage_object(self, IPCMARK_DISCONNECT, "%s counts %llu peers instead of 1 after %u ms of silence",
                                who->name, (unsigned long long)ipcmark_reply_count(call, "count"), silence_ms);
    }
    return stage_drain(self);
}

static void examine_silence(stage *self, const struct ipcmark_history *history)
{
    const double delay =
        stage_examine_delays(self, history, &self->subscribers[0], 1, "as the first after a long silence");
    stage_figure(self, "delay after the silence", delay, "s");
}

static const clause clauses[] = {
    {"DEL-001", .publishers = 1, .subscribers = 1, .play = play_one_to_one,
     .promise = "One publisher's messages reach one subscriber exactly once, in order and intact."},
    {"DEL-002", .publishers = 1, .subscribers = 4, .play = play_fan_out,
     .promise = "One publisher's messages reach each of four subscribers exactly once, in order and intact."},
    {"DEL-003", .publishers = 4, .subscribers = 1, .play = play_fan_in,
     .promise = "Four publishers' messages reach one subscriber exactly once, each publisher's in order, and intact."},
    {"DEL-004", .publishers = 8, .subscribers = 8, .play = play_crowd, .heavy = true,
     .promise = "Eight publishers' messages reach each of eight subscribers exactly once, in order and intact."},
    {"DEL-005", .publishers = 1, .subscribers = 1, .play = play_sizes, .message_bytes = 1048576,
     .promise = "Messages of every size arrive intact, around each power of two and each page boundary."},
    {"DEL-006", .publishers = 1, .subscribers = 1, .play = play_parts, .needs = IPCMARK_CAP_MULTIPART,
     .promise = "The boundaries between the parts of a message are kept, those of empty parts too."},
    {"DEL-007", .publishers = 1, .subscribers = 1, .play = play_reused_buffer,
     .promise = "The caller may change its buffer as soon as publish has returned."},
    {"DEL-008", .publishers = 1, .subscribers = 1, .play = play_bursts,
     .promise = "A burst after silence wakes the subscriber: no message waits for the next one."},
    {"DEL-009", .publishers = 1, .subscribers = 1, .play = play_nobody_there,
     .promise = "Publishing with nobody connected succeeds, and a later subscriber receives no history and everything "
                "after it is ready."},
    {"DEL-010", .publishers = 2, .subscribers = 2, .play = play_threads, .needs = IPCMARK_CAP_THREADS,
     .promise = "Threads that publish on one publisher each keep their own order."},
    {"DEL-011", .publishers = 1, .subscribers = 1, .play = play_short_lives,
     .promise = "The first message after ready and the last before close are not lost."},
    {"DEL-012", .publishers = 1, .subscribers = 1, .play = play_empty, .needs = IPCMARK_CAP_EMPTY_MESSAGE,
     .promise = "Messages without bytes and without parts arrive, in their place."},
    {"DEL-013", .publishers = 1, .subscribers = 2, .play = play_counters, .seconds = 2,
     .promise = "What comes behind the 65,536th message of a thread arrives like what came before."},
    {"DEL-014", .publishers = 1, .subscribers = 1, .play = play_large, .message_bytes = LARGE_MOST + 1,
     .thorough_bytes = GIBIBYTE, .least_limit = LARGE_LEAST, .seconds = 4,
     .promise = "Large messages arrive intact, up to the largest that the implementation takes."},
    {"DEL-015", .publishers = 1, .subscribers = 1, .play = play_part_limits, .needs = IPCMARK_CAP_MULTIPART,
     .promise = "A message may have a thousand parts, and all of them but the first may be empty."},
    {"DEL-016", .publishers = 1, .subscribers = 1, .play = play_long_silence, .examine = examine_silence, .seconds = 6,
     .promise = "After a long silence nobody has been disconnected, and the next message arrives at once."},
};

const clause_group delivery_clauses = {clauses, COUNT_OF(clauses)};
