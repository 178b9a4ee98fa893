#include "run.h"

#include "badge.h"
#include "baseline.h"
#include "case.h"
#include "contender.h"
#include "expect.h"
#include "ipcmark/runfile.h"
#include "progress.h"
#include "record.h"
#include "report.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

typedef struct {
    ipcmark_session *session;
    command_options options; /* of a run that is gone on with, its seed and rounds */
    contender *contenders;
    size_t clause_count; /* of the contract */
    expect_list *expectations;
    baseline *baseline;  /* or NULL */
    record_file *record; /* or NULL */
    result_list results;
    bool *judged;          /* [contender, round, clause]: its case has ended, perhaps in an earlier call */
    progress_kind *kinds;  /* [contender, clause] */
    char id[17];           /* of this call: names the folder of its evidence */
    size_t planned, ended; /* cases */
} run;

/* ---- before ------------------------------------------------------------------------------------------------------ */

static size_t count_clauses(void)
{
    size_t count = 0;
    while (clause_at(count) != NULL)
        ++count;
    return count;
}

/* All of them, before the first case: one that cannot be met shall be known at once, not after minutes. 0, or the exit
 * code. */
static int meet(run *self)
{
    const size_t count = self->options.target_count;
    bool all_missing = true;
    if (contenders_meet(self->contenders, self->session, self->options.targets, count) < 0)
        return EXIT_ERROR;
    for (size_t i = 0; i < count; ++i) {
        const contender *who = &self->contenders[i];
        all_missing &= who->missing;
        if (who->trouble != NULL)
            fprintf(stderr, "ipcmark conformance: %s: %s\n", who->name, who->trouble);
        expect_meet(self->expectations, who->name);
        if (expect_too_many_flaky(self->expectations, who->name)) {
            fprintf(stderr, "ipcmark conformance: %s: more than two flaky lines for %s; mend the others\n",
                    self->options.expect, who->name);
            return EXIT_USAGE;
        }
    }
    if (all_missing && self->options.format == FORMAT_TAP)
        report_tap_bail_out(stdout, self->contenders[0].trouble, false);
    return all_missing ? EXIT_ERROR : 0;
}

/* 0, or the exit code. */
static int open_record(run *self)
{
    const record_plan plan = {&self->options, self->contenders, self->options.target_count};
    const char *path = self->options.format == FORMAT_JSONL ? "-" : self->options.output;
    char problem[8192];
    int error = 0;
    if (path == NULL)
        return 0;
    if (self->options.resume) {
        error = record_resume(&self->record, path, &plan, &self->results, problem, sizeof problem);
        if (error < 0)
            fprintf(stderr, "ipcmark conformance: %s\n", problem);
    } else {
        error = record_open(&self->record, path, &plan);
        if (error < 0)
            fprintf(stderr, "ipcmark conformance: %s: %s; --output must name a file that can be written\n", path,
                    strerror(-error));
    }
    return error < 0 ? EXIT_USAGE : 0;
}

static const contender *find_contender(const run *self, const char *name)
{
    const contender *who = self->contenders;
    while (strcmp(who->name, name) != 0)
        ++who;
    return who;
}

static size_t clause_index(const clause *about)
{
    size_t index = 0;
    while (clause_at(index) != about)
        ++index;
    return index;
}

static progress_kind *kind_of(const run *self, const contender *who, const clause *about)
{
    return &self->kinds[(size_t)(who - self->contenders) * self->clause_count + clause_index(about)];
}

static bool *judged_at(const run *self, const contender *who, unsigned round, const clause *about)
{
    const size_t row = (size_t)(who - self->contenders) * self->options.rounds + round;
    return &self->judged[row * self->clause_count + clause_index(about)];
}

