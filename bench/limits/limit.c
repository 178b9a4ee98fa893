/* The rows of the machine itself: the line and memcpy. The bare ring is measured as the implementations are. */
#include "../rows/bench.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "line.h"

enum { COPIES_AT_A_TIME = 8, COPY_BYTES = 4 << 20 };
static const double WARM_UP_SECONDS = 0.02;

int bench_line(struct bench *bench, struct cell *cell)
{
    double one_way_ns = -1;
    int64_t steal_ns = bench_steal_ns();
    int result;

    if (bench->cpu_b < 0)
        return cell_fail(cell, "two CPUs are needed, and this process may use one only");
    cell->line_before_ns = bench_line_ns(bench);
    result = line_measure(bench->cpu_a, bench->cpu_b, &one_way_ns);
    cell->line_after_ns = bench_line_ns(bench);
    bench_steal_since(cell, steal_ns);
    if (result < 0)
        return cell_fail(cell, "the line could not be measured: %s", strerror(-result));
    cell_metric(cell, "p50_ns", one_way_ns);
    cell_metric(cell, "samples", LINE_BATCHES);
    cell->headline_ns = one_way_ns;
    return 0;
}

static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* From one buffer into the next, round and round over as much as the ring holds, so that not one cache's worth is
 * copied again and again. Returns copies a second. */
static double copy_for(unsigned char *buffers, size_t size, double seconds, uint64_t *copies)
{
    void *(*volatile copy)(void *, const void *, size_t) = memcpy; /* or the compiler would see that nobody looks */
    size_t count = COPY_BYTES / size + 1;
    uint64_t start = now_ns(), end = start;

    *copies = 0;
    while ((double)(end - start) < seconds * 1e9) {
        for (int i = 0; i < COPIES_AT_A_TIME; ++i, ++*copies)
            copy(buffers + (*copies + 1) % count * size, buffers + *copies % count * size, size);
        end = now_ns();
    }
    return (double)*copies * 1e9 / (double)(end - start);
}

int bench_memcpy(struct bench *bench, struct cell *cell)
{
    size_t size = cell->row->size, bytes = (COPY_BYTES / size + 2) * size;
    unsigned char *buffers = malloc(bytes);
    int64_t steal_ns = bench_steal_ns();
    uint64_t copies;
    double rate;

    if (buffers == NULL)
        return cell_fail(cell, "out of memory");
    memset(buffers, 1, bytes); /* page faults are not copying */
    cell->line_before_ns = bench_line_ns(bench);
    (void)copy_for(buffers, size, WARM_UP_SECONDS, &copies);
    rate = copy_for(buffers, size, bench->seconds / 4, &copies);
    cell->line_after_ns = bench_line_ns(bench);
    bench_steal_since(cell, steal_ns);
    cell_metric(cell, "bytes_per_second", rate * (double)size);
    cell_metric(cell, "messages_per_second", rate);
    cell_metric(cell, "samples", (double)copies);
    cell->headline_ns = 1e9 / rate;
    free(buffers);
    return 0;
}
