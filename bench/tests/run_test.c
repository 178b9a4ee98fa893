/* ipcmark run, as users have it: on a terminal, in a pipe, with faults, broken off; and that nothing is left of it. */
#include <cases.h>

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <termios.h>
#include <unistd.h>

#include <cjson/cJSON.h>

extern char **environ;

static char folder[64], errors[128]; /* all temporary files are in the folder; what went to standard error of a pipe */
static char printed[1 << 18];

/* Whoever is orphaned becomes our child, and a case that leaves a child behind fails. */
static void open_folder(void)
{
    strcpy(folder, "/tmp/ipcmark-run.XXXXXX");
    assert_non_null(mkdtemp(folder));
    snprintf(errors, sizeof errors, "%s/errors", folder);
    assert_int_equal(setenv("TMPDIR", folder, 1), 0);
    assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
    printed[0] = '\0';
}

static void close_folder(void)
{
    unlink(errors);
    if (rmdir(folder) != 0)
        fail_msg("something is left in %s", folder);
}

/* ---- starting it ------------------------------------------------------------------------------------------------- */

struct started {
    pid_t pid;
    int output; /* of a terminal, both streams and the keyboard */
};

#define WORDS(...) ((const char *const[]){RUN, __VA_ARGS__, NULL})

/* In a session of its own, with this as its terminal, if there is one. */
static pid_t spawn(const char *const *words, posix_spawn_file_actions_t *actions, short flags)
{
    posix_spawnattr_t attributes;
    pid_t pid;
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, flags);
    assert_int_equal(posix_spawn(&pid, words[0], actions, &attributes, (char **)(uintptr_t)words, environ), 0);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(actions);
    return pid;
}

static struct started start_on_terminal(const char *const *words)
{
    const struct winsize size = {.ws_row = 24, .ws_col = 120};
    const int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    posix_spawn_file_actions_t actions;
    assert_true(master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0);
    assert_int_equal(ioctl(master, TIOCSWINSZ, &size), 0);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, ptsname(master), O_RDWR, 0);
    posix_spawn_file_actions_adddup2(&actions, STDIN_FILENO, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, STDIN_FILENO, STDERR_FILENO);
    return (struct started){spawn(words, &actions, POSIX_SPAWN_SETSID), master};
}

static struct started start_in_pipe(const char *const *words)
{
    posix_spawn_file_actions_t actions;
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, errors, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    const struct started started = {spawn(words, &actions, 0), ends[0]};
    close(ends[1]);
    return started;
}

/* Until the words are there; NULL: until nobody can print any more, which a terminal tells by EIO. */
static void read_until(const struct started *started, const char *words)
{
    size_t length = strlen(printed);
    while (words == NULL || strstr(printed, words) == NULL) {
        struct pollfd readable = {.fd = started->output, .events = POLLIN};
        if (poll(&readable, 1, 40000) != 1)
            fail_msg("silent for 40 s after:\n%s", printed);
        const ssize_t step = read(started->output, printed + length, sizeof printed - 1 - length);
        if (step <= 0 && words != NULL)
            fail_msg("without '%s':\n%s", words, printed);
        if (step <= 0)
            return;
        printed[length += (size_t)step] = '\0';
    }
}

/* The exit code. */
static int finish(const struct started *started)
{
    int status;
    read_until(started, NULL);
    close(started->output);
    assert_int_equal(waitpid(started->pid, &status, 0), started->pid);
    if (!WIFEXITED(status))
        fail_msg("ended by signal %d:\n%s", WTERMSIG(status), printed);
    return WEXITSTATUS(status);
}

static void expect_code(const struct started *started, int code)
{
    const int got = finish(started);
    if (got != code)
        fail_msg("exit %d, and not %d:\n%s", got, code, printed);
}

static void expect_printed(const char *words)
{
    if (strstr(printed, words) == NULL)
        fail_msg("without '%s':\n%s", words, printed);
}

/* What is behind the words, as a number. */
static unsigned long long number_after(const char *words)
{
    const char *at = strstr(printed, words);
    expect_printed(words);
    return at == NULL ? 0 : strtoull(at + strlen(words), NULL, 10);
}

