/* redis-server, as a broker. */
#ifndef REDIS_SERVER_H
#define REDIS_SERVER_H

#include "ipcmark/driver.h"

#include <hiredis/hiredis.h>
#include <stdio.h>

#define SERVER_TEXT_(number) #number
#define SERVER_TEXT(number)  SERVER_TEXT_(number)
/* Of the server, and of the library. */
#define SERVER_VERSION                                                                                                 \
    PEER_VERSION ", hiredis " SERVER_TEXT(HIREDIS_MAJOR) "." SERVER_TEXT(HIREDIS_MINOR) "." SERVER_TEXT(HIREDIS_PATCH)

/* Writes what both drivers ask for. */
void server_configure(FILE *file, unsigned port, const char *folder);
/* As ipcmark_driver.broker_open. */
int server_open(void **out, const ipcmark_endpoint *options,
                int (*configure)(FILE *, const ipcmark_endpoint *, unsigned port, const char *folder), char *address,
                size_t address_size);

#endif
