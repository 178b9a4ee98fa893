/* A publisher's life: every way to publish, growing and shrinking, waiting for room and for flush, giving up. */
#include "inside.h"
#include "life.h"
#include "pattern.h"
#include "point.h"

#include <errno.h>
#include <stdlib.h>

enum {
    SMALL = 200,
    MEDIUM = 3000,
    LARGE = 20000,
    ENORMOUS = 70000,
    LONGEST_PUBLISH_MS = 2000,
    QUIET_MS = 2000,
    HEARTBEATS = 2
};

struct publishing {
    const struct life *life;
    mmipc_publisher *publisher;
    unsigned char memory[ENORMOUS];
};

/* Loaned memory is shared memory as well: it is written like that. */
static int publish_loan(struct publishing *self, size_t size, uint64_t name)
{
    mmipc_loan *loan;
    void *data;
    int error = mmipc_publish_begin(self->publisher, size + 100, &loan, &data);
    if (error != 0)
        return error;
    pattern_fill(self->memory, size, name);
    point_reach(POINT_ENTRY("copy"));
    point_copy(data, self->memory, size, POINT_ENTRY("copy, half way"));
    point_reach(POINT_ENTRY("commit"));
    return mmipc_publish_commit(loan, size);
}

static int publish_parts(struct publishing *self, size_t size, uint64_t name)
{
    const size_t sizes[] = {16, 0, size / 2, size - size / 2};
    mmipc_part parts[4];
    unsigned char *at = self->memory;
    for (size_t i = 0; i < 4; ++i) {
        pattern_fill(at, sizes[i], message_part_name(name, i));
        parts[i] = (mmipc_part){at, sizes[i]};
        at += sizes[i];
    }
    return mmipc_publish_parts(self->publisher, parts, 4);
}

enum way { WHOLE, IN_PARTS, LOANED };

/* What is begun may be received; what has returned 0 must be. */
static int publish(struct publishing *self, enum way way, size_t size)
{
    struct part *part = self->life->part;
    const long number = part->committed;
    const uint64_t name = message_name(self->life->me, number);
    const int64_t start_ms = life_now_ms();
    int error;
    part->begun = number + 1;
    if (way == LOANED) {
        error = publish_loan(self, size, name);
    } else if (way == IN_PARTS) {
        error = publish_parts(self, size, name);
    } else {
        pattern_fill(self->memory, size, name);
        error = mmipc_publish(self->publisher, self->memory, size);
    }
    if (error == 0) {
        part->committed = number + 1;
        ledger_changed(self->life->ledger);
    } else {
        part->begun = number;
    }
    if (!self->life->is_victim && life_now_ms() - start_ms > LONGEST_PUBLISH_MS)
        life_complain(self->life, "a publish took more than two seconds", error);
    return error;
}

static void publish_some(struct publishing *self, enum way way, size_t size, int count)
{
    for (int i = 0; i < count; ++i) {
        const int error = publish(self, way, size);
        if (error != 0) {
            life_complain(self->life, "a publish failed", error);
            return;
        }
    }
}

static void publish_mixture(struct publishing *self)
{
    publish_some(self, WHOLE, 8, 2);
    publish_some(self, IN_PARTS, SMALL, 2);
    publish_some(self, WHOLE, LARGE, 2);
    publish_some(self, LOANED, SMALL, 1);
    publish_some(self, LOANED, LARGE, 2);
    publish_some(self, IN_PARTS, ENORMOUS / 2, 1);
}

static void hold(const struct publishing *self, int on)
{
    ledger_set(self->life->ledger, &self->life->part->hold, on);
}

static void flush(const struct publishing *self, int timeout_ms)
{
    const int error = mmipc_publisher_flush(self->publisher, timeout_ms);
    if (error != 0 && error != -ETIMEDOUT)
        life_complain(self->life, "a flush failed", error);
}

/* While nobody takes anything: the ring grows, and a flush waits in vain. */
static void grow(struct publishing *self)
{
    hold(self, 1);
    publish_some(self, WHOLE, MEDIUM, 100);
    publish_some(self, WHOLE, ENORMOUS, 4);
    flush(self, 10);
    hold(self, 0);
    flush(self, 200);
}

