#include "told.h"

#include <glob.h>

/* How a subscriber stands with a publisher, in its latest life that was reported. */
typedef struct {
    uint16_t epoch;
    uint64_t up_ns, down_ns; /* last */
} standing;

typedef struct {
    standing with[STAGE_MOST]; /* by subscriber */
} account;

static bool shares_its_process(const stage *self, const actor *subscriber)
{
    for (size_t i = 0; i < self->subscriber_count; ++i)
        if (&self->subscribers[i] != subscriber && self->subscribers[i].participant == subscriber->participant)
            return true;
    return false;
}

static bool is_about(const stage *self, const struct ipcmark_record *record, const actor *subscriber)
{
    if (record->publisher != IPCMARK_NO_ENDPOINT)
        return record->publisher == subscriber->endpoint;
    return record->sequence != 0 && record->sequence == (uint64_t)ipcmark_participant_pid(subscriber->participant) &&
           !shares_its_process(self, subscriber);
}

static void enter(standing *at, const struct ipcmark_record *record)
{
    const uint16_t epoch = record->publisher == IPCMARK_NO_ENDPOINT ? 0 : record->epoch;
    uint64_t *const last_ns = record->kind == IPCMARK_PEER_UP ? &at->up_ns : &at->down_ns;
    if (epoch < at->epoch)
        return;
    if (epoch > at->epoch)
        *at = (standing){.epoch = epoch};
    if (record->time_ns > *last_ns)
        *last_ns = record->time_ns;
}

/* One that is being written to just now may look damaged: the next look will show. */
static void read_journal(const stage *self, account *out, const actor *publisher, const char *path)
{
    struct ipcmark_journal_view view = {0};
    char problem[256];
    if (ipcmark_journal_read(&view, path, problem, sizeof problem) < 0)
        return;
    for (size_t i = 0; i < view.count; ++i) {
        const struct ipcmark_record *record = &view.records[i];
        if ((record->kind != IPCMARK_PEER_UP && record->kind != IPCMARK_PEER_DOWN) ||
            record->endpoint != publisher->endpoint || record->time_ns < publisher->opening_ns)
            continue;
        for (size_t k = 0; k < self->subscriber_count; ++k)
            if (self->subscribers[k].open && record->time_ns >= self->subscribers[k].opening_ns &&
                is_about(self, record, &self->subscribers[k]))
                enter(&out->with[k], record);
    }
    ipcmark_journal_view_free(&view);
}

static bool is_told_of_all(const stage *self, const actor *publisher)
{
    account all = {0};
    char pattern[4096];
    glob_t paths = {0};
    snprintf(pattern, sizeof pattern, "%s/journals/%u.*", ipcmark_trial_directory(self->trial),
             ipcmark_participant_number(publisher->participant));
    if (glob(pattern, 0, NULL, &paths) == 0)
        for (size_t i = 0; i < paths.gl_pathc; ++i)
            read_journal(self, &all, publisher, paths.gl_pathv[i]);
    globfree(&paths);
    for (size_t k = 0; k < self->subscriber_count; ++k)
        if (self->subscribers[k].open && stage_meets(self, publisher, &self->subscribers[k]) &&
            all.with[k].up_ns <= all.with[k].down_ns)
            return false;
    return true;
}

bool told_of_all(stage *self)
{
    if (!stage_claims(self, IPCMARK_CAP_PEER_EVENTS))
        return false;
    for (size_t i = 0; i < self->publisher_count; ++i)
        if (self->publishers[i].open && !is_told_of_all(self, &self->publishers[i]))
            return false;
    return true;
}
