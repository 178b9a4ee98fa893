/* The self-test: each mutant must be caught by each of its own clauses, and in its own way.
 *
 * A mutant that a clause of its own does not catch *survives*; one that fails in another class, or a clause which is
 * not its own (played only if --clause names it), is a *stray*. Both are defects: of the suite, or of what the mutant
 * says about itself. */
#include "run.h"

#include "case.h"
#include "ipcmark/runfile.h"
#include "mutants/mutant.h"
#include "progress.h"
#include "report.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MUTANTS_MOST = 256, CLAUSES_MOST = 256, ATTEMPTS = 3 };

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
    unsigned attempts[CLAUSES_MOST]; /* the most that a round needed */
    unsigned caught, due;            /* rounds of its own clauses */
} subject;

typedef struct {
    ipcmark_session *session;
    const command_options *options;
    subject *subjects;
    size_t count;
    unsigned survivors, strays, errors, retries;
    char id[17];
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
            self->count += next->about != NULL && (self->options->mutants[0] == '\0' ||
                                                   clause_matches(self->options->mutants, next->about->name));
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
    result out;
    cell value;
    snprintf(keep, sizeof keep, "%s/%s/%s-%s-%u", self->options->keep, self->id, who->about->name, about->id,
             round + 1);
    progress_show("%s %s round %u", who->about->name, about->id, round + 1);
    if (!self->options->keep_passed)
        options.keep = NULL; /* a mutant fails by right: its evidence is of interest to nobody but who debugs it */
    /* On a machine that is busy with other things the answer may be that it is not known: ask again. */
    for (unsigned attempt = 1;; ++attempt) {
        if (!case_run(&out, self->session, about, &options))
            return false;
        who->attempts[index] = attempt > who->attempts[index] ? attempt : who->attempts[index];
        if (out.verdict != VERDICT_UNKNOWN || attempt == ATTEMPTS)
            break;
        ++self->retries;
        result_clear(&out);
    }
    value = judge_cell(who->about, &out);
    who->due += clause_matches(who->about->must_fail, about->id) && value != CELL_SKIPPED;
    who->caught += value == CELL_CAUGHT;
    self->survivors += value == CELL_SURVIVED;
    self->strays += value == CELL_STRAY;
    self->errors += value == CELL_ERROR;
    who->cells[index] = worse(who->cells[index], value);
    if (value >= CELL_SURVIVED)
        explain(self, who, &target, &out, value);
    result_clear(&out);
    return true;
}

/* Its own clauses, or those that --clause names. */
static bool is_due(const self_test *self, const subject *who, const clause *about)
{
    if (self->options->clauses[0] != '\0')
        return clause_matches(self->options->clauses, about->id);
    return clause_matches(who->about->must_fail, about->id);
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
    if ((who->about->needs & ~implementation.capabilities) != 0)
        return true;
    for (unsigned round = 0; round < self->options->rounds; ++round)
        for (size_t i = 0; (about = clause_at(i)) != NULL && i < CLAUSES_MOST; ++i)
            if (is_due(self, who, about) && !run_cell(self, who, &implementation, i, round))
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
    self_test self = {.options = options};
    int error;
    self.subjects = calloc(MUTANTS_MOST, sizeof *self.subjects);
    error = self.subjects == NULL ? -ENOMEM : find_mutants(&self);
    for (size_t i = 0; error == 0 && i < self.count; ++i)
        printf("%s\n", self.subjects[i].about->name);
    free(self.subjects);
    return error < 0 ? EXIT_ERROR : EXIT_HOLDS;
}

int run_mutants(ipcmark_session *session, const command_options *options)
{
    self_test self = {.session = session, .options = options};
    int code = EXIT_ERROR;
    bool complete = true;
    unsigned due = 0;
    ipcmark_run_id(self.id);
    self.subjects = calloc(MUTANTS_MOST, sizeof *self.subjects);
    if (self.subjects == NULL || find_mutants(&self) < 0) {
        fprintf(stderr,
                "ipcmark conformance: no mutant%s%s was found in lib/ipcmark/mutants; --list-mutants names them\n",
                options->mutants[0] != '\0' ? " " : "", options->mutants);
        goto out;
    }
    setenv("IPCMARK_MUTANT_BASE", options->base, 1);
    for (size_t i = 0; complete && i < self.count; ++i) {
        complete = run_subject(&self, &self.subjects[i]);
        due += self.subjects[i].due;
    }
    progress_show(NULL);
    print_matrix(&self);
    code = self.errors > 0 ? EXIT_ERROR : self.survivors + self.strays > 0 ? EXIT_BROKEN : EXIT_HOLDS;
    if (code == EXIT_HOLDS && due == 0) {
        fputs("ipcmark conformance: no mutant was put to its own clauses: nothing was shown\n", stderr);
        code = options->ctest ? EXIT_SKIPPED : EXIT_UNKNOWN;
    }
    if (!complete)
        code = ipcmark_session_interrupted(session) ? 128 + ipcmark_session_interrupted(session) : EXIT_ERROR;
out:
    free(self.subjects);
    return code;
}
