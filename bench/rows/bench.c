#include "bench.h"

#include <ipcmark/control.h>

#include "../limits/line.h"
#include "../limits/purpose.h"
#include "../targets/targets.h"

const double bench_usual_seconds = 0.35;

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

double bench_line_ns(const struct bench *bench)
{
    double one_way_ns;

    if (bench->cpu_b < 0 || bench->floats || line_measure(bench->cpu_a, bench->cpu_b, &one_way_ns) < 0)
        return -1;
    return one_way_ns;
}

unsigned bench_count(const struct bench *bench, unsigned usual, unsigned fewest)
{
    double count = usual * bench->seconds / bench_usual_seconds;

    return count < fewest ? fewest : count > usual ? usual : (unsigned)count;
}

void bench_steal_since(struct cell *cell, int64_t before_ns)
{
    int64_t now_ns = bench_steal_ns();

    if (before_ns >= 0 && now_ns >= before_ns)
        cell->steal_ns = now_ns - before_ns;
}

static int (*const measures[ROW_FAMILIES])(struct bench *, struct cell *) = {
    [ROW_LATENCY] = bench_latency,
    [ROW_ROUNDTRIP] = bench_pingpong,
    [ROW_HOT] = bench_pingpong,
    [ROW_WAKEUP] = bench_wakeup,
    [ROW_THROUGHPUT] = bench_stream,
    [ROW_SIZE] = bench_stream,
    [ROW_FANOUT] = bench_stream,
    [ROW_FANIN] = bench_stream,
    [ROW_MESH] = bench_stream,
    [ROW_COST] = bench_cost,
    [ROW_LIFECYCLE] = bench_lifecycle,
    [ROW_TARGET_HOT] = targets_hot,
    [ROW_TARGET_WAKEUP] = targets_wakeup,
    [ROW_TARGET_STREAM] = targets_stream,
    [ROW_TARGET_FANOUT] = targets_stream,
    [ROW_TARGET_IDLE] = targets_idle,
    [ROW_TARGET_PAIRS] = targets_pairs,
    [ROW_TARGET_ATTACH] = targets_attach,
    [ROW_TARGET_DEATH] = targets_death,
    [ROW_LIMIT_LINE] = bench_line,
    [ROW_LIMIT_MEMCPY] = bench_memcpy,
};

void bench_measure(struct bench *bench, struct cell *cell)
{
    const struct purpose *purpose = purpose_of(cell->row->family);
    measures[purpose == NULL ? cell->row->family : purpose->as](bench, cell);
}
