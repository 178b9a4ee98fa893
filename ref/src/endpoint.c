#include "endpoint.h"

#include "os/os.h"
#include "thread.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { DEFAULT_PING_MS = 1000 };

void mmipc_options_init(mmipc_options *options, size_t size)
{
    if (options == NULL || size < sizeof options->size)
        return;
    memset(options, 0, size);
    options->size = size;
}

static int take_options(mmipc_options *to, const mmipc_options *from)
{
    mmipc_options_init(to, sizeof *to);
    if (from != NULL) {
        if (from->size < sizeof from->size)
            return -EINVAL;
        for (size_t i = sizeof *to; i < from->size; ++i)
            if (((const char *)from)[i] != 0)
                return -E2BIG;
        memcpy(to, from, from->size < sizeof *to ? from->size : sizeof *to);
        to->size = sizeof *to;
    }
    if ((to->flags & ~(uint32_t)MMIPC_ALLOW_OTHER_USERS) != 0 || to->when_full < MMIPC_WHEN_FULL_BLOCK ||
        to->when_full > MMIPC_WHEN_FULL_DISCONNECT || to->publish_timeout_ms < 0 || to->spin_us < -1 ||
        to->ping_interval_ms > 3600000)
        return -EINVAL;
    if (to->ping_interval_ms == 0)
        to->ping_interval_ms = DEFAULT_PING_MS;
    return 0;
}

static void kicked(struct endpoint *endpoint, struct watch *watch)
{
    (void)endpoint; /* the loop looks around after every event */
    os_event_clear(watch->fd);
}

void watch_close(struct endpoint *endpoint, struct watch *watch)
{
    if (watch->fd < 0)
        return;
    os_poller_remove(endpoint->poller, watch->fd);
    os_close(watch->fd);
    watch->fd = -1;
}

static int open_watches(struct endpoint *endpoint)
{
    int error;
    endpoint->poller = os_poller_create();
    if (endpoint->poller < 0)
        return endpoint->poller;
    endpoint->kick = (struct watch){kicked, os_event_create()};
    if (endpoint->kick.fd < 0)
        return endpoint->kick.fd;
    error = os_poller_add(endpoint->poller, endpoint->kick.fd, &endpoint->kick, false);
    if (error != 0)
        return error;
    return place_watch(endpoint);
}

int endpoint_open(struct endpoint *endpoint, const struct role *role, const char *channel, const char *server_dir,
                  const mmipc_options *options)
{
    size_t length = channel == NULL ? 0 : strnlen(channel, CHANNEL_MAX + 1);
    int error = take_options(&endpoint->options, options);
    if (error != 0)
        return error;
    if (length == 0 || length > CHANNEL_MAX || server_dir == NULL || *server_dir == '\0')
        return -EINVAL;
    endpoint->role = role;
    memcpy(endpoint->channel, channel, length + 1);
    os_random(endpoint->id, ID_BYTES);
    endpoint->directory = endpoint->poller = endpoint->load = endpoint->slot.fd = -1;
    endpoint->listener.fd = endpoint->changes.fd = endpoint->kick.fd = -1;
    endpoint->rescan_ns = -1;
    /* before any thread of ours exists: registering a process with threads takes milliseconds */
    endpoint->capabilities =
        (os_barrier_register() ? WIRE_CAN_BE_FENCED : 0) | (os_barrier_heavy() ? WIRE_CAN_FENCE : 0);
    error = os_fork_watch(thread_in_child);
    if (error != 0)
        return error;
    endpoint->generation = atomic_load_explicit(&os_fork_generation, memory_order_relaxed); /* relaxed: as below */
    pthread_mutex_init(&endpoint->lock, NULL);
    error = thread_cond_init(&endpoint->changed);
    if (error == 0)
        error = notifier_open(&endpoint->notifier, &endpoint->options);
    if (error != 0) {
        pthread_mutex_destroy(&endpoint->lock);
        return error;
    }
    endpoint->directory = os_directory_open(server_dir);
    endpoint->path = os_directory_path(endpoint->directory);
    endpoint->overflow_user = os_overflow_user();
    if (endpoint->options.spin_us == 0) {
        endpoint->load = os_load_open(); /* without it nobody seems to want our processors */
        endpoint->processors = os_processors();
    }
    error = endpoint->directory < 0 ? endpoint->directory : open_watches(endpoint);
    if (error != 0)
        endpoint_close(endpoint);
    return error;
}

