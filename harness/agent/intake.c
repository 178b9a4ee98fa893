/* What a subscriber takes in: a few nanoseconds a message, in memory that was there before. */
#include "agent.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

static const size_t always_check_bytes = 4096;
static const uint64_t patience_ns = 100000000;
static const uint64_t check_one_in = 16; /* of larger messages: reading them would cost more than the transport */

static void lock(struct intake *intake)
{
    while (atomic_exchange_explicit(&intake->busy, true, memory_order_acquire))
        sched_yield();
}

static void unlock(struct intake *intake)
{
    atomic_store_explicit(&intake->busy, false, memory_order_release);
}

int intake_open(struct intake *intake)
{
    intake->streams = calloc(STREAMS, sizeof *intake->streams);
    intake->samples = calloc(SAMPLES, sizeof *intake->samples);
    intake->sample_period = 1;
    if (intake->streams == NULL || intake->samples == NULL || ipcmark_histogram_new(&intake->latency) < 0 ||
        ipcmark_histogram_new(&intake->uncorrected) < 0) {
        intake_close(intake);
        return -ENOMEM;
    }
    memset(intake->samples, 0, SAMPLES * sizeof *intake->samples);
    intake->latest = intake->streams;
    return 0;
}

void intake_close(struct intake *intake)
{
    free(intake->streams);
    free(intake->samples);
    ipcmark_histogram_free(intake->latency);
    ipcmark_histogram_free(intake->uncorrected);
    *intake = (struct intake){0};
}

static uint64_t key_of(uint16_t publisher, uint16_t epoch, uint16_t thread)
{
    return UINT64_C(1) << 63 | (uint64_t)publisher << 32 | (uint64_t)epoch << 16 | thread;
}

/* The stream of this key, or the free place for it; NULL: the table is full. */
static struct stream *find_stream(struct intake *intake, uint64_t key)
{
    if (intake->latest->key == key)
        return intake->latest;
    size_t at = (size_t)(key * 0x9E3779B97F4A7C15u >> 40) % STREAMS;
    for (size_t i = 0; i < STREAMS; ++i, at = (at + 1) % STREAMS)
        if (intake->streams[at].key == key || intake->streams[at].key == 0)
            return &intake->streams[at];
    return NULL;
}

/* A gap counts as lost until it is filled. Beyond 64 messages back, late and double cannot be told apart: double. */
static void follow(struct intake *intake, const struct ipcmark_payload *header)
{
    uint64_t key = key_of(header->publisher, header->epoch, header->thread);
    struct stream *stream = find_stream(intake, key);
    if (stream == NULL)
        return;
    intake->latest = stream;
    if (stream->key == 0) { /* it may have begun before we were here */
        *stream = (struct stream){.key = key, .highest = header->sequence, .seen = ~UINT64_C(0)};
        return;
    }
    if (header->sequence > stream->highest) {
        uint64_t step = header->sequence - stream->highest;
        intake->counts.lost += step - 1;
        stream->seen = step < 64 ? stream->seen << step | 1 : 1;
        stream->highest = header->sequence;
        return;
    }
    uint64_t back = stream->highest - header->sequence;
    if (back >= 64 || stream->seen >> back & 1) {
        ++intake->counts.duplicate;
        return;
    }
    stream->seen |= UINT64_C(1) << back;
    ++intake->counts.reordered;
    --intake->counts.lost;
}

static int check_bodies(const struct ipcmark_payload *header, const ipcmark_part *parts, size_t count)
{
    for (size_t i = 0; i < count; ++i) {
        size_t head = i == 0 ? IPCMARK_PAYLOAD_HEADER : 0;
        if (ipcmark_payload_body_check((const char *)parts[i].data + head, parts[i].size - head,
                                       ipcmark_payload_key(agent.seed, header->nonce, i)) < 0)
            return -EBADMSG;
    }
    return 0;
}

static size_t total_size(const ipcmark_part *parts, size_t count)
{
    size_t size = 0;
    for (size_t i = 0; i < count; ++i)
        size += parts[i].size;
    return size;
}

