#include "mutant.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>

/* Of all publishers of the process. kept: one that a thread has handed to another that was inside publish as well. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static unsigned inside;
static mutant_copy *kept;

/* The other goes on meanwhile, and may be first with its next message. */
static void publish_kept(mutant_endpoint *endpoint)
{
    mutant_copy *message;
    pthread_mutex_lock(&lock);
    while ((message = kept) != NULL) {
        kept = NULL;
        pthread_mutex_unlock(&lock);
        poll(NULL, 0, 2);
        mutant_publish(endpoint, message->parts, message->count);
        free(message);
        pthread_mutex_lock(&lock);
    }
    --inside;
    pthread_mutex_unlock(&lock);
}

static int publish(mutant_endpoint *endpoint, const ipcmark_part *parts, size_t count)
{
    bool hand_over;
    int result = 0;
    pthread_mutex_lock(&lock);
    hand_over = inside > 0 && kept == NULL && mutant_turn(endpoint) % 8 == 0;
    if (hand_over)
        result = (kept = mutant_copy_message(parts, count)) == NULL ? -ENOMEM : 0;
    else
        ++inside;
    pthread_mutex_unlock(&lock);
    if (hand_over)
        return result;
    result = mutant_publish(endpoint, parts, count);
    publish_kept(endpoint);
    return result;
}

MUTANT(.name = "cross_threads",
       .fault = "a thread hands its message to another that is in publish, and may send its next one before it",
       .class_name = "reordered", .must_fail = "THR-001", .may_fail = "DEL-010 THR-004", .needs = IPCMARK_CAP_THREADS,
       .publish = publish)
