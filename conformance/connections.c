/* CON: connections. */
#include "events.h"
#include "stage.h"
#include "walk.h"

#include <stdlib.h>

static int compare_times(const void *one, const void *other)
{
    const struct ipcmark_record *a = *(const struct ipcmark_record *const *)one;
    const struct ipcmark_record *b = *(const struct ipcmark_record *const *)other;
    return (a->time_ns > b->time_ns) - (a->time_ns < b->time_ns);
}

/* Looks on while `make` happens to `other`, until the actor counts exactly so many peers; and for a moment longer,
 * without a word of what is expected. What it counted meanwhile is examined. */
static bool counts(stage *self, actor *who, unsigned peers, bool (*make)(stage *, actor *), actor *other,
                   const char *after)
{
    const unsigned never = STAGE_VIGILS;
    ipcmark_call *call = ipcmark_wait_peers(self->trial, who->endpoint, peers, 5);
    if (other != NULL && !make(self, other))
        return false;
    if (ipcmark_await(call) == IPCMARK_REFUSED)
        return stage_object(self, IPCMARK_COUNT, "%s does not come to count %u after %s: %s", who->name, peers, after,
                            call->text);
    if (!stage_await(self, call, IPCMARK_COUNT))
        return false;
    ipcmark_await(ipcmark_wait_peers(self->trial, who->endpoint, never, 0.05));
    call = ipcmark_peers(self->trial, who->endpoint);
    if (!stage_await(self, call, IPCMARK_COUNT))
        return false;
    if (ipcmark_reply_count(call, "count") != peers)
        return stage_object(self, IPCMARK_COUNT, "%s waited until it counted %u after %s, and then counts %llu",
                            who->name, peers, after, (unsigned long long)ipcmark_reply_count(call, "count"));
    return true;
}

/* One that counts, four that come and go. */
static bool play_count(stage *self, actor *counter, actor *others, unsigned many)
{
    self->subject = counter;
    if (!stage_open(self, counter) || !counts(self, counter, 0, NULL, NULL, "opening alone"))
        return false;
    for (unsigned i = 0; i < many; ++i)
        if (!counts(self, counter, i + 1, stage_open, &others[i], "an open"))
            return false;
    if (!counts(self, counter, many - 1, stage_kill, &others[many - 1], "a kill"))
        return false;
    for (unsigned i = 0; i < many - 1; ++i)
        if (!counts(self, counter, many - 2 - i, stage_close, &others[i], "a close"))
            return false;
    return counts(self, counter, 1, stage_open, &others[0], "opening again");
}

/* Whatever it was asked, in the order of time: it may have been asked by several threads. 0: out of memory. */
static size_t collect_counts(const struct ipcmark_history *history, uint16_t endpoint,
                             const struct ipcmark_record ***out)
{
    size_t count = 0, room = 1;
    for (walk at = {0}; walk_next(&at, history, IPCMARK_PEERS, endpoint) != NULL;)
        ++room;
    *out = malloc(room * sizeof **out);
    for (walk at = {0}; *out != NULL && ((*out)[count] = walk_next(&at, history, IPCMARK_PEERS, endpoint)) != NULL;)
        ++count;
    if (count > 0)
        qsort(*out, count, sizeof **out, compare_times);
    return count;
}

/* One came or went at a time, and was waited for: so the count went up and down by one at a time, and never back. */
static void examine_count(stage *self, const struct ipcmark_history *history)
{
    static const int steps[] = {0, 1, 2, 3, 4, 3, 2, 1, 0, 1};
    const struct ipcmark_record **asked = NULL;
    const size_t count = self->subject != NULL ? collect_counts(history, self->subject->endpoint, &asked) : 0;
    size_t step = 0;
    for (size_t i = 0; i < count; ++i) {
        const bool last = step + 1 == COUNT_OF(steps);
        if (!last && asked[i]->count == steps[step + 1]) {
            ++step;
        } else if (asked[i]->count != steps[step]) {
            stage_object(self, IPCMARK_COUNT, "%s counted %d for a moment, on its way from %d to %d",
                         self->subject->name, asked[i]->count, steps[step], steps[last ? step : step + 1]);
            break;
        }
    }
    if (self->subject != NULL && asked == NULL)
        stage_object(self, IPCMARK_CLASS_NONE, "out of memory");
    stage_figure(self, "times counted", (double)count, "");
    free(asked);
}

static bool play_publisher_counts(stage *self)
{
    return stage_cast_closed(self, 1, 4) && play_count(self, &self->publishers[0], self->subscribers, 4);
}

