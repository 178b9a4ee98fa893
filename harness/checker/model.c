/* Who took part, when they were there, and what may excuse them. */
#include "model.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "model_parts.h"

int model_can(const struct model *model, uint64_t capability)
{
    return (model->history->expectation.capabilities & capability) != 0;
}

static int life_compare(const void *one, const void *other)
{
    const struct ipcmark_member *a = ((const struct life *)one)->is, *b = ((const struct life *)other)->is;
    return a->endpoint != b->endpoint ? (a->endpoint > b->endpoint) - (a->endpoint < b->endpoint)
                                      : (a->epoch > b->epoch) - (a->epoch < b->epoch);
}

size_t life_find(const struct model *model, uint16_t endpoint, uint16_t epoch)
{
    const struct ipcmark_member member = {.endpoint = endpoint, .epoch = epoch};
    const struct life key = {.is = &member};
    const struct life *found = model->life_count == 0
                                   ? NULL
                                   : bsearch(&key, model->lives, model->life_count, sizeof *model->lives, life_compare);
    return found == NULL ? NOBODY : (size_t)(found - model->lives);
}

int lives_meet(const struct model *model, size_t publisher, size_t subscriber)
{
    const struct ipcmark_member *p = model->lives[publisher].is, *s = model->lives[subscriber].is;
    return p->role == IPCMARK_PUBLISHER && s->role == IPCMARK_SUBSCRIBER && strcmp(p->channel, s->channel) == 0 &&
           strcmp(p->directory, s->directory) == 0 &&
           (p->process != s->process || !model_can(model, IPCMARK_CAP_NO_SELF_DELIVERY));
}

static int lives_build(struct model *model)
{
    const struct ipcmark_history *history = model->history;
    model->lives = calloc(history->member_count + 1, sizeof *model->lives);
    if (model->lives == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < history->member_count; ++i)
        model->lives[i] = (struct life){&history->members[i], NEVER, NEVER, NEVER, NEVER, NEVER, NEVER, NEVER, 0, 0};
    model->life_count = history->member_count;
    qsort(model->lives, model->life_count, sizeof *model->lives, life_compare);
    for (size_t i = 1; i < model->life_count; ++i)
        if (life_compare(&model->lives[i - 1], &model->lives[i]) == 0)
            model_error(model, "the history names endpoint %u epoch %u twice", model->lives[i].is->endpoint,
                        model->lives[i].is->epoch);
    return 0;
}

/* When each life began and ended, by its own journal. */
static void record_place(struct model *model, const struct ipcmark_history_journal *journal,
                         const struct ipcmark_record *record)
{
    size_t index = life_find(model, record->endpoint, record->endpoint_epoch);
    struct life *life = index == NOBODY ? NULL : &model->lives[index];
    if (life == NULL || life->is->process != journal->process) {
        model_error(model, "journal %s speaks for endpoint %u epoch %u, which the history does not put into process %u",
                    journal->name, record->endpoint, record->endpoint_epoch, journal->process);
        return;
    }
    if (record->kind == IPCMARK_OPEN_INVOKE)
        life->open_invoke = record->time_ns;
    else if (record->kind == IPCMARK_OPEN_DONE && record->error >= 0)
        life->open_done = record->time_ns;
    else if (record->kind == IPCMARK_OPEN_DONE) /* it never was: nobody counts it, and it receives nothing */
        life->close_invoke = life->close_done = record->time_ns;
    else if (record->kind == IPCMARK_CLOSE_INVOKE && record->time_ns < life->close_invoke)
        life->close_invoke = record->time_ns;
    else if (record->kind == IPCMARK_CLOSE_DONE && record->time_ns < life->close_done)
        life->close_done = record->time_ns;
}

/* Looking a life up for each of millions of records would take longer than all else: most say nothing about it. */
static int is_about_life(uint8_t kind)
{
    return kind <= IPCMARK_CLOSE_DONE || kind >= IPCMARK_PEER_UP;
}

static void records_place(struct model *model)
{
    for (size_t j = 0; j < model->history->journal_count; ++j) {
        const struct ipcmark_history_journal *journal = &model->history->journals[j];
        for (size_t i = 0; i < journal->view.count; ++i) {
            const struct ipcmark_record *record = &journal->view.records[i];
            if (record->time_ns < model->start_ns)
                model->start_ns = record->time_ns;
            if (record->time_ns > model->end_ns)
                model->end_ns = record->time_ns;
            if (is_about_life(record->kind))
                record_place(model, journal, record);
        }
    }
}

