#include "driver.h"
#include "intake.h"

#include <errno.h>
#include <nng/protocol/pubsub0/sub.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { QUIET_MS = 30 };

/* A publisher's address that is dialed. */
struct source {
    struct source *next;
    nng_dialer dialer;
    char address[ROSTER_ADDRESS], id[ENDPOINT_NAME];
    bool is_listed; /* its advertisement is there */
};

struct subscriber {
    struct endpoint endpoint;
    struct roster *roster;
    nng_socket socket;
    nng_aio *aio;
    struct company company; /* its lock is that of the sources, too */
    struct source *sources;
    atomic_int unlisted; /* how many sources are */
    struct intake intake;
    ipcmark_deliver_fn *deliver;
    void *context;
};

static bool name_source(void *context, nng_pipe pipe, char peer[ENDPOINT_NAME])
{
    const struct subscriber *subscriber = context;
    const int dialer = nng_dialer_id(nng_pipe_dialer(pipe));
    const struct source *source = subscriber->sources;
    while (source != NULL && nng_dialer_id(source->dialer) != dialer)
        source = source->next;
    if (source != NULL)
        memcpy(peer, source->id, ENDPOINT_NAME);
    return source != NULL;
}

static struct source *find(struct subscriber *subscriber, const char *address)
{
    pthread_mutex_lock(&subscriber->company.lock);
    struct source *source = subscriber->sources;
    while (source != NULL && strcmp(source->address, address) != 0)
        source = source->next;
    if (source != NULL && !source->is_listed) {
        source->is_listed = true;
        atomic_fetch_sub(&subscriber->unlisted, 1);
    }
    pthread_mutex_unlock(&subscriber->company.lock);
    return source;
}

/* Takes it off the list, or does nothing if it is not there. */
static void forget(struct subscriber *subscriber, struct source *source)
{
    struct source **at = &subscriber->sources;
    pthread_mutex_lock(&subscriber->company.lock);
    while (*at != NULL && *at != source)
        at = &(*at)->next;
    if (*at != NULL)
        *at = source->next;
    pthread_mutex_unlock(&subscriber->company.lock);
}

static int dial(struct subscriber *subscriber, const char *id, const char *address, struct source **out)
{
    struct source *source = calloc(1, sizeof *source);
    if (source == NULL)
        return -ENOMEM;
    snprintf(source->address, sizeof source->address, "%s", address);
    snprintf(source->id, sizeof source->id, "%s", id);
    source->is_listed = true;
    int result = nng_dialer_create(&source->dialer, subscriber->socket, address);
    if (result == 0) {
        pthread_mutex_lock(&subscriber->company.lock);
        source->next = subscriber->sources;
        subscriber->sources = source;
        pthread_mutex_unlock(&subscriber->company.lock);
        result = nng_dialer_start(source->dialer, NNG_FLAG_NONBLOCK);
        if (result == 0) {
            *out = source;
            return 0;
        }
        forget(subscriber, source);
        nng_dialer_close(source->dialer);
    }
    free(source);
    return nng_driver_error(result);
}

static int joined(void *context, const char *id, const char *address, void **member)
{
    struct subscriber *subscriber = context;
    struct source *source;
    int result = 0;
    if (strncmp(address, NNG_DRIVER_ADDRESS, sizeof NNG_DRIVER_ADDRESS - 1) != 0)
        return -EINVAL;
    source = find(subscriber, address);
    if (source == NULL)
        result = dial(subscriber, id, address, &source);
    if (result == 0)
        *member = source;
    return result;
}

/* What it sent may still be on the way. */
static void left(void *context, void *member)
{
    struct subscriber *subscriber = context;
    struct source *source = member;
    pthread_mutex_lock(&subscriber->company.lock);
    source->is_listed = false;
    pthread_mutex_unlock(&subscriber->company.lock);
    atomic_fetch_add(&subscriber->unlisted, 1);
}

/* One that has gone for good, off the list; or NULL. */
static struct source *take_gone(struct subscriber *subscriber)
{
    struct source *gone = NULL;
    pthread_mutex_lock(&subscriber->company.lock);
    for (struct source **at = &subscriber->sources; *at != NULL && gone == NULL; at = &(*at)->next)
        if (!(*at)->is_listed && !company_has_dialer(&subscriber->company, nng_dialer_id((*at)->dialer))) {
            gone = *at;
            *at = gone->next;
            break;
        }
    pthread_mutex_unlock(&subscriber->company.lock);
    return gone;
}

/* nng would dial them for ever. */
static void hang_up(struct subscriber *subscriber)
{
    struct source *gone;
    while ((gone = take_gone(subscriber)) != NULL) {
        atomic_fetch_sub(&subscriber->unlisted, 1);
        nng_dialer_close(gone->dialer);
        free(gone);
    }
}

