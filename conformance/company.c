/* All together: cast, settle, traffic, drain, recover. */
#include "stage.h"

#include "probe.h"
#include "told.h"

#include <string.h>

/* ---- all together ------------------------------------------------------------------------------------------------ */

void stage_cast_bare(stage *self, unsigned publishers, unsigned subscribers)
{
    actor *who;
    self->publisher_count = publishers;
    self->subscriber_count = subscribers;
    for (size_t i = 0; (who = stage_actor(self, i)) != NULL; ++i) {
        who->subscriber = i >= publishers;
        snprintf(who->name, sizeof who->name, "%s %zu", who->subscriber ? "subscriber" : "publisher",
                 who->subscriber ? i - publishers + 1 : i + 1);
    }
}

bool stage_start_all(stage *self)
{
    actor *who;
    for (size_t i = 0; (who = stage_actor(self, i)) != NULL; ++i)
        if (who->participant == NULL && !stage_start(self, who))
            return false;
    return true;
}

bool stage_cast_closed(stage *self, unsigned publishers, unsigned subscribers)
{
    stage_cast_bare(self, publishers, subscribers);
    return stage_start_all(self);
}

bool stage_open_all(stage *self)
{
    ipcmark_call *calls[2 * STAGE_MOST] = {NULL};
    bool all = true;
    actor *who;
    for (size_t i = 0; (who = stage_actor(self, i)) != NULL; ++i)
        if (!who->open)
            calls[i] = stage_open_begin(self, who);
    for (size_t i = 0; (who = stage_actor(self, i)) != NULL; ++i)
        if (!who->open)
            all &= stage_open_end(self, who, calls[i]);
    return all;
}

bool stage_close_all(stage *self)
{
    bool all = true;
    actor *who;
    for (size_t i = 0; (who = stage_actor(self, i)) != NULL; ++i)
        if (who->open)
            all &= stage_close(self, who);
    return all;
}

bool stage_cast(stage *self, unsigned publishers, unsigned subscribers)
{
    return stage_cast_closed(self, publishers, subscribers) && stage_open_all(self) && stage_settle(self);
}

unsigned stage_count_peers(stage *self, const actor *who)
{
    unsigned peers = 0;
    actor *other;
    for (size_t i = 0; (other = stage_actor(self, i)) != NULL; ++i)
        if (other->open && other->subscriber != who->subscriber)
            peers += who->subscriber ? stage_meets(self, other, who) : stage_meets(self, who, other);
    return peers;
}

/* One side counts and the other cannot: CON-001 and CON-002 say so; elsewhere one side is enough. */
static bool is_unable(ipcmark_call *call)
{
    return ipcmark_await(call) == IPCMARK_REFUSED && strcmp(call->code, "not_supported") == 0;
}

static bool settle_by_counts(stage *self)
{
    ipcmark_call *calls[2 * STAGE_MOST] = {NULL};
    bool all = true;
    actor *who;
    for (size_t i = 0; (who = stage_actor(self, i)) != NULL; ++i)
        if (who->open)
            calls[i] = ipcmark_wait_peers(self->trial, who->endpoint, stage_count_peers(self, who), 0);
    for (size_t i = 0; i < sizeof calls / sizeof *calls; ++i)
        all &= calls[i] == NULL || is_unable(calls[i]) || stage_await(self, calls[i], IPCMARK_COUNT);
    return all;
}

bool stage_settle(stage *self)
{
    const bool counts = stage_claims(self, IPCMARK_CAP_PEERS);
    const bool all = counts ? settle_by_counts(self) : probe_all(self);
    const uint64_t now = ipcmark_now_ns();
    actor *who;
    for (size_t i = 0; (who = stage_actor(self, i)) != NULL; ++i)
        if (who->open && all) {
            who->settled_ns = now;
            if (who->open_ns == UINT64_MAX)
                who->open_ns = now - 1;
        }
    if (all)
        self->buried_ns = 0;
    if (all && !counts)
        self->replaced_ns = 0; /* a probe is of one life, and not mistaken for one of another */
    stage_log(self, "the open ones are %s", all ? "connected" : "not connected");
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

bool stage_count(stage *self, const actor *who, const char *name, uint64_t *out)
{
    ipcmark_call *call = ipcmark_stats(self->trial, who->endpoint, 0, false);
    *out = 0;
    if (!stage_await(self, call, IPCMARK_HUNG))
        return false;
    *out = ipcmark_reply_count(call, name);
    return true;
}

bool stage_drain_last(stage *self, actor *subscriber, actor *publisher, double timeout_seconds)
{
    return ipcmark_await(ipcmark_drain(self->trial, subscriber->endpoint, &publisher->endpoint, 1, timeout_seconds)) ==
           IPCMARK_DONE;
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

static ipcmark_call *drain_begin(stage *self, const actor *subscriber)
{
    uint16_t publishers[STAGE_MOST];
    size_t count = 0;
    for (size_t i = 0; i < self->publisher_count; ++i)
        if (self->publishers[i].open && stage_meets(self, &self->publishers[i], subscriber))
            publishers[count++] = self->publishers[i].endpoint;
    return count == 0 ? NULL : ipcmark_drain(self->trial, subscriber->endpoint, publishers, count, 0);
}

/* A drain that is not reached is in the history; the checker says what was missing. */
bool stage_drain(stage *self)
{
    ipcmark_call *calls[STAGE_MOST] = {NULL};
    bool all = end_vigils(self);
    for (size_t i = 0; i < self->publisher_count; ++i)
        if (self->publishers[i].open)
            calls[i] = ipcmark_sentinel(self->trial, self->publishers[i].endpoint);
    for (size_t i = 0; i < self->publisher_count; ++i)
        all &= calls[i] == NULL || stage_await(self, calls[i], IPCMARK_LOST);
    for (size_t i = 0; i < self->subscriber_count; ++i)
        calls[i] = self->subscribers[i].open ? drain_begin(self, &self->subscribers[i]) : NULL;
    for (size_t i = 0; i < self->subscriber_count; ++i)
        all &= calls[i] == NULL || ipcmark_await(calls[i]) == IPCMARK_DONE;
    stage_log(self, "%s", all ? "drained" : "not drained");
    return all;
}

/* A right count is believed once it cannot be an old one any more, or where names say the same: most do at once. */
static bool settle_for_sure(stage *self)
{
    const uint64_t begun_ns = ipcmark_now_ns();
    uint64_t now = begun_ns;
    if (!stage_settle(self))
        return false;
    if (now < self->ambiguous_ns && !ipcmark_wait(self->trial, (unsigned)((self->ambiguous_ns - now) / 1000000) + 1))
        return false;
    while ((now = ipcmark_now_ns()) < self->replaced_ns && !told_of_all(self))
        if (!ipcmark_wait(self->trial, 20))
            return false;
    return (begun_ns >= self->ambiguous_ns && begun_ns >= self->replaced_ns) || stage_settle(self);
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
