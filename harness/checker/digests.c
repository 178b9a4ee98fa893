/* Whether digests come from the bytes. Each message with a header is unlike all others, for the header says which it
 * is: an agent whose digests are alike has not looked, and would take whatever arrives for what was sent. */
#include <inttypes.h>
#include <stdlib.h>

#include "model_parts.h"

/* Of one publisher so many are looked at. Two digests of 32 bits are alike by chance once in billions of pairs. */
enum { LOOKED_AT = 1024, ALIKE_AT_LEAST = 2 };

static int look_compare(const void *one, const void *other)
{
    const struct message *a = *(const struct message *const *)one, *b = *(const struct message *const *)other;
    if (a->size != b->size)
        return a->size < b->size ? -1 : 1;
    if (a->parts != b->parts)
        return a->parts < b->parts ? -1 : 1;
    return (a->digest > b->digest) - (a->digest < b->digest);
}

/* The next messages with a header of the publisher whose streams begin at *at, which is moved behind them. */
static size_t messages_take(const struct model *model, size_t *at, const struct message *taken[LOOKED_AT])
{
    const uint64_t endpoint = model->streams[*at].key >> 32;
    size_t count = 0;
    for (; *at < model->stream_count && model->streams[*at].key >> 32 == endpoint; ++*at)
        for (uint64_t m = 0; m < model->streams[*at].count && count < LOOKED_AT; ++m)
            if ((model->streams[*at].messages[m].flags & IPCMARK_UNFRAMED) == 0)
                taken[count++] = &model->streams[*at].messages[m];
    return count;
}

void digests_check(struct model *model)
{
    const struct message *taken[LOOKED_AT];
    for (size_t at = 0; at < model->stream_count;) {
        const struct life *publisher = &model->lives[model->streams[at].publisher];
        const size_t count = messages_take(model, &at, taken);
        size_t shaped = 0, alike = 0; /* of the size and parts of one before; and of its digest, too */
        qsort(taken, count, sizeof *taken, look_compare);
        for (size_t i = 1; i < count; ++i) {
            if (taken[i]->size != taken[i - 1]->size || taken[i]->parts != taken[i - 1]->parts)
                continue;
            ++shaped;
            alike += taken[i]->digest == taken[i - 1]->digest;
        }
        if (alike >= ALIKE_AT_LEAST && 2 * alike > shaped)
            model_error(model,
                        "%s: %zu of %zu messages have the digest of another one, though no two have the same bytes: "
                        "their digest does not come from their bytes",
                        LABEL(publisher), alike, count);
    }
}
