#include "case.h"

#include "ipcmark/checker.h"
#include "stage.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static char *format_text(const char *format, ...) __attribute__((format(printf, 1, 2)));

static char *format_text(const char *format, ...)
{
    char *text = NULL;
    va_list arguments;
    va_start(arguments, format);
    if (vasprintf(&text, format, arguments) < 0)
        text = NULL;
    va_end(arguments);
    return text;
}

/* ---- before ------------------------------------------------------------------------------------------------------ */

/* Why this implementation is not asked for this promise, or NULL; *missing is then the word for it in a table. */
static char *why_skipped(const char **missing, const clause *about, const ipcmark_implementation *implementation)
{
    const char *name;
    for (unsigned bit = 0; (name = ipcmark_capability_name(bit)) != NULL; ++bit)
        if ((about->needs & ~implementation->capabilities & ((uint64_t)1 << bit)) != 0) {
            *missing = name;
            return format_text("it does not claim %s", name);
        }
    *missing = "limit";
    if (implementation->max_publishers != 0 && implementation->max_publishers < about->publishers)
        return format_text("it takes %llu publishers at most", (unsigned long long)implementation->max_publishers);
    if (implementation->max_subscribers != 0 && implementation->max_subscribers < about->subscribers)
        return format_text("it takes %llu subscribers at most", (unsigned long long)implementation->max_subscribers);
    if (implementation->max_message_bytes != 0 && implementation->max_message_bytes < about->least_limit)
        return format_text("it takes messages of %llu bytes at most",
                           (unsigned long long)implementation->max_message_bytes);
    return NULL;
}

/* Two clauses of one seed shall not throw the same dice. */
static uint64_t mix(uint64_t seed, const char *id)
{
    while (*id != '\0')
        seed = (seed ^ (unsigned char)*id++) * 0x100000001B3u;
    return seed;
}

static FILE *open_schedule(const ipcmark_trial *trial)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/schedule.txt", ipcmark_trial_directory(trial));
    return fopen(path, "we");
}

/* ---- after ------------------------------------------------------------------------------------------------------- */

static void add_to_detail(result *out, const char *line)
{
    char *longer = format_text("%s%s%s", out->detail != NULL ? out->detail : "", line,
                               line[0] != '\0' && line[strlen(line) - 1] == '\n' ? "" : "\n");
    free(out->detail);
    out->detail = longer;
}

static void describe_counts(result *out, const struct ipcmark_judgement *judgement)
{
    char line[512];
    int used = snprintf(line, sizeof line, "%llu messages were published, %llu deliveries had to be, %llu were seen",
                        (unsigned long long)judgement->messages, (unsigned long long)judgement->must,
                        (unsigned long long)judgement->received);
    for (unsigned i = 1; i < IPCMARK_CLASSES && used > 0 && (size_t)used < sizeof line; ++i)
        if (judgement->by_class[i] > 0)
            used += snprintf(line + used, sizeof line - (size_t)used, "; %llu x %s",
                             (unsigned long long)judgement->by_class[i], ipcmark_class_text(i));
    add_to_detail(out, line);
}

static void describe_troubles(result *out, const ipcmark_trial *trial)
{
    for (size_t i = 0; i < ipcmark_trial_troubles(trial); ++i)
        add_to_detail(out, ipcmark_trial_trouble(trial, i)->text);
}

/* What was done and said around the first violation, while the history is there. */
static void describe_violation(result *out, const struct ipcmark_history *history,
                               const struct ipcmark_judgement *judgement)
{
    char *timeline = ipcmark_timeline(history, judgement, IPCMARK_TIMELINE_LINES);
    if (timeline != NULL && timeline[0] != '\0')
        add_to_detail(out, timeline);
    free(timeline);
}

/* What was done on purpose, for whoever wants to see what happened around a violation. */
static void describe_schedule(result *out, const ipcmark_trial *trial)
{
    char path[4096], line[512];
    FILE *file;
    snprintf(path, sizeof path, "%s/schedule.txt", ipcmark_trial_directory(trial));
    file = fopen(path, "re");
    while (file != NULL && fgets(line, sizeof line, file) != NULL)
        add_to_detail(out, line);
    if (file != NULL)
        fclose(file);
}

/* What a machine that is too slow brings about by itself. */
static bool is_of_time(const struct ipcmark_judgement *judgement)
{
    const enum ipcmark_class class_ = judgement->class_;
    return judgement->by_deadline_only ||
           (!judgement->timeless && (class_ == IPCMARK_HUNG || class_ == IPCMARK_LATE || class_ == IPCMARK_COUNT ||
                                     class_ == IPCMARK_DISCONNECT));
}

static verdict verdict_of(const struct ipcmark_judgement *judgement, ipcmark_session *session)
{
    bool slow = ipcmark_session_too_slow(session); /* when it began */
    if (judgement->verdict == IPCMARK_ERROR)
        return VERDICT_ERROR;
    if (judgement->verdict == IPCMARK_INCONCLUSIVE)
        return VERDICT_UNKNOWN;
    if (judgement->verdict == IPCMARK_PASS)
        return VERDICT_PASS;
    ipcmark_session_calibrate(session);
    slow |= ipcmark_session_too_slow(session) || ipcmark_session_was_too_slow(session);
    return slow && is_of_time(judgement) ? VERDICT_UNKNOWN : VERDICT_FAIL;
}

static void set_error(result *out, const char *what, const char *text)
{
    out->verdict = VERDICT_ERROR;
    out->text = format_text("%s: %s", what, text);
}

