#include "probe.h"

#include <string.h>

enum { ROUND_MS = 50 /* between two probes: whoever was connected has had the first by then */, THREAD = 0 };

/* The first probe of each publisher; 0: none was taken yet. */
typedef struct {
    uint64_t first[STAGE_MOST];
} probes;

/* The sequence that the publisher's thread has come to. */
static uint64_t last_sequence(const ipcmark_call *call)
{
    const cJSON *pair;
    cJSON_ArrayForEach(pair, cJSON_GetObjectItemCaseSensitive(call->reply, "last"))
    {
        if (cJSON_GetNumberValue(cJSON_GetArrayItem(pair, 0)) == THREAD)
            return (uint64_t)cJSON_GetNumberValue(cJSON_GetArrayItem(pair, 1));
    }
    return 0;
}

/* Whoever publishes anyhow needs no probe, as long as it does. */
static bool is_idle(const actor *publisher)
{
    return publisher->open && (publisher->traffic == NULL || ipcmark_ended(publisher->traffic));
}

static bool send_probes(stage *self, probes *sent)
{
    ipcmark_call *calls[STAGE_MOST] = {NULL};
    bool all = true;
    for (size_t i = 0; i < self->publisher_count; ++i)
        if (is_idle(&self->publishers[i]) && stage_count_peers(self, &self->publishers[i]) > 0)
            calls[i] = ipcmark_publish(self->trial, self->publishers[i].endpoint, NULL);
        else
            sent->first[i] = 1;
    for (size_t i = 0; i < self->publisher_count; ++i) {
        if (calls[i] == NULL)
            continue;
        all &= stage_await(self, calls[i], IPCMARK_LOST);
        if (all && sent->first[i] == 0 && ipcmark_reply_count(calls[i], "published") > 0)
            sent->first[i] = last_sequence(calls[i]);
    }
    return all;
}

/* Asks the participant itself: what is not there yet is not yet owed, and a drain would say that it is. */
static ipcmark_call *ask(stage *self, const actor *subscriber, const probes *sent)
{
    cJSON *fields = cJSON_CreateObject(), *until = cJSON_AddArrayToObject(fields, "until");
    cJSON_AddNumberToObject(fields, "endpoint", subscriber->endpoint);
    cJSON_AddNumberToObject(fields, "timeout_ms", ROUND_MS);
    for (size_t i = 0; i < self->publisher_count; ++i) {
        const actor *publisher = &self->publishers[i];
        const double row[] = {publisher->endpoint, publisher->epoch, THREAD,
                              sent->first[i] != 0 ? (double)sent->first[i] : 0x1p53};
        if (publisher->open && stage_meets(self, publisher, subscriber))
            cJSON_AddItemToArray(until, cJSON_CreateDoubleArray(row, 4));
    }
    return ipcmark_request(subscriber->participant, "drain", fields, 0);
}

/* 1: all have one of each; 0: not yet, and *missing says it of one; -1: an objection. */
static int look(stage *self, const probes *sent, ipcmark_call **missing)
{
    ipcmark_call *calls[STAGE_MOST] = {NULL};
    int result = 1;
    for (size_t i = 0; i < self->subscriber_count; ++i)
        if (self->subscribers[i].open && stage_count_peers(self, &self->subscribers[i]) > 0)
            calls[i] = ask(self, &self->subscribers[i], sent);
    for (size_t i = 0; i < self->subscriber_count; ++i) {
        if (calls[i] == NULL)
            continue;
        if (ipcmark_await(calls[i]) == IPCMARK_REFUSED && strcmp(calls[i]->code, "ETIMEDOUT") == 0) {
            *missing = calls[i];
            result = result < 0 ? result : 0;
        } else if (!stage_await(self, calls[i], IPCMARK_HUNG)) {
            result = -1;
        }
    }
    return result;
}

/* Whoever was connected before the others got probes that were not for it: they are owed all the same. */
static bool drain_probes(stage *self)
{
    ipcmark_call *calls[STAGE_MOST] = {NULL};
    bool all = true;
    for (size_t i = 0; i < self->subscriber_count; ++i) {
        uint16_t publishers[STAGE_MOST];
        size_t count = 0;
        for (size_t k = 0; k < self->publisher_count; ++k)
            if (is_idle(&self->publishers[k]) && stage_meets(self, &self->publishers[k], &self->subscribers[i]))
                publishers[count++] = self->publishers[k].endpoint;
        if (self->subscribers[i].open && count > 0)
            calls[i] = ipcmark_drain(self->trial, self->subscribers[i].endpoint, publishers, count, 0);
    }
    for (size_t i = 0; i < self->subscriber_count; ++i)
        all &= calls[i] == NULL || ipcmark_await(calls[i]) == IPCMARK_DONE;
    return all;
}

bool probe_all(stage *self)
{
    const double seconds = ipcmark_trial_deadline(self->trial) * ipcmark_session_scale(self->session);
    const uint64_t deadline_ns = ipcmark_now_ns() + (uint64_t)(seconds * 1e9);
    probes sent = {0};
    ipcmark_call *missing = NULL;
    do {
        const int found = send_probes(self, &sent) ? look(self, &sent, &missing) : -1;
        if (found != 0)
            return found > 0 && drain_probes(self);
    } while (ipcmark_now_ns() < deadline_ns);
    return stage_object(self, IPCMARK_HUNG, "no probe has arrived for %.1f s: %s", seconds, missing->text);
}
