/* The command as a user has it: what it says, what it writes, how it is interrupted and gone on with. */
#include <cases.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <cjson/cJSON.h>

extern char **environ;

static char directory[64]; /* of the case: the run's file and all temporary ones */

static void open_directory(void)
{
    strcpy(directory, "/tmp/bench-command.XXXXXX");
    assert_non_null(mkdtemp(directory));
    assert_int_equal(setenv("TMPDIR", directory, 1), 0);
}

/* Nothing but the run's file may be left in it. */
static void close_directory(const char *file)
{
    char path[512];

    snprintf(path, sizeof path, "%s/%s", directory, file);
    unlink(path);
    if (rmdir(directory) != 0)
        fail_msg("something is left in %s", directory);
}

struct started {
    pid_t pid;
    int output; /* both streams */
};

static struct started start(const char *const *words)
{
    const char *arguments[32] = {BENCH};
    struct started started;
    posix_spawn_file_actions_t actions;
    int ends[2];
    size_t count = 1;

    while (*words != NULL && count < 31)
        arguments[count++] = *words++;
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDERR_FILENO);
    assert_int_equal(posix_spawn(&started.pid, BENCH, &actions, NULL, (char **)(uintptr_t)arguments, environ), 0);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    started.output = ends[0];
    return started;
}

/* Reads until the text comes, or to the end with NULL; returns whether it came. */
static bool read_until(const struct started *started, char *said, size_t size, const char *text)
{
    size_t used = strlen(said);

    for (;;) {
        struct pollfd ready = {.fd = started->output, .events = POLLIN};
        ssize_t got;
        if (text != NULL && strstr(said, text) != NULL)
            return true;
        assert_int_equal(poll(&ready, 1, 50000), 1);
        got = read(started->output, said + used, size - 1 - used);
        assert_true(got >= 0);
        used += (size_t)got;
        said[used] = '\0';
        if (got == 0 || used + 1 == size)
            return text != NULL && strstr(said, text) != NULL;
    }
}

