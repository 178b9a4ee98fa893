/* LIFE: opening and closing. */
#include "census.h"
#include "stage.h"

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

/* A stopped subscriber, and as much published to it as goes within a second: where publish blocks it is blocked then.
 */
static bool close_while_full(stage *self, actor *publisher, actor *subscriber)
{
    static const size_t sizes[] = {65536};
    const ipcmark_publish_options options = {.seconds = 0.5, .sizes = sizes, .sizes_count = 1, .deadline_seconds = 10};
    bool closed;
    if (!stage_pause(self, subscriber) || ipcmark_overload(subscriber->participant, true) < 0 ||
        !stage_publish_begin(self, publisher, &options) || !ipcmark_wait(self->trial, 800))
        return false;
    closed = stage_close_within(self, publisher, close_bound, "with a subscriber that is full and stopped");
    return (closed & stage_resume(self, subscriber) & stage_publish_end(self, publisher)) &&
           ipcmark_overload(subscriber->participant, false) == 0;
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
    /* Where publish and close may not overlap, nobody can close a publisher that is full. */
    if (stage_claims(self, IPCMARK_CAP_THREADS) &&
        !(reopen(self, subscriber) && reopen(self, publisher) && close_while_full(self, publisher, subscriber)))
        return false;
    return stage_recover(self);
}

static bool play_subscriber_closes(stage *self)
{
    const ipcmark_publish_options stream = {.seconds = 1, .rate = 2000}, backlog = {.count = 2000};
    const ipcmark_handler_options slow = {.delay_us = 10000};
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
    if (!reopen(self, publisher) || !reopen(self, subscriber) ||
        !stage_await(self, ipcmark_handler(self->trial, subscriber->endpoint, &slow), IPCMARK_HUNG) ||
        !stage_publish_begin_all(self, &backlog) || !ipcmark_wait(self->trial, 300) ||
        !stage_close_within(self, subscriber, close_bound, "with a backlog of unread messages") ||
        !stage_publish_end_all(self))
        return false;
    return stage_recover(self);
}

/* ---- leaks ----------------------------------------------------------------------------------------------------------
 */

static bool play_round(stage *self)
{
    const ipcmark_publish_options options = {.count = 5};
    actor *who;
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
            return stage_object(self, IPCMARK_CLASS_NONE, "/proc of %s cannot be read", who->name);
    return true;
}

/* A thread that has done its work may need a moment to be gone, also one of the agent's own: only what stays is left.
 */
static bool compare_census(stage *self, const census *before, unsigned rounds)
{
    census after[2 * STAGE_MOST] = {{0}};
    char text[256];
    actor *who = NULL;
    for (unsigned patience = 0; patience < 100; ++patience) {
        size_t i = 0;
        if (!take_census(self, after))
            return false;
        while ((who = stage_actor(self, i)) != NULL && !census_grew(&before[i], &after[i], text, sizeof text))
            ++i;
        if (who == NULL)
            return true;
        if (!ipcmark_wait(self->trial, 10))
            return false;
    }
    return stage_object(self, IPCMARK_LEFTOVER, "%u rounds of open and close left at %s: %s", rounds, who->name, text);
}

static bool play_rounds(stage *self)
{
    const unsigned warm_up = 3, rounds = stage_either(self, 60, 15);
    census before[2 * STAGE_MOST] = {{0}};
    int files_before, files_after;
    self->demands.min_must = rounds;
    if (!stage_cast_closed(self, 2, 2))
        return false;
    for (unsigned i = 0; i < warm_up; ++i)
        if (!play_round(self))
            return false;
    files_before = census_files(ipcmark_trial_files(self->trial));
    if (!take_census(self, before))
        return false;
    for (unsigned i = 0; i < rounds; ++i)
        if (!play_round(self))
            return false;
    files_after = census_files(ipcmark_trial_files(self->trial));
    if (!compare_census(self, before, rounds))
        return false;
    if (files_after > files_before)
        return stage_object(self, IPCMARK_LEFTOVER, "%u rounds of open and close left files: %d before, %d after",
                            rounds, files_before, files_after);
    return true;
}

#define COUNT_OF(array) (sizeof(array) / sizeof(array)[0])

static const clause clauses[] = {
    {"LIFE-001", .publishers = 1, .subscribers = 2, .play = play_publisher_closes,
     .promise = "A publisher closes within a second, whatever its peers do."},
    {"LIFE-002", .publishers = 2, .subscribers = 1, .play = play_subscriber_closes,
     .promise = "A subscriber closes within a second, whatever its peers do."},
    {"LIFE-003", .publishers = 2, .subscribers = 2, .play = play_rounds,
     .promise = "Rounds of open and close leave no descriptor, thread, mapping or file."},
};

const clause_group life_clauses = {clauses, COUNT_OF(clauses)};
