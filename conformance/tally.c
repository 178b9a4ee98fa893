#include "tally.h"

#include "json.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

size_t tally_contract(void)
{
    size_t count = 0;
    while (clause_at(count) != NULL)
        ++count;
    return count;
}

size_t tally_drivers(const result_list *list, const char **drivers, size_t room)
{
    size_t count = 0;
    for (size_t i = 0; i < list->count; ++i) {
        size_t known = 0;
        while (known < count && strcmp(drivers[known], list->items[i].driver) != 0)
            ++known;
        if (known == count && count < room)
            drivers[count++] = list->items[i].driver;
    }
    return count;
}

static bool is_broken(verdict value)
{
    return value == VERDICT_FAIL || value == VERDICT_XPASS;
}

/* A clause is excused when none of its broken rounds counts. */
static bool is_excused(const result_list *list, const char *driver, const clause *about)
{
    for (size_t i = 0; i < list->count; ++i) {
        const result *item = &list->items[i];
        if (item->clause == about && strcmp(item->driver, driver) == 0 && is_broken(item->verdict) && !item->excused)
            return false;
    }
    return true;
}

void tally_take(tally *out, const result_list *list, const char *driver)
{
    const clause *about;
    memset(out, 0, sizeof *out);
    out->worst = VERDICT_SKIP;
    for (size_t i = 0; (about = clause_at(i)) != NULL; ++i) {
        size_t count, total;
        const verdict worst = result_worst(list, driver, about, &count, &total);
        if (total == 0)
            continue;
        ++out->clauses;
        ++out->by_verdict[worst];
        out->must_broken += is_broken(worst) && !about->should;
        out->should_broken += is_broken(worst) && about->should;
        out->excused += is_broken(worst) && is_excused(list, driver, about);
        out->worst = verdict_worse(out->worst, worst);
    }
}

static const char *missing_of(const result_list *list, const char *driver, const clause *about)
{
    for (size_t i = 0; i < list->count; ++i)
        if (list->items[i].clause == about && strcmp(list->items[i].driver, driver) == 0)
            return list->items[i].missing;
    return "";
}

verdict tally_cell(const result_list *list, const char *driver, const clause *about, char *text, size_t size)
{
    size_t count, total;
    const verdict worst = result_worst(list, driver, about, &count, &total);
    const char *missing = worst == VERDICT_SKIP ? missing_of(list, driver, about) : "";
    if (total == 0)
        text[0] = '\0';
    else if (worst == VERDICT_SKIP)
        snprintf(text, size, "skip%s%s", missing[0] != '\0' ? ": " : "", missing);
    else if (total > 1)
        snprintf(text, size, "%s %zu/%zu", verdict_name(worst), count, total);
    else
        snprintf(text, size, "%s", verdict_name(worst));
    return worst;
}

/* ---- in words ---------------------------------------------------------------------------------------------------- */

static void add(char *text, size_t size, const char *format, ...) __attribute__((format(printf, 3, 4)));

static void add(char *text, size_t size, const char *format, ...)
{
    const size_t used = strlen(text);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text + used, size - used, format, arguments);
    va_end(arguments);
}

static const char *word_of(const tally *self)
{
    static const char *const words[VERDICT_COUNT] = {[VERDICT_PASS] = "holds",
                                                     [VERDICT_XFAIL] = "holds, but for what is known",
                                                     [VERDICT_SKIP] = "nothing was judged",
                                                     [VERDICT_UNKNOWN] = "unknown",
                                                     [VERDICT_FAIL] = "FAILS",
                                                     [VERDICT_XPASS] = "FAILS",
                                                     [VERDICT_ERROR] = "ERROR"};
    return words[self->worst];
}

