/* What every driver must do, through the ABI alone, between real processes. The suite's clauses go much further; this
 * is what the author of a driver runs while writing it: driver_test --driver PATH [CASE]. */
#include "cases.h"
#include "child.h"
#include "ipcmark/driver.h"
#include "participant.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    FLOOD = 3000,
    FLOOD_SIZE = 16384, /* together more than any pipe or socket holds */
    BURST = 8           /* so many at once a driver holds that loses what nobody reads in time */
};

/* At most as large as the driver takes. */
static int sized(int size)
{
    const size_t limit = driver_message_max();
    return limit != 0 && limit < (size_t)size ? (int)limit : size;
}

/* At most as many at once as arrive whatever their reader does. */
static int many(int count)
{
    return driver_claims(IPCMARK_CAP_WHEN_FULL_BLOCK) || count < BURST ? count : BURST;
}

/* For cases that send more than is held. */
static void skip_if_it_loses(void)
{
    if (!driver_claims(IPCMARK_CAP_WHEN_FULL_BLOCK))
        skip();
}

static struct child start_publisher(const char *id, const char *channel)
{
    struct child child = child_start();
    child_ask(&child, "publisher %s %s", id, channel);
    return child;
}

static struct child start_subscriber(const char *id, const char *channel)
{
    struct child child = child_start();
    child_ask(&child, "subscriber %s %s", id, channel);
    return child;
}

/* Waits until message `last` of `publisher` has come, and asserts that `total` have come in all. */
static void expect(const struct child *subscriber, unsigned publisher, unsigned last, long total)
{
    child_tell(subscriber, "received %u %u", publisher, last);
    assert_int_equal(child_number(subscriber), total);
}

static void close_and_quit(struct child *child, const char *role)
{
    child_ask(child, "close %s", role);
    child_ask(child, "census");
    child_quit(child);
}

static void connect_pair(struct child *publisher, struct child *subscriber)
{
    *publisher = start_publisher("p1", "channel");
    *subscriber = start_subscriber("s1", "channel");
    child_ask(publisher, "peers publisher 1");
    child_ask(subscriber, "peers subscriber 1");
}

static void disconnect_pair(struct child *publisher, struct child *subscriber)
{
    close_and_quit(publisher, "publisher");
    child_ask(subscriber, "peers subscriber 0");
    close_and_quit(subscriber, "subscriber");
    directory_leave();
}

static void one_to_one(void **state)
{
    struct child publisher, subscriber;
    (void)state;
    directory_enter();
    connect_pair(&publisher, &subscriber);
    const int count = many(20000);
    child_ask(&publisher, "publish 1 %d 64", count);
    expect(&subscriber, 1, (unsigned)count, count);
    disconnect_pair(&publisher, &subscriber);
}

static void one_to_three(void **state)
{
    struct child publisher, subscribers[3];
    const int count = many(5000);
    (void)state;
    directory_enter();
    publisher = start_publisher("p1", "channel");
    for (int i = 0; i < 3; ++i)
        subscribers[i] = start_subscriber("s", "channel");
    child_ask(&publisher, "peers publisher 3");
    child_ask(&publisher, "publish 1 %d 100", count);
    for (int i = 0; i < 3; ++i) {
        expect(&subscribers[i], 1, (unsigned)count, count);
        close_and_quit(&subscribers[i], "subscriber");
    }
    child_ask(&publisher, "peers publisher 0");
    close_and_quit(&publisher, "publisher");
    directory_leave();
}

