/* What `ipcmark bench` was asked to do. */
#ifndef BENCH_OPTIONS_H
#define BENCH_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shard.h"

enum { OPTIONS_MOST = 32 };

enum suite { SUITE_QUICK = 1, SUITE_STANDARD = 2, SUITE_FULL = 4, SUITE_TARGETS = 8 };

struct options {
    const char *drivers[OPTIONS_MOST + 1]; /* as given: "mmipc", "base=./a.so"; NULL-terminated */
    size_t driver_count;
    unsigned suites; /* of enum suite */
    unsigned blocks; /* that were asked for; a budget may have it fewer */
    double budget;   /* seconds; 0: as long as it takes */
    struct shard shard;
    const char *filter; /* a regular expression, or NULL */
    uint64_t seed;      /* below 2^53 */
    const char *output; /* the run file */
    bool resume;        /* … is gone on with */
    const char *pin;    /* "0,1", "none" or NULL */
    const char *seconds;
    bool list, quiet;
    const char *runner[OPTIONS_MOST + 1]; /* Google Benchmark's flags, NULL-terminated */
    size_t runner_count;
};

extern const char options_help[];

/* 0: go on; else done, with this exit code in *exit_code, everything said. */
int options_parse(struct options *out, int argc, char **argv, int *exit_code);

const char *options_suite_name(unsigned suites); /* without the targets; NULL: nothing but those */
double options_cell_seconds(const struct options *);
/* Of a latency cell, at least: over the blocks a percentile has 100 samples beyond it, p99.9 in the standard suite,
 * p99.99 in the full one; 0: as many as a cell's time holds. */
uint64_t options_samples(const struct options *);

/* A word as a shell takes it: in quotes if it needs them. */
void options_quote(const char *value, char *text, size_t text_size);

/* The command that does the same again; caller's buffer. In what is kept, paths of drivers are left out and their names
 * stay. */
void options_describe(const struct options *, bool kept, char *text, size_t text_size);

#endif
