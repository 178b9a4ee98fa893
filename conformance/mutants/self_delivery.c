#include "mutant.h"

/* One call at a time a subscriber, whoever makes it. */
static pthread_mutex_t delivering = PTHREAD_MUTEX_INITIALIZER;

static void deliver(mutant_endpoint *endpoint, const ipcmark_part *parts, size_t count)
{
    pthread_mutex_lock(&delivering);
    mutant_deliver(endpoint, parts, count);
    pthread_mutex_unlock(&delivering);
}

static int publish(mutant_endpoint *endpoint, const ipcmark_part *parts, size_t count)
{
    const int result = mutant_publish(endpoint, parts, count);
    pthread_mutex_lock(&mutant_lock);
    for (mutant_endpoint *other = mutant_endpoints; result >= 0 && other != NULL; other = other->next)
        if (other->subscriber && mutant_same_channel(endpoint, other))
            deliver(other, parts, count);
    pthread_mutex_unlock(&mutant_lock);
    return result;
}

MUTANT(.name = "self_delivery", .fault = "a publisher's messages reach the subscribers of its own process, too",
       .class_name = "leaked", .must_fail = "ISO-004", .may_fail = "CHURN-003 KILL-006",
       .needs = IPCMARK_CAP_NO_SELF_DELIVERY, .publish = publish, .deliver = deliver)
