/* The processes of a target row: ipcmark-bench-peer, started and watched by the harness as any other participant. */
#ifndef TARGETS_CAST_H
#define TARGETS_CAST_H

#include <ipcmark/control.h>

#include "../rows/bench.h"

enum { CAST_SUBSCRIBERS = 16 };

struct cast {
    struct bench *bench;
    struct cell *cell;
    ipcmark_trial *trial;
    ipcmark_participant *publisher, *subscribers[CAST_SUBSCRIBERS];
    unsigned count;   /* of subscriber processes */
    int64_t steal_ns; /* when it was opened */
};

/* All: 0, or -1 with the cell an error. The publisher gets one CPU, all subscribers the other. */
int cast_open(struct cast *, struct bench *, struct cell *, unsigned subscribers);
void cast_close(struct cast *); /* also after a failed open; what went wrong meanwhile makes the cell an error */

ipcmark_participant *cast_start(struct cast *, const char *name, int cpu); /* one more; NULL: the cell is an error */

/* A request, and an awaited one. Fields are taken over; NULL: none. */
ipcmark_call *cast_ask(ipcmark_participant *, const char *op, cJSON *fields);
int cast_await(struct cast *, ipcmark_call *);
int cast_do(struct cast *, ipcmark_participant *, const char *op, cJSON *fields);

/* Fields: {name: value}; and another one added. */
cJSON *cast_number(const char *name, double value);
cJSON *cast_add(cJSON *fields, const char *name, double value);
/* Where to meet: transport (the row's driver), directory, name, size, and what the receiver does. */
cJSON *cast_place(struct cast *, const char *name, const char *work);

#endif
