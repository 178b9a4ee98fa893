/* CHURN: coming and going under traffic.
 *
 * The plays go in bouts. In each, those who stay publish at a steady rate, and guests come and go, several at the same
 * moment, some of them in one process and some in processes of their own. At the end of a bout everyone who is open is
 * drained; who left before that is judged by what it had seen. */
#include "stage.h"

enum {
    STAY = 2,       /* of each kind */
    GUESTS = 8,     /* of one kind, or half as many of both */
    HOUSEMATES = 4, /* guests that live in one process */
    BOUT_MS = 500,
    RATE = 2000 /* messages a second of each publisher that stays */
};

/* How long a message to somebody who stays may take while others come and go. */
static const double delay_bound = 1.0;

static const size_t sizes[] = {100, 64, 1000, 256};

typedef struct {
    actor *items[2 * GUESTS];
    size_t count;
    unsigned turns, came, left;
} guests;

typedef enum { MAY_COME = 1, MAY_LEAVE = 2 } motion;

static void invite(guests *self, actor *who, actor *host)
{
    who->host = who != host ? host : NULL;
    self->items[self->count++] = who;
}

/* ---- coming and going -------------------------------------------------------------------------------------------- */

static ipcmark_call *move_begin(stage *self, guests *all, actor *who)
{
    if (!who->open) {
        ++all->came;
        return stage_open_begin(self, who);
    }
    ++all->left;
    if (who->subscriber)
        stage_excuse(self, who);
    return ipcmark_close(self->trial, who->endpoint);
}

static bool move_end(stage *self, actor *who, ipcmark_call *call)
{
    bool closed;
    if (!who->open)
        return stage_open_end(self, who, call);
    closed = stage_await(self, call, IPCMARK_HUNG);
    who->open = false;
    stage_log(self, "%s is %s", who->name, closed ? "closed" : "not closed");
    return closed;
}

/* Some of the guests, at least one if there is one who may, move at the same moment. */
static bool move_some(stage *self, guests *all, unsigned motions)
{
    ipcmark_call *calls[COUNT_OF(all->items)] = {NULL};
    const size_t first = stage_random(self, all->count);
    bool well = true, any = false;
    for (size_t i = 0; i < all->count; ++i) {
        const size_t which = (first + i) % all->count;
        actor *const who = all->items[which];
        if ((motions & (who->open ? MAY_LEAVE : MAY_COME)) == 0 || (any && stage_random(self, 2) == 0))
            continue;
        any = true;
        calls[which] = move_begin(self, all, who);
    }
    for (size_t i = 0; i < all->count; ++i)
        well &= calls[i] == NULL || move_end(self, all->items[i], calls[i]);
    return well && stage_settle(self);
}

/* Guests that publish do so as soon as they are connected, and may be gone as soon as the call has returned. */
static bool publish_as_guests(stage *self, const guests *all)
{
    bool well = true;
    for (size_t i = 0; i < all->count; ++i) {
        const ipcmark_publish_options burst = {
            .count = 5 + stage_random(self, 40), .sizes = sizes, .sizes_count = COUNT_OF(sizes), .overwrite = true};
        actor *const who = all->items[i];
        if (!who->subscriber && who->open)
            well &= stage_publish_begin(self, who, &burst);
    }
    for (size_t i = 0; i < all->count; ++i)
        well &= stage_publish_end(self, all->items[i]);
    return well;
}

/* By turns some come, some go, and some of either do. A count that is right after an arrival as well as after a
 * departure tells nobody who is connected: so there is a right count between most of them. */
static bool play_bout(stage *self, guests *all)
{
    static const unsigned motions[] = {MAY_COME, MAY_LEAVE, MAY_COME, MAY_COME | MAY_LEAVE};
    const ipcmark_publish_options stream = {
        .seconds = BOUT_MS * 1e-3, .rate = RATE, .sizes = sizes, .sizes_count = COUNT_OF(sizes), .overwrite = true};
    const uint64_t enough_ns = ipcmark_now_ns() + (BOUT_MS - 80) * 1000000ull;
    for (size_t i = 0; i < STAY; ++i)
        if (!stage_publish_begin(self, &self->publishers[i], &stream))
            return false;
    while (ipcmark_now_ns() < enough_ns)
        if (!move_some(self, all, motions[all->turns++ % COUNT_OF(motions)]) || !publish_as_guests(self, all) ||
            !ipcmark_wait(self->trial, (unsigned)stage_random(self, 12)))
            return false;
    /* Who came last hears the rest of the traffic. */
    return move_some(self, all, MAY_COME) && stage_publish_end_all(self) && stage_drain(self);
}

