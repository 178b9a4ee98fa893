/* LIFE: opening and closing. */
#include "backlog.h"
#include "census.h"
#include "walk.h"

#include <limits.h>

static const double close_bound = 1.0; /* seconds, stretched on a slow machine */

static bool publish_some(stage *self)
{
    const ipcmark_publish_options options = {.count = 200};
    return stage_publish_all(self, &options) && stage_drain(self);
}

static bool reopen(stage *self, actor *who)
{
    return (who->participant != NULL || stage_start(self, who)) && stage_open(self, who) && stage_settle(self);
}

/* Whoever claims to wait does so then, in a thread of its own. Whoever does not has been refused, or has cut it off, or
 * takes whatever comes: what that costs the subscriber is PACE's to judge. */
static bool close_full(stage *self, actor *publisher, actor *subscriber, actor *reader)
{
    const bool waits = stage_claims(self, IPCMARK_CAP_WHEN_FULL_BLOCK);
    backlog filled;
    if (!waits)
        ipcmark_overload(subscriber->participant, true);
    if (!backlog_stall(self, subscriber) || !backlog_fill(self, publisher, reader, (uint64_t)512 << 20, &filled) ||
        (waits && !filled.waits) || (filled.waits && !backlog_waits(self, publisher)) ||
        !stage_close_within(self, publisher, close_bound, "with a subscriber that is full") ||
        !stage_publish_end(self, publisher) || !backlog_release(self, subscriber))
        return false;
    if (waits)
        return stage_drain_last(self, subscriber, publisher, 0);
    stage_excuse(self, subscriber);
    if (!stage_close(self, subscriber))
        return false;
    ipcmark_overload(subscriber->participant, false);
    return true;
}

/* A call that waits is overtaken by close only where calls may overlap. */
static bool can_close_full(stage *self)
{
    const bool can = stage_claims(self, IPCMARK_CAP_THREADS) || stage_claims(self, IPCMARK_CAP_WHEN_FULL_FAIL) ||
                     stage_claims(self, IPCMARK_CAP_WHEN_FULL_DROP_REPORTED);
    if (!can)
        stage_log(self, "publish may wait, and close may not overlap it: nobody closes a publisher that is full");
    return can;
}

static bool play_publisher_closes(stage *self)
{
    actor *const publisher = &self->publishers[0], *const subscriber = &self->subscribers[0];
    self->demands.min_must = 100;
    if (!stage_cast(self, 1, 2) || !publish_some(self) ||
        !stage_close_within(self, publisher, close_bound, "with two subscribers that read"))
        return false;
    if (!reopen(self, publisher) || !publish_some(self) || !stage_pause(self, subscriber) ||
        !stage_close_within(self, publisher, close_bound, "with a stopped subscriber") ||
        !stage_resume(self, subscriber))
        return false;
    if (!reopen(self, publisher) || !publish_some(self) || !stage_kill(self, subscriber) ||
        !stage_close_within(self, publisher, close_bound, "just after a subscriber was killed"))
        return false;
    if (can_close_full(self) && !(reopen(self, subscriber) && reopen(self, publisher) &&
                                  close_full(self, publisher, subscriber, &self->subscribers[1])))
        return false;
    return stage_recover(self);
}

/* Of some hundred small messages that everyone can hold; its handler takes seconds for all of them. */
static bool close_with_backlog(stage *self, actor *subscriber)
{
    const ipcmark_publish_options some = {.count = 200};
    const ipcmark_handler_options slow = {.delay_us = 20000};
    const uint64_t all = self->publisher_count * some.count;
    uint64_t before, after, read;
    if (!stage_await(self, ipcmark_handler(self->trial, subscriber->endpoint, &slow), IPCMARK_HUNG) ||
        !stage_count(self, subscriber, "received", &before) || !stage_publish_all(self, &some) ||
        !stage_count(self, subscriber, "received", &after))
        return false;
    read = after - before;
    stage_log(self, "%s has read %llu of %llu messages", subscriber->name, (unsigned long long)read,
              (unsigned long long)all);
    return stage_close_within(self, subscriber, close_bound, "with a backlog of unread messages") && read < all;
}

