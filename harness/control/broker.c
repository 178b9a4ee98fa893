/* The broker of implementations that have one: a participant of its own, started before the first endpoint. */
#include "internal.h"

#include <errno.h>

int broker_ensure(ipcmark_participant *first)
{
    ipcmark_trial *trial = first->trial;
    if (!first->implementation.broker || trial->broker != NULL || trial->broker_starting)
        return 0;
    trial->broker_starting = true;
    ipcmark_participant_options options = {.name = "broker"};
    ipcmark_participant *broker = ipcmark_participant_start(trial, &options);
    trial->broker_starting = false;
    if (broker == NULL)
        return -EPROTO;
    cJSON *fields = cJSON_CreateObject();
    cJSON_AddStringToObject(fields, "directory", trial->files);
    cJSON_AddNumberToObject(fields, "max_message_bytes", (double)trial->options.max_message_bytes);
    params_add(cJSON_AddObjectToObject(fields, "params"), trial->params);
    ipcmark_call *call = ipcmark_request(broker, "open_broker", fields, 0);
    if (ipcmark_await(call) != IPCMARK_DONE)
        return session_fail(trial->session, -EPROTO, "%s", call == NULL ? "out of memory" : call->text);
    trial->broker =
        trial_note(trial, "broker=%s", cJSON_GetObjectItemCaseSensitive(call->reply, "address")->valuestring);
    return 0;
}
