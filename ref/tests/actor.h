/* A second process for a test: this very program again, as a publisher or subscriber that obeys lines on its standard
 * input and answers each with "NUMBER\n". */
#ifndef ACTOR_H
#define ACTOR_H

#include <stdbool.h>
#include <sys/types.h>

struct actor {
    pid_t pid;
    int to, from;
};

/* What a test adds: asked for lines that are none of the requests below; NULL: none. */
extern long (*actor_other)(const char *line);

/* In main, before the cases: the program is an actor if it was started as one, and then never returns. */
void actor_main(int argc, char **argv);

const char *actor_program(void); /* the path of this very program */

/* role: "publisher" or "subscriber". settings: "spin_us=-1 when_full=1 pattern=1 …", may be empty; "uid=1000",
 * "namespace=1" (a PID namespace of its own) for root. */
struct actor actor_start(const char *role, const char *channel, const char *directory, const char *settings);
long actor_ask(const struct actor *actor, const char *format, ...) __attribute__((format(printf, 2, 3)));
void actor_tell(const struct actor *actor, const char *format, ...) __attribute__((format(printf, 2, 3)));
long actor_answer(const struct actor *actor);
void actor_end(struct actor *actor);        /* closes its endpoint and exits; must exit with 0 */
void actor_kill(struct actor *actor);       /* SIGKILL, reaped */
void actor_stop(const struct actor *actor); /* SIGSTOP; returns when every thread of it stands still */
void actor_continue(const struct actor *actor);

/* Requests. Publisher: "publish FIRST COUNT SIZE", "parts", "connected N TIMEOUT", "disconnected TIMEOUT",
 * "connections", "flush TIMEOUT", "die_after FIRST COUNT SIZE" (publishes, then kills itself, no answer). Subscriber:
 * "hold 0|1" (its handler blocks while held), "expect N" (until N received in order; number received), "connected …".
 */

/* A new directory under /tmp for a case, removed with what is in it; the answer says how many entries were left in it.
 */
char *test_directory(void);
int test_directory_remove(char *path);
int test_directory_entries(const char *path);

#endif
