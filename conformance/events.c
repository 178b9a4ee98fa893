/* What participants were told of their peers, against what came about: the examination of CON-005. */
#include "events.h"

#include <glob.h>
#include <stdlib.h>

/* What participants said about their peers, all together, by time: one may use several threads for it. */
typedef struct {
    const struct ipcmark_record **items;
    size_t count;
} events;

static int compare_times(const void *one, const void *other)
{
    const struct ipcmark_record *a = *(const struct ipcmark_record *const *)one;
    const struct ipcmark_record *b = *(const struct ipcmark_record *const *)other;
    return (a->time_ns > b->time_ns) - (a->time_ns < b->time_ns);
}

static bool is_event(const struct ipcmark_record *record)
{
    return record->kind == IPCMARK_PEER_UP || record->kind == IPCMARK_PEER_DOWN;
}

static events collect_events(const struct ipcmark_history *history)
{
    events all = {NULL, 0};
    size_t room = 0;
    for (size_t k = 0; k < history->journal_count; ++k)
        room += history->journals[k].view.count;
    all.items = malloc((room + 1) * sizeof(const struct ipcmark_record *));
    for (size_t k = 0; all.items != NULL && k < history->journal_count; ++k)
        for (size_t i = 0; i < history->journals[k].view.count; ++i)
            if (is_event(&history->journals[k].view.records[i]))
                all.items[all.count++] = &history->journals[k].view.records[i];
    if (all.count > 0)
        qsort(all.items, all.count, sizeof all.items[0], compare_times);
    return all;
}

static bool same_pair(const struct ipcmark_record *a, const struct ipcmark_record *b)
{
    return a->endpoint == b->endpoint && a->endpoint_epoch == b->endpoint_epoch && a->publisher == b->publisher &&
           a->epoch == b->epoch && a->sequence == b->sequence;
}

/* Ups and downs of one peer take turns, up first. A peer that has no name cannot be followed. */
static void examine_turns(stage *self, const events *all)
{
    for (size_t i = 0; i < all->count; ++i) {
        const struct ipcmark_record *record = all->items[i], *before = NULL;
        const bool up = record->kind == IPCMARK_PEER_UP;
        if (record->publisher == IPCMARK_NO_ENDPOINT && record->sequence == 0)
            continue;
        for (size_t k = 0; k < i; ++k)
            if (same_pair(all->items[k], record))
                before = all->items[k];
        if (before == NULL ? !up : before->kind == record->kind)
            stage_object(self, IPCMARK_DISCONNECT,
                         "endpoint %u reported peer %u (epoch %u, process %llu) %s, and it %s", record->endpoint,
                         record->publisher, record->epoch, (unsigned long long)record->sequence,
                         up ? "connected" : "disconnected", before == NULL ? "never was connected" : "was so already");
    }
}

/* Publisher 2 and subscriber 2 stay all the time. On the other side of each, one peer stays, and one has three lives,
 * of which two end. */
enum { UPS = 4, DOWNS = 2 };

static void examine_numbers(stage *self, const events *all, uint16_t endpoint)
{
    unsigned ups = 0, downs = 0;
    for (size_t i = 0; i < all->count; ++i) {
        const struct ipcmark_record *record = all->items[i];
        if (record->endpoint != endpoint || record->time_ns > self->end_ns)
            continue;
        ups += record->kind == IPCMARK_PEER_UP;
        downs += record->kind == IPCMARK_PEER_DOWN;
    }
    if (ups != UPS || downs != DOWNS)
        stage_object(self, IPCMARK_DISCONNECT,
                     "endpoint %u stayed; its peers came %d times and went %d times, and it was told of %u and %u",
                     endpoint, UPS, DOWNS, ups, downs);
}

/* ---- while they live --------------------------------------------------------------------------------------------- */

/* In one file; one that is being written to just now may look damaged, and is looked at again. */
static void count_journal(unsigned counts[IPCMARK_KINDS], uint16_t endpoint, const char *path)
{
    struct ipcmark_journal_view view = {0};
    char problem[256];
    if (ipcmark_journal_read(&view, path, problem, sizeof problem) < 0)
        return;
    for (size_t i = 0; i < view.count; ++i)
        counts[view.records[i].kind] += view.records[i].endpoint == endpoint;
    ipcmark_journal_view_free(&view);
}

static bool was_told(const stage *self, const actor *who)
{
    unsigned counts[IPCMARK_KINDS] = {0};
    char pattern[4096];
    glob_t paths = {0};
    snprintf(pattern, sizeof pattern, "%s/journals/%u.*", ipcmark_trial_directory(self->trial),
             ipcmark_participant_number(who->participant));
    if (glob(pattern, 0, NULL, &paths) == 0)
        for (size_t i = 0; i < paths.gl_pathc; ++i)
            count_journal(counts, who->endpoint, paths.gl_pathv[i]);
    globfree(&paths);
    return counts[IPCMARK_PEER_UP] >= UPS && counts[IPCMARK_PEER_DOWN] >= DOWNS;
}

bool events_await(stage *self)
{
    const uint64_t deadline_ns = ipcmark_now_ns() + stage_settling_ns(self);
    while (ipcmark_now_ns() < deadline_ns)
        if (was_told(self, &self->publishers[1]) && was_told(self, &self->subscribers[1]))
            break;
        else if (!ipcmark_wait(self->trial, 10))
            return false;
    return true;
}

void events_examine(stage *self, const struct ipcmark_history *history)
{
    events all = collect_events(history);
    if (all.items == NULL) {
        stage_object(self, IPCMARK_CLASS_NONE, "out of memory");
        return;
    }
    examine_turns(self, &all);
    if (self->publishers[1].endpoint != 0 && self->subscribers[1].endpoint != 0) {
        examine_numbers(self, &all, self->publishers[1].endpoint);
        examine_numbers(self, &all, self->subscribers[1].endpoint);
    }
    free(all.items);
}