static void three_to_one(void **state)
{
    struct child publishers[3], subscriber;
    const int count = many(5000);
    (void)state;
    directory_enter();
    subscriber = start_subscriber("s", "channel");
    for (int i = 0; i < 3; ++i) {
        char id[] = {'p', (char)('1' + i), '\0'};
        publishers[i] = start_publisher(id, "channel");
        child_ask(&publishers[i], "peers publisher 1");
    }
    child_ask(&subscriber, "peers subscriber 3");
    for (int i = 0; i < 3; ++i)
        child_tell(&publishers[i], "publish 1 %d %d", count, sized(5000));
    for (int i = 0; i < 3; ++i) {
        child_await(&publishers[i]);
        close_and_quit(&publishers[i], "publisher");
    }
    for (int i = 0; i < 3; ++i)
        child_ask(&subscriber, "received %d %d", 1 + i, count);
    expect(&subscriber, 1, (unsigned)count, 3L * count);
    child_ask(&subscriber, "peers subscriber 0");
    close_and_quit(&subscriber, "subscriber");
    directory_leave();
}

static void threads_share_a_publisher(void **state)
{
    struct child publisher, subscriber;
    const int count = many(3000);
    (void)state;
    directory_enter();
    connect_pair(&publisher, &subscriber);
    child_ask(&publisher, "publish 1 %d %d 4", count, sized(3000));
    for (int i = 1; i <= 4; ++i)
        child_ask(&subscriber, "received %d %d", i, count);
    expect(&subscriber, 1, (unsigned)count, 4L * count);
    disconnect_pair(&publisher, &subscriber);
}

static void parts_keep_their_boundaries(void **state)
{
    const char *shapes = "- 0 0,0 3,0,5 0,4096,0 1,2 5 - *1000 8192,8192 *40 0,0,0,7";
    struct child publisher, subscriber;
    (void)state;
    if (sized(FLOOD_SIZE * 40) < FLOOD_SIZE * 40) /* a thousand parts in a staircase have half a million bytes */
        shapes = "- 0 0,0 3,0,5 0,1024,0 1,2 5 - *80 1500,1500 *40 0,0,0,7";
    directory_enter();
    connect_pair(&publisher, &subscriber);
    child_ask(&publisher, "shapes %s", shapes);
    child_ask(&subscriber, "seen %s", shapes);
    disconnect_pair(&publisher, &subscriber);
}

static void large_messages(void **state)
{
    const int sizes[] = {65535, 65536, 262131, 262132, 262133, 1 << 20, 8 << 20, 64 << 20, 16, 8 << 20};
    struct child publisher, subscriber;
    unsigned number = 0;
    (void)state;
    directory_enter();
    connect_pair(&publisher, &subscriber);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; ++i) {
        child_ask(&publisher, "publish %u 1 %d", ++number, sized(sizes[i]));
        if (many(FLOOD) < FLOOD)
            child_ask(&subscriber, "received 1 %u", number);
    }
    expect(&subscriber, 1, number, number);
    disconnect_pair(&publisher, &subscriber);
}

static void nobody_listens(void **state)
{
    struct child publisher;
    (void)state;
    directory_enter();
    publisher = start_publisher("p1", "channel");
    child_ask(&publisher, "publish 1 1000 100");
    close_and_quit(&publisher, "publisher");
    directory_leave();
}

static void slow_subscriber_gets_all(void **state)
{
    struct child publisher, subscriber;
    (void)state;
    skip_if_it_loses();
    directory_enter();
    connect_pair(&publisher, &subscriber);
    child_ask(&subscriber, "gate closed");
    child_tell(&publisher, "publish 1 %d %d", FLOOD, sized(FLOOD_SIZE));
    child_ask(&subscriber, "at_gate");
    child_answers_within(&publisher, 500); /* whether it waits or stores is the driver's affair */
    child_ask(&subscriber, "gate open");
    child_await(&publisher);
    expect(&subscriber, 1, FLOOD, FLOOD);
    disconnect_pair(&publisher, &subscriber);
}

