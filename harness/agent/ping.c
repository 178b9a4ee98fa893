/* The request "ping": there and back, one message at a time. */
#include "agent.h"

#include <errno.h>
#include <stdlib.h>

static const uint64_t spin_ns = 50000; /* then sleep: the other side may need this CPU */
static const uint64_t give_up_ns = 5000000000;

/* Until the subscriber has received `count` messages. */
static bool await_pong(struct endpoint *subscriber, uint64_t count)
{
    uint64_t start = ipcmark_now_ns();
    while (intake_received(&subscriber->intake) < count) {
        if (ipcmark_now_ns() - start < spin_ns)
            continue;
        pthread_mutex_lock(&subscriber->lock);
        intake_want(&subscriber->intake);
        bool arrived = intake_received(&subscriber->intake) >= count || endpoint_wait(subscriber, start + give_up_ns) ||
                       intake_received(&subscriber->intake) >= count;
        pthread_mutex_unlock(&subscriber->lock);
        if (!arrived || endpoint_is_closing(subscriber))
            return false;
    }
    return true;
}

/* For the other side to fall asleep. */
static void stay_idle(struct endpoint *publisher, uint64_t microseconds)
{
    uint64_t until = ipcmark_now_ns() + microseconds * 1000;
    pthread_mutex_lock(&publisher->lock);
    while (!publisher->closing && endpoint_wait(publisher, until)) {
    }
    pthread_mutex_unlock(&publisher->lock);
}

static void run(struct endpoint *publisher, struct endpoint *subscriber, const cJSON *request, cJSON *reply,
                struct refusal *refusal)
{
    uint64_t count = (uint64_t)request_number(request, "count", 1), done = 0;
    uint64_t idle_us = (uint64_t)request_number(request, "idle_us", 0);
    size_t size = (size_t)request_number(request, "size", 64);
    struct ipcmark_histogram *histogram = NULL;
    int error = lane_prepare(&publisher->lanes[0], size, 1);
    if (error == 0)
        error = ipcmark_histogram_new(&histogram);
    for (; error == 0 && done < count; ++done) {
        uint64_t received = intake_received(&subscriber->intake);
        if (idle_us > 0)
            stay_idle(publisher, idle_us);
        uint64_t start = ipcmark_now_ns();
        if ((error = lane_publish(publisher, 0, size, 1, 0, KILL_NEVER)) < 0)
            break;
        error = 0;
        if (!await_pong(subscriber, received + 1))
            error = -ETIMEDOUT;
        else
            ipcmark_histogram_record(histogram, ipcmark_now_ns() - start);
    }
    if (error < 0)
        refuse_errno(refusal, error, "ping");
    cJSON_AddNumberToObject(reply, "count", (double)done);
    if (histogram != NULL)
        cJSON_AddItemToObject(reply, "histogram", ipcmark_histogram_to_json(histogram));
    ipcmark_histogram_free(histogram);
}

void request_ping(const cJSON *request, cJSON *reply, struct refusal *refusal)
{
    struct endpoint *publisher = request_endpoint(request, "endpoint", refusal);
    struct endpoint *subscriber = publisher == NULL ? NULL : request_endpoint(request, "subscriber", refusal);
    if (subscriber == NULL)
        return;
    if (!publisher->publisher || subscriber->publisher) {
        refuse(refusal, "EINVAL", true, "ping takes a publisher as endpoint, and a subscriber");
    } else if (!endpoint_begin(publisher)) {
        refuse(refusal, "ESHUTDOWN", true, "the publisher is closed");
    } else {
        run(publisher, subscriber, request, reply, refusal);
        endpoint_end(publisher);
    }
}
