#include "intake.h"
#include "loop.h"
#include "roster.h"
#include "source.h"
#include "websocket.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
    HELD_MAX = 4 << 20,  /* bytes of a publisher that wait to be delivered; then it is not read */
    AHEAD_MAX = 64 << 20 /* the same, while a handler waits in publish */
};

struct subscriber {
    struct endpoint endpoint;
    struct roster *roster;
    struct loop loop;
    struct intake intake;
    ipcmark_deliver_fn *deliver;
    void *context;
    atomic_int publishers;
    atomic_size_t limit; /* HELD_MAX or AHEAD_MAX */

    pthread_mutex_t lock;
    pthread_cond_t more;
    struct arrivals queue;    /* under the lock */
    struct source *newcomers; /* under the lock: found by the roster */
    atomic_bool is_idle;      /* the thread that delivers waits for more; changed under the lock */
    atomic_bool is_closing;   /* everything ends */

    /* The loop's own. */
    struct source *sources;
    struct arrivals fresh; /* handed over after each round, so that the other thread is not woken for each */
    bool leaving;
};

/* ---- in the loop's thread ---------------------------------------------------------------------------------------- */

static void hand_over(struct subscriber *subscriber)
{
    if (subscriber->fresh.first == NULL)
        return;
    pthread_mutex_lock(&subscriber->lock);
    arrivals_move(&subscriber->queue, &subscriber->fresh);
    const bool wakes = atomic_load(&subscriber->is_idle);
    pthread_mutex_unlock(&subscriber->lock);
    if (wakes)
        pthread_cond_signal(&subscriber->more);
}

/* Its first message is its id, and the last step of the handshake. */
static int welcome(struct subscriber *subscriber, struct source *source, const struct arrival *arrival)
{
    if (arrival->size != strlen(source->id) || memcmp(arrival->data, source->id, arrival->size) != 0)
        return -1;
    source->is_counted = true;
    atomic_fetch_add(&subscriber->publishers, 1);
    endpoint_report(&subscriber->endpoint, source->id, true);
    return 0;
}

static int receive(struct subscriber *subscriber, struct source *source, const void *data, size_t size)
{
    const size_t max_bytes = source->is_counted ? subscriber->endpoint.max_bytes : ENDPOINT_NAME;
    struct arrival *arrival;
    if (subscriber->leaving)
        return 0;
    if (source_receive(source, data, size, max_bytes, &arrival) < 0)
        return -1;
    if (arrival == NULL)
        return 0;
    if (!source->is_counted) {
        const int result = welcome(subscriber, source, arrival);
        source_delivered(arrival, 0);
        return result;
    }
    arrivals_add(&subscriber->fresh, arrival);
    if (atomic_load(&subscriber->is_idle))
        hand_over(subscriber);
    source_throttle(source, atomic_load(&subscriber->limit));
    return 0;
}

static int write_on(struct subscriber *subscriber, struct source *source)
{
    if (!subscriber->leaving)
        return source_hello(source, subscriber->endpoint.id);
    lws_close_reason(source->wsi, LWS_CLOSE_STATUS_GOINGAWAY, NULL, 0);
    return -1;
}

static bool is_alone(const struct subscriber *subscriber)
{
    for (const struct source *each = subscriber->sources; each != NULL; each = each->next)
        if (each->wsi != NULL)
            return false;
    return true;
}

static void disconnected(struct subscriber *subscriber, struct source *source)
{
    const bool was_counted = source->is_counted;
    source->is_counted = false;
    if (subscriber->leaving)
        source->wsi = NULL;
    else
        source_disconnected(source);
    if (was_counted)
        atomic_fetch_sub(&subscriber->publishers, 1);
    if (was_counted && !atomic_load(&subscriber->is_closing))
        endpoint_report(&subscriber->endpoint, source->id, false);
    if (subscriber->leaving && is_alone(subscriber))
        loop_end(&subscriber->loop);
}

