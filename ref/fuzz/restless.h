/* Included before everything else where the library is built for fuzzing: after each load from shared memory, the other
 * process may have changed that word. What is loaded twice is then seen twice, differently. */
#ifndef RESTLESS_H
#define RESTLESS_H

#include "../src/atomics.h"

extern void (*restless_loaded)(const shared_u64 *word); /* NULL: nobody changes anything */

static inline uint64_t restless_load(const shared_u64 *from, memory_order order)
{
    const uint64_t value = order == memory_order_acquire ? atomic_load_explicit(from, memory_order_acquire)
                                                         : atomic_load_explicit(from, memory_order_relaxed);
    if (restless_loaded != NULL)
        restless_loaded(from);
    return value;
}

#define shared_load_acquire(from) restless_load(from, memory_order_acquire)
#define shared_load_relaxed(from) restless_load(from, memory_order_relaxed)

#endif
