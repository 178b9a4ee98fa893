/* ipcmark-soak: the program behind `ipcmark soak`. */
#include "book.h"
#include "options.h"

#include "ipcmark/runfile.h"
#include "progress.h"
#include "run.h"

#include <errno.h>
#include <limits.h>
#include <malloc.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

enum { KEEP_MOST = 5 }; /* folders of evidence: one that always fails shall not fill the disk */

typedef struct {
    const command_line *command;
    ipcmark_session *session;
    ipcmark_implementation implementation;
    char name[256]; /* of the implementation */
    char path[PATH_MAX], id[17];
    book_subject subject;
    book *book;
    unsigned kept;
} soak_run;

/* ---- before ------------------------------------------------------------------------------------------------------ */

static void name_output(soak_run *self)
{
    struct stat status;
    const char *given = self->command->output;
    if (given == NULL) {
        mkdir("ipcmark-results", 0777);
        snprintf(self->path, sizeof self->path, "ipcmark-results/soak-%s.jsonl", self->id);
    } else {
        const bool folder = stat(given, &status) == 0 && S_ISDIR(status.st_mode);
        snprintf(self->path, sizeof self->path, "%s%s", given, folder ? "/soak.jsonl" : "");
    }
}

/* What is given as a path or a command goes by the name that it has for itself. */
static void name_implementation(soak_run *self)
{
    const char *given = self->command->target.driver;
    snprintf(self->name, sizeof self->name, "%s",
             given != NULL && strchr(given, '/') == NULL ? given : self->implementation.name);
}

static bool is_too_many(uint64_t limit, unsigned wanted, const char *what)
{
    if (limit == 0 || wanted <= limit)
        return false;
    fprintf(stderr, "ipcmark soak: it takes %llu %s at most; ask for no more with --%s\n", (unsigned long long)limit,
            what, what);
    return true;
}

/* 0, or the exit code. */
static int begin(soak_run *self)
{
    const command_line *command = self->command;
    char problem[2 * PATH_MAX] = "out of memory";
    int error = ipcmark_session_open(&self->session);
    if (error < 0) {
        fprintf(stderr, "ipcmark soak: cannot begin: %s\n", strerror(-error));
        return EXIT_ERROR;
    }
    if (ipcmark_probe(self->session, &command->target, &self->implementation) < 0) {
        fprintf(stderr, "ipcmark soak: %s\n", ipcmark_session_text(self->session));
        return EXIT_ERROR;
    }
    if (is_too_many(self->implementation.max_publishers, command->publishers, "publishers") ||
        is_too_many(self->implementation.max_subscribers, command->subscribers, "subscribers"))
        return EXIT_USAGE;
    ipcmark_run_id(self->id);
    name_output(self);
    name_implementation(self);
    self->subject = (book_subject){self->name, command->publishers, command->subscribers, command->seed};
    error = command->resume
                ? book_resume(&self->book, self->path, &self->subject, command->seed_given, problem, sizeof problem)
                : book_create(&self->book, self->path, &self->subject, problem, sizeof problem);
    if (error < 0)
        fprintf(stderr, "ipcmark soak: %s\n", problem);
    return error < 0 ? EXIT_USAGE : 0;
}

/* ---- a round ----------------------------------------------------------------------------------------------------- */

static void show(const soak_run *self, const result *out)
{
    const char *driver = self->command->target.driver;
    progress_show(NULL);
    if (!verdict_is_bad(out->verdict))
        return;
    printf("round %llu %s%s%s: %s\n", (unsigned long long)book_sum(self->book)->rounds, verdict_name(out->verdict),
           out->violation[0] != '\0' ? ", " : "", out->violation, out->text != NULL ? out->text : "");
    if (out->evidence != NULL)
        printf("    evidence  %s\n", out->evidence);
    printf(
        "    replay    ipcmark soak --%s '%s' --publishers %u --subscribers %u --seed %llu --round %g --seconds %g\n",
        driver != NULL ? "driver" : "agent", driver != NULL ? driver : self->command->target.agent,
        self->subject.publishers, self->subject.subscribers, (unsigned long long)out->seed,
        self->command->round_seconds, self->command->round_seconds);
    fflush(stdout);
}

