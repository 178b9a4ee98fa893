/* The subscriber's other thread: reads what the publishers send and delivers it. */
#include "ahead.h"

#include <errno.h>
#include <sys/epoll.h>
#include <unistd.h>

enum { EVENTS = 64 };

static void source_drop(struct subscriber *subscriber, struct source *source)
{
    struct source **at = &subscriber->ready;
    pthread_mutex_lock(&subscriber->lock);
    while (*at != source)
        at = &(*at)->next;
    *at = source->next;
    pthread_mutex_unlock(&subscriber->lock);
    endpoint_report(&subscriber->endpoint, source->id, false);
    source_free(source);
}

/* Delivers every whole message that is there. -errno: what came is not a message. */
static int deliver_all(struct subscriber *subscriber, struct source *source)
{
    const ipcmark_part *parts;
    size_t count;
    int result;
    while ((result = frame_reader_next(&source->reader, &parts, &count)) > 0) {
        if (subscriber_is_closing(subscriber))
            return 0;
        subscriber->deliver(subscriber->context, parts, count);
    }
    return result;
}

/* What was read ahead comes first. 0: the end. */
static ssize_t source_fill(struct source *source, void *at, size_t room)
{
    size_t taken;
    return ahead_take(source, at, room, &taken) ? (ssize_t)taken : read(source->link.in, at, room);
}

/* One read, so that a busy publisher does not starve the others. -errno: the end; a torn message is left behind. */
static int source_read(struct subscriber *subscriber, struct source *source)
{
    void *at;
    size_t room;
    ssize_t got;
    int result = frame_reader_space(&source->reader, &at, &room);
    if (result < 0)
        return result;
    got = source_fill(source, at, room);
    if (got < 0)
        return errno == EAGAIN || errno == EINTR ? 0 : -errno;
    if (got == 0)
        return -ECONNRESET;
    frame_reader_filled(&source->reader, (size_t)got);
    return deliver_all(subscriber, source);
}

static struct source *source_with_ahead(struct subscriber *subscriber)
{
    struct source *source;
    pthread_mutex_lock(&subscriber->lock);
    for (source = subscriber->ready; source != NULL; source = source->next)
        if (source->ahead.tail > 0)
            break;
    pthread_mutex_unlock(&subscriber->lock);
    return source;
}

/* What was read ahead makes no descriptor readable any more. */
static void deliver_ahead(struct subscriber *subscriber)
{
    struct source *source;
    while (!subscriber_is_closing(subscriber) && (source = source_with_ahead(subscriber)) != NULL)
        if (source_read(subscriber, source) < 0)
            source_drop(subscriber, source);
    subscriber->has_ahead = false;
}

void *delivery_run(void *argument)
{
    struct subscriber *subscriber = argument;
    ahead_enter(subscriber);
    while (!subscriber_is_closing(subscriber)) {
        struct epoll_event events[EVENTS];
        int count = epoll_wait(subscriber->delivery_epoll, events, EVENTS, -1);
        for (int i = 0; i < count && !subscriber_is_closing(subscriber); ++i) {
            struct source *source = events[i].data.ptr; /* NULL: the bell */
            if (source != NULL && source_read(subscriber, source) < 0)
                source_drop(subscriber, source);
        }
        if (subscriber->has_ahead)
            deliver_ahead(subscriber);
    }
    if (subscriber->closed_inside)
        subscriber_destroy(subscriber);
    return NULL;
}
