/* Messages too small to carry a header: judged as a multiset, by digest, size and parts. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "model.h"

/* All messages of a subscriber's channel, and its deliveries, that look the same. */
struct kind {
    uint32_t digest, parts;
    uint64_t size;
    uint64_t time_ns;
    int sent, needed, received; /* what this entry adds to its kind */
};

static int kind_compare(const void *one, const void *other)
{
    const struct kind *a = one, *b = other;
    if (a->digest != b->digest)
        return a->digest < b->digest ? -1 : 1;
    if (a->parts != b->parts)
        return a->parts < b->parts ? -1 : 1;
    if (a->size != b->size)
        return a->size < b->size ? -1 : 1;
    return (a->time_ns > b->time_ns) - (a->time_ns < b->time_ns);
}

static int is_same_kind(const struct kind *a, const struct kind *b)
{
    return a->digest == b->digest && a->parts == b->parts && a->size == b->size;
}

static size_t sent_count(const struct model *model, size_t subscriber)
{
    size_t count = 0;
    for (size_t i = 0; i < model->stream_count; ++i)
        for (uint64_t m = 0; lives_meet(model, model->streams[i].publisher, subscriber) && m < model->streams[i].count;
             ++m)
            count += (model->streams[i].messages[m].flags & IPCMARK_UNFRAMED) != 0;
    return count;
}

/* Puts in everything sent, needed and received. */
static size_t kinds_fill(const struct model *model, size_t subscriber, const struct message *const *needed,
                         size_t needed_count, struct kind *kinds)
{
    size_t count = 0;
    for (size_t i = 0; i < model->stream_count; ++i) {
        const struct stream *stream = &model->streams[i];
        for (uint64_t m = 0; lives_meet(model, stream->publisher, subscriber) && m < stream->count; ++m) {
            const struct message *message = &stream->messages[m];
            if ((message->flags & IPCMARK_UNFRAMED) != 0)
                kinds[count++] = (struct kind){message->digest,
                                               message->parts,
                                               message->size,
                                               message->invoke_ns,
                                               message->outcome != IPCMARK_FAILED,
                                               0,
                                               0};
        }
    }
    for (size_t i = 0; i < needed_count; ++i)
        kinds[count++] =
            (struct kind){needed[i]->digest, needed[i]->parts, needed[i]->size, needed[i]->invoke_ns, 0, 1, 0};
    for (size_t i = 0; i < model->receipt_counts[subscriber]; ++i) {
        const struct ipcmark_record *record = model->receipts[subscriber][i].record;
        if ((record->flags & IPCMARK_UNFRAMED) != 0)
            kinds[count++] = (struct kind){record->digest, record->parts, record->size, record->time_ns, 0, 0, 1};
    }
    return count;
}

static void kind_judge(struct model *model, const struct life *subscriber, const struct kind *kinds, size_t count)
{
    int sent = 0, needed = 0, received = 0;
    uint64_t last_ns = 0;
    for (size_t i = 0; i < count; ++i) {
        sent += kinds[i].sent;
        needed += kinds[i].needed;
        received += kinds[i].received;
        if (kinds[i].received)
            last_ns = kinds[i].time_ns;
    }
    if (received > sent)
        model_violation(model, sent == 0 ? IPCMARK_PHANTOM : IPCMARK_DUPLICATE, last_ns,
                        "subscriber %u epoch %u received %d times a message of %" PRIu64 " bytes in %" PRIu32
                        " parts (digest %08" PRIx32 ") that was sent to it %d times",
                        subscriber->is->endpoint, subscriber->is->epoch, received, kinds->size, kinds->parts,
                        kinds->digest, sent);
    else if (received < needed)
        model_violation(model, IPCMARK_LOST, model->end_ns,
                        "subscriber %u epoch %u received %d times a message of %" PRIu64 " bytes in %" PRIu32
                        " parts (digest %08" PRIx32 ") that had to reach it %d times; the first was sent at %+.6f s",
                        subscriber->is->endpoint, subscriber->is->epoch, received, kinds->size, kinds->parts,
                        kinds->digest, needed, model_seconds(model, kinds->time_ns));
}

int unframed_judge(struct model *model, size_t subscriber, const struct message *const *needed, size_t needed_count)
{
    size_t limit = sent_count(model, subscriber) + needed_count + model->receipt_counts[subscriber];
    struct kind *kinds = malloc((limit + 1) * sizeof *kinds);
    size_t count, from = 0;
    if (kinds == NULL)
        return -ENOMEM;
    count = kinds_fill(model, subscriber, needed, needed_count, kinds);
    qsort(kinds, count, sizeof *kinds, kind_compare);
    for (size_t i = 1; i <= count; ++i)
        if (i == count || !is_same_kind(&kinds[from], &kinds[i])) {
            kind_judge(model, &model->lives[subscriber], &kinds[from], i - from);
            from = i;
        }
    free(kinds);
    return 0;
}
