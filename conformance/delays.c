/* How long messages took, by what both ends wrote down. */
#include "stage.h"

#include <stdlib.h>

typedef struct {
    uint64_t sequence, time_ns;
    uint16_t publisher, epoch, thread;
} sighting;

typedef struct {
    sighting *items;
    size_t count;
} sightings;

static int compare(const void *one, const void *other)
{
    const sighting *a = one, *b = other;
    const uint64_t x = (uint64_t)a->publisher << 32 | (uint64_t)a->epoch << 16 | a->thread;
    const uint64_t y = (uint64_t)b->publisher << 32 | (uint64_t)b->epoch << 16 | b->thread;
    if (x != y)
        return x < y ? -1 : 1;
    return (a->sequence > b->sequence) - (a->sequence < b->sequence);
}

/* All records of a kind: the invocations of everybody, or what one subscriber received. */
static bool collect(sightings *out, const struct ipcmark_history *history, enum ipcmark_kind kind, uint16_t endpoint)
{
    size_t room = 0;
    for (size_t k = 0; k < history->journal_count; ++k)
        room += history->journals[k].view.count;
    out->items = malloc((room + 1) * sizeof *out->items);
    out->count = 0;
    if (out->items == NULL)
        return false;
    for (size_t k = 0; k < history->journal_count; ++k)
        for (size_t i = 0; i < history->journals[k].view.count; ++i) {
            const struct ipcmark_record *record = &history->journals[k].view.records[i];
            if (record->kind == kind && (endpoint == 0 || record->endpoint == endpoint))
                out->items[out->count++] =
                    (sighting){record->sequence, record->time_ns, record->publisher, record->epoch, record->thread};
        }
    qsort(out->items, out->count, sizeof *out->items, compare);
    return true;
}

/* Whether either end of a message was stopped while it was under way: then it is not the implementation that took so
 * long. */
static bool was_stopped(const struct ipcmark_history *history, const sighting *sent, const actor *subscriber,
                        uint64_t received_ns)
{
    for (size_t i = 0; i < history->fault_count; ++i) {
        const struct ipcmark_fault *fault = &history->faults[i];
        if (fault->kind != IPCMARK_FAULT_PAUSE || fault->from_ns > received_ns ||
            (fault->until_ns != 0 && fault->until_ns < sent->time_ns))
            continue;
        for (size_t k = 0; k < history->member_count; ++k)
            if (history->members[k].process == fault->process && (history->members[k].endpoint == sent->publisher ||
                                                                  history->members[k].endpoint == subscriber->endpoint))
                return true;
    }
    return false;
}

static double longest(const stage *self, const struct ipcmark_history *history, const actor *subscriber,
                      const sightings *invoked, const sightings *received, const sighting **slowest)
{
    uint64_t most = 0;
    for (size_t i = 0; i < received->count; ++i) {
        const sighting *sent =
            bsearch(&received->items[i], invoked->items, invoked->count, sizeof *invoked->items, compare);
        if (sent == NULL || sent->time_ns < self->from_ns || sent->time_ns > self->until_ns ||
            received->items[i].time_ns < sent->time_ns || received->items[i].time_ns - sent->time_ns <= most ||
            was_stopped(history, sent, subscriber, received->items[i].time_ns))
            continue;
        most = received->items[i].time_ns - sent->time_ns;
        *slowest = sent;
    }
    return (double)most * 1e-9;
}

double stage_examine_delays(stage *self, const struct ipcmark_history *history, const actor *subscriber, double seconds,
                            const char *while_)
{
    const double bound = seconds * ipcmark_session_scale(self->session);
    const sighting *slowest = NULL;
    sightings invoked = {0}, received = {0};
    double delay = 0;
    if (collect(&invoked, history, IPCMARK_INVOKE, 0) &&
        collect(&received, history, IPCMARK_RECEIVED, subscriber->endpoint))
        delay = longest(self, history, subscriber, &invoked, &received, &slowest);
    else
        stage_object(self, IPCMARK_CLASS_NONE, "out of memory");
    if (delay > bound && slowest != NULL)
        stage_object(self, IPCMARK_LATE,
                     "%s received message %llu of endpoint %u, thread %u, %.2f s after it was sent, %s; it must not "
                     "take longer than %.2f s",
                     subscriber->name, (unsigned long long)slowest->sequence, slowest->publisher, slowest->thread,
                     delay, while_, bound);
    free(invoked.items);
    free(received.items);
    return delay;
}
