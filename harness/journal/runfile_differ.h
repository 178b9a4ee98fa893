/* Whether a file is of the same run as another, by their headers. */
#ifndef JOURNAL_RUNFILE_DIFFER_H
#define JOURNAL_RUNFILE_DIFFER_H

#include <cjson/cJSON.h>

/* 0: they are; -EBADMSG: the first that differs is in the text. more: further members that must be as here. */
int runfile_differ(const cJSON *theirs, const cJSON *ours, const cJSON *more, char *text, size_t size);

#endif
