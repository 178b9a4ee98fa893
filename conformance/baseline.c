#include "baseline.h"

#include "json.h"

#include "report.h"
#include "tally.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BASELINE_FORMAT = 1 };

struct baseline {
    cJSON *json;
};

/* ---- reading ----------------------------------------------------------------------------------------------------- */

static char *read_file(const char *path)
{
    FILE *file = fopen(path, "re");
    char *text = NULL;
    size_t size = 0;
    const ssize_t length = file != NULL ? getdelim(&text, &size, '\0', file) : -1;
    if (file != NULL)
        fclose(file);
    if (length < 0) {
        free(text);
        return NULL;
    }
    return text;
}

static bool is_baseline(const cJSON *json)
{
    const cJSON *format = cJSON_GetObjectItemCaseSensitive(json, "ipcmark_baseline");
    const cJSON *item, *verdicts = cJSON_GetObjectItemCaseSensitive(json, "verdicts");
    if (!cJSON_IsNumber(format) || format->valueint != BASELINE_FORMAT || !cJSON_IsArray(verdicts))
        return false;
    cJSON_ArrayForEach(item, verdicts)
    {
        if (json_text(item, "driver")[0] == '\0' || json_text(item, "clause")[0] == '\0' ||
            json_text(item, "verdict")[0] == '\0')
            return false;
    }
    return true;
}

int baseline_load(baseline **out, const char *path, char *problem, size_t problem_size)
{
    baseline *self = calloc(1, sizeof *self);
    const cJSON *number;
    char *text;
    int error = 0, version;
    errno = EBADMSG;
    text = self != NULL ? read_file(path) : NULL;
    if (text == NULL) {
        error = -errno;
        snprintf(problem, problem_size, "%s: %s; --accept-baseline writes one", path, strerror(-error));
        goto out;
    }
    self->json = cJSON_Parse(text);
    free(text);
    number = cJSON_GetObjectItemCaseSensitive(self->json, "contract_version");
    version = cJSON_IsNumber(number) ? number->valueint : 0;
    if (!is_baseline(self->json)) {
        error = -EBADMSG;
        snprintf(problem, problem_size, "%s is no baseline; --accept-baseline writes one", path);
    } else if (version != CONTRACT_VERSION) {
        error = -EBADMSG;
        snprintf(problem, problem_size,
                 "%s is of contract version %d, and this is version %d: its clauses may mean something else; look at "
                 "the verdicts anew, and accept them with --accept-baseline",
                 path, version, CONTRACT_VERSION);
    }
out:
    if (error < 0)
        baseline_free(self);
    else
        *out = self;
    return error;
}

void baseline_free(baseline *self)
{
    if (self != NULL)
        cJSON_Delete(self->json);
    free(self);
}

/* ---- comparing --------------------------------------------------------------------------------------------------- */

static const cJSON *find(const baseline *self, const char *driver, const clause *about)
{
    const cJSON *item;
    cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(self->json, "verdicts"))
    {
        if (strcmp(json_text(item, "driver"), driver) == 0 && strcmp(json_text(item, "clause"), about->id) == 0)
            return item;
    }
    return NULL;
}

static bool is_named(const cJSON *before, verdict value)
{
    return strcmp(json_text(before, "verdict"), verdict_name(value)) == 0;
}

static bool is_broken(verdict value)
{
    return value == VERDICT_FAIL || value == VERDICT_XPASS;
}

static bool was_broken(const cJSON *before)
{
    return is_named(before, VERDICT_FAIL) || is_named(before, VERDICT_XPASS);
}

/* An error is nobody's verdict, and is never excused. What is unknown may be so again, or where it failed: that tells
 * nothing new. */
static bool is_known(const cJSON *before, const result *now)
{
    if (is_broken(now->verdict))
        return was_broken(before) && strcmp(json_text(before, "class"), now->violation) == 0;
    return now->verdict == VERDICT_UNKNOWN && is_named(before, VERDICT_UNKNOWN);
}

bool baseline_excuses(const baseline *self, const result *item)
{
    const cJSON *before = find(self, item->driver, item->clause);
    return before != NULL && is_known(before, item);
}

typedef enum { NEWLY_FAILS, NEWLY_PASSES, ALWAYS_FAILED, IS_NEW, GIVEN_UP, AS_BEFORE } change;

/* A round that newly fails speaks for its clause. */
static bool newly_fails(const result_list *list, const char *driver, const clause *about)
{
    for (size_t i = 0; i < list->count; ++i) {
        const result *item = &list->items[i];
        if (item->clause == about && strcmp(item->driver, driver) == 0 && is_broken(item->verdict) && !item->excused)
            return true;
    }
    return false;
}

static change compare(const baseline *self, const result_list *list, const char *driver, const clause *about)
{
    size_t count, total;
    const verdict now = result_worst(list, driver, about, &count, &total);
    const cJSON *before = find(self, driver, about);
    if (total == 0)
        return AS_BEFORE;
    if (is_broken(now))
        return newly_fails(list, driver, about) ? NEWLY_FAILS : ALWAYS_FAILED;
    if (before == NULL)
        return IS_NEW;
    if (now == VERDICT_PASS && was_broken(before))
        return NEWLY_PASSES;
    return now == VERDICT_SKIP && !is_named(before, VERDICT_SKIP) ? GIVEN_UP : AS_BEFORE;
}

