/* Pull mode: mmipc_subscriber_receive, its descriptor, and messages that are released in any order from any thread. */
#include "os/os.h"
#include "subscriber.h"
#include "thread.h"

#include <errno.h>
#include <stdlib.h>

/* Takes a record as a message. 0: there is none. */
static int take(struct mmipc_subscriber *subscriber, struct inlet *inlet, mmipc_message **out)
{
    struct ring_record record;
    mmipc_message *message;
    int got = inlet->condemned ? 0 : inlet_take(inlet, &record);
    if (got == 0)
        return 0;
    if (got == -ENOMEM)
        return got;
    if (got < 0) {
        inlet_condemn(subscriber, inlet, got);
        return 0;
    }
    message = malloc(sizeof *message + record.count * sizeof *message->parts);
    if (message == NULL) {
        inlet->ring.position = record.position; /* nothing is lost: the next receive takes it */
        return -ENOMEM;
    }
    if (message_parts(record.body, record.size, message->parts, record.count) != 0) {
        free(message);
        inlet_condemn(subscriber, inlet, -EPROTO);
        return 0;
    }
    message->inlet = inlet;
    message->next = NULL;
    message->end = record.position + record.total;
    message->released = false;
    message->count = record.count;
    pthread_mutex_lock(&inlet->lock);
    inlet->references++;
    if (inlet->oldest == NULL)
        inlet->oldest = message;
    else
        inlet->newest->next = message;
    inlet->newest = message;
    pthread_mutex_unlock(&inlet->lock);
    tally_add(&subscriber->endpoint.tally, record.size);
    *out = message;
    return 1;
}

static int take_any(struct mmipc_subscriber *subscriber, mmipc_message **out)
{
    receive_adopt(subscriber);
    for (size_t i = 0; i < subscriber->inlet_count; ++i) { /* a message of each in turn */
        const size_t index = (subscriber->next_inlet + i) % subscriber->inlet_count;
        int got = take(subscriber, subscriber->inlets[index], out);
        if (got != 0) {
            subscriber->next_inlet = index + 1;
            return got;
        }
    }
    return 0;
}

/* The publishers' wake-ups so far are dealt with; only newer ones may make the descriptor readable. */
static void clear_wake_ups(struct mmipc_subscriber *subscriber)
{
    os_event_clear(subscriber->attention_event); /* its flag is looked at after this */
    receive_clear(subscriber);
    if (subscriber->ready_raised)
        os_event_clear(subscriber->ready_event);
    subscriber->ready_raised = false;
}

static void raise_ready(struct mmipc_subscriber *subscriber)
{
    if (!subscriber->ready_raised)
        os_event_signal(subscriber->ready_event);
    subscriber->ready_raised = true;
}

/* From here on the descriptor is readable exactly when there is a message: either one is here, or publishers wake us.
 */
static void arm_descriptor(struct mmipc_subscriber *subscriber)
{
    if (subscriber->ready_raised && receive_any_ready(subscriber))
        return;
    if (!subscriber->announced || !receive_any_ready(subscriber)) {
        clear_wake_ups(subscriber);
        receive_announce(subscriber);
    }
    if (receive_any_ready(subscriber))
        raise_ready(subscriber);
    else
        os_timer_start(subscriber->settled.fd, OS_SETTLED_NS);
}

/* Whoever has the turn arms anew when it gives it back, and looks then. The control thread does not take it: a receive
 * that must not wait would find it taken. */
void pull_settled(struct endpoint *endpoint, struct watch *watch)
{
    struct mmipc_subscriber *subscriber = (struct mmipc_subscriber *)(void *)endpoint; /* its first member */
    (void)watch;
    if (!turn_hold_if_free(&subscriber->receiving_turn))
        return;
    if (receive_any_ready(subscriber))
        raise_ready(subscriber);
    turn_let_go(&subscriber->receiving_turn);
}

/* Or until the deadline, or the later look finds something. -errno. */
static int sleep_until_woken(struct mmipc_subscriber *subscriber, int64_t deadline_ns)
{
    const int fds[] = {subscriber->poller};
    const int64_t settled_ns = os_now_ns() + OS_SETTLED_NS;
    int result;
    if (deadline_ns >= 0 && deadline_ns <= settled_ns)
        return os_poll(fds, 1, deadline_ns);
    result = os_poll(fds, 1, settled_ns);
    if (result == 0 && !receive_any_ready(subscriber))
        result = os_poll(fds, 1, deadline_ns);
    return result;
}

