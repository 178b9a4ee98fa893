/* The rules of what a subscriber must have received. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "model.h"

/* One stream and one subscriber, while the messages are gone through from the last to the first. */
struct review {
    struct model *model;
    const struct stream *stream;
    const struct intake *intake;
    const struct life *publisher, *subscriber;
    const struct window *windows;
    size_t window_count;
    uint64_t complete;    /* messages below this index had all to arrive; those below the highest received, too */
    uint64_t complete_ns; /* by then */
    uint64_t seen;        /* and below this one the subscriber said that they had */
    uint64_t next_ns;     /* when the next message that did arrive arrived; NEVER: none */
    uint64_t next_index;
    uint64_t lost, undrained;
};

/* How far the subscriber was waited for. A publisher that was killed owes its last messages only if it claims so. */
static void drains_apply(struct review *review)
{
    const struct ipcmark_history *history = review->model->history;
    uint16_t thread = (uint16_t)(review->stream->key & 0xFFFF);
    int owes_all =
        review->publisher->killed_from == NEVER || model_can(review->model, IPCMARK_CAP_SURVIVES_PUBLISHER_DEATH);
    for (size_t i = 0; owes_all && i < history->drain_count; ++i) {
        const struct ipcmark_drain *drain = &history->drains[i];
        const struct stream *stream = review->stream;
        uint64_t until;
        if (drain->subscriber != review->subscriber->is->endpoint ||
            drain->subscriber_epoch != review->subscriber->is->epoch ||
            drain->publisher != review->publisher->is->endpoint || drain->epoch != review->publisher->is->epoch ||
            (drain->thread != thread && drain->thread != IPCMARK_ANY_THREAD) || drain->sequence < stream->first ||
            (!drain->reached && review->subscriber->end <= drain->until_ns)) /* it went meanwhile: the prefix rule */
            continue;
        until = drain->sequence >= stream->last ? stream->count : drain->sequence - stream->first + 1;
        if (until > review->complete) {
            review->complete = until;
            review->complete_ns = drain->until_ns;
        }
        if (drain->reached && until > review->seen)
            review->seen = until;
    }
}

/* The window that a message was invoked in; NULL: the pair was not ready. At one tick of a coarse clock nobody knows
 * whether the pair was ready before or after: what may be excused is. */
static const struct window *window_of(const struct review *review, const struct message *message)
{
    for (size_t i = 0; i < review->window_count; ++i)
        if (message->invoke_ns > review->windows[i].from && message->invoke_ns < review->windows[i].until)
            return &review->windows[i];
    return NULL;
}

static void lost_say(struct review *review, uint64_t index, const struct window *window)
{
    const struct model *model = review->model;
    struct ipcmark_judgement *judgement = model->judgement;
    uint64_t known_ns = review->next_ns;
    int is_first;
    char proof[120];
    if (known_ns == NEVER) {
        known_ns = review->complete_ns;
        snprintf(proof, sizeof proof, "was waited for until %+.6f s", model_seconds(model, known_ns));
    } else {
        snprintf(proof, sizeof proof, "received message %" PRIu64 " at %+.6f s",
                 review->stream->first + review->next_index, model_seconds(model, known_ns));
    }
    ++review->lost;
    is_first = judgement->violations == 0 || known_ns < judgement->violation_ns;
    model_violation(review->model, IPCMARK_LOST, known_ns,
                    about_message(model, review->stream, review->stream->first + index, review->subscriber),
                    "%s never received message %" PRIu64
                    " of %s thread %u: OK at %+.6f s, pair ready since %+.6f s, and the subscriber %s",
                    LABEL(review->subscriber), review->stream->first + index, LABEL(review->publisher),
                    (unsigned)(review->stream->key & 0xFFFF),
                    model_seconds(model, review->stream->messages[index].outcome_ns),
                    model_seconds(model, window->from), proof);
    if (is_first)
        judgement->by_deadline_only = review->next_ns == NEVER && index >= review->seen;
}

/* Whether a reported disconnect lies between a missing message and the next that arrived, and excuses the gap. */
static int is_excused(const struct review *review, const struct window *window)
{
    return window->until != NEVER && window->excuses && window->until <= review->next_ns;
}

/* Whether the message is known to have had its chance: the subscriber was waited for, or saw what came later. */
static int is_decided(const struct review *review, uint64_t index)
{
    return index < review->complete || index < review->intake->highest;
}

/* 1 if the message had to arrive; if it did not, that is said here, unless it has no header. */
static int message_judge(struct review *review, uint64_t index)
{
    const struct message *message = &review->stream->messages[index];
    uint64_t received_ns = review->intake->received_ns == NULL ? 0 : review->intake->received_ns[index];
    const struct window *window = NULL;
    if (message->outcome == IPCMARK_OK && message->invoke_ns < review->subscriber->end)
        window = window_of(review, message);
    if (received_ns != 0) {
        review->next_ns = received_ns;
        review->next_index = index;
        return window != NULL;
    }
    if (window == NULL || is_excused(review, window))
        return 0;
    if (!is_decided(review, index)) {
        review->undrained += review->subscriber->end == NEVER && review->publisher->killed_from == NEVER;
        return 0;
    }
    if ((message->flags & IPCMARK_UNFRAMED) == 0)
        lost_say(review, index, window);
    return 1;
}