/* Bouts until so many have come and gone; those who stay have opened before. */
static bool play_bouts(stage *self, guests *all)
{
    const unsigned enough = stage_amount(self, 300, 80, 3000);
    if (!stage_settle(self))
        return false;
    self->from_ns = ipcmark_now_ns();
    while (all->came + all->left < enough)
        if (!play_bout(self, all))
            return false;
    self->until_ns = ipcmark_now_ns();
    stage_log(self, "%u have come and %u gone", all->came, all->left);
    stage_figure(self, "comings and goings", all->came + all->left, "");
    return stage_recover(self);
}

/* ---- the clauses ------------------------------------------------------------------------------------------------- */

static bool open_those_who_stay(stage *self)
{
    for (size_t i = 0; i < STAY; ++i)
        if (!stage_open(self, &self->publishers[i]) || !stage_open(self, &self->subscribers[i]))
            return false;
    return true;
}

static bool play_subscribers_come_and_go(stage *self)
{
    guests all = {.count = 0};
    self->demands.min_must = (uint64_t)STAY * STAY * RATE * BOUT_MS / 1000 / 2;
    self->demands.min_joins = stage_either(self, 40, 10);
    stage_cast_bare(self, STAY, STAY + GUESTS);
    for (size_t i = 0; i < GUESTS; ++i)
        invite(&all, &self->subscribers[STAY + i],
               i < HOUSEMATES ? &self->subscribers[STAY] : &self->subscribers[STAY + i]);
    return stage_start_all(self) && open_those_who_stay(self) && play_bouts(self, &all);
}

static bool play_publishers_come_and_go(stage *self)
{
    guests all = {.count = 0};
    self->demands.min_must = (uint64_t)STAY * RATE * BOUT_MS / 1000 / 2;
    stage_cast_bare(self, STAY + GUESTS, STAY);
    for (size_t i = 0; i < GUESTS; ++i)
        invite(&all, &self->publishers[STAY + i],
               i < HOUSEMATES ? &self->publishers[STAY] : &self->publishers[STAY + i]);
    return stage_start_all(self) && open_those_who_stay(self) && play_bouts(self, &all);
}

static bool play_both_come_and_go(stage *self)
{
    guests all = {.count = 0};
    self->demands.min_must = (uint64_t)STAY * STAY * RATE * BOUT_MS / 1000 / 2;
    self->demands.min_joins = stage_either(self, 20, 5);
    stage_cast_bare(self, STAY + GUESTS / 2, STAY + GUESTS / 2);
    for (size_t i = 0; i < GUESTS / 2; ++i) {
        actor *const publisher = &self->publishers[STAY + i], *const subscriber = &self->subscribers[STAY + i];
        invite(&all, publisher, i < HOUSEMATES / 2 ? &self->publishers[STAY] : publisher);
        invite(&all, subscriber, i < HOUSEMATES / 2 ? &self->publishers[STAY] : subscriber);
    }
    return stage_start_all(self) && open_those_who_stay(self) && play_bouts(self, &all);
}

static void examine_those_who_stay(stage *self, const struct ipcmark_history *history)
{
    double longest = 0;
    for (size_t i = 0; i < STAY; ++i) {
        const double delay =
            stage_examine_delays(self, history, &self->subscribers[i], delay_bound, "while others came and went");
        if (delay > longest)
            longest = delay;
    }
    stage_figure(self, "longest delay to those who stay", longest, "s");
}

static const clause clauses[] = {
    {"CHURN-001", .publishers = STAY, .subscribers = STAY + GUESTS, .play = play_subscribers_come_and_go,
     .examine = examine_those_who_stay, .seconds = 3, .heavy = true,
     .promise = "Subscribers that come and go cost those who stay nothing, and receive everything from when they are "
                "ready."},
    {"CHURN-002", .publishers = STAY + GUESTS, .subscribers = STAY, .play = play_publishers_come_and_go,
     .examine = examine_those_who_stay, .seconds = 3, .heavy = true,
     .promise = "Publishers may come and go: what they published arrives, and nobody else is held up."},
    {"CHURN-003", .publishers = STAY + GUESTS / 2, .subscribers = STAY + GUESTS / 2, .play = play_both_come_and_go,
     .examine = examine_those_who_stay, .seconds = 3, .heavy = true,
     .promise = "Publishers and subscribers may come and go hundreds of times, several at the same moment."},
};

const clause_group churn_clauses = {clauses, COUNT_OF(clauses)};
