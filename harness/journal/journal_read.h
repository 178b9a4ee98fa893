/* Inside the reader of journals only. */
#ifndef IPCMARK_JOURNAL_READ_H
#define IPCMARK_JOURNAL_READ_H

#include "ipcmark/journal.h"

/* Puts the problem in words; returns -EBADMSG. */
int problem_set(char *problem, size_t size, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* A file of JSON lines. A last line without a newline is an uncommitted record. */
int lines_read(struct ipcmark_journal_view *out, const char *file, size_t bytes, char *problem, size_t size);

#endif