/* A subscriber that was to be drained, was not in time, and lost nothing: late, or stuck. */
static void drains_judge(struct review *review)
{
    const struct ipcmark_history *history = review->model->history;
    const struct stream *stream = review->stream;
    for (size_t i = 0; i < history->drain_count; ++i) {
        const struct ipcmark_drain *drain = &history->drains[i];
        const struct message *message;
        uint64_t received_ns;
        if (drain->subscriber != review->subscriber->is->endpoint ||
            drain->subscriber_epoch != review->subscriber->is->epoch ||
            drain->publisher != review->publisher->is->endpoint || drain->epoch != review->publisher->is->epoch ||
            drain->thread != (stream->key & 0xFFFF) || drain->sequence < stream->first ||
            drain->sequence > stream->last)
            continue;
        received_ns =
            review->intake->received_ns == NULL ? 0 : review->intake->received_ns[drain->sequence - stream->first];
        /* The drain asks for what a reply said was OK. Had the publisher died in between, nobody would owe it. */
        message = &stream->messages[drain->sequence - stream->first];
        if (message->outcome == IPCMARK_OK && message->outcome_ns > drain->from_ns)
            model_error(review->model,
                        "%s said that message %" PRIu64 " of thread %u was published before it recorded that",
                        LABEL(review->publisher), drain->sequence, drain->thread);
        else if (drain->reached && received_ns == 0)
            model_error(review->model,
                        "%s claims to have received message %" PRIu64
                        " of %s thread %u, and its journal does not show it",
                        LABEL(review->subscriber), drain->sequence, LABEL(review->publisher), drain->thread);
        else if (!drain->reached && received_ns > drain->until_ns)
            model_violation(review->model, IPCMARK_LATE, drain->until_ns,
                            about_message(review->model, stream, drain->sequence, review->subscriber),
                            "%s received message %" PRIu64 " of %s thread %u %.6f s after the deadline",
                            LABEL(review->subscriber), drain->sequence, LABEL(review->publisher), drain->thread,
                            (double)(received_ns - drain->until_ns) / 1e9);
        else if (!drain->reached && received_ns == 0 && review->lost == 0 &&
                 review->subscriber->end > drain->until_ns && review->publisher->killed_from > drain->until_ns)
            model_violation(review->model, IPCMARK_HUNG, drain->until_ns,
                            about_message(review->model, stream, drain->sequence, review->subscriber),
                            "%s had not received message %" PRIu64 " of %s thread %u by the deadline, %+.6f s",
                            LABEL(review->subscriber), drain->sequence, LABEL(review->publisher), drain->thread,
                            model_seconds(review->model, drain->until_ns));
    }
}

/* Messages without a header that had to arrive, of all streams. */
struct needs {
    const struct message **messages;
    size_t count;
};

static int stream_judge(struct review *review, struct needs *needs)
{
    for (uint64_t index = review->stream->count; index-- > 0;) {
        const struct message *message = &review->stream->messages[index];
        if (!message_judge(review, index))
            continue;
        ++review->model->judgement->must;
        if ((message->flags & IPCMARK_UNFRAMED) == 0)
            continue;
        if ((needs->count & (needs->count - 1)) == 0) { /* full: the capacity is the next power of two */
            const struct message **grown =
                realloc(needs->messages, (needs->count == 0 ? 1 : needs->count * 2) * sizeof(const struct message *));
            if (grown == NULL)
                return -ENOMEM;
            needs->messages = grown;
        }
        needs->messages[needs->count++] = message;
    }
    drains_judge(review);
    if (review->undrained > 0)
        model_doubt(review->model,
                    "%s was not waited for: of %s thread %u, %" PRIu64
                    " messages at the end may be lost, or were still under way",
                    LABEL(review->subscriber), LABEL(review->publisher), (unsigned)(review->stream->key & 0xFFFF),
                    review->undrained);
    return 0;
}

/* Of whichever thread: a probe is one of its publisher. */
static uint64_t first_receipt(const struct model *model, const struct intake *intakes, size_t publisher)
{
    uint64_t first_ns = NEVER;
    for (size_t i = 0; i < model->stream_count; ++i)
        if (model->streams[i].publisher == publisher && intakes[i].first_ns < first_ns)
            first_ns = intakes[i].first_ns;
    return first_ns;
}

int must_judge(struct model *model, size_t subscriber, const struct intake *intakes)
{
    struct needs needs = {0};
    int error = 0;
    for (size_t i = 0; error >= 0 && i < model->stream_count; ++i) {
        const struct stream *stream = &model->streams[i];
        struct review review = {.model = model,
                                .stream = stream,
                                .intake = &intakes[i],
                                .publisher = &model->lives[stream->publisher],
                                .subscriber = &model->lives[subscriber],
                                .next_ns = NEVER};
        struct window *windows = NULL;
        if (!lives_meet(model, stream->publisher, subscriber))
            continue;
        error = ready_windows(model, stream->publisher, subscriber, first_receipt(model, intakes, stream->publisher),
                              &windows);
        if (error >= 0) {
            review.windows = windows;
            review.window_count = (size_t)error;
            drains_apply(&review);
            error = stream_judge(&review, &needs);
        }
        free(windows);
    }
    if (error >= 0)
        error = unframed_judge(model, subscriber, needs.messages, needs.count);
    free(needs.messages);
    return error;
}
