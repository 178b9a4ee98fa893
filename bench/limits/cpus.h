/* Which CPUs the two sides of a measurement run on. */
#ifndef BENCH_CPUS_H
#define BENCH_CPUS_H

/* The first two CPUs that this process may run on; -1 in *second where there is only one. Returns how many there are.
 */
int cpus_choose(int *first, int *second);

/* Pins the calling thread; what it starts from now on, threads and processes, inherits that. Errors: -EINVAL. */
int cpus_pin(int cpu);

/* Keeps and restores the calling thread's affinity, in pairs. */
struct cpus_mask {
    unsigned char bytes[1024];
};
int cpus_save(struct cpus_mask *out);
void cpus_restore(const struct cpus_mask *mask);

#endif
