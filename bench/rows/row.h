/* A row of the benchmark. Its name says all there is to know about it:
 *
 *     latency/mmipc?spin_us=-1/64B/1x1/r10000        family, driver, size, publishers x subscribers, messages a second
 *     target-stream/unix/64B/1x1                     the same, of the transports of bench/targets
 *     limit/line   limit/bare-ring/1KiB   limit/memcpy/1MiB          the machine's own
 *     limit/harness-latency/64B/r10000                               the suite's own
 */
#ifndef BENCH_ROW_H
#define BENCH_ROW_H

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

enum row_family {
    ROW_LATENCY,
    ROW_ROUNDTRIP,
    ROW_HOT,
    ROW_WAKEUP,
    ROW_THROUGHPUT,
    ROW_SIZE,
    ROW_FANOUT,
    ROW_FANIN,
    ROW_MESH,
    ROW_COST,
    ROW_LIFECYCLE,
    ROW_TARGET_HOT,
    ROW_TARGET_WAKEUP,
    ROW_TARGET_STREAM,
    ROW_TARGET_FANOUT,
    ROW_TARGET_IDLE,
    ROW_TARGET_PAIRS,
    ROW_TARGET_ATTACH,
    ROW_TARGET_DEATH,
    ROW_LIMIT_LINE,
    ROW_LIMIT_RING,
    ROW_LIMIT_RING_HOT,
    ROW_LIMIT_HARNESS,
    ROW_LIMIT_HARNESS_HOT,
    ROW_LIMIT_HARNESS_LATENCY,
    ROW_LIMIT_HARNESS_COST,
    ROW_LIMIT_MEMCPY,
    ROW_LIMIT_FUTEX,
    ROW_LIMIT_PIPE,
    ROW_LIMIT_UNIX,
    ROW_FAMILIES
};

enum { ROW_NAME_BYTES = 256 };

struct row {
    char name[ROW_NAME_BYTES];
    enum row_family family;
    char driver[ROW_NAME_BYTES];      /* as in the name; "limit" for the machine's own */
    size_t size;                      /* bytes; 0: it has none */
    unsigned publishers, subscribers; /* 0: it has none */
    double rate;                      /* messages a second; 0: none asked for */
};

/* Reads a name. -EINVAL, with the reason in text, if it is not one. */
int row_parse(struct row *out, const char *name, char *text, size_t text_size);

const char *row_family_name(enum row_family); /* "latency", …, "limit"; static */
/* The one number that tables show and ratios compare: "p50_ns", "messages_per_second", …; static. */
const char *row_metric(const struct row *);
bool row_is_limit(const struct row *);
bool row_is_target(const struct row *);      /* target-…: its driver is a transport of bench/targets */
bool row_is_pinned(const struct row *);      /* a CPU for each side, so the line between the two is its own */
bool row_uses_processes(const struct row *); /* else it is measured in this one */

/* "mmipc", "mmipc?spin_us=-1" and "./build/my.so?x=1" are called "mmipc", "mmipc?spin_us=-1" and "my?x=1" in rows, so
 * that no path gets into a result; "base=./build/my.so?x=1" is called "base": a driver may be given a name. */
void row_driver_label(char *label, size_t label_size, const char *driver);
/* The driver without the name that it was given: what the harness takes; points into `driver`. */
const char *row_driver_spec(const char *driver);

#ifdef __cplusplus
}
#endif
#endif
