/* Which message this is, for faults that depend on more than one publisher or thread: an implementation would know it
 * by a header of its own. */
#ifndef FRAME_H
#define FRAME_H

#include "ipcmark/payload.h"
#include "mutant.h"

#include <string.h>

/* False: too small to carry it. */
static inline bool frame_read(const ipcmark_part *parts, size_t count, struct ipcmark_payload *out)
{
    if (count == 0 || parts[0].size < sizeof *out)
        return false;
    memcpy(out, parts[0].data, sizeof *out);
    return true;
}

/* Few enough to leave most messages whole, often enough for any run; neither the first nor, usually, the last. */
static inline bool frame_is_unlucky(const struct ipcmark_payload *frame)
{
    return frame->sequence % 97 == 60;
}

#endif
