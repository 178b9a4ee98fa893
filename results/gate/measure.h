/* Has `ipcmark bench` measure what a look takes. */
#ifndef GATE_MEASURE_H
#define GATE_MEASURE_H

#include <stdbool.h>
#include <stdint.h>

struct gate_measuring {
    const char *candidate, *base; /* drivers; base NULL: the candidate alone, with the limits of its rows */
    unsigned metrics;             /* as in gate.h */
    double seconds, cell_seconds;
    uint64_t seed;
    const char *pin;    /* or NULL */
    const char *output; /* a file, that is written over */
    const char *said;   /* where bench's words go, which are shown if it fails */
};

enum { GATE_FEWEST_BLOCKS = 12 };

/* Whether a usual machine does so many blocks in the time. */
bool gate_has_time(const struct gate_measuring *measuring);

/* Hears of SIGINT and SIGTERM from now on. */
void gate_listen(void);

/* As many blocks as fit into the time. 0: the file is written, whatever its cells hold; or the exit code, everything
 * said. */
int gate_measure(const struct gate_measuring *measuring);

/* Fifo and tcp once, at the same size; likewise. */
int gate_measure_others(const struct gate_measuring *measuring);

#endif
