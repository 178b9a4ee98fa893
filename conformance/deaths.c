/* KILL-006 to KILL-008: many deaths, deaths that nobody is held up by, deaths of those who are stopped. */
#include "deaths.h"

#include "census.h"

#include <limits.h>

enum {
    STAY = 2, /* of each kind */
    RATE = 400,
    PING_MS = 200 /* of those few: what is beyond their time-outs is soon over */
};

/* Two silent intervals are what an implementation may need to tell that a peer is dead. */
static const double delay_bound = 2e-3 * PING_MS + 0.6;

static bool begin_traffic(stage *self, double seconds)
{
    const ipcmark_publish_options stream = {.seconds = seconds, .rate = RATE};
    for (size_t i = 0; i < STAY; ++i)
        if (!stage_publish_begin(self, &self->publishers[i], &stream))
            return false;
    return true;
}

/* ---- KILL-006: hundreds of deaths -------------------------------------------------------------------------------- */

enum {
    HOUSES = 3,          /* processes with two publishers and two subscribers each */
    VICTIMS = 2 * HOUSES /* of each kind */
};

static bool take_census(stage *self, census out[2 * STAY])
{
    char journals[PATH_MAX];
    snprintf(journals, sizeof journals, "%s/journals", ipcmark_trial_directory(self->trial));
    for (size_t i = 0; i < 2 * STAY; ++i) {
        const actor *const who = i < STAY ? &self->publishers[i] : &self->subscribers[i - STAY];
        if (census_take(&out[i], ipcmark_participant_pid(who->participant), journals) < 0)
            return stage_unable(self, who, "/proc of %s cannot be read", who->name);
    }
    return true;
}

/* What has done its work may need a moment to be gone: only what stays is left. */
static bool compare_census(stage *self, const census before[2 * STAY], unsigned deaths)
{
    const char *who = "";
    char text[512] = "";
    const uint64_t deadline_ns = ipcmark_now_ns() + (uint64_t)(2e9 * ipcmark_session_scale(self->session));
    do {
        census after[2 * STAY];
        size_t i = 0;
        if (!take_census(self, after))
            return false;
        while (i < 2 * STAY && !census_grew(&before[i], &after[i], text, sizeof text))
            ++i;
        if (i == 2 * STAY)
            return true;
        who = i < STAY ? self->publishers[i].name : self->subscribers[i - STAY].name;
        if (!ipcmark_wait(self->trial, 10))
            return false;
    } while (ipcmark_now_ns() < deadline_ns);
    return stage_object(self, IPCMARK_LEFTOVER, "%u deaths of others left at %s: %s", deaths, who, text);
}

static actor *house(stage *self, size_t index)
{
    return &self->publishers[STAY + index];
}

/* Three processes at a time open their publishers and subscribers, publish, and are killed in the middle of it. */
static bool play_wave(stage *self, unsigned *deaths)
{
    const ipcmark_publish_options burst = {.seconds = 0.03, .rate = 2000};
    for (size_t i = 0; i < HOUSES; ++i)
        if (!stage_start(self, house(self, i)))
            return false;
    for (size_t i = STAY; i < STAY + VICTIMS; ++i)
        if ((self->publishers[i].host != NULL && !stage_start(self, &self->publishers[i])) ||
            !stage_start(self, &self->subscribers[i]))
            return false;
    if (!stage_open_all(self) || !stage_settle(self))
        return false;
    for (size_t i = 0; i < STAY + VICTIMS; ++i)
        if (!stage_publish_begin(self, &self->publishers[i], &burst))
            return false;
    if (!ipcmark_wait(self->trial, 5 + (unsigned)stage_random(self, 20)))
        return false;
    for (size_t i = 0; i < HOUSES; ++i)
        if (ipcmark_kill(house(self, i)->participant) < 0)
            return stage_unable(self, house(self, i), "%s cannot be killed", house(self, i)->name);
    for (size_t i = 0; i < HOUSES; ++i)
        if (!stage_buried(self, house(self, i)))
            return false;
    *deaths += 2 * VICTIMS;
    return stage_publish_end_all(self) && stage_settle(self) && stage_drain(self);
}

