/* A program that a driver starts and that ends with it: a broker.
 *
 * Each has a thread that forks it, reads what it prints and waits for its end. The kernel kills the program when that
 * thread goes, as it does when this process is killed; stopped in order, it gets SIGTERM first. */
#ifndef COMMON_DAEMON_H
#define COMMON_DAEMON_H

struct daemon;

/* argv[0] is a path; folder is where it works. Returns once it has printed `ready` anywhere in a line.
 * -ECHILD: it ended before, and what it said last is on our standard error; -ETIMEDOUT: it took more than 20 s, or
 * than the environment's IPCMARK_BROKER_SECONDS; else -errno. */
int daemon_start(struct daemon **out, const char *const argv[], const char *folder, const char *ready);
/* Blocks until it has ended; SIGKILL after 5 s. */
void daemon_stop(struct daemon *daemon);

#endif
