/* Endpoints: opened, asked, closed. */
#include "endpoint.h"

#include <stdlib.h>
#include <string.h>

static const char default_channel[] = "channel";

struct endpoint *endpoint_find(ipcmark_trial *trial, uint16_t id)
{
    struct endpoint *endpoint = trial->endpoints;
    while (endpoint != NULL && endpoint->id != id)
        endpoint = endpoint->next;
    return endpoint;
}

struct call *endpoint_call(ipcmark_trial *trial, uint16_t id, const char *op, cJSON *fields, double deadline_seconds)
{
    struct endpoint *endpoint = endpoint_find(trial, id);
    if (endpoint == NULL) {
        cJSON_Delete(fields);
        return call_invalid(trial, op, trial_note(trial, "\"%s\": no endpoint %u was opened", op, id));
    }
    if (fields == NULL)
        fields = cJSON_CreateObject();
    cJSON_AddNumberToObject(fields, "endpoint", id);
    return call_begin(endpoint->participant, op, fields, deadline_seconds);
}

static ipcmark_call *public_part(struct call *call)
{
    return call == NULL ? NULL : &call->public;
}

static struct endpoint *new_life(ipcmark_participant *participant, uint16_t id, bool publisher)
{
    ipcmark_trial *trial = participant->trial;
    struct endpoint *previous = id == 0 ? NULL : endpoint_find(trial, id);
    struct endpoint *endpoint = calloc(1, sizeof *endpoint);
    if (endpoint == NULL)
        return NULL;
    endpoint->id = id == 0 ? (uint16_t)(trial->endpoint_count + 1) : id;
    if (endpoint->id > trial->endpoint_count)
        trial->endpoint_count = endpoint->id;
    endpoint->epoch = previous == NULL ? 1 : (uint16_t)(previous->epoch + 1);
    endpoint->publisher = publisher;
    endpoint->participant = participant;
    endpoint->next = trial->endpoints;
    trial->endpoints = endpoint;
    return endpoint;
}

static void add_param(cJSON *params, const char *param)
{
    const char *equals = strchr(param, '=');
    char key[256];
    if (equals == NULL)
        return;
    snprintf(key, sizeof key, "%.*s", (int)(equals - param), param);
    cJSON_DeleteItemFromObjectCaseSensitive(params, key); /* the more special one wins */
    cJSON_AddStringToObject(params, key, equals + 1);
}

void params_add(cJSON *params, const char *const *list)
{
    for (; list != NULL && *list != NULL; ++list)
        add_param(params, *list);
}

static const char *relative_directory(ipcmark_trial *trial, const char *directory)
{
    size_t length = strlen(trial->directory);
    return strncmp(directory, trial->directory, length) == 0 && directory[length] == '/' ? directory + length + 1
                                                                                         : directory;
}

cJSON *endpoint_open_fields(ipcmark_participant *participant, uint16_t id, uint16_t epoch,
                            const ipcmark_endpoint_options *options)
{
    ipcmark_trial *trial = participant->trial;
    const char *channel = options->channel == NULL ? default_channel : options->channel;
    const char *directory = options->directory == NULL ? trial->files : options->directory;
    unsigned ping = options->ping_interval_ms == 0 ? trial->options.ping_interval_ms : options->ping_interval_ms;
    cJSON *fields = cJSON_CreateObject();
    cJSON_AddNumberToObject(fields, "endpoint", id);
    cJSON_AddNumberToObject(fields, "epoch", epoch);
    cJSON_AddStringToObject(fields, "channel", channel);
    cJSON_AddStringToObject(fields, "directory", directory);
    cJSON_AddNumberToObject(fields, "ping_interval_ms", ping);
    cJSON_AddNumberToObject(fields, "max_message_bytes", (double)trial->options.max_message_bytes);
    if (options->count_only)
        cJSON_AddTrueToObject(fields, "count_only");
    if (options->count_sleeps)
        cJSON_AddTrueToObject(fields, "count_sleeps");
    if (options->small_frames)
        cJSON_AddTrueToObject(fields, "small_frames");
    cJSON *params = cJSON_AddObjectToObject(fields, "params");
    params_add(params, trial->params);
    params_add(params, participant->params);
    params_add(params, options->params);
    if (trial->broker != NULL)
        add_param(params, trial->broker);
    return fields;
}

