/* mmipc, slower on purpose by a known share of whatever it takes: `percent`. For the gate's test of itself.
 *
 * A side that needs T for a message takes T and a share of T, by spinning. T is the time from one message to the next
 * but for what was spun, measured message by message: so it is the same share wherever the CPUs are and however fast
 * the machine is, of the slow messages as of the usual ones, and the clock's own cost is in T. What is spun too long,
 * because the clock is coarse beside so short a time, is spun less the next time.
 *
 * In a stream both sides do so, and whichever is the slower one is as much slower; the other one waits for it, which is
 * in its T, but it has the time to spare. Where messages go to and fro (published from a handler) T is the whole trip
 * on either side, so one stretches it and the other does not: the one that asked, which also publishes from elsewhere.
 * A longer pause than a millisecond is no work.
 *
 * With 0 percent it does the same but for the spinning: what the wrapper costs is on both sides of a comparison. */
#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <ipcmark/driver.h>

/* That of mmipc's own driver, which is built in under this name. */
const ipcmark_driver *slowed_inner(void);

static const int64_t longest_ns = 1000000, most_credit_ns = 1000;

static const ipcmark_driver *inner;
static ipcmark_driver driver;
static atomic_bool asks;       /* this process has published from elsewhere than a handler … */
static atomic_bool to_and_fro; /* … or from one */
static _Thread_local unsigned handlers;

struct endpoint {
    void *handle;
    ipcmark_deliver_fn *deliver;
    void *context;
    double share;
    int64_t after_ns; /* when the spinning for the message before ended; 0: there was none */
    int64_t debt_ns;  /* what is still to be spun, or, below 0, was too much */
};

static int64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

static void stretch(struct endpoint *endpoint)
{
    const int64_t begun_ns = now_ns(), took_ns = endpoint->after_ns == 0 ? 0 : begun_ns - endpoint->after_ns;
    int64_t ended_ns = begun_ns;

    if (took_ns < longest_ns)
        endpoint->debt_ns += (int64_t)(endpoint->share * (double)took_ns);
    while (ended_ns < begun_ns + endpoint->debt_ns)
        ended_ns = now_ns();
    endpoint->debt_ns -= ended_ns - begun_ns;
    if (endpoint->debt_ns < -most_credit_ns) /* it was the scheduler */
        endpoint->debt_ns = -most_credit_ns;
    endpoint->after_ns = ended_ns;
}

static int publish(void *object, const ipcmark_part *parts, size_t count)
{
    struct endpoint *endpoint = object;

    atomic_store_explicit(handlers > 0 ? &to_and_fro : &asks, true, memory_order_relaxed);
    if (atomic_load_explicit(&asks, memory_order_relaxed))
        stretch(endpoint);
    return inner->publish(endpoint->handle, parts, count);
}

static void deliver(void *context, const ipcmark_part *parts, size_t count)
{
    struct endpoint *endpoint = context;

    if (!atomic_load_explicit(&to_and_fro, memory_order_relaxed))
        stretch(endpoint);
    ++handlers;
    endpoint->deliver(endpoint->context, parts, count);
    --handlers;
}

static double share_of(const ipcmark_endpoint *options)
{
    for (size_t i = 0; options->params != NULL && options->params[i] != NULL; ++i)
        if (strncmp(options->params[i], "percent=", 8) == 0)
            return strtod(options->params[i] + 8, NULL) / 100;
    return 0;
}

/* The inner driver knows no such parameter. */
static ipcmark_endpoint without_params(const ipcmark_endpoint *options)
{
    ipcmark_endpoint copy = *options;
    copy.params = NULL;
    return copy;
}

static int publisher_open(void **out, const ipcmark_endpoint *options)
{
    struct endpoint *endpoint = calloc(1, sizeof *endpoint);
    ipcmark_endpoint copy = without_params(options);
    int result;

    if (endpoint == NULL)
        return -ENOMEM;
    endpoint->share = share_of(options);
    result = inner->publisher_open(&endpoint->handle, &copy);
    if (result < 0)
        free(endpoint);
    else
        *out = endpoint;
    return result;
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
    inner->publisher_close(endpoint->handle);
    free(endpoint);
}

static int subscriber_open(void **out, const ipcmark_endpoint *options, ipcmark_deliver_fn *to, void *context)
{
    struct endpoint *endpoint = calloc(1, sizeof *endpoint);
    ipcmark_endpoint copy = without_params(options);
    int result;

    if (endpoint == NULL)
        return -ENOMEM;
    endpoint->deliver = to;
    endpoint->context = context;
    endpoint->share = share_of(options);
    result = inner->subscriber_open(&endpoint->handle, &copy, deliver, endpoint);
    if (result < 0)
        free(endpoint);
    else
        *out = endpoint;
    return result;
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
    inner->subscriber_close(endpoint->handle);
    free(endpoint);
}

const ipcmark_driver *ipcmark_driver_get(void)
{
    inner = slowed_inner();
    driver = *inner;
    driver.size = sizeof driver;
    driver.name = "slowed";
    driver.summary = "mmipc, slower on purpose: for the gate's test of itself";
    driver.capabilities &= ~(uint64_t)(IPCMARK_CAP_THREADS | IPCMARK_CAP_CLOSE_IN_HANDLER);
    driver.publisher_open = publisher_open;
    driver.publish = publish;
    driver.publisher_peers = publisher_peers;
    driver.publisher_close = publisher_close;
    driver.subscriber_open = subscriber_open;
    driver.subscriber_peers = subscriber_peers;
    driver.subscriber_close = subscriber_close;
    return &driver;
}
