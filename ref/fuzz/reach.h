/* What the library does on threads of its own, step by step. reach_*.c include the sources whose statics these are. */
#ifndef REACH_H
#define REACH_H

#include "publisher.h"
#include "subscriber.h"

void reach_control_tick(struct endpoint *endpoint, int64_t now_ns);   /* a ping interval is over */
void reach_control_sweep(struct endpoint *endpoint, int64_t now_ns);  /* what follows on each wake-up */
void reach_control_end(struct endpoint *endpoint);                    /* the last act of the control thread */
void reach_found(struct endpoint *endpoint, const unsigned char *id); /* a publisher's scan found a subscriber */
int reach_serve(struct mmipc_subscriber *subscriber);                 /* a round of the data thread */

#endif
