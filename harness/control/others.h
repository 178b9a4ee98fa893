/* others.h — the CPU time that the kernel shows as used, for whoever wants to know what others took.
 *
 * A container's /proc/stat is often its host's, so only the CPUs that we may run on are looked at. A quota that is used
 * up (cpu.max) holds everybody of a container back while its CPUs look idle: that time is taken as well. By whose work
 * it was used up, nobody says. */
#ifndef CONTROL_OTHERS_H
#define CONTROL_OTHERS_H

#include <sched.h>
#include <stdint.h>
#include <stdio.h>

/* Of these CPUs since the machine started, ours included, with what was withheld from us. *cpus: how many there are. 0:
 * the kernel does not tell. */
uint64_t others_used_ns(unsigned *cpus);

/* Its parts, on any file: all lines "cpuN" of the set, time stolen by other machines included; */
uint64_t others_parse_stat(FILE *stat, const cpu_set_t *set, unsigned *cpus);
/* how long the cgroup was throttled that this list (as /proc/self/cgroup) names below the mount; 0 if that cannot be
 * read. */
uint64_t others_throttled_ns(const char *list, const char *mount);

#endif
