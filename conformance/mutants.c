/* The self-test: each mutant must be caught by each of its own clauses, and in its own way.
 *
 * A mutant that a clause of its own does not catch *survives*; one that fails in another class, or a clause which is
 * not its own (played only if --clause names it), is a *stray*. Both are defects: of the suite, or of what the mutant
 * says about itself. */
#include "mutants.h"

#include "case.h"
#include "ipcmark/runfile.h"
#include "record.h"
#include "run.h"

#include <errno.h>
#include <ftw.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* How slow the machine may be for a time to be one: most faults of time are two and a half times beyond their bound.
 * And what is slower than twice as slow as a calm machine excuses them: ipcmark_session_was_too_slow(). */
static const double CALM = 2;

/* ---- a cell ------------------------------------------------------------------------------------------------------ */

static cell worse(cell a, cell b)
{
    return a > b ? a : b;
}

static cell judge_cell(const mutant *about, const result *out)
{
    const bool own = clause_matches(about->must_fail, out->clause->id);
    if (out->verdict == VERDICT_SKIP)
        return CELL_SKIPPED;
    if (out->verdict == VERDICT_ERROR)
        return CELL_ERROR;
    if (out->verdict != VERDICT_FAIL)
        return own ? CELL_SURVIVED : CELL_PASSED;
    if (!own && !clause_matches(about->may_fail, out->clause->id))
        return CELL_STRAY;
    if (!clause_matches(about->class_name, out->violation) &&
        (own || about->may_class == NULL || !clause_matches(about->may_class, out->violation)))
        return CELL_STRAY;
    return own ? CELL_CAUGHT : CELL_SEEN;
}

static cell outcome_of(const char *name)
{
    cell value = CELL_NOT_RUN;
    while (value < CELL_ERROR && strcmp(mutants_outcome(value), name) != 0)
        ++value;
    return value;
}

static void count_cell(self_test *self, subject *who, size_t index, cell value, unsigned attempts)
{
    const clause *about = clause_at(index);
    who->attempts[index] = attempts > who->attempts[index] ? attempts : who->attempts[index];
    who->due += clause_matches(who->about->must_fail, about->id) && value != CELL_SKIPPED;
    who->caught += value == CELL_CAUGHT;
    self->survivors += value == CELL_SURVIVED;
    self->strays += value == CELL_STRAY;
    self->errors += value == CELL_ERROR;
    self->retries += attempts - 1;
    who->cells[index] = worse(who->cells[index], value);
    ++self->ended;
}

static void begin_progress(const self_test *self, const subject *who, const clause *about, unsigned round)
{
    char left[64], head[256];
    double seconds = 0;
    for (size_t i = 0; i < self->count; ++i)
        seconds += progress_left(self->subjects[i].kinds, CLAUSES_MOST);
    progress_text(seconds, left, sizeof left);
    snprintf(head, sizeof head, "[%zu/%zu] %s %s round %u", self->ended + 1, self->planned, who->about->name, about->id,
             round + 1);
    progress_begin(head, left);
}

static bool is_calm(ipcmark_session *session)
{
    return ipcmark_session_scale(session) <= CALM && ipcmark_session_slowest(session) <= CALM;
}

/* On a machine that is busy with other things nobody is held to a time, or to a long one only, and what is wrong in
 * time goes unseen: ask again. */
static bool is_undecided(const self_test *self, const subject *who, const result *out)
{
    if (out->verdict == VERDICT_UNKNOWN)
        return true;
    if (out->verdict != VERDICT_PASS || !clause_matches(who->about->must_fail, out->clause->id))
        return false;
    if (!is_calm(self->session)) /* when its bounds were made, or while it was played */
        return true;
    ipcmark_session_calibrate(self->session);
    return !is_calm(self->session);
}

