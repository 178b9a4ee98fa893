/* The rivals' transports bring every message, whole and in order, small and large; and leave no file. (libmmipc does
 * not connect a process with itself; its rows are in the test of the command.) */
#include <cases.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../targets/peer/message.h"
#include "../targets/peer/transport.h"

static struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    size_t size;
    uint64_t next;
    bool wrong;
} seen = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

static void take(void *user, const void *data, size_t size)
{
    (void)user;
    pthread_mutex_lock(&seen.lock);
    seen.wrong = seen.wrong || size != seen.size || !message_holds(data, size, seen.next);
    ++seen.next;
    pthread_cond_broadcast(&seen.changed);
    pthread_mutex_unlock(&seen.lock);
}

static void await(uint64_t count)
{
    pthread_mutex_lock(&seen.lock);
    while (seen.next < count)
        pthread_cond_wait(&seen.changed, &seen.lock); /* the test's own time-out ends it */
    pthread_mutex_unlock(&seen.lock);
}

static void bring(const struct transport *transport, size_t size, unsigned count)
{
    char directory[] = "/tmp/bench-transport.XXXXXX";
    struct place place = {.directory = directory, .name = "there", .message_bytes = size, .peers = 1};
    unsigned char *message = calloc(1, size);
    void *receiver, *sender;

    seen.size = size;
    seen.next = 0;
    seen.wrong = false;
    assert_non_null(mkdtemp(directory));
    assert_int_equal(transport->receiver_open(&receiver, &place, take, NULL), 0);
    assert_int_equal(transport->sender_open(&sender, &place), 0);
    for (unsigned i = 0; i < count; ++i) {
        message_write(message, size, i);
        assert_int_equal(transport->send(sender, message, size), 0);
    }
    await(count);
    transport->receiver_close(receiver);
    transport->sender_close(sender);
    assert_false(seen.wrong);
    assert_int_equal(seen.next, count);
    free(message);
    assert_int_equal(rmdir(directory), 0);
}

static void try(const char *name)
{
    const struct transport *transport = transport_find(name);
    assert_non_null(transport);
    bring(transport, 64, 20000);
    bring(transport, 1000, 5000);
    bring(transport, 1 << 20, 20);
}

static void bare_ring(void **state)
{
    (void)state;
    try("bare-ring");
}

static void fifo(void **state)
{
    (void)state;
    try("fifo");
}

static void unix_socket(void **state)
{
    (void)state;
    try("unix");
}

static void tcp(void **state)
{
    (void)state;
    try("tcp");
}

static void unknown_transport_is_none(void **state)
{
    (void)state;
    assert_null(transport_find("pigeon"));
    assert_null(transport_find(NULL));
}

CASES_MAIN(CASE(bare_ring), CASE(fifo), CASE(unix_socket), CASE(tcp), CASE(unknown_transport_is_none))
