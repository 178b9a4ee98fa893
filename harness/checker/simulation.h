/* Random histories of an implementation that is right, for property_test.c.
 *
 * Publishers of one or two threads and subscribers with two journals each (handlers run in any thread) come, publish,
 * receive, are paused, close, are killed and come again in their next epoch, under a clock so coarse that many events
 * share a tick. A pair has a queue: what is invoked while it is connected arrives in order; a pause may cost the pair
 * its connection, and then what was queued. Reports come late, and never before what they report. */
#ifndef IPCMARK_SIMULATION_H
#define IPCMARK_SIMULATION_H

#include "cases.h"

#include <stdlib.h>

#include "ipcmark/checker.h"

#define RUN "simulated"

enum { MAX_LIVES = 64, MAX_JOURNALS = 3 * MAX_LIVES, MAX_QUEUE = 4096, SETTLE = 1000, THREADS = 2, FINAL = 4 };

struct queue {
    struct ipcmark_record *items; /* as RECEIVED, but for receiver and time */
    size_t head, count;
    int connected;    /* the truth */
    int told;         /* what the publisher said last */
    uint64_t down_ns; /* when the publisher will notice that the subscriber is gone; 0: not */
};

struct sim_life {
    struct ipcmark_member is;
    int open, gone, killed, paused;
    uint64_t paused_ns;
    uint64_t next[THREADS]; /* sequences */
    int32_t told_count;
};

struct simulation {
    uint64_t random, now;
    struct ipcmark_history history;
    struct ipcmark_expectation expectation;
    struct ipcmark_journal_view journals[MAX_JOURNALS]; /* three a life */
    size_t capacities[MAX_JOURNALS];
    struct sim_life lives[MAX_LIVES];
    size_t life_count;
    uint16_t endpoints;
    struct queue *queues; /* by publisher and subscriber */
    uint64_t final_ns;    /* from here on everyone is there, connected and known to be */
};

static uint64_t sim_random(struct simulation *self, uint64_t limit)
{
    uint64_t x = self->random += 0x9E3779B97F4A7C15u;
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
    return (x ^ (x >> 31)) % limit;
}

static struct queue *queue_of(struct simulation *self, size_t publisher, size_t subscriber)
{
    return &self->queues[publisher * MAX_LIVES + subscriber];
}

static int is_publisher(const struct sim_life *life)
{
    return life->is.role == IPCMARK_PUBLISHER;
}

static struct ipcmark_record *sim_write(struct simulation *self, size_t journal, struct ipcmark_record record)
{
    struct ipcmark_journal_view *view = &self->journals[journal];
    if (view->count == self->capacities[journal]) {
        self->capacities[journal] = 2 * view->count + 64;
        view->records = realloc(view->records, self->capacities[journal] * sizeof *view->records);
        assert_non_null(view->records);
    }
    record.time_ns = self->now;
    view->records[view->count] = record;
    return &view->records[view->count++];
}

static void sim_event(struct simulation *self, size_t life, enum ipcmark_kind kind, struct ipcmark_record record)
{
    record.kind = (uint8_t)kind;
    record.endpoint = self->lives[life].is.endpoint;
    record.endpoint_epoch = self->lives[life].is.epoch;
    sim_write(self, 3 * life, record);
}

static void sim_fault(struct simulation *self, size_t life, enum ipcmark_fault_kind kind, uint64_t from_ns)
{
    const struct ipcmark_fault fault = {kind, self->lives[life].is.process, from_ns, self->now};
    assert_int_equal(ipcmark_history_add_fault(&self->history, &fault), 0);
}

/* ---- what the publisher says ------------------------------------------------------------------------------------ */

static void sim_tell(struct simulation *self, size_t p, size_t s, int up)
{
    struct ipcmark_record record = {
        .publisher = self->lives[s].is.endpoint, .epoch = self->lives[s].is.epoch, .count = -1};
    if (self->expectation.ready == IPCMARK_READY_NAME && queue_of(self, p, s)->told != up)
        sim_event(self, p, up ? IPCMARK_PEER_UP : IPCMARK_PEER_DOWN, record);
    queue_of(self, p, s)->told = up;
}

static void sim_count(struct simulation *self, size_t p)
{
    struct ipcmark_record record = {.count = 0};
    for (size_t s = 0; s < self->life_count; ++s)
        record.count += queue_of(self, p, s)->connected;
    if (self->expectation.ready == IPCMARK_READY_COUNT)
        sim_event(self, p, IPCMARK_PEERS, record);
}