static int finish(const struct started *started, char *said, size_t size)
{
    int status;

    read_until(started, said, size, NULL);
    close(started->output);
    while (waitpid(started->pid, &status, 0) < 0)
        assert_int_equal(errno, EINTR);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static char all[1 << 18]; /* what the command said */

static int run(const char *const *words)
{
    struct started started = start(words);
    all[0] = '\0';
    return finish(&started, all, sizeof all);
}

static void says(int exit_code, const char *text, const char *const *words)
{
    int result = run(words);
    if (result != exit_code || strstr(all, text) == NULL)
        fail_msg("exit code %d, and not %d with '%s':\n%s", result, exit_code, text, all);
}

#define SAYS(exit_code, text, ...) says(exit_code, text, (const char *const[]){__VA_ARGS__, NULL})

static void mistakes_are_explained(void **state)
{
    (void)state;
    SAYS(0, "Exit codes:", "--help");
    SAYS(0, "ipcmark-bench ", "--version");
    SAYS(64, "--help", "--nonsense");
    SAYS(64, "there are no such arguments: 'hot'", "hot");
    SAYS(64, "suites are quick, standard and full, not 'long'", "--suite", "long");
    SAYS(64, "--blocks takes", "--blocks", "0");
    SAYS(64, "two different CPUs", "--cpus", "1,1");
    SAYS(64, "not a regular expression", "--filter", "[");
    SAYS(64, "no row matches 'warm'", "--filter", "warm");
    SAYS(64, "the same name in rows: 'x'", "--driver", "./x.so", "--driver", "x");
    SAYS(64, "has no seed", "--benchmark_enable_random_interleaving=true");
    SAYS(64, "--resume needs the --seed", "--resume", "x.jsonl");
    SAYS(0, "hot/fifo/64B/1x1\n", "--list", "--driver", "fifo");
}

static void unusable_driver_is_named_before_anything_runs(void **state)
{
    char path[512];
    (void)state;
    open_directory();
    snprintf(path, sizeof path, "%s/run.jsonl", directory);
    SAYS(3, "driver 'no-such-driver' cannot be used", "--driver", "no-such-driver", "--output", path);
    assert_int_equal(access(path, F_OK), -1);
    close_directory("run.jsonl");
}

/* Reads the file and returns its last record; counts[block] of the cells. */
static cJSON *read_file(const char *path, unsigned *counts, unsigned blocks)
{
    FILE *file = fopen(path, "re");
    cJSON *last = NULL;
    char *line = NULL;
    size_t size = 0;

    assert_non_null(file);
    while (getline(&line, &size, file) > 0) {
        cJSON *record = cJSON_Parse(line);
        assert_non_null(record);
        if (strcmp(cJSON_GetStringValue(cJSON_GetObjectItem(record, "record")), "cell") == 0) {
            unsigned block = (unsigned)cJSON_GetNumberValue(cJSON_GetObjectItem(record, "block"));
            assert_true(block < blocks);
            ++counts[block];
        }
        cJSON_Delete(last);
        last = record;
    }
    free(line);
    fclose(file);
    return last;
}

static void run_is_written_and_summed_up(void **state)
{
    unsigned counts[2] = {0};
    char path[512];
    cJSON *footer;
    (void)state;
    open_directory();
    snprintf(path, sizeof path, "%s/run.jsonl", directory);
    SAYS(0, "limit/memcpy/1MiB", "--suite", "standard", "--filter", "limit/(line|memcpy)", "--blocks", "2", "--seconds",
         "0.02", "--driver", "fifo", "--output", path);
    assert_non_null(strstr(all, "blocks are too few"));
    footer = read_file(path, counts, 2);
    assert_true(counts[0] == 2 && counts[1] == 2);
    assert_string_equal(cJSON_GetStringValue(cJSON_GetObjectItem(footer, "record")), "footer");
    assert_true(cJSON_IsFalse(cJSON_GetObjectItem(footer, "interrupted")));
    cJSON_Delete(footer);
    close_directory("run.jsonl");
}

static unsigned count_text(const char *text, const char *part)
{
    unsigned count = 0;

    for (const char *at = text; (at = strstr(at, part)) != NULL; ++at)
        ++count;
    return count;
}

/* Every row of every target, once and briefly: all are figures, and one block is too few for any verdict. (On a busy
 * machine some may be unknown for another reason as well.) */
static void targets_are_measured_and_judged(void **state)
{
    enum { ROWS = 22, TARGETS = 16 };
    unsigned counts[1] = {0};
    char path[512];
    (void)state;
    if (sysconf(_SC_NPROCESSORS_ONLN) < 2)
        exit(77); /* the line, and a CPU for each side */
    open_directory();
    snprintf(path, sizeof path, "%s/run.jsonl", directory);
    SAYS(0, "one way to a sleeping reader", "--targets", "--blocks", "1", "--seconds", "0.01", "--output", path);
    assert_int_equal(count_text(all, "unknown: "), TARGETS);
    assert_int_equal(count_text(all, "ERROR"), 0);
    cJSON *footer = read_file(path, counts, 1);
    assert_int_equal(counts[0], ROWS);
    assert_int_equal(cJSON_GetNumberValue(cJSON_GetObjectItem(footer, "written")), ROWS + TARGETS);
    cJSON_Delete(footer);
    close_directory("run.jsonl");
}

static void targets_combine_with_suites(void **state)
{
    (void)state;
    SAYS(0, "target-hot/mmipc/32B/1x1\n", "--targets", "--list");
    assert_null(strstr(all, "hot/fifo"));
    assert_null(strstr(all, "limit/"));
    SAYS(0, "target-hot/mmipc/32B/1x1\n", "--targets", "--list", "--suite", "standard", "--driver", "tcp");
    assert_non_null(strstr(all, "roundtrip/tcp/64B/1x1\n"));
    assert_null(strstr(all, "fifo/64B/1x1/r"));
    SAYS(0, "limit/line\n", "--list");
    assert_null(strstr(all, "target-"));
}

/* In the middle of a cell with processes; then the rest, and nothing twice. */
static void interrupted_run_is_resumed(void **state)
{
    enum { BLOCKS = 4 };
    unsigned counts[BLOCKS] = {0}, done = 0;
    char path[512];
    (void)state;
    open_directory();
    snprintf(path, sizeof path, "%s/run.jsonl", directory);
    const char *words[] = {"--driver", "fifo",      "--filter", "fifo/64B/1x[1-4]$", "--blocks", "4", "--seed",
                           "11",       "--seconds", "0.1",      "--output",          path,       NULL};
    struct started started = start(words);
    all[0] = '\0';
    assert_true(read_until(&started, all, sizeof all, "[4/"));
    assert_int_equal(kill(started.pid, SIGINT), 0);
    assert_int_equal(finish(&started, all, sizeof all), 128 + SIGINT);
    assert_non_null(strstr(all, "--resume"));
    cJSON *footer = read_file(path, counts, BLOCKS);
    assert_true(cJSON_IsTrue(cJSON_GetObjectItem(footer, "interrupted")));
    cJSON_Delete(footer);
    for (unsigned i = 0; i < BLOCKS; ++i)
        done += counts[i];
    assert_in_range(done, 4, BLOCKS * 3 - 1);

    words[10] = "--resume";
    assert_in_range(run(words), 0, 1); /* on a busy machine a cell may be an error: it is there all the same */
    memset(counts, 0, sizeof counts);
    footer = read_file(path, counts, BLOCKS);
    for (unsigned i = 0; i < BLOCKS; ++i)
        assert_int_equal(counts[i], 3); /* hot, throughput, fanout */
    assert_true(cJSON_IsFalse(cJSON_GetObjectItem(footer, "interrupted")));
    cJSON_Delete(footer);

    words[7] = "12"; /* another seed is another run */
    assert_int_equal(run(words), 3);
    assert_non_null(strstr(all, "is of another run"));
    close_directory("run.jsonl");
}

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void unfinished_run_is_not_written_over_unasked(void **state)
{
    static const char header[] = "{\"record\":\"header\",\"command\":\"ipcmark bench --seed 5\"}\n";
    char text[512], home[512];
    (void)state;
    open_directory();
    assert_non_null(getcwd(home, sizeof home));
    assert_int_equal(chdir(directory), 0);
    write_file("ipcmark-bench.jsonl", header);
    SAYS(3, "ipcmark bench --seed 5 --resume ipcmark-bench.jsonl", "--driver", "fifo", "--filter", "limit/line");
    snprintf(text, sizeof text, "%s{\"record\":\"footer\",\"interrupted\":true}\n", header);
    write_file("ipcmark-bench.jsonl", text);
    SAYS(3, "did not finish", "--driver", "fifo", "--filter", "limit/line");
    snprintf(text, sizeof text, "%s{\"record\":\"footer\",\"interrupted\":false}\n", header);
    write_file("ipcmark-bench.jsonl", text);
    SAYS(0, "limit/line", "--driver", "fifo", "--filter", "limit/line", "--blocks", "1");
    assert_int_equal(chdir(home), 0);
    close_directory("ipcmark-bench.jsonl");
}

/* A file that may not grow is as good as a full disk. What was measured before stays, and can be gone on with. */
static void full_disk_ends_the_run(void **state)
{
    struct rlimit before, small;
    char path[512];
    (void)state;
    open_directory();
    snprintf(path, sizeof path, "%s/run.jsonl", directory);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small = before;
    small.rlim_cur = 8192;
    signal(SIGXFSZ, SIG_IGN); /* else it would end the program before the error does */
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    int result = run((const char *const[]){"--driver", "fifo", "--filter", "limit/line", "--blocks", "500", "--seed",
                                           "3", "--output", path, NULL});
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(result, 3);
    assert_non_null(strstr(all, "File too large"));
    assert_non_null(strstr(all, "--seed 3 --filter limit/line --resume"));
    assert_null(strstr(all, "[499/500]"));
    close_directory("run.jsonl");
}

static double now_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* In a block of many seconds. The output ends when the last process that has it does. */
static void nothing_outlives_a_killed_run(void **state)
{
    enum { LONG_SECONDS = 30 };
    char path[512];
    (void)state;
    open_directory();
    snprintf(path, sizeof path, "%s/run.jsonl", directory);
    struct started started = start((const char *const[]){"--driver", "fifo", "--filter", "limit/line|latency/fifo",
                                                         "--seconds", "30", "--seed", "3", "--output", path, NULL});
    all[0] = '\0';
    assert_true(read_until(&started, all, sizeof all, "[1/"));
    double killed_at = now_seconds();
    assert_int_equal(kill(started.pid, SIGKILL), 0);
    assert_int_equal(finish(&started, all, sizeof all), 128 + SIGKILL);
    assert_true(now_seconds() - killed_at < LONG_SECONDS / 3.0);
    close_directory("run.jsonl");
}

CASES_MAIN(CASE(mistakes_are_explained), CASE(unusable_driver_is_named_before_anything_runs),
           CASE(run_is_written_and_summed_up), CASE(targets_are_measured_and_judged), CASE(targets_combine_with_suites),
           CASE(interrupted_run_is_resumed), CASE(unfinished_run_is_not_written_over_unasked),
           CASE(full_disk_ends_the_run), CASE(nothing_outlives_a_killed_run))
