/* What `ipcmark bench` was asked to do. */
#ifndef BENCH_OPTIONS_H
#define BENCH_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { OPTIONS_MOST = 32 };

enum suite { SUITE_QUICK = 1, SUITE_STANDARD = 2, SUITE_FULL = 4, SUITE_TARGETS = 8 };

struct options {
    const char *drivers[OPTIONS_MOST + 1]; /* NULL-terminated */
    size_t driver_count;
    unsigned suites; /* of enum suite */
    unsigned blocks;
    const char *filter; /* a regular expression, or NULL */
    uint64_t seed;      /* below 2^53 */
    const char *output; /* the run file */
    bool output_given;  /* else it is the default, and what is there is not written over unasked */
    bool resume;        /* … is gone on with */
    const char *cpus;   /* "0,1" or NULL */
    const char *seconds;
    bool json, list;
    const char *runner[OPTIONS_MOST + 1]; /* Google Benchmark's flags, NULL-terminated */
    size_t runner_count;
};

/* 0: go on; else done, with this exit code in *exit_code, everything said. */
int options_parse(struct options *out, int argc, char **argv, int *exit_code);

const char *options_suite_name(unsigned suites); /* without the targets; NULL: nothing but those */

/* The command that does the same again; caller's buffer. Paths of drivers are left out, their names stay. */
void options_describe(const struct options *, char *text, size_t text_size);

#endif
