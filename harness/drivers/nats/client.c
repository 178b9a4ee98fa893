#include "client.h"

#include "broker.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

/* The library has threads of its own, which stay until nats_Close, and may not be opened while it is being closed. */
static pthread_mutex_t library_lock = PTHREAD_MUTEX_INITIALIZER;
static unsigned library_users;

static int library_enter(void)
{
    int result = 0;
    pthread_mutex_lock(&library_lock);
    if (library_users == 0)
        result = client_error(nats_Open(-1));
    if (result == 0)
        ++library_users;
    pthread_mutex_unlock(&library_lock);
    return result;
}

static void library_leave(void)
{
    pthread_mutex_lock(&library_lock);
    if (--library_users == 0)
        nats_CloseAndWait(CLIENT_WAIT_MS);
    pthread_mutex_unlock(&library_lock);
}

int client_error(natsStatus status)
{
    switch (status) {
    case NATS_OK:
        return 0;
    case NATS_NO_MEMORY:
        return -ENOMEM;
    case NATS_NO_SERVER:
        return -ECONNREFUSED;
    case NATS_TIMEOUT:
        return -ETIMEDOUT;
    case NATS_INVALID_SUBJECT:
    case NATS_INVALID_ARG:
        return -EINVAL;
    case NATS_CONNECTION_CLOSED:
    case NATS_CONNECTION_DISCONNECTED:
    case NATS_STALE_CONNECTION:
        return -ENOTCONN;
    default:
        return -EIO;
    }
}

/* In a subject, dots, stars, blanks and more have a meaning of their own. */
static int subject_of(char out[CLIENT_SUBJECT], const char *prefix, const char *channel)
{
    size_t used = (size_t)snprintf(out, CLIENT_SUBJECT, "%s.", prefix);
    if (used + 2 * strlen(channel) >= CLIENT_SUBJECT)
        return -ENAMETOOLONG;
    for (const char *at = channel; *at != '\0'; ++at)
        used += (size_t)snprintf(out + used, CLIENT_SUBJECT - used, "%02x", (unsigned)(unsigned char)*at);
    return 0;
}

/* Without reconnecting: what was missed meanwhile nobody would be told, and a server that died comes back empty, if at
 * all, and elsewhere. */
static natsStatus connect_to(natsConnection **out, const char *url, const char *name, bool send_asap)
{
    natsOptions *options;
    natsStatus status = natsOptions_Create(&options);
    if (status != NATS_OK)
        return status;
    status = natsOptions_SetURL(options, url);
    if (status == NATS_OK)
        status = natsOptions_SetName(options, name);
    if (status == NATS_OK)
        status = natsOptions_SetTimeout(options, CLIENT_WAIT_MS);
    if (status == NATS_OK)
        status = natsOptions_SetAllowReconnect(options, false);
    if (status == NATS_OK)
        status = natsOptions_SetSendAsap(options, send_asap);
    if (status == NATS_OK)
        status = natsConnection_Connect(out, options);
    natsOptions_Destroy(options);
    return status;
}

int client_open(struct client *client, const ipcmark_endpoint *options, const char *prefix, bool send_asap)
{
    char host[BROKER_HOST], url[BROKER_HOST + 32];
    sigset_t all, before;
    int port, result = broker_address(options, host, &port);
    if (result == 0)
        result = subject_of(client->subject, prefix, options->channel);
    if (result < 0)
        return result;
    snprintf(url, sizeof url, "nats://%s:%d", host, port);
    /* The library's threads inherit what takes no signals: those are the process's own business. */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    result = library_enter();
    if (result == 0) {
        result = client_error(connect_to(&client->connection, url, options->id, send_asap));
        if (result < 0)
            library_leave();
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return result;
}

void client_disconnect(struct client *client)
{
    natsConnection_Close(client->connection);
}

void client_close(struct client *client)
{
    natsConnection_Destroy(client->connection);
    library_leave();
}
