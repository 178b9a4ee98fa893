/* ipcmark/random.h — splitmix64: small, and every seed gives another, well-mixed, sequence. No secrets come from it. */
#ifndef IPCMARK_RANDOM_H
#define IPCMARK_RANDOM_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The next number of the sequence; *state is a seed at first. */
static inline uint64_t ipcmark_random(uint64_t *state)
{
    uint64_t x = *state += UINT64_C(0x9E3779B97F4A7C15);
    x = (x ^ (x >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94D049BB133111EB);
    return x ^ (x >> 31);
}

#ifdef __cplusplus
}
#endif
#endif
