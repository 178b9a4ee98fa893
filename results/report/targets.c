#include "targets.h"

#include "format.h"
#include "parts.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const char *word(const cJSON *record, const char *name)
{
    const char *text = results_string(record, name);
    return text ? text : "";
}

static bool is_target(const cJSON *record)
{
    return strcmp(word(record, "record"), "target") == 0;
}

static bool same(const cJSON *a, const cJSON *b)
{
    static const char *const names[] = {"target", "row", "metric", "rival"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; ++i)
        if (strcmp(word(a, names[i]), word(b, names[i])) != 0)
            return false;
    return true;
}

/* "target-stream/unix/1MiB/1x1" is "unix"; what has no such form stays as it is. */
static void rival_words(char *out, size_t size, const cJSON *record)
{
    const char *rival = word(record, "rival");
    const char *metric = strcmp(rival, "line") == 0 ? "p50_ns" : word(record, "metric");
    const char *slash = strchr(rival, '/');
    int length = slash ? (int)strcspn(slash + 1, "/") : (int)strlen(rival);
    if (*rival == '\0')
        snprintf(out, size, "–");
    else if (strncmp(rival, "target-fanout/", 14) == 0)
        snprintf(out, size, "1 subscriber: %s", format_metric(metric, results_number(record, "rival_value")).text);
    else
        snprintf(out, size, "%.*s: %s", length < 60 ? length : 60, slash ? slash + 1 : rival,
                 format_metric(metric, results_number(record, "rival_value")).text);
}

static void interval(char *out, size_t size, const char *middle, const char *low, const char *high, bool has_one)
{
    if (has_one)
        snprintf(out, size, "%s (%s to %s)", middle, low, high);
    else
        snprintf(out, size, "%s", middle);
}

/* To two places, whatever the size: a bound of 1.1 is missed by 1.14. */
static struct formatted times(double ratio)
{
    struct formatted out = {"–"};
    if (isfinite(ratio))
        snprintf(out.text, sizeof out.text, "%.2f ×", ratio);
    return out;
}

static void figures(struct target_words *out, const cJSON *record)
{
    const char *metric = word(record, "metric"), *sign = strcmp(word(record, "bound_kind"), "at_most") == 0 ? "≤" : "≥";
    double median = results_number(record, "median"), low = results_number(record, "low");
    double high = results_number(record, "high"), bound = results_number(record, "bound");
    bool has_interval = isfinite(low) && isfinite(high);
    if (strcmp(word(record, "judged"), "ratio") == 0) {
        snprintf(out->measured, sizeof out->measured, "%s",
                 format_metric(metric, results_number(record, "value")).text);
        interval(out->ratio, sizeof out->ratio, times(median).text, times(low).text, times(high).text, has_interval);
        snprintf(out->bound, sizeof out->bound, "%s %s", sign, times(bound).text);
    } else {
        interval(out->measured, sizeof out->measured, format_metric(metric, median).text,
                 format_metric(metric, low).text, format_metric(metric, high).text, has_interval);
        snprintf(out->ratio, sizeof out->ratio, "–");
        snprintf(out->bound, sizeof out->bound, "%s %s", sign, format_metric(metric, bound).text);
    }
}

bool targets_read(const struct results_run *run, size_t number, struct target_words *out)
{
    const cJSON *record = run->records[number];
    if (!is_target(record))
        return false;
    for (size_t later = number + 1; later < run->record_count; ++later)
        if (is_target(run->records[later]) && same(record, run->records[later]))
            return false;
    out->name = word(record, "target");
    out->verdict = word(record, "verdict");
    out->why = word(record, "why");
    rival_words(out->rival, sizeof out->rival, record);
    figures(out, record);
    return true;
}

bool targets_any(const struct results_run *runs, size_t run_count)
{
    for (size_t r = 0; r < run_count; ++r)
        for (size_t i = 0; i < runs[r].record_count; ++i)
            if (is_target(runs[r].records[i]))
                return true;
    return false;
}

static void verdict_cell(struct page *page, const struct target_words *target)
{
    const char *class = strcmp(target->verdict, "reached") == 0       ? "good"
                        : strcmp(target->verdict, "not reached") == 0 ? "bad"
                                                                      : "unsure";
    page_open(page, "td", "class", "words", NULL);
    page_element(page, "span", class, target->verdict);
    if (*target->why)
        page_textf(page, ": %s", target->why);
    page_close(page);
}

static void table_head(struct page *page)
{
    static const char *const heads[] = {"Target",   "Measured", "Limit or rival", "Ratio, 95 % interval",
                                        "To reach", "Verdict"};
    page_open(page, "thead", NULL);
    page_open(page, "tr", NULL);
    for (size_t i = 0; i < sizeof heads / sizeof heads[0]; ++i) {
        page_open(page, "th", "scope", "col", NULL);
        page_text(page, heads[i]);
        page_close(page);
    }
    page_close(page);
    page_close(page);
}

static void table_row(struct page *page, const struct target_words *target)
{
    page_open(page, "tr", NULL);
    page_open(page, "th", "scope", "row", NULL);
    page_text(page, target->name);
    page_close(page);
    page_element(page, "td", NULL, target->measured);
    page_element(page, "td", NULL, target->rival);
    page_element(page, "td", NULL, target->ratio);
    page_element(page, "td", NULL, target->bound);
    verdict_cell(page, target);
    page_close(page);
}

void part_targets(struct page *page, const struct report *report)
{
    struct target_words target;
    part_begin(page, "targets", "Targets");
    page_element(page, "p", "lead",
                 "What libmmipc is to reach, each target judged by its ratio to a limit or rival that was measured in "
                 "the same blocks, or by a bound of its own. Of two rivals the one that is harder to reach counts.");
    for (size_t r = 0; r < report->run_count; ++r) {
        if (!targets_any(&report->runs[r], 1))
            continue;
        part_table_begin(page, "figures", "Targets of the reference implementation");
        table_head(page);
        page_open(page, "tbody", NULL);
        for (size_t i = 0; i < report->runs[r].record_count; ++i)
            if (targets_read(&report->runs[r], i, &target))
                table_row(page, &target);
        page_close(page);
        part_table_end(page);
    }
    page_close(page);
}
