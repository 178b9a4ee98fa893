/* A driver of known costs, to see that they show. It hands everything on to a good one, COSTLY_INNER, and spends
 * besides, as its parameters say:
 *
 *     publish_us, deliver_us   CPU time for each message, in publish and before the receiver
 *     put_off_us               CPU time for each message, by a thread that sends it later; publish returns at once
 *     pile_us                  likewise, but for each that has another one behind it
 *     slow_us                  time for each message in publish, without a system call
 *     writes                   system calls for each message, in publish
 *     fds, kib                 descriptors and memory, held by each subscriber
 *     publisher_awake, awake   1: a thread of each publisher or subscriber never sleeps, but for those of pairs
 *     open_ms, close_ms        for opening and closing a subscriber
 *     gone_ms                  before it tells that a peer is gone
 *     tear                     the number of a message whose last byte does not arrive as it was sent
 *     tear_pair                likewise, of pairs (channels whose names begin with "pair-") alone
 *     lose, twice              the number of a message that does not arrive, or two times
 *     unknown                  the number of a message that arrives, but publish says that it failed (-EIO)
 *     retain                   1: whoever is opened gets the last message that anybody in this process got
 *     late_ms                  what comes within so long after a subscriber was opened does not arrive
 *
 * Built with COSTLY_MUTE it does not tell of peers at all, and does not claim to. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <ipcmark/driver.h>

enum { TORN_MOST = 65536 };

#ifdef COSTLY_MUTE
static const bool is_mute = true;
#else
static const bool is_mute = false;
#endif

static const ipcmark_driver *inner;
static ipcmark_driver driver;

struct endpoint {
    void *handle;
    unsigned publish_us, deliver_us, slow_us, writes, fd_count, kib, close_ms, gone_ms, tear, lose, twice, unknown;
    atomic_uint delivered;
    bool retain;
    uint64_t deaf_until_ns;
    unsigned published;
    struct later *later; /* NULL: nothing is put off */
    int null;
    int *fds;
    void *memory;
    bool awake; /* the thread is there */
    pthread_t thread;
    atomic_bool ends;
    ipcmark_deliver_fn *deliver;
    void *context;
    ipcmark_peer_fn *on_peer;
    void *peer_context;
};

static unsigned param(const ipcmark_endpoint *options, const char *key)
{
    size_t length = strlen(key);

    for (size_t i = 0; options->params != NULL && options->params[i] != NULL; ++i)
        if (strncmp(options->params[i], key, length) == 0 && options->params[i][length] == '=')
            return (unsigned)strtoul(options->params[i] + length + 1, NULL, 10);
    return 0;
}

static bool is_pair(const ipcmark_endpoint *options)
{
    return strncmp(options->channel, "pair-", 5) == 0;
}

