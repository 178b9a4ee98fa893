/* A table in plain text: its columns are as wide as their widest cell, counted in characters and not in bytes. */
#ifndef REPORT_COLUMNS_H
#define REPORT_COLUMNS_H

#include <stdio.h>

struct columns {
    const char *sides; /* "lrr": to which side each column is set */
    struct columns_cell {
        char *text;
        int row, column;
        int rest; /* goes on over the columns to its right, and widens none of them */
    } * cells;
    size_t count, capacity;
    int row, column;
    int error;
};

/* sides must live as long as the table. */
void columns_begin(struct columns *table, const char *sides);

/* The next cell of the row; NULL is an empty one. The gaps before units, which are narrow in print, become spaces. */
void columns_cell(struct columns *table, const char *text);
void columns_cellf(struct columns *table, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* What is in place of all further cells of the row. */
void columns_rest(struct columns *table, const char *text);

void columns_next(struct columns *table);

/* columns_print writes it and frees it. The first row is of headings; a column that has nothing but one, or "–", is
 * left out. */
void columns_print(struct columns *table, FILE *out);

#endif
