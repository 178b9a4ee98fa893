/* A lane makes the messages of one thread of a publisher and hands them to the driver: the one place that publishes. */
#include "agent.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

int lane_prepare(struct lane *lane, size_t size, size_t parts)
{
    if (lane->random == 0 && getrandom(&lane->random, sizeof lane->random, 0) < 0)
        return -errno;
    lane->random |= 1;
    if (lane->buffer == NULL || size > lane->buffer_size) {
        unsigned char *buffer = realloc(lane->buffer, size + 1);
        if (buffer == NULL)
            return -ENOMEM;
        memset(buffer, 0, size + 1); /* page faults belong to the preparation */
        lane->buffer = buffer;
        lane->buffer_size = size;
    }
    if (lane->parts == NULL || parts > lane->parts_capacity) {
        ipcmark_part *grown_parts = realloc(lane->parts, (parts + 1) * sizeof *grown_parts);
        if (grown_parts != NULL)
            lane->parts = grown_parts;
        size_t *grown_sizes = realloc(lane->sizes, (parts + 1) * sizeof *grown_sizes);
        if (grown_sizes != NULL)
            lane->sizes = grown_sizes;
        if (grown_parts == NULL || grown_sizes == NULL)
            return -ENOMEM;
        lane->parts_capacity = parts;
    }
    return 0;
}

void lane_free(struct lane *lane)
{
    free(lane->buffer);
    free(lane->parts);
    free(lane->sizes);
    lane->buffer = NULL;
    lane->parts = NULL;
    lane->sizes = NULL;
}

void lane_scribble(struct lane *lane, size_t size)
{
    memset(lane->buffer, 0xA5, size);
}

static uint64_t next_random(struct lane *lane)
{
    lane->random ^= lane->random << 13;
    lane->random ^= lane->random >> 7;
    return lane->random ^= lane->random << 17;
}

/* In conformance, every second part of every second message: an empty part between parts that are not. */
static bool is_left_empty(const struct lane *lane, size_t part)
{
    return agent.journal && lane->sequence % 2 == 0 && part % 2 == 1;
}

/* The header, if there is room for one, is never split; the rest is dealt out evenly, the first part getting what is
 * over, so that later parts may be empty. */
static void split(struct lane *lane, size_t size, size_t parts)
{
    size_t head = size >= IPCMARK_PAYLOAD_HEADER ? IPCMARK_PAYLOAD_HEADER : 0, filled = 0;
    for (size_t i = 0; i < parts; ++i)
        filled += !is_left_empty(lane, i);
    size_t share = filled == 0 ? 0 : (size - head) / filled;
    for (size_t i = 0; i < parts; ++i)
        lane->sizes[i] = is_left_empty(lane, i) ? 0 : share;
    if (parts > 0)
        lane->sizes[0] = size - share * (filled - 1);
}

static struct ipcmark_payload next_header(const struct endpoint *publisher, uint16_t number, struct lane *lane,
                                          uint64_t scheduled_ns)
{
    return (struct ipcmark_payload){.run = agent.run,
                                    .channel = publisher->channel,
                                    .publisher = publisher->id,
                                    .epoch = publisher->epoch,
                                    .thread = number,
                                    .sequence = ++lane->sequence,
                                    .scheduled_ns = scheduled_ns};
}

/* Benchmarks: every byte is written anew, at the speed of memory. The nonce of a message with a schedule is the time of
 * its actual sending, which the uncorrected latency needs. */
static void make_quick(struct lane *lane, struct ipcmark_payload *header, size_t size, size_t parts)
{
    unsigned char *at = lane->buffer;
    split(lane, size, parts);
    header->nonce = header->scheduled_ns != 0 ? ipcmark_now_ns() : next_random(lane);
    header->parts = (uint16_t)parts;
    header->size = (uint32_t)size;
    for (size_t i = 0; i < parts; at += lane->sizes[i++]) {
        size_t head = i == 0 && lane->sizes[0] >= IPCMARK_PAYLOAD_HEADER ? IPCMARK_PAYLOAD_HEADER : 0;
        ipcmark_payload_body_write(at + head, lane->sizes[i] - head, ipcmark_payload_key(agent.seed, header->nonce, i));
        lane->parts[i] = (ipcmark_part){at, lane->sizes[i]};
    }
    if (parts > 0 && lane->sizes[0] >= IPCMARK_PAYLOAD_HEADER)
        ipcmark_payload_stamp(lane->buffer, header);
}

static void make_small(struct lane *lane, const struct ipcmark_payload *header, size_t size)
{
    const uint64_t frame = ipcmark_payload_small(header->run, (uint8_t)header->publisher, header->sequence, size);
    memcpy(lane->buffer, &frame, sizeof frame);
    ipcmark_payload_body_write(lane->buffer + sizeof frame, size - sizeof frame,
                               ipcmark_payload_key(agent.seed, frame, 0));
    lane->parts[0] = (ipcmark_part){lane->buffer, size};
}

