/* The process of target rows with a fault, which PEER_FAULT names: of its 15th message, of its greetings, or "late":
 * the receiver takes LATE_MS for the first message, and for the first of each LATE_ROUND after LATE_WARM_UP. */
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

int __wrap_mmipc_publish(mmipc_publisher *publisher, const void *data, size_t size)
{
    unsigned char *copy = has_fault("greet") ? torn(data, size) : NULL;
    int result = __real_mmipc_publish(publisher, copy == NULL ? data : copy, size);

    free(copy);
    return result;
}
