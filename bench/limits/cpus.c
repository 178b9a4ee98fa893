#include "cpus.h"

#include <assert.h>
#include <errno.h>
#include <sched.h>
#include <string.h>

static_assert(sizeof(cpu_set_t) <= sizeof(struct cpus_mask), "a mask holds the C library's set of CPUs");

int cpus_choose(int *first, int *second)
{
    cpu_set_t set;
    int found[2] = {-1, -1};
    int count = 0;

    if (sched_getaffinity(0, sizeof set, &set) != 0)
        return -errno;
    for (size_t cpu = 0; cpu < CPU_SETSIZE && count < 2; ++cpu)
        if (CPU_ISSET(cpu, &set))
            found[count++] = (int)cpu;
    *first = found[0];
    *second = found[1];
    return CPU_COUNT(&set);
}

int cpus_pin(int cpu)
{
    cpu_set_t set;

    if (cpu < 0 || cpu >= CPU_SETSIZE)
        return -EINVAL;
    CPU_ZERO(&set);
    CPU_SET((size_t)cpu, &set);
    return sched_setaffinity(0, sizeof set, &set) == 0 ? 0 : -errno;
}

int cpus_save(struct cpus_mask *out)
{
    cpu_set_t set;

    if (sched_getaffinity(0, sizeof set, &set) != 0)
        return -errno;
    memcpy(out->bytes, &set, sizeof set);
    return 0;
}

void cpus_restore(const struct cpus_mask *mask)
{
    cpu_set_t set;

    memcpy(&set, mask->bytes, sizeof set);
    (void)sched_setaffinity(0, sizeof set, &set); /* was ours a moment ago; nothing better to do if a CPU went away */
}
