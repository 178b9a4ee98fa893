/* DEL: delivery. */
#include "stage.h"

#define COUNT_OF(array) (sizeof(array) / sizeof(array)[0])

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

/* Silences shorter and longer than what an implementation may spin or poll, some longer than its ping interval. */
static bool play_bursts(stage *self)
{
    const unsigned bursts = stage_either(self, 120, 30);
    self->demands.min_must = bursts / 2;
    if (!stage_cast(self, 1, 1))
        return false;
    for (unsigned i = 0; i < bursts; ++i) {
        const ipcmark_publish_options options = {.count = 1 + stage_random(self, i % 2 == 0 ? 1 : 64)};
        const unsigned silence = i % 20 == 19 ? 2 * STAGE_PING_MS + 100 : (unsigned)stage_random(self, 30);
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
    static const size_t sizes[] = {64, 0, 64, 1, 100, 47, 48};
    const ipcmark_publish_options options = {
        .count = 2 * COUNT_OF(sizes), .sizes = sizes, .sizes_count = COUNT_OF(sizes), .overwrite = true};
    const unsigned rounds = stage_either(self, 50, 10);
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
};

const clause_group delivery_clauses = {clauses, COUNT_OF(clauses)};
