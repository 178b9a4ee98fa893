/* What a process holds of memory, read from outside. */
#ifndef MEMORY_H
#define MEMORY_H

#include <stdint.h>

typedef struct memory {
    uint64_t resident, proportional; /* bytes: Rss and Pss of its mappings */
    uint64_t shared;                 /* that of `resident` which lies in shared mappings */
    int descriptors, threads, mappings;
} memory;

/* Without what lies in `except`, a folder: the suite's own journals. -errno if /proc cannot be read. */
int memory_take(memory *out, int pid, const char *except);

/* Bytes that the system could still give to processes; 0: it does not say. */
uint64_t memory_available(void);

#endif
