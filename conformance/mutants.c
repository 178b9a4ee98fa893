/* The self-test: each mutant must be caught by each of its own clauses, and in its own way.
 *
 * A mutant that a clause of its own does not catch *survives*; one that fails in another class, or a clause which is
 * not its own (played only if --clause names it), is a *stray*. Both are defects: of the suite, or of what the mutant
 * says about itself. */
#include "run.h"

#include "case.h"
#include "ipcmark/runfile.h"
#include "mutants/mutant.h"
#include "mutants_record.h"
#include "progress.h"
#include "report.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MUTANTS_MOST = 256, CLAUSES_MOST = 256, ATTEMPTS = 5 };

/* How slow the machine may be for a time to be one: most faults of time are two and a half times beyond their bound. */
static const double CALM = 2;

typedef enum {
    CELL_NOT_RUN,
    CELL_PASSED,
    CELL_SKIPPED,
    CELL_SEEN,
    CELL_CAUGHT,
    CELL_SURVIVED,
    CELL_STRAY,
    CELL_ERROR
} cell;

typedef struct {
    char path[PATH_MAX];
    const mutant *about;
    cell cells[CLAUSES_MOST];
    unsigned attempts[CLAUSES_MOST];   /* the most that a round needed */
    unsigned caught, due;              /* rounds of its own clauses */
    progress_kind kinds[CLAUSES_MOST]; /* rounds of a clause end in their order, in this call or an earlier one */
} subject;

typedef struct {
    ipcmark_session *session;
    command_options *options; /* of a run that is gone on with, its seed and rounds */
    subject *subjects;
    size_t count;
    unsigned survivors, strays, errors, retries;
    size_t planned, ended; /* cells */
    char id[17];
    mutants_record *record; /* or NULL */
} self_test;

/* ---- finding them ---------------------------------------------------------------------------------------------------
 */

/* lib/ipcmark/mutants, looked for from the folder of this program upwards. */
static int find_folder(char *path, size_t size)
{
    char here[PATH_MAX];
    const ssize_t length = readlink("/proc/self/exe", here, sizeof here - 1);
    if (length < 0)
        return -errno;
    here[length] = '\0';
    for (char *slash; (slash = strrchr(here, '/')) != NULL;) {
        *slash = '\0';
        if ((size_t)snprintf(path, size, "%s/lib/ipcmark/mutants", here) < size && access(path, F_OK) == 0)
            return 0;
    }
    return -ENOENT;
}

static int is_library(const struct dirent *entry)
{
    const size_t length = strlen(entry->d_name);
    return length > 3 && strcmp(entry->d_name + length - 3, ".so") == 0;
}

/* What a mutant says of itself is data in its shared object; nothing of it runs here but one getter. */
static const mutant *load_declaration(const char *path)
{
    mutant_get_fn *get;
    void *library = dlopen(path, RTLD_LAZY | RTLD_LOCAL);
    if (library == NULL)
        return NULL;
    *(void **)&get = dlsym(library, MUTANT_SYMBOL);
    return get != NULL ? get() : NULL;
}

static int find_mutants(self_test *self)
{
    char folder[PATH_MAX - 256];
    struct dirent **entries = NULL;
    int found, error = find_folder(folder, sizeof folder);
    if (error < 0)
        return error;
    found = scandir(folder, &entries, is_library, alphasort);
    for (int i = 0; i < found; ++i) {
        subject *next = &self->subjects[self->count];
        if (self->count < MUTANTS_MOST) {
            snprintf(next->path, sizeof next->path, "%s/%s", folder, entries[i]->d_name);
            next->about = load_declaration(next->path);
            if (next->about != NULL &&
                (self->options->mutants[0] == '\0' || clause_matches(self->options->mutants, next->about->name)))
                ++self->count;
        }
        free(entries[i]);
    }
    free(entries);
    return self->count > 0 ? 0 : -ENOENT;
}

/* ---- running them
 * ----------------------------------------------------------------------------------------------------- */

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
    if (!clause_matches(about->class_name, out->violation))
        return CELL_STRAY;
    return own ? CELL_CAUGHT : CELL_SEEN;
}

