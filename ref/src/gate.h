/* Lets one thread at a time publish, or change the list of pairs. */
#ifndef MMIPC_GATE_H
#define MMIPC_GATE_H

#include <pthread.h>

struct gate {
    pthread_mutex_t lock;
};

static inline void gate_open(struct gate *gate)
{
    pthread_mutex_init(&gate->lock, NULL);
}

static inline void gate_close(struct gate *gate)
{
    pthread_mutex_destroy(&gate->lock);
}

static inline void gate_enter(struct gate *gate)
{
    pthread_mutex_lock(&gate->lock);
}

static inline void gate_leave(struct gate *gate)
{
    pthread_mutex_unlock(&gate->lock);
}

#endif
