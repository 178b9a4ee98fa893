#ifndef REPORT_MARKDOWN_H
#define REPORT_MARKDOWN_H

#include <stdio.h>

/* Text of the input, inside a table or not: nothing of it is markup. */
void markdown_escaped(FILE *out, const char *text);

#endif