static bool play_subscriber_counts(stage *self)
{
    return stage_cast_closed(self, 4, 1) && play_count(self, &self->subscribers[0], self->publishers, 4);
}

/* Fresh messages on every open pair. */
static bool passes(stage *self)
{
    const ipcmark_publish_options options = {.count = 50};
    return stage_settle(self) && stage_publish_all(self, &options) && stage_drain(self);
}

static bool play_either_first(stage *self)
{
    actor *const publisher = &self->publishers[0], *const subscriber = &self->subscribers[0];
    const unsigned rounds = stage_either(self, 5, 2);
    self->demands.min_must = 50;
    if (!stage_cast_closed(self, 4, 4))
        return false;
    for (unsigned i = 0; i < rounds; ++i) {
        stage_log(self, "round %u: subscriber first", i + 1);
        if (!stage_open(self, subscriber) || !stage_open(self, publisher) || !passes(self) || !stage_close_all(self))
            return false;
        stage_log(self, "round %u: publisher first", i + 1);
        if (!stage_open(self, publisher) || !stage_open(self, subscriber) || !passes(self) || !stage_close_all(self))
            return false;
        stage_log(self, "round %u: eight at once", i + 1);
        if (!stage_open_all(self) || !passes(self) || !stage_close_all(self))
            return false;
    }
    return true;
}

static bool reopens(stage *self, actor *who)
{
    return stage_close(self, who) && stage_settle(self) && stage_open(self, who) && passes(self);
}

static bool restarts(stage *self, actor *who)
{
    return stage_kill(self, who) && stage_settle(self) && stage_start(self, who) && stage_open(self, who) &&
           passes(self);
}

static bool play_restart(stage *self)
{
    const unsigned rounds = stage_either(self, 5, 2);
    self->demands.min_must = 50;
    if (!stage_cast(self, 2, 2) || !passes(self))
        return false;
    for (unsigned i = 0; i < rounds; ++i)
        if (!reopens(self, &self->subscribers[0]) || !reopens(self, &self->publishers[0]) ||
            !restarts(self, &self->subscribers[0]) || !restarts(self, &self->publishers[0]))
            return false;
    return true;
}

static bool play_events(stage *self)
{
    self->demands.min_must = 50;
    if (!stage_cast(self, 2, 2) || !passes(self))
        return false;
    return reopens(self, &self->subscribers[0]) && reopens(self, &self->publishers[0]) &&
           restarts(self, &self->subscribers[0]) && restarts(self, &self->publishers[0]) && events_await(self);
}

/* ---- how fast -----------------------------------------------------------------------------------------------------
 */

/* What a machine may add to a bound, unstretched: threads that have to be started, a scheduler with other plans. */
static const double grace = 1.0;

static int compare_seconds(const void *one, const void *other)
{
    const double a = *(const double *)one, b = *(const double *)other;
    return (a > b) - (a < b);
}

/* Sorts them. */
static void show_figures(stage *self, const char *what, double *seconds, size_t count)
{
    char name[64];
    if (count == 0)
        return;
    qsort(seconds, count, sizeof *seconds, compare_seconds);
    snprintf(name, sizeof name, "%s, p50", what);
    stage_figure(self, name, seconds[count / 2], "s");
    snprintf(name, sizeof name, "%s, max", what);
    stage_figure(self, name, seconds[count - 1], "s");
}

/* How long after `since_ns` the actor came to count so many; and it must not have been longer than so many of its
 * intervals. The intervals are the implementation's own and do not stretch with the machine; what comes on top does. */
static bool counts_within(stage *self, actor *who, unsigned peers, uint64_t since_ns, double intervals, double *took)
{
    const unsigned interval_ms = who->ping_interval_ms != 0 ? who->ping_interval_ms : STAGE_PING_MS;
    const double bound = intervals * interval_ms * 1e-3 + grace * ipcmark_session_scale(self->session);
    ipcmark_call *call = ipcmark_wait_peers(self->trial, who->endpoint, peers, 3 * bound);
    double seconds;
    if (!stage_await(self, call, IPCMARK_COUNT))
        return false;
    seconds = (ipcmark_reply_number(call, "at_ns", 0) - (double)since_ns) * 1e-9;
    stage_log(self, "%s counts %u after %.3f s", who->name, peers, seconds);
    if (seconds > *took)
        *took = seconds;
    if (seconds > bound)
        return stage_object(self, IPCMARK_LATE,
                            "%s counted %u only after %.2f s; %g ping intervals are %.2f s, and with what this machine "
                            "may take it must not be more than %.2f s",
                            who->name, peers, seconds, intervals, intervals * interval_ms * 1e-3, bound);
    return true;
}