/* 0: go on; 1: not; -errno. */
static int run_round(soak_run *self)
{
    const book_totals *sum = book_sum(self->book);
    const double left = self->command->seconds - sum->seconds;
    char keep[PATH_MAX];
    soak_round round;
    soak_options options = {.target = self->command->target,
                            .implementation = &self->implementation,
                            .name = self->name,
                            .publishers = self->subject.publishers,
                            .subscribers = self->subject.subscribers,
                            .seconds = left < self->command->round_seconds ? left : self->command->round_seconds,
                            .seed = run_seed(self->subject.seed, (unsigned)sum->rounds),
                            .keep = self->kept < KEEP_MOST ? keep : NULL};
    snprintf(keep, sizeof keep, "%s/%s/round-%llu", self->command->keep, self->id, (unsigned long long)sum->rounds + 1);
    progress_show("soak of %s: round %llu, %.0f of %.0f s, %llu deliveries, %llu violations", self->name,
                  (unsigned long long)sum->rounds + 1, sum->seconds, self->command->seconds,
                  (unsigned long long)sum->received, (unsigned long long)sum->violations);
    if (!soak_round_run(&round, self->session, &options))
        return 1;
    const int error = book_add(self->book, &round);
    const bool broken = round.result.verdict == VERDICT_ERROR;
    self->kept += round.result.evidence != NULL;
    show(self, &round.result);
    soak_round_clear(&round);
    malloc_trim(0); /* what judging took goes back, so that what the coordinator still holds is what it leaks */
    if (error < 0)
        fprintf(stderr, "ipcmark soak: %s: %s; is there room on the disk?\n", self->path, strerror(-error));
    return error < 0 ? error : broken;
}

/* ---- after ------------------------------------------------------------------------------------------------------- */

static void print_memory(const char *who, const book_memory *held)
{
    if (held->known)
        printf("  %-12s %.1f MiB at the start, %.1f MiB at the end, %+.0f KiB at most in a round; %d descriptors, then "
               "%d\n",
               who, (double)held->resident[0] / 1048576, (double)held->resident[1] / 1048576, (double)held->most / 1024,
               held->descriptors[0], held->descriptors[1]);
}

static int exit_code(const book_totals *sum)
{
    return sum->by_verdict[VERDICT_ERROR] > 0                         ? EXIT_ERROR
           : sum->by_verdict[VERDICT_FAIL] > 0                        ? EXIT_BROKEN
           : sum->by_verdict[VERDICT_UNKNOWN] > 0 || sum->rounds == 0 ? EXIT_UNKNOWN
                                                                      : EXIT_HOLDS;
}

static void print_sum(const soak_run *self)
{
    const book_totals *sum = book_sum(self->book);
    const unsigned long long seconds = (unsigned long long)sum->seconds;
    const int code = exit_code(sum);
    printf("soak of %s, %u publishers and %u subscribers, seed %llu, commit %s: %s\n", self->name,
           self->subject.publishers, self->subject.subscribers, (unsigned long long)self->subject.seed,
           book_commit(self->book),
           code == EXIT_HOLDS    ? "holds"
           : code == EXIT_BROKEN ? "FAILS"
           : code == EXIT_ERROR  ? "ERROR"
                                 : "unknown");
    printf("  time         %llu:%02llu:%02llu in %llu rounds\n", seconds / 3600, seconds / 60 % 60, seconds % 60,
           (unsigned long long)sum->rounds);
    printf("  messages     %llu published, %llu deliveries had to be, %llu were seen\n",
           (unsigned long long)sum->messages, (unsigned long long)sum->must, (unsigned long long)sum->received);
    printf(
        "  faults       %llu joins, %llu leaves, %llu kills (%llu inside publish), %llu short and %llu long pauses\n",
        (unsigned long long)sum->faults.joins, (unsigned long long)sum->faults.leaves,
        (unsigned long long)sum->faults.kills, (unsigned long long)sum->kills_inside,
        (unsigned long long)sum->faults.short_pauses, (unsigned long long)sum->faults.long_pauses);
    printf("  verdicts     %llu hold, %llu fail (%llu violations), %llu unknown, %llu errors\n",
           (unsigned long long)sum->by_verdict[VERDICT_PASS], (unsigned long long)sum->by_verdict[VERDICT_FAIL],
           (unsigned long long)sum->violations, (unsigned long long)sum->by_verdict[VERDICT_UNKNOWN],
           (unsigned long long)sum->by_verdict[VERDICT_ERROR]);
    print_memory("publisher", &sum->publisher);
    print_memory("subscriber", &sum->subscriber);
    print_memory("coordinator", &sum->coordinator);
    printf("  records      %s\n", self->path);
}

static int go_on(soak_run *self)
{
    int end = 0;
    while (end == 0 && book_sum(self->book)->seconds < self->command->seconds)
        end = run_round(self);
    progress_show(NULL);
    print_sum(self);
    if (ipcmark_session_interrupted(self->session))
        return 128 + ipcmark_session_interrupted(self->session);
    return end < 0 ? EXIT_ERROR : exit_code(book_sum(self->book));
}

int main(int argc, char **argv)
{
    command_line command;
    soak_run self = {.command = &command};
    int code = command_parse(&command, argc, argv);
    if (code != 0)
        return code - 1;
    code = begin(&self);
    if (code == 0)
        code = go_on(&self);
    book_close(self.book);
    if (ipcmark_session_close(self.session) < 0)
        code = EXIT_ERROR;
    return code;
}
