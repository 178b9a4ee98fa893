/* What a participant says on its standard output. */
#include "internal.h"

#include "schema.h"

#include <errno.h>
#include <string.h>

/* In whatever life: it may be told of one that has ended. */
static bool has_endpoint(const ipcmark_participant *participant, int id)
{
    const struct endpoint *endpoint = participant->trial->endpoints;
    while (endpoint != NULL && (endpoint->id != id || endpoint->participant != participant))
        endpoint = endpoint->next;
    return endpoint != NULL;
}

static int take_event(ipcmark_participant *participant, const cJSON *line, const char *shown)
{
    const char *event = cJSON_GetObjectItemCaseSensitive(line, "ev")->valuestring;
    if (++participant->events > MAX_EVENTS) {
        participant_garbled(participant, "it floods us with events", "");
        return -EPROTO;
    }
    if (strcmp(event, "fatal") == 0) {
        participant_garbled(participant, "it gave up", cJSON_GetObjectItemCaseSensitive(line, "text")->valuestring);
        return -EPROTO;
    }
    if (!has_endpoint(participant, cJSON_GetObjectItemCaseSensitive(line, "endpoint")->valueint)) {
        participant_garbled(participant, "it tells of an endpoint that it was not asked to open", shown);
        return -EPROTO;
    }
    return 0; /* "peer": the journal has it, with a better time */
}

static int take_line(void *context, char *text, size_t length)
{
    ipcmark_participant *participant = context;
    cJSON *line;
    char why[256];
    int error = schema_parse(text, length, &line, why, sizeof why);
    if (error < 0) {
        participant_garbled(participant, why, text);
        return error;
    }
    if (cJSON_HasObjectItem(line, "ev")) {
        error = take_event(participant, line, text);
        cJSON_Delete(line);
        return error;
    }
    call_answer(participant, line, text);
    return participant->garbled ? -EPROTO : 0;
}

void output_take(ipcmark_participant *participant, const char *bytes, size_t size)
{
    if (participant->garbled)
        return;
    int error = line_feed(&participant->lines, bytes, size, take_line, participant);
    if (error == -EMSGSIZE)
        participant_garbled(participant, "its line is longer than a mebibyte", participant->lines.buffer);
    else if (error == -ENOMEM)
        participant_garbled(participant, "we are out of memory", "");
}
