/* Prints a summary. */
#ifndef BENCH_TABLE_H
#define BENCH_TABLE_H

#include "summary.h"

void table_print(const struct summary_row *, size_t count);
/* goals: what the targets came to, or NULL: they are not measured. */
struct goal_result;
void table_print_json(const struct summary_row *, size_t count, const char *doubts, const struct goal_result *goals);

#endif
