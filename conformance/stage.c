#include "stage.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <sys/wait.h>

/* splitmix64 */
uint64_t stage_random(stage *self, uint64_t limit)
{
    uint64_t x = self->random += 0x9E3779B97F4A7C15u;
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
    x ^= x >> 31;
    return limit == 0 ? x : x % limit;
}

void stage_log(stage *self, const char *format, ...)
{
    va_list arguments;
    if (self->schedule == NULL)
        return;
    fprintf(self->schedule, "%8.4f s  ", (double)(ipcmark_now_ns() - self->start_ns) * 1e-9);
    va_start(arguments, format);
    vfprintf(self->schedule, format, arguments);
    va_end(arguments);
    fputc('\n', self->schedule);
    fflush(self->schedule);
}

bool stage_object(stage *self, enum ipcmark_class class_, const char *format, ...)
{
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    stage_log(self, "objection: %s", text);
    ipcmark_trial_observe(self->trial, class_, text);
    return false;
}

unsigned stage_either(const stage *self, unsigned full, unsigned quick)
{
    return self->quick ? quick : full;
}

bool stage_claims(const stage *self, uint64_t capabilities)
{
    return (self->implementation->capabilities & capabilities) == capabilities;
}

actor *stage_actor(stage *self, size_t index)
{
    if (index < self->publisher_count)
        return &self->publishers[index];
    index -= self->publisher_count;
    return index < self->subscriber_count ? &self->subscribers[index] : NULL;
}

/* Missed deadlines, deaths and garbage are in the history already, from the coordinator. */
bool stage_await(stage *self, ipcmark_call *call, enum ipcmark_class class_)
{
    const ipcmark_status status = ipcmark_await(call);
    if (status == IPCMARK_REFUSED)
        return stage_object(self, strcmp(call->code, "not_supported") == 0 ? IPCMARK_CLASS_NONE : class_, "%s",
                            call->text);
    if (status == IPCMARK_INVALID)
        return stage_object(self, IPCMARK_CLASS_NONE, "the play asked for what cannot be: %s",
                            call != NULL ? call->text : ipcmark_session_text(self->session));
    return status == IPCMARK_DONE;
}

/* ---- lives ----------------------------------------------------------------------------------------------------- */

bool stage_start(stage *self, actor *who)
{
    char name[24];
    const ipcmark_participant_options options = {.name = name};
    ++who->life;
    snprintf(name, sizeof name, "%c%td.%u", who->subscriber ? 's' : 'p',
             who - (who->subscriber ? self->subscribers : self->publishers) + 1, who->life);
    who->participant = ipcmark_participant_start(self->trial, &options);
    return who->participant != NULL;
}

/* What a publisher got rid of before it closed or died must still arrive at those who stay. To be asked for before it
 * opens again: then its name means the new life. */
static void keep_vigil(stage *self, const actor *publisher)
{
    for (size_t i = 0; i < self->subscriber_count; ++i) {
        const actor *subscriber = &self->subscribers[i];
        if (subscriber->open && publisher->settled_ns > subscriber->open_ns && self->vigil_count < STAGE_VIGILS)
            self->vigils[self->vigil_count++] =
                (stage_vigil){ipcmark_drain(self->trial, subscriber->endpoint, &publisher->endpoint, 1, 0), subscriber,
                              !publisher->killed || stage_claims(self, IPCMARK_CAP_SURVIVES_PUBLISHER_DEATH)};
    }
}

static bool end_vigils(stage *self)
{
    bool all = true;
    for (size_t i = 0; i < self->vigil_count; ++i) {
        const ipcmark_status status = ipcmark_await(self->vigils[i].call);
        all &= status == IPCMARK_DONE || status == IPCMARK_GONE || (status == IPCMARK_REFUSED && !self->vigils[i].owed);
    }
    self->vigil_count = 0;
    return all;
}

