/* Ratios: to pipe and TCP, to the machine's own limits, and between runs. Within a run they are paired, cell by cell
 * within a block and a placement of the CPUs, since on many machines everything moves with the placement. */
#include "families.h"
#include "format.h"
#include "parts.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

struct category {
    char text[192];
};

/* "One way, both awake / cache line, 64 B". One publisher and one subscriber go without saying. */
static struct category category_of(const struct results_row *row, const char *beside)
{
    const struct family *family = family_find(row->family);
    struct category out;
    snprintf(out.text, sizeof out.text, "%s%s%s, %s",
             family->measures[0].title ? family->measures[0].title : family->title, *beside ? " / " : "", beside,
             family_label(row, true).text);
    return out;
}

/* What a figure shows of a row: a ratio, and to what; false: there is no further one. */
struct shown {
    const struct results_spread *ratio;
    const char *beside;
};
typedef bool ratio_fn(const struct row_figures *figures, size_t which, size_t number, struct shown *out);

static bool to_rival(const struct row_figures *figures, size_t which, size_t number, struct shown *out)
{
    *out = (struct shown){&figures->better[which], ""};
    return number == 0;
}

/* The limit that nobody beat, and those that the row beat. */
static bool to_limit(const struct row_figures *figures, size_t unused, size_t number, struct shown *out)
{
    const struct results_limit *limit = &figures->limit;
    (void)unused;
    if (number > figures->beaten_count)
        return false;
    if (number > 0)
        limit = &figures->beaten[number - 1];
    *out = (struct shown){&limit->distance.spread, limit->name};
    return true;
}

static bool to_first_run(const struct row_figures *figures, size_t unused, size_t number, struct shown *out)
{
    (void)unused;
    *out = (struct shown){&figures->first.spread, ""};
    return number == 0;
}

/* One shape speaks for a family: the first, which is the smallest. */
static bool speaks_for_family(const struct report *report, const struct results_row *row)
{
    for (size_t i = 0; i < report->rows.count; ++i)
        if (strcmp(report->order[i]->family, row->family) == 0)
            return strcmp(report->order[i]->shape, row->shape) == 0;
    return false;
}

struct ratios {
    ratio_fn *ratio;
    size_t which;
    const char *value; /* the head of their column */
    bool all;          /* not only of the rows that speak for their families */
};

/* Family by family; rows are sorted by shape, and within it by implementation. page NULL counts. */
static size_t ratio_rows(struct page *page, const struct report *report, const struct ratios *ratios)
{
    size_t count = 0;
    for (size_t i = 0; i < report->rows.count; ++i) {
        const struct results_row *row = report->order[i];
        struct shown shown;
        if (family_find(row->family) == NULL || (!ratios->all && !speaks_for_family(report, row)))
            continue;
        for (size_t n = 0; ratios->ratio(report_figures(report, row), ratios->which, n, &shown); ++n) {
            struct bar bar = {.label = row->label, .spread = *shown.ratio};
            struct category category;
            if (shown.ratio->count == 0)
                continue;
            ++count;
            category = category_of(row, shown.beside);
            bar.category = category.text;
            if (page)
                part_bar(page, report, &bar);
        }
    }
    return count;
}

static void ratio_bars(struct page *page, const struct report *report, const struct figure *figure,
                       const struct ratios *ratios)
{
    part_bars_begin(page, figure, ratios->value);
    ratio_rows(page, report, ratios);
    part_bars_end(page);
}

/* A row of each family; all others are for who opens them. */
static void ratio_figure(struct page *page, const struct report *report, const struct figure *figure,
                         struct ratios ratios)
{
    struct figure rest = *figure;
    char title[160];
    size_t some = ratio_rows(NULL, report, &ratios), all;
    ratios.all = true;
    all = ratio_rows(NULL, report, &ratios);
    ratios.all = false;
    if (some)
        ratio_bars(page, report, figure, &ratios);
    if (all == some)
        return;
    ratios.all = true;
    snprintf(title, sizeof title, "%s: every row", figure->title);
    rest.title = title;
    rest.note = "";
    part_more_begin(page, title);
    ratio_bars(page, report, &rest, &ratios);
    part_more_end(page);
}

static void rival_figures(struct page *page, const struct report *report)
{
    for (size_t i = 0; i < FIGURES_RIVALS; ++i) {
        char title[96];
        struct figure figure = {
            .title = title,
            .note =
                "The median of the ratios, one for each block that has both within one placement of the CPUs (within "
                "several: their geometric mean), with its 95 % interval; with fewer than six blocks, with its range. "
                "Times are compared by their median.",
            .kind = "bars",
            .x_kind = "ratio",
            .x_label = "times better (1: the same)",
        };
        snprintf(title, sizeof title, "Times better than %s",
                 strcmp(figures_rivals[i], "fifo") == 0  ? "the pipe (fifo)"
                 : strcmp(figures_rivals[i], "tcp") == 0 ? "TCP"
                                                         : figures_rivals[i]);
        ratio_figure(page, report, &figure, (struct ratios){.ratio = to_rival, .which = i, .value = "Times better"});
    }
}

static void limit_figure(struct page *page, const struct report *report)
{
    struct figure figure = {
        .title = "Distance to the machine's limit",
        .note = "1 would be as fast as the limit; one value for each block. Each row is compared with the "
                "tightest "
                "limit that nobody beat, of those that were measured for its family and size in the same run, and with "
                "none where there is none: "
                "streams with a bare ring in shared memory or with memcpy, times while both are awake with one way of "
                "a cache line "
                "between the same CPUs, wake-ups with the kernel's own. A limit that an implementation beat stands "
                "beside it, below 1: it bounds nothing.",
        .kind = "bars",
        .x_kind = "ratio",
        .x_label = "times slower (1: as fast; below: faster)",
    };
    ratio_figure(page, report, &figure, (struct ratios){.ratio = to_limit, .value = "Times the limit"});
}

static bool any_normalised(const struct report *report)
{
    for (size_t i = 0; i < report->rows.count; ++i)
        if (report->figures[i].first.spread.count && report->figures[i].first.normalised)
            return true;
    return false;
}

static void run_figure(struct page *page, const struct report *report)
{
    char title[128], note[400];
    struct figure figure = {
        .title = title,
        .note = note,
        .kind = "bars",
        .x_kind = "ratio",
        .x_label = "times better (1: the same)",
    };
    if (report->rows.run_count < 2)
        return;
    snprintf(title, sizeof title, "Times better than in the run %.80s", report->rows.runs[0].label);
    snprintf(
        note, sizeof note,
        "Runs are not paired: each is one whole, its median against the other's, with an interval from drawing blocks "
        "of both anew.%s",
        any_normalised(report) ? " Where both runs have measured the limit of a row, each is taken over that first, so "
                                 "that it is not the machines that are compared."
                               : " They hold only if the machine was the same, and as busy.");
    ratio_figure(page, report, &figure, (struct ratios){.ratio = to_first_run, .value = "Times better"});
}

void part_comparison(struct page *page, const struct report *report)
{
    part_begin(page, "comparison", "Comparison");
    page_open(page, "div", "class", "plates wide", NULL);
    run_figure(page, report);
    rival_figures(page, report);
    limit_figure(page, report);
    page_close(page);
    page_close(page);
}