int endpoint_start(struct endpoint *endpoint)
{
    int error = place_take(endpoint);
    if (error != 0)
        return error;
    error = thread_start(&endpoint->control, control_run, endpoint);
    endpoint->control_running = error == 0;
    if (error != 0)
        place_leave(endpoint);
    return error;
}

void endpoint_kick(struct endpoint *endpoint)
{
    os_event_signal(endpoint->kick.fd);
}

void endpoint_stop(struct endpoint *endpoint)
{
    pthread_mutex_lock(&endpoint->lock);
    flag_set(&endpoint->closing, 1);
    pthread_cond_broadcast(&endpoint->changed);
    pthread_mutex_unlock(&endpoint->lock);
    if (!endpoint->control_running)
        return;
    endpoint_kick(endpoint);
    pthread_join(endpoint->control, NULL);
    endpoint->control_running = false;
}

void endpoint_close(struct endpoint *endpoint)
{
    notifier_close(&endpoint->notifier);
    while (endpoint->peers != NULL) {
        struct peer *peer = endpoint->peers;
        endpoint->peers = peer->next;
        endpoint->role->destroy(peer);
    }
    os_close(endpoint->listener.fd);
    os_close(endpoint->changes.fd);
    os_close(endpoint->kick.fd);
    os_close(endpoint->poller);
    os_close(endpoint->load);
    os_close(endpoint->slot.fd);
    os_close(endpoint->directory);
    free(endpoint->path);
    pthread_cond_destroy(&endpoint->changed);
    pthread_mutex_destroy(&endpoint->lock);
}

void endpoint_enter(struct endpoint *endpoint)
{
    pthread_mutex_lock(&endpoint->lock);
    endpoint->users++;
    pthread_mutex_unlock(&endpoint->lock);
}

void endpoint_leave(struct endpoint *endpoint)
{
    pthread_mutex_lock(&endpoint->lock);
    if (--endpoint->users == 0)
        pthread_cond_broadcast(&endpoint->changed);
    pthread_mutex_unlock(&endpoint->lock);
}

void endpoint_wait_alone(struct endpoint *endpoint)
{
    pthread_mutex_lock(&endpoint->lock);
    while (endpoint->users > 0)
        pthread_cond_wait(&endpoint->changed, &endpoint->lock);
    pthread_mutex_unlock(&endpoint->lock);
}

void endpoint_count(struct endpoint *endpoint, struct peer *peer, bool up)
{
    if (peer->counted == up)
        return;
    peer->counted = up;
    pthread_mutex_lock(&endpoint->lock);
    endpoint->connections += up ? 1 : -1;
    pthread_cond_broadcast(&endpoint->changed);
    pthread_mutex_unlock(&endpoint->lock);
}

int endpoint_connections(struct endpoint *endpoint)
{
    int count;
    if (endpoint_forked(endpoint))
        return -EPERM;
    pthread_mutex_lock(&endpoint->lock);
    count = endpoint->connections;
    pthread_mutex_unlock(&endpoint->lock);
    return count;
}

/* Waits until low <= connections <= high. */
static int wait_between(struct endpoint *endpoint, int low, int high, int timeout_ms)
{
    const int64_t deadline_ns = thread_deadline(timeout_ms);
    int result = 0;
    if (endpoint_forked(endpoint))
        return -EPERM;
    pthread_mutex_lock(&endpoint->lock);
    endpoint->users++;
    while (endpoint->connections < low || endpoint->connections > high) {
        result = flag_get(&endpoint->closing) ? -ESHUTDOWN
                 : timeout_ms == 0            ? -ETIMEDOUT
                 : thread_is_callback_thread  ? -EDEADLK
                                              : thread_cond_wait(&endpoint->changed, &endpoint->lock, deadline_ns);
        if (result != 0)
            break;
    }
    if (--endpoint->users == 0)
        pthread_cond_broadcast(&endpoint->changed);
    pthread_mutex_unlock(&endpoint->lock);
    return result;
}

int endpoint_wait_connected(struct endpoint *endpoint, int count, int timeout_ms)
{
    return wait_between(endpoint, count, INT32_MAX, timeout_ms);
}

int endpoint_wait_disconnected(struct endpoint *endpoint, int timeout_ms)
{
    return wait_between(endpoint, INT32_MIN, 0, timeout_ms);
}
