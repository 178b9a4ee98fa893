/* PACE: slow subscribers and full backlogs. */
#include "backlog.h"
#include "memory.h"

#include <limits.h>
#include <string.h>

static const uint64_t MiB = 1048576;

/* ---- within the backlog -------------------------------------------------------------------------------------------
 */

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

static bool play_outrun(stage *self)
{
    static const size_t sizes[] = {65536, 4096, 65536, 60000};
    const ipcmark_publish_options flood = {
        .count = stage_amount(self, 640, 320, 6400), .sizes = sizes, .sizes_count = COUNT_OF(sizes), .overwrite = true};
    actor *const publisher = &self->publishers[0], *const subscriber = &self->subscribers[0];
    self->demands.min_must = flood.count;
    return stage_cast(self, 1, 1) && backlog_stall(self, subscriber) && stage_publish_begin(self, publisher, &flood) &&
           ipcmark_wait(self->trial, 700) && backlog_release(self, subscriber) && stage_publish_end(self, publisher) &&
           stage_drain(self);
}

/* ---- beyond it: two subscribers, of which the first does not read -------------------------------------------------
 */

static bool cast_and_fill(stage *self, uint64_t most, backlog *out)
{
    self->demands.min_must = 1;
    return stage_cast(self, 1, 2) && backlog_stall(self, &self->subscribers[0]) &&
           backlog_fill(self, &self->publishers[0], &self->subscribers[1], most, out);
}

/* As the beginning of a clause on publishes that wait. False too if there is no limit to be found. */
static bool fill_until_it_waits(stage *self)
{
    backlog filled;
    if (!cast_and_fill(self, 512 * MiB, &filled))
        return false;
    if (filled.failed > 0)
        return stage_object(self, IPCMARK_LOST, "publish claims to wait where a backlog is full, and failed: %s",
                            filled.last_error);
    stage_figure(self, "backlog", (double)filled.bytes / (double)MiB, "MiB");
    return filled.waits && backlog_waits(self, &self->publishers[0]);
}

static bool play_block(stage *self)
{
    actor *const publisher = &self->publishers[0], *const slow = &self->subscribers[0];
    double took;
    if (!fill_until_it_waits(self) || !backlog_release(self, slow) ||
        !backlog_end(self, publisher, 5, &took, "the subscriber that it waits for reads again"))
        return false;
    stage_figure(self, "went on after", took, "s");
    return stage_drain(self) && stage_recover(self);
}

static bool play_killed_full(stage *self)
{
    actor *const publisher = &self->publishers[0], *const slow = &self->subscribers[0];
    double took;
    if (!fill_until_it_waits(self) || !stage_kill(self, slow) ||
        !backlog_end(self, publisher, 5, &took, "the subscriber that it waits for was killed"))
        return false;
    stage_figure(self, "went on after", took, "s");
    return stage_recover(self);
}

static bool play_fail(stage *self)
{
    actor *const publisher = &self->publishers[0], *const slow = &self->subscribers[0];
    const ipcmark_publish_options later = {.count = 100};
    backlog filled;
    double published;
    if (!cast_and_fill(self, 512 * MiB, &filled))
        return false;
    if (filled.failed == 0)
        return false;
    stage_figure(self, "backlog", (double)filled.bytes / (double)MiB, "MiB");
    if (filled.last_error[0] != '\0' && strcmp(filled.last_error, "EAGAIN") != 0)
        return stage_object(self, IPCMARK_LOST, "publish failed with %s where a backlog is full; EAGAIN says so",
                            filled.last_error);
    if (!backlog_release(self, slow) || !stage_drain_last(self, slow, publisher, 0) ||
        !stage_publish_begin(self, publisher, &later) || ipcmark_await(publisher->traffic) != IPCMARK_DONE)
        return false;
    published = ipcmark_reply_number(publisher->traffic, "published", 0);
    if (published < (double)later.count)
        stage_object(self, IPCMARK_LOST, "publish failed %.0f times after the backlog was read",
                     (double)later.count - published);
    return stage_publish_end(self, publisher) && stage_drain(self);
}