void stage_excuse(stage *self, actor *who)
{
    for (size_t i = 0; i < self->vigil_count; ++i)
        self->vigils[i].owed &= self->vigils[i].subscriber != who;
    who->settled_ns = 0;
    if (who->subscriber)
        who->open_ns = UINT64_MAX; /* later than any publisher was settled */
}

ipcmark_call *stage_open_begin(stage *self, actor *who)
{
    const ipcmark_endpoint_options options = {.endpoint = who->endpoint};
    if (who->subscriber)
        return ipcmark_open_subscriber(who->participant, &who->endpoint, &options);
    if (who->settled_ns != 0)
        keep_vigil(self, who);
    who->settled_ns = 0;
    who->killed = false;
    return ipcmark_open_publisher(who->participant, &who->endpoint, &options);
}

bool stage_open_end(stage *self, actor *who, ipcmark_call *call)
{
    who->open = stage_await(self, call, IPCMARK_DISCONNECT);
    who->open_ns = ipcmark_now_ns();
    if (self->buried_ns != 0)
        self->ambiguous_ns = self->buried_ns + 2 * STAGE_PING_MS * 1000000ull;
    stage_log(self, "%s is %s as endpoint %u", who->name, who->open ? "open" : "not opened", who->endpoint);
    return who->open;
}

bool stage_open(stage *self, actor *who)
{
    return stage_open_end(self, who, stage_open_begin(self, who));
}

bool stage_close(stage *self, actor *who)
{
    const bool closed = stage_await(self, ipcmark_close(self->trial, who->endpoint), IPCMARK_HUNG);
    who->open = false;
    stage_log(self, "%s is %s", who->name, closed ? "closed" : "not closed");
    return closed;
}

bool stage_close_within(stage *self, actor *who, double seconds, const char *circumstances)
{
    ipcmark_call *call = ipcmark_close(self->trial, who->endpoint);
    const double bound = seconds * ipcmark_session_scale(self->session);
    double took;
    if (!stage_await(self, call, IPCMARK_HUNG))
        return false;
    who->open = false;
    took = (double)(call->ended_ns - call->begun_ns) * 1e-9;
    stage_log(self, "%s closed in %.3f s, %s", who->name, took, circumstances);
    if (took > bound)
        return stage_object(self, IPCMARK_LATE, "closing %s took %.2f s, %s; it must not take longer than %.2f s",
                            who->name, took, circumstances, bound);
    return true;
}

bool stage_buried(stage *self, actor *who)
{
    int status;
    const int error = ipcmark_await_exit(who->participant, &status);
    if (error < 0)
        return error == -EINTR ? false
                               : stage_object(self, IPCMARK_CLASS_NONE, "%s was killed and does not die", who->name);
    self->buried_ns = ipcmark_now_ns();
    stage_log(self, "%s is dead", who->name);
    who->participant = NULL;
    who->open = who->paused = false;
    who->killed = true;
    return true;
}

bool stage_kill(stage *self, actor *who)
{
    stage_log(self, "kill %s", who->name);
    if (ipcmark_kill(who->participant) < 0 && ipcmark_participant_alive(who->participant)) /* it may have been faster */
        return stage_object(self, IPCMARK_CLASS_NONE, "%s cannot be killed", who->name);
    return stage_buried(self, who);
}

bool stage_pause(stage *self, actor *who)
{
    stage_log(self, "stop %s", who->name);
    who->paused = ipcmark_pause(who->participant) == 0;
    return who->paused || stage_object(self, IPCMARK_CLASS_NONE, "%s cannot be stopped", who->name);
}

bool stage_resume(stage *self, actor *who)
{
    stage_log(self, "continue %s", who->name);
    who->paused = false;
    return ipcmark_resume(who->participant) == 0 ||
           stage_object(self, IPCMARK_CLASS_NONE, "%s cannot be continued", who->name);
}

/* ---- all together ------------------------------------------------------------------------------------------------ */

