#include "mutant.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>

/* Of a publisher. kept: a message that a thread has handed to another one, which was inside publish as well. */
typedef struct {
    pthread_mutex_t lock;
    unsigned inside;
    mutant_copy *kept;
} counter;

static int make_counter(mutant_endpoint *endpoint, const ipcmark_endpoint *options)
{
    counter *self = calloc(1, sizeof *self);
    (void)options;
    if (self == NULL)
        return -ENOMEM;
    pthread_mutex_init(&self->lock, NULL);
    endpoint->state = self;
    return 0;
}

/* The other goes on meanwhile, and may be first with its next message. */
static void publish_kept(mutant_endpoint *endpoint, counter *self)
{
    mutant_copy *message;
    pthread_mutex_lock(&self->lock);
    while ((message = self->kept) != NULL) {
        self->kept = NULL;
        pthread_mutex_unlock(&self->lock);
        poll(NULL, 0, 2);
        mutant_publish(endpoint, message->parts, message->count);
        free(message);
        pthread_mutex_lock(&self->lock);
    }
    --self->inside;
    pthread_mutex_unlock(&self->lock);
}

static int publish(mutant_endpoint *endpoint, const ipcmark_part *parts, size_t count)
{
    counter *self = endpoint->state;
    bool hand_over;
    int result = 0;
    pthread_mutex_lock(&self->lock);
    hand_over = self->inside > 0 && self->kept == NULL && mutant_turn(endpoint) % 8 == 0;
    if (hand_over)
        result = (self->kept = mutant_copy_message(parts, count)) == NULL ? -ENOMEM : 0;
    else
        ++self->inside;
    pthread_mutex_unlock(&self->lock);
    if (hand_over)
        return result;
    result = mutant_publish(endpoint, parts, count);
    publish_kept(endpoint, self);
    return result;
}

MUTANT(.name = "cross_threads",
       .fault = "a thread hands its message to another that is in publish, and may send its next one before it",
       .class_name = "reordered", .must_fail = "THR-001", .may_fail = "DEL-010 DEL-013 THR-004 LIFE-001",
       .needs = IPCMARK_CAP_THREADS, .before_open = make_counter, .publish = publish)
