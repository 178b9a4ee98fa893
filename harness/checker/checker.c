/* The order in which the rules are applied; and the rules that concern single participants. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "model.h"

static void observations_judge(struct model *model)
{
    struct ipcmark_judgement *judgement = model->judgement;
    for (size_t i = 0; i < model->history->observation_count; ++i) {
        const struct ipcmark_observation *observation = &model->history->observations[i];
        const int is_first = judgement->violations == 0 || observation->time_ns < judgement->violation_ns;
        if (observation->class_ == IPCMARK_CLASS_NONE) {
            model_error(model, "%s", observation->text);
            continue;
        }
        model_violation(model, observation->class_, observation->time_ns, about_lives(NULL, NULL), "%s",
                        observation->text);
        if (is_first) {
            judgement->by_deadline_only = observation->proof == IPCMARK_PROOF_DEADLINE;
            judgement->timeless = observation->proof == IPCMARK_PROOF_FACT;
        }
    }
}

/* What never returned, although its process was not killed. Said of the end, so that a crash seen before it goes first.
 */
static void operations_judge(struct model *model)
{
    for (size_t i = 0; i < model->life_count; ++i) {
        const struct life *life = &model->lives[i];
        if (life->cut)
            continue;
        if (life->open_invoke != NEVER && life->open_done == NEVER && life->close_done == NEVER)
            model_violation(model, IPCMARK_HUNG, model->end_ns, about_lives(life, NULL),
                            "%s: open, begun at %+.6f s, never returned", LABEL(life),
                            model_seconds(model, life->open_invoke));
        if (life->close_invoke != NEVER && life->open_invoke != NEVER && life->close_done == NEVER)
            model_violation(model, IPCMARK_HUNG, model->end_ns, about_lives(life, NULL),
                            "%s: close, begun at %+.6f s, never returned", LABEL(life),
                            model_seconds(model, life->close_invoke));
    }
    for (size_t i = 0; i < model->stream_count; ++i) {
        const struct stream *stream = &model->streams[i];
        const struct life *life = &model->lives[stream->publisher];
        const struct message *last = &stream->messages[stream->count - 1];
        if (!life->cut && last->outcome == 0)
            model_violation(model, IPCMARK_HUNG, model->end_ns, about_message(model, stream, stream->last, NULL),
                            "%s thread %u: publish of message %" PRIu64 ", begun at %+.6f s, never returned",
                            LABEL(life), (unsigned)(stream->key & 0xFFFF), stream->last,
                            model_seconds(model, last->invoke_ns));
    }
}

/* A publisher that was killed between an INVOKE and its outcome. */
static int is_killed_inside(const struct model *model, size_t life)
{
    if (model->lives[life].killed_from == NEVER)
        return 0;
    for (size_t i = 0; i < model->stream_count; ++i)
        if (model->streams[i].publisher == life && model->streams[i].messages[model->streams[i].count - 1].outcome == 0)
            return 1;
    return 0;
}

/* Whether any publisher of a subscriber was inside publish, or began it, while the subscriber opened. */
static int is_join_under_traffic(const struct model *model, size_t subscriber)
{
    const struct life *life = &model->lives[subscriber];
    if (life->is->role != IPCMARK_SUBSCRIBER || life->open_done == NEVER)
        return 0;
    for (size_t i = 0; i < model->stream_count; ++i) {
        const struct stream *stream = &model->streams[i];
        uint64_t low = 0, high = stream->count; /* to the first message whose publish ended after the open began */
        if (!lives_meet(model, stream->publisher, subscriber))
            continue;
        while (low < high) {
            uint64_t middle = (low + high) / 2;
            if (stream->messages[middle].outcome_ns < life->open_invoke)
                low = middle + 1;
            else
                high = middle;
        }
        if (low < stream->count && stream->messages[low].invoke_ns <= life->open_done)
            return 1;
    }
    return 0;
}

static void coverage_judge(struct model *model)
{
    const struct ipcmark_expectation *expectation = &model->history->expectation;
    struct ipcmark_judgement *judgement = model->judgement;
    for (size_t i = 0; i < model->life_count; ++i) {
        judgement->kills_inside += (uint64_t)is_killed_inside(model, i);
        judgement->joins += (uint64_t)is_join_under_traffic(model, i);
    }
    if (judgement->must < expectation->min_must)
        model_doubt(model, "too little happened: %" PRIu64 " messages had to arrive, at least %" PRIu64 " were wanted",
                    judgement->must, expectation->min_must);
    else if (judgement->kills_inside < expectation->min_kills_inside)
        model_doubt(model,
                    "too little happened: %" PRIu64 " kills between INVOKE and outcome, at least %" PRIu64
                    " were wanted",
                    judgement->kills_inside, expectation->min_kills_inside);
    else if (judgement->joins < expectation->min_joins)
        model_doubt(model,
                    "too little happened: %" PRIu64 " subscribers joined under traffic, at least %" PRIu64
                    " were wanted",
                    judgement->joins, expectation->min_joins);
}

static int deliveries_judge(struct model *model)
{
    struct intake *intakes = malloc((model->stream_count + 1) * sizeof *intakes);
    int error = intakes == NULL ? -ENOMEM : 0;
    for (size_t i = 0; error >= 0 && i < model->life_count; ++i) {
        if (model->lives[i].is->role != IPCMARK_SUBSCRIBER)
            continue;
        error = receipts_judge(model, i, intakes);
        if (error >= 0)
            error = must_judge(model, i, intakes);
        for (size_t k = 0; k < model->stream_count; ++k)
            free(intakes[k].received_ns);
    }
    free(intakes);
    return error < 0 ? error : 0;
}

int ipcmark_check(const struct ipcmark_history *history, struct ipcmark_judgement *out)
{
    struct ipcmark_judgement judgement = {0};
    struct model model;
    int error = model_build(&model, history, &judgement);
    if (error == 0 && judgement.verdict != IPCMARK_ERROR) {
        observations_judge(&model);
        if (!history->ended)
            model_doubt(&model, "the run was cut off: its history has no end");
        error = deliveries_judge(&model);
        if (history->ended) { /* else what is said of it may be what its end did */
            disconnects_judge(&model);
            operations_judge(&model);
        }
        coverage_judge(&model);
    }
    model_free(&model);
    if (error == 0)
        *out = judgement;
    return error;
}
