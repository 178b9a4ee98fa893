/* RouDi, iceoryx's broker: it makes the shared memory and brings publishers and subscribers together. */
#ifndef ICEORYX_ROUDI_H
#define ICEORYX_ROUDI_H

#include "ipcmark/driver.h"

#define ROUDI_SOCKET "/tmp/roudi"

/* As ipcmark_driver.broker_open; the address is what the names of its clients begin with.
 * Parameter: monitoring=on|off, whether it looks for clients that died, by their silence of 1.5 s.
 * There can be one RouDi a machine: -EADDRINUSE, said on standard error, if another does not end in time. */
int roudi_open(void **out, const ipcmark_endpoint *options, char *address, size_t address_size);
void roudi_close(void *roudi);

/* 0 if one takes clients; else -errno. Who asks for a client's place while there is none waits a minute and aborts. */
int roudi_check(void);

#endif
