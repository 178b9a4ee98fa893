/* A driver with a fault, to see that a benchmark is not fooled by it. It hands everything on to a good one,
 * FAULTY_INNER, but for message number at=N (300) of an endpoint, and each every=N after it, as the parameter fault=
 * says:
 *
 *     lose     it is dropped, as if it had been handed on
 *     tear     a byte of it is not what was published
 *     double   it is handed on twice
 *     swap     it is handed on after the next one
 *     refuse   publish fails
 *     full     publish fails with EAGAIN, for each message once; of all messages
 *     hold     publish takes ms=N (100) milliseconds    (the sender is stalled)
 *     stall    the receiver takes as long               (the receiver is stalled)
 *     spin     from then on the receiver burns a CPU for as long (and does not sleep before the next one)
 *     busy     from the start, another thread of the receiver's process never sleeps
 *
 * The endpoint: of=N is that number, publisher or subscriber. Without it, all publishers; of the last three, all
 * subscribers. */
#include <dlfcn.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <ipcmark/driver.h>

enum { CHECKED_BYTES = 4096, IN_THE_HEADER = 30 };

enum fault { NONE, LOSE, TEAR, DOUBLE, SWAP, REFUSE, FULL, HOLD, STALL, SPIN, BUSY };

static const ipcmark_driver *inner;
static ipcmark_driver driver;

struct endpoint {
    void *handle;
    ipcmark_deliver_fn *deliver; /* NULL: a publisher */
    void *context;
    enum fault fault;
    unsigned at, every, ms;
    atomic_uint messages;
    bool refuses;
    unsigned char *kept; /* until the next one has passed */
    size_t kept_size;
    pthread_t spinner;
    atomic_bool closing;
};

static const char *find_param(const ipcmark_endpoint *options, const char *name)
{
    size_t length = strlen(name);

    for (size_t i = 0; options->params != NULL && options->params[i] != NULL; ++i)
        if (strncmp(options->params[i], name, length) == 0 && options->params[i][length] == '=')
            return options->params[i] + length + 1;
    return NULL;
}

static unsigned number_of(const ipcmark_endpoint *options, const char *name, unsigned otherwise)
{
    const char *text = find_param(options, name);
    return text == NULL ? otherwise : (unsigned)strtoul(text, NULL, 10);
}

static enum fault find_fault(const ipcmark_endpoint *options, bool is_publisher)
{
    static const char *const faults[] = {"none", "lose", "tear",  "double", "swap", "refuse",
                                         "full", "hold", "stall", "spin",   "busy"};
    const char *name = find_param(options, "fault"), *of = find_param(options, "of");
    enum fault fault = BUSY;

    while (fault > NONE && (name == NULL || strcmp(name, faults[fault]) != 0))
        --fault;
    if (of == NULL ? is_publisher == (fault < STALL) : strtoul(of, NULL, 10) == strtoul(options->id, NULL, 10))
        return fault;
    return NONE;
}

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}

static void spin(unsigned ms)
{
    int64_t until = now_ms() + ms;

    while (now_ms() < until)
        continue;
}

static void *spin_on(void *context)
{
    struct endpoint *endpoint = context;

    while (!atomic_load_explicit(&endpoint->closing, memory_order_relaxed))
        continue;
    return NULL;
}

static int forward(struct endpoint *endpoint, const ipcmark_part *parts, size_t count)
{
    if (endpoint->deliver == NULL)
        return inner->publish(endpoint->handle, parts, count);
    endpoint->deliver(endpoint->context, parts, count);
    return 0;
}

static int forward_torn(struct endpoint *endpoint, const ipcmark_part *part)
{
    unsigned char *copy = malloc(part->size);
    ipcmark_part torn = {copy, part->size};
    int result;

    if (copy == NULL)
        return -ENOMEM;
    memcpy(copy, part->data, part->size);
    copy[part->size <= CHECKED_BYTES ? part->size - 1 : IN_THE_HEADER] ^= 1; /* not every body is looked at */
    result = forward(endpoint, &torn, 1);
    free(copy);
    return result;
}

static int keep(struct endpoint *endpoint, const ipcmark_part *part)
{
    endpoint->kept = malloc(part->size);
    if (endpoint->kept == NULL)
        return -ENOMEM;
    memcpy(endpoint->kept, part->data, part->size);
    endpoint->kept_size = part->size;
    return 0;
}