enum { FIGURES_MOST = 256 };

/* One that is there, one that comes; then both go. */
static bool find_each_other(stage *self, actor *first, actor *second, double *took)
{
    uint64_t since_ns;
    if (!stage_open(self, first))
        return false;
    since_ns = ipcmark_now_ns();
    return stage_open(self, second) && counts_within(self, first, 1, since_ns, 2, took) &&
           counts_within(self, second, 1, since_ns, 2, took) && stage_close(self, first) && stage_close(self, second);
}

static bool play_discovery(stage *self)
{
    const unsigned rounds = stage_amount(self, 20, 4, 200);
    double took[FIGURES_MOST] = {0};
    bool all = stage_cast_closed(self, 1, 1);
    unsigned done = 0;
    for (; all && done < rounds; ++done)
        all = find_each_other(self, done % 2 == 0 ? &self->publishers[0] : &self->subscribers[0],
                              done % 2 == 0 ? &self->subscribers[0] : &self->publishers[0], &took[done]);
    show_figures(self, "found after", took, done);
    return all;
}

static bool cast_with_hearts(stage *self, unsigned interval_ms)
{
    if (!stage_cast_closed(self, 1, 1))
        return false;
    self->publishers[0].ping_interval_ms = self->subscribers[0].ping_interval_ms = interval_ms;
    return stage_open_all(self) && passes(self);
}

static bool die_and_return(stage *self, actor *victim, actor *other, double *took)
{
    const uint64_t since_ns = ipcmark_now_ns();
    return stage_kill(self, victim) && counts_within(self, other, 0, since_ns, 3, took) && stage_start(self, victim) &&
           stage_open(self, victim) && passes(self);
}

static bool play_death(stage *self)
{
    const unsigned rounds = stage_amount(self, 6, 2, 60);
    double took[FIGURES_MOST] = {0};
    bool all = cast_with_hearts(self, 500);
    unsigned done = 0;
    self->demands.min_must = 50;
    for (; all && done < rounds; ++done)
        all = die_and_return(self, done % 2 == 0 ? &self->subscribers[0] : &self->publishers[0],
                             done % 2 == 0 ? &self->publishers[0] : &self->subscribers[0], &took[done]);
    show_figures(self, "noticed after", took, done);
    return all;
}

/* Stopped, noticed, sent to if it reads, continued, and back without anybody's help. */
static bool stop_and_return(stage *self, actor *stopped, actor *other, double *noticed, double *back)
{
    const ipcmark_publish_options meanwhile = {.count = 50};
    uint64_t since_ns = ipcmark_now_ns();
    bool gone;
    if (!stage_pause(self, stopped))
        return false;
    gone = counts_within(self, other, 0, since_ns, 4, noticed) &&
           (!stopped->subscriber || stage_publish(self, other, &meanwhile));
    since_ns = ipcmark_now_ns();
    return stage_resume(self, stopped) & gone && counts_within(self, other, 1, since_ns, 4, back) &&
           counts_within(self, stopped, 1, since_ns, 4, back) && passes(self);
}

static bool play_stop(stage *self)
{
    const unsigned rounds = stage_amount(self, 2, 1, 20);
    double noticed[FIGURES_MOST] = {0}, back[FIGURES_MOST] = {0};
    bool all = cast_with_hearts(self, 200);
    unsigned done = 0;
    self->demands.min_must = 50;
    for (; all && done < 2 * rounds; ++done)
        all =
            stop_and_return(self, done % 2 == 0 ? &self->subscribers[0] : &self->publishers[0],
                            done % 2 == 0 ? &self->publishers[0] : &self->subscribers[0], &noticed[done], &back[done]);
    show_figures(self, "noticed after", noticed, done);
    show_figures(self, "back after", back, done);
    return all;
}

/* The checker excuses what was lost in a pause that was reported. Who claims durable_pause does not lose it. What came
 * later is the proof; where nothing did, the checker says how long it was waited for. */
