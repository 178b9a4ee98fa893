/* Opening and closing a subscriber, its counts and waits. */
#include "subscriber.h"

#include "os/os.h"
#include "thread.h"

#include <errno.h>
#include <stdlib.h>

static int open_receiving_side(mmipc_subscriber *subscriber)
{
    int error;
    subscriber->poller = os_poller_create();
    if (subscriber->poller < 0)
        return subscriber->poller;
    subscriber->attention_event = os_event_create();
    if (subscriber->attention_event < 0)
        return subscriber->attention_event;
    error = os_poller_add(subscriber->poller, subscriber->attention_event, NULL, subscriber->on_message != NULL);
    if (error != 0)
        return error;
    if (subscriber->on_message != NULL) {
        error = thread_start(&subscriber->thread, deliver_run, subscriber);
        subscriber->thread_running = error == 0;
        return error;
    }
    subscriber->ready_event = os_event_create();
    if (subscriber->ready_event < 0)
        return subscriber->ready_event;
    error = os_poller_add(subscriber->poller, subscriber->ready_event, NULL, false);
    if (error != 0)
        return error;
    subscriber->settled.fd = os_timer_create();
    if (subscriber->settled.fd < 0)
        return subscriber->settled.fd;
    return os_poller_add(subscriber->endpoint.poller, subscriber->settled.fd, &subscriber->settled, true);
}

int mmipc_subscriber_open(mmipc_subscriber **out, const char *channel, const char *server_dir,
                          mmipc_message_fn *on_message, void *user, const mmipc_options *options)
{
    mmipc_subscriber *subscriber = out == NULL ? NULL : calloc(1, sizeof *subscriber);
    int error;
    if (subscriber == NULL)
        return out == NULL ? -EINVAL : -ENOMEM;
    error = endpoint_open(&subscriber->endpoint, &subscriber_role, channel, server_dir, options);
    if (error != 0) {
        free(subscriber);
        return error;
    }
    subscriber->on_message = on_message;
    subscriber->user = user;
    subscriber->poller = subscriber->attention_event = subscriber->ready_event = -1;
    subscriber->settled = (struct watch){pull_settled, -1};
    pthread_mutex_init(&subscriber->handover, NULL);
    error = turn_open(&subscriber->receiving_turn);
    spin_open(&subscriber->spin, subscriber->endpoint.options.spin_us, subscriber->endpoint.load,
              subscriber->endpoint.processors);
    if (error == 0)
        error = open_receiving_side(subscriber);
    if (error == 0)
        error = endpoint_start(&subscriber->endpoint);
    if (error != 0) {
        mmipc_subscriber_close(subscriber);
        return error;
    }
    *out = subscriber;
    return 0;
}

static void free_all(struct mmipc_subscriber *subscriber)
{
    free(subscriber->added);
    free(subscriber->inlets);
    free(subscriber->parts);
    free(subscriber);
}

/* All but the calling thread itself, which may be the data thread or the notifier's. */
void subscriber_finish(struct mmipc_subscriber *subscriber)
{
    endpoint_stop(&subscriber->endpoint); /* first, so that no publisher waits for us while on_message runs */
    if (subscriber->thread_running && !pthread_equal(pthread_self(), subscriber->thread))
        pthread_join(subscriber->thread, NULL);
    endpoint_wait_alone(&subscriber->endpoint);
    watch_close(&subscriber->endpoint, &subscriber->settled);
    endpoint_close(&subscriber->endpoint);
    directory_forget(&subscriber->memory);
    os_close(subscriber->ready_event);
    os_close(subscriber->attention_event);
    os_close(subscriber->poller);
    turn_close(&subscriber->receiving_turn);
    pthread_mutex_destroy(&subscriber->handover);
    free_all(subscriber);
}

static void finish(void *argument)
{
    subscriber_finish(argument);
}

void mmipc_subscriber_close(mmipc_subscriber *subscriber)
{
    bool on_data_thread;
    if (subscriber == NULL)
        return;
    if (endpoint_forked(&subscriber->endpoint)) {
        free(subscriber); /* the rest may have been half changed by a thread that does not exist in this process */
        return;
    }
    on_data_thread = subscriber->thread_running && pthread_equal(pthread_self(), subscriber->thread);
    if (on_data_thread) {
        notifier_mute(&subscriber->endpoint.notifier);
        subscriber->finish_here = true;
    }
    flag_set(&subscriber->endpoint.closing, 1);
    endpoint_kick(&subscriber->endpoint);
    if (subscriber->attention_event >= 0)
        receive_look_up(subscriber);
    if (on_data_thread) /* what is left to do, it does when on_message returns */
        return;
    if (notifier_is_current(&subscriber->endpoint.notifier)) {
        notifier_mute(&subscriber->endpoint.notifier);
        notifier_finish_with(&subscriber->endpoint.notifier, finish, subscriber);
    } else {
        finish(subscriber);
    }
}

int mmipc_subscriber_connections(mmipc_subscriber *subscriber)
{
    return subscriber == NULL ? -EINVAL : endpoint_connections(&subscriber->endpoint);
}

int mmipc_subscriber_wait_connected(mmipc_subscriber *subscriber, int count, int timeout_ms)
{
    return subscriber == NULL ? -EINVAL : endpoint_wait_connected(&subscriber->endpoint, count, timeout_ms);
}

int mmipc_subscriber_wait_disconnected(mmipc_subscriber *subscriber, int timeout_ms)
{
    return subscriber == NULL ? -EINVAL : endpoint_wait_disconnected(&subscriber->endpoint, timeout_ms);
}
