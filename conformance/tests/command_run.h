/* Running a command of the suite, TEST_COMMAND, as users type it, with evidence kept in `folder`, and reading what it
 * printed and recorded. */
#ifndef COMMAND_RUN_H
#define COMMAND_RUN_H

#include <stddef.h>
#include <sys/types.h>

#include <cjson/cJSON.h>

#define ARGUMENTS(...) ((const char *const[]){__VA_ARGS__, NULL})
/* Runs it; `words` must be in what it prints. */
#define EXPECT(code, words, ...) expect(code, words, ARGUMENTS(__VA_ARGS__))

/* Of the case that runs: its folder, two paths in it, and all that was printed since the last start. */
extern char folder[64], record[128], other[128], printed[65536];

void make_folder(void);
void remove_folder(void);
void write_file(const char *path, const char *text);

/* To be ended by end(), which returns the wait status. */
pid_t start(const char *const *arguments, int *reader);
/* Until this is printed, or, with NULL, until everyone who could print is gone. */
void read_until(int reader, const char *words);
int end(pid_t pid, int reader);
void expect(int code, const char *words, const char *const *arguments);
void expect_printed(const char *words);

const char *text_of(const cJSON *json, const char *name); /* "": it has none */
/* How many records of this kind `record` holds; no two of them may be the same case. `last` receives the last record of
 * all. */
size_t count_records(const char *kind, cJSON **last);

#endif
