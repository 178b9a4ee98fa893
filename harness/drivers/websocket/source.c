#include "source.h"

#include "loop.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    ARRIVAL_OVERHEAD = 64, /* of memory, so that small messages are not for nothing */
    RETRY_MS = 100
};

void arrivals_clear(struct arrivals *arrivals)
{
    arrivals->first = NULL;
    arrivals->end = &arrivals->first;
}

void arrivals_add(struct arrivals *arrivals, struct arrival *arrival)
{
    arrival->next = NULL;
    *arrivals->end = arrival;
    arrivals->end = &arrival->next;
}

void arrivals_move(struct arrivals *to, struct arrivals *from)
{
    if (from->first == NULL)
        return;
    *to->end = from->first;
    to->end = from->end;
    arrivals_clear(from);
}

int source_make(struct source **out, const char *id, const char *address)
{
    struct source *source = calloc(1, sizeof *source);
    if (source == NULL)
        return -ENOMEM;
    if (sscanf(address, "%5d %17[/0-9a-f]", &source->port, source->path) != 2 || source->port <= 0 ||
        source->port > 0xffff || source->path[0] != '/') {
        free(source);
        return -EINVAL;
    }
    snprintf(source->id, sizeof source->id, "%s", id);
    atomic_init(&source->references, 2);
    *out = source;
    return 0;
}

void source_release(struct source *source)
{
    if (atomic_fetch_sub(&source->references, 1) > 1)
        return;
    free(source->incomplete);
    free(source);
}

void arrival_free(struct arrival *arrival)
{
    source_release(arrival->source);
    free(arrival);
}

/* ---- the connection ---------------------------------------------------------------------------------------------- */

void source_connect(struct source *source)
{
    static const lws_retry_bo_t patient; /* no pings, no hang-up */
    const struct lws_client_connect_info info = {.context = source->context,
                                                 .address = "127.0.0.1",
                                                 .port = source->port,
                                                 .path = source->path,
                                                 .host = "127.0.0.1",
                                                 .origin = "127.0.0.1",
                                                 .protocol = LOOP_PROTOCOL,
                                                 .userdata = source,
                                                 .pwsi = &source->wsi,
                                                 .retry_and_idle_policy = &patient};
    source->has_said_hello = source->is_waiting = false;
    if (lws_client_connect_via_info(&info) == NULL)
        source_disconnected(source);
}

static void retry(lws_sorted_usec_list_t *timer)
{
    struct source *source = lws_container_of(timer, struct source, retry);
    if (!atomic_load(&source->is_gone))
        source_connect(source);
}

void source_disconnected(struct source *source)
{
    source->wsi = NULL;
    free(source->incomplete);
    source->incomplete = NULL;
    atomic_store(&source->is_stopped, false);
    if (source->is_waiting || atomic_load(&source->is_gone))
        return;
    source->is_waiting = true;
    lws_sul_schedule(source->context, 0, &source->retry, retry, RETRY_MS * LWS_US_PER_MS);
}

int source_hello(struct source *source, const char id[ENDPOINT_NAME])
{
    unsigned char room[LWS_PRE + ENDPOINT_NAME];
    const size_t size = strlen(id);
    if (source->has_said_hello)
        return 0;
    source->has_said_hello = true;
    memcpy(room + LWS_PRE, id, ENDPOINT_NAME);
    return lws_write(source->wsi, room + LWS_PRE, size, LWS_WRITE_BINARY) < (int)size ? -1 : 0;
}

/* ---- what comes -------------------------------------------------------------------------------------------------- */

/* The first frame says how long it is; if there are more, nothing says how many. */
static int make_room(struct source *source, size_t size, size_t rest)
{
    struct arrival *arrival = source->incomplete;
    const size_t taken = arrival == NULL ? 0 : arrival->size;
    if (arrival != NULL && size <= arrival->capacity - taken)
        return 0;
    const size_t capacity = arrival == NULL ? size + rest : 2 * (taken + size + rest);
    arrival = realloc(arrival, sizeof *arrival + capacity);
    if (arrival == NULL)
        return -1;
    arrival->source = source;
    arrival->size = taken;
    arrival->capacity = capacity;
    source->incomplete = arrival;
    return 0;
}

int source_receive(struct source *source, const void *data, size_t size, size_t max_bytes, struct arrival **out)
{
    const size_t taken = source->incomplete == NULL ? 0 : source->incomplete->size;
    const size_t rest = lws_remaining_packet_payload(source->wsi);
    *out = NULL;
    if (size > max_bytes - taken || rest > max_bytes - taken - size || make_room(source, size, rest) < 0)
        return -1;
    struct arrival *const arrival = source->incomplete;
    if (size > 0)
        memcpy(arrival->data + taken, data, size);
    arrival->size += size;
    if (!lws_is_final_fragment(source->wsi))
        return 0;
    source->incomplete = NULL;
    atomic_fetch_add(&source->references, 1);
    atomic_fetch_add(&source->held, arrival->size + ARRIVAL_OVERHEAD);
    *out = arrival;
    return 0;
}

/* It is marked before it is looked at once more: otherwise what was delivered meanwhile would not start it again. */
void source_throttle(struct source *source, size_t limit)
{
    if (atomic_load(&source->held) < limit || atomic_load(&source->is_stopped))
        return;
    atomic_store(&source->is_stopped, true);
    lws_rx_flow_control(source->wsi, 0);
    source_resume(source, limit);
}

void source_resume(struct source *source, size_t limit)
{
    if (source->wsi == NULL || !atomic_load(&source->is_stopped) || atomic_load(&source->held) >= limit / 2)
        return;
    atomic_store(&source->is_stopped, false);
    lws_rx_flow_control(source->wsi, 1);
}

bool source_delivered(struct arrival *arrival, size_t limit)
{
    struct source *const source = arrival->source;
    const size_t size = arrival->size + ARRIVAL_OVERHEAD, held = atomic_fetch_sub(&source->held, size) - size;
    const bool wakes = held < limit / 2 && atomic_load(&source->is_stopped);
    arrival_free(arrival);
    return wakes;
}
