#include "families.h"

#include "format.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

const struct family families[] = {
    {.name = "latency",
     .title = "One way, at a fixed rate",
     .note =
         "From the moment a message was due to be sent until the subscriber's handler has it, so that a stall counts "
         "for every message that it held up.",
     .metric = "p50_ns",
     .one_way = true},
    {.name = "hot",
     .title = "One way, hot",
     .note = "Half of a round trip while both sides are busy and awake: the best that a message can do.",
     .metric = "p50_ns",
     .one_way = true,
     .beside_line = true},
    {.name = "roundtrip",
     .title = "Round trip",
     .note = "A message there and its answer back, answered from the handler.",
     .metric = "p50_ns"},
    {.name = "wakeup",
     .title = "Wake-up",
     .note = "The reader has slept; the time until its handler runs.",
     .metric = "p50_ns"},
    {.name = "throughput",
     .title = "Throughput",
     .note = "A saturated stream, counted at the subscriber while the publisher is still sending.",
     .metric = "messages_per_second",
     .higher_is_better = true},
    {.name = "fanout",
     .title = "Fan-out",
     .note = "One publisher, several subscribers, counted at the slowest.",
     .metric = "messages_per_second",
     .higher_is_better = true},
    {.name = "fanin",
     .title = "Fan-in",
     .note = "Several publishers, one subscriber.",
     .metric = "messages_per_second",
     .higher_is_better = true},
    {.name = "mesh",
     .title = "Mesh",
     .note = "Several publishers, several subscribers, counted at the slowest.",
     .metric = "messages_per_second",
     .higher_is_better = true},
    {.name = NULL},
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
