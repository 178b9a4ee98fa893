/* Requests that open endpoints by themselves: "cycle", one after the other, and "hold", many at once.
 *
 * They are for what it costs to open, to have and to close an endpoint. So these have no lanes and no counters, which
 * would be most of what one takes; their handlers check each message, and count. */
#include "agent.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CYCLES_MOST = 65535 /* each is an epoch */, HELD_MOST = 4096 };
static const uint64_t look_again_ns = 1000000; /* not every implementation tells when its peers change */

struct bare {
    void *handle;
    char id[IPCMARK_ENDPOINT_ID_SIZE];
    uint16_t number, epoch;
    uint32_t channel;   /* ipcmark_payload_name() */
    unsigned wanted;    /* messages that are waited for */
    uint64_t opened_ns; /* before the call */
    /* By its handler. */
    uint64_t latest; /* sequence of the last one; 0: none yet */
    atomic_uint received, wrong;
    atomic_bool closed;
    uint64_t reached_ns; /* when the last one that is waited for arrived; under the lock */
};

/* Those of one request: never freed, for a driver that delivers after close must be seen, and not crash us. */
struct bares {
    struct bares *next;
    bool publishers, open; /* open: of "hold", until the end */
    size_t count;          /* that were opened */
    struct bare list[];
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static struct bares *all;

static void init_changed(void)
{
    pthread_condattr_t clock;
    pthread_condattr_init(&clock);
    pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
    pthread_cond_init(&changed, &clock);
    pthread_condattr_destroy(&clock);
}

static struct bares *make(size_t count, bool publishers)
{
    struct bares *bares = calloc(1, sizeof *bares + count * sizeof bares->list[0]);
    if (bares == NULL)
        return NULL;
    pthread_once(&once, init_changed);
    bares->publishers = publishers;
    pthread_mutex_lock(&lock);
    bares->next = all;
    all = bares;
    pthread_mutex_unlock(&lock);
    return bares;
}

/* Who comes in the middle gets what follows, without a gap. */
static bool is_next(struct bare *bare, uint64_t sequence)
{
    bool next = bare->latest == 0 || sequence == bare->latest + 1;
    bare->latest = sequence;
    return next;
}

/* A message that was sent before somebody came may be on its way then, or be kept for whoever comes. It is no fault;
 * but not what is waited for either: it comes sooner. Those with a schedule say when they were sent. */
static void deliver(void *context, const ipcmark_part *parts, size_t count)
{
    struct bare *bare = context;
    const uint64_t now = ipcmark_now_ns();
    struct ipcmark_payload header;
    bool right =
        count == 1 && intake_check(parts, count, parts[0].size, &header) == 0 && header.channel == bare->channel;
    bool old = right && header.scheduled_ns != 0 && header.nonce < bare->opened_ns;
    if (!right || atomic_load(&bare->closed) || (!old && !is_next(bare, header.sequence)))
        atomic_fetch_add(&bare->wrong, 1);
    if (old || atomic_fetch_add(&bare->received, 1) + 1 != bare->wanted)
        return;
    pthread_mutex_lock(&lock);
    bare->reached_ns = now;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
}

/* Until `time_ns` or the next change, with the lock held. False: the time is over. */
static bool wait_for_change(uint64_t time_ns)
{
    struct timespec until = {.tv_sec = (time_t)(time_ns / 1000000000u), .tv_nsec = (long)(time_ns % 1000000000u)};
    return pthread_cond_timedwait(&changed, &lock, &until) != ETIMEDOUT;
}

static bool await_messages(struct bare *bare, uint64_t deadline_ns)
{
    pthread_mutex_lock(&lock);
    while (bare->reached_ns == 0 && wait_for_change(deadline_ns)) {
    }
    bool reached = bare->reached_ns != 0;
    pthread_mutex_unlock(&lock);
    return reached;
}

static int open_one(struct bare *bare, bool publisher, const ipcmark_endpoint *like, const char *channel)
{
    ipcmark_endpoint options = *like;
    ipcmark_endpoint_id(bare->id, bare->number, bare->epoch);
    options.id = bare->id;
    options.channel = channel;
    bare->channel = ipcmark_payload_name(channel);
    bare->opened_ns = ipcmark_now_ns();
    return publisher ? agent.driver->publisher_open(&bare->handle, &options)
                     : agent.driver->subscriber_open(&bare->handle, &options, deliver, bare);
}

/* What both requests must have. */
static const char *find_fault(const cJSON *request, double most)
{
    double count = request_number(request, "count", 0);
    if (agent.journal)
        return "it is for benchmarks, which keep no journal";
    if (!cJSON_IsString(cJSON_GetObjectItemCaseSensitive(request, "channel")) ||
        !cJSON_IsString(cJSON_GetObjectItemCaseSensitive(request, "directory")) ||
        request_number(request, "endpoint", 0) < 1)
        return "endpoint, channel and directory must be given";
    return count >= 1 && count <= most ? NULL : "count: 1 to 65535, of hold to 4096";
}

static uint64_t after_ms(double milliseconds)
{
    return ipcmark_now_ns() + (uint64_t)(milliseconds * 1e6);
}

/* ---- cycle: opened, one message, closed; over and over ---- */

struct times {
    struct ipcmark_histogram *open, *first, *close;
};

static void times_free(struct times *times)
{
    ipcmark_histogram_free(times->open);
    ipcmark_histogram_free(times->first);
    ipcmark_histogram_free(times->close);
}

static int times_new(struct times *times)
{
    if (ipcmark_histogram_new(&times->open) == 0 && ipcmark_histogram_new(&times->first) == 0 &&
        ipcmark_histogram_new(&times->close) == 0)
        return 0;
    return -ENOMEM;
}

static int cycle_once(struct bare *bare, const ipcmark_endpoint *options, double timeout_ms, struct times *times)
{
    int error = open_one(bare, false, options, options->channel);
    const uint64_t opened_ns = ipcmark_now_ns();
    if (error < 0)
        return error;
    bool reached = await_messages(bare, after_ms(timeout_ms));
    const uint64_t closing_ns = ipcmark_now_ns();
    agent.driver->subscriber_close(bare->handle);
    const uint64_t closed_ns = ipcmark_now_ns();
    atomic_store(&bare->closed, true);
    if (!reached)
        return -ETIMEDOUT;
    ipcmark_histogram_record(times->open, opened_ns - bare->opened_ns);
    ipcmark_histogram_record(times->first, bare->reached_ns - bare->opened_ns);
    ipcmark_histogram_record(times->close, closed_ns - closing_ns);
    return 0;
}

static unsigned count_wrong(struct bares *bares)
{
    unsigned wrong = 0;
    for (size_t i = 0; i < bares->count; ++i)
        wrong += atomic_load(&bares->list[i].wrong);
    return wrong;
}

static int cycle(struct bares *bares, const cJSON *request, const ipcmark_endpoint *options, struct times *times)
{
    const size_t count = (size_t)request_number(request, "count", 1);
    const double timeout_ms = request_number(request, "timeout_ms", 10000);
    const uint64_t end_ns = after_ms(request_number(request, "seconds", 3600) * 1e3);
    int error = 0;
    while (error == 0 && bares->count < count && ipcmark_now_ns() < end_ns) {
        struct bare *bare = &bares->list[bares->count];
        bare->number = (uint16_t)request_number(request, "endpoint", 0);
        bare->epoch = (uint16_t)(bares->count + 1);
        bare->wanted = 1;
        error = cycle_once(bare, options, timeout_ms, times);
        bares->count += error == 0;
    }
    return error;
}

static void report_cycles(struct bares *bares, const struct times *times, uint64_t begun_ns, cJSON *reply)
{
    cJSON_AddNumberToObject(reply, "elapsed_ns", (double)(ipcmark_now_ns() - begun_ns));
    cJSON_AddNumberToObject(reply, "count", (double)bares->count);
    cJSON_AddItemToObject(reply, "open", ipcmark_histogram_to_json(times->open));
    cJSON_AddItemToObject(reply, "first", ipcmark_histogram_to_json(times->first));
    cJSON_AddItemToObject(reply, "close", ipcmark_histogram_to_json(times->close));
}

void request_cycle(const cJSON *request, cJSON *reply, struct refusal *refusal)
{
    const char *fault = find_fault(request, CYCLES_MOST);
    if (fault != NULL) {
        refuse(refusal, "EINVAL", true, "cycle: %s", fault);
        return;
    }
    char **params = params_make(cJSON_GetObjectItemCaseSensitive(request, "params"));
    struct bares *bares = make((size_t)request_number(request, "count", 1), false);
    struct times times = {0};
    int error = params == NULL || bares == NULL ? -ENOMEM : times_new(&times);
    if (error == 0) {
        const ipcmark_endpoint options = endpoint_options(request, params);
        const uint64_t begun_ns = ipcmark_now_ns();
        error = cycle(bares, request, &options, &times);
        report_cycles(bares, &times, begun_ns, reply);
    }
    if (error < 0)
        refuse_errno(refusal, error, "cycle");
    else if (count_wrong(bares) > 0)
        refuse(refusal, "EBADMSG", true, "%u messages were damaged, lost or doubled, or came after close",
               count_wrong(bares));
    times_free(&times);
    params_free(params);
}

/* ---- hold: so many, each on a channel of its own ---- */

static int await_peer(struct bare *bare, uint64_t deadline_ns)
{
    int peers = -ENOTSUP;
    while (agent.driver->publisher_peers != NULL && (peers = agent.driver->publisher_peers(bare->handle)) == 0) {
        uint64_t now = ipcmark_now_ns();
        if (now >= deadline_ns)
            return -ETIMEDOUT;
        pthread_mutex_lock(&lock);
        wait_for_change(now + look_again_ns < deadline_ns ? now + look_again_ns : deadline_ns);
        pthread_mutex_unlock(&lock);
    }
    return peers < 0 ? peers : 0;
}

/* As in lane.c: a backlog that is full is no failure, but asked again. */
static int publish_until(const struct bare *bare, const ipcmark_part *part, uint64_t deadline_ns)
{
    int error;
    while ((error = agent.driver->publish(bare->handle, part, 1)) == -EAGAIN && ipcmark_now_ns() < deadline_ns)
        sched_yield();
    return error;
}

static int send_messages(const struct bare *bare, unsigned char *buffer, size_t size, uint64_t deadline_ns)
{
    const ipcmark_part part = {buffer, size};
    int error = 0;
    for (uint64_t sequence = 1; error >= 0 && sequence <= bare->wanted; ++sequence) {
        struct ipcmark_payload header = {.run = agent.run,
                                         .channel = bare->channel,
                                         .publisher = bare->number,
                                         .epoch = bare->epoch,
                                         .parts = 1,
                                         .size = (uint32_t)size,
                                         .sequence = sequence,
                                         .nonce = agent.seed + sequence};
        ipcmark_payload_body_write(buffer + sizeof header, size - sizeof header,
                                   ipcmark_payload_key(agent.seed, header.nonce, 0));
        ipcmark_payload_stamp(buffer, &header);
        error = publish_until(bare, &part, deadline_ns);
    }
    return error < 0 ? error : 0;
}

/* A publisher sends its messages once a subscriber is there; a subscriber waits for as many. */
static int settle(struct bares *bares, size_t size, uint64_t deadline_ns)
{
    unsigned char *buffer = malloc(size);
    int error = buffer == NULL ? -ENOMEM : 0;
    for (size_t i = 0; i < bares->count && error == 0; ++i) {
        struct bare *bare = &bares->list[i];
        if (!bares->publishers)
            error = await_messages(bare, deadline_ns) ? 0 : -ETIMEDOUT;
        else if ((error = await_peer(bare, deadline_ns)) == 0)
            error = send_messages(bare, buffer, size, deadline_ns);
    }
    free(buffer);
    return error;
}

static int open_all(struct bares *bares, const cJSON *request, const ipcmark_endpoint *options)
{
    const size_t count = (size_t)request_number(request, "count", 1);
    const unsigned first = (unsigned)request_number(request, "first", 1);
    int error = 0;
    bares->open = true;
    for (size_t i = 0; i < count && error == 0; ++i) {
        struct bare *bare = &bares->list[i];
        char channel[300];
        snprintf(channel, sizeof channel, "%.255s%zu", options->channel, first + i);
        bare->number = (uint16_t)(request_number(request, "endpoint", 0) + (double)i);
        bare->epoch = 1;
        bare->wanted = (unsigned)request_number(request, "messages", 1);
        error = open_one(bare, bares->publishers, options, channel);
        bares->count += error == 0;
    }
    return error < 0 ? error : 0;
}

void request_hold(const cJSON *request, cJSON *reply, struct refusal *refusal)
{
    const size_t size = (size_t)request_number(request, "size", IPCMARK_PAYLOAD_HEADER);
    const char *fault = find_fault(request, HELD_MOST);
    if (fault == NULL && size < IPCMARK_PAYLOAD_HEADER)
        fault = "size: 48 bytes at least";
    if (fault != NULL) {
        refuse(refusal, "EINVAL", true, "hold: %s", fault);
        return;
    }
    char **params = params_make(cJSON_GetObjectItemCaseSensitive(request, "params"));
    struct bares *bares = make((size_t)request_number(request, "count", 1),
                               cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(request, "publishers")));
    int error = params == NULL || bares == NULL ? -ENOMEM : 0;
    if (error == 0) {
        const ipcmark_endpoint options = endpoint_options(request, params);
        error = open_all(bares, request, &options);
    }
    if (error == 0)
        error = settle(bares, size, after_ms(request_number(request, "timeout_ms", 10000)));
    if (error < 0)
        refuse_errno(refusal, error, "hold");
    else if (count_wrong(bares) > 0)
        refuse(refusal, "EBADMSG", true, "%u messages were damaged, lost or doubled", count_wrong(bares));
    else
        cJSON_AddNumberToObject(reply, "count", (double)bares->count);
    params_free(params);
}

static void close_held(struct bares *bares)
{
    for (size_t i = 0; i < bares->count; ++i)
        bares->publishers ? agent.driver->publisher_close(bares->list[i].handle)
                          : agent.driver->subscriber_close(bares->list[i].handle);
}

void bare_close_all(void)
{
    for (int round = 0; round < 2; ++round) /* publishers first, as elsewhere */
        for (struct bares *bares = all; bares != NULL; bares = bares->next)
            if (bares->open && bares->publishers == (round == 0))
                close_held(bares);
}