bool stage_cast_closed(stage *self, unsigned publishers, unsigned subscribers)
{
    actor *who;
    self->publisher_count = publishers;
    self->subscriber_count = subscribers;
    for (size_t i = 0; (who = stage_actor(self, i)) != NULL; ++i) {
        who->subscriber = i >= publishers;
        snprintf(who->name, sizeof who->name, "%s %zu", who->subscriber ? "subscriber" : "publisher",
                 who->subscriber ? i - publishers + 1 : i + 1);
        if (!stage_start(self, who))
            return false;
    }
    return true;
}

bool stage_cast(stage *self, unsigned publishers, unsigned subscribers)
{
    ipcmark_call *calls[2 * STAGE_MOST];
    bool all = true;
    actor *who;
    if (!stage_cast_closed(self, publishers, subscribers))
        return false;
    for (size_t i = 0; (who = stage_actor(self, i)) != NULL; ++i)
        calls[i] = stage_open_begin(self, who);
    for (size_t i = 0; (who = stage_actor(self, i)) != NULL; ++i)
        all &= stage_open_end(self, who, calls[i]);
    return all && stage_settle(self);
}

static size_t count_open(const actor *actors, size_t count)
{
    size_t open = 0;
    for (size_t i = 0; i < count; ++i)
        open += actors[i].open;
    return open;
}

/* One side counts and the other cannot: CON-001 and CON-002 say so; elsewhere one side is enough. */
static bool is_unable(ipcmark_call *call)
{
    return ipcmark_await(call) == IPCMARK_REFUSED && strcmp(call->code, "not_supported") == 0;
}

bool stage_settle(stage *self)
{
    const unsigned publishers = (unsigned)count_open(self->publishers, self->publisher_count);
    const unsigned subscribers = (unsigned)count_open(self->subscribers, self->subscriber_count);
    ipcmark_call *calls[2 * STAGE_MOST] = {NULL};
    uint64_t now;
    bool all = true;
    actor *who;
    if (!stage_claims(self, IPCMARK_CAP_PEERS))
        return ipcmark_wait(self->trial, 2 * STAGE_PING_MS);
    for (size_t i = 0; (who = stage_actor(self, i)) != NULL; ++i)
        if (who->open)
            calls[i] = ipcmark_wait_peers(self->trial, who->endpoint, who->subscriber ? publishers : subscribers, 0);
    for (size_t i = 0; (who = stage_actor(self, i)) != NULL; ++i)
        all &= calls[i] == NULL || is_unable(calls[i]) || stage_await(self, calls[i], IPCMARK_COUNT);
    now = ipcmark_now_ns();
    for (size_t i = 0; (who = stage_actor(self, i)) != NULL; ++i)
        if (who->open && all) {
            who->settled_ns = now;
            if (who->open_ns == UINT64_MAX)
                who->open_ns = now - 1;
        }
    if (all)
        self->buried_ns = 0;
    stage_log(self, "%u publishers and %u subscribers are %s", publishers, subscribers,
              all ? "connected" : "not connected");
    return all;
}

/* ---- traffic ------------------------------------------------------------------------------------------------------
 */

bool stage_publish_begin(stage *self, actor *who, const ipcmark_publish_options *options)
{
    who->traffic = ipcmark_publish(self->trial, who->endpoint, options);
    return who->traffic != NULL || stage_object(self, IPCMARK_CLASS_NONE, "%s cannot be told to publish", who->name);
}

bool stage_publish_begin_all(stage *self, const ipcmark_publish_options *options)
{
    ipcmark_publish_options together = *options;
    bool all = true;
    together.start_at_ns = ipcmark_now_ns() + 50000000u;
    for (size_t i = 0; i < self->publisher_count; ++i)
        if (self->publishers[i].open)
            all &= stage_publish_begin(self, &self->publishers[i], &together);
    stage_log(self, "traffic begins");
    return all;
}

