/* What each thread of each publisher sent. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "model_parts.h"

static uint64_t stream_key(uint16_t publisher, uint16_t epoch, uint16_t thread)
{
    return (uint64_t)publisher << 32 | (uint64_t)epoch << 16 | thread;
}

/* The first stream whose key is not below; stream_count if there is none. */
static size_t stream_position(const struct model *model, uint64_t key)
{
    size_t low = 0, high = model->stream_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (model->streams[middle].key < key)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

const struct stream *stream_find(const struct model *model, uint16_t publisher, uint16_t epoch, uint16_t thread)
{
    uint64_t key = stream_key(publisher, epoch, thread);
    size_t at = stream_position(model, key);
    return at < model->stream_count && model->streams[at].key == key ? &model->streams[at] : NULL;
}

static int stream_insert(struct model *model, size_t at, const struct ipcmark_record *record, size_t publisher)
{
    struct stream *grown = realloc(model->streams, (model->stream_count + 1) * sizeof *grown);
    if (grown == NULL)
        return -ENOMEM;
    model->streams = grown;
    memmove(grown + at + 1, grown + at, (model->stream_count - at) * sizeof *grown);
    ++model->stream_count;
    grown[at] = (struct stream){stream_key(record->publisher, record->epoch, record->thread),
                                publisher,
                                record->sequence,
                                record->sequence,
                                0,
                                NULL};
    return 0;
}

/* Whether an INVOKE may stand in this journal. */
static int invoke_check(struct model *model, const struct ipcmark_history_journal *journal,
                        const struct ipcmark_record *record, size_t *publisher)
{
    *publisher = life_find(model, record->publisher, record->epoch);
    if (*publisher != NOBODY && model->lives[*publisher].is->role == IPCMARK_PUBLISHER &&
        model->lives[*publisher].is->process == journal->process && record->endpoint == record->publisher &&
        record->endpoint_epoch == record->epoch)
        return 1;
    model_error(model, "journal %s: a message of publisher %u epoch %u, which the history does not put there",
                journal->name, record->publisher, record->epoch);
    return 0;
}

/* Finds all streams and how far each goes. */
static int streams_find(struct model *model)
{
    for (size_t j = 0; j < model->history->journal_count; ++j) {
        const struct ipcmark_history_journal *journal = &model->history->journals[j];
        size_t at = 0, publisher;
        for (size_t i = 0; i < journal->view.count; ++i) {
            const struct ipcmark_record *record = &journal->view.records[i];
            uint64_t key = stream_key(record->publisher, record->epoch, record->thread);
            if (record->kind != IPCMARK_INVOKE)
                continue;
            if (at >= model->stream_count || model->streams[at].key != key)
                at = stream_position(model, key);
            if (at == model->stream_count || model->streams[at].key != key) {
                if (!invoke_check(model, journal, record, &publisher))
                    return 0;
                if (stream_insert(model, at, record, publisher) < 0)
                    return -ENOMEM;
            }
            ++model->streams[at].count;
            if (record->sequence < model->streams[at].first)
                model->streams[at].first = record->sequence;
            if (record->sequence > model->streams[at].last)
                model->streams[at].last = record->sequence;
        }
    }
    return 0;
}

static int messages_allocate(struct model *model)
{
    for (size_t i = 0; i < model->stream_count; ++i) {
        struct stream *stream = &model->streams[i];
        const struct ipcmark_member *publisher = model->lives[stream->publisher].is;
        if (stream->last - stream->first + 1 != stream->count) {
            model_error(
                model, "publisher %u epoch %u thread %u invoked %" PRIu64 " messages, numbered %" PRIu64 " to %" PRIu64,
                publisher->endpoint, publisher->epoch, (unsigned)(stream->key & 0xFFFF), stream->count, stream->first,
                stream->last);
            return 0;
        }
        stream->messages = calloc(stream->count, sizeof *stream->messages);
        if (stream->messages == NULL)
            return -ENOMEM;
        model->judgement->messages += stream->count;
    }
    return 0;
}

/* The message of an INVOKE or its outcome; NULL if it is of no stream. */
static struct message *message_of(const struct model *model, const struct ipcmark_record *record, size_t *at)
{
    uint64_t key = stream_key(record->publisher, record->epoch, record->thread);
    const struct stream *stream;
    if (*at >= model->stream_count || model->streams[*at].key != key)
        *at = stream_position(model, key);
    if (*at == model->stream_count || model->streams[*at].key != key)
        return NULL;
    stream = &model->streams[*at];
    return record->sequence < stream->first || record->sequence > stream->last
               ? NULL
               : &stream->messages[record->sequence - stream->first];
}

static void record_say(struct model *model, const struct ipcmark_history_journal *journal,
                       const struct ipcmark_record *record, const char *what)
{
    model_error(model, "journal %s: message %" PRIu64 " of publisher %u epoch %u thread %u %s", journal->name,
                record->sequence, record->publisher, record->epoch, record->thread, what);
}

static void invokes_place(struct model *model)
{
    for (size_t j = 0; j < model->history->journal_count; ++j) {
        const struct ipcmark_history_journal *journal = &model->history->journals[j];
        size_t at = 0;
        for (size_t i = 0; i < journal->view.count; ++i) {
            const struct ipcmark_record *record = &journal->view.records[i];
            struct message *message = record->kind == IPCMARK_INVOKE ? message_of(model, record, &at) : NULL;
            if (message == NULL)
                continue;
            if (message->invoke_ns != 0)
                record_say(model, journal, record, "was invoked twice");
            if (model->history->has_expectation && record->run != model->run)
                record_say(model, journal, record, "is of another run");
            *message =
                (struct message){record->time_ns, NEVER, record->size, record->digest, record->parts, 0, record->flags};
        }
    }
}

static void outcomes_place(struct model *model)
{
    for (size_t j = 0; j < model->history->journal_count; ++j) {
        const struct ipcmark_history_journal *journal = &model->history->journals[j];
        size_t at = 0;
        for (size_t i = 0; i < journal->view.count; ++i) {
            const struct ipcmark_record *record = &journal->view.records[i];
            struct message *message;
            if (record->kind < IPCMARK_OK || record->kind > IPCMARK_UNKNOWN)
                continue;
            message = message_of(model, record, &at);
            if (message == NULL || message->invoke_ns > record->time_ns)
                record_say(model, journal, record, "has an outcome and was not invoked before");
            else if (message->outcome != 0)
                record_say(model, journal, record, "has two outcomes");
            else
                message->outcome = record->kind, message->outcome_ns = record->time_ns;
        }
    }
}

/* The rules walk through time by walking through sequences. */
static void order_check(struct model *model)
{
    for (size_t i = 0; i < model->stream_count; ++i) {
        const struct stream *stream = &model->streams[i];
        const struct ipcmark_member *publisher = model->lives[stream->publisher].is;
        for (uint64_t m = 1; m < stream->count; ++m)
            if (stream->messages[m].invoke_ns < stream->messages[m - 1].invoke_ns) {
                model_error(model,
                            "publisher %u epoch %u thread %u invoked message %" PRIu64
                            " before the one that precedes it",
                            publisher->endpoint, publisher->epoch, (unsigned)(stream->key & 0xFFFF), stream->first + m);
                break;
            }
    }
}

int streams_build(struct model *model)
{
    int error = streams_find(model);
    if (error == 0 && model->judgement->verdict != IPCMARK_ERROR)
        error = messages_allocate(model);
    if (error < 0 || model->judgement->verdict == IPCMARK_ERROR)
        return error;
    invokes_place(model);
    outcomes_place(model);
    order_check(model);
    digests_check(model);
    return 0;
}
