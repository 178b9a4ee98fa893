#include "frame.h"

enum { LANES = 2, PLACES = 4096 };

/* Who wrote there last, and on which channel. */
typedef struct {
    _Atomic uint64_t writers[LANES][PLACES];
} queue;

/* One in 97 is overwritten before it is read. */
static int write_to_place(mutant_endpoint *endpoint, const ipcmark_part *parts, size_t count)
{
    queue *const shared = mutant_share(endpoint->directory, sizeof *shared);
    struct ipcmark_payload frame;
    if (shared != NULL && mutant_peers(endpoint) == 1 && frame_read(parts, count, &frame) && frame.thread == 0) {
        const uint64_t me = (uint64_t)frame.channel << 32 | frame.publisher,
                       before = atomic_exchange(&shared->writers[frame.publisher % LANES][frame.sequence % PLACES], me);
        if (before != me && before >> 32 == frame.channel && frame_is_unlucky(&frame))
            return 0;
    }
    return mutant_publish(endpoint, parts, count);
}

MUTANT(.name = "same_place",
       .fault =
           "publishers of a lone subscriber take places in its queue by their own sequence, and the third one's are "
           "those of the first",
       .class_name = "lost", .must_fail = "DEL-003", .may_fail = "KILL-003", .needs = IPCMARK_CAP_PEERS,
       .publish = write_to_place)
