#include "mutant.h"

#include <errno.h>
#include <pthread.h>
#include <unistd.h>

static void *wait_for_ever(void *context)
{
    for (;;)
        pause();
    return context;
}

static int leak(mutant_endpoint *endpoint, const ipcmark_endpoint *options)
{
    pthread_t thread;
    (void)endpoint, (void)options;
    if (pthread_create(&thread, NULL, wait_for_ever, NULL) != 0)
        return -EAGAIN;
    pthread_detach(thread);
    return 0;
}

MUTANT(.name = "leak_thread", .fault = "each open leaves a thread behind that waits for what never comes",
       .class_name = "leftover", .must_fail = "LIFE-003 LIFE-004", .may_fail = "", .before_open = leak)
