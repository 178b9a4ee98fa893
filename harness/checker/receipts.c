/* What subscribers received, and the rules of what they must not receive. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "model_parts.h"

/* The life that a RECEIVED speaks for, and an error if there is none; `last` is the one found before. */
static size_t receiver_find(struct model *model, const struct ipcmark_history_journal *journal,
                            const struct ipcmark_record *record, size_t last)
{
    size_t found = last;
    if (last == NOBODY || model->lives[last].is->endpoint != record->endpoint ||
        model->lives[last].is->epoch != record->endpoint_epoch)
        found = life_find(model, record->endpoint, record->endpoint_epoch);
    if (found != NOBODY && model->lives[found].is->role == IPCMARK_SUBSCRIBER &&
        model->lives[found].is->process == journal->process)
        return found;
    model_error(model, "journal %s: subscriber %u epoch %u received, which the history does not put there",
                journal->name, record->endpoint, record->endpoint_epoch);
    return NOBODY;
}

/* Calls for every RECEIVED: counts them, or also puts them into the receipts of their life. */
static void receipts_place(struct model *model, int counting)
{
    for (size_t j = 0; j < model->history->journal_count; ++j) {
        const struct ipcmark_history_journal *journal = &model->history->journals[j];
        size_t life = NOBODY;
        for (size_t i = 0; i < journal->view.count; ++i) {
            const struct ipcmark_record *record = &journal->view.records[i];
            if (record->kind != IPCMARK_RECEIVED)
                continue;
            life = receiver_find(model, journal, record, life);
            if (life == NOBODY)
                continue;
            if (!counting)
                model->receipts[life][model->receipt_counts[life]] = (struct receipt){record, j};
            ++model->receipt_counts[life];
        }
    }
}

static int receipt_compare(const void *one, const void *other)
{
    const struct receipt *a = one, *b = other;
    if (a->record->time_ns != b->record->time_ns)
        return a->record->time_ns < b->record->time_ns ? -1 : 1;
    if (a->journal != b->journal)
        return a->journal < b->journal ? -1 : 1;
    return (a->record > b->record) - (a->record < b->record); /* of one array: the order of writing */
}

static void receipts_sort(struct receipt *receipts, size_t count)
{
    for (size_t i = 1; i < count; ++i)
        if (receipt_compare(&receipts[i - 1], &receipts[i]) > 0) {
            qsort(receipts, count, sizeof *receipts, receipt_compare);
            return;
        }
}

int receipts_build(struct model *model)
{
    model->receipts = calloc(model->life_count + 1, sizeof(struct receipt *));
    model->receipt_counts = calloc(model->life_count + 1, sizeof *model->receipt_counts);
    if (model->receipts == NULL || model->receipt_counts == NULL)
        return -ENOMEM;
    receipts_place(model, 1);
    for (size_t i = 0; i < model->life_count; ++i) {
        size_t count = model->receipt_counts[i];
        model->judgement->received += count;
        model->receipt_counts[i] = 0;
        if (count == 0)
            continue;
        model->receipts[i] = malloc(count * sizeof **model->receipts);
        if (model->receipts[i] == NULL)
            return -ENOMEM;
    }
    receipts_place(model, 0);
    for (size_t i = 0; i < model->life_count; ++i)
        receipts_sort(model->receipts[i], model->receipt_counts[i]);
    return 0;
}

/* Everything about one delivery that the rules look at. */
struct delivery {
    const struct life *subscriber;
    size_t subscriber_index;
    const struct receipt *receipt;
    const struct stream *stream;   /* NULL: of none */
    const struct message *message; /* NULL: never invoked */
    struct intake *intake;         /* of the stream */
};

/* "subscriber 3 received message 17 of publisher 2 epoch 1 thread 0 at +1.234567 s" */
#define NAMED "%s received message %" PRIu64 " of %s thread %u at %+.6f s"
#define NAMES(model, delivery)                                                                                         \
    LABEL((delivery)->subscriber), (delivery)->receipt->record->sequence,                                              \
        publisher_label((char[LABEL_SIZE]){0}, model, (delivery)->receipt->record->publisher,                          \
                        (delivery)->receipt->record->epoch),                                                           \
        (delivery)->receipt->record->thread, model_seconds(model, (delivery)->receipt->record->time_ns)

