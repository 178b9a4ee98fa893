/* A cell is shorter than the time for which the CPUs stay where they are only if it is very short. So what can be is
 * measured in rounds of some 25 ms, with the line before and after each. A round in which the line's class changed is
 * left out; of the others those of the class that was seen most (first, of two seen as often) make the cell. What is
 * left out depends on the line alone, never on what was measured. */
#ifndef BENCH_ROUNDS_H
#define BENCH_ROUNDS_H

#include "bench.h"

enum { ROUNDS_MOST = 256, ROUNDS_FEWEST = 3 };

struct round {
    double before_ns, after_ns;
    double value;     /* of the round: a rate */
    cJSON *histogram; /* or of times; NULL: none */
};

struct rounds {
    struct bench *bench;
    double line_ns; /* the latest */
    double seconds; /* of the rounds so far, the lines left out */
    size_t count;
    struct round list[ROUNDS_MOST];
};

extern const double rounds_seconds; /* that one should last */

void rounds_begin(struct rounds *, struct bench *);
/* Another one, or enough: the cell's time is over, or there is no room. */
bool rounds_wanted(const struct rounds *, double cell_seconds);
/* Right after a round, which took so long. Takes over the histogram. */
void rounds_add(struct rounds *, double seconds, double value, cJSON *histogram);
/* Chooses the rounds that count, and puts their line into the cell. Returns how many; they are first in the list. None
 * of one class: all of them, and the cell's placement is mixed. */
size_t rounds_choose(struct rounds *, struct cell *);
double rounds_median(const struct rounds *, size_t chosen);
/* Adds the median of each class that was seen, as "cluster_NAME" and so on: what is compared with another cell may have
 * been of another class there. */
void rounds_add_classes(const struct rounds *, struct cell *, const char *name);
/* The same for times: "cluster_p50_ns" (and p99, if there are enough), of all trips in the rounds of that class
 * together, `ways` to a trip; and "cluster_p99_of_rounds_ns", the median of what it is in each of them, of three at
 * least. The rounds that make the cell have that without a class. */
void rounds_add_class_times(const struct rounds *, struct cell *, unsigned ways);
/* All their histograms in one; the caller's. NULL: out of memory, or one is no histogram. */
cJSON *rounds_merge(const struct rounds *, size_t chosen);
void rounds_end(struct rounds *);

#endif
