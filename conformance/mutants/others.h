/* What a fault can know of other processes, and of its own having been stopped: more than an implementation would. */
#ifndef OTHERS_H
#define OTHERS_H

#include "mutant.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Of a peer that is known as "pid:N"; 0: it is not. */
static inline int peer_pid(const char *peer)
{
    return peer != NULL && strncmp(peer, "pid:", 4) == 0 ? atoi(peer + 4) : 0;
}

/* As in /proc/N/stat: 'T' is stopped, 'Z' dead and not yet buried; 'X': there is none. */
static inline char process_state(int pid)
{
    char path[32], state = 'X';
    FILE *file;
    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    file = fopen(path, "re");
    if (file == NULL)
        return 'X';
    if (fscanf(file, "%*d (%*[^)]) %c", &state) != 1)
        state = 'X';
    fclose(file);
    return state;
}

static inline bool process_is_dead(int pid)
{
    const char state = process_state(pid);
    return state == 'X' || state == 'Z';
}

/* How often this process was continued, and when it was last. */
static atomic_uint continued_count;
static atomic_uint_fast64_t continued_ms;

static inline void note_continued(int signal)
{
    (void)signal;
    atomic_store(&continued_ms, mutant_now_ms());
    atomic_fetch_add(&continued_count, 1);
}

/* To be called before anything is opened; more than once is fine. */
static inline void watch_continued(void)
{
    const struct sigaction action = {.sa_handler = note_continued, .sa_flags = SA_RESTART};
    sigaction(SIGCONT, &action, NULL);
}

#endif
