/* schema.h — what a participant may say: each line is checked before anyone uses it. */
#ifndef CONTROL_SCHEMA_H
#define CONTROL_SCHEMA_H

#include <stddef.h>

#include <cjson/cJSON.h>

/* Whether `line` is a reply ({"id":…}) or an event ({"ev":…}) of the right shape. *out is the parsed line, to be
 * deleted by the caller. -EPROTO: `why` says what is wrong with it. */
int schema_parse(const char *line, size_t length, cJSON **out, char *why, size_t why_size);

/* Whether a reply with "ok" has all that a reply to `op` must have. */
int schema_check_reply(const char *op, const cJSON *reply, char *why, size_t why_size);

#endif