/* What it missed is excused by its overload, if it is told; it opens again to go on. */
static bool play_drop(stage *self)
{
    actor *const publisher = &self->publishers[0], *const slow = &self->subscribers[0];
    backlog filled;
    self->demands.min_must = 1;
    if (!stage_cast(self, 1, 2) || !backlog_stall(self, slow))
        return false;
    self->from_ns = ipcmark_now_ns();
    ipcmark_overload(slow->participant, true);
    if (!backlog_fill(self, publisher, &self->subscribers[1], 512 * MiB, &filled))
        return false;
    if (filled.failed > 0)
        return stage_object(self, IPCMARK_LOST,
                            "publish claims to drop a subscriber whose backlog is full, and failed: %s",
                            filled.last_error);
    if (!filled.full)
        return false;
    self->subject = slow;
    stage_figure(self, "backlog", (double)filled.bytes / (double)MiB, "MiB");
    if (!stage_drain_last(self, &self->subscribers[1], publisher, 0) || !backlog_release(self, slow) ||
        !ipcmark_wait(self->trial, STAGE_PING_MS + (unsigned)(backlog_handler_seconds(self) * 1e3)))
        return false;
    self->until_ns = ipcmark_now_ns();
    stage_excuse(self, slow);
    if (!stage_close(self, slow))
        return false;
    ipcmark_overload(slow->participant, false);
    return stage_open(self, slow) && stage_recover(self);
}

static bool was_told(const stage *self, const struct ipcmark_history *history, uint16_t endpoint)
{
    for (size_t k = 0; k < history->journal_count; ++k)
        for (size_t i = 0; i < history->journals[k].view.count; ++i) {
            const struct ipcmark_record *record = &history->journals[k].view.records[i];
            if (record->kind == IPCMARK_PEER_DOWN && record->endpoint == endpoint && record->time_ns > self->from_ns &&
                record->time_ns < self->until_ns)
                return true;
        }
    return false;
}

static void examine_drop(stage *self, const struct ipcmark_history *history)
{
    if (self->until_ns != 0 && !was_told(self, history, self->subject->endpoint))
        stage_object(self, IPCMARK_DISCONNECT, "%s was dropped, as its backlog was full, and was not told",
                     self->subject->name);
    if (self->until_ns != 0 && !was_told(self, history, self->publishers[0].endpoint))
        stage_object(self, IPCMARK_DISCONNECT, "%s was dropped, as its backlog was full, and %s was not told",
                     self->subject->name, self->publishers[0].name);
}

/* ---- whatever is claimed ------------------------------------------------------------------------------------------
 */

static uint64_t ask(stage *self, const actor *who, const char *what)
{
    ipcmark_call *call = ipcmark_stats(self->trial, who->endpoint, 0, 0, false);
    return ipcmark_await(call) == IPCMARK_DONE ? ipcmark_reply_count(call, what) : 0;
}

/* How many messages that publish took have not arrived there. */
static int64_t count_missing(stage *self, const actor *publisher, const actor *subscriber)
{
    return (int64_t)ask(self, publisher, "published") - (int64_t)ask(self, subscriber, "received");
}

/* Until no more are missing than before, or nothing has come for a while, longer than its handler was ever busy. */
static bool await_missing(stage *self, const actor *publisher, const actor *subscriber, int64_t before,
                          int64_t *missing)
{
    const double quiet = 1.5 * backlog_handler_seconds(self);
    uint64_t since_ns = ipcmark_now_ns();
    *missing = INT64_MAX;
    while (*missing > before && ipcmark_now_ns() - since_ns < (uint64_t)(quiet * 1e9)) {
        const int64_t now = count_missing(self, publisher, subscriber);
        if (now != *missing)
            since_ns = ipcmark_now_ns();
        *missing = now;
        if (!ipcmark_participant_alive(subscriber->participant) || !ipcmark_wait(self->trial, 10))
            return false;
    }
    *missing -= before;
    return true;
}

/* The counts that may say it, for the checker and for examine_limit(). */
static bool ask_for_peers(stage *self, const actor *one, const actor *other)
{
    return !stage_claims(self, IPCMARK_CAP_PEERS) ||
           (stage_await(self, ipcmark_peers(self->trial, one->endpoint), IPCMARK_COUNT) &&
            stage_await(self, ipcmark_peers(self->trial, other->endpoint), IPCMARK_COUNT));
}

/* And its publisher has counted that. */
static bool is_cut_off(const backlog *filled)
{
    return filled->full && !filled->waits && filled->failed == 0;
}

