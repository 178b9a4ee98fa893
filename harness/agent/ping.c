/* The request "ping": there and back, one message at a time. The handler that takes an answer sends the next message
 * itself: handing it to the thread of the request would cost more than the trip. */
#include "agent.h"

#include <errno.h>
#include <stdlib.h>

/* Answers may come when nobody waits for them any more, so it is never freed. */
struct ping {
    struct endpoint *publisher, *subscriber;
    size_t size;
    uint64_t count, start_ns;
    atomic_ullong done;
    int error;
    bool ended; /* under the subscriber's lock */
    struct ipcmark_histogram *histogram;
};

static const uint64_t give_up_ns = 5000000000;

static void end(struct ping *ping, int error)
{
    pthread_mutex_lock(&ping->subscriber->lock);
    ping->error = error;
    ping->ended = true;
    pthread_cond_broadcast(&ping->subscriber->changed);
    pthread_mutex_unlock(&ping->subscriber->lock);
}

/* The next message first, then all that only this side needs: it is done while the message is on its way. A trip is
 * from the end of one publish to the end of the next. */
void ping_answered(struct ping *ping)
{
    uint64_t done = atomic_load_explicit(&ping->done, memory_order_relaxed) + 1, now;
    int error = done < ping->count ? lane_answer(ping->publisher, ping->size, 1) : 0;
    now = ipcmark_now_ns();
    ipcmark_histogram_record(ping->histogram, now - ping->start_ns);
    ping->start_ns = now;
    atomic_store_explicit(&ping->done, done, memory_order_relaxed);
    if (done == ping->count || error < 0) {
        atomic_store_explicit(&ping->subscriber->ping, NULL, memory_order_relaxed);
        end(ping, error);
    }
}

/* Until the last answer; -ETIMEDOUT when none comes any more. */
static int await_end(struct ping *ping)
{
    uint64_t before = 0, until = ipcmark_now_ns() + give_up_ns;
    int error = 0;
    pthread_mutex_lock(&ping->subscriber->lock);
    while (!ping->ended && error == 0) {
        if (endpoint_wait(ping->subscriber, until))
            continue;
        uint64_t done = atomic_load_explicit(&ping->done, memory_order_relaxed);
        error = done == before || endpoint_is_closing(ping->subscriber) ? -ETIMEDOUT : 0;
        before = done;
        until = ipcmark_now_ns() + give_up_ns;
    }
    error = ping->ended ? ping->error : error;
    pthread_mutex_unlock(&ping->subscriber->lock);
    return error;
}

static int run(struct endpoint *publisher, struct endpoint *subscriber, uint64_t count, size_t size, cJSON *reply)
{
    struct ping *ping = calloc(1, sizeof *ping);
    int error = ping == NULL ? -ENOMEM : lane_prepare(&publisher->lanes[0], size, 1);
    if (error == 0)
        error = lane_prepare(&publisher->lanes[REPLY_LANE], size, 1);
    if (error == 0)
        error = ipcmark_histogram_new(&ping->histogram);
    if (error < 0) {
        free(ping);
        return error;
    }
    ping->publisher = publisher;
    ping->subscriber = subscriber;
    ping->size = size;
    ping->count = count;
    ping->start_ns = ipcmark_now_ns();
    atomic_store_explicit(&subscriber->ping, ping, memory_order_release);
    error = lane_publish(publisher, 0, size, 1, 0, NULL);
    if (error >= 0)
        error = await_end(ping);
    cJSON_AddNumberToObject(reply, "count", (double)atomic_load_explicit(&ping->done, memory_order_relaxed));
    if (error == 0) { /* the last answer is there: nobody else has it any more */
        cJSON_AddItemToObject(reply, "histogram", ipcmark_histogram_to_json(ping->histogram));
        ipcmark_histogram_free(ping->histogram);
        free(ping);
    }
    return error;
}

void request_ping(const cJSON *request, cJSON *reply, struct refusal *refusal)
{
    struct endpoint *publisher = request_endpoint(request, "endpoint", refusal);
    struct endpoint *subscriber = publisher == NULL ? NULL : request_endpoint(request, "subscriber", refusal);
    if (subscriber == NULL)
        return;
    uint64_t count = (uint64_t)request_number(request, "count", 1);
    if (!publisher->publisher || subscriber->publisher || count == 0) {
        refuse(refusal, "EINVAL", true, "ping takes a publisher as endpoint, a subscriber, and a count");
    } else if (!endpoint_claims(IPCMARK_CAP_PUBLISH_IN_HANDLER)) {
        refuse(refusal, "not_supported", true, "the driver does not claim publish_in_handler");
    } else if (atomic_load_explicit(&subscriber->ping, memory_order_relaxed) != NULL) {
        refuse(refusal, "EBUSY", true, "an earlier ping of this subscriber has not ended");
    } else if (!endpoint_begin(publisher)) {
        refuse(refusal, "ESHUTDOWN", true, "the publisher is closed");
    } else {
        int error = run(publisher, subscriber, count, (size_t)request_number(request, "size", 64), reply);
        endpoint_end(publisher);
        if (error < 0)
            refuse_errno(refusal, error, "ping");
    }
}
