/* The points as the program around them sees them: their list, the ways on which they were come to, and orders to kill
 * or stop this process at one.
 *
 * A way is the chain of calls that led to a point. sendmsg() is one point, but HELLO and NEXT are sent on two ways. */
#ifndef REACH_H
#define REACH_H

#include "point.h"

#include <stdint.h>

enum { POINTS_MAX = 1024, WAYS_MAX = 4096, WAY_CALLS = 4 };

struct point_way {
    _Atomic uint64_t name; /* 0: none */
    _Atomic unsigned hits;
    uint32_t point;
    uint32_t calls[WAY_CALLS]; /* addresses to return to, from the start of the program */
};

/* In memory that survives the process. */
struct point_tracks {
    _Atomic unsigned hits[POINTS_MAX];
    struct point_way ways[WAYS_MAX];
};

struct point_order {
    long index;   /* -1: none */
    uint64_t way; /* 0: any */
    unsigned hit; /* 1: when it is come to for the first time, on this way */
    int signal;
};

size_t points_count(void);
const struct point *points_get(size_t index);
void points_arm(struct point_tracks *tracks, const struct point_order *order); /* from now on */

/* "src/publish.c:ring_commit:store" and, where a function has several alike, "…#2". To be freed. */
char *points_name(size_t index);
long points_find(const char *name); /* -1: there is none of that name */

#endif
