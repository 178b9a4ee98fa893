#include "resume.h"

#include "json.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

static int refuse(char *problem, size_t size, const char *path, const char *what, const char *theirs, const char *ours)
{
    snprintf(problem, size,
             "%s is of %s %s, and this is %s; what they come to together would say nothing: give what it is of, or "
             "name another file with --output",
             path, what, theirs[0] != '\0' ? theirs : "unknown", ours[0] != '\0' ? ours : "unknown");
    return -EBADMSG;
}

/* "mmipc 0.1, tcp 0.1": without = that of capabilities, which are compared but too long to print. */
static void describe_drivers(const cJSON *drivers, char *text, size_t size)
{
    const cJSON *driver;
    size_t used = 0;
    text[0] = '\0';
    cJSON_ArrayForEach(driver, drivers)
    {
        if (used < size)
            used +=
                (size_t)snprintf(text + used, size - used, "%s%s%s%s", used > 0 ? ", " : "", json_text(driver, "name"),
                                 json_text(driver, "version")[0] != '\0' ? " " : "", json_text(driver, "version"));
    }
}

static int check_drivers(const char *path, const cJSON *theirs, const cJSON *ours, char *problem, size_t size)
{
    char before[512], now[512];
    describe_drivers(theirs, before, sizeof before);
    describe_drivers(ours, now, sizeof now);
    if (strcmp(before, now) != 0)
        return refuse(problem, size, path, "drivers", before, now);
    for (int i = 0; i < cJSON_GetArraySize(ours); ++i) {
        const cJSON *then = cJSON_GetArrayItem(theirs, i), *today = cJSON_GetArrayItem(ours, i);
        if (!cJSON_Compare(cJSON_GetObjectItemCaseSensitive(then, "capabilities"),
                           cJSON_GetObjectItemCaseSensitive(today, "capabilities"), 1)) {
            snprintf(problem, size,
                     "%s: %s claimed other capabilities than it does now, so it is another implementation; name "
                     "another file with --output",
                     path, json_text(today, "name"));
            return -EBADMSG;
        }
        if (strcmp(json_text(then, "digest"), json_text(today, "digest")) != 0) {
            snprintf(
                problem, size,
                "%s is of another build of %s: its file, or the command of its agent or a file that this names, has "
                "changed since then; name another file with --output",
                path, json_text(today, "name"));
            return -EBADMSG;
        }
    }
    return 0;
}

/* Members of the header that only this kind of run has. */
static int check_more(const char *path, const cJSON *header, const cJSON *more, char *problem, size_t size)
{
    const cJSON *ours;
    cJSON_ArrayForEach(ours, more)
    {
        const char *before = json_text(header, ours->string), *now = json_text(more, ours->string);
        if (!cJSON_IsNumber(ours) && strcmp(before, now) != 0)
            return refuse(problem, size, path, ours->string, before[0] != '\0' ? before : "none",
                          now[0] != '\0' ? now : "none");
    }
    return 0;
}

static int check_build(const char *path, const cJSON *header, const struct ipcmark_run *run, char *problem, size_t size)
{
    cJSON *environment = ipcmark_environment_capture();
    const char *theirs = json_text(cJSON_GetObjectItemCaseSensitive(header, "environment"), "commit");
    const char *ours = json_text(environment, "commit");
    int error = 0;
    if (strcmp(json_text(header, "contract_version"), run->contract_version) != 0)
        error = refuse(problem, size, path, "contract version", json_text(header, "contract_version"),
                       run->contract_version);
    else if (strcmp(json_text(header, "suite_version"), IPCMARK_VERSION) != 0)
        error = refuse(problem, size, path, "ipcmark", json_text(header, "suite_version"), IPCMARK_VERSION);
    else if (strcmp(theirs, ours) != 0)
        error = refuse(problem, size, path, "commit", theirs, ours);
    cJSON_Delete(environment);
    return error;
}

static int check_header(const char *path, const cJSON *header, const struct ipcmark_run *run, bool seed_given,
                        char *problem, size_t size)
{
    char theirs[32], ours[32];
    int error;
    if (strcmp(json_text(header, "kind"), run->kind) != 0)
        return refuse(problem, size, path, "kind", json_text(header, "kind"), run->kind);
    if ((error = check_build(path, header, run, problem, size)) < 0 ||
        (error = check_more(path, header, run->more, problem, size)) < 0)
        return error;
    snprintf(theirs, sizeof theirs, "%llu", (unsigned long long)json_number(header, "seed"));
    snprintf(ours, sizeof ours, "%llu", (unsigned long long)run->seed);
    if (seed_given && strcmp(theirs, ours) != 0)
        return refuse(problem, size, path, "seed", theirs, ours);
    return check_drivers(path, cJSON_GetObjectItemCaseSensitive(header, "drivers"), run->drivers, problem, size);
}

int resume_check(struct cJSON **out, const char *path, struct ipcmark_run *run, bool seed_given, char *problem,
                 size_t problem_size)
{
    cJSON *header = NULL;
    int error = ipcmark_runfile_header(&header, path);
    if (error == -EBADMSG)
        snprintf(problem, problem_size,
                 "%s is not a result file, or was cut off in its first line; leave --resume out, or name another with "
                 "--output",
                 path);
    else if (error < 0)
        snprintf(problem, problem_size, "%s: %s; name a file to go on with, or leave --resume out to begin one", path,
                 strerror(-error));
    else
        error = check_header(path, header, run, seed_given, problem, problem_size);
    if (error < 0) {
        cJSON_Delete(header);
        return error;
    }
    run->seed = json_number(header, "seed");
    run->planned = (size_t)json_number(header, "planned");
    *out = header;
    return 0;
}

void resume_explain(int error, const char *path, char *problem, size_t problem_size)
{
    if (error == -EBADMSG)
        snprintf(problem, problem_size,
                 "%s is of other clauses, or a line of it is not a record; give --clause as it was given then, or name "
                 "another file with --output",
                 path);
    else
        snprintf(problem, problem_size, "%s: %s; --resume must be able to read it and to write to it", path,
                 strerror(-error));
}
