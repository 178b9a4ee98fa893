/* THR: threads and handlers. */
#include "backlog.h"
#include "memory.h"

enum { REPLY_THREAD = 64 /* of a publisher that a handler answers with */ };

static const double close_bound = 1.0; /* seconds, stretched on a slow machine */

/* ---- THR-001 ----------------------------------------------------------------------------------------------------- */

static bool play_many_threads(stage *self)
{
    static const size_t sizes[] = {64, 1000, 100, 300};
    const ipcmark_publish_options options = {.count = stage_either(self, 1000, 400),
                                             .sizes = sizes,
                                             .sizes_count = COUNT_OF(sizes),
                                             .threads = 16,
                                             .rate = 1000,
                                             .overwrite = true};
    actor *const publisher = &self->publishers[0];
    unsigned counts = 0;
    self->demands.min_must = 2 * 16 * options.count;
    self->demands.min_joins = 1;
    if (!stage_cast_closed(self, 1, 4) || !stage_open(self, publisher) || !stage_open(self, &self->subscribers[0]) ||
        !stage_open(self, &self->subscribers[1]) || !stage_settle(self) ||
        !stage_publish_begin(self, publisher, &options))
        return false;
    for (size_t joined = 2; !ipcmark_ended(publisher->traffic); ++counts) {
        if (stage_claims(self, IPCMARK_CAP_PEERS) &&
            !stage_await(self, ipcmark_peers(self->trial, publisher->endpoint), IPCMARK_COUNT))
            return false;
        if (counts % 10 == 5 && joined < 4 && !stage_open(self, &self->subscribers[joined++]))
            return false;
        if (!ipcmark_wait(self->trial, 5))
            return false;
    }
    stage_log(self, "counted %u times meanwhile", counts);
    return stage_publish_end(self, publisher) && stage_settle(self) && stage_drain(self);
}

/* ---- request and reply ------------------------------------------------------------------------------------------- */

/* One process asks on a channel, another answers each message on a second one. */
typedef struct dialogue {
    actor *asker, *answerer, *replier, *listener;
    uint64_t asked;
} dialogue;

static bool answer(stage *self, const dialogue *who, bool begins)
{
    const ipcmark_handler_options options = {.reply = begins ? who->replier->endpoint : 0};
    return stage_await(self, ipcmark_handler(self->trial, who->answerer->endpoint, &options), IPCMARK_HUNG);
}

/* Until the listener has the answer to the last question. What it missed before, the checker sees. */
static bool await_answer(stage *self, const dialogue *who)
{
    const double deadline = ipcmark_trial_deadline(self->trial);
    const double seconds = deadline * ipcmark_session_scale(self->session);
    const double row[] = {who->replier->endpoint, 1, REPLY_THREAD, (double)who->asked};
    cJSON *fields = cJSON_CreateObject(), *until = cJSON_AddArrayToObject(fields, "until");
    ipcmark_call *call;
    cJSON_AddItemToArray(until, cJSON_CreateDoubleArray(row, (int)COUNT_OF(row)));
    cJSON_AddNumberToObject(fields, "endpoint", who->listener->endpoint);
    cJSON_AddNumberToObject(fields, "timeout_ms", seconds * 1e3);
    call = ipcmark_request(who->listener->participant, "drain", fields, 2 * deadline);
    if (ipcmark_await(call) == IPCMARK_REFUSED)
        return stage_object(self, IPCMARK_LATE,
                            "%s did not receive the answer to the last of %llu messages within %.1f s",
                            who->listener->name, (unsigned long long)who->asked, seconds);
    return stage_await(self, call, IPCMARK_LOST);
}

static bool ask(stage *self, dialogue *who, const ipcmark_publish_options *options)
{
    ipcmark_call *call;
    if (!stage_publish_begin(self, who->asker, options))
        return false;
    call = who->asker->traffic;
    if (!stage_publish_end(self, who->asker))
        return false;
    who->asked += ipcmark_reply_count(call, "attempted");
    return true;
}

