/* The sittings of a run: results/FORMAT.md's `session`, written when one begins and again when it ends. */
#ifndef BENCH_SESSION_H
#define BENCH_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include <cjson/cJSON.h>

struct ipcmark_runfile;

struct session {
    unsigned number; /* of this one, from 1 */
    char started[32];
    double started_seconds, load; /* load < 0: unknown */
    int64_t steal_ns;             /* of the machine when it began; < 0: unknown */
};

/* Takes in an earlier one from the file that is gone on with; other records are let alone. */
void session_take(struct session *, const cJSON *record);

/* 0, or the error of writing it. */
int session_begin(struct session *, struct ipcmark_runfile *);
int session_end(const struct session *, struct ipcmark_runfile *, size_t cells, bool interrupted);

/* Of this one so far. */
double session_seconds(const struct session *);

#endif
