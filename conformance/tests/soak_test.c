/* ipcmark soak, as users type it: short soaks of a right driver and of a wrong one, and the record of both. */
#include "cases.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <spawn.h>
#include <stdlib.h>
#include <unistd.h>

#include <cjson/cJSON.h>

extern char **environ;

static char folder[64], record[128], printed[16384];

static void make_folder(void)
{
    strcpy(folder, "/tmp/ipcmark-soak-XXXXXX");
    assert_non_null(mkdtemp(folder));
    snprintf(record, sizeof record, "%s/soak.jsonl", folder);
}

static int remove_entry(const char *path, const struct stat *status, int kind, struct FTW *where)
{
    (void)status, (void)kind, (void)where;
    return remove(path);
}

static void remove_folder(void)
{
    assert_int_equal(nftw(folder, remove_entry, 8, FTW_DEPTH | FTW_PHYS), 0);
}

/* The exit code; what was printed, on both streams, is in `printed`. more: further arguments, NULL-terminated. */
static int soak(const char *driver, const char *seconds, const char *const *more)
{
    const char *arguments[24] = {
        IPCMARK_TEST_SOAK, "--driver", driver,   "--seconds", seconds,    "--publishers", "2", "--subscribers", "2",
        "--round",         "2",        "--keep", folder,      "--output", record};
    posix_spawn_file_actions_t actions;
    int ends[2], status;
    size_t length = 0, count = 15;
    pid_t pid;
    while (*more != NULL)
        arguments[count++] = *more++;
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDERR_FILENO);
    assert_int_equal(posix_spawn(&pid, arguments[0], &actions, NULL, (char **)(uintptr_t)arguments, environ), 0);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    for (ssize_t step; (step = read(ends[0], printed + length, sizeof printed - 1 - length)) > 0;)
        length += (size_t)step;
    printed[length] = '\0';
    close(ends[0]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void expect(int code, const char *words, const char *driver, const char *seconds, const char *const *more)
{
    int got = soak(driver, seconds, more);
    if (got != code || strstr(printed, words) == NULL)
        fail_msg("exit %d, not %d, or without '%s':\n%s", got, code, words, printed);
}

#define MORE(...) ((const char *const[]){__VA_ARGS__, NULL})

/* The sum of a number over the lines of rounds; its name NULL: how many there are. */
static uint64_t sum(const char *name)
{
    FILE *file = fopen(record, "re");
    char *line = NULL;
    size_t room = 0;
    uint64_t total = 0;
    assert_non_null(file);
    while (getline(&line, &room, file) > 0) {
        cJSON *json = cJSON_Parse(line);
        assert_non_null(json);
        if (strcmp(cJSON_GetObjectItemCaseSensitive(json, "type")->valuestring, "round") == 0)
            total += name == NULL ? 1 : (uint64_t)cJSON_GetObjectItemCaseSensitive(json, name)->valuedouble;
        cJSON_Delete(json);
    }
    free(line);
    fclose(file);
    return total;
}

static void write_record(const char *text, int flags)
{
    int fd = open(record, O_WRONLY | O_CREAT | O_CLOEXEC | flags, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
}

static void expect_sum(void)
{
    char words[128];
    snprintf(words, sizeof words, "in %llu rounds\n  messages     %llu published", (unsigned long long)sum(NULL),
             (unsigned long long)sum("messages"));
    if (strstr(printed, words) == NULL)
        fail_msg("without '%s':\n%s", words, printed);
}

static void a_right_driver_holds_and_resuming_adds_up(void **state)
{
    (void)state;
    make_folder();
    expect(0, ": holds", "mmipc", "1", MORE("--seed", "7"));
    assert_int_equal(sum(NULL), 1);
    assert_true(sum("must") >= 100 && sum("received") >= sum("must"));
    expect_sum();
    const double seconds = (double)sum("seconds") + 1.5;
    char text[32];
    write_record("{\"type\":\"round\",\"ro", O_APPEND); /* as an interrupted run may leave it */
    snprintf(text, sizeof text, "%.1f", seconds);
    expect(0, ": holds", "mmipc", text, MORE("--resume"));
    assert_true(sum(NULL) >= 2 && sum("seconds") >= (uint64_t)seconds - sum(NULL));
    expect_sum();
    const uint64_t rounds = sum(NULL);
    expect(0, "seed 7,", "mmipc", "1", MORE("--resume")); /* there is nothing left to do */
    assert_int_equal(sum(NULL), rounds);
    expect_sum();
    expect(64, "--resume goes on with it", "mmipc", "1", MORE(NULL));
    expect(64, "seed 7, and this is 8", "mmipc", "1", MORE("--resume", "--seed", "8"));
    expect(64, "publishers and subscribers: 2 and 2, and this is 3 and 2", "mmipc", "1",
           MORE("--resume", "--publishers", "3"));
    expect(64, "is of driver mmipc", "mmipc?spin_us=0", "1", MORE("--resume"));
    remove_folder();
}

static void a_driver_that_drops_fails_and_the_message_is_named(void **state)
{
    (void)state;
    make_folder();
    expect(1, "fail, lost: ", IPCMARK_TEST_MUTANT, "2", MORE("--seed", "1"));
    assert_non_null(strstr(printed, "never received message "));
    assert_non_null(strstr(printed, "    evidence  /tmp/ipcmark-soak-"));
    assert_non_null(strstr(printed, "    replay    ipcmark soak --driver"));
    assert_true(sum("violations") > 0);
    expect(1, ": FAILS", IPCMARK_TEST_MUTANT, "1", MORE("--resume")); /* what failed once has failed */
    remove_folder();
}

static void what_cannot_be_gone_on_with_is_refused(void **state)
{
    (void)state;
    make_folder();
    expect(64, "No such file", "mmipc", "1", MORE("--resume"));
    write_record("", 0);
    expect(64, "is empty", "mmipc", "1", MORE("--resume"));
    write_record("{\"type\":\"case\"}\n", 0);
    expect(64, "is not the record of a soak", "mmipc", "1", MORE("--resume"));
    write_record("{\"type\":\"soak\",\"format\":1,\"commit\":\"of-another-day\",\"driver\":\"mmipc\"}\n", O_TRUNC);
    expect(64, "is of commit of-another-day, and this is ", "mmipc", "1", MORE("--resume"));
    remove_folder();
    expect(64, "--output must name a file that can be written", "mmipc", "1", MORE(NULL));
}

static void wrong_usage_is_answered(void **state)
{
    (void)state;
    make_folder();
    expect(64, "1 to 16 of each kind", "mmipc", "1", MORE("--publishers", "0"));
    expect(64, "a number above 0", "mmipc", "soon", MORE(NULL));
    expect(64, "both --driver and --agent", "mmipc", "1", MORE("--agent", "cat"));
    expect(64, "what is 'now'", "mmipc", "1", MORE("now"));
    expect(3, "there is no driver 'nosuch'", "nosuch", "1", MORE(NULL));
    expect(0, "Usage: ipcmark soak", "mmipc", "1", MORE("--help"));
    assert_int_equal(access(record, F_OK), -1);
    remove_folder();
}

CASES_MAIN(CASE(a_right_driver_holds_and_resuming_adds_up), CASE(a_driver_that_drops_fails_and_the_message_is_named),
           CASE(what_cannot_be_gone_on_with_is_refused), CASE(wrong_usage_is_answered))
