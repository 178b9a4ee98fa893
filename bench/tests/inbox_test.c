/* What a receiver makes of each message: a wrong one is an error of the round, and between rounds the handler holds. */
#include <cases.h>

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>

#include <ipcmark/journal.h>

#include "../targets/peer/inbox.h"
#include "../targets/peer/message.h"

enum { SIZE = 5000 };

static struct inbox inbox;
static unsigned char message[SIZE];

/* What the receiver's thread is given, in this order. */
static struct feed {
    uint64_t first, count;
    size_t size;
    size_t spoilt_at; /* a byte that is wrong in the last one; SIZE: none */
} feed;

static void *feed_all(void *argument)
{
    (void)argument;
    for (uint64_t i = 0; i < feed.count; ++i) {
        message_write(message, SIZE, feed.first + i);
        if (inbox.work == INBOX_TIME)
            message_set_time(message, ipcmark_now_ns());
        if (i + 1 == feed.count && feed.spoilt_at < SIZE)
            message[feed.spoilt_at] ^= 1;
        inbox_take(&inbox, message, feed.size);
    }
    return NULL;
}

/* One round that wants `wanted` messages. */
static int play(enum inbox_work work, uint64_t wanted, struct feed what)
{
    pthread_t thread;
    int result;

    feed = what;
    assert_int_equal(inbox_open(&inbox, work, SIZE), 0);
    assert_int_equal(pthread_create(&thread, NULL, feed_all, NULL), 0);
    result = inbox_round(&inbox, wanted, 2);
    inbox_release(&inbox);
    assert_int_equal(pthread_join(thread, NULL), 0);
    return result;
}

static void right_messages_end_the_round(void **state)
{
    (void)state;
    assert_int_equal(play(INBOX_COUNT, 10, (struct feed){0, 10, SIZE, SIZE}), 0);
    assert_true(inbox.end_ns > 0);
    inbox_close(&inbox);
}

static void wrong(struct feed what, const char *text)
{
    assert_int_equal(play(INBOX_COUNT, what.count, what), -EBADMSG);
    if (strstr(inbox.error, text) == NULL)
        fail_msg("'%s' is not in '%s'", text, inbox.error);
    inbox_close(&inbox);
}

static void wrong_messages_are_errors(void **state)
{
    (void)state;
    wrong((struct feed){1, 3, SIZE, SIZE}, "message 0 ");     /* the first one is lost */
    wrong((struct feed){0, 3, SIZE - 8, SIZE}, "message 0 "); /* cut off */
    wrong((struct feed){0, 3, SIZE, 0}, "message 2 ");        /* torn in its first word, … */
    wrong((struct feed){0, 3, SIZE, 4096}, "message 2 ");     /* … in that of its second page, … */
    wrong((struct feed){0, 3, SIZE, SIZE - 1}, "message 2 "); /* … in its last one */
}

static void handler_holds_until_the_next_round(void **state)
{
    pthread_t thread;
    (void)state;
    feed = (struct feed){0, 20, SIZE, SIZE};
    assert_int_equal(inbox_open(&inbox, INBOX_READ, SIZE), 0);
    assert_int_equal(pthread_create(&thread, NULL, feed_all, NULL), 0);
    assert_int_equal(inbox_round(&inbox, 5, 1), 0);
    assert_int_equal(inbox.next, 5);
    assert_int_equal(inbox_round(&inbox, 15, 1), 0);
    assert_int_equal(inbox.next, 20);
    inbox_release(&inbox);
    assert_int_equal(pthread_join(thread, NULL), 0);
    inbox_close(&inbox);
}

static void times_are_of_what_comes_after_the_lead(void **state)
{
    (void)state;
    assert_int_equal(play(INBOX_TIME, 10, (struct feed){0, 10, SIZE, SIZE}), 0);
    assert_int_equal(inbox.histogram->total, 8);
    assert_int_equal(inbox.slept, 0); /* nobody made this thread wait within the round */
    inbox_close(&inbox);
}

static unsigned answers;

static int count_answer(void *sender, const void *data, size_t size)
{
    assert_ptr_equal(sender, &answers);
    assert_true(message_holds(data, size, answers));
    ++answers;
    return 0;
}

static void every_message_is_answered_once(void **state)
{
    static const struct transport counting = {.name = "counting", .send = count_answer};
    pthread_t thread;
    (void)state;
    answers = 0;
    feed = (struct feed){0, 10, SIZE, SIZE};
    assert_int_equal(inbox_open(&inbox, INBOX_PONG, SIZE), 0);
    inbox.answers = &counting;
    inbox.sender = &answers;
    assert_int_equal(pthread_create(&thread, NULL, feed_all, NULL), 0);
    assert_int_equal(inbox_round(&inbox, 10, 0), 0);
    inbox_release(&inbox);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(answers, 10);
    inbox_close(&inbox);
}

CASES_MAIN(CASE(right_messages_end_the_round), CASE(wrong_messages_are_errors),
           CASE(handler_holds_until_the_next_round), CASE(times_are_of_what_comes_after_the_lead),
           CASE(every_message_is_answered_once))