static ipcmark_call *open_endpoint(ipcmark_participant *participant, bool publisher, uint16_t *id,
                                   const ipcmark_endpoint_options *options)
{
    static const ipcmark_endpoint_options defaults;
    if (participant == NULL)
        return NULL;
    ipcmark_trial *trial = participant->trial;
    if (options == NULL)
        options = &defaults;
    struct endpoint *endpoint = new_life(participant, options->endpoint, publisher);
    if (endpoint == NULL)
        return NULL;
    *id = endpoint->id;
    const char *channel = options->channel == NULL ? default_channel : options->channel;
    const char *directory = options->directory == NULL ? trial->files : options->directory;
    struct ipcmark_member member = {.endpoint = endpoint->id,
                                    .epoch = endpoint->epoch,
                                    .role = publisher ? IPCMARK_PUBLISHER : IPCMARK_SUBSCRIBER,
                                    .process = participant->number,
                                    .channel = channel,
                                    .directory = relative_directory(trial, directory),
                                    .name = options->name};
    ipcmark_history_log_member(trial->history, &member);
    cJSON *fields = endpoint_open_fields(participant, endpoint->id, endpoint->epoch, options);
    if (options->kill_self_after_us > 0)
        cJSON_AddNumberToObject(fields, "kill_self_after_us", options->kill_self_after_us);
    struct call *call = call_begin(participant, publisher ? "open_publisher" : "open_subscriber", fields, 0);
    if (options->kill_self_after_us > 0)
        call_declare_death(call);
    return public_part(call);
}

ipcmark_call *ipcmark_open_publisher(ipcmark_participant *participant, uint16_t *id,
                                     const ipcmark_endpoint_options *options)
{
    return open_endpoint(participant, true, id, options);
}

ipcmark_call *ipcmark_open_subscriber(ipcmark_participant *participant, uint16_t *id,
                                      const ipcmark_endpoint_options *options)
{
    return open_endpoint(participant, false, id, options);
}

static void set_closing(ipcmark_trial *trial, uint16_t id)
{
    struct endpoint *endpoint = endpoint_find(trial, id);
    if (endpoint != NULL)
        endpoint->closing = true;
}

ipcmark_call *ipcmark_close(ipcmark_trial *trial, uint16_t id)
{
    set_closing(trial, id);
    return public_part(endpoint_call(trial, id, "close", NULL, 0));
}

ipcmark_call *ipcmark_close_dying(ipcmark_trial *trial, uint16_t id, unsigned after_us)
{
    cJSON *fields = cJSON_CreateObject();
    set_closing(trial, id);
    cJSON_AddNumberToObject(fields, "kill_self_after_us", after_us);
    struct call *call = endpoint_call(trial, id, "close", fields, 0);
    call_declare_death(call);
    return public_part(call);
}

/* Clauses measure by its time. */
static void on_peers_met(struct call *call, void *context)
{
    const unsigned *wanted = context;
    const double at = ipcmark_reply_number(&call->public, "at_ns", 0);
    if (call->public.status != IPCMARK_DONE)
        return;
    if (ipcmark_reply_count(&call->public, "count") != *wanted)
        call_doubt(call, "wait_peers: \"count\" is not the one that was to be waited for");
    else if (!call_lasted(call, at, at))
        call_doubt(call, "wait_peers: \"at_ns\" is not a time between the request and the reply");
}

ipcmark_call *ipcmark_wait_peers(ipcmark_trial *trial, uint16_t id, unsigned count, double timeout_seconds)
{
    double seconds = timeout_seconds > 0 ? timeout_seconds : trial->options.deadline_seconds;
    cJSON *fields = cJSON_CreateObject();
    cJSON_AddNumberToObject(fields, "count", count);
    cJSON_AddNumberToObject(fields, "timeout_ms", seconds * trial->session->scale * 1e3);
    unsigned *wanted = trial_note_bytes(trial, sizeof *wanted);
    struct call *call = endpoint_call(trial, id, "wait_peers", fields, seconds + trial->options.deadline_seconds);
    if (wanted != NULL && call != NULL && call->public.status == IPCMARK_PENDING) {
        *wanted = count;
        call->context = wanted;
        call->ended = on_peers_met;
    }
    return public_part(call);
}

ipcmark_call *ipcmark_peers(ipcmark_trial *trial, uint16_t id)
{
    return public_part(endpoint_call(trial, id, "peers", NULL, 0));
}

ipcmark_call *ipcmark_handler(ipcmark_trial *trial, uint16_t subscriber, const ipcmark_handler_options *options)
{
    cJSON *fields = cJSON_CreateObject();
    cJSON_AddNumberToObject(fields, "delay_us", options->delay_us);
    if (options->reply != 0)
        cJSON_AddNumberToObject(fields, "reply", options->reply);
    if (options->close_after != 0)
        cJSON_AddNumberToObject(fields, "close_after", (double)options->close_after);
    return public_part(endpoint_call(trial, subscriber, "handler", fields, 0));
}

ipcmark_call *ipcmark_process_stats(ipcmark_participant *participant)
{
    return ipcmark_request(participant, "stats", NULL, 0);
}

ipcmark_call *ipcmark_stats(ipcmark_trial *trial, uint16_t id, uint64_t to_ns, bool reset)
{
    cJSON *fields = cJSON_CreateObject();
    cJSON_AddNumberToObject(fields, "to_ns", (double)to_ns);
    cJSON_AddBoolToObject(fields, "reset", reset);
    return public_part(endpoint_call(trial, id, "stats", fields, 0));
}
