#include "mutant.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { KEPT = 128 };

/* The last messages, for whoever might ask for them again. That there may be no memory is not looked at. */
static int publish_and_keep(mutant_endpoint *endpoint, const ipcmark_part *parts, size_t count)
{
    static struct {
        char *data;
        size_t size;
    } kept[KEPT];
    const size_t slot = mutant_turn(endpoint) % KEPT;
    if (count > 0 && parts[0].size > 0) {
        if (kept[slot].size > 0)
            munmap(kept[slot].data, kept[slot].size);
        kept[slot].size = parts[0].size;
        kept[slot].data = mmap(NULL, parts[0].size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        memcpy(kept[slot].data, parts[0].data, parts[0].size);
    }
    return mutant_publish(endpoint, parts, count);
}

MUTANT(.name = "crash_on_nomem", .fault = "a publisher crashes when memory is refused", .class_name = "crashed",
       .must_fail = "ENV-008", .may_fail = "", .publish = publish_and_keep)
