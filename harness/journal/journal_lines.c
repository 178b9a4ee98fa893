/* Reading journals of the other form: a JSON object a line. */
#include "journal_read.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>

/* A field of an integer type, from `minimum` to `maximum`; absent is 0. JSON's numbers are exact up to 2^53. */
static int field_read(const cJSON *object, const char *name, double minimum, double maximum, double *out)
{
    const cJSON *field = cJSON_GetObjectItemCaseSensitive(object, name);
    *out = 0;
    if (field == NULL)
        return 0;
    if (!cJSON_IsNumber(field) || field->valuedouble < minimum || field->valuedouble > maximum ||
        floor(field->valuedouble) < field->valuedouble)
        return -EBADMSG;
    *out = field->valuedouble;
    return 0;
}

/* What a record says nothing without. Where a name may be missing (of what was not framed, of a peer) it is not here.
 */
static const struct {
    const char *name;
    unsigned kinds; /* 1 << kind */
} needed[] = {
    {"endpoint", ~0u},
    {"time_ns", ~0u},
    {"publisher", 1u << IPCMARK_INVOKE | 1u << IPCMARK_OK | 1u << IPCMARK_FAILED | 1u << IPCMARK_UNKNOWN},
    {"sequence", 1u << IPCMARK_INVOKE | 1u << IPCMARK_OK | 1u << IPCMARK_FAILED | 1u << IPCMARK_UNKNOWN},
    {"size", 1u << IPCMARK_INVOKE | 1u << IPCMARK_RECEIVED},
    {"digest", 1u << IPCMARK_INVOKE | 1u << IPCMARK_RECEIVED},
    {"run", 1u << IPCMARK_INVOKE},
    {"count", 1u << IPCMARK_PEERS},
};

#define EXACT_MAXIMUM 9007199254740992.0

/* Returns NULL, or the name of the field that is wrong. */
static const char *record_parse(struct ipcmark_record *record, const cJSON *object)
{
    const cJSON *kind = cJSON_GetObjectItemCaseSensitive(object, "kind");
    double value;
    int number = cJSON_IsString(kind) ? ipcmark_kind_parse(kind->valuestring) : -EINVAL;
    if (number < 0)
        return "kind";
    for (size_t i = 0; i < sizeof needed / sizeof needed[0]; ++i)
        if ((needed[i].kinds >> number & 1) != 0 && !cJSON_HasObjectItem(object, needed[i].name))
            return needed[i].name;
    memset(record, 0, sizeof *record);
    record->kind = (uint8_t)number;
#define FIELD(name, type, minimum, maximum)                                                                            \
    if (field_read(object, #name, minimum, maximum, &value) < 0)                                                       \
        return #name;                                                                                                  \
    record->name = (type)value
    FIELD(endpoint, uint16_t, 0, UINT16_MAX);
    FIELD(endpoint_epoch, uint16_t, 0, UINT16_MAX);
    FIELD(flags, uint8_t, 0, UINT8_MAX);
    FIELD(thread, uint16_t, 0, UINT16_MAX);
    FIELD(publisher, uint16_t, 0, UINT16_MAX);
    FIELD(epoch, uint16_t, 0, UINT16_MAX);
    FIELD(sequence, uint64_t, 0, EXACT_MAXIMUM);
    FIELD(size, uint64_t, 0, EXACT_MAXIMUM);
    FIELD(time_ns, uint64_t, 0, EXACT_MAXIMUM);
    FIELD(digest, uint32_t, 0, UINT32_MAX);
    FIELD(run, uint32_t, 0, UINT32_MAX);
    FIELD(channel, uint32_t, 0, UINT32_MAX);
    FIELD(parts, uint32_t, 0, UINT32_MAX);
    FIELD(error, int32_t, INT32_MIN, INT32_MAX);
    FIELD(count, int32_t, INT32_MIN, INT32_MAX);
#undef FIELD
    return NULL;
}

static int line_read(struct ipcmark_journal_view *out, size_t *capacity, const char *line, size_t length, char *problem,
                     size_t size)
{
    int shown = length > 200 ? 200 : (int)length;
    const char *wrong, *end = line;
    cJSON *object = cJSON_ParseWithLengthOpts(line, length, &end, 0);
    while (end < line + length && (*end == ' ' || *end == '\t' || *end == '\r'))
        ++end;
    if (object != NULL && end < line + length) {
        cJSON_Delete(object);
        return problem_set(problem, size, "line %zu: something follows its JSON object: %.*s", out->count + 1, shown,
                           line);
    }
    if (!cJSON_IsObject(object)) {
        cJSON_Delete(object);
        return problem_set(problem, size, "line %zu is not a JSON object: %.*s", out->count + 1, shown, line);
    }
    if (out->count == *capacity) {
        struct ipcmark_record *records;
        *capacity = *capacity * 2 + 64;
        records = realloc(out->records, *capacity * sizeof *records);
        if (records == NULL) {
            cJSON_Delete(object);
            return -ENOMEM;
        }
        out->records = records;
    }
    wrong = record_parse(&out->records[out->count], object);
    cJSON_Delete(object);
    if (wrong != NULL)
        return problem_set(problem, size, "line %zu: \"%s\" is missing or wrong: %.*s", out->count + 1, wrong, shown,
                           line);
    ++out->count;
    return 0;
}

int lines_read(struct ipcmark_journal_view *out, const char *file, size_t bytes, char *problem, size_t size)
{
    size_t capacity = 0;
    for (size_t at = 0; at < bytes;) {
        const char *newline = memchr(file + at, '\n', bytes - at);
        int error;
        if (newline == NULL) {
            out->uncommitted = 1;
            return 0;
        }
        error = line_read(out, &capacity, file + at, (size_t)(newline - (file + at)), problem, size);
        if (error < 0)
            return error;
        at = (size_t)(newline - file) + 1;
    }
    return 0;
}
