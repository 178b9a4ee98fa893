/* schema.h — what a participant may say: each line is checked before anyone uses it.
 *
 * The rules are one table, schema_rules, which reads beside the ops of PROTOCOL.md. Fields that it does not name may be
 * there, and are ignored. */
#ifndef CONTROL_SCHEMA_H
#define CONTROL_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>

#include <cjson/cJSON.h>

enum schema_type {
    SCHEMA_COUNT,        /* a whole number that JSON carries exactly */
    SCHEMA_ID,           /* of a request */
    SCHEMA_ENDPOINT,     /* its number */
    SCHEMA_PEERS,        /* how many */
    SCHEMA_TIME,         /* CLOCK_MONOTONIC, nanoseconds */
    SCHEMA_RATE,         /* finite, 0 or more */
    SCHEMA_VERSION,      /* of the protocol */
    SCHEMA_NAME,         /* a text that says something */
    SCHEMA_LABEL,        /* of an implementation: it becomes part of paths and of what people type */
    SCHEMA_TEXT,         /* any */
    SCHEMA_TEXT_OR_NULL, /* any, or null */
    SCHEMA_CODE,         /* of an error */
    SCHEMA_PEER,         /* the name of one */
    SCHEMA_BOOLEAN,
    SCHEMA_CAPABILITIES,
    SCHEMA_LAST,      /* [[thread, sequence], …] */
    SCHEMA_FILES,     /* [[inode, bytes], …] */
    SCHEMA_HISTOGRAM, /* of results/FORMAT.md */
    SCHEMA_OBJECT,    /* the rules of whose fields stand under its own name */
    SCHEMA_TYPES
};

struct schema_rule {
    const char *of, *name; /* of: what kind of line or object; name: of the field */
    enum schema_type type;
    bool optional;
};

extern const struct schema_rule schema_rules[]; /* the last one is all zero */

/* Whether `line` is a reply ({"id":…}) or an event ({"ev":…}) of the right shape. *out is the parsed line, to be
 * deleted by the caller. -EPROTO: `why` says what is wrong with it. */
int schema_parse(const char *line, size_t length, cJSON **out, char *why, size_t why_size);

/* Whether a reply with "ok" has all that `of` must have: an op, "stats" with whose they are. */
int schema_check_reply(const char *of, const cJSON *reply, char *why, size_t why_size);

/* schema_types.c: whether a field of this type may look like this; a type that is not OBJECT. */
bool schema_is(enum schema_type, const cJSON *item);
const char *schema_type_text(enum schema_type); /* "a whole number of 0 or more" */

#endif
