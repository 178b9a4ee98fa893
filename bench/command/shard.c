#include "shard.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SHARDS_MOST = 10000 };

bool shard_parse(const char *text, struct shard *out)
{
    unsigned number, count;
    int used = 0;

    if (text[strspn(text, "0123456789/")] != '\0' || sscanf(text, "%5u/%5u%n", &number, &count, &used) != 2 ||
        text[used] != '\0' || number < 1 || number > count || count > SHARDS_MOST)
        return false;
    *out = (struct shard){number - 1, count};
    return true;
}

/* A variable's number, or `otherwise` where it is not set; < 0: it is no number. */
static long number_of(const char *variable, long otherwise)
{
    const char *text = getenv(variable);
    char *end;
    long value;

    if (text == NULL || *text == '\0')
        return otherwise;
    value = strtol(text, &end, 10);
    return *text < '0' || *text > '9' || *end != '\0' ? -1 : value;
}

static bool is_set(const char *variable)
{
    const char *text = getenv(variable);
    return text != NULL && *text != '\0';
}

static bool take(struct shard *out, long index, long count)
{
    if (index < 0 || index >= count || count > SHARDS_MOST)
        return false;
    *out = (struct shard){(unsigned)index, (unsigned)count};
    return true;
}

/* An array of tasks 3, 5, 7 is --array=3-7:2. */
static bool of_slurm(struct shard *out)
{
    long task = number_of("SLURM_ARRAY_TASK_ID", -1), first = number_of("SLURM_ARRAY_TASK_MIN", 0),
         step = number_of("SLURM_ARRAY_TASK_STEP", 1), count = number_of("SLURM_ARRAY_TASK_COUNT", -1);

    if (task < 0 || first < 0 || step < 1 || task < first || (task - first) % step != 0)
        return false;
    return take(out, (task - first) / step, count);
}

bool shard_of_environment(struct shard *out, const char **variable)
{
    *variable = is_set("GTEST_TOTAL_SHARDS") ? "GTEST_SHARD_INDEX" : NULL;
    if (*variable != NULL)
        return take(out, number_of("GTEST_SHARD_INDEX", -1), number_of("GTEST_TOTAL_SHARDS", -1));
    *variable = is_set("SLURM_ARRAY_TASK_ID") ? "SLURM_ARRAY_TASK_ID" : NULL;
    return *variable == NULL || of_slurm(out);
}

bool shard_has(const struct shard *shard, unsigned block)
{
    return block % shard->count == shard->index;
}

unsigned shard_blocks(const struct shard *shard, unsigned blocks)
{
    return shard->index >= blocks ? 0 : (blocks - shard->index - 1) / shard->count + 1;
}
