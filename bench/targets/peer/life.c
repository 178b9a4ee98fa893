/* How fast peers of libmmipc find each other, and notice that one has died. */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <ipcmark/journal.h>
#include <mmipc/mmipc.h>

#include "message.h"
#include "peer.h"

enum { PATIENCE_MS = 8000, MORE = 64 };

/* What the two endpoints of this process have said about the latest death. */
struct news {
    int pid, reason;
    uint64_t at_ns; /* 0: nothing yet */
};

static struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    mmipc_publisher *publisher;
    mmipc_subscriber *subscriber;
    struct news publisher_news, subscriber_news;
    uint64_t greetings;
    uint64_t received_ns; /* by life_attach's handler; 0: not yet */
    bool wrong;
    mmipc_publisher *publishers[MORE];
    mmipc_subscriber *subscribers[MORE];
    size_t publisher_count, subscriber_count;
} life = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void __attribute__((constructor)) use_monotonic_clock(void)
{
    pthread_condattr_t monotonic;

    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&life.changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
}

/* Under the lock. */
static int wait_until(const struct timespec *deadline)
{
    return -pthread_cond_timedwait(&life.changed, &life.lock, deadline);
}

static struct timespec deadline_from_now(void)
{
    struct timespec deadline;

    clock_gettime(CLOCK_MONOTONIC, &deadline);
    deadline.tv_sec += PATIENCE_MS / 1000;
    return deadline;
}

/* user: which of the two pieces of news. Of one peer, the first. */
static void on_peer(void *user, int event, int pid, int reason)
{
    uint64_t now_ns = ipcmark_now_ns();
    struct news *news = user;

    if (event != MMIPC_PEER_DISCONNECTED)
        return;
    pthread_mutex_lock(&life.lock);
    if (news->pid != pid)
        *news = (struct news){pid, reason, now_ns};
    pthread_cond_broadcast(&life.changed);
    pthread_mutex_unlock(&life.lock);
}

static void ignore(void *user, const mmipc_part *parts, size_t count)
{
    (void)user;
    (void)parts;
    (void)count;
}

static int open_publisher(struct request *request, const char *name_field)
{
    mmipc_options options;

    mmipc_options_init(&options, sizeof options);
    options.on_peer = on_peer;
    options.user = &life.publisher_news;
    return mmipc_publisher_open(&life.publisher, request_text(request, name_field), request_text(request, "directory"),
                                &options);
}

static int open_subscriber(struct request *request, const char *name_field)
{
    mmipc_options options;

    mmipc_options_init(&options, sizeof options);
    options.on_peer = on_peer;
    options.user = &life.subscriber_news;
    return mmipc_subscriber_open(&life.subscriber, request_text(request, name_field),
                                 request_text(request, "directory"), ignore, NULL, &options);
}

/* ---- a new subscriber ---- */

int life_announce(struct request *request)
{
    return open_publisher(request, "name");
}

int life_greet(struct request *request)
{
    unsigned char message[64] = {0};
    int result = mmipc_publisher_wait_connected(life.publisher, 1, PATIENCE_MS);

    if (result < 0)
        return request_fail(request, result, "no subscriber came");
    message_write(message, sizeof message, life.greetings++);
    if ((result = mmipc_publish(life.publisher, message, sizeof message)) < 0)
        return result;
    result = mmipc_publisher_wait_disconnected(life.publisher, PATIENCE_MS);
    return result < 0 ? request_fail(request, result, "the subscriber did not go") : 0;
}

static void take_greeting(void *user, const mmipc_part *parts, size_t count)
{
    uint64_t now_ns = ipcmark_now_ns();

    (void)user;
    pthread_mutex_lock(&life.lock);
    life.wrong = life.wrong || life.received_ns != 0 || count != 1 || parts[0].size != 64 ||
                 !message_holds(parts[0].data, parts[0].size, life.greetings);
    life.received_ns = now_ns;
    pthread_cond_broadcast(&life.changed);
    pthread_mutex_unlock(&life.lock);
}

