/* When pairs were ready, as the endpoints themselves reported it, and whether they were disconnected for a reason. */
#include <errno.h>
#include <stdlib.h>

#include "model.h"

/* The reasons of a report without a name: those of any pair that it may be about. */
static int reporter_reasons(const struct model *model, const struct report *report)
{
    int reasons = 0;
    for (size_t i = 0; reasons == 0 && i < model->life_count; ++i)
        if (lives_meet(model, report->reporter, i) || lives_meet(model, i, report->reporter))
            reasons |= pair_reasons(model, report->reporter, i, report->time_ns);
    return reasons;
}

void disconnects_judge(struct model *model)
{
    for (size_t i = 0; i < model->report_count; ++i) {
        const struct report *report = &model->reports[i];
        const struct life *reporter = &model->lives[report->reporter];
        if (report->kind != IPCMARK_PEER_DOWN)
            continue;
        if (report->peer == NOBODY && reporter_reasons(model, report) == 0)
            model_violation(model, IPCMARK_DISCONNECT, report->time_ns, about_lives(reporter, NULL),
                            "%s reported a peer disconnected at %+.6f s, and no peer of it was closed, killed, paused "
                            "or overloaded",
                            LABEL(reporter), model_seconds(model, report->time_ns));
        else if (report->peer != NOBODY && pair_reasons(model, report->reporter, report->peer, report->time_ns) == 0)
            model_violation(
                model, IPCMARK_DISCONNECT, report->time_ns, about_lives(reporter, &model->lives[report->peer]),
                "%s reported %s disconnected at %+.6f s, and neither was closed, killed, paused or overloaded",
                LABEL(reporter), LABEL(&model->lives[report->peer]), model_seconds(model, report->time_ns));
    }
}

/* A pair while its reports are read in time. */
struct pair {
    size_t publisher, subscriber;
    int publisher_up, subscriber_down; /* what they said last */
    struct window *windows;
    size_t count;
};

static int is_open(const struct pair *pair)
{
    return pair->count > 0 && pair->windows[pair->count - 1].until == NEVER;
}

static int window_open(const struct model *model, struct pair *pair, uint64_t now)
{
    const struct life *publisher = &model->lives[pair->publisher], *subscriber = &model->lives[pair->subscriber];
    struct window *grown;
    if (is_open(pair) || !pair->publisher_up || pair->subscriber_down)
        return 0;
    grown = realloc(pair->windows, (pair->count + 1) * sizeof *grown);
    if (grown == NULL)
        return -ENOMEM;
    pair->windows = grown;
    if (now < publisher->open_done)
        now = publisher->open_done;
    if (now < subscriber->open_done)
        now = subscriber->open_done;
    grown[pair->count++] = (struct window){now, NEVER, 0};
    return 0;
}

/* A publisher that closed, or whose messages outlive it, owes what it took on: that disconnect excuses nothing. Without
 * any reason it is a violation of its own, and what was lost by it is not counted again. */
static int is_excuse(const struct model *model, int reasons)
{
    if (reasons == 0 || (reasons & (REASON_PAUSE | REASON_OVERLOAD)) != 0)
        return 1;
    return (reasons & REASON_KILL) != 0 && !model_can(model, IPCMARK_CAP_SURVIVES_PUBLISHER_DEATH);
}

static void window_close(const struct model *model, struct pair *pair, const struct report *report)
{
    int reasons = pair_reasons(model, pair->publisher, pair->subscriber, report->time_ns);
    if (report->peer == NOBODY && reasons == 0)
        return; /* without a name it is about pairs that had a reason */
    if (report->reporter == pair->publisher || report->peer == NOBODY)
        pair->publisher_up = 0;
    else
        pair->subscriber_down = 1;
    if (is_open(pair)) {
        pair->windows[pair->count - 1].until = report->time_ns;
        pair->windows[pair->count - 1].excuses = is_excuse(model, reasons);
    }
}

static int is_present(const struct model *model, const struct pair *pair, uint64_t now)
{
    const struct life *subscriber = &model->lives[pair->subscriber];
    return subscriber->open_done <= now && now < subscriber->end;
}

static int report_apply(const struct model *model, struct pair *pair, const struct report *report)
{
    int by_publisher = report->reporter == pair->publisher;
    int named = report->peer == (by_publisher ? pair->subscriber : pair->publisher);
    enum ipcmark_ready ready = model->history->expectation.ready;
    if (report->kind == IPCMARK_PEER_DOWN && (named || report->peer == NOBODY))
        window_close(model, pair, report);
    else if (report->kind == IPCMARK_PEER_UP && named && by_publisher && ready == IPCMARK_READY_NAME)
        pair->publisher_up = 1;
    else if (report->kind == IPCMARK_PEER_UP && named && !by_publisher)
        pair->subscriber_down = 0;
    /* A right count says it for all; also where names are only processes, of which one had several endpoints. */
    if (ready != IPCMARK_READY_PROBE && by_publisher && report->right && is_present(model, pair, report->time_ns))
        pair->publisher_up = 1;
    return window_open(model, pair, report->time_ns);
}

/* p says nothing of its peers; or it does not count them, and does not say who they are. */
static int is_probed(const struct model *model, size_t publisher)
{
    if (model->history->expectation.ready == IPCMARK_READY_PROBE)
        return 1;
    for (size_t i = 0; !model_can(model, IPCMARK_CAP_PEERS) && i < model->report_count; ++i)
        if (model->reports[i].reporter == publisher && model->reports[i].kind == IPCMARK_PEER_UP &&
            model->reports[i].peer == NOBODY)
            return 1;
    return 0;
}

static int probe_apply(const struct model *model, struct pair *pair, uint64_t receipt_ns)
{
    pair->publisher_up = 1;
    return window_open(model, pair, receipt_ns);
}

int ready_windows(struct model *model, size_t publisher, size_t subscriber, uint64_t first_receipt_ns,
                  struct window **out)
{
    struct pair pair = {.publisher = publisher, .subscriber = subscriber};
    int probed = first_receipt_ns == NEVER || !is_probed(model, publisher), error = 0;
    for (size_t i = 0; error == 0 && i < model->report_count; ++i) {
        const struct report *report = &model->reports[i];
        if (report->reporter != publisher && report->reporter != subscriber)
            continue;
        if (!probed && report->time_ns > first_receipt_ns) {
            error = probe_apply(model, &pair, first_receipt_ns);
            probed = 1;
        }
        if (error == 0)
            error = report_apply(model, &pair, report);
    }
    if (error == 0 && !probed)
        error = probe_apply(model, &pair, first_receipt_ns);
    if (error < 0) {
        free(pair.windows);
        return error;
    }
    *out = pair.windows;
    return (int)pair.count;
}