static void read_errors(void)
{
    const int fd = open(errors, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    const ssize_t length = read(fd, printed, sizeof printed - 1);
    assert_true(length >= 0);
    printed[length] = '\0';
    close(fd);
}

/* ---- what is seen ------------------------------------------------------------------------------------------------ */

/* The line of a second: "   1 s  1.00 k …". */
static void expect_second(const char *second, char *line, size_t size)
{
    const char *at = strstr(printed, second);
    expect_printed(second);
    snprintf(line, size, "%.*s", at == NULL ? 0 : (int)strcspn(at, "\r\n"), at == NULL ? "" : at);
}

static void a_terminal_sees_a_line_each_second(void **state)
{
    char line[256];
    unsigned long long lost = 1, torn = 1, twice = 1, swapped = 1;
    (void)state;
    open_folder();
    const struct started started =
        start_on_terminal(WORDS("--driver", "mmipc", "--subscribers", "2", "--duration", "2", "--seed", "7"));
    expect_code(&started, 0);
    expect_printed("1 publisher, 2 subscribers; 64 B, 1000 msg/s; 2 s, seed 7\r\n");
    expect_printed("  time  sent/s received/s   MiB/s      p50      p99  lost  torn  twice  swapped\r\n");
    expect_second("   1 s ", line, sizeof line);
    if (strstr(line, "s        –") == NULL)
        fail_msg("'%s' is not a second of it", line);
    expect_second("   2 s ", line, sizeof line);
    /* 4000 samples by then: a median, and too few for a 99th percentile. */
    if (strstr(line, "s        –") == NULL ||
        sscanf(strstr(line, "–") + strlen("–"), "%llu %llu %llu %llu", &lost, &torn, &twice, &swapped) != 4)
        fail_msg("'%s' is not a second of it", line);
    assert_int_equal(lost + torn + twice + swapped, 0);
    expect_printed("2 subscribers: holds\r\n");
    expect_printed("  counted      0 lost, 0 torn, 0 twice, 0 out of order\r\n");
    const unsigned long long sent = number_after("  sent         ");
    assert_true(sent > 100);
    assert_int_equal(number_after("  received     "), 2 * sent);
    close_folder();
}

static void a_pipe_sees_the_sum_alone(void **state)
{
    (void)state;
    open_folder();
    const struct started started =
        start_in_pipe(WORDS("--driver", "fifo", "--size", "64,4K,100000", "--rate", "max", "--duration", "1.2"));
    expect_code(&started, 0);
    assert_int_equal(strncmp(printed, "fifo ", 5), 0);
    expect_printed("  traffic      1.2 s; 64 B, 4 KiB, 100000 B, as fast as publish returns; seed ");
    assert_null(strchr(printed, '\r'));
    assert_null(strstr(printed, "latency"));
    assert_int_equal(number_after("  received     "), number_after("  sent         "));
    read_errors();
    assert_string_equal(printed, "");
    close_folder();
}

static const cJSON *field(const cJSON *json, const char *name)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(json, name);
    if (item == NULL)
        fail_msg("no '%s' in:\n%s", name, printed);
    return item;
}

static void programs_get_json(void **state)
{
    size_t seconds = 0, summaries = 0;
    (void)state;
    open_folder();
    const struct started started = start_in_pipe(WORDS("--driver", "mmipc", "--format", "json", "--duration", "1.8",
                                                       "--publishers", "2", "--threads", "2", "--parts", "3"));
    expect_code(&started, 0);
    for (char *line = strtok(printed, "\n"); line != NULL; line = strtok(NULL, "\n")) {
        cJSON *json = cJSON_Parse(line);
        const char *type = cJSON_GetStringValue(field(json, "type"));
        assert_int_equal(summaries, 0); /* it is the last */
        seconds += strcmp(type, "second") == 0;
        if (strcmp(type, "summary") == 0) {
            ++summaries;
            assert_string_equal(cJSON_GetStringValue(field(json, "verdict")), "holds");
            assert_true(field(json, "received")->valuedouble > 100);
            assert_true(field(json, "received")->valuedouble == field(json, "published")->valuedouble);
            assert_true(field(json, "torn")->valuedouble == 0 && cJSON_IsNumber(field(json, "torn")));
            assert_true(field(json, "samples")->valuedouble > 0 && field(json, "p50_ns")->valuedouble > 0);
        }
        cJSON_Delete(json);
    }
    assert_int_equal(summaries, 1);
    assert_int_equal(seconds, 2);
    close_folder();
}

/* It counts while it writes down what it does, and looks at no bodies: what it says of losses is not believed. */
static const char python_agent[] = "exec '" PYTHON "' '" PYTHON_AGENT "'";

