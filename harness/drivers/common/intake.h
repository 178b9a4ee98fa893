/* The thread in which a subscriber receives and delivers, for implementations that bring none.
 *
 * Its handler may close the subscriber: then the thread is left to itself, and frees what there is when it ends. */
#ifndef COMMON_INTAKE_H
#define COMMON_INTAKE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

struct intake {
    pthread_t thread;
    atomic_bool closing;
    bool closed_inside;
    void (*run)(void *context);    /* receives and delivers until intake_is_closing() */
    void (*finish)(void *context); /* frees the subscriber, this struct with it */
    void *context;
};

/* On failure finish is not called. */
int intake_start(struct intake *intake, void (*run)(void *), void (*finish)(void *), void *context);
bool intake_is_closing(const struct intake *intake);
/* Waits for the thread, and calls finish; or, called by the handler, leaves that to the thread. `wake` ends whatever
 * run is blocked in. */
void intake_close(struct intake *intake, void (*wake)(void *context));

#endif