static bool play_subscriber_closes(stage *self)
{
    const ipcmark_publish_options stream = {.seconds = 1, .rate = 2000};
    actor *const publisher = &self->publishers[0], *const subscriber = &self->subscribers[0];
    self->demands.min_must = 100;
    if (!stage_cast(self, 2, 1) || !publish_some(self) || !stage_publish_begin_all(self, &stream) ||
        !ipcmark_wait(self->trial, 300) ||
        !stage_close_within(self, subscriber, close_bound, "with two publishers that publish") ||
        !stage_publish_end_all(self))
        return false;
    if (!reopen(self, subscriber) || !publish_some(self) || !stage_pause(self, publisher) ||
        !stage_close_within(self, subscriber, close_bound, "with a stopped publisher") ||
        !stage_resume(self, publisher))
        return false;
    if (!reopen(self, subscriber) || !publish_some(self) || !stage_kill(self, publisher) ||
        !stage_close_within(self, subscriber, close_bound, "just after a publisher was killed"))
        return false;
    return reopen(self, publisher) && reopen(self, subscriber) && close_with_backlog(self, subscriber) &&
           stage_recover(self);
}

/* ---- leaks ----------------------------------------------------------------------------------------------------------
 */

static bool play_round(stage *self, unsigned number)
{
    const ipcmark_publish_options options = {.count = 5};
    actor *who;
    (void)number;
    for (size_t i = 0; (who = stage_actor(self, i)) != NULL; ++i)
        if (!stage_open(self, who))
            return false;
    if (!stage_settle(self) || !stage_publish_all(self, &options) || !stage_drain(self))
        return false;
    for (size_t i = 0; (who = stage_actor(self, i)) != NULL; ++i)
        if (!stage_close(self, who))
            return false;
    return true;
}

static bool take_census(stage *self, census *out)
{
    char journals[PATH_MAX];
    actor *who;
    snprintf(journals, sizeof journals, "%s/journals", ipcmark_trial_directory(self->trial));
    for (size_t i = 0; (who = stage_actor(self, i)) != NULL; ++i)
        if (census_take(&out[i], ipcmark_participant_pid(who->participant), journals) < 0)
            return stage_unable(self, who, "/proc of %s cannot be read", who->name);
    return true;
}

/* A thread that has done its work may need a moment to be gone, also one of the agent's own: only what stays is left.
 */
static bool compare_census(stage *self, const census *before, unsigned rounds)
{
    census after[2 * STAGE_MOST] = {{0}};
    char text[512];
    actor *who = NULL;
    const uint64_t deadline_ns = ipcmark_now_ns() + (uint64_t)(2e9 * ipcmark_session_scale(self->session));
    do {
        size_t i = 0;
        if (!take_census(self, after))
            return false;
        while ((who = stage_actor(self, i)) != NULL && !census_grew(&before[i], &after[i], text, sizeof text))
            ++i;
        if (who == NULL)
            return true;
        if (!ipcmark_wait(self->trial, 10))
            return false;
    } while (ipcmark_now_ns() < deadline_ns);
    return stage_object(self, IPCMARK_LEFTOVER, "%u rounds of open and close left at %s: %s", rounds, who->name, text);
}

/* A census around rounds; the first few warm up. */
static bool leaves_nothing(stage *self, bool (*round)(stage *, unsigned number), unsigned warm_up, unsigned rounds)
{
    census before[2 * STAGE_MOST] = {{0}};
    char text[CENSUS_TEXT];
    litter litter_before;
    int left;
    unsigned done = 0;
    for (; done < warm_up; ++done)
        if (!round(self, done))
            return false;
    litter_before = census_litter(self);
    if (!take_census(self, before))
        return false;
    for (; done < warm_up + rounds; ++done)
        if (!round(self, done))
            return false;
    if (!compare_census(self, before, rounds))
        return false;
    left = census_litter_left(self, &litter_before, text, sizeof text);
    if (left > 0)
        return stage_object(self, IPCMARK_LEFTOVER, "%u rounds of open and close left %s", rounds, text);
    return left == 0;
}

