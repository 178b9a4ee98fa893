/* A broker that is a program with a configuration file: started on loopback with a free port and a private folder. */
#ifndef COMMON_BROKER_H
#define COMMON_BROKER_H

#include "ipcmark/driver.h"

#include <stdio.h>

struct broker_kind {
    const char *program; /* its path */
    const char *option;  /* what stands before the path of the configuration file, or NULL */
    const char *ready;   /* what it prints once it takes connections */
    /* Writes the configuration; the folder is for whatever it keeps. -EINVAL: a parameter makes no sense. */
    int (*configure)(FILE *file, const ipcmark_endpoint *options, unsigned port, const char *folder);
};

/* As ipcmark_driver.broker_open; the address is HOST:PORT. */
int broker_open(void **out, const ipcmark_endpoint *options, const struct broker_kind *kind, char *address,
                size_t address_size);
void broker_close(void *broker);

/* Where it is, from the parameter "broker". -EDESTADDRREQ: there is none. */
enum { BROKER_HOST = 64 };
int broker_address(const ipcmark_endpoint *options, char host[BROKER_HOST], int *port);

#endif