/* Finished: the play came to its end. One that did not, and for which nobody is to blame, has shown nothing. */
static void judge(result *out, stage *self, bool finished)
{
    struct ipcmark_history history = {0};
    struct ipcmark_judgement judgement;
    char problem[512] = "";
    int error = ipcmark_history_load(&history, ipcmark_trial_directory(self->trial), problem, sizeof problem);
    if (error == 0 && self->clause->examine != NULL) {
        self->clause->examine(self, &history); /* it objects into the history */
        ipcmark_history_free(&history);
        error = ipcmark_history_load(&history, ipcmark_trial_directory(self->trial), problem, sizeof problem);
    }
    if (error == 0)
        error = ipcmark_check(&history, &judgement);
    if (error == 0)
        describe_violation(out, &history, &judgement);
    ipcmark_history_free(&history);
    if (error < 0) {
        set_error(out, "the history cannot be judged", problem[0] != '\0' ? problem : strerror(-error));
        return;
    }
    out->verdict = verdict_of(&judgement, self->session);
    if (out->verdict == VERDICT_PASS && !finished) {
        out->verdict = VERDICT_UNKNOWN;
        snprintf(judgement.text, sizeof judgement.text, "the play was not finished: a step of it did not come about");
    }
    out->messages = judgement.messages;
    out->must = judgement.must;
    out->received = judgement.received;
    out->violations = judgement.violations;
    out->kills_inside = judgement.kills_inside;
    out->text = format_text("%s%s", judgement.text,
                            out->verdict == VERDICT_UNKNOWN && judgement.verdict == IPCMARK_FAIL
                                ? " (but the machine was too slow to hold anybody to a time)"
                                : "");
    if (judgement.class_ != IPCMARK_CLASS_NONE)
        snprintf(out->violation, sizeof out->violation, "%s", ipcmark_class_text(judgement.class_));
    if (verdict_is_bad(out->verdict)) {
        describe_counts(out, &judgement);
        describe_troubles(out, self->trial);
        describe_schedule(out, self->trial);
    }
}

/* What could not be played, or showed nothing in the end. What went wrong before that, went wrong. */
static void skip(result *out, char *why)
{
    if (out->verdict == VERDICT_FAIL || out->verdict == VERDICT_ERROR) {
        free(why);
        return;
    }
    free(out->text);
    free(out->detail);
    out->verdict = VERDICT_SKIP;
    out->text = why;
    out->detail = NULL;
    out->violation[0] = '\0';
}

static void make_parents(const char *path)
{
    char folder[4096];
    snprintf(folder, sizeof folder, "%s", path);
    for (char *slash = strchr(folder + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        mkdir(folder, 0777);
        *slash = '/';
    }
}

static void close_trial(result *out, ipcmark_trial *trial, const case_options *options)
{
    const bool keep = options->keep != NULL && (verdict_is_bad(out->verdict) || options->keep_passed);
    if (keep)
        make_parents(options->keep);
    if (ipcmark_trial_close(trial, keep ? options->keep : NULL) < 0 && keep)
        add_to_detail(out, "the evidence could not be kept: is there room, and may this folder be written?");
    else if (keep)
        out->evidence = strdup(options->keep);
}

static size_t largest_message(const clause *about, effort how_much)
{
    return how_much == EFFORT_THOROUGH && about->thorough_bytes != 0 ? about->thorough_bytes : about->message_bytes;
}

static void play(result *out, ipcmark_session *session, const clause *about, const case_options *options)
{
    const ipcmark_trial_options trial_options = {.target = options->target,
                                                 .seed = options->seed,
                                                 .name = about->id,
                                                 .ping_interval_ms = STAGE_PING_MS,
                                                 .max_message_bytes = largest_message(about, options->effort)};
    stage self = {.session = session,
                  .clause = about,
                  .implementation = options->implementation,
                  .effort = options->effort,
                  .context = options->context,
                  .random = mix(options->seed, about->id)};
    bool finished;
    ipcmark_session_calibrate(session);
    ipcmark_session_mark(session);
    if (ipcmark_trial_open(&self.trial, session, &trial_options) < 0) {
        set_error(out, "the case could not begin", ipcmark_session_text(session));
        return;
    }
    self.schedule = open_schedule(self.trial);
    self.start_ns = ipcmark_now_ns();
    stage_log(&self, "%s, seed %llu, %s", about->id, (unsigned long long)options->seed, effort_name(options->effort));
    finished = about->play(&self);
    stage_log(&self, "the play %s", finished ? "is finished" : "was not finished");
    self.end_ns = ipcmark_now_ns();
    self.demands.settle_ns = stage_settling_ns(&self);
    self.demands.origin_ns = self.start_ns;
    ipcmark_trial_expect(self.trial, &self.demands);
    ipcmark_trial_stop(self.trial);
    if (self.schedule != NULL)
        fclose(self.schedule);
    self.schedule = NULL;
    if (!ipcmark_session_interrupted(session))
        judge(out, &self, finished);
    if (self.skip != NULL)
        skip(out, self.skip);
    out->figures = self.figures; /* the judging may have found some more */
    close_trial(out, self.trial, options);
}

bool case_run(result *out, ipcmark_session *session, const clause *about, const case_options *options)
{
    const uint64_t start_ns = ipcmark_now_ns();
    const char *missing;
    char *skipped = why_skipped(&missing, about, options->implementation);
    memset(out, 0, sizeof *out);
    out->driver = options->name;
    out->clause = about;
    out->seed = options->seed;
    if (skipped != NULL) {
        out->verdict = VERDICT_SKIP;
        out->text = skipped;
        snprintf(out->missing, sizeof out->missing, "%s", missing);
        return true;
    }
    play(out, session, about, options);
    out->seconds = (double)(ipcmark_now_ns() - start_ns) * 1e-9;
    return ipcmark_session_interrupted(session) == 0;
}