static void make_recorded(struct lane *lane, struct ipcmark_payload *header, size_t size, size_t parts,
                          struct ipcmark_record *invoke)
{
    split(lane, size, parts);
    header->nonce = next_random(lane);
    int error = ipcmark_payload_fill(header, agent.seed, lane->buffer, lane->buffer_size, lane->sizes, parts,
                                     lane->parts, &invoke->digest);
    if (error < 0)
        out_fatal("a message of %zu bytes in %zu parts cannot be made: %s", size, parts, strerror(-error));
    invoke->kind = IPCMARK_INVOKE;
    invoke->flags = (uint8_t)(size >= IPCMARK_PAYLOAD_HEADER ? 0 : IPCMARK_UNFRAMED);
    invoke->thread = header->thread;
    invoke->sequence = header->sequence;
    invoke->size = size;
    invoke->run = header->run;
    invoke->channel = header->channel;
    invoke->parts = (uint32_t)parts;
}

static uint8_t outcome_of(int result)
{
    switch (result) {
    case -EAGAIN:
    case -EMSGSIZE:
    case -EINVAL:
    case -ENOSPC:
    case -ENOMEM:
    case -ETIMEDOUT:
        return IPCMARK_FAILED;
    default:
        return result >= 0 ? IPCMARK_OK : IPCMARK_UNKNOWN;
    }
}

/* No read-modify-write: it costs as much as a publish, and nobody else counts. Relaxed: a figure, which orders nothing.
 */
static void count_one(_Atomic uint64_t *counter)
{
    atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + 1, memory_order_relaxed);
}

static void count_outcome(struct lane *lane, uint8_t outcome)
{
    count_one(&lane->attempted);
    if (outcome == IPCMARK_OK) {
        count_one(&lane->ok);
        atomic_store_explicit(&lane->sent, lane->sequence, memory_order_relaxed);
    } else {
        count_one(outcome == IPCMARK_FAILED ? &lane->failed : &lane->unknown);
    }
}

static int call_driver(struct endpoint *publisher, struct lane *lane, size_t parts)
{
    bool alone = !endpoint_claims(IPCMARK_CAP_THREADS);
    if (alone)
        pthread_mutex_lock(&publisher->calls);
    /* Who closes has taken the mutex first, or, with threads claimed, waits for us to be inside (settle.c). Making the
     * message took its time, so we look again. */
    int result =
        endpoint_is_closing(publisher) ? -ESHUTDOWN : agent.driver->publish(publisher->handle, lane->parts, parts);
    if (alone)
        pthread_mutex_unlock(&publisher->calls);
    return result;
}

/* Of who does not wait until there is room: the very same message, for the next one has another number. */
static int call_until_taken(struct endpoint *publisher, struct lane *lane, size_t parts)
{
    int result;
    while ((result = call_driver(publisher, lane, parts)) == -EAGAIN && lane->insists &&
           !endpoint_is_closing(publisher)) {
        ++lane->retries;
        sched_yield();
    }
    return result;
}

int lane_publish(struct endpoint *publisher, uint16_t number, size_t size, size_t parts, uint64_t scheduled_ns,
                 struct killer *killer)
{
    struct lane *lane = &publisher->lanes[number];
    struct ipcmark_payload header = next_header(publisher, number, lane, scheduled_ns);
    struct ipcmark_record record = {.endpoint = publisher->id,
                                    .endpoint_epoch = publisher->epoch,
                                    .publisher = publisher->id,
                                    .epoch = publisher->epoch};
    if (agent.journal) {
        make_recorded(lane, &header, size, parts, &record);
        record_append(&record);
    } else if (publisher->small_frames) {
        make_small(lane, &header, size);
    } else {
        make_quick(lane, &header, size, parts);
    }
    if (killer != NULL)
        killer_before_call(killer);
    int result = call_until_taken(publisher, lane, parts);
    if (killer != NULL)
        killer_after_call(killer);
    uint8_t outcome = outcome_of(result);
    count_outcome(lane, outcome);
    record.kind = outcome;
    record.error = result < 0 ? result : 0;
    record_append(&record);
    return result;
}

static void make_ahead(struct endpoint *publisher, struct lane *lane, size_t size)
{
    struct ipcmark_payload header = next_header(publisher, REPLY_LANE, lane, 0);
    make_quick(lane, &header, size, 1);
    lane->ahead = size;
}

int lane_answer(struct endpoint *publisher, size_t size, size_t parts)
{
    struct lane *lane = &publisher->lanes[REPLY_LANE];
    if (lane->ahead != 0 && (lane->ahead != size || parts != 1)) {
        --lane->sequence; /* never sent */
        lane->ahead = 0;
    }
    if (agent.journal || parts != 1 || size == 0)
        return lane_publish(publisher, REPLY_LANE, size, parts, 0, NULL);
    if (lane->ahead == 0)
        make_ahead(publisher, lane, size);
    int result = call_driver(publisher, lane, 1);
    count_outcome(lane, outcome_of(result));
    make_ahead(publisher, lane, size);
    return result;
}
