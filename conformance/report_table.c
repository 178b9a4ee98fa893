#include "report.h"

#include <string.h>

static const char *colour_of(verdict value)
{
    static const char *const colours[VERDICT_COUNT] = {
        [VERDICT_PASS] = "\033[32m",   [VERDICT_FAIL] = "\033[1;31m", [VERDICT_UNKNOWN] = "\033[33m",
        [VERDICT_SKIP] = "\033[2m",    [VERDICT_XFAIL] = "\033[36m",  [VERDICT_XPASS] = "\033[1;31m",
        [VERDICT_ERROR] = "\033[1;35m"};
    return colours[value];
}

static void print_coloured(FILE *file, const report_options *options, verdict value, const char *text, int width)
{
    int padding = width - (int)strlen(text);
    fprintf(file, "%s%s%s%*s", options->colour ? colour_of(value) : "", text, options->colour ? "\033[0m" : "",
            padding > 0 ? padding : 0, "");
}

/* The drivers in the order in which they were tested. */
static size_t collect_drivers(const result_list *list, const char **drivers, size_t room)
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

static bool row_has_results(const result_list *list, const clause *about)
{
    for (size_t i = 0; i < list->count; ++i)
        if (list->items[i].clause == about)
            return true;
    return false;
}

static int column_width(const char *driver)
{
    const int length = (int)strlen(driver);
    return (length < 8 ? 8 : length) + 2;
}

static void print_cell(FILE *file, const result_list *list, const report_options *options, const char *driver,
                       const clause *about)
{
    size_t count, total;
    char text[64];
    verdict worst = result_worst(list, driver, about, &count, &total);
    if (total == 0)
        fprintf(file, "%-*s", column_width(driver), "");
    else {
        if (total > 1 && (count < total || verdict_is_bad(worst)))
            snprintf(text, sizeof text, "%s %zu/%zu", verdict_name(worst), count, total);
        else
            snprintf(text, sizeof text, "%s", verdict_name(worst));
        print_coloured(file, options, worst, text, column_width(driver));
    }
}

/* A promise that is too long for the line ends in an ellipsis; CONTRACT.md has it in full. */
static void print_promise(FILE *file, const char *promise, int room)
{
    if ((int)strlen(promise) > room)
        fprintf(file, "%.*s…", room - 1, promise);
    else
        fputs(promise, file);
}

static void print_matrix(FILE *file, const result_list *list, const report_options *options)
{
    const char *drivers[32];
    const size_t count = collect_drivers(list, drivers, sizeof drivers / sizeof drivers[0]);
    const clause *row;
    int used = 10;
    fprintf(file, "%-10s", "");
    for (size_t i = 0; i < count; ++i) {
        fprintf(file, "%-*s", column_width(drivers[i]), drivers[i]);
        used += column_width(drivers[i]);
    }
    fputc('\n', file);
    for (size_t i = 0; (row = clause_at(i)) != NULL; ++i) {
        if (!row_has_results(list, row))
            continue;
        fprintf(file, "%-10s", row->id);
        for (size_t k = 0; k < count; ++k)
            print_cell(file, list, options, drivers[k], row);
        print_promise(file, row->promise, used > 80 ? 40 : 120 - used);
        fputc('\n', file);
    }
}

static size_t count_lines(const char *text)
{
    size_t count = 0;
    for (; *text != '\0'; ++text)
        count += *text == '\n';
    return count;
}

/* How it began and how it ended tell most; all of it is in the evidence. */
static void print_detail(FILE *file, const char *detail, bool all)
{
    const size_t count = detail != NULL ? count_lines(detail) : 0, head = 4, tail = 10;
    for (size_t line = 0; line < count; ++line) {
        const size_t length = strcspn(detail, "\n");
        if (all || line < head || line + tail >= count)
            fprintf(file, "    %.*s\n", (int)length, detail);
        else if (line == head)
            fprintf(file, "    … (%zu lines more with --details and in the evidence)\n", count - head - tail);
        detail += length + 1;
    }
}

static void print_paragraph(FILE *file, const result *item, const report_options *options)
{
    fputc('\n', file);
    print_coloured(file, options, item->verdict, verdict_name(item->verdict), 0);
    fprintf(file, "  %s  %s  %s\n", item->driver, item->clause->id, item->clause->promise);
    if (item->text != NULL && item->text[0] != '\0')
        fprintf(file, "    %s%s%s\n", item->violation, item->violation[0] != '\0' ? ": " : "", item->text);
    print_detail(file, item->detail, options->details);
    if (item->evidence != NULL)
        fprintf(file, "    evidence  %s\n", item->evidence);
    if (item->replay != NULL)
        fprintf(file, "    replay    %s\n", item->replay);
}

void report_table(FILE *file, const result_list *list, const report_options *options)
{
    const char *separator = "";
    fputc('\n', file);
    print_matrix(file, list, options);
    for (size_t i = 0; i < list->count; ++i)
        if (verdict_is_bad(list->items[i].verdict))
            print_paragraph(file, &list->items[i], options);
    fprintf(file, "\n%zu cases: ", list->count);
    for (verdict value = 0; value < VERDICT_COUNT; ++value) {
        const size_t count = result_count(list, value);
        char text[64];
        if (count == 0)
            continue;
        snprintf(text, sizeof text, "%zu %s", count, verdict_name(value));
        fputs(separator, file);
        print_coloured(file, options, value, text, 0);
        separator = ", ";
    }
    fprintf(file, "; contract version %d, seed %llu\n", CONTRACT_VERSION, (unsigned long long)options->seed);
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
