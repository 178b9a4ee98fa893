/* peers.h — implementations beside the drivers that are there: those that were left out of the build, since what they
 * drive was not installed, and those that are agents; see drivers/peers.cmake. */
#ifndef CONTROL_PEERS_H
#define CONTROL_PEERS_H

#include <stddef.h>

enum { PEERS_NAME = 64, PEERS_PACKAGES = 512 };

/* What would put it right. */
#define PEERS_ADVICE "./ipcmark --with-peers installs what is missing"

/* text: what a driver needs, packages separated by blanks; what is to be known of an agent. */
typedef void peers_visit_fn(void *context, const char *name, const char *text);

/* Each calls visit for all of its kind, in the order of the build. */
void peers_missing(peers_visit_fn *visit, void *context);
void peers_agents(peers_visit_fn *visit, void *context);

/* 0: it was left out for want of these; -ENOENT. */
int peers_find_missing(const char *driver, char packages[PEERS_PACKAGES]);

#endif
