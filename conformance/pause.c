/* PAUSE: participants that are stopped and continued.
 *
 * A publisher may by right be held up by a stopped subscriber whose backlog is full: so what is sent to one that is
 * stopped is some hundred small messages, which everyone can hold. */
#include "backlog.h"

#include <stdlib.h>

enum {
    STAY = 2,  /* of each kind, that are not stopped where one is */
    CROWD = 3, /* of each kind, where all may be */
    PING_MS = 200,
    LONG_MS = 5 * PING_MS + 50, /* beyond every time-out */
    RATE = 100                  /* messages a second of each publisher */
};

/* For a message between two that are not stopped. A stop is longer, or nobody could tell who waited for its end. */
static const double delay_bound = 1.0;
static const double stop_seconds = 1.8;

static bool cast(stage *self, unsigned publishers, unsigned subscribers)
{
    actor *who;
    if (!stage_cast_closed(self, publishers, subscribers))
        return false;
    for (size_t i = 0; (who = stage_actor(self, i)) != NULL; ++i)
        who->ping_interval_ms = PING_MS;
    return stage_open_all(self) && stage_settle(self);
}

static bool begin_traffic(stage *self, double seconds, double rate)
{
    const ipcmark_publish_options stream = {.seconds = seconds, .rate = rate};
    return stage_publish_begin_all(self, &stream);
}

/* Lets everyone who was stopped come to terms with it: until then a right count may be an old one. */
static bool recover(stage *self)
{
    self->ambiguous_ns = ipcmark_now_ns() + (uint64_t)(2e6 * PING_MS * ipcmark_session_scale(self->session));
    return stage_recover(self);
}

/* ---- one is stopped ---------------------------------------------------------------------------------------------- */

/* Traffic goes on before and behind. A stop that is stretched is as many messages long. */
static bool stop_one(stage *self, actor *who, double seconds, double scale)
{
    seconds *= scale;
    return begin_traffic(self, seconds + 0.5, RATE / scale) &&
           ipcmark_wait(self->trial, 100 + (unsigned)stage_random(self, 100)) && stage_pause(self, who) &&
           ipcmark_wait(self->trial, (unsigned)(seconds * 1e3)) && stage_resume(self, who) &&
           stage_publish_end_all(self) && recover(self);
}

static bool play_one_is_stopped(stage *self, actor *who)
{
    const unsigned rounds = stage_amount(self, 1, 1, 10);
    const double scale = ipcmark_session_scale(self->session);
    self->demands.min_must = (uint64_t)(STAY * STAY * RATE * stop_seconds / 2);
    self->from_ns = ipcmark_now_ns();
    for (unsigned i = 0; i < rounds; ++i)
        if (!stop_one(self, who, stop_seconds, scale))
            return false;
    self->until_ns = ipcmark_now_ns();
    return true;
}

static bool play_subscriber_is_stopped(stage *self)
{
    return cast(self, STAY, STAY + 1) && play_one_is_stopped(self, &self->subscribers[STAY]);
}

static bool play_publisher_is_stopped(stage *self)
{
    return cast(self, STAY + 1, STAY) && play_one_is_stopped(self, &self->publishers[STAY]);
}

static void examine_others(stage *self, const struct ipcmark_history *history)
{
    double longest = 0;
    for (size_t i = 0; i < STAY; ++i) {
        const double delay =
            stage_examine_delays(self, history, &self->subscribers[i], delay_bound, "while another was stopped");
        if (delay > longest)
            longest = delay;
    }
    stage_figure(self, "longest delay to others", longest, "s");
}

/* ---- nothing is lost --------------------------------------------------------------------------------------------- */

/* A subscriber and, while it is stopped, a publisher; each beyond every time-out. */
static bool stop_both(stage *self, actor *subscriber, actor *publisher)
{
    const unsigned shift = PING_MS / 2 + (unsigned)stage_random(self, PING_MS);
    return begin_traffic(self, (LONG_MS + shift + 400) * 1e-3, RATE) && ipcmark_wait(self->trial, 150) &&
           stage_pause(self, subscriber) && ipcmark_wait(self->trial, shift) && stage_pause(self, publisher) &&
           ipcmark_wait(self->trial, LONG_MS - shift) && stage_resume(self, subscriber) &&
           ipcmark_wait(self->trial, shift) && stage_resume(self, publisher) && stage_publish_end_all(self) &&
           recover(self);
}

static bool play_nothing_is_lost(stage *self)
{
    const unsigned rounds = stage_amount(self, 1, 1, 10);
    self->demands.min_must = (uint64_t)STAY * STAY * 20; /* the last probes at least */
    if (!cast(self, STAY, STAY))
        return false;
    self->from_ns = ipcmark_now_ns();
    for (unsigned i = 0; i < rounds; ++i)
        if (!stop_both(self, &self->subscribers[0], &self->publishers[0]))
            return false;
    self->until_ns = ipcmark_now_ns();
    return true;
}

