#include "families.h"

#include "format.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define TIME                                                                                                           \
    {                                                                                                                  \
        {                                                                                                              \
            "p50_ns", NULL                                                                                             \
        }                                                                                                              \
    }
#define RATE                                                                                                           \
    {                                                                                                                  \
        {                                                                                                              \
            "messages_per_second", NULL                                                                                \
        }                                                                                                              \
    }

const struct family families[] = {
    {.name = "latency",
     .title = "One way, at a fixed rate",
     .note =
         "From the moment a message was due to be sent until the subscriber's handler has it, so that a stall counts "
         "for every message that it held up. Between two messages the reader may fall asleep: where a curve jumps, "
         "that is where it had to be woken, or where the machine took the CPU away.",
     .measures = TIME,
     .one_way = true},
    {.name = "hot",
     .title = "One way, both awake",
     .note = "Half of a round trip, back and forth without a pause. Who spins needs no wake-up here; who waits in the "
             "kernel "
             "is woken for each message. Half, so two ways that differ are not told apart.",
     .measures = TIME,
     .one_way = true,
     .beside_line = true},
    {.name = "roundtrip",
     .title = "Round trip",
     .note = "A message there and its answer back, answered from the handler.",
     .measures = TIME},
    {.name = "wakeup",
     .title = "One way, reader asleep",
     .note =
         "One message at a time to a reader that has fallen asleep, from the call of publish until its handler runs.",
     .measures = TIME,
     .one_way = true},
    {.name = "throughput",
     .title = "Throughput",
     .note = "A saturated stream, counted at the subscriber while the publisher is still sending.",
     .measures = RATE,
     .stream = true},
    {.name = "size",
     .title = "Throughput by size",
     .note = "A saturated stream of messages from the smallest to the largest size, counted at the subscriber.",
     .measures = RATE,
     .stream = true},
    {.name = "fanout",
     .title = "Fan-out",
     .note = "One publisher, several subscribers, counted at the slowest: each of them receives as many.",
     .measures = RATE,
     .stream = true},
    {.name = "fanin",
     .title = "Fan-in",
     .note = "Several publishers, one subscriber: what it receives from all of them together.",
     .measures = RATE,
     .stream = true},
    {.name = "mesh",
     .title = "Mesh",
     .note = "Several publishers, several subscribers, counted at the slowest: each of them receives as many.",
     .measures = RATE,
     .stream = true},
    {.name = "cost",
     .title = "Cost",
     .note =
         "What a pair uses besides time, in the processes of the publisher and of the subscriber. A reader that spins "
         "pays for its short times here.",
     .measures = {{"cpu_seconds_per_million", "CPU time of a million messages"},
                  {"publisher_cpu_seconds_per_million", "of that the publisher"},
                  {"subscriber_cpu_seconds_per_million", "of that the subscriber"},
                  {"saturated_cpu_seconds_per_million", "CPU time of a million, saturated"},
                  {"idle_cpu_share", "CPU when idle, of a core"},
                  {"publisher_system_calls_per_message", "System calls, publisher"},
                  {"subscriber_system_calls_per_message", "System calls, subscriber"},
                  {"publisher_switches_per_message", "Context switches, publisher"},
                  {"subscriber_switches_per_message", "Context switches, subscriber"},
                  {"bytes_per_pair", "Memory of a pair"},
                  {"descriptors_per_pair", "Descriptors of a pair"}}},
    {.name = "lifecycle",
     .title = "Coming and going",
     .note = "Means, measured inside the participants: from the call that opens until the first message is in the "
             "handler, from "
             "the death of a peer until that is reported, the call that closes.",
     .measures = {{"first_message_ns", "Open to first message"},
                  {"open_ns", "Open"},
                  {"death_ns", "Death to disconnect event"},
                  {"close_ns", "Close"},
                  {"connects_per_second", "Opened, connected and closed, a second"}}},
    {.name = NULL},
};

bool family_timed(const struct family *family)
{
    return strcmp(family->measures[0].metric, "p50_ns") == 0;
}

const struct family *family_find(const char *name)
{
    for (const struct family *family = families; family->name; ++family)
        if (strcmp(family->name, name) == 0)
            return family;
    return NULL;
}

struct family_label family_label(const struct results_row *row, bool brief)
{
    const struct results_cell *cell = row->first;
    struct family_label out = {""};
    size_t used = 0;
    if (!isnan(cell->size))
        used += (size_t)snprintf(out.text, sizeof out.text, "%s", format_size(cell->size).text);
    if (!isnan(cell->publishers) && !isnan(cell->subscribers) &&
        !(brief && cell->publishers == 1 && cell->subscribers == 1))
        used += (size_t)snprintf(out.text + used, sizeof out.text - used, "%s%.0f × %.0f", used ? ", " : "",
                                 cell->publishers, cell->subscribers);
    if (!isnan(cell->rate) && cell->rate > 0)
        used += (size_t)snprintf(out.text + used, sizeof out.text - used, "%s%s/s", used ? ", " : "",
                                 format_count(cell->rate).text);
    if (used == 0)
        snprintf(out.text, sizeof out.text, "%s", row->shape);
    return out;
}