/* The victim is killed while the publisher waits for it (gate) or in full traffic. */
static void kill_subscriber(bool gate)
{
    struct child publisher, victim, bystander;
    skip_if_it_loses();
    directory_enter();
    publisher = start_publisher("p1", "channel");
    victim = start_subscriber("s1", "channel");
    bystander = start_subscriber("s2", "channel");
    child_ask(&publisher, "peers publisher 2");
    if (gate)
        child_ask(&victim, "gate closed");
    child_tell(&publisher, "publish 1 %d %d", FLOOD, sized(FLOOD_SIZE));
    child_ask(&victim, gate ? "at_gate" : "received 1 100");
    if (gate)
        child_answers_within(&publisher, 500);
    child_kill(&victim);
    child_await(&publisher);
    expect(&bystander, 1, FLOOD, FLOOD);
    child_ask(&publisher, "peers publisher 1");
    disconnect_pair(&publisher, &bystander);
}

static void subscriber_killed_in_traffic(void **state)
{
    (void)state;
    kill_subscriber(false);
}

static void subscriber_killed_while_waited_for(void **state)
{
    (void)state;
    kill_subscriber(true);
}

static void publisher_killed_in_traffic(void **state)
{
    struct child victim, bystander, subscriber;
    long sent;
    (void)state;
    skip_if_it_loses();
    directory_enter();
    victim = start_publisher("p1", "channel");
    subscriber = start_subscriber("s1", "channel");
    bystander = start_publisher("p2", "channel");
    child_ask(&victim, "peers publisher 1");
    child_ask(&bystander, "peers publisher 1");
    child_ask(&subscriber, "peers subscriber 2");
    child_tell(&victim, "publish 1 1000000000 %d", sized(70000));
    child_ask(&subscriber, "received 1 100");
    child_ask(&subscriber, "gate closed"); /* much is under way then, and a message most likely half written */
    child_ask(&subscriber, "at_gate");
    child_answers_within(&victim, 300);
    sent = child_kill(&victim);
    child_ask(&subscriber, "gate open");
    child_ask(&subscriber, "peers subscriber 1");
    if (driver_claims(IPCMARK_CAP_SURVIVES_PUBLISHER_DEATH))
        child_ask(&subscriber, "received 1 %ld", sent);
    child_ask(&bystander, "publish 1 1000 %d", sized(70000));
    child_ask(&subscriber, "received 2 1000");
    disconnect_pair(&bystander, &subscriber);
}

/* Each floods the other and answers all that comes, until every buffer both ways is full. */
static void answering_each_other_does_not_lock_up(void **state)
{
    struct child children[2];
    (void)state;
    if (!driver_claims(IPCMARK_CAP_PUBLISH_IN_HANDLER))
        skip();
    skip_if_it_loses();
    directory_enter();
    children[0] = start_publisher("p1", "there");
    children[1] = start_publisher("p2", "back");
    for (int i = 0; i < 2; ++i) {
        child_ask(&children[i], "answer %d", 2 - i);
        child_ask(&children[i], "subscriber s %s", i == 0 ? "back" : "there");
    }
    for (int i = 0; i < 2; ++i)
        child_ask(&children[i], "peers publisher 1");
    for (int i = 0; i < 2; ++i)
        child_tell(&children[i], "publish 1 %d %d", FLOOD, sized(FLOOD_SIZE));
    for (int i = 0; i < 2; ++i)
        child_await(&children[i]);
    for (int i = 0; i < 2; ++i) {
        child_ask(&children[i], "received %d %d", 2 - i, FLOOD);
        expect(&children[i], (unsigned)(3 + i), FLOOD, 2L * FLOOD);
    }
    for (int i = 0; i < 2; ++i)
        child_ask(&children[i], "close publisher");
    for (int i = 0; i < 2; ++i)
        close_and_quit(&children[i], "subscriber");
    directory_leave();
}