/* Says what is true and was not said yet, and notices those who are gone; all: of everybody, else of some. */
static void sim_reports(struct simulation *self, int all)
{
    for (size_t p = 0; p < self->life_count; ++p) {
        int counts = all;
        if (!is_publisher(&self->lives[p]) || !self->lives[p].open || self->lives[p].paused)
            continue;
        for (size_t s = 0; s < self->life_count; ++s) {
            struct queue *queue = queue_of(self, p, s);
            int due = queue->down_ns != 0 && (all || self->now >= queue->down_ns);
            if (due)
                queue->connected = 0, queue->down_ns = 0;
            if (queue->told != queue->connected && (all || due || sim_random(self, 4) == 0))
                sim_tell(self, p, s, queue->connected), counts = 1;
        }
        if (counts || sim_random(self, 8) == 0)
            sim_count(self, p);
    }
}

/* ---- lives ---------------------------------------------------------------------------------------------------- */

static void sim_connect(struct simulation *self, size_t one)
{
    for (size_t other = 0; other < self->life_count; ++other) {
        size_t p = is_publisher(&self->lives[one]) ? one : other, s = p == one ? other : one;
        if (self->lives[other].open && is_publisher(&self->lives[p]) && !is_publisher(&self->lives[s]) &&
            !self->lives[p].gone && !self->lives[s].gone)
            queue_of(self, p, s)->connected = 1;
    }
}

/* endpoint 0: a new one, else the next epoch of this. */
static void sim_open(struct simulation *self, enum ipcmark_role role, uint16_t endpoint, uint16_t epoch)
{
    size_t life = self->life_count;
    struct ipcmark_process process = {(uint32_t)life + 1, 1000 + (int64_t)life};
    struct ipcmark_member member = {endpoint, epoch, role, process.number, "channel", "directory", NULL};
    if (life == MAX_LIVES)
        return;
    if (endpoint == 0)
        member.endpoint = ++self->endpoints, member.epoch = 1;
    self->lives[self->life_count++] = (struct sim_life){.is = member, .told_count = -1};
    assert_int_equal(ipcmark_history_add_process(&self->history, &process), 0);
    assert_int_equal(ipcmark_history_add_member(&self->history, &member), 0);
    sim_event(self, life, IPCMARK_OPEN_INVOKE, (struct ipcmark_record){0});
    self->now += sim_random(self, 2);
    if (sim_random(self, 2) == 0) /* before open returns, or after it */
        sim_connect(self, life);
    sim_event(self, life, IPCMARK_OPEN_DONE, (struct ipcmark_record){0});
    self->lives[life].open = 1;
    sim_connect(self, life);
}

static void sim_gone(struct simulation *self, size_t life)
{
    self->lives[life].open = self->lives[life].paused = 0;
    self->lives[life].gone = 1;
    for (size_t other = 0; other < self->life_count; ++other) {
        struct queue *queue = queue_of(self, other, life);
        if (!is_publisher(&self->lives[life])) {
            queue->head = queue->count; /* what it did not take is lost with it */
            queue->down_ns = queue->connected ? self->now + 1 + sim_random(self, SETTLE / 4) : 0;
        }
    }
}

static void sim_resume(struct simulation *self, size_t life)
{
    self->lives[life].paused = 0;
    sim_fault(self, life, IPCMARK_FAULT_PAUSE, self->lives[life].paused_ns);
}

static void sim_kill(struct simulation *self, size_t life)
{
    uint64_t from_ns = self->now;
    if (self->lives[life].paused)
        sim_resume(self, life);
    self->now += sim_random(self, 3);
    sim_fault(self, life, IPCMARK_FAULT_KILL, from_ns);
    self->lives[life].killed = 1;
    sim_gone(self, life);
    /* Without the claim, what a dead publisher had queued may end anywhere; but not in the middle. */
    for (size_t s = 0; is_publisher(&self->lives[life]) && s < self->life_count; ++s) {
        struct queue *queue = queue_of(self, life, s);
        if ((self->expectation.capabilities & IPCMARK_CAP_SURVIVES_PUBLISHER_DEATH) == 0)
            queue->count -= sim_random(self, queue->count - queue->head + 1);
    }
}

static void sim_receive(struct simulation *self, size_t p, size_t s)
{
    struct queue *queue = queue_of(self, p, s);
    struct ipcmark_record record = queue->items[queue->head++];
    record.endpoint = self->lives[s].is.endpoint;
    record.endpoint_epoch = self->lives[s].is.epoch;
    sim_write(self, 3 * s + 1 + sim_random(self, 2), record);
}

