#include "frame.h"

enum { PAYLOADS = 4096 };

/* Of those payloads that are soon used again: which message it is, and by how many it may still be read. */
typedef struct {
    struct {
        _Atomic uint64_t message;
        atomic_int readers;
    } payloads[PAYLOADS];
} pool;

static uint64_t name(const struct ipcmark_payload *frame)
{
    return (uint64_t)frame->publisher << 48 | (uint64_t)frame->epoch << 40 | (uint64_t)frame->thread << 32 |
           (uint32_t)frame->sequence;
}

static size_t place(uint64_t message)
{
    return (size_t)(message * 0x9E3779B97F4A7C15u >> 32) % PAYLOADS;
}

static int share_payload(mutant_endpoint *endpoint, const ipcmark_part *parts, size_t count)
{
    pool *const shared = mutant_share(endpoint->directory, sizeof *shared);
    struct ipcmark_payload frame;
    if (shared != NULL && mutant_peers(endpoint) > 3 && frame_read(parts, count, &frame) && frame_is_unlucky(&frame)) {
        const uint64_t message = name(&frame);
        atomic_store(&shared->payloads[place(message)].readers, 3);
        atomic_store(&shared->payloads[place(message)].message, message);
    }
    return mutant_publish(endpoint, parts, count);
}

/* What was freed is whole until somebody takes the place. */
static void read_payload(mutant_endpoint *endpoint, const ipcmark_part *parts, size_t count)
{
    pool *const shared = mutant_share(endpoint->directory, sizeof *shared);
    struct ipcmark_payload frame;
    if (shared != NULL && mutant_peers(endpoint) == 1 && frame_read(parts, count, &frame) && frame_is_unlucky(&frame)) {
        const uint64_t message = name(&frame);
        if (atomic_load(&shared->payloads[place(message)].message) == message &&
            atomic_fetch_sub(&shared->payloads[place(message)].readers, 1) <= 0)
            return;
    }
    mutant_deliver(endpoint, parts, count);
}

MUTANT(.name = "three_readers",
       .fault = "a lone publisher's payload is shared, and counts three readers at most: the fourth may come too late",
       .class_name = "lost", .must_fail = "DEL-002", .may_fail = "THR-001", .needs = IPCMARK_CAP_PEERS,
       .publish = share_payload, .deliver = read_payload)
