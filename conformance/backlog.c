#include "backlog.h"

#include <string.h>

enum { PORTION = 32, SMALL_PORTION = 4 /* with a reader: within any backlog */ };

/* A publish that does not come back for so long waits. One that comes back later was slow, and no harm is done: all
 * that plays say of a wait is that it ends. A handler takes longer, so that nothing is read between the verdict and
 * what is done then. */
static const double patience_seconds = 0.6, handler_seconds = 2;

/* Not as far as other times: these pass in any case. */
static double stretch(const stage *self, double seconds)
{
    const double scale = ipcmark_session_scale(self->session);
    return seconds * (scale < 3 ? scale : 3);
}

static bool set_delay(stage *self, const actor *subscriber, unsigned delay_us)
{
    const ipcmark_handler_options options = {.delay_us = delay_us};
    return stage_await(self, ipcmark_handler(self->trial, subscriber->endpoint, &options), IPCMARK_HUNG);
}

double backlog_handler_seconds(const stage *self)
{
    return stretch(self, handler_seconds);
}

bool backlog_stall(stage *self, actor *subscriber)
{
    const double seconds = backlog_handler_seconds(self);
    stage_log(self, "%s takes %.1f s for each message", subscriber->name, seconds);
    return set_delay(self, subscriber, (unsigned)(seconds * 1e6));
}

bool backlog_release(stage *self, actor *subscriber)
{
    stage_log(self, "%s takes messages as they come", subscriber->name);
    return set_delay(self, subscriber, 0);
}

static size_t message_size(const stage *self)
{
    const uint64_t limit = self->implementation->max_message_bytes;
    return limit != 0 && limit < BACKLOG_MESSAGE ? (size_t)limit : BACKLOG_MESSAGE;
}

/* Until the call has ended. False: not within `seconds`. */
static bool ends_within(stage *self, ipcmark_call *call, double seconds)
{
    const uint64_t until_ns = ipcmark_now_ns() + (uint64_t)(seconds * 1e9);
    while (!ipcmark_ended(call) && ipcmark_now_ns() < until_ns)
        if (!ipcmark_wait(self->trial, 2))
            return false;
    return ipcmark_ended(call);
}

static unsigned count_peers(stage *self, const actor *publisher)
{
    ipcmark_call *call;
    if (!stage_claims(self, IPCMARK_CAP_PEERS))
        return 0;
    call = ipcmark_peers(self->trial, publisher->endpoint);
    return ipcmark_await(call) == IPCMARK_DONE ? (unsigned)ipcmark_reply_count(call, "count") : 0;
}

static void note_portion(stage *self, backlog *out, const ipcmark_call *call)
{
    const char *error = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(call->reply, "last_error"));
    out->bytes += ipcmark_reply_count(call, "published") * message_size(self);
    out->failed += ipcmark_reply_count(call, "failed") + ipcmark_reply_count(call, "unknown");
    if (error != NULL)
        snprintf(out->last_error, sizeof out->last_error, "%s", error);
}

bool backlog_fill(stage *self, actor *publisher, actor *reader, uint64_t most, backlog *out)
{
    const bool behind = reader != NULL && !stage_claims(self, IPCMARK_CAP_WHEN_FULL_BLOCK);
    const size_t size = message_size(self);
    const ipcmark_publish_options portion = {
        .count = behind ? SMALL_PORTION : PORTION, .sizes = &size, .sizes_count = 1, .deadline_seconds = 60};
    *out = (backlog){.peers = count_peers(self, publisher)};
    while (!out->full && out->bytes < most) {
        if (!stage_publish_begin(self, publisher, &portion))
            return false;
        if (!ends_within(self, publisher->traffic, stretch(self, patience_seconds))) {
            out->full = out->waits = true;
            break;
        }
        if (publisher->traffic->status != IPCMARK_DONE)
            return stage_publish_end(self, publisher);
        note_portion(self, out, publisher->traffic);
        publisher->traffic = NULL;
        if (behind && !stage_drain_last(self, reader, publisher, 0))
            return false;
        out->full = out->failed > 0 || count_peers(self, publisher) < out->peers;
    }
    stage_log(self, "%s is %s after %.1f MiB", publisher->name,
              out->waits        ? "waiting in publish"
              : out->failed > 0 ? "refused"
              : out->full       ? "left with fewer peers"
                                : "not held up",
              (double)out->bytes / 1048576);
    return ipcmark_session_interrupted(self->session) == 0;
}

bool backlog_end(stage *self, actor *publisher, double seconds, double *took, const char *since)
{
    const uint64_t from_ns = ipcmark_now_ns();
    const double bound = seconds * ipcmark_session_scale(self->session);
    if (!ends_within(self, publisher->traffic, bound))
        return stage_object(self, IPCMARK_HUNG, "%s still waits in publish %.1f s after %s", publisher->name, bound,
                            since);
    *took = (double)(ipcmark_now_ns() - from_ns) * 1e-9;
    return stage_publish_end(self, publisher);
}
