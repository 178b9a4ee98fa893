/* One round of a soak: a trial of its own, traffic all the time, participants that come and go; then judged. */
#ifndef SOAK_ROUND_H
#define SOAK_ROUND_H

#include "ipcmark/control.h"
#include "memory.h"
#include "result.h"

typedef struct soak_faults {
    uint64_t joins, leaves, kills, short_pauses, long_pauses;
} soak_faults;

typedef struct soak_options {
    ipcmark_target target;
    const ipcmark_implementation *implementation;
    const char *name;                 /* of the implementation */
    unsigned publishers, subscribers; /* the first of each stays for the whole round */
    double seconds;                   /* how long the round goes on; it ends with the bout that is under way */
    uint64_t seed;
    const char *keep; /* folder for the evidence of a bad round; NULL: keep none */
} soak_options;

typedef struct soak_round {
    result result;
    soak_faults faults;
    unsigned bouts;
    double seconds; /* under way, without the judging */
    /* Of those that stay, when everyone is connected and nothing is under way: after the first bout, and at the end. */
    memory publisher[2], subscriber[2], coordinator[2];
} soak_round;

/* False when interrupted: then there is nothing to clear. */
bool soak_round_run(soak_round *out, ipcmark_session *, const soak_options *);
void soak_round_clear(soak_round *);

#endif
