/* Starting `ipcmark run` as users do, on a terminal or in a pipe, and reading what it says. */
#ifndef BENCH_TESTS_RUN_STARTED_H
#define BENCH_TESTS_RUN_STARTED_H

#include <sys/types.h>

struct run_started {
    pid_t pid;
    int output; /* of a terminal, both streams and the keyboard */
};

#define WORDS(...) ((const char *const[]){RUN, __VA_ARGS__, NULL})

extern char run_folder[64];       /* all temporary files are in it */
extern char run_printed[1 << 18]; /* so far */

/* Each case is between the two. Whoever is orphaned becomes our child, and a case that leaves a child behind fails. */
void run_open_folder(void);
void run_close_folder(void);

struct run_started run_on_terminal(const char *const *words);
struct run_started run_in_pipe(const char *const *words);

/* Until the words are there; NULL: until nobody can print any more. */
void run_read_until(const struct run_started *, const char *words);
/* To its end. */
void run_expect_code(const struct run_started *, int code);
void run_expect_printed(const char *words);
/* What is behind the words, as a number. */
unsigned long long run_number_after(const char *words);
/* What went to standard error of a pipe is then what was printed. */
void run_read_errors(void);

#endif
