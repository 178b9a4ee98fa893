/* Requests that wait: for peers, for messages. */
#include "agent.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const uint64_t look_again_ns = 1000000; /* not every implementation tells when its peers change */

static uint64_t deadline_of(const cJSON *request)
{
    return ipcmark_now_ns() + (uint64_t)(request_number(request, "timeout_ms", 10000) * 1e6);
}

void request_wait_peers(const cJSON *request, cJSON *reply, struct refusal *refusal)
{
    struct endpoint *endpoint = request_endpoint(request, "endpoint", refusal);
    int wanted = (int)request_number(request, "count", 0);
    uint64_t deadline = deadline_of(request);
    if (endpoint == NULL)
        return;
    int count;
    while ((count = endpoint_peers(endpoint)) != wanted) {
        uint64_t now = ipcmark_now_ns();
        if (count < 0) {
            refuse_errno(refusal, count, "peers");
            return;
        }
        if (now >= deadline) {
            refuse(refusal, "ETIMEDOUT", true, "%d peers instead of %d", count, wanted);
            return;
        }
        pthread_mutex_lock(&endpoint->lock);
        endpoint_wait(endpoint, now + look_again_ns < deadline ? now + look_again_ns : deadline);
        pthread_mutex_unlock(&endpoint->lock);
    }
    cJSON_AddNumberToObject(reply, "count", count);
    cJSON_AddNumberToObject(reply, "at_ns", (double)ipcmark_now_ns());
}

/* The first notice of this peer, or of one without a name, that is not before `since_ns`; 0: there is none yet. An
 * implementation may tell twice, and of others. */
static uint64_t find_notice(const struct notices *gone, uint16_t peer, uint64_t since_ns)
{
    uint64_t first_ns = 0;
    for (const struct notice *notice = gone->list; notice < gone->list + NOTICES; ++notice)
        if (notice->at_ns >= since_ns && (notice->endpoint == peer || notice->endpoint == IPCMARK_NO_ENDPOINT) &&
            (first_ns == 0 || notice->at_ns < first_ns))
            first_ns = notice->at_ns;
    return first_ns;
}

/* The lock is held from the look to the wait, and by whoever tells us: no telling is missed. */
void request_wait_gone(const cJSON *request, cJSON *reply, struct refusal *refusal)
{
    struct endpoint *endpoint = request_endpoint(request, "endpoint", refusal);
    uint64_t since_ns = (uint64_t)request_number(request, "since_ns", 1), gone_ns, deadline = deadline_of(request);
    uint16_t peer = (uint16_t)request_number(request, "peer", IPCMARK_NO_ENDPOINT);
    if (endpoint == NULL)
        return;
    pthread_mutex_lock(&endpoint->lock);
    while ((gone_ns = find_notice(&endpoint->gone, peer, since_ns)) == 0 && endpoint_wait(endpoint, deadline)) {
    }
    pthread_mutex_unlock(&endpoint->lock);
    if (gone_ns == 0)
        refuse(refusal, "ETIMEDOUT", true, "no peer was reported to be gone");
    cJSON_AddNumberToObject(reply, "at_ns", (double)gone_ns);
}

/* The first of the list that has not been received up to its sequence, which then wakes us; or NULL. */
static const cJSON *find_missing(struct endpoint *endpoint, const cJSON *until)
{
    const cJSON *row;
    cJSON_ArrayForEach(row, until)
    {
        double name[4] = {0};
        for (int i = 0; i < 4; ++i) {
            const cJSON *number = cJSON_GetArrayItem(row, i);
            name[i] = cJSON_IsNumber(number) ? number->valuedouble : 0;
        }
        if (!intake_has(&endpoint->intake, (uint16_t)name[0], (uint16_t)name[1], (uint16_t)name[2], (uint64_t)name[3]))
            return row;
    }
    return NULL;
}

void request_drain(const cJSON *request, cJSON *reply, struct refusal *refusal)
{
    struct endpoint *endpoint = request_endpoint(request, "endpoint", refusal);
    const cJSON *until = cJSON_GetObjectItemCaseSensitive(request, "until"), *missing;
    uint64_t deadline = deadline_of(request);
    if (endpoint == NULL)
        return;
    if (endpoint->publisher) {
        refuse(refusal, "EINVAL", true, "endpoint %u is a publisher", endpoint->id);
        return;
    }
    pthread_mutex_lock(&endpoint->lock);
    while ((missing = find_missing(endpoint, until)) != NULL && !endpoint->closing &&
           endpoint_wait(endpoint, deadline)) {
    }
    pthread_mutex_unlock(&endpoint->lock);
    if (missing != NULL) {
        char *row = cJSON_PrintUnformatted(missing);
        refuse(refusal, "ETIMEDOUT", true, "not received: %s (publisher, epoch, thread, sequence)", row);
        free(row);
    }
    cJSON_AddNumberToObject(reply, "received", (double)intake_received(&endpoint->intake));
}