/* What a clause takes, as a rule. What will be skipped takes nothing. */
static double usual_seconds(const contender *who, const clause *about, effort how_much)
{
    const double usual = about->seconds > 0 ? about->seconds : 0.5;
    if (who->trouble != NULL || (about->needs & ~who->implementation.capabilities) != 0)
        return 0;
    return how_much == EFFORT_QUICK ? usual * 0.4 : how_much == EFFORT_THOROUGH ? usual * 10 : usual;
}

/* Shows a result that is new, or was taken over from an earlier call. */
static void take(run *self, const result *item)
{
    const contender *who = find_contender(self, item->driver);
    progress_kind *kind = kind_of(self, who, item->clause);
    *judged_at(self, who, item->round, item->clause) = true;
    ++kind->ended;
    kind->measured += item->seconds;
    ++self->ended;
    if (self->options.format == FORMAT_TAP)
        report_tap(stdout, item, self->ended);
}

/* A result is judged by the expectations, and can be replayed, only here. */
static void complete(run *self, result *item, const contender *who)
{
    expect_apply(self->expectations, item, self->options.rounds);
    item->excused = (self->options.must_only && item->clause->should && item->verdict != VERDICT_ERROR) ||
                    (self->baseline != NULL && baseline_excuses(self->baseline, item));
    if (verdict_is_bad(item->verdict) && item->replay == NULL)
        item->replay = run_replay_command(&self->options, who->target, item->clause, item->seed);
}

/* After what an earlier call left is known. */
static int plan(run *self)
{
    const size_t count = self->options.target_count;
    const clause *about;
    self->planned = record_planned(&(record_plan){&self->options, self->contenders, count});
    self->judged = calloc(count * self->options.rounds * self->clause_count, sizeof *self->judged);
    self->kinds = calloc(count * self->clause_count, sizeof *self->kinds);
    if (self->judged == NULL || self->kinds == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < count; ++i)
        for (size_t k = 0; (about = clause_at(k)) != NULL; ++k)
            if (options_select(&self->options, about))
                *kind_of(self, &self->contenders[i], about) =
                    (progress_kind){.usual = usual_seconds(&self->contenders[i], about, self->options.effort),
                                    .planned = self->options.rounds};
    if (self->options.format == FORMAT_TAP)
        report_tap_plan(stdout, self->planned);
    for (size_t i = 0; i < self->results.count; ++i) {
        complete(self, &self->results.items[i], find_contender(self, self->results.items[i].driver));
        take(self, &self->results.items[i]);
    }
    if (self->options.resume)
        fprintf(stderr, "ipcmark conformance: going on with %s: %zu of %zu cases are judged\n", self->options.output,
                self->ended, self->planned);
    return 0;
}

/* ---- a case ------------------------------------------------------------------------------------------------------ */

static void begin_progress(const run *self, const contender *who, const clause *about)
{
    char left[64], head[512], tail[512];
    progress_text(progress_left(self->kinds, self->options.target_count * self->clause_count), left, sizeof left);
    snprintf(head, sizeof head, "[%zu/%zu] %s %s", self->ended + 1, self->planned, who->name, about->id);
    snprintf(tail, sizeof tail, "%s%s%s", left, left[0] != '\0' ? "  " : "", about->promise);
    progress_begin(head, tail);
}

/* One that could not be met: it is judged for each clause, too, so that no report looks as if it had not been asked. */
static bool judge_unmet(result *out, const contender *who, const clause *about, uint64_t seed)
{
    *out = (result){.driver = who->name, .clause = about, .verdict = VERDICT_ERROR, .seed = seed};
    out->text = strdup(who->trouble);
    return out->text != NULL;
}

/* A name as part of a path: what it says of itself leads nowhere else. */
static void make_file_name(char *out, size_t size, const char *name)
{
    size_t length = 0;
    for (; name[length] != '\0' && length + 1 < size; ++length)
        out[length] = isalnum((unsigned char)name[length]) || strchr("._+-", name[length]) != NULL ? name[length] : '_';
    out[length] = '\0';
}