int life_attach(struct request *request)
{
    struct timespec deadline = deadline_from_now();
    mmipc_subscriber *subscriber;
    uint64_t start_ns;
    int result;

    life.received_ns = 0;
    start_ns = ipcmark_now_ns();
    result = mmipc_subscriber_open(&subscriber, request_text(request, "name"), request_text(request, "directory"),
                                   take_greeting, NULL, NULL);
    if (result < 0)
        return result;
    pthread_mutex_lock(&life.lock);
    while (life.received_ns == 0 && result == 0)
        result = wait_until(&deadline);
    pthread_mutex_unlock(&life.lock);
    mmipc_subscriber_close(subscriber);
    if (result < 0)
        return request_fail(request, result, "the first message did not come");
    if (life.wrong)
        return request_fail(request, -EBADMSG, "the first message was not the one that was sent, or came twice");
    ++life.greetings;
    reply_number(request, "elapsed_ns", (double)(life.received_ns - start_ns));
    return 0;
}

/* ---- a death ---- */

int life_join(struct request *request)
{
    int result = open_publisher(request, "publish_on");
    return result < 0 ? result : open_subscriber(request, "subscribe_to");
}

int life_meet(struct request *request)
{
    if (mmipc_publisher_wait_connected(life.publisher, 1, PATIENCE_MS) < 0 ||
        mmipc_subscriber_wait_connected(life.subscriber, 1, PATIENCE_MS) < 0)
        return request_fail(request, -ETIMEDOUT, "the two did not find each other");
    return 0;
}

static bool is_death_of(const struct news *news, int pid)
{
    return news->at_ns != 0 && news->pid == pid;
}

int life_mourn(struct request *request)
{
    int pid = (int)request_number(request, "pid", 0), result = 0;
    struct timespec deadline = deadline_from_now();
    struct news of_publisher, of_subscriber;

    pthread_mutex_lock(&life.lock);
    while (result == 0 && (!is_death_of(&life.publisher_news, pid) || !is_death_of(&life.subscriber_news, pid)))
        result = wait_until(&deadline);
    of_publisher = life.publisher_news;
    of_subscriber = life.subscriber_news;
    pthread_mutex_unlock(&life.lock);
    if (result < 0)
        return request_fail(request, result, "the death of process %d was not reported", pid);
    if (of_publisher.reason != MMIPC_REASON_DIED || of_subscriber.reason != MMIPC_REASON_DIED)
        return request_fail(request, -EBADMSG, "process %d was killed, and reported with reasons %d and %d", pid,
                            of_publisher.reason, of_subscriber.reason);
    reply_number(request, "publisher_at_ns", (double)of_publisher.at_ns);
    reply_number(request, "subscriber_at_ns", (double)of_subscriber.at_ns);
    return 0;
}

/* ---- many pairs ---- */

int life_more(struct request *request)
{
    const char *name = request_text(request, "name"), *directory = request_text(request, "directory");
    int publishers = (int)request_number(request, "publishers", 0);
    int subscribers = (int)request_number(request, "subscribers", 0);
    int peers = (int)request_number(request, "peers", 0), result = 0;

    for (int i = 0; i < subscribers && result == 0 && life.subscriber_count < MORE; ++i)
        if ((result = mmipc_subscriber_open(&life.subscribers[life.subscriber_count], name, directory, ignore, NULL,
                                            NULL)) == 0)
            ++life.subscriber_count;
    for (int i = 0; i < publishers && result == 0 && life.publisher_count < MORE; ++i)
        if ((result = mmipc_publisher_open(&life.publishers[life.publisher_count], name, directory, NULL)) == 0)
            result = mmipc_publisher_wait_connected(life.publishers[life.publisher_count++], peers, PATIENCE_MS);
    return result < 0 ? request_fail(request, result, "not all are connected: %s", strerror(-result)) : 0;
}

int life_met(struct request *request)
{
    int connections = (int)request_number(request, "connections", 0), result = 0;

    for (size_t i = 0; i < life.subscriber_count && result == 0; ++i)
        result = mmipc_subscriber_wait_connected(life.subscribers[i], connections, PATIENCE_MS);
    return result < 0 ? request_fail(request, result, "not all are connected: %s", strerror(-result)) : 0;
}

void life_close(void)
{
    mmipc_publisher_close(life.publisher);
    mmipc_subscriber_close(life.subscriber);
    for (size_t i = 0; i < life.publisher_count; ++i)
        mmipc_publisher_close(life.publishers[i]);
    for (size_t i = 0; i < life.subscriber_count; ++i)
        mmipc_subscriber_close(life.subscribers[i]);
}
