/* Messages whose every word tells which message it belongs to, so that torn, mixed or overwritten ones are noticed. */
#ifndef PATTERN_H
#define PATTERN_H

#include "mmipc/mmipc.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

static inline uint64_t pattern_word(uint64_t sequence, size_t at)
{
    return at == 0 ? sequence : (sequence + 1) * UINT64_C(0x9e3779b97f4a7c15) ^ at;
}

/* Sizes need not be multiples of a word; below one there is room for the sequence's lowest bytes alone. */
static inline void pattern_fill(void *data, size_t size, uint64_t sequence)
{
    for (size_t at = 0; at * 8 < size; ++at) {
        const uint64_t word = pattern_word(sequence, at);
        memcpy((char *)data + at * 8, &word, size - at * 8 < 8 ? size - at * 8 : 8);
    }
}

static inline bool pattern_holds(const mmipc_part *parts, size_t count, uint64_t sequence)
{
    if (count != 1)
        return false;
    for (size_t at = 0; at * 8 < parts->size; ++at) {
        const uint64_t word = pattern_word(sequence, at);
        if (memcmp((const char *)parts->data + at * 8, &word, parts->size - at * 8 < 8 ? parts->size - at * 8 : 8) != 0)
            return false;
    }
    return true;
}

#endif
