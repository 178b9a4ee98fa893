/* What the commands of the mmipc tool share: how they end, what they wait for, how they read and write. */
#ifndef MMIPC_TOOL_H
#define MMIPC_TOOL_H

#include "mmipc/mmipc.h"

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_TOO_LATE = 2, EXIT_USAGE = 64, EXIT_BY_SIGNAL = 128 };

/* The commands; argv[0] is the command's name. They return the exit code. */
int command_ls(int argc, char **argv);
int command_pub(int argc, char **argv);
int command_sub(int argc, char **argv);
int command_clean(int argc, char **argv);

/* end.c */
int complain(const char *format, ...) __attribute__((format(printf, 1, 2)));                     /* EXIT_FAILED */
int misused(const char *command, const char *format, ...) __attribute__((format(printf, 2, 3))); /* EXIT_USAGE */
int end_output(int code);                       /* flushes stdout: code, or what became of the output */
int end_for_error(const char *what, int error); /* what: "cannot …"; error: -errno, -EINTR for a signal, -EPIPE */

/* wait.c. SIGINT, SIGTERM and SIGHUP end a command in an orderly way: every wait of it looks for them. */
enum awaited { AWAITED_READY, AWAITED_TOO_LATE, AWAITED_STOP };
int stop_watch(void);                                          /* from here on: 0 or -errno */
int stop_signal(void);                                         /* the one that came; 0: none */
enum awaited await(int fd, short events, int64_t deadline_ns); /* fd -1: the time only; deadline -1: none */
enum awaited await_many(struct pollfd *polled, int count, int64_t deadline_ns);
int64_t deadline_in(double seconds); /* negative: -1 */
int wakeup_open(void);               /* a descriptor that another thread can make readable: -errno */
void wakeup_signal(int wakeup);
void wakeup_clear(int wakeup);

/* read.c, write.c: they wait for the other end of a pipe with an eye on the signals (-EINTR) */
struct line_reader {
    char *buffer;
    size_t used, capacity, taken;
    bool ended;
};
ssize_t line_read(struct line_reader *reader, char **line); /* without its end; -ENODATA: no more; -errno */
void line_reader_free(struct line_reader *reader);

struct writer {
    char buffer[65536];
    size_t used;
};
int write_out(struct writer *writer, const void *data,
              size_t size); /* to stdout; the data of one write may be of any size */
int write_flush(struct writer *writer);

/* text.c */
char *text_escaped(const void *data,
                   size_t size); /* printable, without control characters; to be freed; NULL: no memory */
/* The same JSON, of one line, with \u for what a terminal may obey: JSON itself allows DEL and what is beyond ASCII. */
char *text_escaped_json(const char *json); /* to be freed; NULL: no memory */
bool text_is_utf8(const char *text);
bool parse_seconds(const char *text, double *out);
bool parse_count(const char *text, long *out); /* 0 or more */

#endif