static void sim_deliver(struct simulation *self, int all)
{
    for (size_t p = 0; p < self->life_count; ++p)
        for (size_t s = 0; s < self->life_count; ++s) {
            struct queue *queue = queue_of(self, p, s);
            while (self->lives[s].open && !self->lives[s].paused && queue->head < queue->count &&
                   (all || sim_random(self, 3) > 0)) {
                sim_receive(self, p, s);
                self->now += sim_random(self, 2);
            }
        }
}

static void sim_close(struct simulation *self, size_t life)
{
    sim_event(self, life, IPCMARK_CLOSE_INVOKE, (struct ipcmark_record){0});
    self->now += sim_random(self, 3);
    sim_deliver(self, 0); /* during close it may go on */
    sim_event(self, life, IPCMARK_CLOSE_DONE, (struct ipcmark_record){0});
    sim_gone(self, life);
}

/* ---- messages -------------------------------------------------------------------------------------------------- */

static void sim_enqueue(struct simulation *self, size_t p, const struct ipcmark_record *message)
{
    for (size_t s = 0; s < self->life_count; ++s) {
        struct queue *queue = queue_of(self, p, s);
        if (!queue->connected || self->lives[s].gone)
            continue;
        if (queue->items == NULL)
            queue->items = malloc(MAX_QUEUE * sizeof *queue->items);
        assert_non_null(queue->items);
        assert_true(queue->count < MAX_QUEUE);
        queue->items[queue->count] = *message;
        queue->items[queue->count++].kind = IPCMARK_RECEIVED;
    }
}

/* final: it shall be OK; else it may be anything, and its publisher may die of it. */
static void sim_publish(struct simulation *self, size_t p, int final)
{
    struct sim_life *life = &self->lives[p];
    uint16_t thread = (uint16_t)sim_random(self, THREADS);
    uint64_t fate = final ? 99 : sim_random(self, 100);
    struct ipcmark_record record = {.publisher = life->is.endpoint,
                                    .epoch = life->is.epoch,
                                    .thread = thread,
                                    .sequence = life->next[thread]++,
                                    .size = 64 + sim_random(self, 9),
                                    .digest = (uint32_t)sim_random(self, UINT32_MAX),
                                    .parts = 1,
                                    .run = ipcmark_payload_name(RUN)};
    sim_event(self, p, IPCMARK_INVOKE, record);
    if (fate >= 8 || (fate < 4 && sim_random(self, 2) == 0))
        sim_enqueue(self, p, &record);
    self->now += sim_random(self, 2);
    sim_deliver(self, 0);
    if (fate < 2)
        sim_kill(self, p); /* between INVOKE and outcome */
    else
        sim_event(self, p, fate < 4 ? IPCMARK_UNKNOWN : fate < 8 ? IPCMARK_FAILED : IPCMARK_OK, record);
}

/* ---- the play -------------------------------------------------------------------------------------------------- */

/* A pause that lasts costs the connection, if it is not durable: this is noticed by the publisher while there is a
 * reason, and what was queued is gone. */
static void sim_pause(struct simulation *self, size_t life)
{
    self->lives[life].paused = 1;
    self->lives[life].paused_ns = self->now;
    if (is_publisher(&self->lives[life]) || sim_random(self, 2) == 0 ||
        self->expectation.ready == IPCMARK_READY_PROBE) /* who reports nothing must lose nothing */
        return;
    for (size_t p = 0; p < self->life_count; ++p) {
        struct queue *queue = queue_of(self, p, life);
        if (!queue->connected || !self->lives[p].open || self->lives[p].paused)
            continue;
        sim_count(self, p); /* so that the next one shows that it fell */
        queue->connected = 0;
        queue->count = queue->head;
        sim_tell(self, p, life, 0);
        sim_count(self, p);
    }
}

static void sim_step(struct simulation *self)
{
    size_t life = (size_t)sim_random(self, self->life_count);
    struct sim_life *who = &self->lives[life];
    uint64_t dice = sim_random(self, 100);
    self->now += sim_random(self, 4);
    if (who->gone) {
        if (who->gone == 1 && dice < 4) /* again, in its next epoch; once */
            sim_open(self, who->is.role, who->is.endpoint, (uint16_t)(who->is.epoch + 1)), who->gone = 2;
    } else if (who->paused) {
        if (dice < 30)
            sim_resume(self, life), sim_connect(self, life);
    } else if (dice < 3) {
        sim_kill(self, life);
    } else if (dice < 5) {
        sim_close(self, life);
    } else if (dice < 10) {
        sim_pause(self, life);
    } else if (dice < 12) {
        sim_open(self, dice == 10 ? IPCMARK_PUBLISHER : IPCMARK_SUBSCRIBER, 0, 0);
    } else if (is_publisher(who)) {
        sim_publish(self, life, 0);
    }
    sim_deliver(self, 0);
    sim_reports(self, 0);
}

