#include "run.h"

#include "case.h"
#include "expect.h"
#include "ipcmark/runfile.h"
#include "record.h"
#include "report.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* One implementation under test. */
typedef struct {
    const ipcmark_target *target;
    ipcmark_implementation implementation;
    char name[256]; /* as given; without folders */
} contender;

typedef struct {
    ipcmark_session *session;
    const command_options *options;
    contender *contenders;
    expect_list *expectations;
    record_file *record; /* or NULL */
    result_list results;
    char id[17];    /* of the run: names the folder of its evidence */
    size_t planned; /* cases */
} run;

uint64_t run_seed(uint64_t seed, unsigned round)
{
    return (seed + round * 0x9E3779B97F4A7u) & (((uint64_t)1 << 53) - 1);
}

void run_progress(const char *format, ...)
{
    va_list arguments;
    if (!isatty(STDERR_FILENO))
        return;
    fputs("\r\033[K", stderr);
    va_start(arguments, format);
    if (format != NULL)
        vfprintf(stderr, format, arguments);
    va_end(arguments);
    fflush(stderr);
}

/* ---- names ---------------------------------------------------------------------------------------------------------
 */

/* What is given as a path or a command goes by the name that it has for itself. */
static void name_contender(contender *self)
{
    const char *given = self->target->driver, *parameters = given != NULL ? strchr(given, '?') : NULL;
    if (given != NULL && strchr(given, '/') == NULL)
        snprintf(self->name, sizeof self->name, "%s", given);
    else
        snprintf(self->name, sizeof self->name, "%s%s", self->implementation.name,
                 parameters != NULL ? parameters : "");
}

