/* Descriptors and memory may have been made scarce on purpose, by soft limits: that is for the implementation to suffer
 * from, not for the agent, which must go on to answer and to keep its journal. */
#include "agent.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/resource.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct rlimit descriptor_limit, memory_limit; /* as they were before they were lifted */

static bool lift(__rlimit_resource_t resource, struct rlimit *before)
{
    struct rlimit more;
    if (getrlimit(resource, before) < 0)
        return false;
    more = *before;
    more.rlim_cur = more.rlim_max;
    return before->rlim_cur < before->rlim_max && setrlimit(resource, &more) == 0;
}

bool limits_lift(int error)
{
    if (error != -EMFILE && error != -ENOMEM && error != -EAGAIN)
        return false;
    pthread_mutex_lock(&lock);
    const bool lifted = lift(RLIMIT_NOFILE, &descriptor_limit), also = lift(RLIMIT_AS, &memory_limit);
    if (lifted || also)
        return true;
    pthread_mutex_unlock(&lock);
    return false;
}

void limits_restore(void)
{
    setrlimit(RLIMIT_NOFILE, &descriptor_limit);
    setrlimit(RLIMIT_AS, &memory_limit);
    pthread_mutex_unlock(&lock);
}

void *limits_allocate(size_t size)
{
    void *block = calloc(1, size);
    if (block == NULL && limits_lift(-ENOMEM)) {
        block = calloc(1, size);
        limits_restore();
    }
    return block;
}

void limits_init(void)
{
    cJSON_InitHooks(&(cJSON_Hooks){.malloc_fn = limits_allocate, .free_fn = free});
}
