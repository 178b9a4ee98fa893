/* The command line of ipcmark soak. */
#ifndef SOAK_COMMAND_H
#define SOAK_COMMAND_H

#include "ipcmark/control.h"

typedef struct command_line {
    ipcmark_target target;
    unsigned publishers, subscribers;
    double seconds, round_seconds;
    uint64_t seed; /* below 2^53, so that every JSON reader gets it right */
    bool seed_given, resume;
    const char *output; /* a file, or NULL: one is named by main() */
    const char *keep;
} command_line;

/* 0: go on; else the exit code + 1: help and version have been printed, or on stderr what is wrong and what to do. */
int command_parse(command_line *, int argc, char **argv);

#endif
