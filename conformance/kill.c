/* KILL: death in full traffic, eight publishers and eight subscribers. The other plays of the group: deaths.h. */
#include "census.h"
#include "deaths.h"

enum {
    CROWD = 8,
    FLOOR = 100000,   /* messages that had to arrive: fewer make the case unknown */
    STORM_MS = 1500,  /* how long one storm of traffic lasts */
    SQUALL_MS = 600,  /* where nobody comes back before its end */
    STORMS_MOST = 12, /* usually; a slow implementation needs more than one of them to reach the floors */
    SPARED = 3,       /* subscribers that live on where subscribers die */
    STORM_RATE = 4000 /* messages a second of each publisher */
};

static const size_t sizes[] = {100, 64, 1000, 256};

static ipcmark_publish_options storm_options(unsigned milliseconds)
{
    const ipcmark_publish_options options = {.seconds = milliseconds * 1e-3,
                                             .rate = STORM_RATE,
                                             .sizes = sizes,
                                             .sizes_count = COUNT_OF(sizes),
                                             .overwrite = true};
    return options;
}

static unsigned elapsed_ms(uint64_t since_ns)
{
    return (unsigned)((ipcmark_now_ns() - since_ns) / 1000000);
}

/* Lets the storm go on until so many milliseconds after its start. */
static bool wait_until(stage *self, uint64_t start_ns, uint64_t milliseconds)
{
    const unsigned now = elapsed_ms(start_ns);
    return now >= milliseconds || ipcmark_wait(self->trial, (unsigned)milliseconds - now);
}

/* At a random moment of the n-th of `parts` equal parts of the storm, its first and last tenth left out. */
static uint64_t random_moment(stage *self, unsigned storm_ms, unsigned n, unsigned parts)
{
    const uint64_t share = storm_ms * 8 / 10 / parts;
    return storm_ms / 10 + n * share + stage_random(self, share);
}

/* What the storms of a play have come to: deliveries that had to happen, as far as can be told without the journals,
 * and deaths. One death shows little: what goes wrong once in ten deaths shall not pass. */
typedef struct {
    unsigned storms, deaths;
    uint64_t must;
} toll;

static unsigned enough_deaths(const stage *self)
{
    return stage_amount(self, 12, 4, 120);
}

static bool is_enough(const stage *self, const toll *so_far)
{
    return so_far->must >= FLOOR * 5 / 4 && so_far->deaths >= enough_deaths(self);
}

static bool goes_on(const stage *self, const toll *so_far)
{
    return !is_enough(self, so_far) && so_far->storms < stage_either(self, STORMS_MOST, STORMS_MOST);
}

/* The checker has the last word on deliveries; on deaths the play has. */
static bool show_toll(stage *self, const toll *all)
{
    stage_figure(self, "deaths", all->deaths, "");
    if (all->deaths < enough_deaths(self))
        stage_log(self, "%u deaths in traffic came about, and %u had to", all->deaths, enough_deaths(self));
    return all->deaths >= enough_deaths(self);
}

/* Deliveries between bystanders. */
static uint64_t add_must(stage *self, size_t bystanders)
{
    uint64_t must = 0;
    for (size_t i = 0; i < self->publisher_count; ++i) {
        const ipcmark_call *call = self->publishers[i].traffic;
        if (call != NULL && call->status == IPCMARK_DONE)
            must += ipcmark_reply_count(call, "published") * bystanders;
    }
    return must;
}

static bool finish_storm(stage *self, size_t bystanders, toll *all)
{
    for (size_t i = 0; i < self->publisher_count; ++i)
        if (self->publishers[i].traffic != NULL && ipcmark_await(self->publishers[i].traffic) == IPCMARK_GONE)
            ++all->deaths;
    all->must += add_must(self, bystanders);
    ++all->storms;
    return stage_recover(self);
}

/* Kills subscribers one after the other, and starts each again at once, into the traffic. */
static bool kill_subscribers(stage *self, toll *all)
{
    const ipcmark_publish_options options = storm_options(STORM_MS);
    const unsigned deaths = stage_amount(self, 12, 4, 12);
    const size_t first = stage_random(self, CROWD);
    uint64_t start_ns;
    if (!stage_publish_begin_all(self, &options))
        return false;
    start_ns = ipcmark_now_ns();
    for (unsigned i = 0; i < deaths; ++i) {
        actor *const victim = &self->subscribers[(first + i % (CROWD - SPARED)) % CROWD];
        if (!wait_until(self, start_ns, random_moment(self, STORM_MS, i, deaths)))
            return false;
        if (elapsed_ms(start_ns) >= STORM_MS)
            break;
        if (!stage_kill(self, victim) || !stage_start(self, victim) || !stage_open(self, victim))
            return false;
        ++all->deaths;
    }
    return true;
}

