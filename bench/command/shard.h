/* A part of a run for each of several processes, machines or jobs: whole blocks, so that what is compared in a block is
 * measured beside each other. */
#ifndef BENCH_SHARD_H
#define BENCH_SHARD_H

#include <stdbool.h>

struct shard {
    unsigned index, count; /* index from 0; {0, 1}: all of it */
};

/* "2/4" is the second of four. False: it is nothing of the kind. */
bool shard_parse(const char *text, struct shard *out);

/* What GTEST_SHARD_INDEX and GTEST_TOTAL_SHARDS, or else SLURM_ARRAY_TASK_ID and its companions, say; *variable: who
 * said so, or NULL if nobody does. False: what they say makes no sense; *variable is to blame. */
bool shard_of_environment(struct shard *out, const char **variable);

bool shard_has(const struct shard *, unsigned block);
unsigned shard_blocks(const struct shard *, unsigned blocks); /* how many of so many it has */

#endif