static void an_agent_of_another_language_is_judged(void **state)
{
    (void)state;
    if (PYTHON[0] == '\0')
        CASES_SKIP("python3 is not installed");
    open_folder();
    const struct started started =
        start_on_terminal(WORDS("--agent", python_agent, "--duration", "1.4", "--rate", "100", "--judge"));
    expect_code(&started, 0);
    expect_printed("      –        –     –     –      –        –\r\n"); /* nothing of this is known by then */
    expect_printed(" 1 subscriber: holds\r\n");
    assert_true(number_after("  received     ") > 10);
    assert_true(number_after(" deliveries had to be, ") > 10);
    expect_printed("; 0 violations\r\n");
    close_folder();
}

static void who_keeps_no_counts_needs_a_judge(void **state)
{
    (void)state;
    if (PYTHON[0] == '\0')
        CASES_SKIP("python3 is not installed");
    open_folder();
    const struct started started = start_in_pipe(WORDS("--agent", python_agent, "--duration", "1"));
    expect_code(&started, 3);
    expect_printed("; with --judge it needs none\n");
    close_folder();
}

/* ---- faults ------------------------------------------------------------------------------------------------------ */

static void the_killed_come_back_and_nothing_is_left(void **state)
{
    (void)state;
    open_folder();
    const struct started started = start_on_terminal(
        WORDS("--driver", "mmipc", "--publishers", "2", "--subscribers", "2", "--rate", "0.5k", "--duration", "1.6",
              "--kill", "publisher=0.4", "--kill", "subscriber2=0.5", "--pause", "any=0.7,0.1", "--seed", "11"));
    expect_code(&started, 0);
    expect_printed("; 64 B, 500 msg/s from each publisher; ");
    expect_printed("publisher 1 killed, back after ");
    expect_printed("subscriber 2 killed, back after ");
    assert_null(strstr(printed, "subscriber 1 killed"));
    expect_printed(" stopped for 0.1 s\r\n");
    assert_true(number_after("  faults       ") >= 3);
    assert_true(number_after(" deliveries had to be, ") > 100); /* seen */
    expect_printed("; 0 violations\r\n");
    expect_printed("from the call of publish to the handler\r\n");
    close_folder();
}

/* At 500 a second, half of them before the publisher dies; and those that were sent while the subscriber was stopped
 * are as late as that. */
static void the_killed_send_again_and_the_stopped_are_late(void **state)
{
    (void)state;
    open_folder();
    const struct started started =
        start_in_pipe(WORDS("--driver", "mmipc", "--rate", "500", "--duration", "2", "--no-judge", "--format", "json",
                            "--kill", "publisher1=1", "--pause", "subscriber1=0.6,0.3"));
    expect_code(&started, 0);
    expect_printed("\"name\":\"publisher 1\",\"what\":\"killed\",");
    expect_printed("\"name\":\"subscriber 1\",\"what\":\"stopped\",");
    const char *summary = strstr(printed, "{\"type\":\"summary\"");
    assert_non_null(summary);
    memmove(printed, summary, strlen(summary) + 1);
    assert_true(number_after("\"published\":") > 550);
    assert_true(number_after("\"max_ns\":") > 250000000);
    close_folder();
}

/* One wrong message, of a few hundred. */
static void expect_fault(int code, const char *fault, const char *words, const char *more)
{
    char driver[4096];
    open_folder();
    snprintf(driver, sizeof driver, "%s?fault=%s&at=50", FAULTY_DRIVER, fault);
    const struct started started = start_in_pipe(WORDS("--driver", driver, "--duration", "0.5"));
    expect_code(&started, code);
    expect_printed(words);
    expect_printed(more);
    close_folder();
}

static void one_wrong_message_fails_the_run(void **state)
{
    (void)state;
    expect_fault(1, "lose", "  because      1 messages were published and not received\n",
                 "  counted      1 lost, 0 torn, 0 twice, 0 out of order\n");
    expect_fault(1, "tear", "  because      1 messages were torn, ",
                 "  counted      0 lost, 1 torn, 0 twice, 0 out of order\n");
    expect_fault(1, "double", " torn, 1 came twice, ", "  counted      0 lost, 0 torn, 1 twice, 0 out of order\n");
    expect_fault(0, "refuse", " a second; 1 more were refused",
                 "  counted      0 lost, 0 torn, 0 twice, 0 out of order\n");
    expect_fault(0, "none", ": holds\n", "  counted      0 lost, 0 torn, 0 twice, 0 out of order\n");
}

