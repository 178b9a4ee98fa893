/* Publishing some time after the call has returned, in a thread of the publisher's own. */
#ifndef LATER_H
#define LATER_H

#include "mutant.h"

/* Takes the publisher's state for itself. -ENOMEM. */
int later_open(mutant_endpoint *, unsigned delay_ms);
/* In the order of the calls; at once if nobody is connected and nothing waits. */
int later_publish(mutant_endpoint *, const ipcmark_part *parts, size_t count);
/* Publishes what still waits. */
void later_close(mutant_endpoint *);

#endif
