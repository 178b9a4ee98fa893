#include "agent.h"

#include <string.h>
#include <sys/resource.h>
#include <time.h>

/* A slow application: this is its work, not a wait for anything. */
static void work(unsigned microseconds)
{
    struct timespec time = {.tv_sec = microseconds / 1000000, .tv_nsec = (long)(microseconds % 1000000) * 1000};
    clock_nanosleep(CLOCK_MONOTONIC, 0, &time, NULL);
}

/* How often the calling thread has given up its CPU by itself. */
static long count_sleeps(void)
{
    struct rusage usage = {0};
    getrusage(RUSAGE_THREAD, &usage);
    return usage.ru_nvcsw;
}

static _Thread_local long sleeps_before; /* when this thread's last handler ended */

static void reply(struct endpoint *publisher, const ipcmark_part *parts, size_t count)
{
    size_t size = 0;
    for (size_t i = 0; i < count; ++i)
        size += parts[i].size;
    if (!endpoint_begin(publisher))
        return;
    if (lane_prepare(&publisher->lanes[REPLY_LANE], size, count) == 0)
        lane_answer(publisher, size, count);
    endpoint_end(publisher);
}

static void keep_notice(struct endpoint *endpoint, uint16_t peer, uint64_t now)
{
    struct notices *gone = &endpoint->gone;
    pthread_mutex_lock(&endpoint->lock);
    gone->list[gone->next++ % NOTICES] = (struct notice){now, peer};
    pthread_mutex_unlock(&endpoint->lock);
}

static void wake(struct endpoint *endpoint)
{
    pthread_mutex_lock(&endpoint->lock);
    pthread_cond_broadcast(&endpoint->changed);
    pthread_mutex_unlock(&endpoint->lock);
}

void handler_deliver(void *context, const ipcmark_part *parts, size_t count)
{
    struct endpoint *endpoint = context;
    if (agent.journal) {
        struct ipcmark_record record = {.kind = IPCMARK_RECEIVED,
                                        .endpoint = endpoint->id,
                                        .endpoint_epoch = endpoint->epoch,
                                        .time_ns = ipcmark_now_ns()};
        ipcmark_record_message(&record, parts, count);
        record_append(&record);
    }
    struct delivery delivery;
    intake_look(&endpoint->intake, &delivery, parts, count, !endpoint->count_only);
    if (endpoint->count_sleeps) {
        delivery.slept = count_sleeps() > sleeps_before;
        delivery.timed = delivery.timed && delivery.slept;
    }
    struct ping *ping = atomic_load_explicit(&endpoint->ping, memory_order_acquire);
    if (ping != NULL)
        ping_answered(ping);
    struct endpoint *publisher = atomic_load_explicit(&endpoint->reply, memory_order_acquire);
    if (publisher != NULL)
        reply(publisher, parts, count);
    if (intake_take(&endpoint->intake, &delivery)) /* counted while the answer is on its way; it was checked before */
        wake(endpoint);
    unsigned delay = atomic_load_explicit(&endpoint->delay_us, memory_order_relaxed);
    if (delay > 0)
        work(delay);
    if (endpoint->count_sleeps)
        sleeps_before = count_sleeps(); /* what the handler slept itself is not the implementation's */
    if (atomic_load_explicit(&endpoint->close_after, memory_order_relaxed) > 0 &&
        atomic_fetch_sub(&endpoint->close_after, 1) == 1)
        endpoint_close(endpoint, NULL);
}

void handler_peer(void *context, const char *peer, int connected)
{
    struct endpoint *endpoint = context;
    const uint64_t now = ipcmark_now_ns();
    struct ipcmark_record record = {.kind = connected ? IPCMARK_PEER_UP : IPCMARK_PEER_DOWN,
                                    .endpoint = endpoint->id,
                                    .endpoint_epoch = endpoint->epoch,
                                    .count = -1};
    ipcmark_record_peer(&record, peer);
    if (!connected)
        keep_notice(endpoint, record.publisher, now);
    record_append(&record);
    cJSON *line = cJSON_CreateObject();
    cJSON_AddStringToObject(line, "ev", "peer");
    cJSON_AddNumberToObject(line, "endpoint", endpoint->id);
    peer == NULL ? cJSON_AddNullToObject(line, "peer") : cJSON_AddStringToObject(line, "peer", peer);
    cJSON_AddBoolToObject(line, "connected", connected);
    out_send(line);
    wake(endpoint);
}
