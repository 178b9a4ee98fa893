/* What is seen of a run: on a terminal a line each second; at the end what it came to. */
#ifndef RUN_SHOW_H
#define RUN_SHOW_H

#include "figures.h"

struct outcome;

struct show {
    const struct scenario *scenario;
    bool live;      /* somebody looks on: standard error is a terminal, or JSON was asked for */
    unsigned lines; /* of seconds, so far */
    uint64_t start_ns;
    struct figures before; /* of the line before */
};

void show_begin(struct show *, const struct scenario *, const ipcmark_implementation *);
/* The traffic begins; seconds: there will be lines of them. */
void show_start(struct show *, uint64_t start_ns, bool seconds);
/* seconds: which one it is. */
void show_second(struct show *, const struct figures *, double seconds);
/* what: "killed", and back after so many seconds; "stopped", for so many. */
void show_fault(struct show *, uint64_t at_ns, const char *name, const char *what, double seconds);
/* in_time: when the traffic ended; in_all: when everything had arrived. */
void show_summary(const struct show *, const struct crew *, const struct outcome *, const struct figures *in_time,
                  const struct figures *in_all);

#endif
