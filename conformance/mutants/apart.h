/* A subscriber whose handler runs in a thread of its own, and whose close knows nothing of that thread: for mutants
 * that differ in what the thread still does then. */
#ifndef APART_H
#define APART_H

#include "mutant.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

typedef struct apart_item {
    struct apart_item *next;
    mutant_copy *message;
} apart_item;

typedef struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    ipcmark_deliver_fn *deliver;
    void *context;
    apart_item *first, **end;
    size_t count;
    bool closed, forgotten;
    unsigned left; /* messages that are still delivered after close */
} apart;

enum { APART_MOST = 16 }; /* that wait for the handler; then the base has to */

/* Outlives the endpoint. */
static inline void *apart_run(void *argument)
{
    apart *self = argument;
    pthread_mutex_lock(&self->lock);
    for (;;) {
        apart_item *item;
        while (self->first == NULL && !self->closed)
            pthread_cond_wait(&self->changed, &self->lock);
        if (self->first == NULL || (self->closed && self->left-- == 0))
            break;
        item = self->first;
        self->first = item->next;
        if (self->first == NULL)
            self->end = &self->first;
        --self->count;
        pthread_cond_broadcast(&self->changed);
        pthread_mutex_unlock(&self->lock);
        self->deliver(self->context, item->message->parts, item->message->count);
        free(item->message);
        free(item);
        pthread_mutex_lock(&self->lock);
    }
    while (!self->forgotten)
        pthread_cond_wait(&self->changed, &self->lock);
    pthread_mutex_unlock(&self->lock);
    while (self->first != NULL) {
        apart_item *next = self->first->next;
        free(self->first->message);
        free(self->first);
        self->first = next;
    }
    pthread_cond_destroy(&self->changed);
    pthread_mutex_destroy(&self->lock);
    free(self);
    return NULL;
}

static inline int apart_open(mutant_endpoint *endpoint, unsigned left)
{
    apart *self = endpoint->subscriber ? calloc(1, sizeof *self) : NULL;
    pthread_t thread;
    if (self == NULL)
        return endpoint->subscriber ? -ENOMEM : 0;
    pthread_mutex_init(&self->lock, NULL);
    pthread_cond_init(&self->changed, NULL);
    self->deliver = endpoint->deliver;
    self->context = endpoint->context;
    self->end = &self->first;
    self->left = left;
    if (pthread_create(&thread, NULL, apart_run, self) != 0) {
        free(self);
        return -EAGAIN;
    }
    pthread_detach(thread);
    atomic_store(&endpoint->state, self);
    return 0;
}

static inline void apart_deliver(mutant_endpoint *endpoint, const ipcmark_part *parts, size_t count)
{
    apart *self = atomic_load(&endpoint->state);
    apart_item *item = calloc(1, sizeof *item);
    if (item == NULL || (item->message = mutant_copy_message(parts, count)) == NULL) {
        free(item);
        return;
    }
    pthread_mutex_lock(&self->lock);
    while (self->count >= APART_MOST && !self->closed)
        pthread_cond_wait(&self->changed, &self->lock);
    *self->end = item;
    self->end = &item->next;
    ++self->count;
    pthread_cond_broadcast(&self->changed);
    pthread_mutex_unlock(&self->lock);
}

/* Before the base closes, which waits for apart_deliver. */
static inline void apart_close(mutant_endpoint *endpoint)
{
    apart *self = atomic_load(&endpoint->state);
    if (self == NULL)
        return;
    pthread_mutex_lock(&self->lock);
    self->closed = true;
    pthread_cond_broadcast(&self->changed);
    pthread_mutex_unlock(&self->lock);
}

/* After it has. */
static inline void apart_forget(mutant_endpoint *endpoint)
{
    apart *self = atomic_exchange(&endpoint->state, NULL);
    if (self == NULL)
        return;
    pthread_mutex_lock(&self->lock);
    self->forgotten = true;
    pthread_cond_broadcast(&self->changed);
    pthread_mutex_unlock(&self->lock);
}

#endif
