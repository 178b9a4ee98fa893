/* The subscriber's control thread: lets publishers in, and sweeps up after the dead. It never delivers, so newcomers
 * get in however long a handler takes. */
#include "ahead.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

enum { EVENTS = 64, HELLO_WITHIN_MS = 5000 };

static void pending_remove(struct subscriber *subscriber, struct source *source)
{
    struct source **at = &subscriber->pending;
    while (*at != source)
        at = &(*at)->next;
    *at = source->next;
}

static void pending_drop(struct subscriber *subscriber, struct source *source)
{
    pending_remove(subscriber, source);
    source_free(source);
}

/* Adds everyone who knocks. -errno: it cannot be done now, and trying again at once would not help. */
static int accept_all(struct subscriber *subscriber)
{
    for (;;) {
        struct source *source = calloc(1, sizeof *source);
        int result;
        if (source == NULL)
            return -ENOMEM;
        result = subscriber->transport->accept(&subscriber->directory, &subscriber->listener, &source->link);
        if (result < 0) {
            free(source);
            return result == -EAGAIN ? 0 : result;
        }
        source->hello_by = clock_ms() + HELLO_WITHIN_MS;
        source->next = subscriber->pending;
        subscriber->pending = source;
        result = epoll_add(subscriber->reception_epoll, source->link.in, source);
        if (result < 0)
            pending_drop(subscriber, source);
    }
}

static int welcome(struct subscriber *subscriber, struct source *source)
{
    const struct greeting *hello = &source->greeter.greeting;
    if (strcmp(hello->channel, subscriber->endpoint.channel) != 0 ||
        strcmp(hello->token, subscriber->listener.token) != 0)
        return -EACCES;
    memcpy(source->id, hello->id, sizeof source->id);
    source->state = SOURCE_WELCOMED;
    return greeting_send(subscriber->transport, source->link.out, GREETING_WELCOME, &subscriber->endpoint,
                         subscriber->listener.token);
}

/* Hands the source to the delivery thread. It is counted and reported before its first message can be delivered. */
static int make_ready(struct subscriber *subscriber, struct source *source)
{
    int result = frame_reader_open(&source->reader, subscriber->endpoint.max_bytes);
    if (result < 0)
        return result;
    epoll_ctl(subscriber->reception_epoll, EPOLL_CTL_DEL, source->link.in, NULL);
    pending_remove(subscriber, source);
    source->state = SOURCE_READY;
    pthread_mutex_lock(&subscriber->lock);
    source->next = subscriber->ready;
    subscriber->ready = source;
    pthread_mutex_unlock(&subscriber->lock);
    endpoint_report(&subscriber->endpoint, source->id, true);
    result = epoll_add(subscriber->delivery_epoll, source->link.in, source);
    if (result < 0) {
        struct source **at = &subscriber->ready;
        endpoint_report(&subscriber->endpoint, source->id, false);
        pthread_mutex_lock(&subscriber->lock);
        while (*at != source)
            at = &(*at)->next;
        *at = source->next;
        pthread_mutex_unlock(&subscriber->lock);
        source_free(source);
    }
    return 0;
}

static void source_advance(struct subscriber *subscriber, struct source *source)
{
    enum greeting_kind expected = source->state == SOURCE_KNOCKED ? GREETING_HELLO : GREETING_START;
    int result = greeting_receive(&source->greeter, source->link.in, expected);
    if (result > 0)
        result = expected == GREETING_HELLO ? welcome(subscriber, source) : make_ready(subscriber, source);
    if (result < 0)
        pending_drop(subscriber, source);
}

static void drop_silent(struct subscriber *subscriber, long long now)
{
    struct source *next;
    for (struct source *source = subscriber->pending; source != NULL; source = next) {
        next = source->next;
        if (source->state == SOURCE_KNOCKED && now >= source->hello_by)
            pending_drop(subscriber, source);
    }
}

static void listen_again(struct subscriber *subscriber, bool *deaf)
{
    if (*deaf && epoll_add(subscriber->reception_epoll, subscriber->listener.fd, &subscriber->listener) == 0)
        *deaf = false;
}

static void wait_once(struct subscriber *subscriber, int timeout_ms, bool *deaf)
{
    struct epoll_event events[EVENTS];
    bool knocked = false;
    int count = epoll_wait(subscriber->reception_epoll, events, EVENTS, timeout_ms);
    for (int i = 0; i < count; ++i) {
        void *what = events[i].data.ptr;
        if (what == &subscriber->listener)
            knocked = true;
        else if (what == &subscriber->delivery_epoll)
            ahead_read(subscriber);
        else if (what != &subscriber->reception_bell) /* that one says that we are closing */
            source_advance(subscriber, what);
    }
    /* Out of descriptors, say: not to listen until the next scan is better than to spin. */
    if (knocked && accept_all(subscriber) < 0) {
        epoll_ctl(subscriber->reception_epoll, EPOLL_CTL_DEL, subscriber->listener.fd, NULL);
        *deaf = true;
    }
}

void *reception_run(void *argument)
{
    struct subscriber *subscriber = argument;
    long long due = 0;
    bool deaf = false;
    while (!subscriber_is_closing(subscriber)) {
        long long now = clock_ms();
        if (now >= due) {
            directory_sweep(&subscriber->directory);
            drop_silent(subscriber, now);
            listen_again(subscriber, &deaf);
            now = clock_ms();
            due = now + subscriber->endpoint.scan_interval_ms;
        }
        wait_once(subscriber, (int)(due - now), &deaf);
    }
    return NULL;
}
