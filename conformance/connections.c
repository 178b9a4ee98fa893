/* CON: connections. */
#include "stage.h"

#include <stdlib.h>

/* Waits until the actor counts exactly so many peers. */
static bool counts(stage *self, actor *who, unsigned peers, const char *after)
{
    ipcmark_call *call = ipcmark_wait_peers(self->trial, who->endpoint, peers, 5);
    if (ipcmark_await(call) == IPCMARK_REFUSED)
        return stage_object(self, IPCMARK_COUNT, "%s does not come to count %u after %s: %s", who->name, peers, after,
                            call->text);
    return stage_await(self, call, IPCMARK_COUNT);
}

/* One that counts, four that come and go. */
static bool play_count(stage *self, actor *counter, actor *others, unsigned many)
{
    if (!stage_open(self, counter) || !counts(self, counter, 0, "opening alone"))
        return false;
    for (unsigned i = 0; i < many; ++i)
        if (!stage_open(self, &others[i]) || !counts(self, counter, i + 1, "an open"))
            return false;
    if (!stage_kill(self, &others[many - 1]) || !counts(self, counter, many - 1, "a kill"))
        return false;
    for (unsigned i = 0; i < many - 1; ++i)
        if (!stage_close(self, &others[i]) || !counts(self, counter, many - 2 - i, "a close"))
            return false;
    return stage_open(self, &others[0]) && counts(self, counter, 1, "opening again");
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
           restarts(self, &self->subscribers[0]) && restarts(self, &self->publishers[0]);
}

/* ---- the events of CON-005 ----------------------------------------------------------------------------------------
 */

/* What participants said about their peers, all together, by time: one may use several threads for it. */
typedef struct {
    const struct ipcmark_record **items;
    size_t count;
} events;

static int compare_times(const void *one, const void *other)
{
    const struct ipcmark_record *a = *(const struct ipcmark_record *const *)one;
    const struct ipcmark_record *b = *(const struct ipcmark_record *const *)other;
    return (a->time_ns > b->time_ns) - (a->time_ns < b->time_ns);
}

static bool is_event(const struct ipcmark_record *record)
{
    return record->kind == IPCMARK_PEER_UP || record->kind == IPCMARK_PEER_DOWN;
}

static events collect_events(const struct ipcmark_history *history)
{
    events all = {NULL, 0};
    size_t room = 0;
    for (size_t k = 0; k < history->journal_count; ++k)
        room += history->journals[k].view.count;
    all.items = malloc((room + 1) * sizeof(const struct ipcmark_record *));
    for (size_t k = 0; all.items != NULL && k < history->journal_count; ++k)
        for (size_t i = 0; i < history->journals[k].view.count; ++i)
            if (is_event(&history->journals[k].view.records[i]))
                all.items[all.count++] = &history->journals[k].view.records[i];
    if (all.count > 0)
        qsort(all.items, all.count, sizeof all.items[0], compare_times);
    return all;
}

static bool same_pair(const struct ipcmark_record *a, const struct ipcmark_record *b)
{
    return a->endpoint == b->endpoint && a->endpoint_epoch == b->endpoint_epoch && a->publisher == b->publisher &&
           a->epoch == b->epoch && a->sequence == b->sequence;
}

/* Ups and downs of one peer take turns, up first. A peer that has no name cannot be followed. */
static void examine_turns(stage *self, const events *all)
{
    for (size_t i = 0; i < all->count; ++i) {
        const struct ipcmark_record *record = all->items[i], *before = NULL;
        const bool up = record->kind == IPCMARK_PEER_UP;
        if (record->publisher == IPCMARK_NO_ENDPOINT && record->sequence == 0)
            continue;
        for (size_t k = 0; k < i; ++k)
            if (same_pair(all->items[k], record))
                before = all->items[k];
        if (before == NULL ? !up : before->kind == record->kind)
            stage_object(self, IPCMARK_DISCONNECT,
                         "endpoint %u reported peer %u (epoch %u, process %llu) %s, and it %s", record->endpoint,
                         record->publisher, record->epoch, (unsigned long long)record->sequence,
                         up ? "connected" : "disconnected", before == NULL ? "never was connected" : "was so already");
    }
}

/* Publisher 2 and subscriber 2 stay all the time. On the other side of each, one peer stays, and one has three lives,
 * of which two end: four ups and two downs. */
static void examine_numbers(stage *self, const events *all, uint16_t endpoint)
{
    unsigned ups = 0, downs = 0;
    for (size_t i = 0; i < all->count; ++i) {
        const struct ipcmark_record *record = all->items[i];
        if (record->endpoint != endpoint || record->time_ns > self->end_ns)
            continue;
        ups += record->kind == IPCMARK_PEER_UP;
        downs += record->kind == IPCMARK_PEER_DOWN;
    }
    if (ups != 4 || downs != 2)
        stage_object(self, IPCMARK_DISCONNECT,
                     "endpoint %u stayed; its peers came 4 times and went 2 times, and it was told of %u and %u",
                     endpoint, ups, downs);
}

static void examine_events(stage *self, const struct ipcmark_history *history)
{
    events all = collect_events(history);
    if (all.items == NULL) {
        stage_object(self, IPCMARK_CLASS_NONE, "out of memory");
        return;
    }
    examine_turns(self, &all);
    if (self->publishers[1].endpoint != 0 && self->subscribers[1].endpoint != 0) {
        examine_numbers(self, &all, self->publishers[1].endpoint);
        examine_numbers(self, &all, self->subscribers[1].endpoint);
    }
    free(all.items);
}

#define COUNT_OF(array) (sizeof(array) / sizeof(array)[0])

static const clause clauses[] = {
    {"CON-001", .publishers = 1, .subscribers = 4, .play = play_publisher_counts, .needs = IPCMARK_CAP_PEERS,
     .promise = "A publisher's count of subscribers is exact, up and down."},
    {"CON-002", .publishers = 4, .subscribers = 1, .play = play_subscriber_counts, .needs = IPCMARK_CAP_PEERS,
     .promise = "A subscriber's count of publishers is exact, up and down."},
    {"CON-003", .publishers = 4, .subscribers = 4, .play = play_either_first,
     .promise = "Publisher and subscriber find each other, whichever opens first."},
    {"CON-004", .publishers = 2, .subscribers = 2, .play = play_restart,
     .promise = "A participant that is restarted is connected again, and its peers need no restart."},
    {"CON-005", .publishers = 2, .subscribers = 2, .play = play_events, .needs = IPCMARK_CAP_PEER_EVENTS,
     .examine = examine_events,
     .promise = "Each connect and each disconnect of a peer is reported once, and none without a reason."},
};

const clause_group connection_clauses = {clauses, COUNT_OF(clauses)};
