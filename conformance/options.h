/* The command line of ipcmark conformance. */
#ifndef OPTIONS_H
#define OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "clause.h"
#include "ipcmark/control.h"

enum { OPTIONS_TARGETS = 32, OPTIONS_ROUNDS = 100000 };

typedef enum { FORMAT_TABLE, FORMAT_MARKDOWN, FORMAT_JSONL, FORMAT_TAP } output_format;
typedef enum { ACTION_RUN, ACTION_LIST, ACTION_LIST_JSON, ACTION_MUTANTS, ACTION_LIST_MUTANTS } action;

typedef struct command_options {
    action action;
    ipcmark_target targets[OPTIONS_TARGETS];
    size_t target_count;
    char clauses[2048]; /* globs with spaces between; "" means all */
    char mutants[512];  /* likewise */
    const char *base;   /* of the mutants */
    uint64_t seed;      /* below 2^53, so that every JSON reader gets it right */
    unsigned rounds;
    bool seed_given, rounds_given;
    effort effort;
    bool effort_given;
    bool must_only; /* SHOULD clauses do not count for the exit code */
    bool details, keep_passed, ctest, ctest_unknown, resume;
    const char *wrap, *output, *junit, *badge, *keep, *expect, *baseline, *accept_baseline;
    output_format format;
    int argc;
    char **argv;
} command_options;

/* 0: go on; else the exit code + 1: help and version have been printed, or on stderr what is wrong and what to do. */
int options_parse(command_options *, int argc, char **argv);
void options_print_help(void);
/* Whether --clause asks for this one. */
bool options_select(const command_options *, const clause *);

#endif
