#include "facts.h"

#include <errno.h>
#include <math.h>
#include <string.h>

/* What a field is in its struct; U64 is null for UINT64_MAX, and exact up to 2^53 as all numbers in JSON; MAYBE_TEXT is
 * null for NULL; MAYBE_WORD is left out where it is the first of its words. */
enum field_type { U16, U32, U64, I64, FLAG, TEXT, MAYBE_TEXT, WORD, MAYBE_WORD };

struct field {
    const char *name;
    enum field_type type;
    size_t offset;
    const char *const *words; /* WORD, MAYBE_WORD: the texts of an enum, NULL where it has no value; ends with "" */
};

static const char *const roles[] = {NULL, "publisher", "subscriber", ""};
static const char *const faults[] = {NULL, "kill", "pause", "close", "overload", ""};
static const char *const readies[] = {NULL, "name", "count", "probe", ""};
static const char *const proofs[] = {"class", "deadline", "fact", ""};
static const char *const classes[] = {"error", "lost", "duplicate", "reordered",  "corrupt",  "phantom", "leaked",
                                      "late",  "hung", "crashed",   "disconnect", "leftover", "count",   ""};

static_assert(sizeof(enum ipcmark_role) == 4 && sizeof(enum ipcmark_class) == 4 && sizeof(enum ipcmark_proof) == 4,
              "a WORD is an unsigned of 32 bits");
static_assert(sizeof classes / sizeof classes[0] == IPCMARK_CLASSES + 1, "every class has a text");

static const struct field history_fields[] = {{"version", U32, offsetof(struct fact_history, version), NULL}, {0}};
static const struct field process_fields[] = {{"number", U32, offsetof(struct ipcmark_process, number), NULL},
                                              {"pid", I64, offsetof(struct ipcmark_process, pid), NULL},
                                              {0}};
static const struct field member_fields[] = {{"endpoint", U16, offsetof(struct ipcmark_member, endpoint), NULL},
                                             {"epoch", U16, offsetof(struct ipcmark_member, epoch), NULL},
                                             {"role", WORD, offsetof(struct ipcmark_member, role), roles},
                                             {"process", U32, offsetof(struct ipcmark_member, process), NULL},
                                             {"channel", TEXT, offsetof(struct ipcmark_member, channel), NULL},
                                             {"directory", TEXT, offsetof(struct ipcmark_member, directory), NULL},
                                             {"name", MAYBE_TEXT, offsetof(struct ipcmark_member, name), NULL},
                                             {0}};
static const struct field fault_fields[] = {{"kind", WORD, offsetof(struct ipcmark_fault, kind), faults},
                                            {"process", U32, offsetof(struct ipcmark_fault, process), NULL},
                                            {"from_ns", U64, offsetof(struct ipcmark_fault, from_ns), NULL},
                                            {"until_ns", U64, offsetof(struct ipcmark_fault, until_ns), NULL},
                                            {0}};
static const struct field drain_fields[] = {
    {"subscriber", U16, offsetof(struct ipcmark_drain, subscriber), NULL},
    {"subscriber_epoch", U16, offsetof(struct ipcmark_drain, subscriber_epoch), NULL},
    {"publisher", U16, offsetof(struct ipcmark_drain, publisher), NULL},
    {"epoch", U16, offsetof(struct ipcmark_drain, epoch), NULL},
    {"thread", U16, offsetof(struct ipcmark_drain, thread), NULL},
    {"sequence", U64, offsetof(struct ipcmark_drain, sequence), NULL},
    {"from_ns", U64, offsetof(struct ipcmark_drain, from_ns), NULL},
    {"until_ns", U64, offsetof(struct ipcmark_drain, until_ns), NULL},
    {"reached", FLAG, offsetof(struct ipcmark_drain, reached), NULL},
    {0}};
static const struct field observation_fields[] = {
    {"class", WORD, offsetof(struct ipcmark_observation, class_), classes},
    {"time_ns", U64, offsetof(struct ipcmark_observation, time_ns), NULL},
    {"text", TEXT, offsetof(struct ipcmark_observation, text), NULL},
    {"proof", MAYBE_WORD, offsetof(struct ipcmark_observation, proof), proofs},
    {0}};
static const struct field expectation_fields[] = {
    {"run", TEXT, offsetof(struct ipcmark_expectation, run), NULL},
    {"capabilities", U64, offsetof(struct ipcmark_expectation, capabilities), NULL},
    {"ready", WORD, offsetof(struct ipcmark_expectation, ready), readies},
    {"settle_ns", U64, offsetof(struct ipcmark_expectation, settle_ns), NULL},
    {"min_must", U64, offsetof(struct ipcmark_expectation, min_must), NULL},
    {"min_kills_inside", U64, offsetof(struct ipcmark_expectation, min_kills_inside), NULL},
    {"min_joins", U64, offsetof(struct ipcmark_expectation, min_joins), NULL},
    {"origin_ns", U64, offsetof(struct ipcmark_expectation, origin_ns), NULL},
    {0}};
static const struct field end_fields[] = {{"time_ns", U64, offsetof(struct fact_end, time_ns), NULL}, {0}};