static size_t print_change(FILE *file, const baseline *self, const result_list *list, change which, int width)
{
    static const char *const words[] = {"newly fails", "no longer fails", "always failed", "is new",
                                        "is no longer claimed"};
    const char *drivers[REPORT_DRIVERS];
    const size_t driver_count = tally_drivers(list, drivers, REPORT_DRIVERS);
    size_t count = 0;
    for (size_t i = 0; i < driver_count; ++i) {
        const clause *about;
        char text[4096];
        size_t used = 0, before = count;
        for (size_t k = 0; (about = clause_at(k)) != NULL && used < sizeof text; ++k) {
            if (compare(self, list, drivers[i], about) != which)
                continue;
            used += (size_t)snprintf(text + used, sizeof text - used, "%s%s", used > 0 ? ", " : "", about->id);
            ++count;
        }
        if (count > before) {
            char line[4352];
            snprintf(line, sizeof line, "%s %s: %s", drivers[i], words[which], text);
            report_wrapped(file, line, 2, width > 0 ? width : 120);
        }
    }
    return count;
}

void baseline_print(FILE *file, const baseline *self, const result_list *list, int width)
{
    size_t count = 0;
    fputs("\nAgainst the baseline\n", file);
    for (change which = NEWLY_FAILS; which < AS_BEFORE; ++which)
        count += print_change(file, self, list, which, width);
    if (count == 0)
        fputs("  nothing has changed\n", file);
}

/* ---- writing ----------------------------------------------------------------------------------------------------- */

static const char *class_of(const result_list *list, const char *driver, const clause *about, verdict worst)
{
    for (size_t i = 0; i < list->count; ++i) {
        const result *item = &list->items[i];
        if (item->clause == about && item->verdict == worst && strcmp(item->driver, driver) == 0)
            return item->violation;
    }
    return "";
}

static cJSON *verdicts_json(const result_list *list)
{
    const char *drivers[REPORT_DRIVERS];
    const size_t driver_count = tally_drivers(list, drivers, REPORT_DRIVERS);
    cJSON *json = cJSON_CreateArray();
    const clause *about;
    for (size_t i = 0; i < driver_count; ++i)
        for (size_t k = 0; (about = clause_at(k)) != NULL; ++k) {
            size_t count, total;
            const verdict worst = result_worst(list, drivers[i], about, &count, &total);
            cJSON *item;
            if (total == 0)
                continue;
            item = cJSON_CreateObject();
            cJSON_AddStringToObject(item, "driver", drivers[i]);
            cJSON_AddStringToObject(item, "clause", about->id);
            cJSON_AddStringToObject(item, "verdict", verdict_name(worst));
            cJSON_AddStringToObject(item, "class", class_of(list, drivers[i], about, worst));
            cJSON_AddItemToArray(json, item);
        }
    return json;
}

/* A line each verdict, so that a change of it is a line in a diff. */
static int write_lines(FILE *file, const cJSON *verdicts)
{
    const cJSON *item;
    fprintf(file, "{\"ipcmark_baseline\": %d, \"contract_version\": %d, \"verdicts\": [", BASELINE_FORMAT,
            CONTRACT_VERSION);
    cJSON_ArrayForEach(item, verdicts)
    {
        char *line = cJSON_PrintUnformatted(item);
        if (line == NULL)
            return -ENOMEM;
        fprintf(file, "%s\n  %s", item == verdicts->child ? "" : ",", line);
        cJSON_free(line);
    }
    fputs("\n]}\n", file);
    return ferror(file) ? -EIO : 0;
}

static cJSON *detach(cJSON *verdicts, const cJSON *like)
{
    cJSON *item;
    cJSON_ArrayForEach(item, verdicts)
    {
        if (strcmp(json_text(item, "driver"), json_text(like, "driver")) == 0 &&
            strcmp(json_text(item, "clause"), json_text(like, "clause")) == 0)
            return cJSON_DetachItemViaPointer(verdicts, item);
    }
    return NULL;
}

/* What was not run now stays as it was accepted, and where it was. */
static cJSON *merge(const char *path, cJSON *verdicts)
{
    baseline *before;
    char problem[8192];
    cJSON *all, *item, *now;
    if (baseline_load(&before, path, problem, sizeof problem) < 0)
        return verdicts; /* there is none, or none that still means anything */
    all = cJSON_CreateArray();
    cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(before->json, "verdicts"))
    {
        now = detach(verdicts, item);
        cJSON_AddItemToArray(all, now != NULL ? now : cJSON_Duplicate(item, 1));
    }
    while ((now = cJSON_DetachItemFromArray(verdicts, 0)) != NULL)
        cJSON_AddItemToArray(all, now);
    cJSON_Delete(verdicts);
    baseline_free(before);
    return all;
}

int baseline_accept(const char *path, const result_list *list)
{
    char draft[4096];
    cJSON *verdicts = merge(path, verdicts_json(list));
    FILE *file;
    int error;
    if ((size_t)snprintf(draft, sizeof draft, "%s.%d", path, (int)getpid()) >= sizeof draft) {
        cJSON_Delete(verdicts);
        return -ENAMETOOLONG;
    }
    file = fopen(draft, "we");
    error = file == NULL ? -errno : write_lines(file, verdicts);
    if (file != NULL && fclose(file) != 0 && error == 0)
        error = -errno;
    if (error == 0 && rename(draft, path) < 0)
        error = -errno;
    if (error < 0)
        unlink(draft);
    cJSON_Delete(verdicts);
    return error;
}