static void leave(struct subscriber *subscriber)
{
    subscriber->leaving = true;
    loop_end_soon(&subscriber->loop);
    for (struct source *each = subscriber->sources; each != NULL; each = each->next) {
        lws_sul_cancel(&each->retry);
        if (each->wsi != NULL && each->is_counted)
            lws_callback_on_writable(each->wsi);
        else if (each->wsi != NULL)
            lws_set_timeout(each->wsi, PENDING_TIMEOUT_USER_OK, LWS_TO_KILL_ASYNC);
    }
    if (is_alone(subscriber))
        loop_end(&subscriber->loop);
}

static void meet_newcomers(struct subscriber *subscriber)
{
    pthread_mutex_lock(&subscriber->lock);
    struct source *newcomer = subscriber->newcomers;
    subscriber->newcomers = NULL;
    pthread_mutex_unlock(&subscriber->lock);
    while (newcomer != NULL) {
        struct source *const next = newcomer->next;
        newcomer->context = subscriber->loop.context;
        newcomer->next = subscriber->sources;
        subscriber->sources = newcomer;
        source_connect(newcomer);
        newcomer = next;
    }
}

/* Who is gone may have sent something yet: it stays until its connection ends. */
static void sweep(struct subscriber *subscriber)
{
    for (struct source **at = &subscriber->sources; *at != NULL;) {
        struct source *const source = *at;
        if (source->wsi != NULL || !atomic_load(&source->is_gone)) {
            at = &source->next;
            continue;
        }
        *at = source->next;
        lws_sul_cancel(&source->retry);
        source_release(source);
    }
}

static void look_around(struct subscriber *subscriber)
{
    loop_awake(&subscriber->loop);
    if (subscriber->leaving)
        return;
    if (atomic_load(&subscriber->is_closing)) {
        leave(subscriber);
        return;
    }
    meet_newcomers(subscriber);
    for (struct source *each = subscriber->sources; each != NULL; each = each->next)
        source_resume(each, atomic_load(&subscriber->limit));
}

static int serve(struct lws *wsi, enum lws_callback_reasons reason, void *source, void *in, size_t size)
{
    struct subscriber *const subscriber = loop_owner(wsi);
    switch ((int)reason) {
    case LWS_CALLBACK_CLIENT_ESTABLISHED:
        lws_callback_on_writable(wsi);
        return 0;
    case LWS_CALLBACK_CLIENT_WRITEABLE:
        return write_on(subscriber, source);
    case LWS_CALLBACK_CLIENT_RECEIVE:
        return receive(subscriber, source, in, size);
    case LWS_CALLBACK_CLIENT_CONNECTION_ERROR:
    case LWS_CALLBACK_CLIENT_CLOSED:
        disconnected(subscriber, source);
        return 0;
    case LWS_CALLBACK_EVENT_WAIT_CANCELLED:
        look_around(subscriber);
        return 0;
    default:
        return lws_callback_http_dummy(wsi, reason, source, in, size);
    }
}

static void served(void *context)
{
    struct subscriber *subscriber = context;
    hand_over(subscriber);
    sweep(subscriber);
}

/* ---- in the thread that delivers --------------------------------------------------------------------------------- */

static void take(struct subscriber *subscriber, struct arrivals *out)
{
    arrivals_clear(out);
    pthread_mutex_lock(&subscriber->lock);
    atomic_store(&subscriber->is_idle, true);
    while (subscriber->queue.first == NULL && !intake_is_closing(&subscriber->intake))
        pthread_cond_wait(&subscriber->more, &subscriber->lock);
    atomic_store(&subscriber->is_idle, false);
    arrivals_move(out, &subscriber->queue);
    pthread_mutex_unlock(&subscriber->lock);
}

static void arrivals_free(struct arrivals *arrivals)
{
    for (struct arrival *each; (each = arrivals->first) != NULL;) {
        arrivals->first = each->next;
        arrival_free(each);
    }
    arrivals_clear(arrivals);
}

static _Thread_local struct subscriber *delivering;

void websocket_wait_begin(void)
{
    if (delivering == NULL)
        return;
    atomic_store(&delivering->limit, AHEAD_MAX);
    loop_wake(&delivering->loop);
}

void websocket_wait_end(void)
{
    if (delivering != NULL)
        atomic_store(&delivering->limit, HELD_MAX);
}

