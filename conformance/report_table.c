#include "report.h"

#include "tally.h"

#include <string.h>

enum { GAP = 2, PROMISE_LEAST = 24, COLUMN_LEAST = 9 };

/* The table's geometry. */
typedef struct {
    FILE *file;
    const result_list *list;
    const report_options *options;
    const char *drivers[REPORT_DRIVERS];
    size_t count;
    int width, first,
        column; /* of the page, of the clause's column, of each driver's; 0: too little room for a promise */
    int promise;
    bool levels; /* some are SHOULD */
} table;

static bool has_results(const result_list *list, const clause *about)
{
    for (size_t i = 0; i < list->count; ++i)
        if (list->items[i].clause == about)
            return true;
    return false;
}

/* The widest that any column needs. */
static int widest(const table *self)
{
    int width = COLUMN_LEAST;
    const clause *about;
    char text[64];
    for (size_t i = 0; i < self->count; ++i) {
        width = report_length(self->drivers[i]) > width ? report_length(self->drivers[i]) : width;
        for (size_t k = 0; (about = clause_at(k)) != NULL; ++k) {
            tally_cell(self->list, self->drivers[i], about, text, sizeof text);
            width = report_length(text) > width ? report_length(text) : width;
        }
    }
    return width;
}

static void lay_out(table *self)
{
    const clause *about;
    int room;
    self->count = tally_drivers(self->list, self->drivers, REPORT_DRIVERS);
    for (size_t k = 0; (about = clause_at(k)) != NULL; ++k)
        self->levels |= about->should && has_results(self->list, about);
    self->width = self->options->width > 0 ? self->options->width : 120;
    self->first = self->levels ? 18 : 11;
    self->column = widest(self);
    room = self->count > 0 ? (self->width - self->first) / (int)self->count - GAP : 0;
    if (self->column > room) /* long names give way before the line breaks; they are listed in full below */
        self->column = room > COLUMN_LEAST ? room : COLUMN_LEAST;
    self->promise = self->width - self->first - (int)self->count * (self->column + GAP);
    self->promise = self->promise < PROMISE_LEAST ? 0 : self->promise;
}

static void end_line(const table *self)
{
    fputc('\n', self->file);
}

static void print_gap(const table *self, bool last)
{
    if (!last || self->promise > 0)
        fprintf(self->file, "%*s", GAP, "");
}

static void print_heads(const table *self)
{
    fprintf(self->file, "%-*s", self->first, "");
    for (size_t i = 0; i < self->count; ++i) {
        report_column(self->file, self->drivers[i], self->column);
        print_gap(self, i + 1 == self->count);
    }
    end_line(self);
}

static void print_row(const table *self, const clause *about)
{
    char text[64];
    fprintf(self->file, "%-9s", about->id);
    fprintf(self->file, "%-*s", self->first - 9, self->levels ? (about->should ? "  SHOULD" : "  MUST") : "");
    for (size_t i = 0; i < self->count; ++i) {
        const verdict value = tally_cell(self->list, self->drivers[i], about, text, sizeof text);
        report_coloured(self->file, self->options, value, text, self->column);
        print_gap(self, i + 1 == self->count);
    }
    if (self->promise > 0 && report_length(about->promise) > self->promise)
        report_column(self->file, about->promise, self->promise);
    else if (self->promise > 0)
        fputs(about->promise, self->file);
    end_line(self);
}

/* ---- below it ---------------------------------------------------------------------------------------------------- */

static void print_figures(const table *self)
{
    static tally_figure figures[REPORT_FIGURES];
    const size_t count = tally_figures(self->list, figures, REPORT_FIGURES);
    for (size_t i = 0; i < count; ++i) {
        char text[128];
        double value;
        if (i == 0)
            fprintf(self->file, "\nFigures%s\n", self->options->rounds > 1 ? ", the median of the rounds" : "");
        fprintf(self->file, "%-*s", self->first, figures[i].clause->id);
        for (size_t k = 0; k < self->count; ++k) {
            text[0] = '\0';
            if (tally_figure_median(self->list, self->drivers[k], &figures[i], &value))
                tally_figure_text(value, figures[i].unit, text, sizeof text);
            report_column(self->file, text, self->column);
            fprintf(self->file, "%*s", GAP, "");
        }
        fprintf(self->file, "%s\n", figures[i].name);
    }
}

