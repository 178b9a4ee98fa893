/* A table in Markdown, filled line by line. */
#ifndef REPORT_MARKDOWN_TABLE_H
#define REPORT_MARKDOWN_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct markdown_table {
    FILE *cells; /* the text of each, and a zero byte; NULL: memory ran out */
    char *text;
    size_t size;
};

void markdown_table_begin(struct markdown_table *table);

/* markdown_table_print prints lines of so many cells, the first of which are the heads, or turned: each column is a
 * line then. Frees the table. 0 or -ENOMEM. */
int markdown_table_print(struct markdown_table *table, size_t columns, bool turned, FILE *out);

#endif
