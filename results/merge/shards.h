/* The shards of one run, put in order; whatever is missing, double or of another run is named. */
#ifndef MERGE_SHARDS_H
#define MERGE_SHARDS_H

#include "../reader/results.h"

/* shards_check sorts the runs by their number and refuses all that is not exactly one run. 0; or -EINVAL with a
 * sentence in `error` that names the files and says what to do; or -ENOMEM. */
int shards_check(struct results_run *runs, size_t count, char *error, size_t error_size);

/* shards_difference: in what two headers differ that shards of one run have in common: "environment.commit", or "" if
 * in nothing. */
struct difference {
    char path[96], one[64], other[64]; /* the member's name and both values, as JSON, shortened */
};
struct difference shards_difference(const cJSON *header, const cJSON *other);

/* shards_command is the run's command without " --shard 2/4" or " --shard=2/4": with it the whole run can be had. The
 * caller frees it; NULL: memory ran out. */
char *shards_command(const struct results_run *run);

/* shards_join makes the result file of the whole run from shards that were checked. The caller frees it; NULL: memory
 * ran out. */
char *shards_join(const struct results_run *runs, size_t count);

#endif
