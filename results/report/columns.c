#include "columns.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* U+202F */
#define NARROW "\xe2\x80\xaf"

enum { COLUMNS_MOST = 16, COLUMNS_GAP = 2 };

static int characters(const char *text)
{
    int count = 0;
    for (; *text; ++text)
        count += (*text & 0xc0) != 0x80;
    return count;
}

/* In place: a terminal's font has no narrow gaps, a line of the table no breaks. */
static void plain(char *text)
{
    char *out = text;
    while (*text) {
        if (strncmp(text, NARROW, sizeof NARROW - 1) == 0) {
            *out++ = ' ';
            text += sizeof NARROW - 1;
        } else {
            *out++ = (unsigned char)*text < 0x20 ? ' ' : *text;
            ++text;
        }
    }
    *out = '\0';
}

void columns_begin(struct columns *table, const char *sides)
{
    *table = (struct columns){.sides = sides};
}

static void add(struct columns *table, const char *text, int rest)
{
    char *copy = strdup(text ? text : "");
    if (table->count == table->capacity) {
        size_t capacity = table->capacity ? 2 * table->capacity : 64;
        struct columns_cell *grown = reallocarray(table->cells, capacity, sizeof *grown);
        if (grown) {
            table->cells = grown;
            table->capacity = capacity;
        }
    }
    if (copy == NULL || table->count == table->capacity) {
        free(copy);
        table->error = -ENOMEM;
        return;
    }
    plain(copy);
    table->cells[table->count++] = (struct columns_cell){copy, table->row, table->column++, rest};
}

void columns_cell(struct columns *table, const char *text)
{
    add(table, text, 0);
}

void columns_cellf(struct columns *table, const char *format, ...)
{
    char *text = NULL;
    va_list arguments;
    va_start(arguments, format);
    if (vasprintf(&text, format, arguments) < 0) {
        text = NULL;
        table->error = -ENOMEM;
    }
    va_end(arguments);
    add(table, text, 0);
    free(text);
}

void columns_rest(struct columns *table, const char *text)
{
    add(table, text, 1);
}

void columns_next(struct columns *table)
{
    ++table->row;
    table->column = 0;
}

static void print_cell(FILE *out, const struct columns_cell *cell, const int *widths, const char *sides, int *owed)
{
    int space = cell->rest ? 0 : widths[cell->column] - characters(cell->text);
    int left = sides[cell->column] == 'r' ? space : 0;
    if (*cell->text) {
        fprintf(out, "%*s%s", *owed + left, "", cell->text);
        *owed = 0;
    } else {
        *owed += left;
    }
    /* Owed until something follows: no line ends in spaces. */
    *owed += space - left + COLUMNS_GAP;
}

static void measure(const struct columns *table, int widths[COLUMNS_MOST])
{
    int something[COLUMNS_MOST] = {0};
    for (size_t i = 0; i < table->count; ++i) {
        const struct columns_cell *cell = &table->cells[i];
        if (cell->rest)
            continue;
        if (widths[cell->column] < characters(cell->text))
            widths[cell->column] = characters(cell->text);
        something[cell->column] |= cell->row > 0 && *cell->text && strcmp(cell->text, "–") != 0;
    }
    for (int column = 0; column < COLUMNS_MOST; ++column)
        widths[column] *= something[column];
}

void columns_print(struct columns *table, FILE *out)
{
    int widths[COLUMNS_MOST] = {0}, row = 0, owed = 0;
    measure(table, widths);
    for (size_t i = 0; i < table->count; ++i) {
        for (; row < table->cells[i].row; ++row) {
            fputc('\n', out);
            owed = 0;
        }
        if (widths[table->cells[i].column] > 0 || table->cells[i].rest)
            print_cell(out, &table->cells[i], widths, table->sides, &owed);
    }
    if (table->count)
        fputc('\n', out);
    for (size_t i = 0; i < table->count; ++i)
        free(table->cells[i].text);
    free(table->cells);
    *table = (struct columns){.error = table->error};
}