static bool play_rounds(stage *self)
{
    const unsigned rounds = stage_either(self, 60, 15);
    self->demands.min_must = rounds;
    return stage_cast_closed(self, 2, 2) && leaves_nothing(self, play_round, 3, rounds);
}

/* Closes all, at the same moment. */
static bool close_together(stage *self)
{
    ipcmark_call *calls[2 * STAGE_MOST] = {NULL};
    bool all = true;
    actor *who;
    for (size_t i = 0; (who = stage_actor(self, i)) != NULL; ++i)
        if (who->open)
            calls[i] = ipcmark_close(self->trial, who->endpoint);
    for (size_t i = 0; (who = stage_actor(self, i)) != NULL; ++i)
        if (calls[i] != NULL) {
            all &= stage_await(self, calls[i], IPCMARK_HUNG);
            who->open = false;
        }
    return all;
}

/* Four opens in three rounds. In turns: a publisher that meets nobody, a subscriber that meets nobody, and all
 * together, who are closed while they may still be greeting each other. */
static bool play_hasty_round(stage *self, unsigned number)
{
    if (number % 3 == 2)
        return stage_open_all(self) && close_together(self);
    return stage_open(self, number % 3 == 0 ? &self->publishers[0] : &self->subscribers[0]) && close_together(self);
}

static bool play_hasty_rounds(stage *self)
{
    return stage_cast_closed(self, 1, 1) &&
           leaves_nothing(self, play_hasty_round, 9, stage_amount(self, 750, 75, 7500));
}

/* ---- races --------------------------------------------------------------------------------------------------------
 */

/* Of all actors each second one, by chance: who is open closes, who is closed opens, all at the same moment. */
static bool turn_over(stage *self)
{
    ipcmark_call *calls[2 * STAGE_MOST] = {NULL};
    bool closes[2 * STAGE_MOST], all = true;
    actor *who;
    for (size_t i = 0; (who = stage_actor(self, i)) != NULL; ++i) {
        closes[i] = who->open;
        if (stage_random(self, 2) == 0)
            calls[i] = closes[i] ? ipcmark_close(self->trial, who->endpoint) : stage_open_begin(self, who);
    }
    for (size_t i = 0; (who = stage_actor(self, i)) != NULL; ++i)
        if (calls[i] != NULL && closes[i]) {
            all &= stage_await(self, calls[i], IPCMARK_HUNG);
            who->open = false;
        } else if (calls[i] != NULL) {
            all &= stage_open_end(self, who, calls[i]);
        }
    return all;
}

static bool play_races(stage *self)
{
    const ipcmark_publish_options options = {.count = 20};
    const unsigned bouts = stage_either(self, 4, 2), turns = stage_amount(self, 50, 15, 100);
    self->demands.min_must = self->clause->publishers * self->clause->subscribers * options.count;
    if (!stage_cast_closed(self, self->clause->publishers, self->clause->subscribers))
        return false;
    for (unsigned i = 0; i < bouts; ++i) {
        stage_log(self, "bout %u", i + 1);
        for (unsigned k = 0; k < turns; ++k)
            if (!turn_over(self))
                return false;
        if (!stage_open_all(self) || !stage_settle(self) || !stage_publish_all(self, &options) || !stage_drain(self))
            return false;
    }
    /* Nobody comes or goes any more, and they stay connected: who cleans up late hits nobody. Only now is it beyond
     * doubt whom a count is about. */
    return ipcmark_wait(self->trial, 2 * STAGE_PING_MS + 100) && stage_settle(self) &&
           stage_publish_all(self, &options) && stage_drain(self);
}

/* ---- a handler that is busy
 * ------------------------------------------------------------------------------------------
 */

static const unsigned busy_ms = 300;

/* A message is counted before the handler gets busy with it, so that who waits for it finds the handler busy: unless
 * the machine has other things to do, and then nothing is shown. */
