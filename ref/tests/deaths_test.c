/* Processes that die by the hundred, each at another moment of its life: those that live on notice nothing but that. */
#include "cases.h"

#include "actor.h"
#include "receiver.h"

#include <errno.h>

#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
enum { ROUNDS = 10 }; /* a process takes ten times as long to start */
#else
enum { ROUNDS = 50 };
#endif
enum { DEATHS_A_ROUND = 6, LIVING = 4, FILES_OF_EACH = 2 };

/* A publisher and a subscriber of this process, with whom the dying are paired, and an actor that is paired with both.
 */
struct living {
    struct receiver receiver;
    mmipc_publisher *publisher;
    mmipc_subscriber *subscriber;
    struct actor to, from;
    uint64_t said, heard;
};

static void living_open(struct living *living, const char *directory)
{
    mmipc_options options;
    mmipc_options_init(&options, sizeof options);
    options.ping_interval_ms = 200; /* ticks give back what is not used any more */
    *living = (struct living){.receiver = RECEIVER_INIT};
    assert_int_equal(mmipc_publisher_open(&living->publisher, "down", directory, &options), 0);
    assert_int_equal(
        mmipc_subscriber_open(&living->subscriber, "up", directory, receiver_message, &living->receiver, &options), 0);
    living->to = actor_start("subscriber", "down", directory, "ping=200");
    living->from = actor_start("publisher", "up", directory, "ping=200");
    assert_int_equal(mmipc_publisher_wait_connected(living->publisher, 1, 10000), 0);
    assert_int_equal(mmipc_subscriber_wait_connected(living->subscriber, 1, 10000), 0);
}

static void living_close(struct living *living)
{
    mmipc_publisher_close(living->publisher);
    mmipc_subscriber_close(living->subscriber);
    actor_end(&living->to);
    actor_end(&living->from);
}

static void publish_some(struct living *living, size_t size)
{
    static char data[200000];
    for (int i = 0; i < 10; ++i, ++living->said) {
        memcpy(data, &living->said, sizeof living->said);
        assert_int_equal(mmipc_publish(living->publisher, data, size), 0);
    }
}

static void everybody_hears_everything(struct living *living, size_t size)
{
    publish_some(living, size);
    assert_int_equal(actor_ask(&living->to, "expect %lu", living->said), living->said);
    assert_int_equal(actor_ask(&living->from, "publish %lu 10 %zu", living->heard, size), 0);
    living->heard += 10;
    RECEIVER_WAIT(&living->receiver, count, (long)living->heard);
    assert_int_equal(living->receiver.out_of_order, 0);
}

/* Some before they are paired, some while, some while they read or have payload unread. */
static void die_by_the_half_dozen(struct living *living, const char *directory, int round)
{
    struct actor dying[DEATHS_A_ROUND];
    for (int i = 0; i < DEATHS_A_ROUND; ++i)
        dying[i] = actor_start(i % 2 == 0 ? "subscriber" : "publisher", i % 2 == 0 ? "down" : "up", directory, "");
    if (round % 2 == 0)
        assert_int_equal(mmipc_publisher_wait_connected(living->publisher, 1 + DEATHS_A_ROUND / 2, 10000), 0);
    if (round % 4 == 0)
        actor_tell(&dying[0], "hold 1");
    publish_some(living, round % 3 == 0 ? 100000 : 64);
    for (int i = 0; i < DEATHS_A_ROUND; ++i)
        actor_kill(&dying[i]);
}

static bool is_as_before(const struct living *living, const struct cases_census *before, const char *directory)
{
    const struct cases_census now = cases_take_census();
    return now.descriptors == before->descriptors && now.mappings == before->mappings &&
           mmipc_publisher_connections(living->publisher) == 1 &&
           mmipc_subscriber_connections(living->subscriber) == 1 &&
           test_directory_entries(directory) == LIVING * FILES_OF_EACH;
}

static void hundreds_die_and_nobody_suffers(void **state)
{
    char *directory = test_directory();
    struct cases_census before;
    struct living living;
    (void)state;
    living_open(&living, directory);
    everybody_hears_everything(&living, 64);
    before = cases_take_census();
    for (int round = 0; round < ROUNDS; ++round) {
        die_by_the_half_dozen(&living, directory, round);
        everybody_hears_everything(&living, 64);
    }
    while (!is_as_before(&living, &before, directory)) /* the case's time-out bounds this */
        mmipc_publisher_wait_connected(living.publisher, 2, 20);
    everybody_hears_everything(&living, 100000);
    living_close(&living);
    assert_int_equal(test_directory_remove(directory), 0);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {CASE(hundreds_die_and_nobody_suffers)};
    actor_main(argc, argv);
    return cases_main(tests, sizeof tests / sizeof tests[0], argc, argv);
}