static void close_inside_a_handler(void **state)
{
    struct child publisher, subscriber;
    const int count = many(5000);
    (void)state;
    directory_enter();
    connect_pair(&publisher, &subscriber);
    child_ask(&subscriber, "close_at %d", count / 5);
    child_ask(&publisher, "publish 1 %d 100", count);
    child_tell(&subscriber, "closed");
    assert_int_equal(child_number(&subscriber), count / 5);
    child_ask(&publisher, "peers publisher 0");
    child_ask(&publisher, "publish %d %d 100", count + 1, count);
    child_ask(&subscriber, "census");
    child_tell(&subscriber, "closed");
    assert_int_equal(child_number(&subscriber), count / 5);
    child_quit(&subscriber);
    close_and_quit(&publisher, "publisher");
    directory_leave();
}

static void close_wakes_a_waiting_publish(void **state)
{
    struct child publisher, subscriber;
    (void)state;
    skip_if_it_loses();
    directory_enter();
    connect_pair(&publisher, &subscriber);
    child_ask(&subscriber, "gate closed");
    child_ask(&publisher, "unbound 1 1000000 %d", sized(FLOOD_SIZE));
    child_ask(&subscriber, "at_gate");
    child_ask(&publisher, "stuck"); /* one that called publish after the close would call into what is gone */
    child_ask(&publisher, "close publisher");
    child_ask(&publisher, "census");
    child_ask(&subscriber, "gate open");
    child_ask(&subscriber, "peers subscriber 0");
    child_quit(&publisher);
    close_and_quit(&subscriber, "subscriber");
    directory_leave();
}

static void many_rounds_leave_nothing(void **state)
{
    struct child publisher, rounds;
    (void)state;
    directory_enter();
    publisher = start_publisher("p1", "channel");
    rounds = child_start();
    child_ask(&rounds, "rounds 200 channel");
    child_ask(&rounds, "census");
    child_quit(&rounds);
    child_ask(&publisher, "peers publisher 0");
    close_and_quit(&publisher, "publisher");
    directory_leave();
}

static int count_files(void)
{
    DIR *entries = opendir(directory_path());
    int count = 0;
    assert_non_null(entries);
    for (const struct dirent *entry; (entry = readdir(entries)) != NULL;)
        count += entry->d_name[0] != '.';
    closedir(entries);
    return count;
}

static void survivor_cleans_up(void **state)
{
    struct child victim, survivor;
    struct pollfd gone = {.fd = inotify_init1(IN_CLOEXEC), .events = POLLIN};
    (void)state;
    directory_enter();
    assert_true(inotify_add_watch(gone.fd, directory_path(), IN_DELETE) >= 0);
    survivor = start_publisher("p1", "channel");
    const int before = count_files(); /* it may have one of its own */
    victim = start_subscriber("s1", "channel");
    child_ask(&survivor, "peers publisher 1");
    child_kill(&victim);
    child_ask(&survivor, "peers publisher 0");
    while (count_files() > before && poll(&gone, 1, 10000) == 1) {
        char events[4096];
        assert_true(read(gone.fd, events, sizeof events) > 0);
    }
    close(gone.fd);
    assert_int_equal(count_files(), before);
    close_and_quit(&survivor, "publisher");
    directory_leave();
}

static void newcomer_cleans_up(void **state)
{
    struct child child;
    (void)state;
    directory_enter();
    child = start_subscriber("s1", "channel");
    child_kill(&child);
    child = start_publisher("p1", "another");
    close_and_quit(&child, "publisher");
    directory_leave();
}

static void own_process_is_not_met(void **state)
{
    struct child both, other;
    const int count = many(100);
    (void)state;
    if (!driver_claims(IPCMARK_CAP_NO_SELF_DELIVERY))
        skip();
    directory_enter();
    both = start_publisher("p1", "channel");
    child_ask(&both, "subscriber s1 channel");
    other = start_subscriber("s2", "channel");
    child_ask(&both, "peers publisher 1");
    child_ask(&both, "publish 1 %d 100", count);
    expect(&other, 1, (unsigned)count, count);
    child_tell(&both, "peers subscriber 0");
    assert_int_equal(child_number(&both), 0);
    child_ask(&both, "close publisher");
    close_and_quit(&both, "subscriber");
    close_and_quit(&other, "subscriber");
    directory_leave();
}

