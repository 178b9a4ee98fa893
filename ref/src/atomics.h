/* The only way this library touches memory that another thread or process writes at the same time.
 *
 * Every ordering is labelled where it is used, in pairs: "R1 release: pairs with A1 in …". ORDERING.md lists the pairs.
 */
#ifndef MMIPC_ATOMICS_H
#define MMIPC_ATOMICS_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef _Atomic uint64_t shared_u64;
typedef _Atomic uint32_t shared_u32;

static inline uint64_t shared_load_acquire(const shared_u64 *from)
{
    return atomic_load_explicit(from, memory_order_acquire);
}

static inline uint64_t shared_load_relaxed(const shared_u64 *from)
{
    return atomic_load_explicit(from, memory_order_relaxed);
}

static inline void shared_store_release(shared_u64 *to, uint64_t value)
{
    atomic_store_explicit(to, value, memory_order_release);
}

static inline void shared_store_relaxed(shared_u64 *to, uint64_t value)
{
    atomic_store_explicit(to, value, memory_order_relaxed);
}

enum { SHORT_BYTES = 128 };

/* A few bytes, by stores that do not pass the end of a cache line if `to` is aligned to 16, and without a call. */
static inline void copy_short(unsigned char *to, const unsigned char *from, size_t bytes)
{
    if (bytes >= 16) {
        for (size_t i = 0; i < bytes - 16; i += 16)
            memcpy(to + i, from + i, 16);
        memcpy(to + bytes - 16, from + bytes - 16, 16); /* may store some of them again */
    } else if (bytes >= 8) {
        memcpy(to, from, 8);
        memcpy(to + bytes - 8, from + bytes - 8, 8);
    } else {
        for (size_t i = 0; i < bytes; ++i)
            to[i] = from[i];
    }
}

/* Bytes that no other process looks at before a release store tells it of them. */
static inline void shared_copy(void *to, const void *from, size_t bytes)
{
    if (bytes <= SHORT_BYTES)
        copy_short(to, from, bytes);
    else
        memcpy(to, from, bytes);
}

/* Orders an earlier store before a later load, for both the compiler and the processor. */
static inline void fence_full(void)
{
    atomic_thread_fence(memory_order_seq_cst);
}

/* Orders for the compiler alone; the processor is made to obey by the other side's os_barrier_heavy(). */
static inline void fence_light(void)
{
    atomic_signal_fence(memory_order_seq_cst);
}

/* A flag that threads of this process set and look at; it carries no data, so no ordering is asked of it. */
typedef _Atomic int flag;

static inline int flag_get(const flag *from)
{
    return atomic_load_explicit(from, memory_order_relaxed);
}

static inline void flag_set(flag *to, int value)
{
    atomic_store_explicit(to, value, memory_order_relaxed);
}

static inline void pause_polling(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("isb");
#endif
}

#endif
