/* What on_peer is told, without memory and when it lags. See --wrap in CMakeLists.txt. */
#include "cases.h"

#include "notify.h"
#include "receiver.h"

#include <errno.h>
#include <stdlib.h>

static _Atomic int is_out_of_memory;

void *__real_calloc(size_t count, size_t size); // NOLINT: the linker's names
void *__wrap_calloc(size_t count, size_t size); // NOLINT

void *__wrap_calloc(size_t count, size_t size) // NOLINT
{
    return is_out_of_memory ? NULL : __real_calloc(count, size);
}

static struct receiver receiver = RECEIVER_INIT;

static void open_notifier(struct notifier *notifier)
{
    mmipc_options options;
    mmipc_options_init(&options, sizeof options);
    options.on_peer = receiver_peer;
    options.user = &receiver;
    assert_int_equal(notifier_open(notifier, &options), 0);
}

static void the_end_is_told_without_memory(void **state)
{
    struct notice *reserved = NULL, *other = NULL;
    struct notifier notifier;
    (void)state;
    open_notifier(&notifier);
    assert_int_equal(notifier_reserve(&notifier, &reserved), 0);
    is_out_of_memory = 1;
    assert_int_equal(notifier_reserve(&notifier, &other), -ENOMEM);
    notifier_peer(&notifier, &reserved, MMIPC_PEER_CONNECTED, 1, MMIPC_REASON_NONE);
    notifier_peer(&notifier, &reserved, MMIPC_PEER_DISCONNECTED, 1, MMIPC_REASON_DIED);
    is_out_of_memory = 0;
    assert_null(reserved);
    notifier_close(&notifier); /* tells all first */
    assert_int_equal(receiver.event_count, 2);
    assert_int_equal(receiver.last_event, MMIPC_PEER_DISCONNECTED);
}

static void nobody_new_comes_while_it_lags(void **state)
{
    enum { MORE_THAN_WAIT = 10000 };
    struct notice *reserved = NULL, *early = NULL;
    struct notifier notifier;
    int result = 0, reservations = 0;
    (void)state;
    open_notifier(&notifier);
    assert_int_equal(notifier_reserve(&notifier, &early), 0);
    pthread_mutex_lock(&receiver.lock); /* it blocks */
    while (result == 0 && reservations < MORE_THAN_WAIT) {
        result = notifier_reserve(&notifier, &reserved);
        reservations += result == 0;
        notifier_peer(&notifier, &reserved, MMIPC_PEER_CONNECTED, 1, MMIPC_REASON_NONE);
        notifier_peer(&notifier, &reserved, MMIPC_PEER_SUSPENDED, 1, MMIPC_REASON_NONE);
    }
    assert_int_equal(result, -EAGAIN);
    notifier_peer(&notifier, &early, MMIPC_PEER_CONNECTED, 2,
                  MMIPC_REASON_NONE); /* who is here is told of all the same */
    notifier_peer(&notifier, &early, MMIPC_PEER_DISCONNECTED, 2, MMIPC_REASON_DIED);
    pthread_mutex_unlock(&receiver.lock);
    do /* it catches up; the case's time-out bounds this */
        sched_yield();
    while (notifier_reserve(&notifier, &reserved) == -EAGAIN);
    notifier_unreserve(&reserved);
    notifier_close(&notifier);
}

CASES_MAIN(CASE(the_end_is_told_without_memory), CASE(nobody_new_comes_while_it_lags))
