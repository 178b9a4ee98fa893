/* Endpoints that a participant opens and closes by itself: what it costs to open, to have and to close one. */
#include "endpoint.h"

#include <string.h>

static ipcmark_call *public_part(struct call *call)
{
    return call == NULL ? NULL : &call->public;
}

/* Numbers that nobody else gets, since an implementation may tell endpoints apart by them. */
static uint16_t take_numbers(ipcmark_trial *trial, unsigned count)
{
    uint16_t first = (uint16_t)(trial->endpoint_count + 1);
    trial->endpoint_count = (uint16_t)(trial->endpoint_count + count);
    return first;
}

static struct call *ask(ipcmark_participant *participant, const char *op, cJSON *fields, double seconds)
{
    ipcmark_trial *trial = participant->trial;
    cJSON_AddNumberToObject(fields, "timeout_ms", trial->options.deadline_seconds * trial->session->scale * 1e3);
    return call_begin(participant, op, fields, seconds + 2 * trial->options.deadline_seconds);
}

ipcmark_call *ipcmark_cycle(ipcmark_participant *participant, const ipcmark_cycle_options *options)
{
    const ipcmark_endpoint_options endpoint = {.channel = options->channel};
    cJSON *fields = endpoint_open_fields(participant, take_numbers(participant->trial, 1), 1, &endpoint);
    cJSON_AddNumberToObject(fields, "count", options->count);
    cJSON_AddNumberToObject(fields, "seconds", options->seconds);
    return public_part(ask(participant, "cycle", fields, options->seconds));
}

ipcmark_call *ipcmark_hold(ipcmark_participant *participant, const ipcmark_hold_options *options)
{
    const ipcmark_endpoint_options endpoint = {.channel = options->channel};
    cJSON *fields = endpoint_open_fields(participant, take_numbers(participant->trial, options->count), 1, &endpoint);
    cJSON_AddBoolToObject(fields, "publishers", options->publishers);
    cJSON_AddNumberToObject(fields, "first", options->first);
    cJSON_AddNumberToObject(fields, "count", options->count);
    cJSON_AddNumberToObject(fields, "messages", options->messages);
    cJSON_AddNumberToObject(fields, "size", (double)options->size);
    return public_part(ask(participant, "hold", fields, 0));
}

ipcmark_call *ipcmark_footprint_of(ipcmark_participant *participant)
{
    return ipcmark_request(participant, "footprint", NULL, 0);
}

/* It is taken for the time of a death: not before that was asked for, and not after now. */
static void on_gone(struct call *call, void *context)
{
    const uint64_t *since_ns = context;
    const double at = ipcmark_reply_number(&call->public, "at_ns", 0);
    if (call->public.status == IPCMARK_DONE && (at < (double)*since_ns || at > (double)call->public.ended_ns))
        call_doubt(call, "wait_gone: \"at_ns\" is not a time between \"since_ns\" and the reply");
}

ipcmark_call *ipcmark_wait_gone(ipcmark_trial *trial, uint16_t id, uint16_t peer, uint64_t since_ns)
{
    uint64_t *since = trial_note_bytes(trial, sizeof *since);
    cJSON *fields = cJSON_CreateObject();
    cJSON_AddNumberToObject(fields, "peer", peer);
    cJSON_AddNumberToObject(fields, "since_ns", (double)since_ns);
    cJSON_AddNumberToObject(fields, "timeout_ms", trial->options.deadline_seconds * trial->session->scale * 1e3);
    struct call *call = endpoint_call(trial, id, "wait_gone", fields, 2 * trial->options.deadline_seconds);
    if (since != NULL && call != NULL && call->public.status == IPCMARK_PENDING) {
        *since = since_ns;
        call->context = since;
        call->ended = on_gone;
    }
    return public_part(call);
}