static void sim_drains(struct simulation *self)
{
    for (size_t p = 0; p < self->life_count; ++p)
        for (size_t s = 0; s < self->life_count; ++s) {
            struct ipcmark_drain drain = {self->lives[s].is.endpoint,
                                          self->lives[s].is.epoch,
                                          self->lives[p].is.endpoint,
                                          self->lives[p].is.epoch,
                                          IPCMARK_ANY_THREAD,
                                          IPCMARK_TO_THE_END,
                                          self->now,
                                          self->now,
                                          1};
            if (is_publisher(&self->lives[p]) && !is_publisher(&self->lives[s]) && self->lives[s].open)
                assert_int_equal(ipcmark_history_add_drain(&self->history, &drain), 0);
        }
}

/* Everyone who is left goes on, is connected and known to be; messages pass between all of them, and all arrive. */
static void sim_finish(struct simulation *self)
{
    for (size_t i = 0; i < self->life_count; ++i)
        if (self->lives[i].paused)
            sim_resume(self, i);
    sim_open(self, IPCMARK_PUBLISHER, 0, 0);
    sim_open(self, IPCMARK_SUBSCRIBER, 0, 0);
    self->now += 2 * SETTLE;
    for (size_t i = 0; i < self->life_count; ++i)
        if (self->lives[i].open)
            sim_connect(self, i);
    sim_reports(self, 1);
    sim_deliver(self, 1);
    self->now += 2 * SETTLE;
    sim_reports(self, 1);
    for (int probe = 1; probe >= 0; --probe) { /* where nothing is reported, the first to arrive makes a pair ready */
        self->final_ns = ++self->now;
        for (size_t p = 0; p < self->life_count; ++p)
            for (int i = 0; is_publisher(&self->lives[p]) && self->lives[p].open && i < THREADS * FINAL; ++i)
                sim_publish(self, p, 1);
        ++self->now;
        sim_deliver(self, 1);
    }
    ++self->now;
    sim_drains(self);
}

/* Frees nothing but what the checker does not get: see simulation_judge(). */
static void simulate(struct simulation *self, uint64_t seed)
{
    static const enum ipcmark_ready ready[] = {IPCMARK_READY_NAME, IPCMARK_READY_COUNT, IPCMARK_READY_PROBE};
    memset(self, 0, sizeof *self);
    self->random = seed;
    self->now = 1000000;
    self->queues = calloc(MAX_LIVES * MAX_LIVES, sizeof *self->queues);
    assert_non_null(self->queues);
    self->expectation =
        (struct ipcmark_expectation){RUN,
                                     sim_random(self, 2) == 0 ? IPCMARK_CAP_SURVIVES_PUBLISHER_DEATH : 0,
                                     ready[sim_random(self, 3)],
                                     SETTLE,
                                     1,
                                     0,
                                     0,
                                     0};
    for (uint64_t i = 1 + sim_random(self, 3); i-- > 0;)
        sim_open(self, IPCMARK_PUBLISHER, 0, 0);
    for (uint64_t i = 1 + sim_random(self, 3); i-- > 0;)
        sim_open(self, IPCMARK_SUBSCRIBER, 0, 0);
    for (uint64_t i = 50 + sim_random(self, 250); i-- > 0;)
        sim_step(self);
    sim_finish(self);
    for (size_t i = 0; i < MAX_LIVES * MAX_LIVES; ++i)
        free(self->queues[i].items);
    free(self->queues);
}

/* Hands the journals over. */
static void simulation_hand_over(struct simulation *self)
{
    for (uint32_t i = 0; i < 3 * self->life_count; ++i) {
        char name[24];
        snprintf(name, sizeof name, "%u.%u", i / 3 + 1, i % 3);
        assert_int_equal(ipcmark_history_add_journal(&self->history, i / 3 + 1, name, &self->journals[i]), 0);
    }
    assert_int_equal(ipcmark_history_set_expectation(&self->history, &self->expectation), 0);
    self->history.ended = 1;
}

#endif
