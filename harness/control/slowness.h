/* slowness.h — how late this machine wakes those who wait, all through a case.
 *
 * A thread waits for one moment after the other, 20 a second, and notes how late it was woken: as a participant is that
 * waits for its next message. A round trip between processes says less: on a machine with more to do than CPUs the
 * kernel hands over from the one that writes to the one that waits, and only sleepers are held up.
 *
 * Lateness becomes a factor by what it stands for: each time slice of 4 ms that somebody else had first is one more who
 * shares the CPU. Beside 1, 4 and 16 hogs a CPU the worst second was late by 3 to 13, 8 to 22 and 120 ms: 1.5 to 4, 3
 * to 6 and 31, where shares are 2, 5 and 17. What peers took to find each other (CON-006) grew by less: at most by 50
 * ms, of bounds of a second and more.
 *
 * Who is slow shall not be excused by what it does itself. Where the machine was slow, the CPU time of the others (all
 * that was used of the CPUs that are ours too, without ours and that of our children) must explain it: a fourth of the
 * CPUs for as long as it was slow, and a fiftieth all the time, which is what a machine does that has nothing to do. */
#ifndef CONTROL_SLOWNESS_H
#define CONTROL_SLOWNESS_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    SLOWNESS_PERIOD_MS = 50,
    SLOWNESS_WINDOW = 20, /* samples: a second */
    SLOWNESS_KEPT = 4096, /* samples: more than three minutes; of a call that lasts longer its end counts */
};

struct slowness {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t end;
    bool running, ending;
    uint32_t late_us[SLOWNESS_KEPT];
    size_t count;                                   /* ever */
    size_t mark;                                    /* `count` when the case began */
    uint32_t worst_us;                              /* since then: of the worst second the ninth tenth */
    size_t slow_count;                              /* since then: samples that were late */
    uint64_t begun_ns, begun_used_ns, begun_our_ns; /* then: the time, the CPU time of all, and of us */
};

/* Begins to sample, if that was not done before, and from here on a case. */
void slowness_mark(struct slowness *);
void slowness_end(struct slowness *);

size_t slowness_now(struct slowness *); /* a place to look back to */
/* How slow it has been since then, 1 or more: of the worst second the ninth tenth, so that one late sample is none. */
double slowness_since(struct slowness *, size_t place);
double slowness_worst(struct slowness *); /* the same since the mark, however long ago that is */
/* Whether the CPU time of others explains it, or nobody was at work, since the mark; living_ns: of our children that
 * have not ended. Where the kernel does not tell: yes. */
bool slowness_is_of_others(struct slowness *, uint64_t living_ns);

/* The parts that need no machine. */
void slowness_add(struct slowness *, uint64_t late_ns);
/* By others' work; or by nobody's: the machine itself stood still, and did less than its CPUs would have done
 * meanwhile. */
bool slowness_explained(uint64_t slow_ns, uint64_t whole_ns, uint64_t others_ns, uint64_t used_ns, unsigned cpus);

#endif