/* One more question when all is quiet, whose answer shows that all that was asked before has been dealt with. */
static bool finish(stage *self, dialogue *who)
{
    const ipcmark_publish_options last = {.count = 1};
    return stage_drain_last(self, who->answerer, who->asker, 0) && ask(self, who, &last) &&
           stage_drain_last(self, who->answerer, who->asker, 0) && await_answer(self, who) && answer(self, who, false);
}

/* publishers[0] asks, in the process of subscribers[1], which listens; subscribers[0] answers by publishers[1]. The
 * second dialogue, if there is one, is the same between the same two processes, the other way round. */
static void cast_dialogues(stage *self, dialogue *dialogues, unsigned count)
{
    static const char *const channels[][2] = {{"request", "reply"}, {"request back", "reply back"}};
    stage_cast_bare(self, 2 * count, 2 * count);
    for (unsigned i = 0; i < count; ++i) {
        actor *const publishers = &self->publishers[2 * i], *const subscribers = &self->subscribers[2 * i];
        dialogues[i] = (dialogue){&publishers[0], &subscribers[0], &publishers[1], &subscribers[1], 0};
        publishers[0].channel = subscribers[0].channel = channels[i][0];
        publishers[1].channel = subscribers[1].channel = channels[i][1];
    }
    for (unsigned i = 0; i < count; ++i) {
        actor *const one = &self->publishers[0], *const other = &self->subscribers[0];
        dialogues[i].asker->host = dialogues[i].listener->host = i == 0 ? one : other;
        dialogues[i].answerer->host = dialogues[i].replier->host = i == 0 ? other : one;
    }
    self->publishers[0].host = self->subscribers[0].host = NULL;
}

static bool open_dialogues(stage *self)
{
    actor *who;
    for (size_t i = 0; (who = stage_actor(self, i)) != NULL; ++i)
        if (who->participant == NULL && !stage_start(self, who))
            return false;
    return stage_open_all(self) && stage_settle(self);
}

static bool play_reply(stage *self)
{
    static const size_t sizes[] = {64, 1000, 5000};
    const ipcmark_publish_options one = {.count = 1};
    const ipcmark_publish_options many = {
        .count = stage_either(self, 4000, 1000), .sizes = sizes, .sizes_count = COUNT_OF(sizes), .overwrite = true};
    dialogue who;
    cast_dialogues(self, &who, 1);
    self->demands.min_must = 2 * many.count;
    if (!open_dialogues(self) || !answer(self, &who, true))
        return false;
    for (unsigned i = 0; i < 20; ++i)
        if (!ask(self, &who, &one) || !await_answer(self, &who))
            return false;
    return ask(self, &who, &many) && finish(self, &who) && stage_drain(self);
}

/* A handler takes four looks for a message, so that nothing is taken between two of them: who has got rid of nothing
 * since the last one waits. Who has is merely slow, or holds a whole flood; a minute is as long as a slow machine or
 * build is given to fill what holds 256 MiB. */
enum { LOOK_MS = 250, HANDLER_MS = 4 * LOOK_MS };
static const double filling_seconds = 60;

static bool look(stage *self, const dialogue who[2], uint64_t published[2])
{
    return stage_count(self, who[0].asker, "published", &published[0]) &&
           stage_count(self, who[1].asker, "published", &published[1]);
}

/* How many of the two wait in publish, in the end. False: it broke down. */
static bool await_waiting(stage *self, const dialogue who[2], double scale, unsigned *waiting)
{
    const uint64_t until_ns = ipcmark_now_ns() + (uint64_t)(filling_seconds * 1e9);
    uint64_t before[2], now[2] = {0, 0};
    *waiting = 0;
    if (!look(self, who, before))
        return false;
    while (*waiting < 2 && ipcmark_now_ns() < until_ns) {
        if (!ipcmark_wait(self->trial, (unsigned)(LOOK_MS * scale)) || !look(self, who, now))
            return false;
        *waiting = 0;
        for (size_t k = 0; k < 2; ++k) {
            *waiting += !ipcmark_ended(who[k].asker->traffic) && now[k] > 0 && now[k] == before[k];
            before[k] = now[k];
        }
        if (ipcmark_ended(who[0].asker->traffic) || ipcmark_ended(who[1].asker->traffic))
            break;
    }
    stage_log(self, "%u of 2 wait in publish, after %llu and %llu messages", *waiting, (unsigned long long)now[0],
              (unsigned long long)now[1]);
    return true;
}

