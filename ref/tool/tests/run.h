/* The mmipc tool as a child process of a test, with pipes at its three ends. */
#ifndef RUN_H
#define RUN_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct run {
    pid_t pid;
    int in, out, err;      /* -1: closed */
    char *output, *errors; /* once it has ended; NUL-terminated */
    size_t output_size, errors_size;
};

/* In main, before the cases: becomes the tool, if it was started for that; the tool is killed if the test dies. */
void run_main(int argc, char **argv);

struct run run_start(const char *const *arguments); /* up to a NULL; without the program's own name */
#define RUN(...) run_start((const char *const[]){__VA_ARGS__, NULL})
void run_send(struct run *run, const void *data, size_t size);
void run_close_input(struct run *run);
void run_read_line(int from, char *line, size_t size); /* of its out or err, so that the test knows how far it is */
int run_end(struct run *run); /* closes its input, takes what it says, reaps it: exit code, or 1000 + signal */
void run_free(struct run *run);

/* All in one: what it said is to be freed by run_free. */
#define RUN_WHOLE(run, ...) (*(run) = RUN(__VA_ARGS__), run_end(run))

#endif
