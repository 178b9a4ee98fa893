/* Messages too small to carry a header. How many of each kind arrive is judged by digest, size and parts; in which
 * place, by the framed messages around them, if all of them come from one thread. */
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
    if (a->time_ns != b->time_ns)
        return a->time_ns < b->time_ns ? -1 : 1;
    return b->sent - a->sent; /* at one tick of a coarse clock it was sent first */
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

/* Whether a subscriber may receive it at all: a publish that failed, or had ended before the subscriber opened, is for
 * nobody like it. */
static int is_for(const struct message *message, const struct life *subscriber)
{
    return message->outcome != IPCMARK_FAILED &&
           (message->outcome_ns >= subscriber->open_invoke || subscriber->open_invoke == NEVER);
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
                                               is_for(message, &model->lives[subscriber]),
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

#define LOOKS        "a message of %" PRIu64 " bytes in %" PRIu32 " parts (digest %08" PRIx32 ")"
#define LOOK_OF(one) (one)->size, (one)->parts, (one)->digest

/* All of one kind, by time. 1 if at some moment more had arrived than had been sent by then. */
static int kind_judge(struct model *model, const struct life *subscriber, const struct kind *kinds, size_t count)
{
    int sent = 0, needed = 0, received = 0;
    for (size_t i = 0; i < count; ++i) {
        sent += kinds[i].sent;
        needed += kinds[i].needed;
        received += kinds[i].received;
        if (received <= sent)
            continue;
        model_violation(model, sent == 0 ? IPCMARK_PHANTOM : IPCMARK_DUPLICATE, kinds[i].time_ns,
                        about_lives(subscriber, NULL),
                        "%s received %d times " LOOKS " by %+.6f s, that was sent to it %d times by then",
                        LABEL(subscriber), received, LOOK_OF(kinds), model_seconds(model, kinds[i].time_ns), sent);
        return 1;
    }
    if (received < needed)
        model_violation(model, IPCMARK_LOST, model->end_ns, about_lives(subscriber, NULL),
                        "%s received %d times " LOOKS " that had to reach it %d times; the first was sent at %+.6f s",
                        LABEL(subscriber), received, LOOK_OF(kinds), needed, model_seconds(model, kinds->time_ns));
    return 0;
}

/* ---- their place ------------------------------------------------------------------------------------------------- */

/* The one stream that sends this subscriber unframed messages. NULL: none, or several, and whose one is cannot be told.
 */
static const struct stream *only_source(const struct model *model, size_t subscriber)
{
    const struct stream *found = NULL;
    for (size_t i = 0; i < model->stream_count; ++i) {
        const struct stream *stream = &model->streams[i];
        uint64_t m = 0;
        while (m < stream->count && (stream->messages[m].flags & IPCMARK_UNFRAMED) == 0)
            ++m;
        if (m == stream->count || !lives_meet(model, stream->publisher, subscriber))
            continue;
        if (found != NULL)
            return NULL;
        found = stream;
    }
    return found;
}

/* What is known while the deliveries are gone through. */
struct places {
    const struct stream *stream;
    const struct life *subscriber;
    unsigned char *taken; /* by index: found among the deliveries */
    uint64_t next;        /* the first that may come now */
    uint64_t unframed;    /* behind the latest unframed one */
};

/* The first one like this that was not taken, from an index on; the stream's count: none. */
static uint64_t place_find(const struct places *self, uint64_t from, const struct ipcmark_record *record)
{
    for (; from < self->stream->count; ++from) {
        const struct message *message = &self->stream->messages[from];
        if (!self->taken[from] && (message->flags & IPCMARK_UNFRAMED) != 0 && message->outcome != IPCMARK_FAILED &&
            message->digest == record->digest && message->size == record->size && message->parts == record->parts)
            break;
    }
    return from;
}

/* Each is taken for the first that it can be: if there is a way to see all in order, this finds one. */
static void unframed_place(struct model *model, struct places *self, const struct ipcmark_record *record)
{
    uint64_t at = place_find(self, self->next, record);
    if (at == self->stream->count) {
        at = place_find(self, 0, record);
        if (at == self->stream->count)
            return; /* one too many: kind_judge() */
        model_violation(model, IPCMARK_REORDERED, record->time_ns,
                        about_message(model, self->stream, self->stream->first + at, self->subscriber),
                        "%s received a message of %" PRIu64 " bytes without a header, number %" PRIu64
                        " of its publisher, at %+.6f s, after message %" PRIu64,
                        LABEL(self->subscriber), record->size, self->stream->first + at,
                        model_seconds(model, record->time_ns), self->stream->first + self->next - 1);
    } else {
        self->next = self->unframed = at + 1;
    }
    self->taken[at] = 1;
}

static void framed_place(struct model *model, struct places *self, const struct ipcmark_record *record)
{
    const struct stream *stream = self->stream;
    uint64_t at = record->sequence - stream->first;
    if (stream->key != ((uint64_t)record->publisher << 32 | (uint64_t)record->epoch << 16 | record->thread) ||
        record->error != 0 || record->sequence < stream->first || at >= stream->count || self->taken[at])
        return;
    if (at < self->unframed)
        model_violation(
            model, IPCMARK_REORDERED, record->time_ns, about_message(model, stream, record->sequence, self->subscriber),
            "%s received message %" PRIu64
            " at %+.6f s, after one without a header that was sent behind it (number %" PRIu64 " at the earliest)",
            LABEL(self->subscriber), record->sequence, model_seconds(model, record->time_ns),
            stream->first + self->unframed - 1);
    self->taken[at] = 1;
    self->next = at + 1;
    self->unframed = 0;
}

/* Only within one file is the order of deliveries that of writing: of several, nothing is said. */
static int places_judge(struct model *model, size_t subscriber)
{
    const struct receipt *receipts = model->receipts[subscriber];
    const size_t count = model->receipt_counts[subscriber];
    struct places self = {.stream = only_source(model, subscriber), .subscriber = &model->lives[subscriber]};
    if (self.stream == NULL)
        return 0;
    for (size_t i = 1; i < count; ++i)
        if (receipts[i].journal != receipts[0].journal)
            return 0;
    self.taken = calloc(self.stream->count, 1);
    if (self.taken == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < count; ++i)
        ((receipts[i].record->flags & IPCMARK_UNFRAMED) != 0 ? unframed_place : framed_place)(model, &self,
                                                                                              receipts[i].record);
    free(self.taken);
    return 0;
}

int unframed_judge(struct model *model, size_t subscriber, const struct message *const *needed, size_t needed_count)
{
    size_t limit = sent_count(model, subscriber) + needed_count + model->receipt_counts[subscriber];
    struct kind *kinds = malloc((limit + 1) * sizeof *kinds);
    size_t count, from = 0;
    int surplus = 0;
    if (kinds == NULL)
        return -ENOMEM;
    count = kinds_fill(model, subscriber, needed, needed_count, kinds);
    qsort(kinds, count, sizeof *kinds, kind_compare);
    for (size_t i = 1; i <= count; ++i)
        if (i == count || !is_same_kind(&kinds[from], &kinds[i])) {
            surplus |= kind_judge(model, &model->lives[subscriber], &kinds[from], i - from);
            from = i;
        }
    free(kinds);
    /* Which of two equal ones is the one too many cannot be told, and so no place either. */
    return surplus ? 0 : places_judge(model, subscriber);
}
