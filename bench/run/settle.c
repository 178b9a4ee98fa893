/* Who is connected to whom, and whether all has been received. */
#include "crew.h"

#include <stdio.h>
#include <string.h>

enum { ROUND_MS = 50 /* between two probes: whoever was connected has had the first by then */ };

bool crew_is_refused(ipcmark_call *call, const char *code)
{
    return ipcmark_await(call) == IPCMARK_REFUSED && call != NULL && strcmp(call->code, code) == 0;
}

/* A refusal shows a violation of this class, unless it says that there is no such thing. */
bool crew_await(struct crew *self, ipcmark_call *call, enum ipcmark_class class_)
{
    const ipcmark_status status = ipcmark_await(call);

    if (call == NULL)
        return crew_object(self, IPCMARK_CLASS_NONE, "%s", ipcmark_session_text(self->session));
    if (status == IPCMARK_REFUSED)
        return crew_object(self, strcmp(call->code, "not_supported") == 0 ? IPCMARK_CLASS_NONE : class_, "%s",
                           call->text);
    if (status == IPCMARK_INVALID)
        return crew_object(self, IPCMARK_CLASS_NONE, "%s", call->text);
    return status == IPCMARK_DONE; /* a missed deadline, a death, garbage: among the troubles */
}

bool settle_by_counts(struct crew *self)
{
    ipcmark_call *calls[2 * SCENARIO_MOST] = {NULL};
    bool all = true;

    for (unsigned i = 0; i < self->count; ++i)
        calls[i] = ipcmark_wait_peers(
            self->trial, self->members[i].endpoint,
            self->members[i].subscriber ? self->scenario->publishers : self->scenario->subscribers, 0);
    for (unsigned i = 0; i < self->count; ++i)
        /* One side may count and the other not. */
        all &= crew_is_refused(calls[i], "not_supported") || crew_await(self, calls[i], IPCMARK_COUNT);
    return all;
}

/* ---- probes ------------------------------------------------------------------------------------------------------ */

/* Of each publisher, the sequence of the first message that was to be a probe; 0: none was taken yet. */
struct probes {
    uint64_t first[SCENARIO_MOST];
};

static uint64_t last_sequence(const ipcmark_call *call)
{
    const cJSON *pair;

    cJSON_ArrayForEach(pair, cJSON_GetObjectItemCaseSensitive(call->reply, "last"))
    {
        if (cJSON_GetNumberValue(cJSON_GetArrayItem(pair, 0)) == 0) /* the thread that probes */
            return (uint64_t)cJSON_GetNumberValue(cJSON_GetArrayItem(pair, 1));
    }
    return 0;
}

static bool send_probes(struct crew *self, struct probes *sent)
{
    ipcmark_call *calls[SCENARIO_MOST] = {NULL};
    bool all = true;

    for (unsigned i = 0; i < self->scenario->publishers; ++i)
        calls[i] = ipcmark_publish(self->trial, self->members[i].endpoint, NULL);
    for (unsigned i = 0; i < self->scenario->publishers; ++i) {
        all &= crew_await(self, calls[i], IPCMARK_LOST);
        if (all && sent->first[i] == 0 && ipcmark_reply_count(calls[i], "published") > 0)
            sent->first[i] = last_sequence(calls[i]);
    }
    return all;
}

/* Asks the participant itself: a drain would say that what is not there yet is owed. */
static ipcmark_call *ask(struct crew *self, const struct member *subscriber, const struct probes *sent)
{
    cJSON *fields = cJSON_CreateObject(), *until = cJSON_AddArrayToObject(fields, "until");

    cJSON_AddNumberToObject(fields, "endpoint", subscriber->endpoint);
    cJSON_AddNumberToObject(fields, "timeout_ms", ROUND_MS);
    for (unsigned i = 0; i < self->scenario->publishers; ++i) {
        const struct member *publisher = &self->members[i];
        const double row[] = {publisher->endpoint, publisher->life, 0,
                              sent->first[i] != 0 ? (double)sent->first[i] : 0x1p53};
        cJSON_AddItemToArray(until, cJSON_CreateDoubleArray(row, 4));
    }
    return ipcmark_request(subscriber->participant, "drain", fields, 0);
}

/* 1: all have one of each; 0: not yet, and *missing says so of one; -1: an objection. */
static int look(struct crew *self, const struct probes *sent, const ipcmark_call **missing)
{
    ipcmark_call *calls[2 * SCENARIO_MOST] = {NULL};
    int result = 1;

    for (unsigned i = self->scenario->publishers; i < self->count; ++i)
        calls[i] = ask(self, &self->members[i], sent);
    for (unsigned i = self->scenario->publishers; i < self->count; ++i)
        if (crew_is_refused(calls[i], "ETIMEDOUT")) {
            *missing = calls[i];
            result = result < 0 ? result : 0;
        } else if (!crew_await(self, calls[i], IPCMARK_HUNG)) {
            result = -1;
        }
    return result;
}

bool settle_by_probes(struct crew *self)
{
    const double seconds = ipcmark_trial_deadline(self->trial) * ipcmark_session_scale(self->session);
    const uint64_t deadline_ns = ipcmark_now_ns() + (uint64_t)(seconds * 1e9);
    const ipcmark_call *missing = NULL;
    struct probes sent = {0};

    do {
        const int found = send_probes(self, &sent) ? look(self, &sent, &missing) : -1;
        if (found != 0)
            /* Whoever was connected before the others got probes that were not for it. */
            return found > 0 && settle_drain(self);
    } while (ipcmark_now_ns() < deadline_ns);
    return crew_object(self, IPCMARK_HUNG, "no message has got through for %.1f s: %s", seconds, missing->text);
}

/* ---- drains ------------------------------------------------------------------------------------------------------ */

bool settle_drain(struct crew *self)
{
    ipcmark_call *calls[2 * SCENARIO_MOST] = {NULL};
    uint16_t publishers[SCENARIO_MOST];
    const unsigned count = self->scenario->publishers;
    bool all = true;

    for (unsigned i = 0; i < count; ++i) {
        publishers[i] = self->members[i].endpoint;
        calls[i] = ipcmark_sentinel(self->trial, publishers[i]);
    }
    for (unsigned i = 0; i < count; ++i)
        all &= crew_await(self, calls[i], IPCMARK_LOST);
    for (unsigned i = count; i < self->count && all; ++i)
        calls[i] = ipcmark_drain(self->trial, self->members[i].endpoint, publishers, count, 0);
    for (unsigned i = count; i < self->count && all; ++i)
        if (crew_is_refused(calls[i], "ETIMEDOUT"))
            snprintf(self->undrained, sizeof self->undrained, "%s", calls[i]->text); /* what it comes to is judged */
        else if (!crew_await(self, calls[i], IPCMARK_HUNG))
            all = false;
    return all;
}
