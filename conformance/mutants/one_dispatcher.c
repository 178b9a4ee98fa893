#include "mutant.h"

/* Recursive: a handler may publish, as long as there is room. */
static pthread_mutex_t lock;

__attribute__((constructor)) static void init(void)
{
    pthread_mutexattr_t recursive;
    pthread_mutexattr_init(&recursive);
    pthread_mutexattr_settype(&recursive, PTHREAD_MUTEX_RECURSIVE);
    pthread_mutex_init(&lock, &recursive);
    pthread_mutexattr_destroy(&recursive);
}

static void deliver(mutant_endpoint *endpoint, const ipcmark_part *parts, size_t count)
{
    pthread_mutex_lock(&lock);
    mutant_deliver(endpoint, parts, count);
    pthread_mutex_unlock(&lock);
}

static int publish(mutant_endpoint *endpoint, const ipcmark_part *parts, size_t count)
{
    int result;
    pthread_mutex_lock(&lock);
    result = mutant_publish(endpoint, parts, count);
    pthread_mutex_unlock(&lock);
    return result;
}

MUTANT(.name = "one_dispatcher", .fault = "a process has one lock, and holds it while publish waits for room",
       .base = "mmipc?max_backlog_bytes=1048576", .class_name = "hung late", .must_fail = "THR-003",
       .may_fail = "THR-004", .publish = publish, .deliver = deliver)
