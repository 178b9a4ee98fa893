/* A driver with a fault, to see that a benchmark is not fooled by it. It hands everything on to a good one,
 * FAULTY_INNER, but for message number 300 of a publisher (after the warm-up of a latency row), as the parameter fault=
 * says:
 *
 *     lose     publish says that it was sent, and does nothing
 *     tear     a byte of it is not what was published
 *     double   it is sent twice
 *     refuse   publish fails
 *     hold     publish takes 100 ms                     (the sender is stalled)
 *     stall    its receiver takes 100 ms                (the receiver is stalled)
 */
#include <dlfcn.h>
#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <ipcmark/driver.h>

enum { AT = 300, STALL_MS = 100 };

static const ipcmark_driver *inner;
static ipcmark_driver driver;

struct endpoint {
    void *handle;
    const char *fault; /* static */
    atomic_uint messages;
    ipcmark_deliver_fn *deliver;
    void *context;
};

static const char *find_fault(const ipcmark_endpoint *options)
{
    static const char *const faults[] = {"lose", "tear", "double", "refuse", "hold", "stall"};

    for (size_t i = 0; options->params != NULL && options->params[i] != NULL; ++i)
        for (size_t j = 0; j < sizeof faults / sizeof faults[0]; ++j)
            if (strncmp(options->params[i], "fault=", 6) == 0 && strcmp(options->params[i] + 6, faults[j]) == 0)
                return faults[j];
    return "none";
}

static void stall(void)
{
    (void)poll(NULL, 0, STALL_MS); /* the fault itself; nobody waits for an event with it */
}

static void deliver(void *context, const ipcmark_part *parts, size_t count)
{
    struct endpoint *endpoint = context;

    if (atomic_fetch_add(&endpoint->messages, 1) + 1 == AT && strcmp(endpoint->fault, "stall") == 0)
        stall();
    endpoint->deliver(endpoint->context, parts, count);
}

static int publish_torn(struct endpoint *endpoint, const ipcmark_part *part)
{
    unsigned char *copy = malloc(part->size);
    ipcmark_part torn = {copy, part->size};
    int result;

    if (copy == NULL)
        return -ENOMEM;
    memcpy(copy, part->data, part->size);
    copy[part->size - 1] ^= 1;
    result = inner->publish(endpoint->handle, &torn, 1);
    free(copy);
    return result;
}

static int publish(void *object, const ipcmark_part *parts, size_t count)
{
    struct endpoint *endpoint = object;

    if (atomic_fetch_add(&endpoint->messages, 1) + 1 != AT)
        return inner->publish(endpoint->handle, parts, count);
    if (strcmp(endpoint->fault, "lose") == 0)
        return 0;
    if (strcmp(endpoint->fault, "tear") == 0)
        return publish_torn(endpoint, parts);
    if (strcmp(endpoint->fault, "refuse") == 0)
        return -EAGAIN;
    if (strcmp(endpoint->fault, "double") == 0)
        (void)inner->publish(endpoint->handle, parts, count);
    if (strcmp(endpoint->fault, "hold") == 0)
        stall();
    return inner->publish(endpoint->handle, parts, count);
}

static int publisher_open(void **out, const ipcmark_endpoint *options)
{
    struct endpoint *endpoint = calloc(1, sizeof *endpoint);
    int result = endpoint == NULL ? -ENOMEM : inner->publisher_open(&endpoint->handle, options);

    if (result < 0) {
        free(endpoint);
        return result;
    }
    endpoint->fault = find_fault(options);
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

    if (endpoint != NULL)
        inner->publisher_close(endpoint->handle);
    free(endpoint);
}

static int subscriber_open(void **out, const ipcmark_endpoint *options, ipcmark_deliver_fn *to, void *context)
{
    struct endpoint *endpoint = calloc(1, sizeof *endpoint);
    int result;

    if (endpoint == NULL)
        return -ENOMEM;
    endpoint->deliver = to;
    endpoint->context = context;
    endpoint->fault = find_fault(options);
    result = inner->subscriber_open(&endpoint->handle, options, deliver, endpoint);
    if (result < 0) {
        free(endpoint);
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

    if (endpoint != NULL)
        inner->subscriber_close(endpoint->handle);
    free(endpoint);
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
