/* What the commands that read result files have in common: reading all of them, and writing one file whole or not at
 * all. They speak on standard error, in the name of the command. */
#ifndef RESULTS_COMMAND_H
#define RESULTS_COMMAND_H

#include "../reader/results.h"

enum { EXIT_WRITTEN = 0, EXIT_UNREADABLE = 3, EXIT_USAGE = 64 };

/* Says "ipcmark COMMAND: …", on one line whatever it names: a line of its own may be an order to a CI service. */
void command_say(const char *command, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Says "ipcmark COMMAND: …what; see ipcmark COMMAND --help" and returns EXIT_USAGE. */
int command_usage(const char *command, const char *text, const char *what);

/* Says "ipcmark COMMAND: TEXT" and returns EXIT_UNREADABLE. */
int command_failed(const char *command, const char *text);

/* Likewise "ipcmark COMMAND: WHAT: why; what to do", of a -errno. */
int command_error(const char *command, const char *what, int error);

/* Reads the files into *out, which is the caller's to give back. 0, or EXIT_UNREADABLE, said. */
int command_read(const char *command, char **files, size_t count, struct results_run **out);
void command_free(struct results_run *runs, size_t count);

/* Writes beside the file and renames, so that nobody ever sees half of it; what is not a regular file is written into.
 * "-" is standard output. 0 or -errno. */
int command_write(const char *path, const char *text);

/* The whole text of a file, owned by the caller. 0 or -errno; -EFBIG beyond 16 MiB. */
int command_load(char **out, const char *path);

#endif