/* Half a second of calm: load comes and goes. */
static void await_calm(ipcmark_session *session)
{
    enum { PATIENCE = 200, CALM_FOR = 5 };
    unsigned calm = 0;
    ipcmark_session_mark(session);
    for (unsigned patience = 0; patience < PATIENCE && ipcmark_session_interrupted(session) == 0; ++patience) {
        ipcmark_session_calibrate(session);
        if (!is_calm(session)) {
            ipcmark_session_mark(session);
            calm = 0;
        } else if (calm++ == CALM_FOR) {
            break;
        }
        poll(NULL, 0, 100);
    }
}

static int remove_entry(const char *path, const struct stat *status, int kind, struct FTW *where)
{
    (void)status, (void)kind, (void)where;
    return remove(path);
}

/* A mutant fails by right: the evidence of that is of interest to nobody but who debugs it. */
static void drop_evidence(result *out)
{
    if (out->evidence != NULL)
        nftw(out->evidence, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    free(out->evidence);
    out->evidence = NULL;
}

/* "SURVIVED …" of verdict.txt: a verdict of pass says nothing of what was to be seen. */
static void describe_mutant(const subject *who, result *out, cell value)
{
    char *detail;
    if (asprintf(&detail, "mutant %s, %s: %s; expected: %s\n%s", who->about->name, mutants_outcome(value),
                 who->about->fault, who->about->class_name, out->detail != NULL ? out->detail : "") < 0)
        return;
    free(out->detail);
    out->detail = detail;
}

/* What is kept can be read as that of any case. */
static void settle_evidence(const self_test *self, const subject *who, const ipcmark_target *target, result *out,
                            cell value)
{
    command_options quick = *self->options;
    if (value < CELL_SURVIVED && !self->options->keep_passed) {
        drop_evidence(out);
        return;
    }
    quick.effort = EFFORT_QUICK;
    out->replay = run_replay_command(&quick, target, out->clause, out->seed);
    describe_mutant(who, out, value);
    if (result_explain(out) < 0)
        fprintf(stderr, "ipcmark conformance: %s/verdict.txt cannot be written\n", out->evidence);
    if (value >= CELL_SURVIVED)
        mutants_explain(who, out, value);
}

/* What cannot be written down is an error, whatever came out. */
static cell record_cell(const self_test *self, mutants_cell *done, result *out, cell value)
{
    int error;
    done->outcome = mutants_outcome(value);
    if (self->record == NULL || (error = mutants_record_append(self->record, done, out)) == 0)
        return value;
    record_explain_unwritten(out, mutants_outcome(value), self->options->output, error);
    return CELL_ERROR;
}

static bool run_cell(self_test *self, subject *who, const ipcmark_implementation *implementation, size_t index,
                     unsigned round)
{
    const clause *about = clause_at(index);
    const ipcmark_target target = {.driver = who->path, .wrap = self->options->wrap};
    char keep[512];
    /* Kept until it is known to have been caught: what goes unseen is what must be looked into. */
    const case_options options = {.target = target,
                                  .implementation = implementation,
                                  .name = who->about->name,
                                  .seed = run_seed(self->options->seed, round),
                                  .effort = EFFORT_QUICK,
                                  .keep = keep,
                                  .keep_passed = true};
    mutants_cell done = {.mutant = who->about->name, .clause = about, .round = round};
    double seconds = 0;
    result out;
    cell value;
    snprintf(keep, sizeof keep, "%s/%s/%s-%s-%u", self->options->keep, self->id, who->about->name, about->id,
             round + 1);
    begin_progress(self, who, about, round);
    for (done.attempts = 1;; ++done.attempts) {
        if (!case_run(&out, self->session, about, &options)) {
            progress_end();
            drop_evidence(&out);
            result_clear(&out);
            return false;
        }
        seconds += out.seconds;
        if (!is_undecided(self, who, &out) || done.attempts == MUTANTS_ATTEMPTS)
            break;
        drop_evidence(&out); /* the next attempt's goes there */
        result_clear(&out);
        await_calm(self->session);
    }
    progress_end();
    value = record_cell(self, &done, &out, judge_cell(who->about, &out));
    count_cell(self, who, index, value, done.attempts);
    ++who->kinds[index].ended;
    who->kinds[index].measured += seconds;
    settle_evidence(self, who, &target, &out, value);
    result_clear(&out);
    return true;
}

/* Its own clauses, or those that --clause names. */
static bool is_due(const self_test *self, const subject *who, const clause *about)
{
    if (who->about == NULL)
        return false;
    return clause_matches(self->options->clauses[0] != '\0' ? self->options->clauses : who->about->must_fail,
                          about->id);
}

/* Nobody waits for what is left of it. */
static void leave_out(self_test *self, subject *who)
{
    for (size_t i = 0; i < CLAUSES_MOST; ++i)
        if (who->kinds[i].planned > who->kinds[i].ended)
            self->planned -= who->kinds[i].planned - who->kinds[i].ended;
    memset(who->kinds, 0, sizeof who->kinds);
}

static bool run_subject(self_test *self, subject *who)
{
    const ipcmark_target target = {.driver = who->path, .wrap = self->options->wrap};
    ipcmark_implementation implementation;
    const clause *about;
    if (ipcmark_probe(self->session, &target, &implementation) < 0) {
        fprintf(stderr, "ipcmark conformance: %s\n", ipcmark_session_text(self->session));
        ++self->errors;
        leave_out(self, who);
        return true;
    }
    if ((who->about->needs & ~implementation.capabilities) != 0) {
        leave_out(self, who);
        return true;
    }
    for (unsigned round = 0; round < self->options->rounds; ++round)
        for (size_t i = 0; (about = clause_at(i)) != NULL && i < CLAUSES_MOST; ++i)
            if (is_due(self, who, about) && round >= who->kinds[i].ended &&
                !run_cell(self, who, &implementation, i, round))
                return false;
    progress_show(NULL);
    if (!isatty(STDERR_FILENO))
        fprintf(stderr, "%s: caught %u of %u\n", who->about->name, who->caught, who->due);
    return true;
}

/* ---- all of them ------------------------------------------------------------------------------------------------- */

/* What an earlier call judged. */
static void take_cell(void *context, const mutants_cell *item)
{
    self_test *self = context;
    for (size_t i = 0; i < self->count; ++i)
        if (strcmp(self->subjects[i].about->name, item->mutant) == 0) {
            subject *who = &self->subjects[i];
            const cell value = outcome_of(item->outcome);
            size_t index = 0;
            while (clause_at(index) != item->clause)
                ++index;
            count_cell(self, who, index, value, item->attempts > 0 ? item->attempts : 1);
            ++who->kinds[index].ended;
            if (value >= CELL_SURVIVED)
                printf("%s %s, as %s says of round %u: %s\n", item->mutant, item->clause->id, self->options->output,
                       item->round + 1, item->outcome);
        }
}

/* "drop DEL-001", …: fills ids if it is not NULL, and returns how many there are. */
static size_t plan_ids(const self_test *self, char **ids)
{
    const clause *about;
    size_t count = 0;
    for (size_t i = 0; i < self->count; ++i)
        for (size_t k = 0; (about = clause_at(k)) != NULL && k < CLAUSES_MOST; ++k) {
            if (!is_due(self, &self->subjects[i], about))
                continue;
            if (ids != NULL && asprintf(&ids[count], "%s %s", self->subjects[i].about->name, about->id) < 0)
                ids[count] = NULL;
            ++count;
        }
    return count;
}
/* The right driver, before the wrong ones: if it cannot be met, none of them can. */
static int meet_base(self_test *self, char *text, size_t size)
{
    const ipcmark_target target = {.driver = self->options->base};
    ipcmark_implementation base;
    if (ipcmark_probe(self->session, &target, &base) < 0) {
        fprintf(stderr, "ipcmark conformance: --base %s: %s\n", self->options->base,
                ipcmark_session_text(self->session));
        return -EPROTO;
    }
    snprintf(text, size, "%s %s", self->options->base, base.version);
    /* What a mutant has lost never comes: nobody needs ten seconds to know. */
    if (setenv("IPCMARK_DEADLINE", "4", 0) < 0)
        return -1;
    return setenv("IPCMARK_MUTANT_BASE", self->options->base, 1);
}

static int open_record(self_test *self, const char *base)
{
    const size_t count = plan_ids(self, NULL);
    char problem[8192] = "out of memory", **ids = calloc(count + 1, sizeof *ids);
    const mutants_plan plan = {self->options, base, ids, count};
    int error = ids != NULL ? 0 : -ENOMEM;
    if (error == 0)
        plan_ids(self, ids);
    for (size_t i = 0; error == 0 && i < count; ++i)
        error = ids[i] != NULL ? 0 : -ENOMEM;
    if (error == 0 && self->options->output != NULL)
        error = mutants_record_open(&self->record, &plan, take_cell, self, problem, sizeof problem);
    if (error < 0)
        fprintf(stderr, "ipcmark conformance: %s\n", problem);
    for (size_t i = 0; ids != NULL && i < count; ++i)
        free(ids[i]);
    free(ids);
    self->planned = count * self->options->rounds;
    return error;
}

static void plan_time(self_test *self)
{
    const clause *about;
    for (size_t i = 0; i < self->count; ++i)
        for (size_t k = 0; (about = clause_at(k)) != NULL && k < CLAUSES_MOST; ++k)
            if (is_due(self, &self->subjects[i], about)) {
                self->subjects[i].kinds[k].planned = self->options->rounds;
                self->subjects[i].kinds[k].usual = about->seconds > 0 ? about->seconds * 0.4 : 0.2;
            }
}

static int sum_up(self_test *self)
{
    unsigned due = 0;
    for (size_t i = 0; i < self->count; ++i)
        due += self->subjects[i].due;
    mutants_print_matrix(self);
    if (self->errors > 0)
        return EXIT_ERROR;
    if (self->survivors + self->strays > 0)
        return EXIT_BROKEN;
    if (due > 0)
        return EXIT_HOLDS;
    fputs("ipcmark conformance: no mutant was put to its own clauses: nothing was shown\n", stderr);
    return self->options->ctest ? EXIT_SKIPPED : EXIT_UNKNOWN;
}

static int run_subjects(self_test *self)
{
    bool whole = true;
    char kept[4096];
    int code;
    plan_time(self);
    for (size_t i = 0; whole && i < self->count; ++i)
        whole = run_subject(self, &self->subjects[i]);
    snprintf(kept, sizeof kept, "%s/%s", self->options->keep, self->id);
    rmdir(kept); /* where nothing is left of it */
    progress_show(NULL);
    code = sum_up(self);
    if (!whole) {
        const int signal = ipcmark_session_interrupted(self->session);
        code = signal != 0 ? 128 + signal : EXIT_ERROR;
        run_explain_resume(self->options);
    }
    if (mutants_record_close(self->record, code, !whole) < 0) {
        fprintf(stderr, "ipcmark conformance: not all of %s could be written: make room, and go on with --resume\n",
                self->options->output);
        code = EXIT_ERROR;
    }
    return code;
}

int run_mutants(ipcmark_session *session, const command_options *options)
{
    command_options mine = *options;
    self_test self = {.session = session, .options = &mine};
    char base[512];
    int code = EXIT_ERROR;
    ipcmark_run_id(self.id);
    self.subjects = calloc(MUTANTS_MOST, sizeof *self.subjects);
    if (self.subjects == NULL || mutants_find(&self) < 0) {
        fprintf(stderr,
                "ipcmark conformance: no mutant%s%s was found in lib/ipcmark/mutants; --list-mutants names them\n",
                options->mutants[0] != '\0' ? " " : "", options->mutants);
        code = options->mutants[0] != '\0' ? EXIT_USAGE : EXIT_ERROR;
    } else if (meet_base(&self, base, sizeof base) == 0) {
        code = open_record(&self, base) < 0 ? EXIT_USAGE : run_subjects(&self);
    }
    free(self.subjects);
    return code;
}
