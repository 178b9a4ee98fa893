#include "walk.h"

const struct ipcmark_record *walk_next(walk *self, const struct ipcmark_history *history, enum ipcmark_kind kind,
                                       uint16_t endpoint)
{
    for (; self->journal < history->journal_count; ++self->journal, self->record = 0) {
        const struct ipcmark_journal_view *view = &history->journals[self->journal].view;
        while (self->record < view->count) {
            const struct ipcmark_record *record = &view->records[self->record++];
            if (record->kind == kind && record->endpoint == endpoint)
                return record;
        }
    }
    return NULL;
}
