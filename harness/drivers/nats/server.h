/* nats-server, as the drivers start it. */
#ifndef NATS_SERVER_H
#define NATS_SERVER_H

#include "ipcmark/driver.h"

#include <stdbool.h>

/* Of one message: the largest max_payload that the server takes without a warning. */
enum { SERVER_MAX_PAYLOAD = 8 << 20 };

int server_open(void **out, const ipcmark_endpoint *options, bool jetstream, char *address, size_t address_size);
void server_close(void *server);

#endif
