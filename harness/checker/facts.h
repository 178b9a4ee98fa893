/* The lines of history.jsonl: each kind of fact is a table of fields, from which it is written and read. */
#ifndef IPCMARK_FACTS_H
#define IPCMARK_FACTS_H

#include <cjson/cJSON.h>

#include "ipcmark/history.h"

enum fact {
    FACT_HISTORY, /* the first line */
    FACT_PROCESS,
    FACT_MEMBER,
    FACT_FAULT,
    FACT_DRAIN,
    FACT_OBSERVATION,
    FACT_EXPECTATION,
    FACT_END, /* of the run: nobody is left who could add to it */
    FACTS
};

#define HISTORY_VERSION 2 /* 1 had no version, no names and no end */

struct fact_history {
    uint32_t version;
};
struct fact_end {
    uint64_t time_ns;
};

/* The struct of that fact as a line's object. NULL: out of memory. The caller deletes it. */
cJSON *fact_to_json(enum fact fact, const void *object);

/* Which fact an object is; or -EBADMSG. */
int fact_kind(const cJSON *json);

/* Fills in the struct of that fact; its texts stay in json. NULL, or the name of the field that is missing or wrong. */
const char *fact_from_json(enum fact fact, const cJSON *json, void *object);

#endif
