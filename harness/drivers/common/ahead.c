#include "ahead.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

enum { EVENTS = 64, AHEAD_STEP = 256 * 1024, AHEAD_MAX = 64 * 1024 * 1024 /* bytes a source; then it has to wait */ };

static _Thread_local struct subscriber *delivering;

void ahead_enter(struct subscriber *subscriber)
{
    delivering = subscriber;
}

void ahead_wait_begin(void)
{
    struct subscriber *subscriber = delivering;
    if (subscriber == NULL)
        return;
    pthread_mutex_lock(&subscriber->ahead_lock);
    subscriber->handler_waits = true;
    pthread_mutex_unlock(&subscriber->ahead_lock);
    epoll_add(subscriber->reception_epoll, subscriber->delivery_epoll, &subscriber->delivery_epoll);
}

void ahead_wait_end(void)
{
    struct subscriber *subscriber = delivering;
    if (subscriber == NULL)
        return;
    epoll_ctl(subscriber->reception_epoll, EPOLL_CTL_DEL, subscriber->delivery_epoll, NULL);
    pthread_mutex_lock(&subscriber->ahead_lock); /* from here on the reception thread keeps off */
    subscriber->handler_waits = false;
    pthread_mutex_unlock(&subscriber->ahead_lock);
    pthread_mutex_lock(&subscriber->lock);
    for (struct source *source = subscriber->ready; source != NULL; source = source->next)
        if (source->ahead.set_aside && epoll_add(subscriber->delivery_epoll, source->link.in, source) == 0)
            source->ahead.set_aside = false;
    pthread_mutex_unlock(&subscriber->lock);
}

static bool reserve(struct ahead *ahead)
{
    size_t capacity = ahead->capacity == 0 ? AHEAD_STEP : 2 * ahead->capacity;
    char *larger;
    if (ahead->tail + AHEAD_STEP <= ahead->capacity)
        return true;
    while (capacity < ahead->tail + AHEAD_STEP)
        capacity *= 2;
    larger = ahead->tail >= AHEAD_MAX ? NULL : realloc(ahead->buffer, capacity);
    if (larger == NULL)
        return false;
    ahead->buffer = larger;
    ahead->capacity = capacity;
    return true;
}

/* What cannot be read now, full or at its end, would be reported again and again: it is set aside until the wait is
 * over, when the delivery thread finds out for itself. */
static void source_read_ahead(struct subscriber *subscriber, struct source *source)
{
    struct ahead *ahead = &source->ahead;
    ssize_t got = reserve(ahead) ? read(source->link.in, ahead->buffer + ahead->tail, AHEAD_STEP) : 0;
    if (got > 0) {
        ahead->tail += (size_t)got;
        subscriber->has_ahead = true;
    } else if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
        epoll_ctl(subscriber->delivery_epoll, EPOLL_CTL_DEL, source->link.in, NULL);
        ahead->set_aside = true;
    }
}

void ahead_read(struct subscriber *subscriber)
{
    struct epoll_event events[EVENTS];
    pthread_mutex_lock(&subscriber->ahead_lock);
    int count = subscriber->handler_waits ? epoll_wait(subscriber->delivery_epoll, events, EVENTS, 0) : 0;
    for (int i = 0; i < count; ++i)
        if (events[i].data.ptr != NULL) /* the bell: we are closing, and this thread is about to end */
            source_read_ahead(subscriber, events[i].data.ptr);
    pthread_mutex_unlock(&subscriber->ahead_lock);
}

bool ahead_take(struct source *source, void *at, size_t room, size_t *taken)
{
    struct ahead *ahead = &source->ahead;
    size_t left = ahead->tail - ahead->head;
    if (left == 0)
        return false;
    *taken = left < room ? left : room;
    memcpy(at, ahead->buffer + ahead->head, *taken);
    ahead->head += *taken;
    if (ahead->head == ahead->tail) {
        free(ahead->buffer);
        *ahead = (struct ahead){.set_aside = ahead->set_aside};
    }
    return true;
}
