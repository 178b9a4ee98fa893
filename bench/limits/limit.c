/* The rows of the machine itself: the line and memcpy. All other limits are measured as the implementations are. */
#include "../rows/bench.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <ipcmark/journal.h>

#include "line.h"

enum { LINE_ATTEMPTS = 5, COPIES_AT_A_TIME = 8, BYTES_AT_A_TIME = 1 << 20, COPY_BYTES = 4 << 20 };
static const double WARM_UP_SECONDS = 0.02;

int bench_line(struct bench *bench, struct cell *cell)
{
    double one_way_ns = -1;
    int64_t steal_ns = bench_steal_ns();
    int result = -ETIME;

    if (bench->cpu_b < 0)
        return cell_fail(cell, "two CPUs are needed, and this process may use one only");
    cell->line_before_ns = bench_line_ns(bench);
    /* Now and then a CPU is given to others for so long that there is no figure. */
    for (int attempt = 0; attempt < LINE_ATTEMPTS && result == -ETIME; ++attempt)
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

/* From one buffer into the next, round and round over as much as the ring holds, so that not one cache's worth is
 * copied again and again. Small copies are many between two looks at the clock, which takes as long as one of them.
 * Returns copies a second. */
static double copy_for(unsigned char *buffers, size_t size, size_t bytes, double seconds, uint64_t *copies)
{
    void *(*volatile copy)(void *, const void *, size_t) = memcpy; /* or the compiler would see that nobody looks */
    const size_t at_a_time = BYTES_AT_A_TIME / size > COPIES_AT_A_TIME ? BYTES_AT_A_TIME / size : COPIES_AT_A_TIME;
    uint64_t start = ipcmark_now_ns(), end = start;
    size_t from = 0;

    *copies = 0;
    while ((double)(end - start) < seconds * 1e9) {
        for (size_t i = 0; i < at_a_time; ++i) {
            size_t to = from + size == bytes ? 0 : from + size;
            copy(buffers + to, buffers + from, size);
            from = to;
        }
        *copies += at_a_time;
        end = ipcmark_now_ns();
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
    (void)copy_for(buffers, size, bytes, WARM_UP_SECONDS, &copies);
    rate = copy_for(buffers, size, bytes, bench->seconds / 4, &copies);
    cell->line_after_ns = bench_line_ns(bench);
    bench_steal_since(cell, steal_ns);
    cell_metric(cell, "bytes_per_second", rate * (double)size);
    cell_metric(cell, "messages_per_second", rate);
    cell_metric(cell, "samples", (double)copies);
    cell->headline_ns = 1e9 / rate;
    free(buffers);
    return 0;
}