static void receive(void *context)
{
    struct subscriber *subscriber = context;
    while (!intake_is_closing(&subscriber->intake)) {
        nng_recv_aio(subscriber->socket, subscriber->aio);
        nng_aio_wait(subscriber->aio);
        if (atomic_load_explicit(&subscriber->unlisted, memory_order_relaxed) > 0)
            hang_up(subscriber);
        if (nng_aio_result(subscriber->aio) != 0)
            continue;
        nng_msg *message = nng_aio_get_msg(subscriber->aio);
        const ipcmark_part part = {nng_msg_body(message), nng_msg_len(message)};
        subscriber->deliver(subscriber->context, &part, 1);
        nng_msg_free(message);
    }
}

static void wake(void *context)
{
    nng_aio_stop(((struct subscriber *)context)->aio);
}

static bool is_dialing(struct subscriber *subscriber)
{
    bool is = false;
    pthread_mutex_lock(&subscriber->company.lock);
    for (const struct source *source = subscriber->sources; source != NULL && !is; source = source->next)
        is = !company_has_dialer(&subscriber->company, nng_dialer_id(source->dialer));
    pthread_mutex_unlock(&subscriber->company.lock);
    return is;
}

/* Two faults of nng 1.5.2 are kept away from where that is possible. A listener whose caller hangs up in the middle of
 * the handshake may take that for its own end, and never accepts again: whoever is dialing gets a moment to connect.
 * And nng_close may never end while messages come in, since what closes a pipe races with what has it read on (upstream
 * issues 1543 and 1813). A message that is larger than is allowed makes the thread that reads it close the pipe, where
 * nothing races: so nothing is allowed any more. A pipe without messages is no danger. */
static void quieten(struct subscriber *subscriber)
{
    long long until = clock_ms() + QUIET_MS;
    while (is_dialing(subscriber) && clock_ms() < until)
        poll(NULL, 0, 1);
    for (struct source *source = subscriber->sources; source != NULL; source = source->next)
        nng_dialer_set_size(source->dialer, NNG_OPT_RECVMAXSZ, 1);
    until = clock_ms() + QUIET_MS;
    while (company_has_any(&subscriber->company) && clock_ms() < until)
        poll(NULL, 0, 1);
}

static void subscriber_free(void *context)
{
    struct subscriber *subscriber = context;
    company_silence(&subscriber->company);
    roster_close(subscriber->roster);
    quieten(subscriber);
    nng_close(subscriber->socket);
    nng_aio_free(subscriber->aio);
    for (struct source *source; (source = subscriber->sources) != NULL;) {
        subscriber->sources = source->next;
        free(source);
    }
    company_close(&subscriber->company);
    free(subscriber);
}

static int set_up(struct subscriber *subscriber, const ipcmark_endpoint *options)
{
    static const struct roster_kind kind = {.driver = "nng", .is_publisher = false, .joined = joined, .left = left};
    int length = 0, result = company_open(&subscriber->company, subscriber->socket);
    if (result == 0)
        result = nng_driver_queue(options, &length);
    if (result == 0)
        result = nng_driver_error(nng_socket_set_int(subscriber->socket, NNG_OPT_RECVBUF, length));
    if (result == 0)
        result = nng_driver_error(
            nng_socket_set_size(subscriber->socket, NNG_OPT_RECVMAXSZ, subscriber->endpoint.max_bytes));
    if (result == 0)
        result = nng_driver_error(nng_socket_set(subscriber->socket, NNG_OPT_SUB_SUBSCRIBE, "", 0));
    if (result == 0)
        result = nng_driver_error(nng_aio_alloc(&subscriber->aio, NULL, NULL));
    if (result == 0)
        result = roster_open(&subscriber->roster, &subscriber->endpoint, options->directory, &kind, "", subscriber);
    if (result == 0)
        nng_aio_set_timeout(subscriber->aio, subscriber->endpoint.scan_interval_ms);
    return result;
}

int nng_subscriber_open(void **out, const ipcmark_endpoint *options, ipcmark_deliver_fn *deliver, void *context)
{
    struct subscriber *subscriber = calloc(1, sizeof *subscriber);
    if (subscriber == NULL)
        return -ENOMEM;
    subscriber->deliver = deliver;
    subscriber->context = context;
    subscriber->company =
        (struct company){.endpoint = &subscriber->endpoint, .name = name_source, .context = subscriber};
    int result = endpoint_copy(&subscriber->endpoint, options);
    if (result == 0)
        result = nng_driver_error(nng_sub0_open(&subscriber->socket));
    if (result < 0) {
        free(subscriber);
        return result;
    }
    result = set_up(subscriber, options);
    if (result == 0)
        result = intake_start(&subscriber->intake, receive, subscriber_free, subscriber);
    if (result < 0) {
        subscriber_free(subscriber);
        return result;
    }
    result = roster_start(subscriber->roster);
    if (result < 0) {
        intake_close(&subscriber->intake, wake);
        return result;
    }
    *out = subscriber;
    return 0;
}

int nng_subscriber_peers(void *handle)
{
    return company_count(&((struct subscriber *)handle)->company);
}

void nng_subscriber_close(void *handle)
{
    struct subscriber *subscriber = handle;
    company_silence(&subscriber->company);
    intake_close(&subscriber->intake, wake);
}