static void deliver_all(void *context)
{
    struct subscriber *subscriber = context;
    struct arrivals batch;
    delivering = subscriber;
    while (!intake_is_closing(&subscriber->intake)) {
        take(subscriber, &batch);
        for (struct arrival *each; (each = batch.first) != NULL && !intake_is_closing(&subscriber->intake);) {
            batch.first = each->next;
            subscriber->deliver(subscriber->context, &(ipcmark_part){each->data, each->size}, 1);
            if (source_delivered(each, HELD_MAX))
                loop_wake(&subscriber->loop);
        }
        arrivals_free(&batch);
    }
}

static void wake(void *context)
{
    struct subscriber *subscriber = context;
    pthread_mutex_lock(&subscriber->lock);
    pthread_cond_signal(&subscriber->more);
    pthread_mutex_unlock(&subscriber->lock);
}

/* ---- in any thread ----------------------------------------------------------------------------------------------- */

static int joined(void *context, const char *id, const char *address, void **out)
{
    struct subscriber *subscriber = context;
    struct source *source;
    const int result = source_make(&source, id, address);
    if (result < 0)
        return result;
    pthread_mutex_lock(&subscriber->lock);
    source->next = subscriber->newcomers;
    subscriber->newcomers = source;
    pthread_mutex_unlock(&subscriber->lock);
    loop_wake(&subscriber->loop);
    *out = source;
    return 0;
}

static void left(void *context, void *what)
{
    struct subscriber *subscriber = context;
    struct source *source = what;
    atomic_store(&source->is_gone, true);
    loop_wake(&subscriber->loop);
    source_release(source);
}

static void sources_free(struct source *source)
{
    while (source != NULL) {
        struct source *const next = source->next;
        source_release(source);
        source = next;
    }
}

static void subscriber_free(void *context)
{
    struct subscriber *subscriber = context;
    roster_close(subscriber->roster);
    atomic_store(&subscriber->is_closing, true);
    if (subscriber->loop.is_running)
        loop_wake(&subscriber->loop);
    loop_close(&subscriber->loop);
    arrivals_free(&subscriber->queue);
    arrivals_free(&subscriber->fresh);
    sources_free(subscriber->sources);
    sources_free(subscriber->newcomers);
    pthread_cond_destroy(&subscriber->more);
    pthread_mutex_destroy(&subscriber->lock);
    free(subscriber);
}

static int subscriber_start(struct subscriber *subscriber, const char *directory)
{
    static const struct loop_kind loop = {
        .callback = serve, .port = CONTEXT_PORT_NO_LISTEN, .receive_bytes = LOOP_FRAME};
    static const struct roster_kind roster = {.driver = WEBSOCKET_DRIVER, .joined = joined, .left = left};
    int result = loop_open(&subscriber->loop, &loop, subscriber);
    subscriber->loop.served = served;
    if (result == 0)
        result = roster_open(&subscriber->roster, &subscriber->endpoint, directory, &roster, "", subscriber);
    if (result == 0)
        result = loop_start(&subscriber->loop);
    if (result == 0)
        result = intake_start(&subscriber->intake, deliver_all, subscriber_free, subscriber);
    return result;
}

int websocket_subscriber_open(void **out, const ipcmark_endpoint *options, ipcmark_deliver_fn *deliver, void *context)
{
    struct subscriber *subscriber = calloc(1, sizeof *subscriber);
    if (subscriber == NULL)
        return -ENOMEM;
    subscriber->deliver = deliver;
    subscriber->context = context;
    pthread_mutex_init(&subscriber->lock, NULL);
    pthread_cond_init(&subscriber->more, NULL);
    atomic_init(&subscriber->limit, HELD_MAX);
    arrivals_clear(&subscriber->queue);
    arrivals_clear(&subscriber->fresh);
    int result = endpoint_copy(&subscriber->endpoint, options);
    if (result == 0)
        result = subscriber_start(subscriber, options->directory);
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

int websocket_subscriber_peers(void *handle)
{
    return atomic_load(&((struct subscriber *)handle)->publishers);
}

void websocket_subscriber_close(void *handle)
{
    struct subscriber *subscriber = handle;
    intake_close(&subscriber->intake, wake);
}
