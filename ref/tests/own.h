/* An endpoint of the test's own: its messages and events are counted, its log is searched for a piece of a line. */
#ifndef OWN_H
#define OWN_H

#include "receiver.h"

#include <string.h>

struct own {
    struct receiver receiver;
    const char *wanted;   /* in a line of the log; NULL: nothing */
    int lines;            /* that had it */
    const char *unwanted; /* must be in none; NULL: anything may be */
    int wrong_lines;      /* that had it */
    mmipc_publisher *publisher;
    mmipc_subscriber *subscriber;
    bool pulls;
    size_t max_total; /* as in mmipc_options; before it is opened */
};

static inline void own_log(void *user, int level, const char *text)
{
    struct own *own = user;
    (void)level;
    pthread_mutex_lock(&own->receiver.lock);
    if (own->wanted != NULL && strstr(text, own->wanted) != NULL) {
        own->lines++;
        pthread_cond_broadcast(&own->receiver.changed);
    }
    own->wrong_lines += own->unwanted != NULL && strstr(text, own->unwanted) != NULL;
    pthread_mutex_unlock(&own->receiver.lock);
}

static inline void own_peer(void *user, int event, int pid, int reason)
{
    receiver_peer(&((struct own *)user)->receiver, event, pid, reason);
}

static inline void own_wait_for_line(struct own *own)
{
    pthread_mutex_lock(&own->receiver.lock);
    while (own->lines == 0) /* the case's time-out bounds this */
        pthread_cond_wait(&own->receiver.changed, &own->receiver.lock);
    pthread_mutex_unlock(&own->receiver.lock);
}

static inline void own_want(struct own *own, const char *text)
{
    pthread_mutex_lock(&own->receiver.lock);
    own->wanted = text;
    own->lines = 0;
    pthread_mutex_unlock(&own->receiver.lock);
}

/* role: "publisher", "subscriber", "puller" (a subscriber in pull mode). */
static inline int own_try_open(struct own *own, const char *role, const char *directory, uint32_t flags)
{
    mmipc_options options;
    mmipc_options_init(&options, sizeof options);
    options.flags = flags;
    options.max_total_bytes = own->max_total;
    options.ping_interval_ms = 50;
    options.on_log = own_log;
    options.on_peer = own_peer;
    options.user = own;
    if (strcmp(role, "publisher") == 0)
        return mmipc_publisher_open(&own->publisher, "c", directory, &options);
    own->pulls = strcmp(role, "puller") == 0;
    return mmipc_subscriber_open(&own->subscriber, "c", directory, own->pulls ? NULL : receiver_message, &own->receiver,
                                 &options);
}

static inline void own_open(struct own *own, const char *role, const char *directory, uint32_t flags,
                            const char *wanted)
{
    *own = (struct own){.receiver = RECEIVER_INIT, .wanted = wanted};
    assert_int_equal(own_try_open(own, role, directory, flags), 0);
}

static inline void own_close(struct own *own)
{
    mmipc_publisher_close(own->publisher);
    mmipc_subscriber_close(own->subscriber);
    own->publisher = NULL;
    own->subscriber = NULL;
}

#endif
