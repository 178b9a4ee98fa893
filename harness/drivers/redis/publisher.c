#include "publisher.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int channel_copy(char out[CHANNEL], const ipcmark_endpoint *options)
{
    if (options->channel == NULL || options->channel[0] == '\0')
        return -EINVAL;
    if (strlen(options->channel) >= CHANNEL)
        return -ENAMETOOLONG;
    memcpy(out, options->channel, strlen(options->channel) + 1);
    return 0;
}

int publisher_check(const struct publisher *publisher, const ipcmark_part *parts, size_t count)
{
    if (count != 1)
        return -EINVAL;
    return parts[0].size > publisher->max_bytes ? -EMSGSIZE : 0;
}

static int connect_again(struct publisher *publisher)
{
    if (publisher->connection != NULL && publisher->connection->err == 0)
        return 0;
    if (publisher->connection != NULL)
        redisFree(publisher->connection);
    publisher->connection = NULL;
    return connection_open_at(&publisher->connection, publisher->host, publisher->port);
}

int publisher_enter(struct publisher *publisher)
{
    if (!callers_enter(&publisher->callers))
        return -ESHUTDOWN;
    pthread_mutex_lock(&publisher->lock);
    while (publisher->busy && !callers_refused(&publisher->callers))
        pthread_cond_wait(&publisher->turn, &publisher->lock);
    const bool refused = callers_refused(&publisher->callers);
    publisher->busy = publisher->busy || !refused;
    pthread_mutex_unlock(&publisher->lock);
    if (refused) {
        callers_leave(&publisher->callers);
        return -ESHUTDOWN;
    }
    const int result = connect_again(publisher);
    if (result < 0)
        publisher_leave(publisher);
    return result;
}

void publisher_leave(struct publisher *publisher)
{
    pthread_mutex_lock(&publisher->lock);
    publisher->busy = false;
    pthread_cond_signal(&publisher->turn);
    pthread_mutex_unlock(&publisher->lock);
    callers_leave(&publisher->callers);
}

int publisher_open(struct publisher **out, const ipcmark_endpoint *options, size_t limit)
{
    struct publisher *publisher = calloc(1, sizeof *publisher);
    if (publisher == NULL)
        return -ENOMEM;
    pthread_mutex_init(&publisher->lock, NULL);
    pthread_cond_init(&publisher->turn, NULL);
    callers_init(&publisher->callers);
    publisher->max_bytes = options->max_message_bytes;
    if (publisher->max_bytes == 0 || publisher->max_bytes > limit)
        publisher->max_bytes = limit;
    int result = channel_copy(publisher->channel, options);
    if (result == 0)
        result = broker_address(options, publisher->host, &publisher->port);
    if (result == 0)
        result = connect_again(publisher);
    if (result < 0)
        publisher_free(publisher);
    else
        *out = publisher;
    return result;
}

void publisher_stop(struct publisher *publisher)
{
    callers_refuse(&publisher->callers);
    pthread_mutex_lock(&publisher->lock);
    pthread_cond_broadcast(&publisher->turn);
    pthread_mutex_unlock(&publisher->lock);
    callers_await(&publisher->callers);
}

void publisher_free(struct publisher *publisher)
{
    if (publisher->connection != NULL)
        redisFree(publisher->connection);
    pthread_cond_destroy(&publisher->turn);
    pthread_mutex_destroy(&publisher->lock);
    free(publisher);
}