/* Until its flood is over. An objection (hung) if it has got rid of nothing for as long as a call may take. */
static bool await_flood(stage *self, dialogue *who)
{
    ipcmark_call *const call = who->asker->traffic;
    const double patience = ipcmark_trial_deadline(self->trial) * ipcmark_session_scale(self->session);
    uint64_t before = 0, now, since_ns = ipcmark_now_ns();
    for (; !ipcmark_ended(call); before = now) {
        if (!ipcmark_wait(self->trial, 20) || !stage_count(self, who->asker, "published", &now))
            return false;
        if (now != before)
            since_ns = ipcmark_now_ns();
        else if ((double)(ipcmark_now_ns() - since_ns) * 1e-9 > patience)
            return stage_object(self, IPCMARK_HUNG, "%s waits in publish for %.1f s, and nobody is slow any more",
                                who->asker->name, patience);
    }
    who->asked += ipcmark_reply_count(call, "attempted");
    return stage_publish_end(self, who->asker);
}

/* Both are slow at first, for all that lies between them to fill up: then each waits for the other to take something.
 * Whoever does not come to that has not been shown to do without. */
static bool play_flood(stage *self)
{
    static const size_t sizes[] = {65536};
    const ipcmark_publish_options flood = {.count = stage_amount(self, 6000, 5000, 8000),
                                           .sizes = sizes,
                                           .sizes_count = 1,
                                           .deadline_seconds = 2 * filling_seconds};
    const double whole = ipcmark_session_scale(self->session), scale = whole < 3 ? whole : 3;
    unsigned waiting;
    dialogue who[2];
    cast_dialogues(self, who, 2);
    self->demands.min_must = 2 * flood.count;
    if (memory_available() < (uint64_t)4 << 30) /* each way there and back, with journals */
        return stage_skip(self, "it needs 4 GiB of memory that is available");
    if (!open_dialogues(self))
        return false;
    for (unsigned i = 0; i < 2; ++i) {
        const ipcmark_handler_options slow = {.delay_us = (unsigned)(1000 * HANDLER_MS * scale),
                                              .reply = who[i].replier->endpoint};
        if (!stage_await(self, ipcmark_handler(self->trial, who[i].answerer->endpoint, &slow), IPCMARK_HUNG) ||
            !stage_publish_begin(self, who[i].asker, &flood))
            return false;
    }
    if (!await_waiting(self, who, scale, &waiting))
        return false;
    for (unsigned i = 0; i < 2; ++i)
        if (!answer(self, &who[i], true))
            return false;
    return await_flood(self, &who[0]) && await_flood(self, &who[1]) && finish(self, &who[0]) && finish(self, &who[1]) &&
           stage_drain(self) && waiting == 2;
}

/* ---- close ------------------------------------------------------------------------------------------------------- */

/* In full flight: an agent that waits for its publish to end before it closes shows no more than that. */
static bool close_in_flight(stage *self, actor *publisher, actor *subscriber)
{
    const ipcmark_publish_options stream = {.seconds = 1, .threads = 4};
    if (!stage_open(self, publisher) || !stage_settle(self) || !stage_publish_begin(self, publisher, &stream) ||
        !ipcmark_wait(self->trial, 20 + (unsigned)stage_random(self, 60)) ||
        !stage_close_within(self, publisher, close_bound, "in which four threads publish"))
        return false;
    return stage_publish_end(self, publisher) && stage_drain_last(self, subscriber, publisher, 0);
}

