/* PACE: slow subscribers, within their backlogs; what is beyond these is in full.c. */
#include "backlog.h"
#include "full.h"

static bool set_delay(stage *self, const actor *subscriber, double seconds)
{
    const ipcmark_handler_options options = {.delay_us = (unsigned)(seconds * 1e6)};
    stage_log(self, "%s takes %.1f s for a message", subscriber->name, seconds);
    return stage_await(self, ipcmark_handler(self->trial, subscriber->endpoint, &options), IPCMARK_HUNG);
}

/* How long subscriber 1 is in its handler, on this machine. Not as far as other times: it passes in any case. */
static double busy_seconds(const stage *self)
{
    const double scale = ipcmark_session_scale(self->session);
    return stage_amount(self, 3, 2, 10) * (scale < 3 ? scale : 3);
}

/* For what stretches a bound by itself. */
static double unstretched(const stage *self, double seconds)
{
    return seconds / ipcmark_session_scale(self->session);
}

/* As many as are within any backlog, while subscriber 1 is busy with the first of them: sent in the first half of that
 * time, and none may take as long as the other half. */
static bool play_slow_one(stage *self)
{
    const double half = busy_seconds(self) / 2;
    const ipcmark_publish_options stream = {.count = 100, .rate = 100 / half};
    actor *const publisher = &self->publishers[0], *const slow = &self->subscribers[0];
    double held_up;
    self->demands.min_must = 2 * stream.count;
    if (!stage_cast(self, 1, 3) || !set_delay(self, slow, busy_seconds(self)))
        return false;
    self->from_ns = ipcmark_now_ns();
    if (!stage_publish_begin(self, publisher, &stream) || !ipcmark_wait(self->trial, (unsigned)(half * 1e3)) ||
        !backlog_end(self, publisher, unstretched(self, half), &held_up,
                     "the last message was due, while subscriber 1 was slow"))
        return false;
    self->until_ns = ipcmark_now_ns();
    return set_delay(self, slow, 0) && stage_drain(self);
}

static void examine_slow_one(stage *self, const struct ipcmark_history *history)
{
    const double bound = unstretched(self, busy_seconds(self) / 2);
    double longest = 0;
    for (size_t i = 1; i < self->subscriber_count && self->until_ns != 0; ++i) {
        const double delay =
            stage_examine_delays(self, history, &self->subscribers[i], bound, "while subscriber 1 was in its handler");
        longest = delay > longest ? delay : longest;
    }
    stage_figure(self, "longest delay beside a slow subscriber", longest, "s");
}

/* Counting meanwhile: where nobody is told of a disconnect, a count that falls tells it. */
static bool play_long_handler(stage *self)
{
    enum { PING_MS = 200 };
    const unsigned intervals = stage_amount(self, 12, 7, 60);
    const ipcmark_publish_options fresh = {.count = 20};
    const actor *const publisher = &self->publishers[0];
    stage_cast_bare(self, 1, 2);
    self->publishers[0].ping_interval_ms = PING_MS;
    self->subscribers[0].ping_interval_ms = self->subscribers[1].ping_interval_ms = PING_MS;
    self->demands.min_must = fresh.count;
    if (!stage_start(self, &self->publishers[0]) || !stage_start(self, &self->subscribers[0]) ||
        !stage_start(self, &self->subscribers[1]) || !stage_open_all(self) || !stage_settle(self) ||
        !set_delay(self, &self->subscribers[0], intervals * PING_MS * 1e-3) ||
        !stage_publish(self, &self->publishers[0], &(ipcmark_publish_options){.count = 1}))
        return false;
    for (unsigned i = 0; i < intervals; ++i)
        if (!ipcmark_wait(self->trial, PING_MS) ||
            (stage_claims(self, IPCMARK_CAP_PEERS) &&
             !stage_await(self, ipcmark_peers(self->trial, publisher->endpoint), IPCMARK_COUNT)))
            return false;
    return set_delay(self, &self->subscribers[0], 0) && stage_drain(self) && stage_settle(self) &&
           stage_publish_all(self, &fresh) && stage_drain(self);
}