static void faults_place(struct model *model)
{
    const struct ipcmark_history *history = model->history;
    for (size_t i = 0; i < model->life_count; ++i) {
        struct life *life = &model->lives[i];
        for (size_t f = 0; f < history->fault_count; ++f) {
            const struct ipcmark_fault *fault = &history->faults[f];
            if (fault->process != life->is->process)
                continue;
            if (fault->kind == IPCMARK_FAULT_CLOSE && fault->from_ns < life->close_invoke)
                life->close_invoke = fault->from_ns;
            life->paused |= fault->kind == IPCMARK_FAULT_PAUSE;
            if (fault->kind != IPCMARK_FAULT_KILL)
                continue;
            life->cut = 1;
            if (life->close_done == NEVER && fault->from_ns < life->killed_from) {
                life->killed_from = fault->from_ns;
                life->killed_until = fault->until_ns;
            }
        }
        life->end = life->close_invoke < life->killed_from ? life->close_invoke : life->killed_from;
    }
}

/* Until when what follows is put down to a pause or an overload. */
static uint64_t settled_at(const struct ipcmark_history *history, const struct ipcmark_fault *fault)
{
    return fault->until_ns == 0 || fault->until_ns == NEVER ? NEVER : fault->until_ns + history->expectation.settle_ns;
}

static int life_reasons(const struct model *model, const struct life *life, uint64_t time_ns)
{
    const struct ipcmark_history *history = model->history;
    int reasons = life->close_invoke <= time_ns ? REASON_CLOSE : 0;
    for (size_t i = 0; i < history->fault_count; ++i) {
        const struct ipcmark_fault *fault = &history->faults[i];
        uint64_t settled = settled_at(history, fault);
        if (fault->process != life->is->process || fault->from_ns > time_ns)
            continue;
        if (fault->kind == IPCMARK_FAULT_KILL)
            reasons |= REASON_KILL;
        else if (fault->kind == IPCMARK_FAULT_PAUSE && time_ns <= settled)
            reasons |= REASON_PAUSE;
        else if (fault->kind == IPCMARK_FAULT_OVERLOAD && time_ns <= settled)
            reasons |= REASON_OVERLOAD;
    }
    return reasons;
}

int pair_reasons(const struct model *model, size_t one, size_t other, uint64_t time_ns)
{
    return life_reasons(model, &model->lives[one], time_ns) | life_reasons(model, &model->lives[other], time_ns);
}

/* A record may only be torn where its writer was cut short; a crash is logged as a kill, too, of who crashed. */
static void tails_judge(struct model *model)
{
    const struct ipcmark_history *history = model->history;
    for (size_t j = 0; j < history->journal_count; ++j) {
        const struct ipcmark_history_journal *journal = &history->journals[j];
        int legal = !history->ended;
        for (size_t f = 0; f < history->fault_count; ++f)
            legal |= history->faults[f].kind == IPCMARK_FAULT_KILL && history->faults[f].process == journal->process;
        if (journal->view.uncommitted && !legal)
            model_error(model, "journal %s ends with a torn record, though its writer was not killed", journal->name);
    }
}

/* A drain asks for what a reply said was published; who keeps a journal must have it there. */
static void drains_check(struct model *model)
{
    const struct ipcmark_history *history = model->history;
    for (size_t i = 0; i < history->drain_count; ++i) {
        const struct ipcmark_drain *drain = &history->drains[i];
        size_t publisher = life_find(model, drain->publisher, drain->epoch), j = 0;
        const struct stream *stream = stream_find(model, drain->publisher, drain->epoch, drain->thread);
        if (publisher == NOBODY || drain->thread == IPCMARK_ANY_THREAD ||
            (stream != NULL && drain->sequence <= stream->last))
            continue;
        while (j < history->journal_count && history->journals[j].process != model->lives[publisher].is->process)
            ++j;
        if (j < history->journal_count)
            model_error(model,
                        "%s said that it published message %" PRIu64 " of thread %u, and its journal does not show it",
                        LABEL(&model->lives[publisher]), drain->sequence, drain->thread);
    }
}

int model_build(struct model *model, const struct ipcmark_history *history, struct ipcmark_judgement *judgement)
{
    int error;
    memset(model, 0, sizeof *model);
    model->history = history;
    model->judgement = judgement;
    model->start_ns = NEVER;
    if (history->has_expectation)
        model->run = ipcmark_payload_name(history->expectation.run);
    error = lives_build(model);
    if (error < 0)
        return error;
    records_place(model);
    judgement->origin_ns = history->expectation.origin_ns != 0 ? history->expectation.origin_ns : model->start_ns;
    faults_place(model);
    tails_judge(model);
    error = streams_build(model);
    if (error == 0)
        drains_check(model);
    if (error == 0)
        error = receipts_build(model);
    return error < 0 ? error : reports_build(model);
}

void model_free(struct model *model)
{
    for (size_t i = 0; i < model->stream_count; ++i)
        free(model->streams[i].messages);
    for (size_t i = 0; model->receipts != NULL && i < model->life_count; ++i)
        free(model->receipts[i]);
    free(model->lives);
    free(model->streams);
    free(model->reports);
    free(model->receipts);
    free(model->receipt_counts);
}
