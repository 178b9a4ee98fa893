/* mmipc, slower on purpose by a known share of whatever it takes: `percent`. For the gate's test of itself.
 *
 * A side that needs T for a message takes T and a share of T, by spinning: how fast the machine is does not matter, nor
 * which side is the slower one. T is the time since this side was done with the message before, so waiting for the
 * other side counts as well; in a stream that changes nothing, for who waits has time to spare. Where messages go to
 * and fro (published from a handler) both sides would stretch the same trip, and each other's stretching: there each
 * takes s of its own, so that (1 + s) / (1 - s) is as many times as long. A longer pause is no work.
 *
 * With 0 percent it does the same but for the spinning: what the clock costs is on both sides of a comparison. */
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

static const int64_t longest_ns = 1000000;

static const ipcmark_driver *inner;
static ipcmark_driver driver;
static atomic_bool to_and_fro; /* this process answers from a handler */
static _Thread_local unsigned handlers;

struct endpoint {
    void *handle;
    ipcmark_deliver_fn *deliver;
    void *context;
    double share;
    int64_t done_ns; /* with the message before; 0: there was none */
    int64_t debt_ns; /* what is still to be spun, or, below 0, was too much */
};

static int64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

static void stretch(struct endpoint *endpoint, double share)
{
    int64_t begun_ns = now_ns(), took_ns = endpoint->done_ns == 0 ? 0 : begun_ns - endpoint->done_ns;
    int64_t until_ns, ended_ns = begun_ns;

    endpoint->debt_ns += (int64_t)(share * (double)(took_ns < longest_ns ? took_ns : longest_ns));
    until_ns = begun_ns + endpoint->debt_ns;
    while (ended_ns < until_ns)
        ended_ns = now_ns();
    endpoint->debt_ns -= ended_ns - begun_ns;
}

static int publish(void *object, const ipcmark_part *parts, size_t count)
{
    struct endpoint *endpoint = object;

    if (handlers > 0)
        atomic_store_explicit(&to_and_fro, true, memory_order_relaxed);
    stretch(endpoint, handlers > 0 ? endpoint->share / (2 + endpoint->share) : endpoint->share);
    endpoint->done_ns = now_ns(); /* what the transport itself takes is stretched with the next message */
    return inner->publish(endpoint->handle, parts, count);
}

static void deliver(void *context, const ipcmark_part *parts, size_t count)
{
    struct endpoint *endpoint = context;

    if (!atomic_load_explicit(&to_and_fro, memory_order_relaxed)) {
        stretch(endpoint, endpoint->share);
        endpoint->done_ns = now_ns();
    }
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