/* Who was cut off opens again to go on, as in play_drop(). */
static bool play_limit(stage *self)
{
    const ipcmark_publish_options some = {.count = 20};
    const uint64_t most = stage_amount(self, 512, 288, 512) * MiB; /* no default that is known is above 256 */
    actor *const publisher = &self->publishers[0], *const slow = &self->subscribers[0];
    int64_t before, missing = 1; /* at least, where it is cut off */
    backlog filled;
    double took;
    self->demands.min_must = 2 * some.count;
    if (!stage_cast(self, 1, 2) || !stage_publish_all(self, &some) || !stage_drain(self) || !backlog_stall(self, slow))
        return false;
    before = count_missing(self, publisher, slow);
    self->from_ns = ipcmark_now_ns();
    ipcmark_overload(slow->participant, true);
    if (!backlog_fill(self, publisher, &self->subscribers[1], most, &filled) || !backlog_release(self, slow) ||
        (filled.waits && !backlog_end(self, publisher, 5, &took, "the subscriber that it waits for reads again")) ||
        (!is_cut_off(&filled) && !await_missing(self, publisher, slow, before, &missing)) ||
        !ask_for_peers(self, publisher, slow))
        return false;
    self->until_ns = ipcmark_now_ns();
    stage_figure(self, "backlog", (double)filled.bytes / (double)MiB, "MiB");
    if (missing > 0) {
        stage_log(self, "%s lacks messages that were OK", slow->name);
        self->subject = slow;
        stage_excuse(self, slow);
        if (!stage_close(self, slow))
            return false;
    }
    ipcmark_overload(slow->participant, false);
    return (slow->open || stage_open(self, slow)) && stage_recover(self) && filled.full;
}

/* A count that is too small says as much as a report. */
static bool counted_fewer(const stage *self, const struct ipcmark_history *history, const actor *who, int32_t peers)
{
    for (size_t k = 0; k < history->journal_count; ++k)
        for (size_t i = 0; i < history->journals[k].view.count; ++i) {
            const struct ipcmark_record *record = &history->journals[k].view.records[i];
            if (record->kind == IPCMARK_PEERS && record->endpoint == who->endpoint && record->count < peers &&
                record->time_ns > self->from_ns && record->time_ns < self->until_ns)
                return true;
        }
    return false;
}

/* What lies before the last message that it received the checker sees; not that nothing came any more. */
static void examine_limit(stage *self, const struct ipcmark_history *history)
{
    const actor *const publisher = &self->publishers[0], *const slow = self->subject;
    if (slow != NULL && !was_told(self, history, slow->endpoint) && !was_told(self, history, publisher->endpoint) &&
        !counted_fewer(self, history, slow, 1) && !counted_fewer(self, history, publisher, 2))
        stage_object(self, IPCMARK_LOST,
                     "%s did not read for a while and lacks messages that were OK, and neither it nor %s was told that "
                     "they were disconnected",
                     slow->name, publisher->name);
}

/* ---- memory ------------------------------------------------------------------------------------------------------ */

/* Of all participants; what several share is counted once. */
static bool take_memory(stage *self, uint64_t *out)
{
    char journals[PATH_MAX];
    actor *who;
    snprintf(journals, sizeof journals, "%s/journals", ipcmark_trial_directory(self->trial));
    *out = 0;
    for (size_t i = 0; (who = stage_actor(self, i)) != NULL; ++i) {
        memory taken;
        if (memory_take(&taken, ipcmark_participant_pid(who->participant), journals) < 0)
            return stage_object(self, IPCMARK_CLASS_NONE, "/proc of %s cannot be read", who->name);
        *out += taken.proportional;
    }
    return true;
}

/* Whoever stores a message twice on its way is within the bound; whoever stores without end is not: no default that is
 * known is above 256 MiB. */
static bool judge_memory(stage *self, uint64_t before, const backlog *filled)
{
    const uint64_t slack = 64 * MiB, most = 512 * MiB, due = 2 * filled->bytes + slack;
    uint64_t after, grown;
    if (!take_memory(self, &after))
        return false;
    grown = after > before ? after - before : 0;
    stage_figure(self, "backlog", (double)filled->bytes / (double)MiB, "MiB");
    stage_figure(self, "memory for it", (double)grown / (double)MiB, "MiB");
    if (grown > (due < most ? due : most))
        return stage_object(self, IPCMARK_LEFTOVER,
                            "a subscriber that does not read costs %.0f MiB of memory, after %.0f MiB of messages%s; "
                            "no more than %.0f MiB is allowed",
                            (double)grown / (double)MiB, (double)filled->bytes / (double)MiB,
                            filled->full ? "" : ", and there is no end to it",
                            (double)(due < most ? due : most) / (double)MiB);
    return true;
}

