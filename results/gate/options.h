#ifndef GATE_OPTIONS_H
#define GATE_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

struct options {
    const char *candidate, *baseline; /* drivers; or the baseline is a stored run: see stored */
    const char *verdicts, *conformance;
    const char *tolerances, *pin;
    const char *output, *markdown, *junit;
    const char *reason; /* of --accept */
    const char *self_test;
    char **judge; /* recorded runs; NULL: measure */
    int judge_count;
    double seconds, cell_seconds;
    uint64_t seed;
    unsigned repeat;
    bool stored, other_environment, accept, resume, annotations;
};

/* -1: go on, or the exit code. */
int options_read(struct options *out, int argc, char **argv);

extern const char options_help[];

#endif
