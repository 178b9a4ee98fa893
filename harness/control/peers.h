/* peers.h — drivers that were left out of the build, since what they drive was not installed; see drivers/peers.cmake.
 */
#ifndef CONTROL_PEERS_H
#define CONTROL_PEERS_H

#include <stddef.h>

enum { PEERS_NAME = 64, PEERS_PACKAGES = 512 };

/* What would put it right. */
#define PEERS_ADVICE "./ipcmark --with-peers installs what is missing"

/* packages: what it needs, separated by blanks. */
typedef void peers_visit_fn(void *context, const char *driver, const char *packages);

/* Calls visit for each, in the order of the build. */
void peers_missing(peers_visit_fn *visit, void *context);

/* 0: it was left out for want of these; -ENOENT. */
int peers_find_missing(const char *driver, char packages[PEERS_PACKAGES]);

#endif