static bool play_memory(stage *self)
{
    actor *const publisher = &self->publishers[0], *const slow = &self->subscribers[0];
    const bool drops = stage_claims(self, IPCMARK_CAP_WHEN_FULL_DROP_REPORTED);
    const ipcmark_publish_options some = {.count = 100};
    const uint64_t beyond_any_bound = 640 * MiB;
    uint64_t before;
    backlog filled;
    double took;
    if (memory_available() < 8 * beyond_any_bound)
        return stage_skip(self, "it needs 5 GiB of memory that is available");
    self->demands.min_must = 2 * some.count;
    if (!stage_cast(self, 1, 2) || !stage_publish_all(self, &some) || !stage_drain(self) ||
        !take_memory(self, &before) || !backlog_stall(self, slow))
        return false;
    if (drops)
        ipcmark_overload(slow->participant, true);
    if (!backlog_fill(self, publisher, &self->subscribers[1], beyond_any_bound, &filled) ||
        (!filled.full && filled.bytes < beyond_any_bound) || !judge_memory(self, before, &filled) ||
        !backlog_release(self, slow))
        return false;
    if (filled.waits && !backlog_end(self, publisher, 5, &took, "the subscriber that it waits for reads again"))
        return false;
    if (drops) {
        stage_excuse(self, slow);
        return stage_close(self, slow) && stage_drain(self);
    }
    return stage_drain_last(self, slow, publisher, 0) && stage_drain(self);
}

static const clause clauses[] = {
    {"PACE-001", .publishers = 1, .subscribers = 3, .play = play_slow_one, .examine = examine_slow_one, .seconds = 4,
     .promise = "A slow subscriber delays neither the publisher nor the others while it is within its backlog."},
    {"PACE-002", .publishers = 1, .subscribers = 2, .play = play_long_handler, .needs = IPCMARK_CAP_PING, .seconds = 3,
     .promise = "A handler that runs for many ping intervals does not cost its subscriber the connection."},
    {"PACE-003", .publishers = 1, .subscribers = 1, .play = play_outrun, .needs = IPCMARK_CAP_WHEN_FULL_BLOCK,
     .seconds = 2, .promise = "A publisher may outrun a subscriber far, and nothing is lost."},
    {"PACE-004", .publishers = 1, .subscribers = 2, .play = play_block, .needs = IPCMARK_CAP_WHEN_FULL_BLOCK,
     .message_bytes = BACKLOG_MESSAGE, .seconds = 4,
     .promise = "Where a backlog is full publish waits, and goes on when the subscriber reads again."},
    {"PACE-005", .publishers = 1, .subscribers = 2, .play = play_fail, .needs = IPCMARK_CAP_WHEN_FULL_FAIL,
     .message_bytes = BACKLOG_MESSAGE, .seconds = 4,
     .promise =
         "Where a backlog is full publish fails with EAGAIN, nobody receives that message, and later ones pass."},
    {"PACE-006", .publishers = 1, .subscribers = 2, .play = play_drop, .examine = examine_drop,
     .needs = IPCMARK_CAP_WHEN_FULL_DROP_REPORTED | IPCMARK_CAP_PEERS | IPCMARK_CAP_PEER_EVENTS,
     .message_bytes = BACKLOG_MESSAGE, .seconds = 5,
     .promise = "A subscriber whose backlog is full is disconnected and told so, and the others lose nothing."},
    {"PACE-007", .publishers = 1, .subscribers = 2, .play = play_memory, .message_bytes = BACKLOG_MESSAGE, .seconds = 4,
     .promise = "A subscriber that does not read costs a bounded amount of memory."},
    {"PACE-008", .publishers = 1, .subscribers = 2, .play = play_killed_full, .needs = IPCMARK_CAP_WHEN_FULL_BLOCK,
     .message_bytes = BACKLOG_MESSAGE, .seconds = 4,
     .promise = "A publish that waits for a subscriber goes on when that one is killed."},
    {"PACE-009", .publishers = 1, .subscribers = 2, .play = play_limit, .examine = examine_limit,
     .message_bytes = BACKLOG_MESSAGE, .seconds = 4,
     .promise = "Where a backlog is full nothing is lost in silence: publish waits or fails, or a disconnect is "
                "reported."},
};

const clause_group pace_clauses = {clauses, COUNT_OF(clauses)};