static bool play_subscribers_die(stage *self)
{
    toll all = {.storms = 0};
    self->demands.min_must = FLOOR;
    self->demands.min_joins = 1;
    if (!stage_cast(self, CROWD, CROWD))
        return false;
    while (goes_on(self, &all))
        if (!kill_subscribers(self, &all) || !finish_storm(self, SPARED, &all))
            return false;
    return show_toll(self, &all);
}

/* Begins the storm; one publisher will kill itself inside publish, one just before or after it. */
static bool begin_with_assassins(stage *self, unsigned storm_ms, size_t first)
{
    const ipcmark_publish_options plain = storm_options(storm_ms);
    const uint64_t start_at_ns = ipcmark_now_ns() + 50000000u;
    for (size_t i = 0; i < CROWD; ++i) {
        ipcmark_publish_options options = plain;
        actor *const who = &self->publishers[(first + i) % CROWD];
        options.start_at_ns = start_at_ns;
        if (i < 2) {
            options.kill_self_at = 50 + stage_random(self, storm_ms / 2);
            options.kill_self_moment = i == 0                       ? IPCMARK_INSIDE
                                       : stage_random(self, 2) == 0 ? IPCMARK_BEFORE
                                                                    : IPCMARK_AFTER;
            stage_log(self, "%s is to kill itself %s its publish number %llu", who->name,
                      i == 0                                       ? "inside"
                      : options.kill_self_moment == IPCMARK_BEFORE ? "just before"
                                                                   : "just after",
                      (unsigned long long)options.kill_self_at);
        }
        if (!stage_publish_begin(self, who, &options))
            return false;
    }
    return true;
}

static bool play_publishers_die(stage *self)
{
    const unsigned kills = 3; /* beside two that kill themselves */
    toll all = {.storms = 0};
    self->demands.min_must = FLOOR;
    self->demands.min_kills_inside = 1;
    if (!stage_cast(self, CROWD, CROWD))
        return false;
    while (goes_on(self, &all)) {
        const size_t first = stage_random(self, CROWD);
        uint64_t start_ns;
        if (!begin_with_assassins(self, SQUALL_MS, first))
            return false;
        start_ns = ipcmark_now_ns();
        for (unsigned k = 0; k < kills; ++k)
            if (!wait_until(self, start_ns, random_moment(self, SQUALL_MS, k, kills)) ||
                !stage_kill(self, &self->publishers[(first + 2 + k) % CROWD]))
                return false;
        if (!finish_storm(self, CROWD, &all))
            return false;
    }
    return show_toll(self, &all);
}

/* One of the first half of the kind whose turn it is; a publisher that killed itself earlier is only started again. */
static bool kill_and_restart(stage *self, uint64_t start_ns, bool subscriber)
{
    const size_t which = stage_random(self, CROWD / 2);
    actor *const victim = subscriber ? &self->subscribers[which] : &self->publishers[which];
    const unsigned gone = elapsed_ms(start_ns);
    const ipcmark_publish_options options = storm_options(gone + 100 < STORM_MS ? STORM_MS - gone : 100);
    const bool dead =
        victim->traffic != NULL && ipcmark_ended(victim->traffic) && victim->traffic->status == IPCMARK_GONE;
    if (dead ? !stage_buried(self, victim) : !stage_kill(self, victim))
        return false;
    victim->traffic = NULL;
    return stage_start(self, victim) && stage_open(self, victim) &&
           (victim->subscriber || stage_publish_begin(self, victim, &options));
}

