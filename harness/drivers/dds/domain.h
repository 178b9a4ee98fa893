/* A directory's domain, which all endpoints of this process share that were opened with it.
 *
 * Participants meet over UDP on the loopback interface. The directory gives the domain its ports and its tag, which
 * must agree: other directories, other runs, and other users of DDS on the machine are never discovered. The first
 * endpoint's ping interval is that of all, since DDS tells life from death by process. */
#ifndef DDS_DOMAIN_H
#define DDS_DOMAIN_H

#include "ipcmark/driver.h"

#include <dds/dds.h>

struct domain;

/* *participant is valid until domain_leave. */
int domain_join(struct domain **out, const ipcmark_endpoint *options, dds_entity_t *participant);
void domain_leave(struct domain *domain); /* or NULL */

int dds_error(dds_return_t code); /* as -errno */

#endif