int intake_check(const ipcmark_part *parts, size_t count, size_t size, struct ipcmark_payload *header)
{
    if (count == 0 || ipcmark_payload_peek(parts[0].data, parts[0].size, header) < 0 || header->run != agent.run ||
        header->size != size || header->parts != count)
        return -EBADMSG;
    bool all = size <= always_check_bytes || header->sequence % check_one_in == 0;
    return all ? check_bodies(header, parts, count) : 0;
}

static int check_small(const ipcmark_part *parts, size_t count, struct ipcmark_payload *header)
{
    if (count != 1 || ipcmark_payload_small_peek(parts[0].data, parts[0].size, agent.run, header) < 0)
        return -EBADMSG;
    return ipcmark_payload_body_check((const char *)parts[0].data + IPCMARK_PAYLOAD_SMALL,
                                      parts[0].size - IPCMARK_PAYLOAD_SMALL,
                                      ipcmark_payload_key(agent.seed, header->nonce, 0));
}

static void add_sample(struct intake *intake, uint64_t now)
{
    if (intake->sample_count == SAMPLES) {
        for (size_t i = 0; i < SAMPLES / 2; ++i)
            intake->samples[i] = intake->samples[2 * i + 1];
        intake->sample_count = SAMPLES / 2;
        intake->sample_period *= 2;
        if (intake->counts.received % intake->sample_period != 0)
            return;
    }
    intake->samples[intake->sample_count++] = (struct sample){now, intake->counts.received, intake->counts.bytes};
}

static void keep_latency(struct intake *intake, const struct ipcmark_payload *header, uint64_t now)
{
    ipcmark_histogram_record(intake->latency, now > header->scheduled_ns ? now - header->scheduled_ns : 0);
    ipcmark_histogram_record(intake->uncorrected, now > header->nonce ? now - header->nonce : 0);
}

/* A counter that one thread writes: no need of a locked addition. */
static void step(atomic_ullong *counter)
{
    atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + 1, memory_order_release);
}

void intake_look(struct intake *intake, struct delivery *delivery, const ipcmark_part *parts, size_t count,
                 bool read_clock)
{
    struct ipcmark_payload *header = &delivery->header;
    step(&intake->begun);
    delivery->slept = false;
    if (intake->small) { /* no time to read, and without a journal always */
        delivery->framed = true;
        delivery->timed = false;
        delivery->now_ns = 0;
        delivery->size = total_size(parts, count);
        delivery->torn = check_small(parts, count, header) < 0;
        return;
    }
    delivery->framed = count > 0 && parts[0].size >= IPCMARK_PAYLOAD_HEADER;
    header->scheduled_ns = 0;
    if (delivery->framed)
        memcpy(header, parts[0].data, sizeof *header);
    /* With a journal, the checker looks at the bytes, and better; and nobody asks for latencies. */
    delivery->timed = delivery->framed && read_clock && header->scheduled_ns != 0 && !agent.journal;
    delivery->now_ns = delivery->timed ? ipcmark_now_ns() : 0; /* before any work of our own */
    delivery->size = total_size(parts, count);
    delivery->torn = delivery->framed && !agent.journal && intake_check(parts, count, delivery->size, header) < 0;
}

static bool is_awaited(const struct intake *intake)
{
    return intake->awaited_key != 0 && intake->latest->key == intake->awaited_key &&
           intake->latest->highest >= intake->awaited;
}

bool intake_take(struct intake *intake, const struct delivery *delivery)
{
    lock(intake);
    ++intake->counts.received;
    intake->counts.bytes += delivery->size;
    if (delivery->torn)
        ++intake->counts.torn;
    else if (delivery->framed)
        follow(intake, &delivery->header);
    intake->counts.slept += delivery->slept;
    if (delivery->timed && !delivery->torn)
        keep_latency(intake, &delivery->header, delivery->now_ns);
    if (intake->counts.received % intake->sample_period == 0)
        add_sample(intake, delivery->now_ns != 0 ? delivery->now_ns : ipcmark_now_ns());
    bool wanted = intake->wanted || is_awaited(intake);
    if (wanted) {
        intake->wanted = false;
        intake->awaited_key = 0;
    }
    step(&intake->counted);
    unlock(intake);
    return wanted;
}

