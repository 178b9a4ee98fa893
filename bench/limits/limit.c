/* The rows of the machine itself. */
#include "../rows/bench.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cpus.h"
#include "line.h"
#include "ring_peer.h"

enum { PINGS_WARM_UP = 500, PINGS = 20000, COPIES_AT_A_TIME = 8 };
static const double WARM_UP_SECONDS = 0.02;

static int measure_line_row(struct bench *bench, struct cell *cell)
{
    struct bench_frame frame;
    double one_way_ns = -1;
    int result;

    bench_frame_begin(bench, cell, &frame);
    result = line_measure(bench->cpu_a, bench->cpu_b, &one_way_ns);
    bench_frame_end(bench, cell, &frame);
    if (result < 0)
        return cell_fail(cell, "the line could not be measured: %s", strerror(-result));
    cell_metric(cell, "p50_ns", one_way_ns);
    cell_metric(cell, "samples", LINE_BATCHES);
    cell->headline_ns = one_way_ns;
    return 0;
}

static int check_report(struct cell *cell, const struct ring_report *report, uint64_t sent)
{
    if (report->torn > 0 || report->reordered > 0)
        return cell_fail(cell, "%llu messages torn, %llu reordered", (unsigned long long)report->torn,
                         (unsigned long long)report->reordered);
    if (report->received != sent)
        return cell_fail(cell, "%llu of %llu messages arrived", (unsigned long long)report->received,
                         (unsigned long long)sent);
    return 0;
}

static int measure_ring_stream(struct bench *bench, struct cell *cell, struct ring_pair *pair)
{
    struct ring_report report = {0};
    double rate;
    int result = ring_pair_stream(pair, WARM_UP_SECONDS + bench->seconds);

    if (result == 0)
        result = ring_pair_finish(pair, &report);
    if (result < 0)
        return cell_fail(cell, "the ring's other process failed: %s", strerror(-result));
    if (check_report(cell, &report, pair->sequence) < 0)
        return -1;
    if (report.messages == 0 || report.to_ns <= report.from_ns)
        return cell_fail(cell, "too few messages arrived while the sender was sending");
    rate = (double)report.messages * 1e9 / (double)(report.to_ns - report.from_ns);
    cell_metric(cell, "messages_per_second", rate);
    cell_metric(cell, "bytes_per_second", rate * (double)cell->row->size);
    cell->headline_ns = 1e9 / rate;
    return 0;
}

static int measure_ring_ping(struct cell *cell, struct ring_pair *pair)
{
    struct ipcmark_histogram *histogram;
    struct ring_report report = {0};
    int result = ipcmark_histogram_new(&histogram);

    if (result < 0)
        return cell_fail(cell, "out of memory");
    result = ring_pair_ping(pair, PINGS_WARM_UP, histogram);
    ipcmark_histogram_clear(histogram);
    if (result == 0)
        result = ring_pair_ping(pair, cell->row->size <= 4096 ? PINGS : PINGS / 40, histogram);
    if (result == 0)
        result = ring_pair_finish(pair, &report);
    if (result < 0)
        cell_fail(cell, "the ring's other process failed: %s", strerror(-result));
    else if (check_report(cell, &report, pair->sequence) == 0)
        result = cell_histogram(cell, ipcmark_histogram_to_json(histogram), 2);
    ipcmark_histogram_free(histogram);
    return result < 0 || cell->error[0] != '\0' ? -1 : 0;
}

static int with_pair(struct bench *bench, struct cell *cell, enum ring_work work)
{
    struct ring_pair pair;
    int result = ring_pair_open(&pair, work, bench->cpu_b, cell->row->size, bench->seed);

    if (result < 0)
        cell_fail(cell, "the ring's other process did not start: %s", strerror(-result));
    else
        result = work == RING_COUNT ? measure_ring_stream(bench, cell, &pair) : measure_ring_ping(cell, &pair);
    ring_pair_close(&pair);
    return result;
}

/* One row, both figures: the stream's, and one way with both sides awake. */
static int measure_ring_row(struct bench *bench, struct cell *cell)
{
    struct bench_frame frame;
    struct cpus_mask mask;
    int result;

    if (cell->row->size < 48)
        return cell_fail(cell, "a message of fewer than 48 bytes has no room for its own check");
    if ((result = cpus_save(&mask)) < 0)
        return cell_fail(cell, "no affinity: %s", strerror(-result));
    bench_frame_begin(bench, cell, &frame);
    if ((result = cpus_pin(bench->cpu_a)) < 0)
        cell_fail(cell, "CPU %d: %s", bench->cpu_a, strerror(-result));
    else if ((result = with_pair(bench, cell, RING_ANSWER)) == 0)
        result = with_pair(bench, cell, RING_COUNT);
    cpus_restore(&mask);
    bench_frame_end(bench, cell, &frame);
    return result;
}

static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* From one buffer into the next, round and round over 4 MiB as in a ring, so that a cache's worth is not copied again
 * and again. */
static double copy_for(unsigned char *buffers, size_t size, double seconds, uint64_t *copies)
{
    void *(*volatile copy)(void *, const void *, size_t) = memcpy; /* or the compiler would see that nobody looks */
    size_t count = RING_CAPACITY / size + 1;
    uint64_t start = now_ns(), end = start;

    *copies = 0;
    while ((double)(end - start) < seconds * 1e9) {
        for (int i = 0; i < COPIES_AT_A_TIME; ++i, ++*copies)
            copy(buffers + (*copies + 1) % count * size, buffers + *copies % count * size, size);
        end = now_ns();
    }
    return (double)*copies * 1e9 / (double)(end - start);
}

static int measure_memcpy_row(struct bench *bench, struct cell *cell)
{
    size_t size = cell->row->size, bytes = (RING_CAPACITY / size + 1) * size;
    unsigned char *buffers = malloc(bytes);
    struct bench_frame frame;
    uint64_t copies;
    double rate;

    if (buffers == NULL)
        return cell_fail(cell, "out of memory");
    memset(buffers, 1, bytes);
    bench_frame_begin(bench, cell, &frame);
    (void)copy_for(buffers, size, WARM_UP_SECONDS, &copies);
    rate = copy_for(buffers, size, bench->seconds / 4, &copies);
    bench_frame_end(bench, cell, &frame);
    cell_metric(cell, "bytes_per_second", rate * (double)size);
    cell_metric(cell, "messages_per_second", rate);
    cell_metric(cell, "samples", (double)copies);
    cell->headline_ns = 1e9 / rate;
    free(buffers);
    return 0;
}

int bench_limit(struct bench *bench, struct cell *cell)
{
    if (cell->row->family == ROW_LIMIT_MEMCPY)
        return measure_memcpy_row(bench, cell);
    if (bench->cpu_b < 0)
        return cell_fail(cell, "two CPUs are needed, and this process may use one only");
    return cell->row->family == ROW_LIMIT_LINE ? measure_line_row(bench, cell) : measure_ring_row(bench, cell);
}