static bool play_both_die(stage *self)
{
    const unsigned deaths = stage_amount(self, 12, 8, 12);
    toll all = {.storms = 0};
    self->demands.min_must = FLOOR;
    self->demands.min_kills_inside = 1;
    self->demands.min_joins = 1;
    if (!stage_cast(self, CROWD, CROWD))
        return false;
    while (goes_on(self, &all)) {
        uint64_t start_ns;
        if (!begin_with_assassins(self, STORM_MS, stage_random(self, CROWD / 2 - 1)))
            return false;
        start_ns = ipcmark_now_ns();
        for (unsigned k = 0; k < deaths; ++k) {
            if (!wait_until(self, start_ns, random_moment(self, STORM_MS, k, deaths)))
                return false;
            if (elapsed_ms(start_ns) >= STORM_MS)
                break;
            if (!kill_and_restart(self, start_ns, k % 2 == 1))
                return false;
            ++all.deaths;
        }
        if (!finish_storm(self, CROWD / 2, &all))
            return false;
    }
    return show_toll(self, &all);
}

/* All at once, as far as one processor after the other can. */
static bool kill_everyone(stage *self)
{
    actor *who;
    stage_log(self, "kill everyone");
    for (size_t i = 0; (who = stage_actor(self, i)) != NULL; ++i)
        if (ipcmark_kill(who->participant) < 0)
            return stage_unable(self, who, "%s cannot be killed", who->name);
    for (size_t i = 0; (who = stage_actor(self, i)) != NULL; ++i)
        if (!stage_buried(self, who))
            return false;
    return true;
}

static bool play_everyone_dies(stage *self)
{
    const ipcmark_publish_options storm = storm_options(STORM_MS);
    const ipcmark_publish_options after = {.count = 100, .sizes = sizes, .sizes_count = COUNT_OF(sizes)};
    char text[CENSUS_TEXT];
    litter clean;
    int left;
    self->demands.min_must = CROWD * CROWD * after.count / 2;
    if (!stage_cast(self, CROWD, CROWD) || !stage_close_all(self))
        return false;
    clean = census_litter(self);
    if (!stage_recover(self))
        return false;
    for (unsigned i = 0; i < stage_amount(self, 4, 2, 40); ++i)
        if (!stage_publish_begin_all(self, &storm) ||
            !ipcmark_wait(self->trial, 60 + (unsigned)stage_random(self, 100)) || !kill_everyone(self) ||
            !stage_recover(self) || !stage_publish_all(self, &after) || !stage_drain(self))
            return false;
    if (!stage_close_all(self))
        return false;
    left = census_litter_left(self, &clean, text, sizeof text);
    if (left > 0)
        return stage_object(self, IPCMARK_LEFTOVER, "the dead left what nobody cleared away: %s", text);
    return left == 0;
}

static const clause clauses[] = {
    {"KILL-001", .publishers = CROWD, .subscribers = CROWD, .play = play_subscribers_die, .seconds = 4, .heavy = true,
     .promise = "The death of subscribers costs bystanders nothing."},
    {"KILL-002", .publishers = CROWD, .subscribers = CROWD, .play = play_publishers_die, .seconds = 3, .heavy = true,
     .promise = "The death of a publisher tears nothing and loses nothing that it was told is published."},
    {"KILL-003", .publishers = CROWD, .subscribers = CROWD, .play = play_both_die, .seconds = 4, .heavy = true,
     .promise = "Participants of both kinds that are killed and started again find a working channel."},
    {"KILL-004", .publishers = CROWD, .subscribers = CROWD, .play = play_everyone_dies, .seconds = 3, .heavy = true,
     .promise = "After everyone was killed a restart works without cleaning by hand."},
    {"KILL-005", .publishers = 4, .subscribers = 4, .play = play_killed_inside, .examine = examine_killed_inside,
     .seconds = 3, .heavy = true,
     .promise = "A participant that is killed while it opens, connects or closes leaves nothing that others stumble "
                "over."},
    {"KILL-006", .publishers = 8, .subscribers = 8, .play = play_hundreds_die, .seconds = 4, .heavy = true,
     .promise = "Hundreds of deaths exhaust nothing: those who stay hold no more than before, and newcomers are "
                "connected."},
    {"KILL-007", .publishers = 3, .subscribers = 3, .play = play_deaths_hold_up_nobody,
     .examine = examine_those_who_live_on, .seconds = 3, .promise = "A death does not hold up those who live on."},
    {"KILL-008", .publishers = 3, .subscribers = 3, .play = play_killed_while_stopped,
     .examine = examine_those_who_live_on, .seconds = 3,
     .promise = "Who is killed while it is stopped is as dead as any other."},
};

const clause_group kill_clauses = {clauses, COUNT_OF(clauses)};
