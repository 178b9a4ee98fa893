#include "driver.h"

#include <stdlib.h>
#include <string.h>

/* With the lock. */
static struct pipe **find(struct company *company, int id)
{
    struct pipe **at = &company->pipes;
    while (*at != NULL && (*at)->id != id)
        at = &(*at)->next;
    return at;
}

/* What is never counted leaves again, too. */
static void begin(struct company *company, nng_pipe pipe)
{
    struct pipe *new = calloc(1, sizeof *new);
    if (new == NULL) {
        nng_pipe_close(pipe); /* it comes again */
        return;
    }
    new->id = nng_pipe_id(pipe);
    new->dialer = nng_dialer_id(nng_pipe_dialer(pipe));
    new->next = company->pipes;
    company->pipes = new;
}

/* With the lock, as the others. True: it is to be told, and the name is in peer. */
static bool is_up(struct company *company, nng_pipe pipe, char peer[ENDPOINT_NAME])
{
    struct pipe *up = *find(company, nng_pipe_id(pipe));
    if (up == NULL || !company->name(company->context, pipe, up->peer))
        return false; /* it ended before it was told to have begun */
    up->is_counted = true;
    ++company->count;
    memcpy(peer, up->peer, ENDPOINT_NAME);
    return true;
}

static bool is_down(struct company *company, nng_pipe pipe, char peer[ENDPOINT_NAME])
{
    struct pipe **at = find(company, nng_pipe_id(pipe)), *down = *at;
    if (down == NULL)
        return false;
    const bool was_counted = down->is_counted;
    memcpy(peer, down->peer, ENDPOINT_NAME);
    *at = down->next;
    company->count -= was_counted;
    free(down);
    return was_counted;
}

/* A dialer whose pipe has ended dials anew: after a random part of NNG_OPT_RECONNMINT (src/core/socket.c of 1.5.2), but
 * the number is negative half of the time, and that is at once. Of a socket that is being closed the publisher would
 * count whoever comes so, or lose its listener to one that hangs up again at once. */
static void stay_away(nng_pipe pipe)
{
    const nng_dialer dialer = nng_pipe_dialer(pipe);
    if (nng_dialer_id(dialer) > 0)
        nng_dialer_close(dialer);
}

static void changed(nng_pipe pipe, nng_pipe_ev event, void *context)
{
    struct company *company = context;
    char peer[ENDPOINT_NAME];
    bool tell = false;
    pthread_mutex_lock(&company->lock);
    if (event == NNG_PIPE_EV_ADD_PRE)
        begin(company, pipe);
    else if (event == NNG_PIPE_EV_ADD_POST)
        tell = is_up(company, pipe, peer);
    else
        tell = is_down(company, pipe, peer);
    const bool is_closing = company->closing;
    pthread_mutex_unlock(&company->lock);
    if (is_closing && event == NNG_PIPE_EV_REM_POST)
        stay_away(pipe);
    else if (tell && !is_closing)
        endpoint_report(company->endpoint, peer, event == NNG_PIPE_EV_ADD_POST);
}

int company_open(struct company *company, nng_socket socket)
{
    pthread_mutex_init(&company->lock, NULL);
    int result = nng_pipe_notify(socket, NNG_PIPE_EV_ADD_PRE, changed, company);
    if (result == 0)
        result = nng_pipe_notify(socket, NNG_PIPE_EV_ADD_POST, changed, company);
    if (result == 0)
        result = nng_pipe_notify(socket, NNG_PIPE_EV_REM_POST, changed, company);
    return nng_driver_error(result);
}

void company_silence(struct company *company)
{
    pthread_mutex_lock(&company->lock);
    company->closing = true;
    pthread_mutex_unlock(&company->lock);
}

void company_close(struct company *company)
{
    for (struct pipe *pipe; (pipe = company->pipes) != NULL;) {
        company->pipes = pipe->next;
        free(pipe);
    }
    pthread_mutex_destroy(&company->lock);
}

int company_count(struct company *company)
{
    pthread_mutex_lock(&company->lock);
    const int count = company->count;
    pthread_mutex_unlock(&company->lock);
    return count;
}

bool company_has_any(struct company *company)
{
    pthread_mutex_lock(&company->lock);
    const bool has = company->pipes != NULL;
    pthread_mutex_unlock(&company->lock);
    return has;
}

bool company_has_dialer(const struct company *company, int dialer)
{
    const struct pipe *pipe = company->pipes;
    while (pipe != NULL && pipe->dialer != dialer)
        pipe = pipe->next;
    return pipe != NULL;
}
