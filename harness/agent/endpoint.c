#include "agent.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { MAX_PARAMS = 64 };
static const uint64_t look_ns = 1000000, longest_ns = 10000000000; /* for those that are about to enter the driver */

static pthread_mutex_t list_lock = PTHREAD_MUTEX_INITIALIZER;
static struct endpoint *list;

bool endpoint_claims(uint64_t capability)
{
    return (agent.driver->capabilities & capability) != 0;
}

/* The latest life of this id. */
struct endpoint *endpoint_find(uint16_t id)
{
    pthread_mutex_lock(&list_lock);
    struct endpoint *endpoint = list;
    while (endpoint != NULL && endpoint->id != id)
        endpoint = endpoint->next;
    pthread_mutex_unlock(&list_lock);
    return endpoint;
}

static void note(const struct endpoint *endpoint, enum ipcmark_kind kind, int error)
{
    struct ipcmark_record record = {.kind = (uint8_t)kind,
                                    .endpoint = endpoint->id,
                                    .endpoint_epoch = endpoint->epoch,
                                    .channel = endpoint->channel,
                                    .error = error < 0 ? error : 0};
    record_append(&record);
}

/* ---- open ---- */

char **params_make(const cJSON *object)
{
    char **params = calloc(MAX_PARAMS + 1, sizeof *params);
    size_t count = 0;
    const cJSON *item;
    if (params == NULL)
        return NULL;
    cJSON_ArrayForEach(item, object)
    {
        if (count < MAX_PARAMS && cJSON_IsString(item) &&
            asprintf(&params[count], "%s=%s", item->string, item->valuestring) >= 0)
            ++count;
    }
    params[count] = NULL;
    return params;
}

void params_free(char **params)
{
    for (char **each = params; each != NULL && *each != NULL; ++each)
        free(*each);
    free(params);
}

ipcmark_endpoint endpoint_options(const cJSON *request, char **params)
{
    return (ipcmark_endpoint){.size = sizeof(ipcmark_endpoint),
                              .directory = cJSON_GetObjectItemCaseSensitive(request, "directory")->valuestring,
                              .channel = cJSON_GetObjectItemCaseSensitive(request, "channel")->valuestring,
                              .ping_interval_ms = (unsigned)request_number(request, "ping_interval_ms", 100),
                              .max_message_bytes = (size_t)request_number(request, "max_message_bytes", 65536),
                              .params = (const char *const *)params};
}

static int call_open(struct endpoint *endpoint, const cJSON *request)
{
    char **params = params_make(cJSON_GetObjectItemCaseSensitive(request, "params"));
    if (params == NULL)
        return -ENOMEM;
    ipcmark_endpoint options = endpoint_options(request, params);
    options.id = endpoint->name;
    options.on_peer = handler_peer;
    options.peer_context = endpoint;
    void *handle = NULL;
    struct killer later, *killer = killer_read(&later, request);
    if (killer != NULL)
        killer_arm(killer);
    note(endpoint, IPCMARK_OPEN_INVOKE, 0);
    if (killer != NULL)
        killer_before_call(killer);
    int error = endpoint->publisher ? agent.driver->publisher_open(&handle, &options)
                                    : agent.driver->subscriber_open(&handle, &options, handler_deliver, endpoint);
    endpoint->handle = handle;
    atomic_store(&endpoint->opened, error >= 0);
    note(endpoint, IPCMARK_OPEN_DONE, error);
    if (killer != NULL)
        killer_after_call(killer);
    params_free(params);
    return error;
}

static struct endpoint *make(bool publisher, const cJSON *request)
{
    const cJSON *channel = cJSON_GetObjectItemCaseSensitive(request, "channel");
    struct endpoint *endpoint = calloc(1, sizeof *endpoint);
    pthread_condattr_t clock;
    if (endpoint == NULL || (!publisher && intake_open(&endpoint->intake) < 0)) {
        free(endpoint);
        return NULL;
    }
    pthread_condattr_init(&clock);
    pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
    pthread_mutex_init(&endpoint->calls, NULL);
    pthread_mutex_init(&endpoint->lock, NULL);
    pthread_cond_init(&endpoint->changed, &clock);
    pthread_condattr_destroy(&clock);
    endpoint->publisher = publisher;
    endpoint->id = (uint16_t)request_number(request, "endpoint", 0);
    endpoint->epoch = (uint16_t)request_number(request, "epoch", 1);
    endpoint->count_only = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(request, "count_only"));
    endpoint->count_sleeps = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(request, "count_sleeps"));
    endpoint->small_frames = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(request, "small_frames"));
    endpoint->intake.small = endpoint->small_frames;
    endpoint->channel = ipcmark_payload_name(channel->valuestring);
    ipcmark_endpoint_id(endpoint->name, endpoint->id, endpoint->epoch);
    return endpoint;
}

/* A small frame has no room for the name of others, and nobody writes it down. */
static bool can_frame(const cJSON *request)
{
    return !cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(request, "small_frames")) ||
           (!agent.journal && request_number(request, "endpoint", 0) <= UINT8_MAX &&
            request_number(request, "epoch", 1) == 1);
}

struct endpoint *endpoint_open(bool publisher, const cJSON *request, int *error)
{
    if (!cJSON_IsString(cJSON_GetObjectItemCaseSensitive(request, "channel")) ||
        !cJSON_IsString(cJSON_GetObjectItemCaseSensitive(request, "directory")) ||
        request_number(request, "endpoint", 0) < 1 || !can_frame(request)) {
        *error = -EINVAL;
        return NULL;
    }
    struct endpoint *endpoint = make(publisher, request);
    if (endpoint == NULL) {
        *error = -ENOMEM;
        return NULL;
    }
    pthread_mutex_lock(&list_lock);
    endpoint->next = list;
    list = endpoint;
    pthread_mutex_unlock(&list_lock);
    *error = call_open(endpoint, request);
    if (*error < 0)
        atomic_store(&endpoint->closing, true), endpoint->closed = true;
    return *error < 0 ? NULL : endpoint;
}

