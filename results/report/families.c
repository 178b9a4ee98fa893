#include "families.h"

#include "format.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

const struct family families[] = {
    {"latency", "One way, at a fixed rate",
     "From the moment a message was due to be sent until the subscriber's handler has it, so that a stall counts for "
     "every "
     "message that it held up.",
     "p50_ns", false},
    {"hot", "One way, hot", "Half of a round trip while both sides are busy and awake: the best that a message can do.",
     "p50_ns", false},
    {"roundtrip", "One way, half of a round trip", "Half of a round trip between two processes, as others publish it.",
     "p50_ns", false},
    {"wakeup", "Wake-up", "The reader has slept; the time until its handler runs.", "p50_ns", false},
    {"throughput", "Throughput", "A saturated stream, counted at the subscriber while the publisher is still sending.",
     "messages_per_second", true},
    {"fanout", "Fan-out", "One publisher, several subscribers, counted at the slowest.", "messages_per_second", true},
    {"fanin", "Fan-in", "Several publishers, one subscriber.", "messages_per_second", true},
    {"mesh", "Mesh", "Several publishers, several subscribers, counted at the slowest.", "messages_per_second", true},
    {NULL, NULL, NULL, NULL, false},
};

const struct family *family_find(const char *name)
{
    for (const struct family *family = families; family->name; ++family)
        if (strcmp(family->name, name) == 0)
            return family;
    return NULL;
}

struct family_label family_label(const struct results_row *row)
{
    const struct results_cell *cell = row->first;
    struct family_label out = {""};
    size_t used = 0;
    if (!isnan(cell->size))
        used += (size_t)snprintf(out.text, sizeof out.text, "%s", format_size(cell->size).text);
    if (!isnan(cell->publishers) && !isnan(cell->subscribers))
        used += (size_t)snprintf(out.text + used, sizeof out.text - used, "%s%.0f × %.0f", used ? ", " : "",
                                 cell->publishers, cell->subscribers);
    if (!isnan(cell->rate) && cell->rate > 0)
        used += (size_t)snprintf(out.text + used, sizeof out.text - used, "%s%s/s", used ? ", " : "",
                                 format_count(cell->rate).text);
    if (used == 0)
        snprintf(out.text, sizeof out.text, "%s", row->shape);
    return out;
}