bool play_hundreds_die(stage *self)
{
    const unsigned enough = stage_amount(self, 200, 48, 2000), warm_up = 2;
    unsigned deaths = 0;
    census before[2 * STAY];
    self->demands.min_must = enough;
    stage_cast_bare(self, STAY + VICTIMS, STAY + VICTIMS);
    for (size_t i = 0; i < VICTIMS; ++i) {
        self->publishers[STAY + i].host = i < HOUSES ? NULL : house(self, i % HOUSES);
        self->subscribers[STAY + i].host = house(self, i % HOUSES);
    }
    for (size_t i = 0; i < STAY; ++i)
        if (!stage_start(self, &self->publishers[i]) || !stage_start(self, &self->subscribers[i]) ||
            !stage_open(self, &self->publishers[i]) || !stage_open(self, &self->subscribers[i]))
            return false;
    for (unsigned i = 0; i < warm_up; ++i)
        if (!play_wave(self, &deaths))
            return false;
    if (!take_census(self, before))
        return false;
    for (deaths = 0; deaths < enough;)
        if (!play_wave(self, &deaths))
            return false;
    stage_figure(self, "deaths", deaths, "");
    return compare_census(self, before, deaths) && stage_recover(self);
}

/* ---- KILL-007: nobody is held up --------------------------------------------------------------------------------- */

static bool cast_with_short_pings(stage *self)
{
    actor *who;
    if (!stage_cast_closed(self, STAY + 1, STAY + 1))
        return false;
    for (size_t i = 0; (who = stage_actor(self, i)) != NULL; ++i)
        who->ping_interval_ms = PING_MS;
    return stage_open_all(self) && stage_settle(self);
}

/* In the middle of traffic, at which the victim takes part. */
static bool kill_one(stage *self, actor *victim)
{
    const ipcmark_publish_options stream = {.seconds = 0.3, .rate = RATE};
    return begin_traffic(self, 0.3) && (victim->subscriber || stage_publish_begin(self, victim, &stream)) &&
           ipcmark_wait(self->trial, 80 + (unsigned)stage_random(self, 100)) && stage_kill(self, victim) &&
           stage_publish_end_all(self);
}

bool play_deaths_hold_up_nobody(stage *self)
{
    const unsigned rounds = stage_amount(self, 3, 1, 30);
    self->demands.min_must = (uint64_t)STAY * STAY * RATE / 4;
    if (!cast_with_short_pings(self))
        return false;
    self->from_ns = ipcmark_now_ns();
    for (unsigned i = 0; i < rounds; ++i)
        if (!kill_one(self, &self->subscribers[STAY]) || !kill_one(self, &self->publishers[STAY]) ||
            !stage_recover(self))
            return false;
    self->until_ns = ipcmark_now_ns();
    return true;
}

/* ---- KILL-008: those who are stopped ----------------------------------------------------------------------------- */

/* A publisher and a subscriber are stopped until others no longer count on them, and then killed. The one that is
 * stopped gets no more than any backlog holds: 800 messages of 64 bytes. */
static bool kill_the_stopped(stage *self)
{
    actor *const publisher = &self->publishers[STAY], *const subscriber = &self->subscribers[STAY];
    return begin_traffic(self, 5e-3 * PING_MS) && ipcmark_wait(self->trial, (unsigned)stage_random(self, PING_MS)) &&
           stage_pause(self, publisher) && stage_pause(self, subscriber) && ipcmark_wait(self->trial, 3 * PING_MS) &&
           stage_kill(self, subscriber) && stage_kill(self, publisher) && stage_publish_end_all(self) &&
           stage_settle(self);
}

bool play_killed_while_stopped(stage *self)
{
    const unsigned rounds = stage_amount(self, 2, 1, 20);
    self->demands.min_must = (uint64_t)STAY * STAY * RATE / 4;
    if (!cast_with_short_pings(self))
        return false;
    self->from_ns = ipcmark_now_ns();
    for (unsigned i = 0; i < rounds; ++i)
        if (!kill_the_stopped(self) || !stage_recover(self))
            return false;
    self->until_ns = ipcmark_now_ns();
    return true;
}

void examine_those_who_live_on(stage *self, const struct ipcmark_history *history)
{
    double longest = 0;
    for (size_t i = 0; i < STAY; ++i) {
        const double delay =
            stage_examine_delays(self, history, &self->subscribers[i], delay_bound, "while others were killed");
        if (delay > longest)
            longest = delay;
    }
    stage_figure(self, "longest delay to those who live on", longest, "s");
}
