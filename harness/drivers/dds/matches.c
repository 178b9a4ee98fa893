#include "matches.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct match {
    struct match *next;
    dds_instance_handle_t handle;
    char *id; /* or NULL */
};

static char *id_of(dds_builtintopic_endpoint_t *description)
{
    void *data = NULL;
    size_t size;
    if (description == NULL)
        return NULL;
    /* A terminating NUL is added that size does not count. */
    if (description->qos == NULL || !dds_qget_userdata(description->qos, &data, &size) || size >= ENDPOINT_NAME)
        size = 0;
    char *id = size == 0 ? NULL : strndup(data, size);
    dds_free(data);
    dds_builtintopic_free_endpoint(description);
    return id;
}

/* The description is gone when the peer is: its id is kept from when it came. */
static void add(struct matches *matches, dds_instance_handle_t handle, dds_builtintopic_endpoint_t *description)
{
    char *id = id_of(description);
    struct match *match = calloc(1, sizeof *match);
    pthread_mutex_lock(&matches->lock);
    if (match != NULL) {
        *match = (struct match){matches->list, handle, id};
        matches->list = match;
    }
    atomic_fetch_add(&matches->count, 1);
    if (!matches->muted)
        endpoint_report(&matches->endpoint, id, true);
    pthread_mutex_unlock(&matches->lock);
    if (match == NULL)
        free(id);
}

static void discard(struct match *match)
{
    if (match != NULL)
        free(match->id);
    free(match);
}

static void take_away(struct matches *matches, dds_instance_handle_t handle)
{
    struct match **at = &matches->list;
    pthread_mutex_lock(&matches->lock);
    while (*at != NULL && (*at)->handle != handle)
        at = &(*at)->next;
    struct match *match = *at;
    if (match != NULL)
        *at = match->next;
    atomic_fetch_sub(&matches->count, 1);
    if (!matches->muted)
        endpoint_report(&matches->endpoint, match == NULL ? NULL : match->id, false);
    pthread_mutex_unlock(&matches->lock);
    discard(match);
}

static void subscription(dds_entity_t writer, const dds_publication_matched_status_t status, void *context)
{
    if (status.current_count_change > 0)
        add(context, status.last_subscription_handle,
            dds_get_matched_subscription_data(writer, status.last_subscription_handle));
    else if (status.current_count_change < 0)
        take_away(context, status.last_subscription_handle);
}

static void publication(dds_entity_t reader, const dds_subscription_matched_status_t status, void *context)
{
    if (status.current_count_change > 0)
        add(context, status.last_publication_handle,
            dds_get_matched_publication_data(reader, status.last_publication_handle));
    else if (status.current_count_change < 0)
        take_away(context, status.last_publication_handle);
}

int matches_open(struct matches *matches, const ipcmark_endpoint *options)
{
    const int result = endpoint_copy(&matches->endpoint, options);
    if (result < 0)
        return result;
    pthread_mutex_init(&matches->lock, NULL);
    return 0;
}

void matches_mute(struct matches *matches)
{
    pthread_mutex_lock(&matches->lock);
    matches->muted = true;
    pthread_mutex_unlock(&matches->lock);
}

void matches_close(struct matches *matches)
{
    while (matches->list != NULL) {
        struct match *match = matches->list;
        matches->list = match->next;
        discard(match);
    }
    pthread_mutex_destroy(&matches->lock);
}

dds_listener_t *matches_listener(struct matches *matches)
{
    dds_listener_t *listener = dds_create_listener(matches);
    dds_lset_publication_matched(listener, subscription);
    dds_lset_subscription_matched(listener, publication);
    return listener;
}