static bool is_plain(const char *word)
{
    return word[0] != '\0' &&
           word[strspn(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./=+,:")] == '\0';
}

static void print_word(FILE *file, const char *word)
{
    if (is_plain(word)) {
        fprintf(file, " %s", word);
        return;
    }
    fputs(" '", file);
    for (; *word != '\0'; ++word)
        fputs(*word == '\'' ? "'\\''" : (const char[]){*word, '\0'}, file);
    fputc('\'', file);
}

char *run_replay_command(const command_options *options, const ipcmark_target *target, const clause *about,
                         uint64_t seed)
{
    char *text = NULL;
    size_t size;
    const char *base = getenv("IPCMARK_MUTANT_BASE");
    FILE *file = open_memstream(&text, &size);
    if (file == NULL)
        return NULL;
    fprintf(file, "%s%s%sipcmark conformance --%s", base != NULL ? "IPCMARK_MUTANT_BASE=" : "",
            base != NULL ? base : "", base != NULL ? " " : "", target->driver != NULL ? "driver" : "agent");
    print_word(file, target->driver != NULL ? target->driver : target->agent);
    fprintf(file, " --clause %s --seed %llu%s", about->id, (unsigned long long)seed,
            options->effort == EFFORT_USUAL   ? ""
            : options->effort == EFFORT_QUICK ? " --quick"
                                              : " --thorough");
    if (options->wrap != NULL) {
        fputs(" --wrap", file);
        print_word(file, options->wrap);
    }
    fclose(file);
    return text;
}

/* ---- before
 * ---------------------------------------------------------------------------------------------------------- */

static bool is_selected(const command_options *options, const clause *about)
{
    return options->clauses[0] == '\0' || clause_matches(options->clauses, about->id);
}

/* All of them, before the first case: an implementation that is missing shall be known at once, not after minutes. */
static int meet_contenders(run *self)
{
    for (size_t i = 0; i < self->options->target_count; ++i) {
        contender *who = &self->contenders[i];
        who->target = &self->options->targets[i];
        if (ipcmark_probe(self->session, who->target, &who->implementation) < 0) {
            fprintf(stderr, "ipcmark conformance: %s\n", ipcmark_session_text(self->session));
            return -EPROTO;
        }
        name_contender(who);
        if (expect_too_many_flaky(self->expectations, who->name)) {
            fprintf(stderr, "ipcmark conformance: %s: more than two flaky lines for %s; mend the others\n",
                    self->options->expect, who->name);
            return -EINVAL;
        }
    }
    return 0;
}

static int open_record(run *self)
{
    record_contender contenders[OPTIONS_TARGETS];
    const char *path = self->options->format == FORMAT_JSONL ? "-" : self->options->output;
    const clause *about;
    record_plan plan = {.options = self->options, .contenders = contenders};
    int error;
    plan.contender_count = self->options->target_count;
    for (size_t i = 0; i < plan.contender_count; ++i)
        contenders[i] = (record_contender){self->contenders[i].name, &self->contenders[i].implementation};
    for (size_t i = 0; (about = clause_at(i)) != NULL; ++i)
        if (is_selected(self->options, about))
            self->planned += self->options->target_count * self->options->rounds;
    plan.planned = self->planned;
    if (path == NULL)
        return 0;
    error = record_open(&self->record, path, &plan);
    if (error < 0)
        fprintf(stderr, "ipcmark conformance: %s: %s; --output must name a file that can be written\n", path,
                strerror(-error));
    return error;
}

/* ---- a case
 * ----------------------------------------------------------------------------------------------------------- */

static void show(const run *self, const result *item)
{
    const size_t number = self->results.count;
    if (self->options->format == FORMAT_TAP)
        report_tap(stdout, item, number);
    else if (self->options->format == FORMAT_TABLE && !isatty(STDERR_FILENO))
        report_line(stderr, item, number, self->planned);
    run_progress(NULL);
}

/* Returns false when interrupted. */
static bool run_case(run *self, const contender *who, const clause *about, unsigned round)
{
    char keep[512];
    const case_options options = {.target = *who->target,
                                  .implementation = &who->implementation,
                                  .name = who->name,
                                  .seed = run_seed(self->options->seed, round),
                                  .effort = self->options->effort,
                                  .keep = keep,
                                  .keep_passed = self->options->keep_passed};
    result out, *kept;
    snprintf(keep, sizeof keep, "%s/%s/%zu-%s-%s", self->options->keep, self->id, self->results.count + 1,
             who->implementation.name, about->id);
    run_progress("[%zu/%zu] %s %s %s", self->results.count + 1, self->planned, who->name, about->id, about->promise);
    if (!case_run(&out, self->session, about, &options))
        return false;
    expect_apply(self->expectations, &out, self->options->rounds);
    if (verdict_is_bad(out.verdict))
        out.replay = run_replay_command(self->options, who->target, about, out.seed);
    kept = result_append(&self->results, &out);
    if (kept == NULL)
        return false;
    if (self->record != NULL)
        record_append(self->record, kept);
    show(self, kept);
    return true;
}

static bool run_all(run *self)
{
    const clause *about;
    for (size_t i = 0; i < self->options->target_count; ++i)
        for (unsigned round = 0; round < self->options->rounds; ++round)
            for (size_t k = 0; (about = clause_at(k)) != NULL; ++k)
                if (is_selected(self->options, about) && !run_case(self, &self->contenders[i], about, round))
                    return false;
    return true;
}

/* ---- after
 * -------------------------------------------------------------------------------------------------------------- */

static int sum_up(run *self)
{
    const report_options how = {.colour = isatty(STDOUT_FILENO) && getenv("NO_COLOR") == NULL,
                                .seed = self->options->seed,
                                .rounds = self->options->rounds,
                                .details = self->options->details};
    int code = result_exit_code(&self->results);
    if (self->options->format == FORMAT_TABLE)
        report_table(stdout, &self->results, &how);
    if (self->options->junit != NULL && report_junit(self->options->junit, &self->results) < 0) {
        fprintf(stderr, "ipcmark conformance: %s cannot be written\n", self->options->junit);
        code = EXIT_ERROR;
    }
    if (code == EXIT_HOLDS && result_count(&self->results, VERDICT_SKIP) == self->results.count) {
        fputs("ipcmark conformance: nothing was judged: every clause asked for needs what is not claimed\n", stderr);
        code = self->options->ctest ? EXIT_SKIPPED : EXIT_UNKNOWN;
    }
    return code;
}

static int load_expectations(run *self)
{
    char text[512];
    const int error =
        self->options->expect == NULL ? 0 : expect_load(&self->expectations, self->options->expect, text, sizeof text);
    if (error < 0)
        fprintf(stderr, "ipcmark conformance: %s\n", text);
    return error;
}

int run_clauses(ipcmark_session *session, const command_options *options)
{
    run self = {.session = session, .options = options};
    int code = EXIT_ERROR;
    bool complete;
    ipcmark_run_id(self.id);
    self.contenders = calloc(options->target_count, sizeof *self.contenders);
    if (self.contenders == NULL)
        goto out;
    if (load_expectations(&self) < 0) {
        code = EXIT_USAGE;
        goto out;
    }
    if (meet_contenders(&self) < 0 || open_record(&self) < 0)
        goto out;
    if (options->format == FORMAT_TAP)
        report_tap_plan(stdout, self.planned);
    complete = run_all(&self);
    run_progress(NULL);
    code = sum_up(&self);
    if (!complete)
        code = ipcmark_session_interrupted(session) ? 128 + ipcmark_session_interrupted(session) : EXIT_ERROR;
    if (self.record != NULL && record_close(self.record, code, !complete) < 0 && code != EXIT_USAGE) {
        fprintf(stderr, "ipcmark conformance: not all records could be written; is there room on the disk?\n");
        code = EXIT_ERROR;
    }
out:
    expect_free(self.expectations);
    result_list_clear(&self.results);
    free(self.contenders);
    return code;
}
