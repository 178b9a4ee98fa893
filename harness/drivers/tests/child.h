/* Participants as the test sees them. Every wait ends: with what was waited for, or with a failed assertion. */
#ifndef CHILD_H
#define CHILD_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

struct child {
    pid_t pid; /* 0: none */
    int in, out;
    atomic_long *published; /* a page shared with it */
};

extern const char *child_driver; /* path of the driver under test */
bool driver_claims(uint64_t capability);
size_t driver_message_max(void); /* bytes; 0: no limit */

/* The directory that all children share. After leave it must be empty but for what the test put there. */
void directory_enter(void);
void directory_leave(void);
const char *directory_path(void);

/* After a case that failed: kills the children and removes the directory that it left, so that the next is not harmed.
 */
void children_end(void);

struct child child_start(void);
void child_quit(struct child *child);
long child_kill(struct child *child); /* returns how many messages it had published with success */
void child_tell(const struct child *child, const char *command, ...) __attribute__((format(printf, 2, 3)));
void child_await(const struct child *child);  /* the answer to what it was told is "ok" */
long child_number(const struct child *child); /* the same; returns the number behind the "ok" */
bool child_answers_within(const struct child *child, int timeout_ms);

/* Tells, and awaits "ok". */
#define child_ask(child, ...) (child_tell(child, __VA_ARGS__), child_await(child))

#endif
