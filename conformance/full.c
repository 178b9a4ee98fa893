/* PACE beyond a backlog: of two subscribers the first does not read. */
#include "full.h"

#include "backlog.h"
#include "memory.h"
#include "walk.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

static const uint64_t MiB = 1048576;

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

bool full_play_block(stage *self)
{
    actor *const publisher = &self->publishers[0], *const slow = &self->subscribers[0];
    double took;
    if (!fill_until_it_waits(self) || !backlog_release(self, slow) ||
        !backlog_end(self, publisher, 5, &took, "the subscriber that it waits for reads again"))
        return false;
    stage_figure(self, "went on after", took, "s");
    return stage_drain(self) && stage_recover(self);
}

bool full_play_killed(stage *self)
{
    actor *const publisher = &self->publishers[0], *const slow = &self->subscribers[0];
    double took;
    if (!fill_until_it_waits(self) || !stage_kill(self, slow) ||
        !backlog_end(self, publisher, 5, &took, "the subscriber that it waits for was killed"))
        return false;
    stage_figure(self, "went on after", took, "s");
    return stage_recover(self);
}

bool full_play_fail(stage *self)
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
bool full_play_drop(stage *self)
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

static bool is_meanwhile(const stage *self, const struct ipcmark_record *record)
{
    return record->time_ns > self->from_ns && record->time_ns < self->until_ns;
}

static bool was_told(const stage *self, const struct ipcmark_history *history, const actor *who)
{
    const struct ipcmark_record *record;
    for (walk at = {0}; (record = walk_next(&at, history, IPCMARK_PEER_DOWN, who->endpoint)) != NULL;)
        if (is_meanwhile(self, record))
            return true;
    return false;
}

void full_examine_drop(stage *self, const struct ipcmark_history *history)
{
    if (self->until_ns != 0 && !was_told(self, history, self->subject))
        stage_object(self, IPCMARK_DISCONNECT, "%s was dropped, as its backlog was full, and was not told",
                     self->subject->name);
    if (self->until_ns != 0 && !was_told(self, history, &self->publishers[0]))
        stage_object(self, IPCMARK_DISCONNECT, "%s was dropped, as its backlog was full, and %s was not told",
                     self->subject->name, self->publishers[0].name);
}

/* ---- whatever is claimed ------------------------------------------------------------------------------------------
 */

/* How many messages that publish took have not arrived there. */
static bool count_missing(stage *self, const actor *publisher, const actor *subscriber, int64_t *missing)
{
    uint64_t published, received;
    if (!stage_count(self, publisher, "published", &published) || !stage_count(self, subscriber, "received", &received))
        return false;
    *missing = (int64_t)published - (int64_t)received;
    return true;
}

/* Until no more are missing than before, or nothing has come within the deadline of any call, which no handler is busy
 * for. */
static bool await_missing(stage *self, const actor *publisher, const actor *subscriber, int64_t before,
                          int64_t *missing)
{
    const double quiet = ipcmark_trial_deadline(self->trial) * ipcmark_session_scale(self->session);
    uint64_t since_ns = ipcmark_now_ns();
    *missing = INT64_MAX;
    while (*missing > before && ipcmark_now_ns() - since_ns < (uint64_t)(quiet * 1e9)) {
        int64_t now;
        if (!count_missing(self, publisher, subscriber, &now))
            return false;
        if (now != *missing)
            since_ns = ipcmark_now_ns();
        *missing = now;
        if (!ipcmark_wait(self->trial, 10))
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
bool full_play_limit(stage *self)
{
    const ipcmark_publish_options some = {.count = 20};
    const uint64_t most = stage_amount(self, 512, 288, 512) * MiB; /* no default that is known is above 256 */
    actor *const publisher = &self->publishers[0], *const slow = &self->subscribers[0];
    int64_t before, missing = 1; /* at least, where it is cut off */
    backlog filled;
    double took;
    self->demands.min_must = 2 * some.count;
    if (!stage_cast(self, 1, 2) || !stage_publish_all(self, &some) || !stage_drain(self) ||
        !count_missing(self, publisher, slow, &before) || !backlog_stall(self, slow))
        return false;
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
    if ((!slow->open && !stage_open(self, slow)) || !stage_recover(self))
        return false;
    return filled.full ||
           (missing == 0 &&
            stage_skip(self, "its backlog was not full after %llu MiB: what happens at its limit cannot be seen",
                       (unsigned long long)(most / MiB)));
}

/* A count that is too small says as much as a report. */
static bool counted_fewer(const stage *self, const struct ipcmark_history *history, const actor *who, int32_t peers)
{
    const struct ipcmark_record *record;
    for (walk at = {0}; (record = walk_next(&at, history, IPCMARK_PEERS, who->endpoint)) != NULL;)
        if (record->count < peers && is_meanwhile(self, record))
            return true;
    return false;
}

/* What lies before the last message that it received the checker sees; not that nothing came any more, of which there
 * is no other proof than the time that it was waited for. */
void full_examine_limit(stage *self, const struct ipcmark_history *history)
{
    const actor *const publisher = &self->publishers[0], *const slow = self->subject;
    if (slow != NULL && !was_told(self, history, slow) && !was_told(self, history, publisher) &&
        !counted_fewer(self, history, slow, 1) && !counted_fewer(self, history, publisher, 2))
        stage_object_with(self, IPCMARK_LOST, IPCMARK_PROOF_DEADLINE,
                          "%s did not read for a while and lacks messages that were OK, and neither it nor %s was told "
                          "that they were disconnected",
                          slow->name, publisher->name);
}

/* ---- memory ------------------------------------------------------------------------------------------------------ */

struct sum {
    const char *journals;
    uint64_t bytes;
    char unread[96]; /* a process that could not be looked at */
};

/* One that has been reaped meanwhile holds nothing. */
static void add_memory(void *context, pid_t pid, const char *name)
{
    struct sum *sum = context;
    memory taken;
    if (memory_take(&taken, pid, sum->journals) == 0)
        sum->bytes += taken.proportional;
    else if (kill(pid, 0) == 0 || errno != ESRCH)
        snprintf(sum->unread, sizeof sum->unread, "%d (%s)", (int)pid, name);
}

/* Of all participants, a broker and its processes too: wherever a backlog lies, it is there because of the one that
 * does not read. What several share is counted once. */
static bool take_memory(stage *self, uint64_t *out)
{
    char journals[PATH_MAX];
    struct sum sum = {.journals = journals};
    snprintf(journals, sizeof journals, "%s/journals", ipcmark_trial_directory(self->trial));
    if (ipcmark_trial_processes(self->trial, add_memory, &sum) < 0 || sum.unread[0] != '\0') {
        stage_unable(self, &self->publishers[0], "not all memory is known: /proc of %s cannot be read",
                     sum.unread[0] != '\0' ? sum.unread : "any process");
        return false;
    }
    *out = sum.bytes;
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

bool full_play_memory(stage *self)
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
