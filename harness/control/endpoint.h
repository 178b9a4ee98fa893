/* endpoint.h — ids of endpoints and what is known of each. */
#ifndef CONTROL_ENDPOINT_H
#define CONTROL_ENDPOINT_H

#include "internal.h"

struct endpoint *endpoint_find(ipcmark_trial *, uint16_t id); /* its present life, or NULL */
/* Asks the endpoint's participant; `fields` gets its id, and is taken over. */
struct call *endpoint_call(ipcmark_trial *, uint16_t id, const char *op, cJSON *fields, double deadline_seconds);
/* What one is to be opened with, as "open_publisher" and "open_subscriber" have it; the caller's. */
cJSON *endpoint_open_fields(ipcmark_participant *, uint16_t id, uint16_t epoch, const ipcmark_endpoint_options *);

#endif
