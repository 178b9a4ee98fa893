/* The subscriber's other thread: reads what the publishers send and delivers it. */
#include "source.h"

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

/* One read, so that a busy publisher does not starve the others. -errno: the end; a torn message is left behind. */
static int source_read(struct subscriber *subscriber, struct source *source)
{
    void *at;
    size_t room;
    ssize_t got;
    int result = frame_reader_space(&source->reader, &at, &room);
    if (result < 0)
        return result;
    got = read(source->link.in, at, room);
    if (got < 0)
        return errno == EAGAIN || errno == EINTR ? 0 : -errno;
    if (got == 0)
        return -ECONNRESET;
    frame_reader_filled(&source->reader, (size_t)got);
    return deliver_all(subscriber, source);
}

void *delivery_run(void *argument)
{
    struct subscriber *subscriber = argument;
    while (!subscriber_is_closing(subscriber)) {
        struct epoll_event events[EVENTS];
        int count = epoll_wait(subscriber->delivery_epoll, events, EVENTS, -1);
        for (int i = 0; i < count && !subscriber_is_closing(subscriber); ++i) {
            struct source *source = events[i].data.ptr; /* NULL: the bell */
            if (source != NULL && source_read(subscriber, source) < 0)
                source_drop(subscriber, source);
        }
    }
    if (subscriber->closed_inside)
        subscriber_destroy(subscriber);
    return NULL;
}
