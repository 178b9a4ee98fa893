/* ipcmark-run: the program behind `ipcmark run`. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <ipcmark/runfile.h>

#include "crew.h"
#include "faults.h"
#include "judge.h"
#include "show.h"

static const uint64_t second_ns = 1000000000;

struct run {
    struct scenario scenario;
    ipcmark_session *session;
    ipcmark_implementation implementation;
    struct crew crew;
    struct faults faults;
    struct show show;
    struct figures in_time, in_all; /* when the traffic ended; when everything had arrived */
};

static int say(const char *what)
{
    fprintf(stderr, "ipcmark run: %s\n", what);
    return EXIT_HARNESS;
}

/* 0, or the exit code. */
static int begin(struct run *self)
{
    int error = ipcmark_session_open(&self->session);

    if (error < 0) {
        fprintf(stderr, "ipcmark run: cannot begin: %s\n", strerror(-error));
        return EXIT_HARNESS;
    }
    if (ipcmark_probe(self->session, &self->scenario.target, &self->implementation) < 0)
        return say(ipcmark_session_text(self->session));
    return options_check(&self->scenario, &self->implementation);
}

/* ---- the play ---------------------------------------------------------------------------------------------------- */

/* Until then, or until something has gone wrong: a wait goes on when somebody dies. */
static bool wait_until(struct run *self, uint64_t due_ns)
{
    enum { SLICE_MS = 100 };
    uint64_t now_ns;

    while ((now_ns = ipcmark_now_ns()) < due_ns && ipcmark_trial_troubles(self->crew.trial) == 0) {
        const uint64_t left_ms = (due_ns - now_ns + 999999) / 1000000;
        if (!ipcmark_wait(self->crew.trial, left_ms < SLICE_MS ? (unsigned)left_ms : SLICE_MS))
            return false;
    }
    return ipcmark_trial_troubles(self->crew.trial) == 0;
}

static uint64_t earliest(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* However late we come to ask: what arrived after the end is no part of the rate. */
static bool look(struct run *self)
{
    const uint64_t end_ns = self->crew.end_ns;
    const bool all = crew_look(&self->crew, ipcmark_now_ns() < end_ns ? 0 : end_ns);

    figures_take(&self->in_time, &self->crew);
    self->in_time.at_ns = earliest(self->in_time.at_ns, end_ns);
    return all;
}

/* The next full second, unless the end is near. Nobody is asked anything if nobody looks on: it would only disturb. */
static uint64_t next_look(const struct run *self, uint64_t last_ns)
{
    const uint64_t now_ns = ipcmark_now_ns();
    uint64_t next_ns = last_ns + second_ns;

    while (next_ns <= now_ns) /* we were held up */
        next_ns += second_ns;
    return self->show.live && !self->crew.blind && next_ns + second_ns / 2 <= self->crew.end_ns ? next_ns : UINT64_MAX;
}

static bool watch(struct run *self, uint64_t start_ns)
{
    const uint64_t end_ns = self->crew.end_ns;
    uint64_t next_ns = next_look(self, start_ns), seconds;

    while (ipcmark_now_ns() < end_ns) {
        const uint64_t due_ns = earliest(next_ns, faults_next_ns(&self->faults, &self->crew));
        if (!wait_until(self, earliest(due_ns, end_ns)) || !faults_strike(&self->faults, &self->crew, &self->show))
            return false;
        if (ipcmark_now_ns() < next_ns)
            continue;
        if (!look(self))
            return false;
        seconds = (next_ns - start_ns) / second_ns;
        show_second(&self->show, &self->in_time, (double)seconds);
        next_ns = next_look(self, next_ns);
    }
    if (!look(self))
        return false;
    if (!self->crew.blind)
        show_second(&self->show, &self->in_time, self->scenario.seconds);
    return true;
}

static bool play(struct run *self)
{
    uint64_t start_ns;

    if (!crew_open(&self->crew, &self->scenario, &self->implementation, self->session) ||
        (start_ns = crew_send(&self->crew)) == 0)
        return false;
    faults_begin(&self->faults, &self->scenario, start_ns);
    show_start(&self->show, start_ns, !self->crew.blind);
    return watch(self, start_ns) && crew_finish(&self->crew);
}

/* ---- the end ----------------------------------------------------------------------------------------------------- */

static void make_folders(const char *path)
{
    char folder[4096];

    snprintf(folder, sizeof folder, "%s", path);
    for (char *slash = strchr(folder + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        mkdir(folder, 0777);
        *slash = '/';
    }
}

static void end(struct run *self, struct outcome *outcome)
{
    const bool keep = self->scenario.judged && self->crew.trial != NULL && outcome->code != EXIT_HOLDS &&
                      ipcmark_session_interrupted(self->session) == 0;
    char id[17];

    if (keep) {
        ipcmark_run_id(id);
        snprintf(outcome->evidence, sizeof outcome->evidence, "%s/run-%s", self->scenario.keep, id);
        make_folders(outcome->evidence);
    }
    if (crew_close(&self->crew, keep ? outcome->evidence : NULL) < 0) {
        say(ipcmark_session_text(self->session));
        outcome->evidence[0] = '\0';
    }
}

static int run(struct run *self)
{
    struct outcome outcome;
    bool finished;

    show_begin(&self->show, &self->scenario, &self->implementation);
    finished = play(self);
    if (self->crew.trial != NULL) {
        figures_take(&self->in_all, &self->crew);
        ipcmark_trial_stop(self->crew.trial);
    }
    judge_run(&outcome, &self->crew, finished, &self->in_all);
    end(self, &outcome);
    show_summary(&self->show, &self->crew, &outcome, &self->in_time, &self->in_all);
    judge_release(&outcome);
    return outcome.code;
}

int main(int argc, char **argv)
{
    static struct run self; /* too large for a stack */
    int code = options_parse(&self.scenario, argc, argv);

    if (code != 0)
        return code - 1;
    code = begin(&self);
    if (code == 0)
        code = run(&self);
    if (ipcmark_session_close(self.session) < 0)
        code = EXIT_HARNESS;
    return code;
}
