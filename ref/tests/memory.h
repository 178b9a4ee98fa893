/* What tests of a pair's memory have in common. */
#ifndef MEMORY_H
#define MEMORY_H

#include "cases.h"
#include "pattern.h"
#include "publisher.h"
#include "receiver.h"

static inline mmipc_publisher *publisher_with(const char *directory, size_t max_backlog, int when_full,
                                              unsigned ping_ms)
{
    mmipc_publisher *publisher;
    mmipc_options options;
    mmipc_options_init(&options, sizeof options);
    options.max_backlog_bytes = max_backlog;
    options.when_full = when_full;
    options.ping_interval_ms = ping_ms;
    options.on_log = receiver_log;
    assert_int_equal(mmipc_publisher_open(&publisher, "c", directory, &options), 0);
    return publisher;
}

static inline int publish_patterned(mmipc_publisher *publisher, uint64_t sequence, size_t size)
{
    static char data[1 << 20];
    pattern_fill(data, size, sequence);
    return mmipc_publish(publisher, data, size);
}

/* What the publisher holds, all pairs together; the first rings count too. */
static inline size_t memory_of(mmipc_publisher *publisher)
{
    size_t bytes;
    gate_enter_locked(&publisher->gate, false);
    bytes = publisher->ring_bytes + publisher->pool.bytes;
    gate_leave_locked(&publisher->gate);
    return bytes;
}

#endif