static bool is_same_skip(const result *one, const result *other)
{
    return one->verdict == VERDICT_SKIP && other->verdict == VERDICT_SKIP && one->text != NULL && other->text != NULL &&
           strcmp(one->driver, other->driver) == 0 && strcmp(one->text, other->text) == 0;
}

static bool is_first_of_reason(const result_list *list, size_t index)
{
    for (size_t i = 0; i < index; ++i)
        if (is_same_skip(&list->items[i], &list->items[index]))
            return false;
    return true;
}

/* "fifo: it does not claim peers: CON-001, CON-002" */
static void print_skips(const table *self)
{
    bool any = false;
    for (size_t i = 0; i < self->list->count; ++i) {
        const result *item = &self->list->items[i];
        const clause *before = NULL;
        char text[2048];
        size_t used;
        if (item->verdict != VERDICT_SKIP || item->text == NULL || !is_first_of_reason(self->list, i))
            continue;
        fputs(any ? "" : "\nSkipped\n", self->file);
        any = true;
        used = (size_t)snprintf(text, sizeof text, "%s: %s:", item->driver, item->text);
        for (size_t k = i; k < self->list->count && used < sizeof text; ++k) {
            const result *other = &self->list->items[k];
            if (!is_same_skip(item, other) || other->round != item->round || other->clause == before)
                continue;
            used += (size_t)snprintf(text + used, sizeof text - used, "%s %s", before != NULL ? "," : "",
                                     other->clause->id);
            before = other->clause;
        }
        report_wrapped(self->file, text, 2, self->width);
    }
}

static void print_sums(const table *self)
{
    int width = 0;
    fputc('\n', self->file);
    for (size_t i = 0; i < self->count; ++i)
        width = report_length(self->drivers[i]) > width ? report_length(self->drivers[i]) : width;
    for (size_t i = 0; i < self->count; ++i) {
        tally sum;
        char text[512];
        tally_take(&sum, self->list, self->drivers[i]);
        tally_sentence(&sum, text, sizeof text);
        report_column(self->file, self->drivers[i], width + GAP);
        report_coloured(self->file, self->options, sum.worst, text, 0);
        end_line(self);
    }
}

static void print_total(const table *self)
{
    const char *separator = "";
    fprintf(self->file, "\n%zu cases: ", self->list->count);
    for (verdict value = 0; value < VERDICT_COUNT; ++value) {
        const size_t count = result_count(self->list, value);
        char text[64];
        if (count == 0)
            continue;
        snprintf(text, sizeof text, "%zu %s", count, verdict_name(value));
        fputs(separator, self->file);
        report_coloured(self->file, self->options, value, text, 0);
        separator = ", ";
    }
    fprintf(self->file, "; contract version %d%s%s, seed %llu\n", CONTRACT_VERSION,
            self->options->effort != EFFORT_USUAL ? ", " : "",
            self->options->effort != EFFORT_USUAL ? effort_name(self->options->effort) : "",
            (unsigned long long)self->options->seed);
}

void report_table(FILE *file, const result_list *list, const report_options *options)
{
    table self = {.file = file, .list = list, .options = options};
    const clause *about;
    lay_out(&self);
    end_line(&self);
    print_heads(&self);
    for (size_t i = 0; (about = clause_at(i)) != NULL; ++i)
        if (has_results(list, about))
            print_row(&self, about);
    print_figures(&self);
    print_skips(&self);
    report_details(file, list, options);
    print_sums(&self);
    print_total(&self);
}

void report_line(FILE *file, const result *item, size_t number, size_t planned)
{
    fprintf(file, "[%zu/%zu] %-7s %s %s  %.1f s", number, planned, verdict_name(item->verdict), item->driver,
            item->clause->id, item->seconds);
    if (item->must > 0)
        fprintf(file, ", %llu messages had to arrive", (unsigned long long)item->must);
    if (item->verdict != VERDICT_PASS && item->text != NULL && item->text[0] != '\0')
        fprintf(file, ": %s", item->text);
    fputc('\n', file);
    fflush(file);
}
