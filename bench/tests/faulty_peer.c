/* The process of target rows with a fault, which PEER_FAULT names: of its 15th message (lose, twice, tear), or
 *
 *     greet    its greetings are torn
 *     late     the receiver takes LATE_MS for its first message, then for one in LATE_ROUND after LATE_WARM_UP
 *     early    its publisher says of each peer that it died, as soon as it is there */
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <mmipc/mmipc.h>

#include "../targets/peer/transport.h"
#include "faulty_peer.h"

enum { FAULT_AT = 15 };

const struct transport *__real_transport_find(const char *name);
const struct transport *__wrap_transport_find(const char *name);
int __real_mmipc_publisher_open(mmipc_publisher **out, const char *channel, const char *directory,
                                const mmipc_options *);
int __wrap_mmipc_publisher_open(mmipc_publisher **out, const char *channel, const char *directory,
                                const mmipc_options *);
int __real_mmipc_publish(mmipc_publisher *, const void *data, size_t size);
int __wrap_mmipc_publish(mmipc_publisher *, const void *data, size_t size);

static const struct transport *inner;
static struct transport faulty;
static unsigned sent, taken;
static message_handler *handler;

static bool has_fault(const char *name)
{
    const char *fault = getenv("PEER_FAULT");
    return fault != NULL && strcmp(fault, name) == 0;
}

/* With the last byte wrong. */
static unsigned char *torn(const void *data, size_t size)
{
    unsigned char *copy = malloc(size);

    if (copy == NULL)
        abort();
    memcpy(copy, data, size);
    copy[size - 1] ^= 1;
    return copy;
}

static int send_torn(void *sender, const void *data, size_t size)
{
    unsigned char *copy = torn(data, size);
    int result = inner->send(sender, copy, size);

    free(copy);
    return result;
}

static int faulty_send(void *sender, const void *data, size_t size)
{
    if (++sent != FAULT_AT)
        return inner->send(sender, data, size);
    if (has_fault("lose"))
        return 0;
    if (has_fault("twice") && inner->send(sender, data, size) < 0)
        return -EIO;
    return has_fault("tear") ? send_torn(sender, data, size) : inner->send(sender, data, size);
}

static void faulty_take(void *user, const void *data, size_t size)
{
    if (has_fault("late") && (taken == 0 || (taken >= LATE_WARM_UP && (taken - LATE_WARM_UP) % LATE_ROUND == 0)))
        (void)poll(NULL, 0, LATE_MS); /* the fault itself; nobody waits for an event with it */
    ++taken;
    handler(user, data, size);
}

static int faulty_receiver_open(void **out, const struct place *place, message_handler *right, void *user)
{
    handler = right;
    return inner->receiver_open(out, place, faulty_take, user);
}

const struct transport *__wrap_transport_find(const char *name)
{
    inner = __real_transport_find(name);
    if (inner == NULL)
        return NULL;
    faulty = *inner;
    faulty.send = faulty_send;
    faulty.receiver_open = faulty_receiver_open;
    return &faulty;
}

static mmipc_peer_fn *on_peer;

static void on_peer_early(void *user, int event, int pid, int reason)
{
    on_peer(user, event, pid, reason);
    if (event == MMIPC_PEER_CONNECTED)
        on_peer(user, MMIPC_PEER_DISCONNECTED, pid, MMIPC_REASON_DIED);
}

int __wrap_mmipc_publisher_open(mmipc_publisher **out, const char *channel, const char *directory,
                                const mmipc_options *options)
{
    mmipc_options copy;

    if (options == NULL || options->on_peer == NULL || !has_fault("early"))
        return __real_mmipc_publisher_open(out, channel, directory, options);
    copy = *options;
    on_peer = options->on_peer;
    copy.on_peer = on_peer_early;
    return __real_mmipc_publisher_open(out, channel, directory, &copy);
}

int __wrap_mmipc_publish(mmipc_publisher *publisher, const void *data, size_t size)
{
    unsigned char *copy = has_fault("greet") ? torn(data, size) : NULL;
    int result = __real_mmipc_publish(publisher, copy == NULL ? data : copy, size);

    free(copy);
    return result;
}
