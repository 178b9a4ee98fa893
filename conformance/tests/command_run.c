#include "command_run.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

extern char **environ;

char folder[64], record[128], other[128], printed[65536];

/* ---- running it -------------------------------------------------------------------------------------------------- */

void make_folder(void)
{
    strcpy(folder, "/tmp/ipcmark-command-XXXXXX");
    assert_non_null(mkdtemp(folder));
    snprintf(record, sizeof record, "%s/run.jsonl", folder);
    snprintf(other, sizeof other, "%s/other", folder);
}

static int remove_entry(const char *path, const struct stat *status, int kind, struct FTW *where)
{
    (void)status, (void)kind, (void)where;
    return remove(path);
}

void remove_folder(void)
{
    assert_int_equal(nftw(folder, remove_entry, 8, FTW_DEPTH | FTW_PHYS), 0);
}

pid_t start(const char *const *arguments, int *reader)
{
    const char *all[48] = {TEST_COMMAND, "--keep", folder};
    posix_spawn_file_actions_t actions;
    size_t count = 3;
    int ends[2];
    pid_t pid;
    while (*arguments != NULL)
        all[count++] = *arguments++;
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDERR_FILENO);
    assert_int_equal(posix_spawn(&pid, all[0], &actions, NULL, (char **)(uintptr_t)all, environ), 0);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    *reader = ends[0];
    return pid;
}

/* Until this is printed, or, with NULL, until everyone who could print is gone. */
void read_until(int reader, const char *words)
{
    size_t length = strlen(printed);
    while (words == NULL || strstr(printed, words) == NULL) {
        const ssize_t step = read(reader, printed + length, sizeof printed - 1 - length);
        if (step <= 0 && words != NULL)
            fail_msg("without '%s':\n%s", words, printed);
        if (step <= 0)
            return;
        length += (size_t)step;
        printed[length] = '\0';
    }
}

/* The wait status. */
int end(pid_t pid, int reader)
{
    int status;
    read_until(reader, NULL);
    close(reader);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return status;
}

void expect(int code, const char *words, const char *const *arguments)
{
    int reader, status;
    pid_t pid;
    printed[0] = '\0';
    pid = start(arguments, &reader);
    status = end(pid, reader);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != code || strstr(printed, words) == NULL)
        fail_msg("status %x, not exit %d, or without '%s':\n%s", (unsigned)status, code, words, printed);
}

void expect_printed(const char *words)
{
    if (strstr(printed, words) == NULL)
        fail_msg("without '%s':\n%s", words, printed);
}

void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

/* ---- what is in its record --------------------------------------------------------------------------------------- */

const char *text_of(const cJSON *json, const char *name)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItem(json, name));
    return text != NULL ? text : "";
}

/* How many records of this kind; no two of them may be the same case. `last` receives the last record of all. */
size_t count_records(const char *kind, cJSON **last)
{
    FILE *file = fopen(record, "re");
    char *line = NULL, seen[64][128];
    size_t room = 0, count = 0;
    cJSON *json = NULL;
    assert_non_null(file);
    while (getline(&line, &room, file) > 0) {
        cJSON_Delete(json);
        json = cJSON_Parse(line);
        assert_non_null(json);
        if (strcmp(text_of(json, "record"), kind) != 0)
            continue;
        assert_true(count < 64);
        snprintf(seen[count], sizeof seen[count], "%s %s %s %g", text_of(json, "driver"), text_of(json, "mutant"),
                 text_of(json, "clause"), cJSON_GetNumberValue(cJSON_GetObjectItem(json, "round")));
        for (size_t i = 0; i < count && strcmp(kind, "resumed") != 0; ++i)
            assert_string_not_equal(seen[i], seen[count]);
        ++count;
    }
    free(line);
    fclose(file);
    if (last != NULL)
        *last = json;
    else
        cJSON_Delete(json);
    return count;
}
