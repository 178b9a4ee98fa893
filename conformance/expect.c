#include "expect.h"

#include "ipcmark/checker.h"

#include <ctype.h>
#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    char clause[32], driver[128], reason[32];
    unsigned line;
    enum { XFAIL, INTERMITTENT, FLAKY, KINDS } kind;
    unsigned k, n;             /* of a flaky line */
    unsigned failures, passes; /* seen in this run */
    bool met;                  /* a driver of this run is meant */
} expectation;

static const char *const kinds[KINDS] = {[XFAIL] = "xfail", [INTERMITTENT] = "intermittent", [FLAKY] = "flaky"};

enum { STEADY = 20 }; /* so often the same, and it is perhaps no race */

struct expect_list {
    expectation *items;
    size_t count;
};

static bool is_class(const char *name)
{
    for (unsigned i = 1; i < IPCMARK_CLASSES; ++i)
        if (strcmp(name, ipcmark_class_text((enum ipcmark_class)i)) == 0)
            return true;
    return false;
}

static bool is_of_a_clause(const char *pattern)
{
    const clause *about;
    for (size_t i = 0; (about = clause_at(i)) != NULL; ++i)
        if (clause_matches(pattern, about->id))
            return true;
    return false;
}

/* Parses one line. Returns NULL, or what is wrong with it. */
static const char *parse_line(const char *line, expectation *out)
{
    char kind[16] = "", end;
    int used = 0;
    memset(out, 0, sizeof *out);
    if (sscanf(line, "%31s %127s %15s %31s %n", out->clause, out->driver, kind, out->reason, &used) != 4)
        return "five fields are needed: clause, driver, kind, reason, source";
    if (line[used] == '\0')
        return "the source is missing: say where it is known from, so that somebody can look whether it still holds";
    while (out->kind < KINDS && strcmp(kind, kinds[out->kind]) != 0)
        ++out->kind;
    if (out->kind == KINDS)
        return "the third field must be xfail, intermittent or flaky";
    if (!is_of_a_clause(out->clause))
        return "no clause is called so; --list shows them all";
    if (out->kind != FLAKY && !is_class(out->reason))
        return "there is no such class of violations; the report of a failure names its own, and results/FORMAT.md all";
    if (out->kind == FLAKY &&
        (sscanf(out->reason, "%u/%u%c", &out->k, &out->n, &end) != 2 || out->k == 0 || out->k > out->n))
        return "the reason of a flaky line is how often it fails: k/n, for instance 2/20";
    return NULL;
}

static int add_line(expect_list *list, const expectation *item)
{
    expectation *items = realloc(list->items, (list->count + 1) * sizeof *items);
    if (items == NULL)
        return -ENOMEM;
    list->items = items;
    list->items[list->count++] = *item;
    return 0;
}

int expect_load(expect_list **out, const char *path, char *text, size_t text_size)
{
    FILE *file = fopen(path, "re");
    expect_list *list = calloc(1, sizeof *list);
    char *line = NULL;
    size_t room = 0;
    int error = 0;
    if (file == NULL || list == NULL) {
        error = file == NULL ? -errno : -ENOMEM;
        snprintf(text, text_size, "%s: %s", path, strerror(-error));
        goto out;
    }
    for (unsigned number = 1; error == 0 && getline(&line, &room, file) >= 0; ++number) {
        const char *start = line + strspn(line, " \t"), *wrong;
        expectation item;
        line[strcspn(line, "\r\n")] = '\0';
        if (*start == '\0' || *start == '#')
            continue;
        wrong = parse_line(start, &item);
        item.line = number;
        error = wrong != NULL ? -EINVAL : add_line(list, &item);
        if (error < 0)
            snprintf(text, text_size, "%s:%u: %s", path, number, wrong != NULL ? wrong : strerror(-error));
    }
    if (error == 0 && ferror(file)) {
        error = -errno;
        snprintf(text, text_size, "%s: %s; name a file", path, strerror(-error));
    }
out:
    free(line);
    if (file != NULL)
        fclose(file);
    if (error == 0)
        *out = list;
    else
        expect_free(list);
    return error;
}

void expect_free(expect_list *list)
{
    if (list != NULL)
        free(list->items);
    free(list);
}

static bool is_tolerated(const expectation *item, unsigned rounds)
{
    return (unsigned long)item->failures * item->n <= (unsigned long)item->k * rounds;
}

/* Whoever reads of an xpass shall know which line to mend. */
static void surprise(const expectation *item, result *what)
{
    const bool passed = what->verdict == VERDICT_PASS;
    char *text;
    if (asprintf(&text, "the expectation `%s %s %s %s` does not hold: %s%s", item->clause, item->driver,
                 kinds[item->kind], item->reason, passed ? "it passed; take the line out" : "it failed otherwise: ",
                 passed || what->text == NULL ? "" : what->text) >= 0) {
        free(what->text);
        what->text = text;
    }
    what->verdict = VERDICT_XPASS;
}

/* Counts it, too. */
static bool excuse(expectation *item, const result *what, unsigned rounds)
{
    item->passes += what->verdict == VERDICT_PASS;
    item->failures += what->verdict == VERDICT_FAIL;
    return what->verdict == VERDICT_FAIL &&
           (item->kind == FLAKY ? is_tolerated(item, rounds) : strcmp(item->reason, what->violation) == 0);
}

static bool is_surprising(const expectation *item, const result *what)
{
    return item->kind != FLAKY &&
           (what->verdict == VERDICT_FAIL || (item->kind == XFAIL && what->verdict == VERDICT_PASS));
}

void expect_apply(expect_list *list, result *what, unsigned rounds)
{
    for (size_t i = 0; list != NULL && i < list->count; ++i) {
        expectation *item = &list->items[i];
        if (!clause_matches(item->clause, what->clause->id) || fnmatch(item->driver, what->driver, 0) != 0)
            continue;
        if (excuse(item, what, rounds))
            what->verdict = VERDICT_XFAIL;
        else if (is_surprising(item, what))
            surprise(item, what);
        return;
    }
}

bool expect_too_many_flaky(const expect_list *list, const char *driver)
{
    size_t count = 0;
    for (size_t i = 0; list != NULL && i < list->count; ++i)
        count += list->items[i].kind == FLAKY && fnmatch(list->items[i].driver, driver, 0) == 0;
    return count > 2;
}

void expect_meet(expect_list *list, const char *driver)
{
    for (size_t i = 0; list != NULL && i < list->count; ++i)
        list->items[i].met |= fnmatch(list->items[i].driver, driver, 0) == 0;
}

void expect_print_steady(FILE *file, const expect_list *list, const char *path)
{
    for (size_t i = 0; list != NULL && i < list->count; ++i) {
        const expectation *item = &list->items[i];
        if (item->kind != INTERMITTENT || item->passes + item->failures < STEADY)
            continue;
        if (item->failures == 0)
            fprintf(file, "%s:%u: passed %u times of %u; is it mended? Then take the line out\n", path, item->line,
                    item->passes, item->passes);
        else if (item->passes == 0)
            fprintf(file, "%s:%u: failed %u times of %u; if it always does, the line should say xfail\n", path,
                    item->line, item->failures, item->failures);
    }
}

void expect_print_unmet(FILE *file, const expect_list *list, const char *path)
{
    size_t count = 0;
    for (size_t i = 0; list != NULL && i < list->count; ++i)
        if (!list->items[i].met)
            fprintf(file, "%s%u", count++ == 0 ? "" : ", ", list->items[i].line);
    if (count > 0)
        fprintf(file, ": these lines of %s are for no driver of this run\n", path);
}
