#include "judge.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "delays.h"

const char *judge_word(const struct outcome *self)
{
    switch (self->code) {
    case EXIT_HOLDS:
        return "holds";
    case EXIT_BROKEN:
        return "FAILS";
    case EXIT_UNKNOWN:
        return "unknown";
    case EXIT_HARNESS:
        return "ERROR";
    default:
        return "interrupted";
    }
}

static void decide(struct outcome *self, int code, const char *text)
{
    self->code = code;
    snprintf(self->text, sizeof self->text, "%s", text);
}

/* What a machine that is too slow brings about by itself. */
static bool is_of_time(enum ipcmark_class class_)
{
    return class_ == IPCMARK_HUNG || class_ == IPCMARK_LATE || class_ == IPCMARK_COUNT || class_ == IPCMARK_DISCONNECT;
}

static bool was_slow(const struct crew *crew)
{
    const bool before = ipcmark_session_too_slow(crew->session);

    ipcmark_session_calibrate(crew->session);
    return before || ipcmark_session_too_slow(crew->session) || ipcmark_session_was_too_slow(crew->session);
}

static void excuse(struct outcome *self, const struct crew *crew, bool of_time)
{
    const size_t used = strlen(self->text);

    if (self->code != EXIT_BROKEN || !of_time || !was_slow(crew))
        return;
    self->code = EXIT_UNKNOWN;
    snprintf(self->text + used, sizeof self->text - used, " (but the machine was too slow to hold anybody to a time)");
}

/* ---- by what everyone wrote down --------------------------------------------------------------------------------- */

static void judge_history(struct outcome *self, const struct crew *crew, bool finished)
{
    struct ipcmark_history history = {0};
    char problem[512] = "";
    int error = ipcmark_history_load(&history, ipcmark_trial_directory(crew->trial), problem, sizeof problem);

    if (error == 0)
        error = ipcmark_check(&history, &self->judgement);
    if (error == 0) {
        self->detail = ipcmark_timeline(&history, &self->judgement, IPCMARK_TIMELINE_LINES);
        delays_take(&self->delays, &history);
    }
    ipcmark_history_free(&history);
    self->judged = error == 0;
    if (error < 0) {
        decide(self, EXIT_HARNESS, problem[0] != '\0' ? problem : strerror(-error));
        return;
    }
    decide(self, ipcmark_verdict_exit(self->judgement.verdict), self->judgement.text);
    excuse(self, crew,
           self->judgement.by_deadline_only || (!self->judgement.timeless && is_of_time(self->judgement.class_)));
    if (self->code == EXIT_HOLDS && !finished)
        decide(self, EXIT_UNKNOWN, "it was not played to its end");
}

/* ---- by what each has counted for itself ------------------------------------------------------------------------- */

static bool is_disturbed(const struct crew *crew)
{
    return crew->deaths + crew->pauses > 0;
}

/* Gaps do not show what is missing at the ends, and what is torn leaves one; where nobody came or went, what was
 * published and what was received can be compared. */
static uint64_t count_lost(const struct crew *crew)
{
    struct counts all = {0};
    uint64_t lost = 0;

    for (unsigned i = 0; i < crew->scenario->publishers; ++i)
        crew_count(&crew->members[i], &all);
    for (unsigned i = crew->scenario->publishers; i < crew->count; ++i) {
        struct counts own = {0};
        crew_count(&crew->members[i], &own);
        own.received -= own.duplicate < own.received ? own.duplicate : own.received;
        lost += all.published > own.received ? all.published - own.received : 0;
    }
    return lost;
}

/* The first trouble or objection, in the order of weight: an error goes before all. */
static bool find_trouble(struct outcome *self, const struct crew *crew)
{
    const ipcmark_trouble *first = ipcmark_trial_trouble(crew->trial, 0), *each;

    for (size_t i = 0; (each = ipcmark_trial_trouble(crew->trial, i)) != NULL; ++i)
        if (each->class_ == IPCMARK_CLASS_NONE) {
            decide(self, EXIT_HARNESS, each->text);
            return true;
        }
    if (crew->objected && (crew->class_ == IPCMARK_CLASS_NONE || first == NULL)) {
        decide(self, crew->class_ == IPCMARK_CLASS_NONE ? EXIT_HARNESS : EXIT_BROKEN, crew->objection);
        excuse(self, crew, is_of_time(crew->class_));
        return true;
    }
    if (first == NULL)
        return false;
    decide(self, EXIT_BROKEN, first->text);
    excuse(self, crew, is_of_time(first->class_));
    return true;
}

static void judge_missing(struct outcome *self, const struct crew *crew, const struct figures *in_all)
{
    const uint64_t lost = in_all->sum.lost, refused = in_all->sum.failed + in_all->sum.unknown;

    if (is_disturbed(crew))
        snprintf(self->text, sizeof self->text,
                 "%llu messages are missing between others%s; --judge tells whether they were owed",
                 (unsigned long long)in_all->gaps, refused > 0 ? ", those that were refused among them" : "");
    else if (crew_claims(crew, IPCMARK_CAP_WHEN_FULL_DROP_REPORTED))
        snprintf(
            self->text, sizeof self->text,
            "%llu messages are missing; it drops them when a backlog is full, and --judge tells whether it said so",
            (unsigned long long)lost);
    else
        snprintf(self->text, sizeof self->text, "%llu messages were published and not received%s%s",
                 (unsigned long long)lost, crew->undrained[0] != '\0' ? ": " : "", crew->undrained);
    self->code =
        is_disturbed(crew) || crew_claims(crew, IPCMARK_CAP_WHEN_FULL_DROP_REPORTED) ? EXIT_UNKNOWN : EXIT_BROKEN;
}

static void judge_counts(struct outcome *self, const struct crew *crew, bool finished, const struct figures *in_all)
{
    const struct counts *sum = &in_all->sum;

    if (find_trouble(self, crew))
        return;
    if (sum->torn + sum->duplicate + sum->reordered > 0) {
        self->code = EXIT_BROKEN;
        snprintf(self->text, sizeof self->text, "%llu messages were torn, %llu came twice, %llu out of order",
                 (unsigned long long)sum->torn, (unsigned long long)sum->duplicate, (unsigned long long)sum->reordered);
    } else if (!finished) {
        decide(self, EXIT_UNKNOWN, "it was not played to its end");
    } else if (sum->lost > 0 || (is_disturbed(crew) && in_all->gaps > 0)) {
        judge_missing(self, crew, in_all);
    } else if (crew->undrained[0] != '\0') {
        decide(self, is_disturbed(crew) ? EXIT_UNKNOWN : EXIT_BROKEN, crew->undrained);
        excuse(self, crew, true);
    } else if (sum->received == 0) {
        decide(self, EXIT_UNKNOWN, "nothing was received");
    }
}

void judge_run(struct outcome *self, const struct crew *crew, bool finished, struct figures *in_all)
{
    const int signal = ipcmark_session_interrupted(crew->session);

    *self = (struct outcome){.code = EXIT_HOLDS};
    if (finished && !is_disturbed(crew))
        in_all->sum.lost = count_lost(crew);
    if (signal != 0)
        self->code = 128 + signal;
    else if (crew->trial == NULL)
        decide(self, EXIT_HARNESS, crew->objection);
    else if (crew->scenario->judged)
        judge_history(self, crew, finished);
    else
        judge_counts(self, crew, finished, in_all);
}

void judge_release(struct outcome *self)
{
    free(self->detail);
}
