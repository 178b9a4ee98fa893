#include "targets.h"

#include "format.h"
#include "parts.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* "target-stream/unix/1MiB/1x1" is "unix"; what has no such form stays as it is. */
static void rival_words(char *out, size_t size, const struct results_target_verdict *verdict)
{
    const char *rival = verdict->rival ? verdict->rival : "";
    const char *metric = strcmp(rival, "line") == 0 ? "p50_ns" : verdict->target->metric;
    const char *slash = strchr(rival, '/');
    int length = slash ? (int)strcspn(slash + 1, "/") : (int)strlen(rival);
    if (*rival == '\0')
        snprintf(out, size, "–");
    else if (isnan(verdict->rival_value))
        snprintf(out, size, "%.*s", length < 60 ? length : 60, slash ? slash + 1 : rival);
    else if (strncmp(rival, "target-fanout/", 14) == 0)
        snprintf(out, size, "1 subscriber: %s", format_metric(metric, verdict->rival_value).text);
    else
        snprintf(out, size, "%.*s: %s", length < 60 ? length : 60, slash ? slash + 1 : rival,
                 format_metric(metric, verdict->rival_value).text);
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
        snprintf(out.text, sizeof out.text, "%.2f\u202f×", ratio);
    return out;
}

static void figures(struct target_words *out, const struct results_target_verdict *verdict)
{
    const struct results_target *target = verdict->target;
    const struct results_spread *judged = &verdict->judged;
    const char *metric = target->metric, *sign = target->at_most ? "≤" : "≥";
    bool has_interval = isfinite(judged->low) && isfinite(judged->high);
    if (target->rivals[0]) {
        snprintf(out->measured, sizeof out->measured, "%s", format_metric(metric, verdict->value).text);
        interval(out->ratio, sizeof out->ratio, times(judged->median).text, times(judged->low).text,
                 times(judged->high).text, has_interval);
        snprintf(out->bound, sizeof out->bound, "%s %s", sign, times(target->bound).text);
    } else {
        interval(out->measured, sizeof out->measured, format_metric(metric, judged->median).text,
                 format_metric(metric, judged->low).text, format_metric(metric, judged->high).text, has_interval);
        snprintf(out->ratio, sizeof out->ratio, "–");
        snprintf(out->bound, sizeof out->bound, "%s %s", sign, format_metric(metric, target->bound).text);
    }
}

struct target_words *targets_words(const struct report *report, size_t run)
{
    struct results_target_verdict verdicts[RESULTS_TARGETS];
    struct target_words *out = calloc(RESULTS_TARGETS, sizeof *out);
    if (out == NULL)
        return NULL;
    results_targets_judge(&report->rows, run, verdicts);
    for (size_t i = 0; i < RESULTS_TARGETS; ++i) {
        out[i].name = verdicts[i].target->name;
        out[i].verdict = verdicts[i].word;
        out[i].why = verdicts[i].unknown ? verdicts[i].unknown : "";
        rival_words(out[i].rival, sizeof out[i].rival, &verdicts[i]);
        figures(&out[i], &verdicts[i]);
    }
    return out;
}

bool targets_any(const struct report *report)
{
    for (size_t run = 0; run < report->rows.run_count; ++run)
        if (results_targets_any(&report->rows, run))
            return true;
    return false;
}

static const char *const heads[] = {"Target",  "Verdict", "Measured", "Limit or rival", "Ratio, 95 % interval",
                                    "To reach"};

/* The roles say what the elements are anyway: see conformance.c. On a narrow screen a cell says what it is of, and one
 * with nothing in it is left out. */
static void cell_begin(struct page *page, size_t column, const char *class)
{
    page_open(page, "td", "role", "cell", "class", class, NULL);
    page_open(page, "span", "class", "who", "aria-hidden", "true", NULL);
    page_text(page, heads[column]);
    page_close(page);
}

static void verdict_cell(struct page *page, const struct target_words *target)
{
    const char *class = strcmp(target->verdict, "reached") == 0       ? "good"
                        : strcmp(target->verdict, "not reached") == 0 ? "bad"
                                                                      : "unsure";
    cell_begin(page, 1, "words");
    page_element(page, "span", class, target->verdict);
    if (*target->why)
        page_textf(page, ": %s", target->why);
    page_close(page);
}

static void table_head(struct page *page)
{
    page_open(page, "thead", "role", "rowgroup", NULL);
    page_open(page, "tr", "role", "row", NULL);
    for (size_t i = 0; i < sizeof heads / sizeof heads[0]; ++i) {
        page_open(page, "th", "scope", "col", "role", "columnheader", NULL);
        page_text(page, heads[i]);
        page_close(page);
    }
    page_close(page);
    page_close(page);
}

static void table_row(struct page *page, const struct target_words *target)
{
    const char *const texts[] = {target->measured, target->rival, target->ratio, target->bound};
    page_open(page, "tr", "role", "row", NULL);
    page_open(page, "th", "scope", "row", "role", "rowheader", NULL);
    page_text(page, target->name);
    page_close(page);
    verdict_cell(page, target);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; ++i) {
        cell_begin(page, 2 + i, strcmp(texts[i], "–") == 0 ? "empty" : NULL);
        page_text(page, texts[i]);
        page_close(page);
    }
    page_close(page);
}

void part_targets(struct page *page, const struct report *report)
{
    part_begin(page, "targets", "Targets");
    page_element(page, "p", "lead",
                 "What libmmipc is to reach, each target judged by its ratio to a limit or rival that was measured in "
                 "the same blocks, or by a bound of its own. Of two rivals the one that is harder to reach counts.");
    for (size_t run = 0; run < report->rows.run_count; ++run) {
        struct target_words *words = NULL;
        if (!results_targets_any(&report->rows, run) || (words = targets_words(report, run)) == NULL)
            continue;
        part_table_begin(page, "figures targets", "Targets of the reference implementation");
        table_head(page);
        page_open(page, "tbody", "role", "rowgroup", NULL);
        for (size_t i = 0; i < RESULTS_TARGETS; ++i)
            table_row(page, &words[i]);
        page_close(page);
        part_table_end(page);
        free(words);
    }
    page_close(page);
}
