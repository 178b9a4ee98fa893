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

/* "hot, 64 B": short enough for an axis. One publisher and one subscriber go without saying. */
static struct category category_of(const struct results_row *row, const char *beside)
{
    struct category out;
    snprintf(out.text, sizeof out.text, "%s%s%s, %s", row->family, *beside ? " / " : "", beside,
             family_label(row, true).text);
    return out;
}

/* What one of these figures shows of a row; count 0: nothing. */
typedef const struct results_spread *ratio_fn(const struct row_figures *figures, size_t which);

static const struct results_spread *to_rival(const struct row_figures *figures, size_t which)
{
    return &figures->better[which];
}

static const struct results_spread *to_limit(const struct row_figures *figures, size_t unused)
{
    (void)unused;
    return &figures->limit.distance.spread;
}

static const struct results_spread *to_first_run(const struct row_figures *figures, size_t unused)
{
    (void)unused;
    return &figures->first.spread;
}

/* Family by family; rows are sorted by shape, and within it by implementation. page NULL counts. */
static size_t ratio_rows(struct page *page, const struct report *report, ratio_fn *ratio, size_t which)
{
    size_t count = 0;
    for (const struct family *family = families; family->name; ++family)
        for (size_t i = 0; i < report->rows.count; ++i) {
            const struct results_row *row = report->order[i];
            const struct row_figures *figures = report_figures(report, row);
            struct bar bar = {.label = row->label};
            struct category category;
            if (strcmp(row->family, family->name) != 0 || ratio(figures, which)->count == 0)
                continue;
            ++count;
            category = category_of(row, ratio == to_limit ? figures->limit.name : "");
            bar.category = category.text;
            bar.spread = *ratio(figures, which);
            if (page)
                part_bar(page, report, &bar);
        }
    return count;
}

static void ratio_figure(struct page *page, const struct report *report, const struct figure *figure, const char *value,
                         ratio_fn *ratio, size_t which)
{
    if (ratio_rows(NULL, report, ratio, which) == 0)
        return;
    part_bars_begin(page, figure, value);
    ratio_rows(page, report, ratio, which);
    part_bars_end(page);
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
        ratio_figure(page, report, &figure, "Times better", to_rival, i);
    }
}

static void limit_figure(struct page *page, const struct report *report)
{
    struct figure figure = {
        .title = "Distance to the machine's limit",
        .note = "1 would be as fast as the machine allows; one value for each block. Each row is compared with the "
                "tightest "
                "limit that was measured for its family and size in the same run, and with none where there is none: "
                "streams with a bare ring in shared memory or with memcpy, hot times with one way of a cache line "
                "between the same CPUs, wake-ups with the kernel's own.",
        .kind = "bars",
        .x_kind = "ratio",
        .x_label = "times slower (1: as fast)",
    };
    ratio_figure(page, report, &figure, "Times the limit", to_limit, 0);
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
    ratio_figure(page, report, &figure, "Times better", to_first_run, 0);
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
