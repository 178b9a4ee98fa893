#include "bench.h"

#include <stdio.h>
#include <unistd.h>

int64_t bench_steal_ns(void)
{
    unsigned long long fields[8] = {0};
    FILE *file = fopen("/proc/stat", "re");
    int count = 0;

    if (file != NULL) {
        count = fscanf(file, "cpu %llu %llu %llu %llu %llu %llu %llu %llu", &fields[0], &fields[1], &fields[2],
                       &fields[3], &fields[4], &fields[5], &fields[6], &fields[7]);
        fclose(file);
    }
    return count == 8 ? (int64_t)(fields[7] * (1000000000ull / (unsigned long long)sysconf(_SC_CLK_TCK))) : -1;
}
