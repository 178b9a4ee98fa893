#include "rows_run.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <setjmp.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

extern char **environ;

static pid_t start(const char *cells, const char *const *words)
{
    const char *arguments[64] = {BENCH_ROWS, "--cells", cells};
    posix_spawn_file_actions_t actions;
    size_t count = 3;
    pid_t child = -1;

    while (*words != NULL && count < 63)
        arguments[count++] = *words++;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    assert_int_equal(posix_spawn(&child, BENCH_ROWS, &actions, NULL, (char **)(uintptr_t)arguments, environ), 0);
    posix_spawn_file_actions_destroy(&actions);
    return child;
}

static cJSON *read_cells(int fd)
{
    cJSON *cells = cJSON_CreateArray();
    FILE *file = fdopen(fd, "r");
    char *line = NULL;
    size_t size = 0;

    assert_non_null(file);
    while (getline(&line, &size, file) > 0) {
        cJSON *cell = cJSON_Parse(line);
        assert_non_null(cell);
        cJSON_AddItemToArray(cells, cell);
    }
    free(line);
    fclose(file);
    return cells;
}

/* One that is under way. */
struct started {
    pid_t child;
    int cells;
    char path[32];
};

static struct started begin(const char *const *words)
{
    struct started started = {.path = "/tmp/bench-cells.XXXXXX"};

    started.cells = mkostemp(started.path, O_CLOEXEC);
    assert_true(started.cells >= 0);
    started.child = start(started.path, words);
    return started;
}

static struct rows_run finish(const struct started *started)
{
    struct rows_run run;
    int status;

    while (waitpid(started->child, &status, 0) < 0)
        assert_int_equal(errno, EINTR);
    unlink(started->path);
    run.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    run.cells = read_cells(started->cells);
    return run;
}

struct rows_run rows_run(const char *const *words)
{
    struct started started = begin(words);
    return finish(&started);
}

static const char *find_disturbance(const cJSON *cell)
{
    static const char *const reasons[] = {" messages a second of ", "the reader had slept before ",
                                          "the line could not be measured", " had arrived when the last one was sent"};
    const char *error = rows_run_error(cell);
    const char *why = cJSON_GetStringValue(cJSON_GetObjectItem(cell, "not_applicable"));

    for (size_t i = 0; error != NULL && i < sizeof reasons / sizeof reasons[0]; ++i)
        if (strstr(error, reasons[i]) != NULL)
            return error;
    return why != NULL && strcmp(why, "its reader stays awake between messages") == 0 ? why : NULL;
}

static bool is_disturbed(const struct rows_run *run, char *why, size_t why_size)
{
    const cJSON *cell;

    cJSON_ArrayForEach(cell, run->cells)
    {
        const char *disturbance = find_disturbance(cell);
        if (disturbance == NULL)
            continue;
        snprintf(why, why_size, "%s: %s", cJSON_GetStringValue(cJSON_GetObjectItem(cell, "row")), disturbance);
        return true;
    }
    return false;
}

void rows_run_skip_if_busy(const char *why)
{
    double load;

    if (getloadavg(&load, 1) != 1 || load <= (double)sysconf(_SC_NPROCESSORS_ONLN))
        return;
    print_message("skipped at a load of %.1f: %s\n", load, why);
    exit(77);
}

struct rows_run rows_run_undisturbed(const char *const *words)
{
    enum { ATTEMPTS = 5 };
    char why[700] = "";

    for (int attempt = 0; attempt < ATTEMPTS; ++attempt) {
        struct rows_run run = rows_run(words);
        if (!is_disturbed(&run, why, sizeof why))
            return run;
        print_message("again: %s\n", why);
        rows_run_free(&run);
    }
    rows_run_skip_if_busy(why);
    fail_msg("%d times, %s", ATTEMPTS, why);
    return (struct rows_run){0};
}

void rows_run_side_by_side(const char *const *rows, size_t count, struct rows_run *out)
{
    enum { MOST = 8 };
    struct started started[MOST];
    char why[700];

    assert_true(count <= MOST);
    for (size_t i = 0; i < count; ++i)
        started[i] = begin((const char *const[]){rows[i], NULL});
    for (size_t i = 0; i < count; ++i)
        out[i] = finish(&started[i]);
    for (size_t i = 0; i < count; ++i) {
        if (!is_disturbed(&out[i], why, sizeof why))
            continue;
        print_message("again, by itself: %s\n", why);
        rows_run_free(&out[i]);
        out[i] = rows_run_undisturbed((const char *const[]){rows[i], NULL});
    }
}

void rows_run_free(struct rows_run *run)
{
    cJSON_Delete(run->cells);
}

const cJSON *rows_run_cell(const struct rows_run *run, const char *row)
{
    const cJSON *cell, *found = NULL;

    cJSON_ArrayForEach(cell, run->cells)
    {
        if (strcmp(cJSON_GetStringValue(cJSON_GetObjectItem(cell, "row")), row) != 0)
            continue;
        assert_null(found);
        found = cell;
    }
    assert_non_null(found);
    return found;
}

double rows_run_metric(const cJSON *cell, const char *name)
{
    const cJSON *metric = cJSON_GetObjectItem(cJSON_GetObjectItem(cell, "metrics"), name);
    return cJSON_IsNumber(metric) ? metric->valuedouble : NAN;
}

const char *rows_run_error(const cJSON *cell)
{
    return cJSON_GetStringValue(cJSON_GetObjectItem(cell, "error"));
}