static const char refuses[] = FAULTY_DRIVER "?fault=refuse&at=50", stalls[] = FAULTY_DRIVER "?fault=stall&at=45";

static void refusals_are_no_losses(void **state)
{
    (void)state;
    open_folder();
    const struct started started = start_in_pipe(WORDS("--driver", refuses, "--duration", "0.5", "--format", "json"));
    expect_code(&started, 0);
    expect_printed("\"refused\":1,");
    assert_null(strstr(printed, "\"lost\":1,"));
    close_folder();
}

/* The receiver is held up for 100 ms, 50 ms before the end of the traffic. */
static void what_comes_late_is_waited_for(void **state)
{
    (void)state;
    open_folder();
    const struct started started = start_in_pipe(WORDS("--driver", stalls, "--duration", "0.5", "--rate", "100"));
    expect_code(&started, 0);
    assert_int_equal(number_after("  received     "), number_after("  sent         "));
    close_folder();
}

static int remove_entry(const char *path, const struct stat *status, int kind, struct FTW *where)
{
    (void)status, (void)kind, (void)where;
    return remove(path);
}

static void a_judged_loss_is_named_and_its_evidence_kept(void **state)
{
    char driver[4096], keep[128], evidence[256];
    (void)state;
    open_folder();
    snprintf(driver, sizeof driver, "%s?fault=lose&at=50", FAULTY_DRIVER);
    snprintf(keep, sizeof keep, "%s/keep", folder);
    const struct started started =
        start_in_pipe(WORDS("--driver", driver, "--duration", "0.8", "--judge", "--keep", keep));
    expect_code(&started, 1);
    expect_printed(" never received message 50 of publisher 1 ");
    expect_printed("; 1 violations\n");
    expect_printed("  evidence     ");
    const char *at = strstr(printed, "  evidence     ") + strlen("  evidence     ");
    snprintf(evidence, sizeof evidence, "%.*s/history.jsonl", (int)strcspn(at, " "), at);
    assert_int_equal(access(evidence, R_OK), 0);
    assert_int_equal(nftw(keep, remove_entry, 8, FTW_DEPTH | FTW_PHYS), 0);
    close_folder();
}

/* Whether a file of /proc, or its beginning, holds the text. */
static bool holds(const char *process, const char *file, const char *text)
{
    static char content[1 << 16];
    char path[512];
    snprintf(path, sizeof path, "/proc/%s/%s", process, file);
    FILE *stream = fopen(path, "re");
    if (stream == NULL)
        return false;
    const size_t length = fread(content, 1, sizeof content, stream);
    fclose(stream);
    return memmem(content, length, text, strlen(text)) != NULL;
}

/* How often its threads have slept. */
static unsigned long count_sleeps(const char *process)
{
    char path[512], line[128];
    unsigned long sum = 0, each;
    snprintf(path, sizeof path, "/proc/%s/task", process);
    DIR *threads = opendir(path);
    for (struct dirent *entry; threads != NULL && (entry = readdir(threads)) != NULL;) {
        snprintf(path, sizeof path, "/proc/%s/task/%s/status", process, entry->d_name);
        FILE *status = fopen(path, "re");
        while (status != NULL && fgets(line, sizeof line, status) != NULL)
            if (sscanf(line, "voluntary_ctxt_switches: %lu", &each) == 1)
                sum += each;
        if (status != NULL)
            fclose(status);
    }
    if (threads != NULL)
        closedir(threads);
    return sum;
}

/* One of the run's participants that is in the middle of its traffic, or 0. All have our folder in their environment.
 */
static pid_t find_participant(void)
{
    DIR *processes = opendir("/proc");
    pid_t found = 0;
    assert_non_null(processes);
    for (struct dirent *entry; found == 0 && (entry = readdir(processes)) != NULL;)
        if (holds(entry->d_name, "cmdline", "ipcmark-agent") && holds(entry->d_name, "environ", folder) &&
            count_sleeps(entry->d_name) > 300)
            found = atoi(entry->d_name);
    closedir(processes);
    return found;
}

static pid_t await_participant(void)
{
    pid_t found;
    while ((found = find_participant()) == 0)
        sched_yield();
    return found;
}

