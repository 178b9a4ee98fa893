#include "others.h"

#include <limits.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

uint64_t others_parse_stat(FILE *stat, const cpu_set_t *set, unsigned *cpus)
{
    char line[512];
    uint64_t ticks = 0;
    *cpus = 0;
    while (fgets(line, sizeof line, stat) != NULL) {
        unsigned number;
        unsigned long long user, nice, system, idle, wait, interrupts, soft, stolen;
        if (sscanf(line, "cpu%u %llu %llu %llu %llu %llu %llu %llu %llu", &number, &user, &nice, &system, &idle, &wait,
                   &interrupts, &soft, &stolen) != 9 ||
            number >= CPU_SETSIZE || !CPU_ISSET(number, set))
            continue;
        ticks += user + nice + system + interrupts + soft + stolen;
        ++*cpus;
    }
    return ticks * (UINT64_C(1000000000) / (uint64_t)sysconf(_SC_CLK_TCK));
}

/* A container may see itself at the mount, and still be told its path on the host. */
static FILE *open_group(const char *mount, const char *controllers, const char *path)
{
    char name[2 * PATH_MAX];
    snprintf(name, sizeof name, "%s/%s%s/cpu.stat", mount, controllers, path);
    FILE *file = fopen(name, "re");
    if (file == NULL) {
        snprintf(name, sizeof name, "%s/%s/cpu.stat", mount, controllers);
        file = fopen(name, "re");
    }
    return file;
}

static uint64_t read_throttled(const char *mount, const char *controllers, const char *path)
{
    char key[64];
    unsigned long long value;
    uint64_t ns = 0;
    FILE *file = open_group(mount, controllers, path);
    if (file == NULL)
        return 0;
    while (fscanf(file, "%63s %llu", key, &value) == 2)
        if (strcmp(key, "throttled_usec") == 0) /* version 2 */
            ns += value * 1000;
        else if (strcmp(key, "throttled_time") == 0) /* version 1 */
            ns += value;
    fclose(file);
    return ns;
}

static bool is_of_cpu(const char *controllers)
{
    return *controllers == '\0' || strcmp(controllers, "cpu") == 0 || strcmp(controllers, "cpu,cpuacct") == 0;
}

uint64_t others_throttled_ns(const char *list, const char *mount)
{
    char line[PATH_MAX];
    uint64_t ns = 0;
    FILE *file = fopen(list, "re");
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        char *controllers = strchr(line, ':'), *path = controllers != NULL ? strchr(controllers + 1, ':') : NULL;
        if (path == NULL)
            continue;
        ++controllers, *path++ = '\0';
        path[strcspn(path, "\n")] = '\0';
        if (is_of_cpu(controllers))
            ns += read_throttled(mount, controllers, path);
    }
    if (file != NULL)
        fclose(file);
    return ns;
}

uint64_t others_used_ns(unsigned *cpus)
{
    cpu_set_t set;
    *cpus = 0;
    if (sched_getaffinity(0, sizeof set, &set) < 0)
        memset(&set, 0xff, sizeof set); /* more CPUs than a set has room for */
    FILE *stat = fopen("/proc/stat", "re");
    if (stat == NULL)
        return 0;
    const uint64_t used_ns = others_parse_stat(stat, &set, cpus);
    fclose(stat);
    return used_ns > 0 ? used_ns + others_throttled_ns("/proc/self/cgroup", "/sys/fs/cgroup") : 0;
}