static void channels_are_apart(void **state)
{
    char longest[256];
    const char *channels[] = {"a", "A", "a/b", "../a", "\xc3\xa4\x01%s", longest};
    enum { CHANNELS = sizeof channels / sizeof channels[0] };
    struct child publishers[CHANNELS], subscribers[CHANNELS];
    (void)state;
    memset(longest, 'a', 255);
    longest[255] = '\0';
    directory_enter();
    for (int i = 0; i < CHANNELS; ++i)
        subscribers[i] = start_subscriber("s", channels[i]);
    for (int i = 0; i < CHANNELS; ++i) {
        char id[] = {'p', (char)('1' + i), '\0'};
        publishers[i] = start_publisher(id, channels[i]);
        child_ask(&publishers[i], "peers publisher 1");
        child_ask(&publishers[i], "publish 1 %d 100", BURST);
    }
    for (int i = 0; i < CHANNELS; ++i) {
        expect(&subscribers[i], (unsigned)i + 1, BURST, BURST);
        close_and_quit(&subscribers[i], "subscriber");
        close_and_quit(&publishers[i], "publisher");
    }
    directory_leave();
}

static void strange_files_stay(void **state)
{
    const char *names[] = {"notes.txt", "fifo-", "tcp-00.sub.bak", "fifo-xyz.sub", "garbage"};
    struct child publisher, subscriber;
    char path[4200];
    (void)state;
    directory_enter();
    for (size_t i = 0; i < sizeof names / sizeof names[0]; ++i) {
        snprintf(path, sizeof path, "%s/%s", directory_path(), names[i]);
        assert_int_equal(i % 2 == 0 ? close(creat(path, 0600)) : mkfifo(path, 0600), 0);
    }
    connect_pair(&publisher, &subscriber);
    child_ask(&publisher, "publish 1 %d 100", BURST);
    expect(&subscriber, 1, BURST, BURST);
    close_and_quit(&publisher, "publisher");
    close_and_quit(&subscriber, "subscriber");
    for (size_t i = 0; i < sizeof names / sizeof names[0]; ++i) {
        snprintf(path, sizeof path, "%s/%s", directory_path(), names[i]);
        assert_int_equal(unlink(path), 0);
    }
    directory_leave();
}

static int after(void **state)
{
    children_end();
    return cases_after(state);
}

#undef CASE
#define CASE(function)                                                                                                 \
    {                                                                                                                  \
#function, function, cases_before, after, NULL                                                                 \
    }

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        CASE(one_to_one),
        CASE(one_to_three),
        CASE(three_to_one),
        CASE(threads_share_a_publisher),
        CASE(parts_keep_their_boundaries),
        CASE(large_messages),
        CASE(nobody_listens),
        CASE(slow_subscriber_gets_all),
        CASE(subscriber_killed_in_traffic),
        CASE(subscriber_killed_while_waited_for),
        CASE(publisher_killed_in_traffic),
        CASE(answering_each_other_does_not_lock_up),
        CASE(close_inside_a_handler),
        CASE(close_wakes_a_waiting_publish),
        CASE(many_rounds_leave_nothing),
        CASE(survivor_cleans_up),
        CASE(newcomer_cleans_up),
        CASE(own_process_is_not_met),
        CASE(channels_are_apart),
        CASE(strange_files_stay),
    };
    child_driver = DRIVER_PATH;
    if (argc == 4 && strcmp(argv[1], "--participant") == 0)
        return participant_main(argv[2], argv[3]);
    if (argc >= 3 && strcmp(argv[1], "--driver") == 0) {
        child_driver = argv[2];
        argc -= 2;
        argv += 2;
    }
    signal(SIGPIPE, SIG_IGN); /* a participant that died is told by its answer */
    return cases_main(tests, sizeof tests / sizeof tests[0], argc, argv);
}