static void who_dies_unasked_fails_the_run(void **state)
{
    (void)state;
    open_folder();
    const struct started started = start_on_terminal(WORDS("--driver", "mmipc", "--duration", "20"));
    read_until(&started, "   1 s ");
    assert_int_equal(kill(await_participant(), SIGKILL), 0);
    expect_code(&started, 1);
    expect_printed(": FAILS\r\n  because      ");
    assert_null(strstr(printed, "  10 s "));
    close_folder();
}

/* Nobody is asked anything then, so nobody fails to answer. */
static void who_dies_unasked_is_seen_without_a_look(void **state)
{
    (void)state;
    open_folder();
    const struct started started = start_in_pipe(WORDS("--driver", "mmipc", "--duration", "30"));
    assert_int_equal(kill(await_participant(), SIGKILL), 0);
    expect_code(&started, 1);
    assert_null(strstr(printed, "  traffic  ")); /* which is known at the end */
    close_folder();
}

/* As a user does it: everyone on this terminal gets the signal. */
static void ctrl_c_ends_it_and_leaves_nothing(void **state)
{
    (void)state;
    open_folder();
    const struct started started =
        start_on_terminal(WORDS("--driver", "mmipc", "--duration", "60", "--subscribers", "2", "--judge"));
    read_until(&started, "   1 s ");
    assert_int_equal(write(started.output, "\003", 1), 1);
    expect_code(&started, 130);
    expect_printed("2 subscribers: interrupted\r\n");
    assert_true(number_after("  received     ") > 0);
    close_folder();
}

/* ---- mistakes ---------------------------------------------------------------------------------------------------- */

static void expect_refused(int code, const char *words, const char *const *arguments)
{
    open_folder();
    const struct started started = start_in_pipe(arguments);
    expect_code(&started, code);
    read_errors();
    expect_printed(words);
    close_folder();
}

#define REFUSED(words, ...) expect_refused(64, words, WORDS("--driver", "mmipc", __VA_ARGS__))

static void mistakes_are_explained(void **state)
{
    (void)state;
    REFUSED("no such number: '65'; it is 1 to 64 of each kind", "--publishers", "65");
    REFUSED("no such size: '64,47'", "--size", "64,47");
    REFUSED("no such size: '64,'", "--size", "64,");
    REFUSED("no such size: '1.3K'", "--size", "1.3K");
    REFUSED("no such rate: '-1'", "--rate", "-1");
    REFUSED("no such time: '1d'", "--duration", "1d");
    REFUSED("no such kill: 'subscriber'; it is WHO=SECONDS", "--kill", "subscriber");
    REFUSED("no such kill: 'all=1'", "--kill", "all=1");
    REFUSED("no such pause: 'any=1'; it is WHO=SECONDS,SECONDS", "--pause", "any=1");
    REFUSED("not so many of them as a fault asks for", "--kill", "subscriber2=1");
    REFUSED("--rate max cannot be judged", "--rate", "max", "--kill", "any=1");
    REFUSED("too much to write down: '", "--judge", "--duration", "5h");
    REFUSED("more than 2000 faults", "--kill", "any=0.1", "--duration", "5m");
    REFUSED("say one of them", "--judge", "--no-judge");
    REFUSED("what is 'now'; implementations are named", "now");
    expect_refused(64, "nothing to run", WORDS("--rate", "1"));
    expect_refused(3, "there is no driver 'nosuch'", WORDS("--driver", "nosuch"));
    expect_refused(3, "ipcmark run: ", WORDS("--agent", "cat"));
}

CASES_MAIN(CASE(a_terminal_sees_a_line_each_second), CASE(a_pipe_sees_the_sum_alone), CASE(programs_get_json),
           CASE(an_agent_of_another_language_is_judged), CASE(who_keeps_no_counts_needs_a_judge),
           CASE(the_killed_come_back_and_nothing_is_left), CASE(the_killed_send_again_and_the_stopped_are_late),
           CASE(one_wrong_message_fails_the_run), CASE(refusals_are_no_losses), CASE(what_comes_late_is_waited_for),
           CASE(a_judged_loss_is_named_and_its_evidence_kept), CASE(who_dies_unasked_fails_the_run),
           CASE(who_dies_unasked_is_seen_without_a_look), CASE(ctrl_c_ends_it_and_leaves_nothing),
           CASE(mistakes_are_explained))
