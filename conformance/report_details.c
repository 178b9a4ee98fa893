#include "report.h"

#include <stdlib.h>
#include <string.h>

static bool says_the_same(const result *one, const result *other)
{
    if (strcmp(one->driver, other->driver) != 0 || one->verdict != other->verdict)
        return false;
    if (one->clause == other->clause)
        return strcmp(one->violation, other->violation) == 0;
    return one->verdict == VERDICT_ERROR && one->text != NULL && other->text != NULL &&
           strcmp(one->text, other->text) == 0;
}

size_t report_same(const result_list *list, size_t index)
{
    size_t count = 0;
    for (size_t i = 0; i < list->count; ++i) {
        const bool same = says_the_same(&list->items[i], &list->items[index]);
        if (same && i < index)
            return 0;
        count += same;
    }
    return count;
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
    const size_t count = detail != NULL ? count_lines(detail) : 0, head = 20, tail = count > 34 ? 10 : 14;
    for (size_t line = 0; line < count; ++line) {
        const size_t length = strcspn(detail, "\n");
        if (all || line < head || line + tail >= count)
            fprintf(file, "    %.*s\n", (int)length, detail);
        else if (line == head)
            fprintf(file, "    … (%zu lines more with --details and in the evidence)\n", count - head - tail);
        detail += length + 1;
    }
}

/* Other rounds of the clause by their seeds, or other clauses by their ids; the first few. */
static void print_others(FILE *file, const result_list *list, size_t index, size_t count, int width)
{
    char text[512];
    size_t used =
        (size_t)snprintf(text, sizeof text, "the same %zu %s more:", count - 1, count == 2 ? "time" : "times");
    size_t named = 0;
    for (size_t i = index + 1; i < list->count && named < 12; ++i) {
        const result *other = &list->items[i];
        if (!says_the_same(other, &list->items[index]))
            continue;
        used += (size_t)snprintf(text + used, sizeof text - used, "%s %s", named++ > 0 ? "," : "", other->clause->id);
        if (other->clause == list->items[index].clause)
            used +=
                (size_t)snprintf(text + used, sizeof text - used, " with seed %llu", (unsigned long long)other->seed);
    }
    if (named < count - 1)
        snprintf(text + used, sizeof text - used, ", …");
    report_wrapped(file, text, 4, width);
}

static void print_paragraph(FILE *file, const result_list *list, size_t index, size_t count,
                            const report_options *options, int width)
{
    const result *item = &list->items[index];
    char text[256];
    snprintf(text, sizeof text, "  %s  %s  %s", item->driver, item->clause->id, clause_level(item->clause));
    fputc('\n', file);
    report_coloured(file, options, item->verdict, verdict_name(item->verdict), 0);
    fprintf(file, "%s%s\n", text, item->excused ? "  (does not count)" : "");
    report_wrapped(file, item->clause->promise, 4, width);
    if (item->text != NULL && item->text[0] != '\0') {
        char *words = NULL;
        if (asprintf(&words, "%s%s%s", item->violation, item->violation[0] != '\0' ? ": " : "", item->text) >= 0)
            report_wrapped(file, words, 4, width);
        free(words);
    }
    print_detail(file, item->detail, options->details);
    if (count > 1)
        print_others(file, list, index, count, width);
    if (item->evidence != NULL)
        fprintf(file, "    evidence  %s\n", item->evidence);
    if (item->replay != NULL)
        fprintf(file, "    replay    %s\n", item->replay);
}

void report_details(FILE *file, const result_list *list, const report_options *options)
{
    const int width = options->width > 0 ? options->width : 120;
    for (size_t i = 0; i < list->count; ++i) {
        const size_t count = verdict_is_bad(list->items[i].verdict) ? report_same(list, i) : 0;
        if (count > 0)
            print_paragraph(file, list, i, count, options, width);
    }
}
