#include "shards.h"

#include "../analysis/fitness.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct complaint {
    char *text;
    size_t size;
};

static int complain(const struct complaint *complaint, const char *format, ...) __attribute__((format(printf, 2, 3)));
static int complain(const struct complaint *complaint, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(complaint->text, complaint->size, format, arguments);
    va_end(arguments);
    return -EINVAL;
}

static int shard_number(const struct results_run *run, const char *name)
{
    double number = results_number(results_object(run->header, "shard"), name);
    return number >= 1 && number <= 1e6 && number == (int)number ? (int)number : 0;
}

static int by_index(const void *left, const void *right)
{
    int a = shard_number(left, "index"), b = shard_number(right, "index");
    return (a > b) - (a < b);
}

/* Of each shard its own, whatever the run is. */
static bool is_own(const char *path)
{
    static const char *const own[] = {"run",         "planned", "command",          "started",
                                      "shard.index", "merged",  "environment.load", "environment.memory_bytes"};
    for (size_t i = 0; i < sizeof own / sizeof own[0]; ++i)
        if (strcmp(own[i], path) == 0)
            return true;
    return false;
}

static void value_text(char out[64], const cJSON *value)
{
    char *text = value ? cJSON_PrintUnformatted(value) : NULL;
    snprintf(out, 64, "%s", text ? text : "not there");
    cJSON_free(text);
}

static bool differs(struct difference *out, const char *path, const cJSON *one, const cJSON *other);

static bool members_differ(struct difference *out, const char *path, const cJSON *one, const cJSON *other)
{
    const cJSON *member;
    char below[sizeof out->path];
    cJSON_ArrayForEach(member, one)
    {
        snprintf(below, sizeof below, "%s%s%s", path, *path ? "." : "", member->string);
        if (differs(out, below, member, cJSON_GetObjectItemCaseSensitive(other, member->string)))
            return true;
    }
    cJSON_ArrayForEach(member, other)
    {
        snprintf(below, sizeof below, "%s%s%s", path, *path ? "." : "", member->string);
        if (cJSON_GetObjectItemCaseSensitive(one, member->string) == NULL && differs(out, below, NULL, member))
            return true;
    }
    return false;
}

static bool elements_differ(struct difference *out, const char *path, const cJSON *one, const cJSON *other)
{
    char below[sizeof out->path];
    int count = cJSON_GetArraySize(one);
    for (int i = 0; i < count; ++i) {
        const char *name = results_string(cJSON_GetArrayItem(one, i), "name");
        if (name)
            snprintf(below, sizeof below, "%s.%s", path, name);
        else
            snprintf(below, sizeof below, "%s[%d]", path, i);
        if (differs(out, below, cJSON_GetArrayItem(one, i), cJSON_GetArrayItem(other, i)))
            return true;
    }
    return false;
}

static bool differs(struct difference *out, const char *path, const cJSON *one, const cJSON *other)
{
    if (is_own(path))
        return false;
    if (cJSON_IsObject(one) && cJSON_IsObject(other))
        return members_differ(out, path, one, other);
    if (cJSON_IsArray(one) && cJSON_IsArray(other) && cJSON_GetArraySize(one) == cJSON_GetArraySize(other))
        return elements_differ(out, path, one, other);
    if (one && other && cJSON_Compare(one, other, true))
        return false;
    snprintf(out->path, sizeof out->path, "%s", path);
    value_text(out->one, one);
    value_text(out->other, other);
    return true;
}

struct difference shards_difference(const cJSON *header, const cJSON *other)
{
    struct difference difference = {.path = ""};
    differs(&difference, "", header, other);
    return difference;
}

static int check_shard(const struct results_run *run, const struct complaint *complaint)
{
    int index = shard_number(run, "index"), count = shard_number(run, "count");
    if (index > 0 && index <= count)
        return 0;
    return complain(complaint,
                    "%s is no shard: it was measured without --shard, and is whole or another run's; leave it out",
                    run->file);
}

/* That it holds all of its blocks, and no others. */
static int check_records(const struct results_run *run, const struct complaint *complaint)
{
    int index = shard_number(run, "index"), count = shard_number(run, "count");
    if (results_run_cut_short(run))
        return complain(
            complaint,
            "%s: shard %d of %d was cut short (%zu of %.0f records); go on with it with --resume, then merge",
            run->file, index, count, run->cell_count + run->case_count, results_planned(run));
    for (size_t i = 0; count > 0 && i < run->cell_count; ++i)
        if (run->cells[i].block % count != index - 1)
            return complain(complaint, "%s: block %d of row %s is not of shard %d of %d; the file was changed",
                            run->file, run->cells[i].block, run->cells[i].row, index, count);
    return 0;
}

static int check_same(const struct results_run *first, const struct results_run *run, const struct complaint *complaint)
{
    struct difference difference = shards_difference(first->header, run->header);
    if (*difference.path == '\0')
        return 0;
    return complain(complaint,
                    "%s and %s are not of one run: %s is %s in the one and %s in the other; leave out the foreign one, "
                    "or compare two runs with ipcmark report",
                    first->file, run->file, difference.path, difference.one, difference.other);
}

char *shards_command(const struct results_run *run)
{
    char *whole = strdup(results_header(run, "command")), *option = whole ? strstr(whole, " --shard") : NULL;
    char *end = option ? option + strlen(" --shard") : NULL;
    if (option == NULL || (*end != ' ' && *end != '='))
        return whole;
    end += 1 + strcspn(end + 1, " ");
    memmove(option, end, strlen(end) + 1);
    return whole;
}

/* What is missing is named, with the command that measures it. */
static int check_complete(const struct results_run *runs, size_t count, const struct complaint *complaint)
{
    int all = shard_number(&runs[0], "count"), absent = 0;
    char names[128] = "", *command;
    for (int index = 1; index <= all; ++index) {
        bool found = false;
        size_t used = strlen(names);
        for (size_t i = 0; i < count; ++i)
            found = found || shard_number(&runs[i], "index") == index;
        if (!found && ++absent <= 8)
            snprintf(names + used, sizeof names - used, "%s%d", absent > 1 ? ", " : "", index);
    }
    if (absent == 0)
        return 0;
    command = shards_command(&runs[0]);
    complain(complaint, "shard%s %s%s of %d %s missing; measure %s: %s --shard %.*s/%d", absent > 1 ? "s" : "", names,
             absent > 8 ? ", …" : "", all, absent > 1 ? "are" : "is", absent > 1 ? "each" : "it",
             command ? command : "ipcmark bench", (int)strcspn(names, ","), names, all);
    free(command);
    return -EINVAL;
}

int shards_check(struct results_run *runs, size_t count, char *error, size_t error_size)
{
    const struct complaint complaint = {error, error_size};
    int result = 0;
    for (size_t i = 0; i < count && result == 0; ++i) {
        result = check_shard(&runs[i], &complaint);
        if (result == 0 && i > 0)
            result = check_same(&runs[0], &runs[i], &complaint);
        if (result == 0)
            result = check_records(&runs[i], &complaint);
    }
    if (result)
        return result;
    qsort(runs, count, sizeof *runs, by_index);
    for (size_t i = 1; i < count; ++i)
        if (by_index(&runs[i - 1], &runs[i]) == 0)
            return complain(&complaint, "%s and %s are both shard %d of %d; give it once", runs[i - 1].file,
                            runs[i].file, shard_number(&runs[i], "index"), shard_number(&runs[i], "count"));
    result = check_complete(runs, count, &complaint);
    return result ? result : results_runs_check(runs, count, error, error_size);
}
