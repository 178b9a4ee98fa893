#include "bench.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <ipcmark/control.h>

#include "../limits/line.h"

int bench_open(struct bench *bench)
{
    return ipcmark_session_open(&bench->session);
}

void bench_close(struct bench *bench)
{
    ipcmark_session_close(bench->session);
    bench->session = NULL;
}

int bench_interrupted(const struct bench *bench)
{
    return ipcmark_session_interrupted(bench->session);
}

/* Time that the hypervisor gave to others while we wanted it, all CPUs together; -1: unknown. */
static int64_t read_steal_ns(void)
{
    unsigned long long fields[8] = {0};
    FILE *file = fopen("/proc/stat", "re");
    int count = 0;

    if (file != NULL) {
        count = fscanf(file, "cpu %llu %llu %llu %llu %llu %llu %llu %llu", &fields[0], &fields[1], &fields[2],
                       &fields[3], &fields[4], &fields[5], &fields[6], &fields[7]);
        fclose(file);
    }
    return count == 8 ? (int64_t)(fields[7] * (1000000000ull / (unsigned long long)sysconf(_SC_CLK_TCK))) : -1;
}

static double measure_line(const struct bench *bench)
{
    double one_way_ns;

    if (bench->cpu_b < 0 || line_measure(bench->cpu_a, bench->cpu_b, &one_way_ns) < 0)
        return -1;
    return one_way_ns;
}

void bench_frame_begin(struct bench *bench, struct cell *cell, struct bench_frame *frame)
{
    frame->steal_ns = read_steal_ns();
    cell->line_before_ns = measure_line(bench);
}

void bench_frame_end(struct bench *bench, struct cell *cell, const struct bench_frame *frame)
{
    int64_t steal_ns;

    cell->line_after_ns = measure_line(bench);
    steal_ns = read_steal_ns();
    if (frame->steal_ns >= 0 && steal_ns >= frame->steal_ns)
        cell->steal_ns = steal_ns - frame->steal_ns;
}

void bench_measure(struct bench *bench, struct cell *cell)
{
    switch (cell->row->family) {
    case ROW_LATENCY:
        bench_latency(bench, cell);
        break;
    case ROW_ROUNDTRIP:
    case ROW_HOT:
        bench_pingpong(bench, cell);
        break;
    case ROW_THROUGHPUT:
    case ROW_FANOUT:
        bench_stream(bench, cell);
        break;
    case ROW_LIMIT_RING: /* both of its figures in one row: one way with both sides awake, then the stream */
        if (bench_pingpong(bench, cell) == 0)
            bench_stream(bench, cell);
        break;
    case ROW_LIMIT_LINE:
        bench_line(bench, cell);
        break;
    case ROW_LIMIT_MEMCPY:
        bench_memcpy(bench, cell);
        break;
    }
}