static const struct {
    const char *name;
    const struct field *fields;
    size_t size;
} tables[FACTS] = {
    [FACT_HISTORY] = {"history", history_fields, sizeof(struct fact_history)},
    [FACT_PROCESS] = {"process", process_fields, sizeof(struct ipcmark_process)},
    [FACT_MEMBER] = {"member", member_fields, sizeof(struct ipcmark_member)},
    [FACT_FAULT] = {"fault", fault_fields, sizeof(struct ipcmark_fault)},
    [FACT_DRAIN] = {"drain", drain_fields, sizeof(struct ipcmark_drain)},
    [FACT_OBSERVATION] = {"observation", observation_fields, sizeof(struct ipcmark_observation)},
    [FACT_EXPECTATION] = {"expectation", expectation_fields, sizeof(struct ipcmark_expectation)},
    [FACT_END] = {"end", end_fields, sizeof(struct fact_end)},
};

/* A field of a struct as a number; texts and words aside. */
static double number_get(enum field_type type, const void *at)
{
    switch (type) {
    case U16:
        return *(const uint16_t *)at;
    case U32:
        return *(const uint32_t *)at;
    case I64:
        return (double)*(const int64_t *)at;
    default:
        return (double)*(const uint64_t *)at;
    }
}

static cJSON *field_to_json(const struct field *field, const void *at)
{
    switch (field->type) {
    case FLAG:
        return cJSON_CreateBool(*(const int *)at);
    case MAYBE_TEXT:
        if (*(const char *const *)at == NULL)
            return cJSON_CreateNull();
        return cJSON_CreateString(*(const char *const *)at);
    case TEXT:
        return cJSON_CreateString(*(const char *const *)at);
    case WORD:
    case MAYBE_WORD:
        return cJSON_CreateString(field->words[*(const uint32_t *)at]);
    case U64:
        if (*(const uint64_t *)at == UINT64_MAX)
            return cJSON_CreateNull();
        return cJSON_CreateNumber(number_get(field->type, at));
    default:
        return cJSON_CreateNumber(number_get(field->type, at));
    }
}

static int is_left_out(const struct field *field, const void *at)
{
    return field->type == MAYBE_WORD && *(const uint32_t *)at == 0;
}

cJSON *fact_to_json(enum fact fact, const void *object)
{
    cJSON *json = cJSON_CreateObject();
    int complete = cJSON_AddStringToObject(json, "fact", tables[fact].name) != NULL;
    for (const struct field *field = tables[fact].fields; field->name != NULL; ++field) {
        const void *at = (const char *)object + field->offset;
        cJSON *item;
        if (is_left_out(field, at))
            continue;
        item = field_to_json(field, at);
        if (!cJSON_AddItemToObject(json, field->name, item)) {
            cJSON_Delete(item);
            complete = 0;
        }
    }
    if (complete)
        return json;
    cJSON_Delete(json);
    return NULL;
}

int fact_kind(const cJSON *json)
{
    const char *name = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, "fact"));
    for (int fact = 0; name != NULL && fact < FACTS; ++fact)
        if (strcmp(name, tables[fact].name) == 0)
            return fact;
    return -EBADMSG;
}

static int number_set(enum field_type type, double number, void *at)
{
    static const double maxima[] = {[U16] = UINT16_MAX, [U32] = UINT32_MAX, [U64] = 0x1p53, [I64] = 0x1p53};
    if (floor(number) < number || number > maxima[type] || number < (type == I64 ? -0x1p53 : 0))
        return -EBADMSG;
    if (type == U16)
        *(uint16_t *)at = (uint16_t)number;
    else if (type == U32)
        *(uint32_t *)at = (uint32_t)number;
    else if (type == U64)
        *(uint64_t *)at = (uint64_t)number;
    else
        *(int64_t *)at = (int64_t)number;
    return 0;
}

static int word_set(const char *const *words, const char *text, void *at)
{
    for (uint32_t value = 0; text != NULL && (words[value] == NULL || *words[value] != '\0'); ++value)
        if (words[value] != NULL && strcmp(words[value], text) == 0) {
            *(uint32_t *)at = value;
            return 0;
        }
    return -EBADMSG;
}

static int field_from_json(const struct field *field, const cJSON *item, void *at)
{
    if (field->type == WORD || field->type == MAYBE_WORD)
        return word_set(field->words, cJSON_GetStringValue(item), at);
    if ((field->type == TEXT || field->type == MAYBE_TEXT) && cJSON_IsString(item)) {
        *(const char **)at = item->valuestring;
        return 0;
    }
    if (field->type == MAYBE_TEXT && cJSON_IsNull(item))
        return 0;
    if (field->type == FLAG && cJSON_IsBool(item)) {
        *(int *)at = cJSON_IsTrue(item);
        return 0;
    }
    if (field->type == U64 && cJSON_IsNull(item)) {
        *(uint64_t *)at = UINT64_MAX;
        return 0;
    }
    return field->type < FLAG && cJSON_IsNumber(item) ? number_set(field->type, item->valuedouble, at) : -EBADMSG;
}

const char *fact_from_json(enum fact fact, const cJSON *json, void *object)
{
    memset(object, 0, tables[fact].size);
    for (const struct field *field = tables[fact].fields; field->name != NULL; ++field) {
        const cJSON *item = cJSON_GetObjectItemCaseSensitive(json, field->name);
        if (item == NULL && field->type == MAYBE_WORD)
            continue;
        if (item == NULL || field_from_json(field, item, (char *)object + field->offset) < 0)
            return field->name;
    }
    return NULL;
}

const char *ipcmark_class_text(enum ipcmark_class class_)
{
    return class_ > IPCMARK_CLASS_NONE && class_ < IPCMARK_CLASSES ? classes[class_] : NULL;
}