static bool play_case(run *self, result *out, const contender *who, const clause *about, uint64_t seed)
{
    char keep[4096], name[64];
    const case_options options = {.target = *who->target,
                                  .implementation = &who->implementation,
                                  .name = who->name,
                                  .seed = seed,
                                  .effort = self->options.effort,
                                  .keep = keep,
                                  .keep_passed = self->options.keep_passed};
    make_file_name(name, sizeof name, who->implementation.name);
    snprintf(keep, sizeof keep, "%s/%s/%zu-%s-%s", self->options.keep, self->id, self->ended + 1, name, about->id);
    begin_progress(self, who, about);
    const bool judged = case_run(out, self->session, about, &options);
    progress_end();
    return judged;
}

/* With --resume a case that is not in the file is judged again. */
static void record_result(run *self, result *item, const contender *who)
{
    const char *path = self->options.format == FORMAT_JSONL ? "standard output" : self->options.output;
    const int error = self->record != NULL ? record_append(self->record, item) : 0;
    if (error == 0)
        return;
    record_explain_unwritten(item, verdict_name(item->seen), path, error);
    complete(self, item, who);
}

/* Returns false when interrupted, or when nothing can be kept any more. */
static bool run_case(run *self, const contender *who, const clause *about, unsigned round)
{
    const uint64_t seed = run_seed(self->options.seed, round);
    result out, *kept;
    if (!(who->trouble != NULL ? judge_unmet(&out, who, about, seed) : play_case(self, &out, who, about, seed)))
        return false;
    out.round = round;
    out.seen = out.verdict;
    complete(self, &out, who);
    record_result(self, &out, who);
    if (result_explain(&out) < 0)
        fprintf(stderr, "ipcmark conformance: %s/verdict.txt cannot be written\n", out.evidence);
    kept = result_append(&self->results, &out);
    if (kept == NULL)
        return false;
    take(self, kept);
    if (self->options.format != FORMAT_TAP && self->options.format != FORMAT_JSONL &&
        (!isatty(STDERR_FILENO) || (verdict_is_bad(kept->verdict) && !kept->excused)))
        report_line(stderr, kept, self->ended, self->planned);
    return true;
}

static bool run_all(run *self)
{
    const clause *about;
    for (size_t i = 0; i < self->options.target_count; ++i) {
        const contender *who = &self->contenders[i];
        for (unsigned round = 0; round < self->options.rounds; ++round)
            for (size_t k = 0; (about = clause_at(k)) != NULL; ++k)
                if (options_select(&self->options, about) && !*judged_at(self, who, round, about) &&
                    !run_case(self, who, about, round))
                    return false;
    }
    return true;
}

/* ---- after ------------------------------------------------------------------------------------------------------- */

/* Of the terminal, of $COLUMNS, or 0 for what is usual. */
static int page_width(void)
{
    struct winsize size;
    const char *columns = getenv("COLUMNS");
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col >= 40)
        return size.ws_col;
    return columns != NULL && atoi(columns) >= 40 ? atoi(columns) : 0;
}

static void print_report(run *self)
{
    char *command = record_command(&self->options);
    const report_options how = {.colour = isatty(STDOUT_FILENO) && getenv("NO_COLOR") == NULL,
                                .width = page_width(),
                                .seed = self->options.seed,
                                .effort = self->options.effort,
                                .rounds = self->options.rounds,
                                .details = self->options.details,
                                .command = command};
    if (self->options.format == FORMAT_TABLE)
        report_table(stdout, &self->results, &how);
    else if (self->options.format == FORMAT_MARKDOWN)
        report_markdown(stdout, &self->results, &how);
    if (self->baseline != NULL)
        baseline_print(self->options.format == FORMAT_TABLE ? stdout : stderr, self->baseline, &self->results,
                       how.width);
    fflush(stdout);
    free(command);
}

