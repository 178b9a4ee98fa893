#include "mutant.h"

#include <errno.h>
#include <stdlib.h>

enum { PIECE = 64 };

/* The first part of more than a piece, of a message of several. */
static size_t find_large(const ipcmark_part *parts, size_t count)
{
    size_t large = 0;
    while (large < count && parts[large].size <= PIECE)
        ++large;
    return large;
}

static int split(mutant_endpoint *endpoint, const ipcmark_part *parts, size_t count)
{
    const size_t large = find_large(parts, count);
    ipcmark_part *more;
    int result;
    if (count < 2 || large == count)
        return mutant_publish(endpoint, parts, count);
    more = malloc((count + 1) * sizeof *more);
    if (more == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < count; ++i)
        more[i + (i > large)] = parts[i];
    more[large].size = PIECE;
    more[large + 1] = (ipcmark_part){(const char *)parts[large].data + PIECE, parts[large].size - PIECE};
    result = mutant_publish(endpoint, more, count + 1);
    free(more);
    return result;
}

MUTANT(.name = "split_parts", .fault = "a part that does not fit into a piece of 64 bytes arrives as two",
       .class_name = "corrupt", .must_fail = "DEL-006 DEL-015", .may_fail = "", .needs = IPCMARK_CAP_MULTIPART,
       .publish = split)
