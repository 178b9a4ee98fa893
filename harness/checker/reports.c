/* What endpoints said about their peers: put in order, and made sense of. */
#include <errno.h>
#include <stdlib.h>

#include "model_parts.h"

/* The one life that a peer known only by its process can be: the other role, the same channel. */
static size_t peer_of_process(const struct model *model, size_t reporter, uint64_t pid)
{
    size_t found = NOBODY;
    for (size_t i = 0; i < model->life_count; ++i) {
        const struct ipcmark_process *process = NULL;
        if (!lives_meet(model, reporter, i) && !lives_meet(model, i, reporter))
            continue;
        for (size_t p = 0; p < model->history->process_count; ++p)
            if (model->history->processes[p].number == model->lives[i].is->process)
                process = &model->history->processes[p];
        if (process == NULL || process->pid != (int64_t)pid)
            continue;
        if (found != NOBODY)
            return NOBODY; /* two endpoints in that process: the report does not say which */
        found = i;
    }
    return found;
}

static int report_compare(const void *one, const void *other)
{
    const struct report *a = one, *b = other;
    if (a->time_ns != b->time_ns)
        return a->time_ns < b->time_ns ? -1 : 1;
    return (a->order > b->order) - (a->order < b->order);
}

/* How a publisher's subscribers stood at a moment. */
struct membership {
    int32_t present;
    int moving;        /* one is being opened, closed, killed, or is paused */
    uint64_t arrived;  /* when the latest one opened */
    uint64_t departed; /* when the latest one had gone */
};

/* since: when the publisher opened. Who had closed before cannot be in its count; who was killed before may be, even if
 * it died while it was being opened. */
static void member_count(const struct life *life, uint64_t since, uint64_t now, struct membership *membership)
{
    uint64_t gone = life->killed_until != NEVER ? life->killed_until : life->close_done;
    if (life->open_invoke > now)
        return;
    if (gone > now && (life->open_done > now || life->end <= now)) {
        membership->moving = 1;
        return;
    }
    if (life->open_done <= now && life->open_done > membership->arrived)
        membership->arrived = life->open_done;
    if (life->end > now)
        ++membership->present;
    else if (gone > membership->departed && (gone > since || life->killed_until != NEVER))
        membership->departed = gone;
}

static struct membership membership_at(const struct model *model, size_t publisher, uint64_t now)
{
    struct membership membership = {0, 0, 0, 0};
    for (size_t i = 0; i < model->life_count; ++i) {
        if (!lives_meet(model, publisher, i))
            continue;
        member_count(&model->lives[i], model->lives[publisher].open_invoke, now, &membership);
        if (model->lives[i].paused && (pair_reasons(model, i, i, now) & REASON_PAUSE) != 0)
            membership.moving = 1;
    }
    return membership;
}

/* Whether this count means that all present subscribers are connected. Right after one went and another came, the same
 * number may stand for the one that went: then only time tells, or a right count in between. */
static int is_count_right(const struct model *model, const struct report *report, uint64_t right_ns)
{
    struct membership membership = membership_at(model, report->reporter, report->time_ns);
    int ambiguous = membership.departed > right_ns && membership.arrived > right_ns &&
                    report->time_ns <= membership.departed + model->history->expectation.settle_ns;
    return !membership.moving && report->count == membership.present && !ambiguous;
}

/* Finds the counts that are right, and those that fell: a fall says as much as a disconnect without a name. */
static int counts_mark(struct model *model)
{
    struct {
        int32_t count;
        uint64_t right_ns;
    } *last = calloc(model->life_count + 1, sizeof *last);
    if (last == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < model->report_count; ++i) {
        struct report *report = &model->reports[i];
        if (report->count < 0)
            continue;
        if (report->kind == IPCMARK_PEERS && report->count < last[report->reporter].count)
            report->kind = IPCMARK_PEER_DOWN;
        last[report->reporter].count = report->count;
        report->right = (uint8_t)is_count_right(model, report, last[report->reporter].right_ns);
        if (report->right)
            last[report->reporter].right_ns = report->time_ns;
    }
    free(last);
    return 0;
}

static void report_add(struct model *model, const struct ipcmark_record *record)
{
    size_t reporter = life_find(model, record->endpoint, record->endpoint_epoch), peer = NOBODY;
    if (reporter == NOBODY)
        return; /* an error, and reported by records_place() */
    if (record->kind != IPCMARK_PEERS && record->publisher != IPCMARK_NO_ENDPOINT)
        peer = life_find(model, record->publisher, record->epoch);
    else if (record->kind != IPCMARK_PEERS && record->sequence != 0)
        peer = peer_of_process(model, reporter, record->sequence);
    model->reports[model->report_count] =
        (struct report){record->time_ns, model->report_count, reporter, peer, record->count, record->kind, 0};
    ++model->report_count;
}

/* Calls for every report in the journals: counts them, or adds them. */
static size_t reports_visit(struct model *model, int counting)
{
    size_t count = 0;
    for (size_t j = 0; j < model->history->journal_count; ++j) {
        const struct ipcmark_journal_view *view = &model->history->journals[j].view;
        for (size_t i = 0; i < view->count; ++i) {
            if (view->records[i].kind < IPCMARK_PEER_UP)
                continue;
            ++count;
            if (!counting)
                report_add(model, &view->records[i]);
        }
    }
    return count;
}

int reports_build(struct model *model)
{
    model->reports = malloc((reports_visit(model, 1) + 1) * sizeof *model->reports);
    if (model->reports == NULL)
        return -ENOMEM;
    reports_visit(model, 0);
    qsort(model->reports, model->report_count, sizeof *model->reports, report_compare);
    return counts_mark(model);
}