static int wait_for_one(struct mmipc_subscriber *subscriber, int64_t deadline_ns)
{
    const int64_t start_ns = os_now_ns();
    int result = 1;
    if (!flag_get(&subscriber->descriptor_used) && receive_poll(subscriber, start_ns, deadline_ns))
        return 0;
    clear_wake_ups(subscriber);
    receive_announce(subscriber);
    if (!receive_any_ready(subscriber) && !flag_get(&subscriber->endpoint.closing))
        result = sleep_until_woken(subscriber, deadline_ns);
    if (!flag_get(&subscriber->descriptor_used))
        receive_awake(subscriber);
    spin_learn(&subscriber->spin, os_now_ns() - start_ns, false);
    if (result < 0)
        return result;
    /* What is there at the deadline is still taken, woken for it or not. */
    return deadline_ns < 0 || os_now_ns() < deadline_ns || receive_any_ready(subscriber) ? 0 : -ETIMEDOUT;
}

static int receive(struct mmipc_subscriber *subscriber, mmipc_message **out, int timeout_ms, int64_t deadline_ns)
{
    int result = 0;
    while (result == 0) {
        if (flag_get(&subscriber->endpoint.closing))
            return -ESHUTDOWN;
        result = take_any(subscriber, out);
        if (result == 0)
            result = timeout_ms == 0             ? -ETIMEDOUT
                     : thread_is_callback_thread ? -EDEADLK
                                                 : wait_for_one(subscriber, deadline_ns);
    }
    if (flag_get(&subscriber->descriptor_used))
        arm_descriptor(subscriber);
    return result > 0 ? 0 : result;
}

/* Who finds the turn taken leaves the arming to its holder, which looks for that after it has given the turn back. */
static void arm_if_free(struct mmipc_subscriber *subscriber)
{
    if (!flag_get(&subscriber->descriptor_used) || turn_take(&subscriber->receiving_turn, 0) != 0)
        return;
    receive_adopt(subscriber);
    arm_descriptor(subscriber);
    turn_give(&subscriber->receiving_turn);
}

int mmipc_subscriber_receive(mmipc_subscriber *subscriber, mmipc_message **out, int timeout_ms)
{
    const int64_t deadline_ns = thread_deadline(timeout_ms);
    int result;
    if (subscriber == NULL || out == NULL || subscriber->on_message != NULL)
        return -EINVAL;
    if (endpoint_forked(&subscriber->endpoint))
        return -EPERM;
    endpoint_enter(&subscriber->endpoint);
    result = turn_take(&subscriber->receiving_turn, thread_is_callback_thread ? 0 : deadline_ns);
    if (result == 0) {
        const bool armed = flag_get(&subscriber->descriptor_used);
        result = receive(subscriber, out, timeout_ms, deadline_ns);
        turn_give(&subscriber->receiving_turn);
        if (!armed)
            arm_if_free(subscriber);
    } else if (thread_is_callback_thread && timeout_ms != 0) {
        result = -EDEADLK;
    }
    endpoint_leave(&subscriber->endpoint);
    return result;
}

int mmipc_subscriber_fd(mmipc_subscriber *subscriber)
{
    int fd;
    if (subscriber == NULL || subscriber->on_message != NULL)
        return -EINVAL;
    if (endpoint_forked(&subscriber->endpoint))
        return -EPERM;
    endpoint_enter(&subscriber->endpoint);
    fd = subscriber->poller;
    flag_set(&subscriber->descriptor_used, 1);
    receive_look_up(subscriber); /* a receive that polls or sleeps elsewhere goes on under the new rule */
    arm_if_free(subscriber);
    endpoint_leave(&subscriber->endpoint);
    return fd;
}

size_t mmipc_message_parts(const mmipc_message *message, const mmipc_part **parts)
{
    if (parts != NULL)
        *parts = message->parts;
    return message->count;
}

void mmipc_message_release(mmipc_message *message)
{
    struct inlet *inlet;
    if (message == NULL)
        return;
    inlet = message->inlet;
    if (inlet->generation !=
        atomic_load_explicit(&os_fork_generation, memory_order_relaxed)) { /* relaxed: as everywhere */
        free(message); /* a child of fork() has neither the inlet's memory nor a say in it */
        return;
    }
    pthread_mutex_lock(&inlet->lock);
    message->released = true;
    while (inlet->oldest != NULL && inlet->oldest->released) { /* the tail stops at the oldest that is still held */
        mmipc_message *done = inlet->oldest;
        inlet->oldest = done->next;
        inlet->references--;
        if (!inlet->closed)
            inlet_free_to(inlet, inlet->oldest == NULL && inlet->passed > done->end ? inlet->passed : done->end);
        free(done);
    }
    inlet_unlock_or_free(inlet);
}
