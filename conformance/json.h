/* Members of JSON objects that somebody else wrote: absent, of another type or beyond all bounds is as good as nothing.
 */
#ifndef JSON_H
#define JSON_H

#include <cjson/cJSON.h>
#include <stdint.h>

/* "" if it is no text. The object owns it. */
static inline const char *json_text(const cJSON *object, const char *name)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, name));
    return text != NULL ? text : "";
}

/* 0 if it is no number from 0 to 2^53. */
static inline uint64_t json_number(const cJSON *object, const char *name)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);
    return cJSON_IsNumber(item) && item->valuedouble > 0 && item->valuedouble <= 0x1p53 ? (uint64_t)item->valuedouble
                                                                                        : 0;
}

#endif
