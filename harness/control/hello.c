/* The first words with a participant: who it is, what it can, and whether it answers only what it understands. */
#include "internal.h"
#include "paths.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

static void copy_text(char *to, size_t size, const cJSON *from, const char *name)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(from, name);
    snprintf(to, size, "%s", cJSON_IsString(item) ? item->valuestring : "");
    line_make_printable(to); /* it is shown in terminals */
    for (char *at = to; *at != '\0'; ++at)
        if (*at == '\n' || *at == '\t')
            *at = ' ';
}

static uint64_t read_limit(const cJSON *capabilities, const char *name)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(capabilities, name);
    return cJSON_IsNumber(item) && item->valuedouble > 0 ? (uint64_t)item->valuedouble : 0;
}

/* A capability that we do not know is most likely misspelt, and its clauses would be skipped in silence. */
static const char *read_capabilities(const cJSON *from, ipcmark_implementation *out)
{
    const cJSON *item;
    cJSON_ArrayForEach(item, from)
    {
        uint64_t bit = ipcmark_capability_bit(item->string);
        if (strcmp(item->string, "broker") == 0)
            out->broker = cJSON_IsTrue(item);
        else if (bit != 0)
            out->capabilities |= cJSON_IsTrue(item) ? bit : 0;
        else if (!cJSON_IsNumber(item))
            return item->string;
    }
    out->max_message_bytes = read_limit(from, "max_message_bytes");
    out->max_publishers = read_limit(from, "max_publishers");
    out->max_subscribers = read_limit(from, "max_subscribers");
    return NULL;
}

static int read_hello(ipcmark_participant *participant, const cJSON *reply)
{
    const cJSON *who = cJSON_GetObjectItemCaseSensitive(reply, "impl");
    ipcmark_implementation *out = &participant->implementation;
    copy_text(out->name, sizeof out->name, who, "name");
    copy_text(out->version, sizeof out->version, who, "version");
    copy_text(out->language, sizeof out->language, who, "language");
    copy_text(out->summary, sizeof out->summary, who, "summary");
    copy_text(out->homepage, sizeof out->homepage, who, "homepage");
    const char *unknown = read_capabilities(cJSON_GetObjectItemCaseSensitive(reply, "caps"), out);
    if (unknown != NULL) {
        participant_garbled(participant, "it claims a capability that does not exist", unknown);
        return -EPROTO;
    }
    return 0;
}

static cJSON *hello_fields(ipcmark_participant *participant)
{
    ipcmark_trial *trial = participant->trial;
    cJSON *fields = cJSON_CreateObject();
    cJSON_AddNumberToObject(fields, "protocol", 1);
    cJSON_AddStringToObject(fields, "run", trial->name);
    if (participant->journal)
        cJSON_AddStringToObject(fields, "journal",
                                trial_note(trial, "%s/journals/%u", trial->directory, participant->number));
    else
        cJSON_AddNullToObject(fields, "journal");
    /* Of 15 digits at most: a longer one may be written as 1.5e+15, which is no integer to every JSON reader. */
    cJSON_AddNumberToObject(fields, "seed", (double)(trial->options.seed & ((UINT64_C(1) << 49) - 1)));
    return fields;
}

/* An agent that says "ok" to anything would pass everything. */
static int ask_nonsense(ipcmark_participant *participant)
{
    const char *op = trial_note(participant->trial, "bogus_%.8s", participant->trial->name);
    ipcmark_call *call = ipcmark_request(participant, op, NULL, 0);
    ipcmark_status status = ipcmark_await(call);
    if (status == IPCMARK_REFUSED && strcmp(call->code, "not_supported") == 0)
        return 0;
    if (status == IPCMARK_DONE || status == IPCMARK_REFUSED)
        participant_garbled(participant, "it must answer an op that it does not know with the error not_supported", op);
    return -EPROTO;
}

int hello_say(ipcmark_participant *participant)
{
    ipcmark_trial *trial = participant->trial;
    ipcmark_call *call = ipcmark_request(participant, "hello", hello_fields(participant), 0);
    ipcmark_status status = ipcmark_await(call);
    int error = status == IPCMARK_DONE ? read_hello(participant, call->reply) : -EPROTO;
    if (error == 0)
        error = ask_nonsense(participant);
    if (error < 0) {
        size_t troubles = ipcmark_trial_troubles(trial);
        const char *text = trial->session->signal != 0 ? "interrupted"
                           : status == IPCMARK_REFUSED ? call->text
                           : troubles > 0              ? ipcmark_trial_trouble(trial, troubles - 1)->text
                                                       : "no hello";
        return session_fail(trial->session, error, "%s", text);
    }
    uint64_t known = trial->expectation.capabilities;
    trial->expectation.capabilities = participant->implementation.capabilities;
    struct ipcmark_expectation expectation = trial->expectation;
    return known == trial->expectation.capabilities && trial->expectation.ready != 0
               ? 0
               : ipcmark_trial_expect(trial, &expectation);
}

int ipcmark_probe(ipcmark_session *session, const ipcmark_target *target, ipcmark_implementation *out)
{
    ipcmark_trial_options options = {.target = *target, .name = "probe", .no_journal = true};
    ipcmark_trial *trial;
    int error = ipcmark_trial_open(&trial, session, &options);
    if (error < 0)
        return error;
    ipcmark_participant *participant = ipcmark_participant_start(trial, NULL);
    if (participant == NULL) {
        error = -EPROTO;
    } else {
        *out = participant->implementation;
        ipcmark_trial_stop(trial);
        if (ipcmark_trial_troubles(trial) > 0)
            error = session_fail(session, -EPROTO, "%s", ipcmark_trial_trouble(trial, 0)->text);
    }
    ipcmark_trial_close(trial, NULL);
    return error;
}

int ipcmark_driver_path(const char *driver, char *path, size_t size)
{
    char name[PATH_MAX];
    if (strlen(driver) >= sizeof name)
        return -ENAMETOOLONG;
    snprintf(name, sizeof name, "%.*s", (int)strcspn(driver, "?"), driver);
    return paths_driver(name, path, size);
}

int ipcmark_program_path(const char *name, char *path, size_t size)
{
    return paths_program(name, path, size);
}