static int forward_kept(struct endpoint *endpoint)
{
    ipcmark_part kept = {endpoint->kept, endpoint->kept_size};
    int result;

    if (endpoint->kept == NULL)
        return 0;
    result = forward(endpoint, &kept, 1);
    free(endpoint->kept);
    endpoint->kept = NULL;
    return result;
}

/* Another message passes, of one part. */
static int pass(struct endpoint *endpoint, const ipcmark_part *parts, size_t count)
{
    unsigned number = atomic_fetch_add(&endpoint->messages, 1) + 1;
    bool is_struck = number == endpoint->at ||
                     (endpoint->every > 0 && number > endpoint->at && (number - endpoint->at) % endpoint->every == 0);
    int result;

    switch (is_struck ? endpoint->fault : NONE) {
    case LOSE:
        return 0;
    case TEAR:
        return forward_torn(endpoint, parts);
    case SWAP:
        return keep(endpoint, parts);
    case REFUSE:
        return -ENOSPC;
    case DOUBLE:
        (void)forward(endpoint, parts, count);
        break;
    case HOLD:
    case STALL:
        (void)poll(NULL, 0, (int)endpoint->ms); /* the fault itself; nobody waits for an event with it */
        break;
    default:
        break;
    }
    result = forward(endpoint, parts, count);
    if (endpoint->fault == SPIN && number >= endpoint->at)
        spin(endpoint->ms);
    return result < 0 ? result : forward_kept(endpoint);
}

static void deliver(void *context, const ipcmark_part *parts, size_t count)
{
    (void)pass(context, parts, count);
}

static int publish(void *object, const ipcmark_part *parts, size_t count)
{
    struct endpoint *endpoint = object;

    endpoint->refuses = endpoint->fault == FULL && !endpoint->refuses;
    return endpoint->refuses ? -EAGAIN : pass(endpoint, parts, count);
}

static struct endpoint *make(const ipcmark_endpoint *options, bool is_publisher)
{
    struct endpoint *endpoint = calloc(1, sizeof *endpoint);

    if (endpoint == NULL)
        return NULL;
    endpoint->fault = find_fault(options, is_publisher);
    endpoint->at = number_of(options, "at", 300);
    endpoint->every = number_of(options, "every", 0);
    endpoint->ms = number_of(options, "ms", 100);
    if (endpoint->fault == BUSY && pthread_create(&endpoint->spinner, NULL, spin_on, endpoint) != 0)
        endpoint->fault = NONE;
    return endpoint;
}

static void destroy(struct endpoint *endpoint)
{
    atomic_store_explicit(&endpoint->closing, true, memory_order_relaxed);
    if (endpoint->fault == BUSY)
        pthread_join(endpoint->spinner, NULL);
    free(endpoint->kept);
    free(endpoint);
}

static int publisher_open(void **out, const ipcmark_endpoint *options)
{
    struct endpoint *endpoint = make(options, true);
    int result = endpoint == NULL ? -ENOMEM : inner->publisher_open(&endpoint->handle, options);

    if (result < 0 && endpoint != NULL)
        destroy(endpoint);
    if (result >= 0)
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
    destroy(endpoint);
}

static int subscriber_open(void **out, const ipcmark_endpoint *options, ipcmark_deliver_fn *to, void *context)
{
    struct endpoint *endpoint = make(options, false);
    int result;

    if (endpoint == NULL)
        return -ENOMEM;
    endpoint->deliver = to;
    endpoint->context = context;
    result = inner->subscriber_open(&endpoint->handle, options, deliver, endpoint);
    if (result < 0)
        destroy(endpoint);
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
    destroy(endpoint);
}

const ipcmark_driver *ipcmark_driver_get(void)
{
    void *library = dlopen(FAULTY_INNER, RTLD_NOW | RTLD_LOCAL);
    const ipcmark_driver *(*get)(void) = NULL;
    void *symbol = library == NULL ? NULL : dlsym(library, "ipcmark_driver_get");

    if (symbol == NULL)
        return NULL;
    memcpy(&get, &symbol, sizeof get); /* ISO C has no cast from an object's pointer to a function's */
    inner = get();
    driver = *inner;
    driver.size = sizeof driver;
    driver.name = "faulty";
    driver.summary = "A good driver with a fault, for the tests of the benchmarks";
    driver.publisher_open = publisher_open;
    driver.publish = publish;
    driver.publisher_peers = publisher_peers;
    driver.publisher_close = publisher_close;
    driver.subscriber_open = subscriber_open;
    driver.subscriber_peers = subscriber_peers;
    driver.subscriber_close = subscriber_close;
    return &driver;
}
