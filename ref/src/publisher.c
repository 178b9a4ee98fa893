/* Opening and closing a publisher, its counts and waits. */
#include "publisher.h"

#include "os/os.h"
#include "thread.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const size_t DEFAULT_BACKLOG_BYTES = (size_t)256 << 20;
static const size_t LARGEST_FIRST_RING_BYTES = (size_t)1 << 30;
/* 4 GiB, or what a small address space has */
static const size_t DEFAULT_TOTAL_BYTES = SIZE_MAX / 2 < UINT64_C(4) << 30 ? SIZE_MAX / 2 : (size_t)(UINT64_C(4) << 30);

static int choose_sizes(mmipc_publisher *publisher)
{
    const mmipc_options *options = &publisher->endpoint.options;
    const size_t wanted = options->segment_bytes;
    size_t bytes = SMALLEST_RING_BYTES, limit;
    if (wanted > LARGEST_FIRST_RING_BYTES)
        return -EINVAL;
    publisher->max_backlog = options->max_backlog_bytes == 0 ? DEFAULT_BACKLOG_BYTES : options->max_backlog_bytes;
    publisher->max_total = options->max_total_bytes == 0 ? DEFAULT_TOTAL_BYTES : options->max_total_bytes;
    while (bytes < wanted && bytes < publisher->max_backlog)
        bytes *= 2;
    publisher->first_ring_bytes = publisher->first_limit = bytes;
    if (publisher->max_backlog < bytes) { /* one message of that size fits */
        limit = align_up(publisher->max_backlog + RECORD_HEADER_BYTES, RECORD_ALIGN) + RECORD_SPECIAL_BYTES;
        publisher->first_limit = limit < bytes ? limit : bytes;
    }
    return 0;
}

int mmipc_publisher_open(mmipc_publisher **out, const char *channel, const char *server_dir,
                         const mmipc_options *options)
{
    mmipc_publisher *publisher = out == NULL ? NULL : calloc(1, sizeof *publisher);
    int error;
    if (publisher == NULL)
        return out == NULL ? -EINVAL : -ENOMEM;
    gate_open(&publisher->gate); /* first: its barrier is registered while this process may still have one thread */
    error = endpoint_open(&publisher->endpoint, &publisher_role, channel, server_dir, options);
    if (error != 0) {
        gate_close(&publisher->gate);
        free(publisher);
        return error;
    }
    publisher->retry_ns = FIRST_RETRY_NS;
    error = nudge_open(&publisher->nudge);
    if (error == 0)
        error = choose_sizes(publisher);
    if (error == 0)
        error = endpoint_start(&publisher->endpoint);
    if (error != 0) {
        mmipc_publisher_close(publisher);
        return error;
    }
    *out = publisher;
    return 0;
}

/* What the last thread of a closing publisher does. */
static void finish(void *argument)
{
    mmipc_publisher *publisher = argument;
    endpoint_stop(&publisher->endpoint);
    endpoint_wait_alone(&publisher->endpoint);
    gate_enter_locked(&publisher->gate, false); /* after the last publish has left */
    gate_leave_locked(&publisher->gate);
    gate_close(&publisher->gate);
    endpoint_close(&publisher->endpoint);
    directory_forget(&publisher->memory);
    pool_close(&publisher->pool);
    nudge_close(&publisher->nudge);
    free(publisher->outlets);
    free(publisher);
}

void mmipc_publisher_close(mmipc_publisher *publisher)
{
    if (publisher == NULL)
        return;
    if (endpoint_forked(&publisher->endpoint)) {
        free(publisher); /* the rest may have been half changed by a thread that does not exist in this process */
        return;
    }
    flag_set(&publisher->endpoint.closing, 1);
    nudge_give(&publisher->nudge);
    endpoint_kick(&publisher->endpoint);
    if (notifier_is_current(&publisher->endpoint.notifier)) {
        notifier_mute(&publisher->endpoint.notifier);
        notifier_finish_with(&publisher->endpoint.notifier, finish, publisher);
    } else {
        finish(publisher);
    }
}

int mmipc_publisher_connections(mmipc_publisher *publisher)
{
    return publisher == NULL ? -EINVAL : endpoint_connections(&publisher->endpoint);
}

int mmipc_publisher_wait_connected(mmipc_publisher *publisher, int count, int timeout_ms)
{
    return publisher == NULL ? -EINVAL : endpoint_wait_connected(&publisher->endpoint, count, timeout_ms);
}

int mmipc_publisher_wait_disconnected(mmipc_publisher *publisher, int timeout_ms)
{
    return publisher == NULL ? -EINVAL : endpoint_wait_disconnected(&publisher->endpoint, timeout_ms);
}