/* A publish that waits is certain to be under way when the publisher closes. */
static bool close_full(stage *self, actor *publisher, actor *subscriber)
{
    backlog filled;
    if (!stage_open(self, publisher) || !stage_settle(self) || !backlog_stall(self, subscriber) ||
        !backlog_fill(self, publisher, NULL, (uint64_t)512 << 20, &filled) || !filled.waits ||
        !backlog_waits(self, publisher) ||
        !stage_close_within(self, publisher, close_bound, "in which a thread waits for a full subscriber"))
        return false;
    return stage_publish_end(self, publisher) && backlog_release(self, subscriber) &&
           stage_drain_last(self, subscriber, publisher, 0);
}

static bool play_close(stage *self)
{
    const unsigned rounds = stage_either(self, 6, 3);
    actor *const publisher = &self->publishers[0], *const subscriber = &self->subscribers[0];
    self->demands.min_must = rounds;
    if (!stage_cast_closed(self, 1, 1) || !stage_open(self, subscriber))
        return false;
    for (unsigned i = 0; i < rounds; ++i)
        if (!close_in_flight(self, publisher, subscriber))
            return false;
    if (stage_claims(self, IPCMARK_CAP_WHEN_FULL_BLOCK) && !close_full(self, publisher, subscriber))
        return false;
    return stage_recover(self);
}

/* The publisher's count says that the handler has closed: to ask for a close earlier would be to race with it. */
static bool close_inside(stage *self, actor *publisher, actor *subscriber)
{
    const ipcmark_handler_options closing = {.close_after = 5 + stage_random(self, 20)};
    const ipcmark_publish_options stream = {.count = 200};
    stage_log(self, "subscriber 1 is to close inside its handler, at message %llu",
              (unsigned long long)closing.close_after);
    if (!stage_await(self, ipcmark_handler(self->trial, subscriber->endpoint, &closing), IPCMARK_HUNG) ||
        !stage_publish(self, publisher, &stream))
        return false;
    if (ipcmark_await(ipcmark_wait_peers(self->trial, publisher->endpoint, 1, 5)) == IPCMARK_REFUSED)
        return stage_object(self, IPCMARK_HUNG, "the handler of subscriber 1 closes it, and does not come to an end");
    return stage_close_within(self, subscriber, close_bound, "inside its handler, some time ago");
}

static bool play_close_inside(stage *self)
{
    const unsigned rounds = stage_either(self, 20, 5);
    actor *const publisher = &self->publishers[0], *const subscriber = &self->subscribers[0];
    self->demands.min_must = 100 * rounds;
    if (!stage_cast(self, 1, 2))
        return false;
    for (unsigned i = 0; i < rounds; ++i)
        if (!close_inside(self, publisher, subscriber) || !stage_open(self, subscriber) || !stage_settle(self))
            return false;
    return stage_drain(self) && stage_recover(self);
}

static const clause clauses[] = {
    {"THR-001", .publishers = 1, .subscribers = 4, .play = play_many_threads, .needs = IPCMARK_CAP_THREADS,
     .seconds = 2,
     .promise = "Sixteen threads may publish on one publisher while its peers are counted and subscribers join."},
    {"THR-002", .publishers = 2, .subscribers = 2, .play = play_reply, .needs = IPCMARK_CAP_PUBLISH_IN_HANDLER,
     .promise = "A handler may publish: every request is answered."},
    {"THR-003", .publishers = 4, .subscribers = 4, .play = play_flood,
     .needs = IPCMARK_CAP_PUBLISH_IN_HANDLER | IPCMARK_CAP_WHEN_FULL_BLOCK, .seconds = 2,
     .promise = "Two processes that flood and answer each other do not lock up."},
    {"THR-004", .publishers = 1, .subscribers = 1, .play = play_close, .needs = IPCMARK_CAP_THREADS,
     .message_bytes = BACKLOG_MESSAGE, .seconds = 4,
     .promise = "A publisher may be closed while threads publish on it, within a second and without losing what "
                "publish said was published."},
    {"THR-005", .publishers = 1, .subscribers = 2, .play = play_close_inside,
     .needs = IPCMARK_CAP_CLOSE_IN_HANDLER | IPCMARK_CAP_PEERS, .seconds = 1,
     .promise = "A handler may close its own subscriber."},
};

const clause_group threads_clauses = {clauses, COUNT_OF(clauses)};
