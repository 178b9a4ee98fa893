#include "loop.h"

#include "stream.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>

/* Creating a context sets SIGPIPE to be ignored, for the whole process. That is the process's own business; writes are
 * made with MSG_NOSIGNAL, and in a thread that blocks it. */
static struct lws_context *create_quietly(const struct lws_context_creation_info *info)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    struct sigaction before;
    struct lws_context *context;
    pthread_mutex_lock(&lock);
    lws_set_log_level(0, NULL);
    sigaction(SIGPIPE, NULL, &before);
    context = lws_create_context(info);
    sigaction(SIGPIPE, &before, NULL);
    pthread_mutex_unlock(&lock);
    return context;
}

/* Less than the process may have open: otherwise the library would index its tables by descriptor, as far as the limit
 * is now, and that may be raised. */
static unsigned connections_max(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur > LOOP_CONNECTIONS_MAX + 8)
        return LOOP_CONNECTIONS_MAX;
    return limit.rlim_cur > 16 ? (unsigned)limit.rlim_cur - 8 : 8;
}

int loop_open(struct loop *loop, const struct loop_kind *kind, void *owner)
{
    /* No pings and no hang-up, which are the default after five minutes of silence: who is stopped is not dead. */
    static const lws_retry_bo_t patient;
    const struct lws_context_creation_info info = {
        .port = kind->port,
        .iface = kind->port == CONTEXT_PORT_NO_LISTEN ? NULL : "127.0.0.1",
        .protocols = loop->protocols,
        .user = loop,
        .options = LWS_SERVER_OPTION_DISABLE_IPV6 | LWS_SERVER_OPTION_FAIL_UPON_UNABLE_TO_BIND,
        .http_proxy_address = "", /* or the environment's would be asked for 127.0.0.1 */
        .fd_limit_per_thread = connections_max(),
        .pt_serv_buf_size = (unsigned)kind->receive_bytes,
        .retry_and_idle_policy = &patient,
    };
    loop->protocols[0] = (struct lws_protocols){.name = LOOP_PROTOCOL,
                                                .callback = kind->callback,
                                                .per_session_data_size = kind->session_bytes,
                                                .rx_buffer_size = kind->receive_bytes,
                                                .tx_packet_size = LOOP_FRAME};
    loop->protocols[1] = (struct lws_protocols){.name = NULL};
    loop->owner = owner;
    errno = 0;
    loop->context = create_quietly(&info);
    if (loop->context != NULL && (kind->port == CONTEXT_PORT_NO_LISTEN || loop_port(loop) > 0))
        return 0;
    const int error = errno; /* the library does not say what it was */
    loop_close(loop);
    return error != 0 ? -error : -ENOMEM;
}

int loop_port(const struct loop *loop)
{
    return lws_get_vhost_listen_port(lws_get_vhost_by_name(loop->context, "default"));
}

static void *serve(void *context)
{
    struct loop *loop = context;
    while (!atomic_load(&loop->ended) && lws_service(loop->context, 0) >= 0)
        if (loop->served != NULL)
            loop->served(loop->owner);
    return NULL;
}

int loop_start(struct loop *loop)
{
    const int result = thread_start(&loop->thread, serve, loop);
    loop->is_running = result == 0;
    return result;
}

void loop_close(struct loop *loop)
{
    if (loop->is_running)
        pthread_join(loop->thread, NULL);
    loop->is_running = false;
    if (loop->context == NULL)
        return;
    lws_sul_cancel(&loop->farewell);
    lws_context_destroy(loop->context);
    loop->context = NULL;
}

bool loop_claim(struct loop *loop)
{
    return !atomic_exchange(&loop->woken, true);
}

void loop_ring(struct loop *loop)
{
    lws_cancel_service(loop->context);
}

void loop_wake(struct loop *loop)
{
    if (loop_claim(loop))
        loop_ring(loop);
}

void loop_awake(struct loop *loop)
{
    atomic_store(&loop->woken, false);
}

/* A round that has run its timers goes on to wait, whatever these did. */
void loop_end(struct loop *loop)
{
    atomic_store(&loop->ended, true);
    loop_ring(loop);
}

static void farewell_over(lws_sorted_usec_list_t *timer)
{
    loop_end(lws_container_of(timer, struct loop, farewell));
}

void loop_end_soon(struct loop *loop)
{
    lws_sul_schedule(loop->context, 0, &loop->farewell, farewell_over, LOOP_FAREWELL_MS * LWS_US_PER_MS);
}

void *loop_owner(struct lws *connection)
{
    return ((struct loop *)lws_context_user(lws_get_context(connection)))->owner;
}
