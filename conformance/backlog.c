#include "backlog.h"

#include "memory.h"

#include <string.h>

/* Limits are powers of two, often; of these none is at the last message of a portion of 31, which any room would end.
 */
enum { PORTION = 31, SMALL_PORTION = 4 /* with a reader: within any backlog */ };

/* A publisher waits that has got rid of nothing at so many looks in a row; who has is merely slow. Once more is looked
 * just before something is done about it. A handler takes longer than these together, so that nothing is read between
 * the verdict and what is done then; but at the last message of a portion, which the handler may make room for. */
enum { STILL_LOOKS = 4, STILL_LOOKS_AT_THE_LAST = 15 };
static const double look_seconds = 0.2, handler_seconds = 2;

/* Whoever claims not to wait is slow and nothing else, until it is beyond the deadline of any call; or portions in a
 * row, none of which comes back in time, are together. */
static const double patience_seconds = 0.6, most_seconds = 10;

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

/* What is published lies at the publisher, in between and at the subscriber, and its buffers may be twice as large. */
static uint64_t limit_to_memory(uint64_t bytes)
{
    const uint64_t available = memory_available();
    return available == 0 || bytes <= available / 8 ? bytes : available / 8;
}

static bool claims_not_to_wait(const stage *self)
{
    return stage_claims(self, IPCMARK_CAP_WHEN_FULL_FAIL) || stage_claims(self, IPCMARK_CAP_WHEN_FULL_DROP_REPORTED);
}

bool backlog_waits(stage *self, const actor *publisher)
{
    const bool waits = !ends_within(self, publisher->traffic, stretch(self, look_seconds));
    if (!waits)
        stage_log(self, "%s does not wait any more", publisher->name);
    return waits;
}

/* Until its publish has ended, or waits; `end`: how many it will have published in all. False: it broke down. */
static bool await_portion(stage *self, const actor *publisher, uint64_t end, bool *waits)
{
    uint64_t before = UINT64_MAX, now = 0;
    for (unsigned still = 0; still < (now + 1 == end ? STILL_LOOKS_AT_THE_LAST : STILL_LOOKS); before = now) {
        if (ends_within(self, publisher->traffic, stretch(self, look_seconds)))
            return true;
        if (!stage_count(self, publisher, "published", &now))
            return false;
        still = now == before ? still + 1 : 0;
    }
    *waits = true;
    return true;
}

/* One portion. False: it broke down. */
static bool publish_portion(stage *self, actor *publisher, const ipcmark_publish_options *portion, backlog *out,
                            double *held_up)
{
    const double patience = stretch(self, patience_seconds);
    const uint64_t from_ns = ipcmark_now_ns();
    const bool may_wait = !claims_not_to_wait(self);
    uint64_t before = 0;
    double took;
    if ((may_wait && !stage_count(self, publisher, "published", &before)) ||
        !stage_publish_begin(self, publisher, portion) ||
        (may_wait && !await_portion(self, publisher, before + portion->count, &out->waits)))
        return false;
    if (out->waits) {
        out->full = true;
        return true;
    }
    if (ipcmark_await(publisher->traffic) != IPCMARK_DONE)
        return stage_publish_end(self, publisher);
    took = (double)(ipcmark_now_ns() - from_ns) * 1e-9;
    *held_up = took > patience ? *held_up + took : 0;
    note_portion(self, out, publisher->traffic);
    publisher->traffic = NULL;
    if (!may_wait && *held_up > most_seconds * ipcmark_session_scale(self->session))
        return stage_object(self, IPCMARK_HUNG,
                            "publish claims not to wait where a backlog is full, and held %s up for %.1f s",
                            publisher->name, *held_up);
    return true;
}

bool backlog_fill(stage *self, actor *publisher, actor *reader, uint64_t most, backlog *out)
{
    const bool behind = reader != NULL && !stage_claims(self, IPCMARK_CAP_WHEN_FULL_BLOCK);
    const size_t size = message_size(self);
    const ipcmark_publish_options portion = {.count = behind ? SMALL_PORTION : PORTION,
                                             .sizes = &size,
                                             .sizes_count = 1,
                                             .deadline_seconds = claims_not_to_wait(self) ? most_seconds : 60};
    double held_up = 0;
    const uint64_t wanted = most;
    most = limit_to_memory(most);
    *out = (backlog){.peers = count_peers(self, publisher)};
    while (!out->full && out->bytes < most) {
        if (!publish_portion(self, publisher, &portion, out, &held_up))
            return false;
        if (out->waits)
            break;
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
    if (!out->full && most < wanted)
        return stage_skip(self, "it needs %llu MiB of memory that is available, unless a backlog is full before",
                          (unsigned long long)(8 * wanted >> 20));
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
