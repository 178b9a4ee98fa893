#include "subscriber.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "source.h"

int epoll_add(int epoll, int fd, void *what)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = what};
    return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno : 0;
}

void source_free(struct source *source)
{
    link_close(&source->link);
    frame_reader_close(&source->reader);
    free(source->ahead.buffer);
    free(source);
}

static void free_sources(struct source **list)
{
    while (*list != NULL) {
        struct source *source = *list;
        *list = source->next;
        source_free(source);
    }
}

/* Gives back all that others can see. */
static void leave(struct subscriber *subscriber)
{
    int *events[] = {&subscriber->reception_epoll, &subscriber->reception_bell, &subscriber->delivery_epoll,
                     &subscriber->delivery_bell};
    listener_close(&subscriber->listener, &subscriber->directory);
    free_sources(&subscriber->pending);
    for (struct source *source = subscriber->ready; source != NULL; source = source->next)
        link_close(&source->link);
    for (size_t i = 0; i < sizeof events / sizeof events[0]; ++i) {
        if (*events[i] >= 0)
            close(*events[i]);
        *events[i] = -1;
    }
    directory_close(&subscriber->directory);
}

void subscriber_destroy(struct subscriber *subscriber)
{
    callers_await(&subscriber->callers);
    leave(subscriber);
    free_sources(&subscriber->ready);
    pthread_mutex_destroy(&subscriber->ahead_lock);
    pthread_mutex_destroy(&subscriber->lock);
    free(subscriber);
}

static int open_events(struct subscriber *subscriber)
{
    int result;
    subscriber->reception_epoll = epoll_create1(EPOLL_CLOEXEC);
    subscriber->delivery_epoll = epoll_create1(EPOLL_CLOEXEC);
    if (subscriber->reception_epoll < 0 || subscriber->delivery_epoll < 0)
        return -errno;
    subscriber->reception_bell = bell_open();
    if (subscriber->reception_bell < 0)
        return subscriber->reception_bell;
    subscriber->delivery_bell = bell_open();
    if (subscriber->delivery_bell < 0)
        return subscriber->delivery_bell;
    result = epoll_add(subscriber->reception_epoll, subscriber->reception_bell, &subscriber->reception_bell);
    if (result == 0)
        result = epoll_add(subscriber->delivery_epoll, subscriber->delivery_bell, NULL);
    return result;
}

static int advertise(struct subscriber *subscriber)
{
    char stem[2 * IDENTITY_TEXT];
    int result;
    memcpy(stem, subscriber->endpoint.digest, IDENTITY_TEXT - 1);
    stem[IDENTITY_TEXT - 1] = '-';
    memcpy(stem + IDENTITY_TEXT, identity_process(), IDENTITY_TEXT);
    result = subscriber->transport->listen(&subscriber->directory, stem, &subscriber->listener);
    if (result == 0)
        result = epoll_add(subscriber->reception_epoll, subscriber->listener.fd, &subscriber->listener);
    if (result == 0)
        result = directory_rename(&subscriber->directory, subscriber->listener.name, "sub");
    return result;
}

static int start_threads(struct subscriber *subscriber)
{
    int result = thread_start(&subscriber->delivery, delivery_run, subscriber);
    if (result < 0)
        return result;
    result = thread_start(&subscriber->reception, reception_run, subscriber);
    if (result < 0) {
        callers_refuse(&subscriber->callers);
        bell_ring(subscriber->delivery_bell);
        pthread_join(subscriber->delivery, NULL);
    }
    return result;
}

int subscriber_open(void **out, const ipcmark_endpoint *endpoint, const struct transport *transport,
                    ipcmark_deliver_fn *deliver, void *context)
{
    struct subscriber *subscriber = calloc(1, sizeof *subscriber);
    int result;
    if (subscriber == NULL)
        return -ENOMEM;
    subscriber->transport = transport;
    subscriber->deliver = deliver;
    subscriber->context = context;
    subscriber->directory.fd = subscriber->listener.fd = subscriber->listener.advertisement = -1;
    subscriber->reception_epoll = subscriber->reception_bell = -1;
    subscriber->delivery_epoll = subscriber->delivery_bell = -1;
    pthread_mutex_init(&subscriber->lock, NULL);
    pthread_mutex_init(&subscriber->ahead_lock, NULL);
    callers_init(&subscriber->callers);
    result = endpoint_copy(&subscriber->endpoint, endpoint);
    if (result == 0)
        result = directory_open(&subscriber->directory, endpoint->directory, transport->name, transport->file_type);
    if (result == 0)
        result = open_events(subscriber);
    if (result == 0)
        result = advertise(subscriber);
    if (result == 0)
        result = start_threads(subscriber);
    if (result < 0) {
        subscriber_destroy(subscriber);
        return result;
    }
    *out = subscriber;
    return 0;
}

int subscriber_peers(void *handle)
{
    struct subscriber *subscriber = handle;
    int count = 0;
    if (!callers_enter(&subscriber->callers))
        return 0;
    pthread_mutex_lock(&subscriber->lock);
    for (const struct source *source = subscriber->ready; source != NULL; source = source->next)
        ++count;
    pthread_mutex_unlock(&subscriber->lock);
    callers_leave(&subscriber->callers);
    return count;
}

bool subscriber_is_closing(const struct subscriber *subscriber)
{
    return callers_refused(&subscriber->callers);
}

void subscriber_close(void *handle)
{
    struct subscriber *subscriber = handle;
    if (subscriber == NULL)
        return;
    callers_refuse(&subscriber->callers);
    bell_ring(subscriber->reception_bell);
    bell_ring(subscriber->delivery_bell);
    pthread_join(subscriber->reception, NULL);
    if (pthread_equal(pthread_self(), subscriber->delivery)) {
        /* Called by deliver, which still looks at its parts: the thread frees the memory when deliver returns. */
        pthread_detach(subscriber->delivery);
        leave(subscriber);
        subscriber->closed_inside = true;
        return;
    }
    pthread_join(subscriber->delivery, NULL);
    subscriber_destroy(subscriber);
}
