/* The benchmark's families in words. */
#ifndef REPORT_FAMILIES_H
#define REPORT_FAMILIES_H

#include "../analysis/rows.h"

/* One of the things that a row measures. */
struct measure {
    const char *metric; /* a result file's name of it; its unit follows from that */
    const char *title;  /* "CPU time of the publisher, a message"; of a family that measures one thing: NULL */
};

enum { MEASURES = 12 };

struct family {
    const char *name;
    const char *title;                 /* of a section's heading or a row of figures */
    const char *note;                  /* how it is measured */
    struct measure measures[MEASURES]; /* the first is the one that a ratio compares; the last has no metric */
    bool one_way;                      /* a time that one way of a cache line bounds */
    bool beside_line; /* in short rounds, each in one placement of the CPUs: a ratio to the line around it
                         means something */
    bool stream;      /* counted, not timed: it has no percentiles */
};

/* Whether its figure is the median of many times, beside which a p99 means something. */
bool family_timed(const struct family *family);

/* The family of that name, or NULL. */
const struct family *family_find(const char *name);

/* All of them, in the order of the report; the last has no name. */
extern const struct family families[];

/* "64 B, 1 × 4, 10,000/s": what a row measures, without family and driver; `brief` leaves out "1 × 1". */
struct family_label {
    char text[128];
};
struct family_label family_label(const struct results_row *row, bool brief);

#endif