/* Beyond its backlog: whoever claims to cut it off then and to say so must do it while it is stopped. What it lost is
 * excused by that only. It opens again to go on. */
static bool stop_and_cut_off(stage *self, actor *who)
{
    backlog filled;
    if (!stage_pause(self, who) ||
        !backlog_fill(self, &self->publishers[0], &self->subscribers[1], (uint64_t)512 << 20, &filled) ||
        !stage_resume(self, who) || !filled.full)
        return false;
    stage_excuse(self, who);
    return stage_close(self, who) && stage_open(self, who) && recover(self);
}

static bool play_lost_or_reported(stage *self)
{
    const unsigned rounds = stage_amount(self, 1, 1, 10);
    const bool cuts_off = stage_claims(self, IPCMARK_CAP_WHEN_FULL_DROP_REPORTED | IPCMARK_CAP_PEERS);
    actor *const who = &self->subscribers[0];
    self->demands.min_must = (uint64_t)STAY * STAY * 20;
    if (!cast(self, STAY, STAY))
        return false;
    for (unsigned i = 0; i < rounds; ++i)
        if (!stop_one(self, who, LONG_MS * 1e-3, 1) || (cuts_off && !stop_and_cut_off(self, who)))
            return false;
    return true;
}

/* A message, or one that was received. */
typedef struct {
    uint64_t sequence;
    uint16_t publisher, epoch, thread, subscriber;
} item;

static int compare(const void *one, const void *other)
{
    const item *a = one, *b = other;
    const uint64_t x = (uint64_t)a->publisher << 32 | (uint64_t)a->epoch << 16 | a->thread;
    const uint64_t y = (uint64_t)b->publisher << 32 | (uint64_t)b->epoch << 16 | b->thread;
    if (x != y)
        return x < y ? -1 : 1;
    if (a->sequence != b->sequence)
        return a->sequence < b->sequence ? -1 : 1;
    return (a->subscriber > b->subscriber) - (a->subscriber < b->subscriber);
}

/* What was OK'd (subscriber: 0) or received while the play went on; sorted. NULL: out of memory. */
static item *collect(const stage *self, const struct ipcmark_history *history, enum ipcmark_kind kind, size_t *count)
{
    size_t room = 0;
    item *items;
    for (size_t k = 0; k < history->journal_count; ++k)
        room += history->journals[k].view.count;
    items = malloc((room + 1) * sizeof *items);
    *count = 0;
    for (size_t k = 0; items != NULL && k < history->journal_count; ++k)
        for (size_t i = 0; i < history->journals[k].view.count; ++i) {
            const struct ipcmark_record *record = &history->journals[k].view.records[i];
            const bool received = record->kind == IPCMARK_RECEIVED;
            if (record->kind == kind && record->time_ns >= self->from_ns &&
                (received || record->time_ns < self->until_ns))
                items[(*count)++] = (item){record->sequence, record->publisher, record->epoch, record->thread,
                                           received ? record->endpoint : 0};
        }
    if (items != NULL)
        qsort(items, *count, sizeof *items, compare);
    return items;
}

/* The checker takes the report that a stopped one is gone as an excuse. Who claims that stops cost nothing has none.
 * This rests on no deadline: a play that came to until_ns has seen later messages of each pair arrive. */
static void examine_every_message(stage *self, const struct ipcmark_history *history)
{
    size_t sent_count, received_count;
    item *sent = collect(self, history, IPCMARK_OK, &sent_count);
    item *received = collect(self, history, IPCMARK_RECEIVED, &received_count);
    unsigned lost = 0;
    if (sent == NULL || received == NULL)
        stage_object(self, IPCMARK_CLASS_NONE, "out of memory");
    for (size_t i = 0; sent != NULL && received != NULL && i < sent_count; ++i)
        for (size_t k = 0; k < STAY; ++k) {
            item wanted = sent[i];
            wanted.subscriber = self->subscribers[k].endpoint;
            if (bsearch(&wanted, received, received_count, sizeof *received, compare) == NULL && lost++ == 0)
                stage_object(self, IPCMARK_LOST,
                             "%s never received message %llu of endpoint %u, which was published while one of them was "
                             "stopped, or shortly before or after; %u messages in all were published to it then",
                             self->subscribers[k].name, (unsigned long long)wanted.sequence, wanted.publisher,
                             (unsigned)sent_count);
        }
    free(sent);
    free(received);
}

/* ---- many are stopped -------------------------------------------------------------------------------------------- */

typedef struct {
    uint64_t due_ns[2 * CROWD]; /* when a stopped one goes on */
    unsigned short_stops, long_stops;
} stops;

static bool continue_due(stage *self, const stops *all, bool every)
{
    for (size_t i = 0; i < 2 * CROWD; ++i) {
        actor *const who = stage_actor(self, i);
        if (who->paused && (every || ipcmark_now_ns() >= all->due_ns[i]) && !stage_resume(self, who))
            return false;
    }
    return true;
}

