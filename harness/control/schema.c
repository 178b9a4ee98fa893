#include "schema.h"

#include "line.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

const struct schema_rule schema_rules[] = {
    /* Every reply; then what has an error, the two events, and each op. */
    {"reply", "id", SCHEMA_ID, false},
    {"error", "code", SCHEMA_CODE, false},
    {"error", "definite", SCHEMA_BOOLEAN, false},
    {"error", "text", SCHEMA_TEXT, false},
    {"event peer", "endpoint", SCHEMA_ENDPOINT, false},
    {"event peer", "peer", SCHEMA_PEER, false},
    {"event peer", "connected", SCHEMA_BOOLEAN, false},
    {"event fatal", "text", SCHEMA_TEXT, false},

    {"hello", "protocol", SCHEMA_VERSION, false},
    {"hello", "impl", SCHEMA_OBJECT, false},
    {"impl", "name", SCHEMA_LABEL, false},
    {"impl", "version", SCHEMA_NAME, false},
    {"impl", "language", SCHEMA_NAME, false},
    {"impl", "homepage", SCHEMA_TEXT_OR_NULL, false},
    {"impl", "summary", SCHEMA_TEXT, true},
    {"hello", "caps", SCHEMA_CAPABILITIES, false},

    {"open_broker", "address", SCHEMA_NAME, false},
    {"wait_peers", "count", SCHEMA_PEERS, false},
    {"wait_peers", "at_ns", SCHEMA_TIME, false},
    {"peers", "count", SCHEMA_PEERS, false},

    {"publish", "attempted", SCHEMA_COUNT, false}, /* the sum of the next three */
    {"publish", "published", SCHEMA_COUNT, false},
    {"publish", "failed", SCHEMA_COUNT, false},
    {"publish", "unknown", SCHEMA_COUNT, false},
    {"publish", "last", SCHEMA_LAST, false},
    {"publish", "first_ns", SCHEMA_TIME, false}, /* not after the next one */
    {"publish", "last_ns", SCHEMA_TIME, false},
    {"publish", "achieved_rate", SCHEMA_RATE, false},
    {"publish", "last_error", SCHEMA_CODE, true},
    {"publish", "cpu_ns", SCHEMA_COUNT, true},
    {"publish", "sleeps", SCHEMA_COUNT, true},
    {"publish", "retries", SCHEMA_COUNT, true},
    {"drain", "received", SCHEMA_COUNT, false},
    {"ping", "count", SCHEMA_COUNT, false},
    {"ping", "histogram", SCHEMA_HISTOGRAM, false},

    {"footprint", "private_bytes", SCHEMA_COUNT, false},
    {"footprint", "descriptors", SCHEMA_COUNT, false},
    {"footprint", "shared", SCHEMA_FILES, false},
    {"wait_gone", "at_ns", SCHEMA_TIME, false},
    {"cycle", "count", SCHEMA_COUNT, false},
    {"cycle", "elapsed_ns", SCHEMA_COUNT, false},
    {"cycle", "open", SCHEMA_HISTOGRAM, false},
    {"cycle", "first", SCHEMA_HISTOGRAM, false},
    {"cycle", "close", SCHEMA_HISTOGRAM, false},
    {"hold", "count", SCHEMA_COUNT, false},

    {"stats of a process", "user_ns", SCHEMA_COUNT, false},
    {"stats of a process", "system_ns", SCHEMA_COUNT, false},
    {"stats of a process", "voluntary_switches", SCHEMA_COUNT, false},
    {"stats of a process", "involuntary_switches", SCHEMA_COUNT, false},
    {"stats of a process", "resident_bytes", SCHEMA_COUNT, false},
    {"stats of a process", "descriptors", SCHEMA_COUNT, false},
    {"stats of a process", "threads", SCHEMA_COUNT, false},
    {"stats of a publisher", "attempted", SCHEMA_COUNT, false},
    {"stats of a publisher", "published", SCHEMA_COUNT, false},
    {"stats of a publisher", "failed", SCHEMA_COUNT, false},
    {"stats of a publisher", "unknown", SCHEMA_COUNT, false},
    {"stats of a publisher", "last", SCHEMA_LAST, false},
    {"stats of a subscriber", "received", SCHEMA_COUNT, false},
    {"stats of a subscriber", "bytes", SCHEMA_COUNT, false},
    {"stats of a subscriber", "lost", SCHEMA_COUNT, false},
    {"stats of a subscriber", "torn", SCHEMA_COUNT, false},
    {"stats of a subscriber", "duplicate", SCHEMA_COUNT, false},
    {"stats of a subscriber", "reordered", SCHEMA_COUNT, false},
    {"stats of a subscriber", "slept", SCHEMA_COUNT, true}, /* where count_sleeps was asked for */
    {"stats of a subscriber", "window", SCHEMA_OBJECT, false},
    {"window", "messages", SCHEMA_COUNT, false},
    {"window", "bytes", SCHEMA_COUNT, false},
    {"stats of a subscriber", "histogram", SCHEMA_HISTOGRAM, false},
    {"stats of a subscriber", "histogram_uncorrected", SCHEMA_HISTOGRAM, false},
    {0},
};