static void examine_return(stage *self, const struct ipcmark_history *history)
{
    enum { SENT = 1, RECEIVED = 2, MOST = 65536 };
    unsigned char *seen = stage_claims(self, IPCMARK_CAP_DURABLE_PAUSE) ? calloc(MOST, 1) : NULL;
    uint64_t latest = 0;
    unsigned sent = 0, lost = 0;
    for (size_t k = 0; seen != NULL && k < history->journal_count; ++k)
        for (size_t i = 0; i < history->journals[k].view.count; ++i) {
            const struct ipcmark_record *record = &history->journals[k].view.records[i];
            if (record->sequence >= MOST || record->publisher != self->publishers[0].endpoint)
                continue;
            if (record->kind == IPCMARK_RECEIVED && record->sequence > latest)
                latest = record->sequence;
            seen[record->sequence] |= (unsigned char)(record->kind == IPCMARK_OK         ? SENT
                                                      : record->kind == IPCMARK_RECEIVED ? RECEIVED
                                                                                         : 0);
        }
    for (size_t i = 0; seen != NULL && i < latest; ++i) {
        sent += seen[i] != 0;
        lost += seen[i] == SENT;
    }
    if (lost > 0)
        stage_object(self, IPCMARK_LOST,
                     "of %u messages %u never reached the subscriber, which was stopped and continued; durable_pause "
                     "is claimed",
                     sent, lost);
    free(seen);
}

/* Each of the two kinds has one with a short interval and one with a long one: four pairs, and in the silence those of
 * short breath have had many intervals without a sign of the others. */
static bool play_intervals(stage *self)
{
    const unsigned silence_ms = stage_amount(self, 3000, 1500, 30000);
    actor *who;
    self->demands.min_must = 4 * 50;
    if (!stage_cast_closed(self, 2, 2))
        return false;
    for (size_t i = 0; (who = stage_actor(self, i)) != NULL; ++i)
        who->ping_interval_ms = i % 2 == 0 ? 100 : 1000;
    if (!stage_open_all(self) || !passes(self))
        return false;
    stage_log(self, "%u ms of silence", silence_ms);
    if (!ipcmark_wait(self->trial, silence_ms))
        return false;
    for (size_t i = 0; stage_claims(self, IPCMARK_CAP_PEERS) && (who = stage_actor(self, i)) != NULL; ++i) {
        ipcmark_call *call = ipcmark_peers(self->trial, who->endpoint);
        if (!stage_await(self, call, IPCMARK_COUNT))
            return false;
        if (ipcmark_reply_count(call, "count") != 2)
            return stage_object(
                self, IPCMARK_DISCONNECT, "%s, of %u ms, counts %llu peers instead of 2 after %u ms of silence",
                who->name, who->ping_interval_ms, (unsigned long long)ipcmark_reply_count(call, "count"), silence_ms);
    }
    return passes(self);
}

static const clause clauses[] = {
    {"CON-001", .publishers = 1, .subscribers = 4, .play = play_publisher_counts, .needs = IPCMARK_CAP_PEERS,
     .examine = examine_count, .promise = "A publisher's count of subscribers is exact, up and down."},
    {"CON-002", .publishers = 4, .subscribers = 1, .play = play_subscriber_counts, .needs = IPCMARK_CAP_PEERS,
     .examine = examine_count, .promise = "A subscriber's count of publishers is exact, up and down."},
    {"CON-003", .publishers = 4, .subscribers = 4, .play = play_either_first,
     .promise = "Publisher and subscriber find each other, whichever opens first."},
    {"CON-004", .publishers = 2, .subscribers = 2, .play = play_restart,
     .promise = "A participant that is restarted is connected again, and its peers need no restart."},
    {"CON-005", .publishers = 2, .subscribers = 2, .play = play_events, .needs = IPCMARK_CAP_PEER_EVENTS,
     .examine = events_examine,
     .promise = "Each connect and each disconnect of a peer is reported once, and none without a reason."},
    {"CON-006", .publishers = 1, .subscribers = 1, .play = play_discovery, .needs = IPCMARK_CAP_PEERS,
     .promise = "A new peer is found within two ping intervals, whichever was there first."},
    {"CON-007", .publishers = 1, .subscribers = 1, .play = play_death, .seconds = 2,
     .needs = IPCMARK_CAP_PING | IPCMARK_CAP_PEERS,
     .promise = "The death of a peer is noticed within two ping intervals and what a scan takes."},
    {"CON-008", .publishers = 1, .subscribers = 1, .play = play_stop, .examine = examine_return, .seconds = 4,
     .needs = IPCMARK_CAP_PING | IPCMARK_CAP_PEERS,
     .promise = "A stopped peer is no longer counted after three ping intervals and what a scan takes, and is back by "
                "itself when it goes on."},
    {"CON-009", .publishers = 2, .subscribers = 2, .play = play_intervals, .needs = IPCMARK_CAP_PING, .seconds = 4,
     .promise = "Participants of different ping intervals live together: nobody is disconnected in a silence of many "
                "short ones."},
};

const clause_group connection_clauses = {clauses, COUNT_OF(clauses)};