static int explain_unwritten(const char *path, int error)
{
    if (error < 0)
        fprintf(stderr, "ipcmark conformance: %s cannot be written: %s\n", path, strerror(-error));
    return error;
}

/* Of a run that was interrupted, too, but for what would pass for a whole one. */
static int write_files(const run *self, bool complete)
{
    const command_options *options = &self->options;
    tally sum;
    int error = 0;
    if (options->junit != NULL)
        error |= explain_unwritten(options->junit, report_junit(options->junit, &self->results));
    if (options->badge != NULL && complete) {
        tally_take(&sum, &self->results, self->contenders[0].name);
        error |= explain_unwritten(options->badge, badge_write(options->badge, &sum, options->effort));
    }
    if (options->accept_baseline != NULL && complete)
        error |= explain_unwritten(options->accept_baseline, baseline_accept(options->accept_baseline, &self->results));
    return error;
}

static int sum_up(run *self, bool complete)
{
    int code = result_exit_code(&self->results);
    print_report(self);
    if (self->expectations != NULL) {
        expect_print_unmet(stderr, self->expectations, self->options.expect);
        expect_print_steady(stderr, self->expectations, self->options.expect);
    }
    if (write_files(self, complete) != 0)
        code = EXIT_ERROR;
    if (code == EXIT_HOLDS && result_count(&self->results, VERDICT_SKIP) == self->results.count) {
        fputs("ipcmark conformance: nothing was judged: every clause asked for was skipped; the reasons stand beside "
              "them\n",
              stderr);
        code = self->options.ctest ? EXIT_SKIPPED : EXIT_UNKNOWN;
    }
    if (code == EXIT_UNKNOWN && self->options.ctest_unknown)
        code = EXIT_SKIPPED;
    return code;
}

/* 0, or the exit code. */
static int load_what_is_known(run *self)
{
    const command_options *options = &self->options;
    char text[8192];
    if ((options->expect == NULL || expect_load(&self->expectations, options->expect, text, sizeof text) == 0) &&
        (options->baseline == NULL || baseline_load(&self->baseline, options->baseline, text, sizeof text) == 0))
        return 0;
    fprintf(stderr, "ipcmark conformance: %s\n", text);
    return EXIT_USAGE;
}

static int run_and_sum_up(run *self)
{
    const bool whole = run_all(self);
    int code;
    progress_show(NULL);
    code = sum_up(self, whole);
    if (!whole) {
        const int signal = ipcmark_session_interrupted(self->session);
        code = signal != 0 ? 128 + signal : EXIT_ERROR;
        if (self->options.format == FORMAT_TAP)
            report_tap_bail_out(stdout, signal != 0 ? "interrupted" : "out of memory", true);
        run_explain_resume(&self->options);
    }
    if (self->record != NULL && record_close(self->record, code, !whole) < 0) {
        fprintf(stderr, "ipcmark conformance: not all records could be written: make room, and go on with --resume\n");
        code = EXIT_ERROR;
    }
    return code;
}

int run_clauses(ipcmark_session *session, const command_options *options)
{
    run self = {.session = session, .options = *options, .clause_count = count_clauses()};
    int code = EXIT_ERROR;
    ipcmark_run_id(self.id);
    self.contenders = calloc(options->target_count, sizeof *self.contenders);
    if (self.contenders == NULL)
        goto out;
    if ((code = load_what_is_known(&self)) != 0 || (code = meet(&self)) != 0 || (code = open_record(&self)) != 0)
        goto out;
    code = plan(&self) < 0 ? EXIT_ERROR : run_and_sum_up(&self);
out:
    if (ipcmark_session_interrupted(session) != 0)
        code = 128 + ipcmark_session_interrupted(session);
    expect_free(self.expectations);
    baseline_free(self.baseline);
    result_list_clear(&self.results);
    contenders_clear(self.contenders, options->target_count);
    free(self.judged);
    free(self.kinds);
    return code;
}