static uint64_t clock_ns(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* By this clock: the thread's own, or, which takes no system call, everybody's. */
static void burn(clockid_t clock, uint64_t ns)
{
    uint64_t start = ns == 0 ? 0 : clock_ns(clock);

    while (ns > 0 && clock_ns(clock) - start < ns) {
    }
}

static void take_time(unsigned milliseconds)
{
    if (milliseconds > 0)
        (void)poll(NULL, 0, (int)milliseconds); /* the cost itself; nobody waits for an event with it */
}

/* The last message of all subscribers here, for "retain". */
static struct {
    pthread_mutex_t lock;
    unsigned char bytes[TORN_MOST];
    size_t size;
} kept = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void keep(const ipcmark_part *part)
{
    if (part->size > sizeof kept.bytes)
        return;
    pthread_mutex_lock(&kept.lock);
    memcpy(kept.bytes, part->data, part->size);
    kept.size = part->size;
    pthread_mutex_unlock(&kept.lock);
}

static void deliver_kept(struct endpoint *endpoint)
{
    unsigned char copy[TORN_MOST];
    ipcmark_part part = {copy, 0};

    pthread_mutex_lock(&kept.lock);
    memcpy(copy, kept.bytes, part.size = kept.size);
    pthread_mutex_unlock(&kept.lock);
    if (part.size > 0)
        endpoint->deliver(endpoint->context, &part, 1);
}

static void deliver_torn(struct endpoint *endpoint, const ipcmark_part *part)
{
    unsigned char copy[TORN_MOST];
    ipcmark_part torn = {copy, part->size};

    memcpy(copy, part->data, part->size);
    copy[part->size - 1] ^= 1;
    endpoint->deliver(endpoint->context, &torn, 1);
}

static void deliver(void *context, const ipcmark_part *parts, size_t count)
{
    struct endpoint *endpoint = context;
    unsigned number;

    if (endpoint->deaf_until_ns > 0 && clock_ns(CLOCK_MONOTONIC) < endpoint->deaf_until_ns)
        return;
    burn(CLOCK_THREAD_CPUTIME_ID, endpoint->deliver_us * UINT64_C(1000));
    number = atomic_fetch_add(&endpoint->delivered, 1) + 1;
    if (number == endpoint->lose)
        return;
    if (number == endpoint->tear && count == 1 && parts[0].size > 0 && parts[0].size <= TORN_MOST)
        deliver_torn(endpoint, parts);
    else
        endpoint->deliver(endpoint->context, parts, count);
    if (number == endpoint->twice)
        endpoint->deliver(endpoint->context, parts, count);
    if (endpoint->retain && count == 1)
        keep(parts);
}

/* Messages that are sent by another thread when it comes to it. */
struct later {
    struct put_off {
        struct put_off *next;
        size_t size;
        unsigned char bytes[];
    } * first, **end;
    uint64_t each_ns, pile_ns;
    void *handle; /* of the inner publisher */
    bool closing;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    pthread_t thread;
};

static struct put_off *take_first(struct later *later, uint64_t *cost_ns)
{
    struct put_off *first;

    pthread_mutex_lock(&later->lock);
    while (later->first == NULL && !later->closing)
        pthread_cond_wait(&later->changed, &later->lock);
    first = later->first;
    if (first != NULL && (later->first = first->next) == NULL)
        later->end = &later->first;
    *cost_ns = later->each_ns + (later->first == NULL ? 0 : later->pile_ns);
    pthread_mutex_unlock(&later->lock);
    return first;
}

static void *send_later(void *context)
{
    struct later *later = context;
    uint64_t cost_ns;

    for (struct put_off *message; (message = take_first(later, &cost_ns)) != NULL; free(message)) {
        burn(CLOCK_THREAD_CPUTIME_ID, cost_ns);
        (void)inner->publish(later->handle, &(ipcmark_part){message->bytes, message->size}, 1);
    }
    return NULL;
}

static int put_off(struct later *later, const ipcmark_part *part)
{
    struct put_off *message = malloc(sizeof *message + part->size);

    if (message == NULL)
        return -ENOMEM;
    message->next = NULL;
    message->size = part->size;
    memcpy(message->bytes, part->data, part->size);
    pthread_mutex_lock(&later->lock);
    *later->end = message;
    later->end = &message->next;
    pthread_cond_signal(&later->changed);
    pthread_mutex_unlock(&later->lock);
    return 0;
}

static int begin_later(struct endpoint *endpoint, unsigned each_us, unsigned pile_us)
{
    struct later *later;

    if (each_us + pile_us == 0)
        return 0;
    later = calloc(1, sizeof *later);
    if (later == NULL)
        return -ENOMEM;
    *later = (struct later){.each_ns = each_us * UINT64_C(1000),
                            .pile_ns = pile_us * UINT64_C(1000),
                            .handle = endpoint->handle,
                            .lock = PTHREAD_MUTEX_INITIALIZER,
                            .changed = PTHREAD_COND_INITIALIZER};
    later->end = &later->first;
    if (pthread_create(&later->thread, NULL, send_later, later) != 0) {
        free(later);
        return -EAGAIN;
    }
    endpoint->later = later;
    return 0;
}

/* All of them are sent first. */
static void end_later(struct later *later)
{
    if (later == NULL)
        return;
    pthread_mutex_lock(&later->lock);
    later->closing = true;
    pthread_cond_signal(&later->changed);
    pthread_mutex_unlock(&later->lock);
    pthread_join(later->thread, NULL);
    free(later);
}

static int publish(void *object, const ipcmark_part *parts, size_t count)
{
    struct endpoint *endpoint = object;
    int result;

    burn(CLOCK_THREAD_CPUTIME_ID, endpoint->publish_us * UINT64_C(1000));
    burn(CLOCK_MONOTONIC, endpoint->slow_us * UINT64_C(1000));
    for (unsigned i = 0; i < endpoint->writes; ++i)
        if (write(endpoint->null, "", 1) != 1)
            return -EIO;
    result = endpoint->later != NULL && count == 1 ? put_off(endpoint->later, parts)
                                                   : inner->publish(endpoint->handle, parts, count);
    return ++endpoint->published == endpoint->unknown ? -EIO : result;
}

static void tell(void *context, const char *peer, int connected)
{
    struct endpoint *endpoint = context;

    if (!connected)
        take_time(endpoint->gone_ms);
    endpoint->on_peer(endpoint->peer_context, peer, connected);
}

/* What the inner one is opened with. */
static ipcmark_endpoint listen_in(struct endpoint *endpoint, const ipcmark_endpoint *options)
{
    ipcmark_endpoint copy = *options;

    endpoint->on_peer = options->on_peer;
    endpoint->peer_context = options->peer_context;
    copy.on_peer = options->on_peer == NULL || is_mute ? NULL : tell;
    copy.peer_context = endpoint;
    return copy;
}

static void *stay_awake(void *context)
{
    const struct endpoint *endpoint = context;

    while (!atomic_load_explicit(&endpoint->ends, memory_order_relaxed)) {
    }
    return NULL;
}

static int wake_up(struct endpoint *endpoint, const ipcmark_endpoint *options, const char *key)
{
    if (is_pair(options) || param(options, key) == 0)
        return 0;
    endpoint->awake = pthread_create(&endpoint->thread, NULL, stay_awake, endpoint) == 0;
    return endpoint->awake ? 0 : -EAGAIN;
}

static void calm_down(struct endpoint *endpoint)
{
    atomic_store(&endpoint->ends, true);
    if (endpoint->awake)
        pthread_join(endpoint->thread, NULL);
}

static int publisher_open(void **out, const ipcmark_endpoint *options)
{
    struct endpoint *endpoint = calloc(1, sizeof *endpoint);
    ipcmark_endpoint copy;
    int result;

    if (endpoint == NULL)
        return -ENOMEM;
    endpoint->publish_us = param(options, "publish_us");
    endpoint->slow_us = param(options, "slow_us");
    endpoint->writes = param(options, "writes");
    endpoint->unknown = param(options, "unknown");
    endpoint->gone_ms = param(options, "gone_ms");
    endpoint->null = open("/dev/null", O_WRONLY | O_CLOEXEC);
    copy = listen_in(endpoint, options);
    result = endpoint->null < 0 ? -errno : inner->publisher_open(&endpoint->handle, &copy);
    if (result >= 0 && ((result = begin_later(endpoint, param(options, "put_off_us"), param(options, "pile_us"))) < 0 ||
                        (result = wake_up(endpoint, options, "publisher_awake")) < 0)) {
        end_later(endpoint->later);
        inner->publisher_close(endpoint->handle);
    }
    if (result < 0) {
        if (endpoint->null >= 0)
            close(endpoint->null);
        free(endpoint);
        return result;
    }
    *out = endpoint;
    return 0;
}

static int publisher_peers(void *object)
{
    return inner->publisher_peers(((struct endpoint *)object)->handle);
}

static void publisher_close(void *object)
{
    struct endpoint *endpoint = object;

    if (endpoint == NULL)
        return;
    calm_down(endpoint);
    end_later(endpoint->later);
    inner->publisher_close(endpoint->handle);
    close(endpoint->null);
    free(endpoint);
}

static int hold(struct endpoint *endpoint)
{
    size_t bytes = (size_t)endpoint->kib << 10;

    endpoint->fds = calloc(endpoint->fd_count + 1, sizeof *endpoint->fds);
    endpoint->memory = malloc(bytes + 1);
    if (endpoint->fds == NULL || endpoint->memory == NULL)
        return -ENOMEM;
    memset(endpoint->memory, 1, bytes + 1);
    for (unsigned i = 0; i < endpoint->fd_count; ++i)
        endpoint->fds[i] = open("/dev/null", O_RDONLY | O_CLOEXEC);
    return 0;
}

static void let_go(struct endpoint *endpoint)
{
    for (unsigned i = 0; endpoint->fds != NULL && i < endpoint->fd_count; ++i)
        close(endpoint->fds[i]);
    free(endpoint->fds);
    free(endpoint->memory);
    free(endpoint);
}

static int subscriber_open(void **out, const ipcmark_endpoint *options, ipcmark_deliver_fn *to, void *context)
{
    struct endpoint *endpoint = calloc(1, sizeof *endpoint);
    ipcmark_endpoint copy;
    int result;

    if (endpoint == NULL)
        return -ENOMEM;
    *endpoint = (struct endpoint){.deliver = to,
                                  .context = context,
                                  .deliver_us = param(options, "deliver_us"),
                                  .fd_count = param(options, "fds"),
                                  .kib = param(options, "kib"),
                                  .close_ms = param(options, "close_ms"),
                                  .gone_ms = param(options, "gone_ms"),
                                  .lose = param(options, "lose"),
                                  .twice = param(options, "twice"),
                                  .retain = param(options, "retain") > 0,
                                  .tear = param(options, is_pair(options) ? "tear_pair" : "tear")};
    if (param(options, "late_ms") > 0)
        endpoint->deaf_until_ns = clock_ns(CLOCK_MONOTONIC) + param(options, "late_ms") * UINT64_C(1000000);
    take_time(param(options, "open_ms"));
    if (endpoint->retain)
        deliver_kept(endpoint);
    copy = listen_in(endpoint, options);
    result = inner->subscriber_open(&endpoint->handle, &copy, deliver, endpoint);
    if (result >= 0 && ((result = hold(endpoint)) < 0 || (result = wake_up(endpoint, options, "awake")) < 0))
        inner->subscriber_close(endpoint->handle);
    if (result < 0) {
        let_go(endpoint);
        return result;
    }
    *out = endpoint;
    return 0;
}

static int subscriber_peers(void *object)
{
    return inner->subscriber_peers(((struct endpoint *)object)->handle);
}

static void subscriber_close(void *object)
{
    struct endpoint *endpoint = object;

    if (endpoint == NULL)
        return;
    take_time(endpoint->close_ms);
    calm_down(endpoint);
    inner->subscriber_close(endpoint->handle);
    let_go(endpoint);
}

const ipcmark_driver *ipcmark_driver_get(void)
{
    void *library = dlopen(COSTLY_INNER, RTLD_NOW | RTLD_LOCAL);
    const ipcmark_driver *(*get)(void) = NULL;
    void *symbol = library == NULL ? NULL : dlsym(library, "ipcmark_driver_get");

    if (symbol == NULL)
        return NULL;
    memcpy(&get, &symbol, sizeof get); /* ISO C has no cast from an object's pointer to a function's */
    inner = get();
    driver = *inner;
    driver.size = sizeof driver;
    driver.name = "costly";
    driver.summary = "A good driver that spends too much, for the tests of the benchmarks";
    if (is_mute)
        driver.capabilities &= ~(uint64_t)IPCMARK_CAP_PEER_EVENTS;
    driver.publisher_open = publisher_open;
    driver.publish = publish;
    driver.publisher_peers = publisher_peers;
    driver.publisher_close = publisher_close;
    driver.subscriber_open = subscriber_open;
    driver.subscriber_peers = subscriber_peers;
    driver.subscriber_close = subscriber_close;
    return &driver;
}
