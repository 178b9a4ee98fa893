/* Runs `ipcmark bench` as a user does, for its tests. */
#ifndef BENCH_COMMAND_RUN_H
#define BENCH_COMMAND_RUN_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include <cjson/cJSON.h>

/* Of the case: the run's file "run.jsonl" and all temporary ones. */
extern char command_directory[64], command_file[96];
void command_open_directory(void);
void command_close_directory(void); /* nothing but the run's file may be left in it */

struct command_started {
    pid_t pid;
    int output; /* both streams */
};

/* words: after the program's name, NULL-terminated. terminal: both streams are one. */
struct command_started command_start(const char *const *words, bool terminal);
/* Reads on until the text comes, or to the end with NULL; returns whether it came. */
bool command_read_until(const struct command_started *, const char *text);
int command_finish(const struct command_started *); /* its exit code */

extern char command_said[1 << 18]; /* what the one that ran last said */
int command_run(const char *const *words);
void command_says(int exit_code, const char *text, const char *const *words);
#define SAYS(exit_code, text, ...) command_says(exit_code, text, (const char *const[]){__VA_ARGS__, NULL})

unsigned command_count(const char *part); /* how often that was said */

/* Reads the run's file: counts[block] of its cells. Returns all of its records, an array that the caller deletes. */
cJSON *command_read_file(unsigned *counts, unsigned blocks);
const char *command_text(const cJSON *record, const char *name);
void command_write_file(const char *path, const char *text);

#endif