bool stage_publish_end(stage *self, actor *who)
{
    ipcmark_call *call = who->traffic;
    ipcmark_status status;
    if (call == NULL)
        return true;
    status = ipcmark_await(call);
    who->traffic = NULL;
    if (status == IPCMARK_DONE)
        stage_log(self, "%s has published %llu messages, %llu of them OK", who->name,
                  (unsigned long long)ipcmark_reply_count(call, "attempted"),
                  (unsigned long long)ipcmark_reply_count(call, "published"));
    if (status == IPCMARK_GONE) /* a crash that nobody asked for is in the history */
        return who->participant == NULL || stage_buried(self, who);
    return stage_await(self, call, IPCMARK_LOST);
}

bool stage_publish_end_all(stage *self)
{
    bool all = true;
    for (size_t i = 0; i < self->publisher_count; ++i)
        all &= stage_publish_end(self, &self->publishers[i]);
    stage_log(self, "traffic has ended");
    return all;
}

bool stage_publish(stage *self, actor *who, const ipcmark_publish_options *options)
{
    return stage_publish_begin(self, who, options) && stage_publish_end(self, who);
}

bool stage_publish_all(stage *self, const ipcmark_publish_options *options)
{
    return stage_publish_begin_all(self, options) & stage_publish_end_all(self);
}

bool stage_drain_last(stage *self, actor *subscriber, actor *publisher, double timeout_seconds)
{
    return ipcmark_await(ipcmark_drain(self->trial, subscriber->endpoint, &publisher->endpoint, 1, timeout_seconds)) ==
           IPCMARK_DONE;
}

/* A drain that is not reached is in the history; the checker says what was missing. */
bool stage_drain(stage *self)
{
    uint16_t publishers[STAGE_MOST];
    ipcmark_call *calls[STAGE_MOST] = {NULL};
    size_t count = 0;
    bool all = end_vigils(self);
    for (size_t i = 0; i < self->publisher_count; ++i)
        if (self->publishers[i].open)
            calls[i] = ipcmark_sentinel(self->trial, self->publishers[i].endpoint);
    for (size_t i = 0; i < self->publisher_count; ++i) {
        all &= calls[i] == NULL || stage_await(self, calls[i], IPCMARK_LOST);
        if (self->publishers[i].open)
            publishers[count++] = self->publishers[i].endpoint;
        calls[i] = NULL;
    }
    for (size_t i = 0; i < self->subscriber_count; ++i)
        if (self->subscribers[i].open)
            calls[i] = ipcmark_drain(self->trial, self->subscribers[i].endpoint, publishers, count, 0);
    for (size_t i = 0; i < self->subscriber_count; ++i)
        all &= calls[i] == NULL || ipcmark_await(calls[i]) == IPCMARK_DONE;
    stage_log(self, "%s", all ? "drained" : "not drained");
    return all;
}

static bool settle_for_sure(stage *self)
{
    const uint64_t now = ipcmark_now_ns();
    if (!stage_settle(self))
        return false;
    if (now >= self->ambiguous_ns)
        return true;
    return ipcmark_wait(self->trial, (unsigned)((self->ambiguous_ns - now) / 1000000) + 1) && stage_settle(self);
}

bool stage_recover(stage *self)
{
    const ipcmark_publish_options probe = {.count = 20};
    actor *who;
    for (size_t i = 0; (who = stage_actor(self, i)) != NULL; ++i)
        if (who->paused && !stage_resume(self, who))
            return false;
    if (!stage_publish_end_all(self) || !settle_for_sure(self))
        return false;
    for (size_t i = 0; (who = stage_actor(self, i)) != NULL; ++i)
        if (!who->open && !((who->participant != NULL || stage_start(self, who)) && stage_open(self, who)))
            return false;
    return stage_settle(self) && stage_drain(self) && stage_publish_all(self, &probe) && stage_drain(self);
}