static struct ipcmark_about about_delivery(const struct model *model, const struct delivery *delivery)
{
    return about_message(model, delivery->stream, delivery->receipt->record->sequence, delivery->subscriber);
}

/* Whether it came while the subscriber could receive. */
static void moment_judge(struct model *model, const struct life *subscriber, uint64_t now)
{
    if (subscriber->open_invoke == NEVER || now < subscriber->open_invoke)
        model_violation(model, IPCMARK_PHANTOM, now, about_lives(subscriber, NULL),
                        "%s received at %+.6f s, before it subscribed", LABEL(subscriber), model_seconds(model, now));
    else if (now > subscriber->close_done)
        model_violation(model, IPCMARK_LATE, now, about_lives(subscriber, NULL),
                        "%s received at %+.6f s, %.6f s after its close had returned", LABEL(subscriber),
                        model_seconds(model, now), (double)(now - subscriber->close_done) / 1e9);
}

static int is_other_run(const struct model *model, const struct ipcmark_record *record)
{
    return model->history->has_expectation && record->run != model->run;
}

/* Whether it is the message that was sent, and was sent to this subscriber. 1 if its name can be relied on. */
static int identity_judge(struct model *model, const struct delivery *delivery)
{
    const struct ipcmark_record *record = delivery->receipt->record;
    const struct message *message = delivery->message;
    int meant = message != NULL && lives_meet(model, delivery->stream->publisher, delivery->subscriber_index);
    uint64_t now = record->time_ns;
    if (record->error != 0) {
        model_violation(model, IPCMARK_CORRUPT, now, about_delivery(model, delivery),
                        NAMED " (if its header can be believed): its CRC is wrong", NAMES(model, delivery));
        return meant;
    }
    if (is_other_run(model, record)) {
        model_violation(model, IPCMARK_LEAKED, now, about_delivery(model, delivery), NAMED ": it is of another run",
                        NAMES(model, delivery));
        return 0;
    }
    if (message == NULL)
        model_violation(model, IPCMARK_PHANTOM, now, about_delivery(model, delivery), NAMED ": nobody ever sent it",
                        NAMES(model, delivery));
    else if (!meant)
        model_violation(model, IPCMARK_LEAKED, now, about_delivery(model, delivery),
                        NAMED ": it was sent on another channel, in another directory, or by its own process",
                        NAMES(model, delivery));
    else if (now < message->invoke_ns)
        model_error(model, NAMED ", %.6f s before it was invoked", NAMES(model, delivery),
                    (double)(message->invoke_ns - now) / 1e9);
    else if (record->digest != message->digest || record->size != message->size || record->parts != message->parts)
        model_violation(model, IPCMARK_CORRUPT, now, about_delivery(model, delivery),
                        NAMED ": sent %" PRIu64 " bytes in %" PRIu32 " parts, got %" PRIu64 " in %" PRIu32
                              ", and the digests %s",
                        NAMES(model, delivery), message->size, message->parts, record->size, record->parts,
                        record->digest == message->digest ? "agree" : "differ");
    return meant;
}

/* Index + 1 of the highest that is known to have been received before; 0: none. Two files may show one time for
 * deliveries that followed each other: a coarse clock, not a disorder. */
static uint64_t received_before(const struct intake *intake, const struct receipt *receipt)
{
    if (receipt->record->time_ns > intake->last_ns)
        return intake->highest;
    return receipt->journal == intake->last_journal && intake->last > intake->before ? intake->last : intake->before;
}