/* As many bytes in all where only smaller messages are taken, within reason. */
static bool play_outrun(stage *self)
{
    enum { MOST_TIMES = 32 };
    size_t sizes[] = {65536, 4096, 65536, 60000}, asked = 0, taken = 0;
    const size_t limit = (size_t)self->implementation->max_message_bytes;
    for (size_t i = 0; i < COUNT_OF(sizes); ++i) {
        asked += sizes[i];
        sizes[i] = limit != 0 && limit < sizes[i] ? limit : sizes[i];
        taken += sizes[i];
    }
    const size_t times = asked / taken < MOST_TIMES ? asked / taken : MOST_TIMES;
    const ipcmark_publish_options flood = {.count = times * stage_amount(self, 640, 320, 6400),
                                           .sizes = sizes,
                                           .sizes_count = COUNT_OF(sizes),
                                           .overwrite = true};
    actor *const publisher = &self->publishers[0], *const subscriber = &self->subscribers[0];
    self->demands.min_must = flood.count;
    return stage_cast(self, 1, 1) && backlog_stall(self, subscriber) && stage_publish_begin(self, publisher, &flood) &&
           ipcmark_wait(self->trial, 700) && backlog_release(self, subscriber) && stage_publish_end(self, publisher) &&
           stage_drain(self);
}

static const clause clauses[] = {
    {"PACE-001", .publishers = 1, .subscribers = 3, .play = play_slow_one, .examine = examine_slow_one, .seconds = 4,
     .promise = "A slow subscriber delays neither the publisher nor the others while it is within its backlog."},
    {"PACE-002", .publishers = 1, .subscribers = 2, .play = play_long_handler, .needs = IPCMARK_CAP_PING, .seconds = 3,
     .promise = "A handler that runs for many ping intervals does not cost its subscriber the connection."},
    {"PACE-003", .publishers = 1, .subscribers = 1, .play = play_outrun, .needs = IPCMARK_CAP_WHEN_FULL_BLOCK,
     .seconds = 2, .promise = "A publisher may outrun a subscriber far, and nothing is lost."},
    {"PACE-004", .publishers = 1, .subscribers = 2, .play = full_play_block, .needs = IPCMARK_CAP_WHEN_FULL_BLOCK,
     .message_bytes = BACKLOG_MESSAGE, .seconds = 4,
     .promise = "Where a backlog is full publish waits, and goes on when the subscriber reads again."},
    {"PACE-005", .publishers = 1, .subscribers = 2, .play = full_play_fail, .needs = IPCMARK_CAP_WHEN_FULL_FAIL,
     .message_bytes = BACKLOG_MESSAGE, .seconds = 4,
     .promise =
         "Where a backlog is full publish fails with EAGAIN, nobody receives that message, and later ones pass."},
    {"PACE-006", .publishers = 1, .subscribers = 2, .play = full_play_drop, .examine = full_examine_drop,
     .needs = IPCMARK_CAP_WHEN_FULL_DROP_REPORTED | IPCMARK_CAP_PEERS | IPCMARK_CAP_PEER_EVENTS,
     .message_bytes = BACKLOG_MESSAGE, .seconds = 5,
     .promise = "A subscriber whose backlog is full is disconnected and told so, and the others lose nothing."},
    {"PACE-007", .publishers = 1, .subscribers = 2, .play = full_play_memory, .message_bytes = BACKLOG_MESSAGE,
     .seconds = 4, .promise = "A subscriber that does not read costs a bounded amount of memory."},
    {"PACE-008", .publishers = 1, .subscribers = 2, .play = full_play_killed, .needs = IPCMARK_CAP_WHEN_FULL_BLOCK,
     .message_bytes = BACKLOG_MESSAGE, .seconds = 4,
     .promise = "A publish that waits for a subscriber goes on when that one is killed."},
    {"PACE-009", .publishers = 1, .subscribers = 2, .play = full_play_limit, .examine = full_examine_limit,
     .message_bytes = BACKLOG_MESSAGE, .seconds = 4,
     .promise = "Where a backlog is full nothing is lost in silence: publish waits or fails, or a disconnect is "
                "reported."},
};

const clause_group pace_clauses = {clauses, COUNT_OF(clauses)};