/* ---- the rules, applied ---- */

static int check_fields(const cJSON *object, const char *of, char *why, size_t size);

static int check_field(const cJSON *object, const struct schema_rule *rule, char *why, size_t size)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, rule->name);
    if (item == NULL && rule->optional)
        return 0;
    if (item == NULL || !schema_is(rule->type, item)) {
        snprintf(why, size, "%s: \"%s\" %s %s", rule->of, rule->name,
                 item == NULL ? "is missing; it must be" : "must be", schema_type_text(rule->type));
        return -EPROTO;
    }
    return rule->type == SCHEMA_OBJECT ? check_fields(item, rule->name, why, size) : 0;
}

static int check_fields(const cJSON *object, const char *of, char *why, size_t size)
{
    for (const struct schema_rule *rule = schema_rules; rule->of != NULL; ++rule)
        if (strcmp(rule->of, of) == 0 && check_field(object, rule, why, size) < 0)
            return -EPROTO;
    return 0;
}

static double number(const cJSON *object, const char *name)
{
    return cJSON_GetObjectItemCaseSensitive(object, name)->valuedouble;
}

/* What no field tells by itself. */
static int check_publish(const cJSON *reply, char *why, size_t size)
{
    double sum = number(reply, "published") + number(reply, "failed") + number(reply, "unknown");
    if (number(reply, "attempted") > sum || number(reply, "attempted") < sum)
        snprintf(why, size, "publish: \"attempted\" must be the sum of published, failed and unknown");
    else if (number(reply, "first_ns") > number(reply, "last_ns"))
        snprintf(why, size, "publish: \"first_ns\" must not be after \"last_ns\"");
    else
        return 0;
    return -EPROTO;
}

int schema_check_reply(const char *of, const cJSON *reply, char *why, size_t why_size)
{
    if (check_fields(reply, of, why, why_size) < 0)
        return -EPROTO;
    return strcmp(of, "publish") == 0 ? check_publish(reply, why, why_size) : 0;
}

/* ---- lines ---- */

static int check_event(const cJSON *line, char *why, size_t size)
{
    const cJSON *event = cJSON_GetObjectItemCaseSensitive(line, "ev");
    const char *name = cJSON_IsString(event) ? event->valuestring : "";
    if (strcmp(name, "peer") == 0)
        return check_fields(line, "event peer", why, size);
    if (strcmp(name, "fatal") == 0)
        return check_fields(line, "event fatal", why, size);
    snprintf(why, size, "\"ev\" must be \"peer\" or \"fatal\"");
    return -EPROTO;
}

static int check_reply(const cJSON *line, char *why, size_t size)
{
    const cJSON *ok = cJSON_GetObjectItemCaseSensitive(line, "ok");
    const cJSON *error = cJSON_GetObjectItemCaseSensitive(line, "error");
    if (check_fields(line, "reply", why, size) < 0)
        return -EPROTO;
    if ((ok != NULL) == (error != NULL) || (ok != NULL && !cJSON_IsTrue(ok)) ||
        (error != NULL && !cJSON_IsObject(error))) {
        snprintf(why, size, "a reply has either \"ok\":true or \"error\":{…}");
        return -EPROTO;
    }
    return error == NULL ? 0 : check_fields(error, "error", why, size);
}

int schema_parse(const char *line, size_t length, cJSON **out, char *why, size_t why_size)
{
    const char *end = NULL;
    bool readable = line_is_text(line, length);
    cJSON *parsed = readable ? cJSON_ParseWithLengthOpts(line, length + 1, &end, true) : NULL;
    int error = -EPROTO;
    if (!readable)
        snprintf(why, why_size, "this is not UTF-8 text");
    else if (parsed == NULL)
        snprintf(why, why_size, "this is not JSON");
    else if (!cJSON_IsObject(parsed))
        snprintf(why, why_size, "a line must be a JSON object");
    else if (cJSON_HasObjectItem(parsed, "ev"))
        error = check_event(parsed, why, why_size);
    else
        error = check_reply(parsed, why, why_size);
    if (error < 0)
        cJSON_Delete(parsed);
    else
        *out = parsed;
    return error;
}