void tally_sentence(const tally *self, char *text, size_t size)
{
    const size_t must = self->must_broken, should = self->should_broken;
    snprintf(text, size, "%s: %zu of %zu clauses pass", word_of(self), self->by_verdict[VERDICT_PASS], self->clauses);
    if (must > 0 && should > 0)
        add(text, size, ", %zu MUST and %zu SHOULD fail", must, should);
    else if (must + should > 0)
        add(text, size, ", %zu %s fail", must + should, must > 0 ? "MUST" : "SHOULD");
    if (self->excused > 0)
        add(text, size, " (%zu of these do not count)", self->excused);
    if (self->by_verdict[VERDICT_ERROR] > 0)
        add(text, size, ", %zu in error", self->by_verdict[VERDICT_ERROR]);
    if (self->by_verdict[VERDICT_UNKNOWN] > 0)
        add(text, size, ", %zu unknown", self->by_verdict[VERDICT_UNKNOWN]);
    if (self->by_verdict[VERDICT_XFAIL] > 0)
        add(text, size, ", %zu fail as expected", self->by_verdict[VERDICT_XFAIL]);
    if (self->by_verdict[VERDICT_SKIP] > 0)
        add(text, size, ", %zu skipped", self->by_verdict[VERDICT_SKIP]);
    if (self->clauses < tally_contract())
        add(text, size, "; the contract has %zu", tally_contract());
}

/* ---- figures ----------------------------------------------------------------------------------------------------- */

static bool is_figure(const tally_figure *self, const clause *about, const cJSON *figure)
{
    return self->clause == about && strcmp(self->name, json_text(figure, "name")) == 0 &&
           strcmp(self->unit, json_text(figure, "unit")) == 0;
}

static void add_figure(tally_figure *out, size_t *count, size_t room, const clause *about, const cJSON *figure)
{
    for (size_t i = 0; i < *count; ++i)
        if (is_figure(&out[i], about, figure))
            return;
    if (*count < room)
        out[(*count)++] = (tally_figure){about, json_text(figure, "name"), json_text(figure, "unit")};
}

size_t tally_figures(const result_list *list, tally_figure *out, size_t room)
{
    const clause *about;
    size_t count = 0;
    for (size_t k = 0; (about = clause_at(k)) != NULL; ++k)
        for (size_t i = 0; i < list->count; ++i) {
            const cJSON *figure;
            if (list->items[i].clause == about)
                cJSON_ArrayForEach(figure, list->items[i].figures) add_figure(out, &count, room, about, figure);
        }
    return count;
}

static int compare_numbers(const void *left, const void *right)
{
    const double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

bool tally_figure_median(const result_list *list, const char *driver, const tally_figure *what, double *out)
{
    double *values = calloc(list->count + 1, sizeof *values);
    size_t count = 0;
    for (size_t i = 0; values != NULL && i < list->count; ++i) {
        const result *item = &list->items[i];
        const cJSON *figure;
        if (strcmp(item->driver, driver) != 0)
            continue;
        cJSON_ArrayForEach(figure, item->figures)
        {
            const cJSON *value = cJSON_GetObjectItemCaseSensitive(figure, "value");
            if (is_figure(what, item->clause, figure) && cJSON_IsNumber(value)) {
                values[count++] = value->valuedouble;
                break;
            }
        }
    }
    if (count > 0) {
        qsort(values, count, sizeof *values, compare_numbers);
        *out = (values[(count - 1) / 2] + values[count / 2]) / 2;
    }
    free(values);
    return count > 0;
}

void tally_figure_text(double value, const char *unit, char *text, size_t size)
{
    static const struct {
        const char *unit;
        double from; /* the least value that is shown in this scale */
        double by;
        const char *shown;
    } scales[] = {{"s", 1, 1, "s"},
                  {"s", 1e-3, 1e3, "ms"},
                  {"s", 1e-6, 1e6, "µs"},
                  {"s", 0, 1e9, "ns"},
                  {"bytes", 1 << 30, 1.0 / (1 << 30), "GiB"},
                  {"bytes", 1 << 20, 1.0 / (1 << 20), "MiB"},
                  {"bytes", 1 << 10, 1.0 / (1 << 10), "KiB"}};
    for (size_t i = 0; i < sizeof scales / sizeof scales[0]; ++i)
        if (strcmp(unit, scales[i].unit) == 0 && value >= scales[i].from) {
            snprintf(text, size, "%.3g %s", value * scales[i].by, scales[i].shown);
            return;
        }
    snprintf(text, size, "%.6g %s", value, unit);
}
