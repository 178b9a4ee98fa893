/* Wakes, from inside the process, every thread that sleeps on one of a publisher's pairs, so that it decides anew. The
 * objects that subscribers wake us by can be signalled by subscribers only. */
#ifndef MMIPC_NUDGE_H
#define MMIPC_NUDGE_H

#include <pthread.h>
#include <stdbool.h>

struct nudge {
    int event; /* to be polled while asleep; borrowed by the sleepers */
    pthread_mutex_t lock;
    pthread_cond_t heard;
    int sleepers; /* between expect and over */
    bool given;   /* until the last of them is awake */
};

int nudge_open(struct nudge *nudge);
void nudge_close(struct nudge *nudge); /* also after a failed open, or when all is zero */

/* What a sleeper looks at between expect and its poll, it need not fear to miss: give comes after the change. */
void nudge_expect(struct nudge *nudge);
void nudge_over(struct nudge *nudge);
void nudge_give(struct nudge *nudge);

#endif
