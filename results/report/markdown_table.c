#include "markdown_table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void markdown_table_begin(struct markdown_table *table)
{
    *table = (struct markdown_table){0};
    table->cells = open_memstream(&table->text, &table->size);
}

/* Every step-th cell from the first, so many. */
static void print_line(FILE *out, const char *const *first, size_t step, size_t count)
{
    fputc('|', out);
    for (size_t i = 0; i < count; ++i)
        fprintf(out, *first[i * step] ? " %s |" : "%s |", first[i * step]);
    fputc('\n', out);
}

static void print_lines(FILE *out, const char *const *cells, size_t columns, size_t lines, bool turned)
{
    size_t down = turned ? columns : lines, across = turned ? lines : columns;
    for (size_t i = 0; i < down; ++i) {
        print_line(out, turned ? &cells[i] : &cells[i * columns], turned ? columns : 1, across);
        for (size_t c = 0; i == 0 && c < across; ++c)
            fputs(c ? " --- |" : "| --- |", out);
        fputs(i == 0 ? "\n" : "", out);
    }
}

int markdown_table_print(struct markdown_table *table, size_t columns, bool turned, FILE *out)
{
    const char **cells = NULL;
    size_t count = 0;
    bool complete = table->cells != NULL && fclose(table->cells) == 0;
    for (size_t i = 0; complete && i < table->size; ++i)
        count += table->text[i] == '\0';
    if (complete)
        cells = calloc(count + 1, sizeof *cells);
    if (cells) {
        const char *at = table->text;
        for (size_t i = 0; i < count; ++i, at += strlen(at) + 1)
            cells[i] = at;
        print_lines(out, cells, columns, count / columns, turned);
    }
    complete = cells != NULL;
    free(cells);
    free(table->text);
    return complete ? 0 : -ENOMEM;
}
