#include "schema.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum type { NUMBER, COUNT, STRING, STRING_OR_NULL, BOOLEAN, OBJECT, ARRAY };

static const char *const type_names[] = {
    "a number", "a whole number of 0 or more", "a string", "a string or null", "true or false", "an object", "an array",
};

struct field {
    const char *of, *name; /* `of`: the op of a reply, "ev:" and the event, or "." and the name of an object in it */
    enum type type;
};

/* Every field that must be there. Others may be, and are ignored. */
static const struct field fields[] = {
    {"error", "code", STRING},
    {"error", "definite", BOOLEAN},
    {"error", "text", STRING},
    {"ev:peer", "endpoint", COUNT},
    {"ev:peer", "peer", STRING_OR_NULL},
    {"ev:peer", "connected", BOOLEAN},
    {"ev:fatal", "text", STRING},
    {"hello", "protocol", COUNT},
    {"hello", "impl", OBJECT},
    {"hello", "caps", OBJECT},
    {"impl", "name", STRING},
    {"impl", "version", STRING},
    {"impl", "language", STRING},
    {"impl", "homepage", STRING_OR_NULL},
    {"open_broker", "address", STRING},
    {"wait_peers", "count", COUNT},
    {"publish", "attempted", COUNT},
    {"publish", "published", COUNT},
    {"publish", "failed", COUNT},
    {"publish", "unknown", COUNT},
    {"publish", "last", ARRAY},
    {"drain", "received", COUNT},
    {"peers", "count", COUNT},
    {"ping", "count", COUNT},
};

static bool has_type(const cJSON *item, enum type type)
{
    switch (type) {
    case NUMBER:
        return cJSON_IsNumber(item);
    case COUNT:
        return cJSON_IsNumber(item) && item->valuedouble >= 0 && item->valuedouble <= 9007199254740992.0 &&
               item->valuedouble == (double)(unsigned long long)item->valuedouble;
    case STRING:
        return cJSON_IsString(item);
    case STRING_OR_NULL:
        return cJSON_IsString(item) || cJSON_IsNull(item);
    case BOOLEAN:
        return cJSON_IsBool(item);
    case OBJECT:
        return cJSON_IsObject(item);
    case ARRAY:
        return cJSON_IsArray(item);
    }
    return false;
}

static int check_field(const cJSON *object, const char *of, const char *name, enum type type, char *why, size_t size)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);
    if (item != NULL && has_type(item, type))
        return 0;
    snprintf(why, size, "%s: \"%s\" %s %s", of, name, item == NULL ? "is missing; it must be" : "is not",
             type_names[type]);
    return -EPROTO;
}

static int check_fields(const cJSON *object, const char *of, char *why, size_t size)
{
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; ++i)
        if (strcmp(fields[i].of, of) == 0 && check_field(object, of, fields[i].name, fields[i].type, why, size) < 0)
            return -EPROTO;
    return 0;
}

static int check_event(const cJSON *line, char *why, size_t size)
{
    char of[64];
    if (check_field(line, "event", "ev", STRING, why, size) < 0)
        return -EPROTO;
    const char *event = cJSON_GetObjectItemCaseSensitive(line, "ev")->valuestring;
    if (strcmp(event, "peer") != 0 && strcmp(event, "fatal") != 0) {
        snprintf(why, size, "there is no event \"%.40s\"", event);
        return -EPROTO;
    }
    snprintf(of, sizeof of, "ev:%s", event);
    return check_fields(line, of, why, size);
}

static int check_reply(const cJSON *line, char *why, size_t size)
{
    const cJSON *ok = cJSON_GetObjectItemCaseSensitive(line, "ok");
    const cJSON *error = cJSON_GetObjectItemCaseSensitive(line, "error");
    if (check_field(line, "reply", "id", COUNT, why, size) < 0)
        return -EPROTO;
    if ((ok != NULL) == (error != NULL) || (ok != NULL && !cJSON_IsTrue(ok))) {
        snprintf(why, size, "a reply has either \"ok\":true or \"error\":{…}");
        return -EPROTO;
    }
    return error == NULL ? 0 : check_fields(error, "error", why, size);
}

int schema_parse(const char *line, size_t length, cJSON **out, char *why, size_t why_size)
{
    const char *end = NULL;
    cJSON *parsed = memchr(line, '\0', length) != NULL ? NULL : cJSON_ParseWithLengthOpts(line, length + 1, &end, true);
    int error = -EPROTO;
    if (parsed == NULL)
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

int schema_check_reply(const char *op, const cJSON *reply, char *why, size_t why_size)
{
    if (check_fields(reply, op, why, why_size) < 0)
        return -EPROTO;
    if (strcmp(op, "hello") == 0)
        return check_fields(cJSON_GetObjectItemCaseSensitive(reply, "impl"), "impl", why, why_size);
    return 0;
}
