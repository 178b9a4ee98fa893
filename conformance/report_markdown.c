/* For people who publish: what was tested, with what, what came out, and what did not hold. */
#include "report.h"

#include "ipcmark/runfile.h"
#include "tally.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Nothing in a text may end the cell, or be taken for markup. */
static void print_escaped(FILE *file, const char *text)
{
    for (; *text != '\0'; ++text) {
        if (strchr("\\`*_[]<>|#", *text) != NULL)
            fputc('\\', file);
        fputc(*text == '\n' ? ' ' : *text, file);
    }
}

static void print_code(FILE *file, const char *text)
{
    fputc('`', file);
    for (; *text != '\0'; ++text)
        fputc(*text == '`' ? '\'' : *text, file);
    fputc('`', file);
}

static const char *mark_of(verdict value)
{
    static const char *const marks[VERDICT_COUNT] = {
        [VERDICT_PASS] = "✅",       [VERDICT_FAIL] = "❌",  [VERDICT_UNKNOWN] = "❔",   [VERDICT_SKIP] = "➖",
        [VERDICT_XFAIL] = "☑️", [VERDICT_XPASS] = "❌", [VERDICT_ERROR] = "⚠️"};
    return marks[value];
}

static void print_sums(FILE *file, const result_list *list, const char *const *drivers, size_t count)
{
    for (size_t i = 0; i < count; ++i) {
        tally sum;
        char text[512];
        tally_take(&sum, list, drivers[i]);
        tally_sentence(&sum, text, sizeof text);
        fprintf(file, "* %s **", mark_of(sum.worst));
        print_escaped(file, drivers[i]);
        fprintf(file, "** %s.\n", text);
    }
}

static void print_matrix(FILE *file, const result_list *list, const char *const *drivers, size_t count)
{
    const clause *about;
    fputs("\n| clause | level |", file);
    for (size_t i = 0; i < count; ++i) {
        fputc(' ', file);
        print_escaped(file, drivers[i]);
        fputs(" |", file);
    }
    fputs(" promise |\n| --- | --- |", file);
    for (size_t i = 0; i <= count; ++i)
        fputs(" --- |", file);
    fputc('\n', file);
    for (size_t k = 0; (about = clause_at(k)) != NULL; ++k) {
        bool any = false;
        for (size_t i = 0; i < list->count && !any; ++i)
            any = list->items[i].clause == about;
        if (!any)
            continue;
        fprintf(file, "| %s | %s |", about->id, clause_level(about));
        for (size_t i = 0; i < count; ++i) {
            char text[64];
            const verdict value = tally_cell(list, drivers[i], about, text, sizeof text);
            fprintf(file, " %s ", text[0] != '\0' ? mark_of(value) : "");
            print_escaped(file, text);
            fputs(" |", file);
        }
        fputc(' ', file);
        print_escaped(file, about->promise);
        fputs(" |\n", file);
    }
}

static void print_figures(FILE *file, const result_list *list, const char *const *drivers, size_t count)
{
    static tally_figure figures[REPORT_FIGURES];
    const size_t figure_count = tally_figures(list, figures, REPORT_FIGURES);
    if (figure_count == 0)
        return;
    fputs("\n## Figures\n\n| clause | figure |", file);
    for (size_t i = 0; i < count; ++i) {
        fputc(' ', file);
        print_escaped(file, drivers[i]);
        fputs(" |", file);
    }
    fputs("\n| --- | --- |", file);
    for (size_t i = 0; i < count; ++i)
        fputs(" ---: |", file);
    fputc('\n', file);
    for (size_t k = 0; k < figure_count; ++k) {
        fprintf(file, "| %s | ", figures[k].clause->id);
        print_escaped(file, figures[k].name);
        fputs(" |", file);
        for (size_t i = 0; i < count; ++i) {
            char text[64] = "";
            double value;
            if (tally_figure_median(list, drivers[i], &figures[k], &value))
                tally_figure_text(value, figures[k].unit, text, sizeof text);
            fprintf(file, " %s |", text);
        }
        fputc('\n', file);
    }
}

static void print_failures(FILE *file, const result_list *list)
{
    bool any = false;
    for (size_t i = 0; i < list->count; ++i) {
        const result *item = &list->items[i];
        const size_t same = verdict_is_bad(item->verdict) ? report_same(list, i) : 0;
        if (same == 0)
            continue;
        fputs(any ? "" : "\n## What does not hold\n\n", file);
        any = true;
        fputs("* **", file);
        print_escaped(file, item->driver);
        fprintf(file, " %s** %s%s%s: ", item->clause->id, verdict_name(item->verdict),
                item->violation[0] != '\0' ? ", " : "", item->violation);
        print_escaped(file, item->text != NULL ? item->text : "");
        if (same > 1)
            fprintf(file, " (and %zu more like it)", same - 1);
        fprintf(file, " Seed %llu.\n", (unsigned long long)item->seed);
    }
}

static void print_ground(FILE *file, const report_options *options)
{
    static const char *const names[] = {"cpu", "cpus", "kernel", "os", "virtualization", "commit"};
    cJSON *environment = ipcmark_environment_capture();
    const time_t now = time(NULL);
    struct tm calendar;
    char day[16];
    gmtime_r(&now, &calendar);
    strftime(day, sizeof day, "%Y-%m-%d", &calendar);
    fprintf(
        file,
        "\n## How\n\n* ipcmark %s, contract version %d, %s effort, %u round%s, seed %llu, on %s. A clause that was "
        "judged several times shows its worst verdict and how often it had it; `skip: x` means that capability x is "
        "not claimed.\n",
        IPCMARK_VERSION, CONTRACT_VERSION, effort_name(options->effort), options->rounds,
        options->rounds == 1 ? "" : "s", (unsigned long long)options->seed, day);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; ++i) {
        const cJSON *value = cJSON_GetObjectItemCaseSensitive(environment, names[i]);
        if (!cJSON_IsString(value) && !cJSON_IsNumber(value))
            continue;
        fprintf(file, "* %s: ", names[i]);
        if (cJSON_IsString(value))
            print_escaped(file, value->valuestring);
        else
            fprintf(file, "%g", value->valuedouble);
        fputc('\n', file);
    }
    if (options->command != NULL) {
        fputs("* again: ", file);
        print_code(file, options->command);
        fputc('\n', file);
    }
    cJSON_Delete(environment);
}

void report_markdown(FILE *file, const result_list *list, const report_options *options)
{
    const char *drivers[REPORT_DRIVERS];
    const size_t count = tally_drivers(list, drivers, REPORT_DRIVERS);
    fprintf(file, "# Conformance to the ipcmark contract, version %d\n\n", CONTRACT_VERSION);
    print_sums(file, list, drivers, count);
    print_matrix(file, list, drivers, count);
    print_figures(file, list, drivers, count);
    print_failures(file, list);
    print_ground(file, options);
}