static const char *outcome_name(cell value)
{
    static const char *const names[] = {"not run", "passed", "skipped", "seen", "caught", "survived", "stray", "error"};
    return names[value];
}

static cell outcome_of(const char *name)
{
    cell value = CELL_NOT_RUN;
    while (value < CELL_ERROR && strcmp(outcome_name(value), name) != 0)
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

static void explain(const self_test *self, const subject *who, const ipcmark_target *target, const result *out,
                    cell value)
{
    const char *what = value == CELL_SURVIVED ? "SURVIVED" : value == CELL_STRAY ? "STRAY" : "ERROR";
    command_options quick = *self->options;
    char *replay;
    quick.effort = EFFORT_QUICK;
    replay = run_replay_command(&quick, target, out->clause, out->seed);
    progress_show(NULL);
    printf("%s  %s  %s: %s %s%s%s (it: %s; expected: %s)\n", what, who->about->name, out->clause->id,
           verdict_name(out->verdict), out->violation, out->violation[0] != '\0' ? ": " : "",
           out->text != NULL ? out->text : "", who->about->fault, who->about->class_name);
    if (out->evidence != NULL)
        printf("    evidence  %s\n", out->evidence);
    printf("    replay    %s\n", replay != NULL ? replay : "");
    free(replay);
}

static void show_progress(const self_test *self, const subject *who, const clause *about, unsigned round)
{
    char left[64];
    double seconds = 0;
    for (size_t i = 0; i < self->count; ++i)
        seconds += progress_left(self->subjects[i].kinds, CLAUSES_MOST);
    progress_text(seconds, left, sizeof left);
    progress_show("[%zu/%zu] %s %s round %u  %s", self->ended + 1, self->planned, who->about->name, about->id,
                  round + 1, left);
}

/* On a machine that is busy with other things nobody is held to a time, or to a long one only, and what is wrong in
 * time goes unseen: ask again. */
static bool is_undecided(const self_test *self, const subject *who, const result *out)
{
    if (out->verdict == VERDICT_UNKNOWN)
        return true;
    return out->verdict == VERDICT_PASS && clause_matches(who->about->must_fail, out->clause->id) &&
           (ipcmark_session_calibrate(self->session), ipcmark_session_scale(self->session)) > CALM;
}

static void await_calm(ipcmark_session *session)
{
    for (unsigned patience = 0; patience < 200 && ipcmark_session_interrupted(session) == 0; ++patience) {
        ipcmark_session_calibrate(session);
        if (ipcmark_session_scale(session) <= CALM)
            break;
        poll(NULL, 0, 100);
    }
}

static bool run_cell(self_test *self, subject *who, const ipcmark_implementation *implementation, size_t index,
                     unsigned round)
{
    const clause *about = clause_at(index);
    const ipcmark_target target = {.driver = who->path, .wrap = self->options->wrap};
    char keep[512];
    case_options options = {.target = target,
                            .implementation = implementation,
                            .name = who->about->name,
                            .seed = run_seed(self->options->seed, round),
                            .effort = EFFORT_QUICK,
                            .keep = keep};
    mutants_cell done = {.mutant = who->about->name, .clause = about, .round = round};
    double seconds = 0;
    result out;
    cell value;
    snprintf(keep, sizeof keep, "%s/%s/%s-%s-%u", self->options->keep, self->id, who->about->name, about->id,
             round + 1);
    show_progress(self, who, about, round);
    if (!self->options->keep_passed)
        options.keep = NULL; /* a mutant fails by right: its evidence is of interest to nobody but who debugs it */
    for (done.attempts = 1;; ++done.attempts) {
        if (!case_run(&out, self->session, about, &options))
            return false;
        seconds += out.seconds;
        if (!is_undecided(self, who, &out) || done.attempts == ATTEMPTS)
            break;
        result_clear(&out);
        await_calm(self->session);
    }
    value = judge_cell(who->about, &out);
    count_cell(self, who, index, value, done.attempts);
    ++who->kinds[index].ended;
    who->kinds[index].measured += seconds;
    done.outcome = outcome_name(value);
    if (self->record != NULL)
        mutants_record_append(self->record, &done, &out);
    if (value >= CELL_SURVIVED)
        explain(self, who, &target, &out, value);
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

static bool run_subject(self_test *self, subject *who)
{
    const ipcmark_target target = {.driver = who->path, .wrap = self->options->wrap};
    ipcmark_implementation implementation;
    const clause *about;
    if (ipcmark_probe(self->session, &target, &implementation) < 0) {
        fprintf(stderr, "ipcmark conformance: %s\n", ipcmark_session_text(self->session));
        ++self->errors;
        return true;
    }
    if ((who->about->needs & ~implementation.capabilities) != 0) {
        memset(who->kinds, 0, sizeof who->kinds);
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

/* ---- showing them
 * ----------------------------------------------------------------------------------------------------- */

static const char *cell_text(cell value)
{
    static const char *const texts[] = {".", "-", "s", "+", "x", "O", "!", "E"};
    return texts[value];
}

static void print_heads(void)
{
    const clause *about, *before = NULL;
    printf("\n%-24s", "");
    for (size_t i = 0; (about = clause_at(i)) != NULL; ++i) {
        const bool same = before != NULL && strncmp(before->id, about->id, 3) == 0;
        printf("%-4.4s", same ? "" : about->id);
        before = about;
    }
    printf("\n%-24s", "");
    for (size_t i = 0; (about = clause_at(i)) != NULL; ++i)
        printf("%-4s", strrchr(about->id, '-') + 1);
    putchar('\n');
}

static void print_matrix(const self_test *self)
{
    print_heads();
    for (size_t i = 0; i < self->count; ++i) {
        const subject *who = &self->subjects[i];
        printf("%-24s", who->about->name);
        for (size_t k = 0; clause_at(k) != NULL; ++k)
            if (who->attempts[k] > 1)
                printf("%s%-3u", cell_text(who->cells[k]), who->attempts[k]);
            else
                printf("%-4s", cell_text(who->cells[k]));
        if (who->due > 0)
            printf("caught %u of %u\n", who->caught, who->due);
        else
            puts("cannot be made of this base, or none of its own was run");
    }
    printf("\nx caught  + seen too  - passed  s skipped  O survived  ! stray  E error  . not run\n"
           "x2: the second attempt; the first was unknown (%d at most)\n",
           ATTEMPTS);
    printf("%zu mutants of %s: %u survived, %u strayed, %u errors, %u attempts unknown and repeated; seed %llu\n",
           self->count, self->options->base, self->survivors, self->strays, self->errors, self->retries,
           (unsigned long long)self->options->seed);
}

int run_mutants_list(const command_options *options)
{
    command_options mine = *options;
    self_test self = {.options = &mine};
    int error;
    self.subjects = calloc(MUTANTS_MOST, sizeof *self.subjects);
    error = self.subjects == NULL ? -ENOMEM : find_mutants(&self);
    for (size_t i = 0; error == 0 && i < self.count; ++i)
        printf("%s\n", self.subjects[i].about->name);
    free(self.subjects);
    return error < 0 ? EXIT_ERROR : EXIT_HOLDS;
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
    print_matrix(self);
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
    int code;
    plan_time(self);
    for (size_t i = 0; whole && i < self->count; ++i)
        whole = run_subject(self, &self->subjects[i]);
    progress_show(NULL);
    code = sum_up(self);
    if (!whole) {
        const int signal = ipcmark_session_interrupted(self->session);
        code = signal != 0 ? 128 + signal : EXIT_ERROR;
        run_explain_resume(self->options);
    }
    if (mutants_record_close(self->record, code, !whole) < 0) {
        fputs("ipcmark conformance: not all records could be written; is there room on the disk?\n", stderr);
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
    if (self.subjects == NULL || find_mutants(&self) < 0) {
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
