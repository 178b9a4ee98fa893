#include "line.h"

#include "cpus.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <ipcmark/journal.h>

enum {
    TRIPS = 32, /* round trips a batch: about 4 µs, so that one preemption spoils one batch */

    WARM_UP = 16,           /* batches thrown away: the other thread has to come to its CPU first */
    BUDGET_NS = 20000000,   /* enough batches by then, or what there is */
    PATIENCE_NS = 200000000 /* without any answer: the other CPU is not ours now */
};

/* Each on a line of its own, also where the machine fetches lines in pairs. */
struct court {
    _Alignas(128) atomic_uint ball; /* even: the caller's turn; odd: the other's */
    _Alignas(128) atomic_int over;  /* not said by the ball: the other may be about to hit it when we have given up */
    atomic_int failed;              /* -errno of the other thread, before it played */
    int cpu;
};

static void *return_ball(void *argument)
{
    struct court *court = argument;
    unsigned turn = 1;
    int error = cpus_pin(court->cpu);

    if (error < 0) {
        atomic_store_explicit(&court->failed, error, memory_order_release);
        return NULL;
    }
    while (!atomic_load_explicit(&court->over, memory_order_relaxed)) /* nothing else is handed over by it */
        if (atomic_load_explicit(&court->ball, memory_order_acquire) == turn) {
            atomic_store_explicit(&court->ball, turn + 1, memory_order_release);
            turn += 2;
        }
    return NULL;
}

/* Sends the ball and waits for it, TRIPS times. */
static int play_batch(struct court *court, unsigned *turn, double *round_trip_ns)
{
    uint64_t start = ipcmark_now_ns(), end;

    for (int i = 0; i < TRIPS; ++i) {
        unsigned long looks = 0;
        atomic_store_explicit(&court->ball, *turn + 1, memory_order_release);
        while (atomic_load_explicit(&court->ball, memory_order_acquire) != *turn + 2) {
            if (++looks % 65536 != 0) /* the clock only rarely: reading it would be part of the figure */
                continue;
            if (atomic_load_explicit(&court->failed, memory_order_acquire) != 0)
                return atomic_load_explicit(&court->failed, memory_order_relaxed);
            if (ipcmark_now_ns() - start > PATIENCE_NS)
                return -ETIME;
        }
        *turn += 2;
    }
    end = ipcmark_now_ns();
    *round_trip_ns = (double)(end - start) / TRIPS;
    return 0;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static int play(struct court *court, double *one_way_ns)
{
    double trips[LINE_BATCHES];
    uint64_t start = ipcmark_now_ns();
    unsigned turn = 0;
    int count = 0;

    for (int i = 0; i < WARM_UP + LINE_BATCHES && (count == 0 || ipcmark_now_ns() - start < BUDGET_NS); ++i) {
        double trip = 0;
        int result = play_batch(court, &turn, &trip);
        if (result < 0)
            return result;
        if (i >= WARM_UP)
            trips[count++] = trip;
    }
    qsort(trips, (size_t)count, sizeof trips[0], by_value);
    *one_way_ns = trips[count / 2] / 2;
    return 0;
}

int line_measure(int cpu_a, int cpu_b, double *one_way_ns)
{
    struct court court = {.cpu = cpu_b};
    struct cpus_mask mask;
    pthread_t other;
    int result;

    if (cpu_a == cpu_b)
        return -EINVAL;
    if ((result = cpus_save(&mask)) < 0)
        return result;
    if ((result = cpus_pin(cpu_a)) < 0)
        return result;
    if (pthread_create(&other, NULL, return_ball, &court) != 0) {
        result = -EAGAIN;
        goto out;
    }
    result = play(&court, one_way_ns);
    atomic_store_explicit(&court.over, 1, memory_order_relaxed);
    pthread_join(other, NULL);
out:
    cpus_restore(&mask);
    return result;
}

const char *const line_classes[LINE_CLASSES] = {"siblings", "cluster", "distant"};

const char *line_class(double one_way_ns)
{
    return line_classes[one_way_ns < LINE_SIBLINGS_NS ? 0 : one_way_ns < LINE_CLUSTER_NS ? 1 : 2];
}

const char *line_placement(double before_ns, double after_ns)
{
    if (before_ns < 0 || after_ns < 0)
        return NULL;
    return strcmp(line_class(before_ns), line_class(after_ns)) == 0 ? line_class(before_ns) : "mixed";
}
