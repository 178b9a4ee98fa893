#include "later.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

typedef struct waiting {
    struct waiting *next;
    struct timespec due;
    mutant_copy *message;
} waiting;

typedef struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    pthread_t thread;
    long delay_ns;
    bool running, closing;
    waiting *first, **end;
} queue;

/* Hands over what is due; once the publisher closes, everything. Nobody else takes from the queue. */
static void *hand_over(void *context)
{
    mutant_endpoint *endpoint = context;
    queue *self = atomic_load(&endpoint->state);
    pthread_mutex_lock(&self->lock);
    for (;;) {
        waiting *next;
        while (self->first == NULL && !self->closing)
            pthread_cond_wait(&self->changed, &self->lock);
        next = self->first;
        if (next == NULL)
            break;
        while (!self->closing && pthread_cond_timedwait(&self->changed, &self->lock, &next->due) != ETIMEDOUT)
            ;
        pthread_mutex_unlock(&self->lock);
        mutant_publish(endpoint, next->message->parts, next->message->count);
        pthread_mutex_lock(&self->lock);
        self->first = next->next; /* only now: while one is on its way, the queue is not empty */
        if (self->first == NULL)
            self->end = &self->first;
        free(next->message);
        free(next);
    }
    pthread_mutex_unlock(&self->lock);
    return NULL;
}

int later_open(mutant_endpoint *endpoint, unsigned delay_ms)
{
    pthread_condattr_t monotonic;
    queue *self = calloc(1, sizeof *self);
    if (self == NULL)
        return -ENOMEM;
    pthread_mutex_init(&self->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&self->changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    self->end = &self->first;
    self->delay_ns = (long)delay_ms * 1000000;
    atomic_store(&endpoint->state, self);
    return 0;
}

static struct timespec due_time(long delay_ns)
{
    struct timespec due;
    clock_gettime(CLOCK_MONOTONIC, &due);
    due.tv_nsec += delay_ns;
    due.tv_sec += due.tv_nsec / 1000000000;
    due.tv_nsec %= 1000000000;
    return due;
}

/* With the lock held. The thread is started by the first message: by then the base is open. */
static int append(mutant_endpoint *endpoint, queue *self, const ipcmark_part *parts, size_t count)
{
    waiting *item = malloc(sizeof *item);
    int error = -ENOMEM;
    if (item == NULL)
        return -ENOMEM;
    *item = (waiting){.due = due_time(self->delay_ns), .message = mutant_copy_message(parts, count)};
    if (item->message != NULL)
        error = self->running ? 0 : -pthread_create(&self->thread, NULL, hand_over, endpoint);
    if (error < 0) {
        free(item->message);
        free(item);
        return error;
    }
    self->running = true;
    *self->end = item;
    self->end = &item->next;
    pthread_cond_signal(&self->changed);
    return 0;
}

/* What is for nobody must not wait: somebody might come who opened too late for it, which is another fault. */
int later_publish(mutant_endpoint *endpoint, const ipcmark_part *parts, size_t count)
{
    queue *self = atomic_load(&endpoint->state);
    int result;
    pthread_mutex_lock(&self->lock);
    if (self->closing)
        result = -ESHUTDOWN;
    else if (self->first == NULL && mutant_peers(endpoint) == 0)
        result = mutant_publish(endpoint, parts, count);
    else
        result = append(endpoint, self, parts, count);
    pthread_mutex_unlock(&self->lock);
    return result;
}

void later_close(mutant_endpoint *endpoint)
{
    queue *self = atomic_load(&endpoint->state);
    if (self == NULL)
        return;
    pthread_mutex_lock(&self->lock);
    self->closing = true;
    pthread_cond_signal(&self->changed);
    pthread_mutex_unlock(&self->lock);
    if (self->running)
        pthread_join(self->thread, NULL);
    pthread_cond_destroy(&self->changed);
    pthread_mutex_destroy(&self->lock);
}
