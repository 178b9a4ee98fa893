/* The benchmark's families in words. */
#ifndef REPORT_FAMILIES_H
#define REPORT_FAMILIES_H

#include "../analysis/rows.h"

struct family {
    const char *name;
    const char *title;  /* of a section's heading or a row of figures */
    const char *note;   /* how it is measured */
    const char *metric; /* the one that a ratio compares */
    bool higher_is_better;
    bool one_way;     /* a time that one way of a cache line bounds */
    bool beside_line; /* in short rounds, each in one placement of the CPUs: a ratio to the line around it means
                         something */
};

/* The family of that name, or NULL. */
const struct family *family_find(const char *name);

/* All of them, in the order of the report; the last has no name. */
extern const struct family families[];

/* "64 B, 1 × 4, 10,000/s": what a row measures, without family and driver. */
struct family_label {
    char text[128];
};
struct family_label family_label(const struct results_row *row);

#endif
