/* What the fields of a line may look like. */
#include "schema.h"

#include "ipcmark/histogram.h"
#include "ipcmark/journal.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const double exact_limit = 9007199254740992.0; /* 2^53 */

static const char *const texts[SCHEMA_TYPES] = {
    [SCHEMA_COUNT] = "a whole number of 0 or more",
    [SCHEMA_ID] = "a whole number of 0 or more",
    [SCHEMA_ENDPOINT] = "a whole number from 1 to 65534",
    [SCHEMA_PEERS] = "a whole number from 0 to 2147483647",
    [SCHEMA_TIME] = "a time: a whole number of nanoseconds, more than 0",
    [SCHEMA_RATE] = "a number of 0 or more",
    [SCHEMA_VERSION] = "1, the protocol's version",
    [SCHEMA_NAME] = "a string, and not empty",
    [SCHEMA_LABEL] = "a name of letters, digits and . _ - +",
    [SCHEMA_TEXT] = "a string",
    [SCHEMA_TEXT_OR_NULL] = "a string or null",
    [SCHEMA_CODE] = "the name of an errno, such as \"EAGAIN\", or \"not_supported\"",
    [SCHEMA_PEER] = "\"ENDPOINT.EPOCH\", \"pid:N\" or null",
    [SCHEMA_BOOLEAN] = "true or false",
    [SCHEMA_CAPABILITIES] = "an object of true or false, with whole numbers for max_message_bytes, max_publishers and "
                            "max_subscribers",
    [SCHEMA_LAST] = "a list of [thread from 0 to 64, sequence of 1 or more], each thread once",
    [SCHEMA_FILES] = "a list of [name of a file, bytes]",
    [SCHEMA_HISTOGRAM] = "a histogram as in results/FORMAT.md",
    [SCHEMA_OBJECT] = "an object",
};

const char *schema_type_text(enum schema_type type)
{
    return texts[type];
}

static bool is_whole(const cJSON *item, double least, double most)
{
    return cJSON_IsNumber(item) && item->valuedouble >= least && item->valuedouble <= most &&
           floor(item->valuedouble) >= item->valuedouble;
}

static bool is_label(const cJSON *item)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-+";
    const char *label = cJSON_IsString(item) ? item->valuestring : "";
    return label[0] != '\0' && label[strspn(label, letters)] == '\0';
}

static bool is_code(const cJSON *item)
{
    const char *code = cJSON_IsString(item) ? item->valuestring : "";
    size_t tail = strlen(code) > 1 ? strspn(code + 1, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") + 1 : 0;
    return strcmp(code, "not_supported") == 0 || (code[0] == 'E' && tail > 1 && code[tail] == '\0');
}

static bool is_peer(const cJSON *item)
{
    unsigned endpoint, epoch;
    long pid;
    int end = 0;
    if (!cJSON_IsString(item))
        return cJSON_IsNull(item);
    const char *peer = item->valuestring;
    if (sscanf(peer, "%5u.%5u%n", &endpoint, &epoch, &end) == 2 && end > 0 && peer[end] == '\0')
        return endpoint >= 1 && endpoint < IPCMARK_NO_ENDPOINT && epoch <= UINT16_MAX;
    end = 0;
    return sscanf(peer, "pid:%18ld%n", &pid, &end) == 1 && end > 0 && peer[end] == '\0' && pid > 0;
}

/* Whether their names exist is another question, which hello.c asks. */
static bool are_capabilities(const cJSON *object)
{
    const cJSON *item;
    cJSON_ArrayForEach(item, object)
    {
        bool limit = strcmp(item->string, "max_message_bytes") == 0 || strcmp(item->string, "max_publishers") == 0 ||
                     strcmp(item->string, "max_subscribers") == 0;
        if (limit ? !is_whole(item, 0, exact_limit) : !cJSON_IsBool(item))
            return false;
    }
    return cJSON_IsObject(object);
}

static bool is_last(const cJSON *list)
{
    const cJSON *pair;
    bool seen[65] = {false};
    cJSON_ArrayForEach(pair, list)
    {
        const cJSON *thread = cJSON_GetArrayItem(pair, 0), *sequence = cJSON_GetArrayItem(pair, 1);
        if (!cJSON_IsArray(pair) || cJSON_GetArraySize(pair) != 2 || !is_whole(thread, 0, 64) ||
            !is_whole(sequence, 1, exact_limit) || seen[(size_t)thread->valuedouble])
            return false;
        seen[(size_t)thread->valuedouble] = true;
    }
    return cJSON_IsArray(list);
}

static bool are_files(const cJSON *list)
{
    const cJSON *pair;
    cJSON_ArrayForEach(pair, list)
    {
        if (!cJSON_IsArray(pair) || cJSON_GetArraySize(pair) != 2 || !cJSON_IsString(cJSON_GetArrayItem(pair, 0)) ||
            !is_whole(cJSON_GetArrayItem(pair, 1), 0, exact_limit))
            return false;
    }
    return cJSON_IsArray(list);
}

static bool is_histogram(const cJSON *item)
{
    struct ipcmark_histogram *into;
    if (!cJSON_IsObject(item) || ipcmark_histogram_new(&into) < 0)
        return false;
    bool right = ipcmark_histogram_add_json(into, item) == 0;
    ipcmark_histogram_free(into);
    return right;
}

bool schema_is(enum schema_type type, const cJSON *item)
{
    switch (type) {
    case SCHEMA_COUNT:
    case SCHEMA_ID:
        return is_whole(item, 0, exact_limit);
    case SCHEMA_ENDPOINT:
        return is_whole(item, 1, IPCMARK_NO_ENDPOINT - 1);
    case SCHEMA_PEERS:
        return is_whole(item, 0, INT32_MAX);
    case SCHEMA_TIME:
        return is_whole(item, 1, exact_limit);
    case SCHEMA_RATE:
        return cJSON_IsNumber(item) && isfinite(item->valuedouble) && item->valuedouble >= 0;
    case SCHEMA_VERSION:
        return is_whole(item, 1, 1);
    case SCHEMA_NAME:
        return cJSON_IsString(item) && item->valuestring[0] != '\0';
    case SCHEMA_LABEL:
        return is_label(item);
    case SCHEMA_TEXT:
        return cJSON_IsString(item);
    case SCHEMA_TEXT_OR_NULL:
        return cJSON_IsString(item) || cJSON_IsNull(item);
    case SCHEMA_CODE:
        return is_code(item);
    case SCHEMA_PEER:
        return is_peer(item);
    case SCHEMA_BOOLEAN:
        return cJSON_IsBool(item);
    case SCHEMA_CAPABILITIES:
        return are_capabilities(item);
    case SCHEMA_LAST:
        return is_last(item);
    case SCHEMA_FILES:
        return are_files(item);
    case SCHEMA_HISTOGRAM:
        return is_histogram(item);
    case SCHEMA_OBJECT:
        return cJSON_IsObject(item);
    case SCHEMA_TYPES:
        break;
    }
    return false;
}