/* Whether it ought to have been received at all, once, and now. */
static void order_judge(struct model *model, const struct delivery *delivery)
{
    const struct ipcmark_record *record = delivery->receipt->record;
    const struct message *message = delivery->message;
    struct intake *intake = delivery->intake;
    uint64_t index = record->sequence - delivery->stream->first, now = record->time_ns;
    uint64_t later = received_before(intake, delivery->receipt);
    if (message->outcome == IPCMARK_FAILED)
        model_violation(model, IPCMARK_PHANTOM, now, about_delivery(model, delivery),
                        NAMED ": its publish had failed at %+.6f s", NAMES(model, delivery),
                        model_seconds(model, message->outcome_ns));
    else if (message->outcome_ns < delivery->subscriber->open_invoke && delivery->subscriber->open_invoke != NEVER)
        model_violation(model, IPCMARK_PHANTOM, now, about_delivery(model, delivery),
                        NAMED ": it was sent at %+.6f s, before that subscriber opened", NAMES(model, delivery),
                        model_seconds(model, message->invoke_ns));
    if (intake->received_ns[index] != 0)
        model_violation(model, IPCMARK_DUPLICATE, now, about_delivery(model, delivery), NAMED ", and before at %+.6f s",
                        NAMES(model, delivery), model_seconds(model, intake->received_ns[index]));
    else if (later > index + 1)
        model_violation(model, IPCMARK_REORDERED, now, about_delivery(model, delivery),
                        NAMED ", after message %" PRIu64, NAMES(model, delivery), delivery->stream->first + later - 1);
}

static void intake_note(const struct delivery *delivery)
{
    const struct ipcmark_record *record = delivery->receipt->record;
    struct intake *intake = delivery->intake;
    uint64_t index = record->sequence - delivery->stream->first;
    if (intake->received_ns[index] == 0)
        intake->received_ns[index] = record->time_ns;
    if (intake->highest == 0)
        intake->first_ns = record->time_ns;
    if (record->time_ns > intake->last_ns)
        intake->before = intake->highest;
    if (index + 1 > intake->highest)
        intake->highest = index + 1;
    intake->last_ns = record->time_ns;
    intake->last = index + 1;
    intake->last_journal = delivery->receipt->journal;
}

static int delivery_judge(struct model *model, struct delivery *delivery, struct intake *intakes)
{
    const struct ipcmark_record *record = delivery->receipt->record;
    if (delivery->stream == NULL ||
        delivery->stream->key != ((uint64_t)record->publisher << 32 | (uint64_t)record->epoch << 16 | record->thread))
        delivery->stream = stream_find(model, record->publisher, record->epoch, record->thread);
    delivery->message = NULL;
    if (delivery->stream != NULL && record->sequence >= delivery->stream->first &&
        record->sequence <= delivery->stream->last)
        delivery->message = &delivery->stream->messages[record->sequence - delivery->stream->first];
    if (!identity_judge(model, delivery) || delivery->stream == NULL)
        return 0;
    delivery->intake = &intakes[delivery->stream - model->streams];
    if (delivery->intake->received_ns == NULL) {
        delivery->intake->received_ns = calloc(delivery->stream->count, sizeof(uint64_t));
        if (delivery->intake->received_ns == NULL)
            return -ENOMEM;
    }
    order_judge(model, delivery);
    intake_note(delivery);
    return 0;
}

int receipts_judge(struct model *model, size_t subscriber, struct intake *intakes)
{
    struct delivery delivery = {.subscriber = &model->lives[subscriber], .subscriber_index = subscriber};
    for (size_t i = 0; i < model->stream_count; ++i)
        intakes[i] = (struct intake){.first_ns = NEVER};
    for (size_t i = 0; i < model->receipt_counts[subscriber]; ++i) {
        int error;
        delivery.receipt = &model->receipts[subscriber][i];
        moment_judge(model, delivery.subscriber, delivery.receipt->record->time_ns);
        if ((delivery.receipt->record->flags & IPCMARK_UNFRAMED) != 0)
            continue; /* unframed_judge() */
        error = delivery_judge(model, &delivery, intakes);
        if (error < 0)
            return error;
    }
    return 0;
}