/* ---- use ---- */

bool endpoint_wait(struct endpoint *endpoint, uint64_t time_ns)
{
    struct timespec until = {.tv_sec = (time_t)(time_ns / 1000000000u), .tv_nsec = (long)(time_ns % 1000000000u)};
    return pthread_cond_timedwait(&endpoint->changed, &endpoint->lock, &until) != ETIMEDOUT;
}

/* One system call, and no lock: what a schedule takes is taken off a publisher's account, call by call. */
void endpoint_await_closing(struct endpoint *endpoint, uint64_t time_ns)
{
    const struct timespec until = {.tv_sec = (time_t)(time_ns / 1000000000u), .tv_nsec = (long)(time_ns % 1000000000u)};
    syscall(SYS_futex, &endpoint->closing, FUTEX_WAIT_BITSET_PRIVATE, 0, &until, NULL, FUTEX_BITSET_MATCH_ANY);
}

bool endpoint_is_closing(const struct endpoint *endpoint)
{
    return atomic_load_explicit(&endpoint->closing, memory_order_relaxed);
}

bool endpoint_begin(struct endpoint *endpoint)
{
    atomic_fetch_add(&endpoint->users, 1);
    if (atomic_load(&endpoint->opened) && !atomic_load(&endpoint->closing))
        return true;
    endpoint_end(endpoint);
    return false;
}

void endpoint_end(struct endpoint *endpoint)
{
    atomic_fetch_sub(&endpoint->users, 1);
    if (!atomic_load(&endpoint->closing))
        return;
    pthread_mutex_lock(&endpoint->lock);
    pthread_cond_broadcast(&endpoint->changed);
    pthread_mutex_unlock(&endpoint->lock);
}

int endpoint_peers(struct endpoint *endpoint)
{
    int (*peers)(void *) = endpoint->publisher ? agent.driver->publisher_peers : agent.driver->subscriber_peers;
    bool alone = !endpoint_claims(IPCMARK_CAP_THREADS);
    if (peers == NULL)
        return -ENOTSUP;
    if (!endpoint_begin(endpoint))
        return -ESHUTDOWN;
    if (alone)
        pthread_mutex_lock(&endpoint->calls);
    int count = peers(endpoint->handle);
    if (alone)
        pthread_mutex_unlock(&endpoint->calls);
    endpoint_end(endpoint);
    if (count >= 0) {
        struct ipcmark_record record = {
            .kind = IPCMARK_PEERS, .endpoint = endpoint->id, .endpoint_epoch = endpoint->epoch, .count = count};
        record_append(&record);
    }
    return count;
}

/* ---- close ---- */

/* Threads that are about to enter the driver must not find a closed handle; those that wait in it are what close is to
 * wake. It does not take long where there are CPUs for all, for the time that close takes is judged. */
static void await_users(struct endpoint *endpoint)
{
    struct settle others;
    uint64_t now = ipcmark_now_ns();
    const uint64_t until = now + longest_ns;
    settle_begin(&others);
    for (; atomic_load(&endpoint->users) > 0 && !settle_done(&others) && now < until; now = ipcmark_now_ns())
        endpoint_wait(endpoint, now + look_ns);
}

static void call_close(struct endpoint *endpoint, struct killer *killer)
{
    bool alone = !endpoint_claims(IPCMARK_CAP_THREADS);
    if (alone)
        pthread_mutex_lock(&endpoint->calls);
    if (killer != NULL)
        killer_arm(killer);
    note(endpoint, IPCMARK_CLOSE_INVOKE, 0);
    if (killer != NULL)
        killer_before_call(killer);
    endpoint->publisher ? agent.driver->publisher_close(endpoint->handle)
                        : agent.driver->subscriber_close(endpoint->handle);
    note(endpoint, IPCMARK_CLOSE_DONE, 0);
    if (alone)
        pthread_mutex_unlock(&endpoint->calls);
}

void endpoint_close(struct endpoint *endpoint, struct killer *killer)
{
    pthread_mutex_lock(&endpoint->lock);
    bool first = !atomic_load(&endpoint->closing), opened = atomic_load(&endpoint->opened);
    atomic_store(&endpoint->closing, true);
    syscall(SYS_futex, &endpoint->closing, FUTEX_WAKE_PRIVATE, INT_MAX);
    pthread_cond_broadcast(&endpoint->changed);
    if (first)
        await_users(endpoint);
    while (!first && !endpoint->closed)
        pthread_cond_wait(&endpoint->changed, &endpoint->lock);
    pthread_mutex_unlock(&endpoint->lock);
    if (!first)
        return;
    if (opened)
        call_close(endpoint, killer);
    pthread_mutex_lock(&endpoint->lock);
    endpoint->closed = true;
    pthread_cond_broadcast(&endpoint->changed);
    pthread_mutex_unlock(&endpoint->lock);
}

void endpoint_close_all(void)
{
    /* Publishers first: what they flush is still received. */
    pthread_mutex_lock(&list_lock);
    struct endpoint *first = list; /* what is in the list stays in it */
    pthread_mutex_unlock(&list_lock);
    for (int round = 0; round < 2; ++round)
        for (struct endpoint *endpoint = first; endpoint != NULL; endpoint = endpoint->next)
            if (endpoint->publisher == (round == 0))
                endpoint_close(endpoint, NULL);
}
