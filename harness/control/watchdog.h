/* watchdog.h — the coordinator's end of the guard process (guard.c). */
#ifndef CONTROL_WATCHDOG_H
#define CONTROL_WATCHDOG_H

#include <stdint.h>
#include <sys/types.h>

struct watchdog {
    int socket;
    pid_t pid;
    int patience_ms;     /* of the close */
    char directory[256]; /* private, made by the guard, removed by the guard when we are gone */
};

int watchdog_open(struct watchdog *, const char *program, const char *parent_directory, uint64_t run);
/* Waits until the guard has cleaned up. -ETIMEDOUT: it did not within its patience, and was killed; who it watched and
 * the directory may still be there. */
int watchdog_close(struct watchdog *);

void watchdog_watch(struct watchdog *, pid_t participant);
void watchdog_forget(struct watchdog *, pid_t participant);

/* One round trip to the guard and back, in nanoseconds: a measure of how long waking a process takes just now.
 * -ETIMEDOUT after a second. */
int watchdog_ping(struct watchdog *, uint64_t *out);

#endif