/* Until there is no more backlog: the last one waits for room, and gives up. Unless we were stopped, and the runner let
 * the subscribers go on. */
static void fill_with(struct publishing *self, enum way way, size_t size)
{
    int error = 0;
    for (int i = 0; i < 2000 && error == 0; ++i)
        error = publish(self, way, size);
    if (error != -ETIMEDOUT && self->life->part->hold)
        life_complain(self->life, "a full backlog did not make a publish time out", error);
}

static void fill(struct publishing *self)
{
    hold(self, 1);
    fill_with(self, LOANED, ENORMOUS / 2);
    fill_with(self, WHOLE, MEDIUM);
    hold(self, 0);
    flush(self, 1000);
}

static bool all_have_ticked(struct mmipc_publisher *publisher)
{
    bool all = true;
    gate_enter(&publisher->gate);
    for (size_t i = 0; i < publisher->outlet_count; ++i)
        all &= flag_get(&publisher->outlets[i]->gone) ||
               shared_load_relaxed(&publisher->outlets[i]->theirs->heartbeat) >= HEARTBEATS;
    gate_leave(&publisher->gate);
    return all;
}

/* Until all memory that the burst took has been given back, and the subscribers' hearts have beaten. Ticks do that, and
 * no event tells of it. */
static void rest(const struct publishing *self)
{
    const int64_t end_ms = life_now_ms() + QUIET_MS;
    while ((flag_get(&self->publisher->swollen) || !all_have_ticked(self->publisher)) && life_now_ms() < end_ms)
        mmipc_publisher_wait_disconnected(self->publisher, 20);
}

static void abort_loans(const struct publishing *self)
{
    mmipc_loan *loan;
    void *data;
    if (mmipc_publish_begin(self->publisher, LARGE, &loan, &data) == 0)
        mmipc_publish_abort(loan);
    if (mmipc_publish_begin(self->publisher, SMALL, &loan, &data) == 0)
        mmipc_publish_abort(loan);
}

static void whole_life(struct publishing *self)
{
    publish_mixture(self);
    abort_loans(self);
    grow(self);
    if (self->life->is_victim)
        fill(self);
    rest(self);
    publish_mixture(self);
}

static bool is_asked(void *context)
{
    const struct publishing *self = context;
    const struct life *life = self->life;
    return life->part->leave || life->part->rounds < life->ledger->rounds;
}

static void obey(struct publishing *self)
{
    const struct life *life = self->life;
    while (!life->part->leave) {
        if (!ledger_await(life->ledger, is_asked, self, 60000) || life->part->leave)
            continue;
        publish_mixture(self);
        ledger_set(life->ledger, &life->part->rounds, life->part->rounds + 1);
    }
}

void publisher_live(const struct life *life)
{
    static struct publishing self;
    mmipc_options options;
    int64_t start_ms;
    int error;
    self.life = life;
    life_options(life, 0, &options);
    error = mmipc_publisher_open(&self.publisher, LIFE_CHANNEL, life->directory, &options);
    if (error == 0)
        error = mmipc_publisher_wait_connected(self.publisher, life->peers, LIFE_CONNECT_MS);
    if (error == 0 && life->is_victim)
        error = life_await_first(life, 0, FIRST_SUBSCRIBER, SECOND_SUBSCRIBER, SEATS);
    if (error != 0) {
        life_complain(life, "it was not connected", error);
        return;
    }
    ledger_set(life->ledger, &life->part->ready, 1);
    life_await(life, &life->ledger->begin);
    if (life->me != NEW_PUBLISHER)
        whole_life(&self);
    ledger_set(life->ledger, &life->part->done, 1);
    obey(&self);
    if (life->is_victim) { /* it closes while others have payload of it that they have not read */
        hold(&self, 1);
        publish_some(&self, WHOLE, LARGE, 1);
    }
    start_ms = life_now_ms();
    mmipc_publisher_close(self.publisher);
    life_closed(life, start_ms);
    hold(&self, 0);
}