static bool close_over_handler(stage *self, unsigned *found_busy)
{
    const ipcmark_publish_options one = {.count = 1}, more = {.count = 10};
    const ipcmark_handler_options busy = {.delay_us = 1000 * busy_ms};
    actor *const publisher = &self->publishers[0], *const subscriber = &self->subscribers[0];
    uint64_t since_ns;
    if (!stage_open(self, subscriber) || !stage_settle(self) ||
        !stage_await(self, ipcmark_handler(self->trial, subscriber->endpoint, &busy), IPCMARK_HUNG))
        return false;
    since_ns = ipcmark_now_ns();
    if (!stage_publish(self, publisher, &one) || !stage_drain_last(self, subscriber, publisher, 0) ||
        !stage_publish(self, publisher, &more))
        return false;
    *found_busy += ipcmark_now_ns() - since_ns < busy_ms * 1000000ull / 2;
    return stage_close_within(self, subscriber, close_bound + busy_ms * 1e-3, "while its handler was busy") &&
           stage_settle(self);
}

static bool play_busy_handler(stage *self)
{
    const unsigned rounds = stage_either(self, 5, 2);
    unsigned found_busy = 0;
    self->demands.min_must = rounds;
    if (!stage_cast_closed(self, 1, 1) || !stage_open(self, &self->publishers[0]))
        return false;
    for (unsigned i = 0; i < rounds; ++i)
        if (!close_over_handler(self, &found_busy))
            return false;
    stage_log(self, "close found the handler busy %u times of %u", found_busy, rounds);
    return stage_recover(self) && found_busy > 0;
}

/* The latest of these of the subscriber's life before that time; NULL: none. */
static const struct ipcmark_record *find_last(const struct ipcmark_history *history, enum ipcmark_kind kind,
                                              const struct ipcmark_record *closed)
{
    const struct ipcmark_record *last = NULL, *record;
    for (walk at = {0}; (record = walk_next(&at, history, kind, closed->endpoint)) != NULL;)
        if (record->endpoint_epoch == closed->endpoint_epoch && record->time_ns <= closed->time_ns &&
            (last == NULL || record->time_ns > last->time_ns))
            last = record;
    return last;
}

/* Every handler that began before close returned must have ended by then. It is busy at least as long as it was told.
 */
static void examine_busy_handler(stage *self, const struct ipcmark_history *history)
{
    const struct ipcmark_record *closed, *began;
    for (walk at = {0};
         (closed = walk_next(&at, history, IPCMARK_CLOSE_DONE, self->subscribers[0].endpoint)) != NULL;) {
        if (closed->time_ns > self->end_ns)
            continue;
        began = find_last(history, IPCMARK_RECEIVED, closed);
        if (began != NULL && closed->time_ns - began->time_ns < busy_ms * 1000000ull)
            stage_object(self, IPCMARK_LATE,
                         "close of subscriber 1, epoch %u, returned %.3f s after its handler had begun, and the "
                         "handler was busy for %.3f s",
                         closed->endpoint_epoch, (double)(closed->time_ns - began->time_ns) * 1e-9, busy_ms * 1e-3);
    }
}

static const clause clauses[] = {
    {"LIFE-001", .publishers = 1, .subscribers = 2, .play = play_publisher_closes, .message_bytes = BACKLOG_MESSAGE,
     .seconds = 4, .promise = "A publisher closes within a second, whatever its peers do."},
    {"LIFE-002", .publishers = 2, .subscribers = 1, .play = play_subscriber_closes,
     .promise = "A subscriber closes within a second, whatever its peers do."},
    {"LIFE-003", .publishers = 2, .subscribers = 2, .play = play_rounds,
     .promise = "Rounds of open and close leave no descriptor, thread, mapping or file."},
    {"LIFE-004", .publishers = 1, .subscribers = 1, .play = play_hasty_rounds, .seconds = 4,
     .promise = "A thousand opens and closes leave nothing, also where nobody was met or greetings were cut "
                "short."},
    {"LIFE-005", .publishers = 4, .subscribers = 4, .play = play_races, .heavy = true, .seconds = 3,
     .promise = "Participants that open and close at the same moment do not hinder each other: none fails, and all are "
                "connected in the end."},
    {"LIFE-006", .publishers = 1, .subscribers = 1, .play = play_busy_handler, .examine = examine_busy_handler,
     .seconds = 2,
     .promise = "Close of a subscriber waits for the handler that is running, and returns soon after it."},
};

const clause_group life_clauses = {clauses, COUNT_OF(clauses)};