/* A message may have been answered and not yet be counted. A handler that is held up in its answer is not waited for.
 */
static void await_counted(struct intake *intake)
{
    uint64_t begun = atomic_load_explicit(&intake->begun, memory_order_acquire), until = ipcmark_now_ns() + patience_ns;
    while (atomic_load_explicit(&intake->counted, memory_order_acquire) < begun && ipcmark_now_ns() < until)
        sched_yield();
}

/* Waking somebody costs more than a message, so it is done for the one that is waited for. If it is not the only one,
 * it is done for each: all who wait look again. */
static void await_message(struct intake *intake, uint64_t key, uint64_t sequence)
{
    if (intake->awaited_key != 0 && (intake->awaited_key != key || intake->awaited != sequence))
        intake->wanted = true;
    intake->awaited_key = key;
    intake->awaited = sequence;
}

bool intake_has(struct intake *intake, uint16_t publisher, uint16_t epoch, uint16_t thread, uint64_t sequence)
{
    uint64_t key = key_of(publisher, epoch, thread);
    lock(intake);
    struct stream *stream = find_stream(intake, key);
    bool has = stream != NULL && stream->key != 0 && stream->highest >= sequence;
    if (!has)
        await_message(intake, key, sequence);
    unlock(intake);
    return has;
}

uint64_t intake_received(struct intake *intake)
{
    lock(intake);
    uint64_t received = intake->counts.received;
    unlock(intake);
    return received;
}

/* What had been taken in by then. Of many messages not each is a sample: up to one in 2048 is missing. */
static struct sample until(const struct intake *intake, uint64_t to_ns)
{
    struct sample latest = {0};
    for (size_t i = 0; i < intake->sample_count && (to_ns == 0 || intake->samples[i].time_ns <= to_ns); ++i)
        latest = intake->samples[i];
    return latest;
}

static void reset_counts(struct intake *intake)
{
    intake->counts = (struct intake_counts){0};
    intake->sample_count = 0;
    intake->sample_period = 1;
    ipcmark_histogram_clear(intake->latency);
    ipcmark_histogram_clear(intake->uncorrected);
}

static void report_counts(cJSON *reply, const struct intake_counts *counts, const struct sample *until)
{
    cJSON_AddNumberToObject(reply, "received", (double)counts->received);
    cJSON_AddNumberToObject(reply, "bytes", (double)counts->bytes);
    cJSON_AddNumberToObject(reply, "lost", (double)counts->lost);
    cJSON_AddNumberToObject(reply, "torn", (double)counts->torn);
    cJSON_AddNumberToObject(reply, "duplicate", (double)counts->duplicate);
    cJSON_AddNumberToObject(reply, "reordered", (double)counts->reordered);
    cJSON_AddNumberToObject(reply, "slept", (double)counts->slept);
    cJSON *window = cJSON_AddObjectToObject(reply, "window");
    cJSON_AddNumberToObject(window, "messages", (double)until->messages);
    cJSON_AddNumberToObject(window, "bytes", (double)until->bytes);
}

/* The lock is for copies only: putting histograms into words takes as long as a thousand messages, and who is asked
 * each second would be seen to stall. They may be a few messages ahead of the counts, but for a reset, which loses
 * nothing, and so keeps the handler waiting. */
void intake_report(struct intake *intake, cJSON *reply, uint64_t to_ns, bool reset)
{
    await_counted(intake);
    lock(intake);
    const struct intake_counts counts = intake->counts;
    const struct sample window = until(intake, to_ns);
    if (!reset)
        unlock(intake);
    report_counts(reply, &counts, &window);
    cJSON_AddItemToObject(reply, "histogram", ipcmark_histogram_to_json(intake->latency));
    cJSON_AddItemToObject(reply, "histogram_uncorrected", ipcmark_histogram_to_json(intake->uncorrected));
    if (reset) {
        reset_counts(intake);
        unlock(intake);
    }
}
