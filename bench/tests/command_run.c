#include "command_run.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

extern char **environ;

char command_directory[64], command_file[96];
char command_said[1 << 18];

void command_open_directory(void)
{
    strcpy(command_directory, "/tmp/bench-command.XXXXXX");
    assert_non_null(mkdtemp(command_directory));
    assert_int_equal(setenv("TMPDIR", command_directory, 1), 0);
    snprintf(command_file, sizeof command_file, "%s/run.jsonl", command_directory);
}

void command_close_directory(void)
{
    unlink(command_file);
    if (rmdir(command_directory) != 0)
        fail_msg("something is left in %s", command_directory);
}

/* The two ends of what it writes to. */
static void open_ends(int ends[2], bool terminal)
{
    char name[64];

    if (!terminal) {
        assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
        return;
    }
    ends[0] = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    assert_true(ends[0] >= 0 && grantpt(ends[0]) == 0 && unlockpt(ends[0]) == 0);
    assert_int_equal(ptsname_r(ends[0], name, sizeof name), 0);
    ends[1] = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
    assert_true(ends[1] >= 0);
}

struct command_started command_start(const char *const *words, bool terminal)
{
    const char *arguments[32] = {BENCH};
    struct command_started started;
    posix_spawn_file_actions_t actions;
    int ends[2];
    size_t count = 1;

    command_said[0] = '\0';
    while (*words != NULL && count < 31)
        arguments[count++] = *words++;
    open_ends(ends, terminal);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDERR_FILENO);
    assert_int_equal(posix_spawn(&started.pid, BENCH, &actions, NULL, (char **)(uintptr_t)arguments, environ), 0);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    started.output = ends[0];
    return started;
}

bool command_read_until(const struct command_started *started, const char *text)
{
    size_t used = strlen(command_said);

    for (;;) {
        struct pollfd ready = {.fd = started->output, .events = POLLIN};
        ssize_t got;
        if (text != NULL && strstr(command_said, text) != NULL)
            return true;
        assert_int_equal(poll(&ready, 1, 50000), 1);
        got = read(started->output, command_said + used, sizeof command_said - 1 - used);
        assert_true(got >= 0 || errno == EIO); /* nobody has the other end of the terminal any more */
        if (got > 0)
            used += (size_t)got;
        command_said[used] = '\0';
        if (got <= 0 || used + 1 == sizeof command_said)
            return text != NULL && strstr(command_said, text) != NULL;
    }
}

int command_finish(const struct command_started *started)
{
    int status;

    command_read_until(started, NULL);
    close(started->output);
    while (waitpid(started->pid, &status, 0) < 0)
        assert_int_equal(errno, EINTR);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int command_run(const char *const *words)
{
    struct command_started started = command_start(words, false);
    return command_finish(&started);
}

void command_says(int exit_code, const char *text, const char *const *words)
{
    int result = command_run(words);
    if (result != exit_code || strstr(command_said, text) == NULL)
        fail_msg("exit code %d, and not %d with '%s':\n%s", result, exit_code, text, command_said);
}

unsigned command_count(const char *part)
{
    unsigned count = 0;

    for (const char *at = command_said; (at = strstr(at, part)) != NULL; ++at)
        ++count;
    return count;
}

const char *command_text(const cJSON *record, const char *name)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(record, name));
    return text == NULL ? "" : text;
}

cJSON *command_read_file(unsigned *counts, unsigned blocks)
{
    FILE *file = fopen(command_file, "re");
    cJSON *records = cJSON_CreateArray();
    char *line = NULL;
    size_t size = 0;

    assert_non_null(file);
    memset(counts, 0, blocks * sizeof *counts);
    while (getline(&line, &size, file) > 0) {
        cJSON *record = cJSON_Parse(line);
        assert_non_null(record);
        if (strcmp(command_text(record, "record"), "cell") == 0) {
            unsigned block = (unsigned)cJSON_GetNumberValue(cJSON_GetObjectItem(record, "block"));
            assert_true(block < blocks);
            ++counts[block];
        }
        cJSON_AddItemToArray(records, record);
    }
    free(line);
    fclose(file);
    return records;
}

void command_write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}