/* One in three for so long that it is taken for dead. */
static bool stop_somebody(stage *self, stops *all)
{
    const size_t which = stage_random(self, 2 * CROWD);
    const bool is_long = stage_random(self, 3) == 0;
    const uint64_t milliseconds = is_long ? 3 * PING_MS + stage_random(self, PING_MS) : 1 + stage_random(self, PING_MS);
    actor *const who = stage_actor(self, which);
    if (who->paused)
        return true;
    ++*(is_long ? &all->long_stops : &all->short_stops);
    all->due_ns[which] = ipcmark_now_ns() + milliseconds * 1000000;
    return stage_pause(self, who);
}

static bool play_stops_at_random(stage *self)
{
    const unsigned enough = stage_amount(self, 24, 10, 240);
    stops all = {.short_stops = 0};
    self->demands.min_must = (uint64_t)CROWD * CROWD * 20 / 3; /* of the last probes */
    if (!cast(self, CROWD, CROWD))
        return false;
    while (all.short_stops + all.long_stops < enough || all.long_stops < enough / 6) {
        const uint64_t end_ns = ipcmark_now_ns() + 900000000;
        if (!begin_traffic(self, 1.2, RATE))
            return false;
        while (ipcmark_now_ns() < end_ns)
            if (!continue_due(self, &all, false) || !stop_somebody(self, &all) ||
                !ipcmark_wait(self->trial, 5 + (unsigned)stage_random(self, 40)))
                return false;
        if (!continue_due(self, &all, true) || !stage_publish_end_all(self) || !recover(self))
            return false;
    }
    stage_figure(self, "short stops", all.short_stops, "");
    stage_figure(self, "long stops", all.long_stops, "");
    return true;
}

/* Who goes on first finds all the others silent. */
static bool continue_in_random_order(stage *self)
{
    size_t order[2 * CROWD];
    for (size_t i = 0; i < 2 * CROWD; ++i) {
        const size_t k = stage_random(self, i + 1);
        order[i] = order[k];
        order[k] = i;
    }
    for (size_t i = 0; i < 2 * CROWD; ++i)
        if (!stage_resume(self, stage_actor(self, order[i])) ||
            !ipcmark_wait(self->trial, (unsigned)stage_random(self, PING_MS)))
            return false;
    return true;
}

static bool play_all_are_stopped(stage *self)
{
    const unsigned rounds = stage_amount(self, 1, 1, 10);
    actor *who;
    self->demands.min_must = (uint64_t)CROWD * CROWD * 20 / 3; /* of the last probes */
    if (!cast(self, CROWD, CROWD))
        return false;
    for (unsigned i = 0; i < rounds; ++i) {
        if (!begin_traffic(self, 0.5, RATE) || !ipcmark_wait(self->trial, 100 + (unsigned)stage_random(self, 100)))
            return false;
        for (size_t k = 0; (who = stage_actor(self, k)) != NULL; ++k)
            if (!stage_pause(self, who))
                return false;
        if (!ipcmark_wait(self->trial, LONG_MS) || !continue_in_random_order(self) || !stage_publish_end_all(self) ||
            !recover(self))
            return false;
    }
    return true;
}

static const clause clauses[] = {
    {"PAUSE-001", .publishers = STAY, .subscribers = STAY + 1, .play = play_subscriber_is_stopped,
     .examine = examine_others, .seconds = 3,
     .promise = "A stopped subscriber does not disturb the others: they receive everything, and in time."},
    {"PAUSE-002", .publishers = STAY + 1, .subscribers = STAY, .play = play_publisher_is_stopped,
     .examine = examine_others, .seconds = 3,
     .promise = "A stopped publisher does not disturb the others, and goes on when it is continued."},
    {"PAUSE-003", .publishers = STAY, .subscribers = STAY, .play = play_nothing_is_lost,
     .needs = IPCMARK_CAP_DURABLE_PAUSE, .examine = examine_every_message, .seconds = 3,
     .promise = "Who was stopped beyond every time-out has lost nothing within its backlog, and is connected again."},
    {"PAUSE-004", .publishers = STAY, .subscribers = STAY, .play = play_lost_or_reported,
     .message_bytes = BACKLOG_MESSAGE, .seconds = 2,
     .promise = "What a subscriber lost while it was stopped was lost after a disconnect that was reported."},
    {"PAUSE-005", .publishers = CROWD, .subscribers = CROWD, .play = play_stops_at_random, .seconds = 4,
     .promise =
         "Stops of both kinds, short and long, at random, leave everyone connected and lose nothing in silence."},
    {"PAUSE-006", .publishers = CROWD, .subscribers = CROWD, .play = play_all_are_stopped, .seconds = 3,
     .promise = "All who were stopped at the same time, beyond every time-out, find each other again."},
};

const clause_group pause_clauses = {clauses, COUNT_OF(clauses)};
