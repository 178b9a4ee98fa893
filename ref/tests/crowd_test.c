/* Many endpoints in a process, and handlers that publish and close. */
#include "cases.h"

#include "actor.h"
#include "receiver.h"

#include <errno.h>
#include <sched.h>
#include <glob.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
enum { CROWD = 20 }; /* each looks at the files of all: a hundred would take a minute */
#else
enum { CROWD = 100 };
#endif

static void hundred_of_each(void **state)
{
    static struct receiver receivers[CROWD];
    char *directory = test_directory();
    struct actor to = actor_start("subscriber", "c", directory, ""),
                 from = actor_start("publisher", "c", directory, "");
    mmipc_publisher *publishers[CROWD];
    mmipc_subscriber *subscribers[CROWD];
    struct rlimit limit;
    (void)state;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    limit.rlim_cur = limit.rlim_max < 4096 ? limit.rlim_max : 4096; /* of each endpoint ten or so, of each pair four */
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    for (int i = 0; i < CROWD; ++i) {
        receivers[i] = (struct receiver)RECEIVER_INIT;
        assert_int_equal(mmipc_publisher_open(&publishers[i], "c", directory, NULL), 0);
        assert_int_equal(mmipc_subscriber_open(&subscribers[i], "c", directory, receiver_message, &receivers[i], NULL),
                         0);
    }
    assert_int_equal(actor_ask(&to, "connected %d 30000", CROWD + 1), 0); /* the other actor, too */
    assert_int_equal(actor_ask(&from, "connected %d 30000", CROWD + 1), 0);
    for (int i = 0; i < CROWD; ++i) {
        const uint64_t sequence = (uint64_t)i;
        assert_int_equal(mmipc_publish(publishers[i], &sequence, sizeof sequence), 0);
        assert_int_equal(actor_ask(&to, "expect %d", i + 1), i + 1);
    }
    assert_int_equal(actor_ask(&from, "publish 0 10 64"), 0);
    for (int i = 0; i < CROWD; ++i)
        RECEIVER_WAIT(&receivers[i], count, 10);
    for (int i = 0; i < CROWD; ++i) {
        assert_int_equal(receivers[i].out_of_order, 0);
        assert_int_equal(mmipc_publisher_connections(publishers[i]), 1); /* none of its own process */
        mmipc_publisher_close(publishers[i]);
        mmipc_subscriber_close(subscribers[i]);
    }
    while (actor_ask(&to, "connections") > 1) /* it hears of the last ones in a moment */
        sched_yield();
    assert_int_equal(actor_ask(&to, "connections"), 1);
    actor_end(&from);
    actor_end(&to);
    assert_int_equal(test_directory_remove(directory), 0);
}

/* Two processes answer each other from their handlers, each message with two, until neither takes any more. */
struct answering {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    mmipc_publisher *publisher;
    int connected; /* peers that came, whether or not they are still there */
    int refusals, others;
    bool left_alone; /* the other has seen enough, and closed */
};

static void answer(void *user, const mmipc_part *parts, size_t count)
{
    static char data[1000];
    struct answering *answering = user;
    (void)parts;
    (void)count;
    for (int i = 0; i < 2; ++i) {
        const int result = mmipc_publish(answering->publisher, data, sizeof data);
        pthread_mutex_lock(&answering->lock);
        answering->refusals += result == -EDEADLK;
        answering->others += result != 0 && result != -EDEADLK;
        pthread_cond_broadcast(&answering->changed);
        pthread_mutex_unlock(&answering->lock);
    }
}

static void note_peer(void *user, int event, int pid, int reason)
{
    struct answering *answering = user;
    (void)pid;
    pthread_mutex_lock(&answering->lock);
    answering->connected += event == MMIPC_PEER_CONNECTED;
    answering->left_alone |= event == MMIPC_PEER_DISCONNECTED && reason == MMIPC_REASON_CLOSED;
    pthread_cond_broadcast(&answering->changed);
    pthread_mutex_unlock(&answering->lock);
}

enum { REFUSED, LEFT_ALONE, WRONG }; /* how it went in a process */

static int answer_each_other(const char *hear, const char *say, const char *directory)
{
    struct answering answering = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};
    struct timespec deadline;
    mmipc_subscriber *subscriber;
    mmipc_options options;
    int result;
    mmipc_options_init(&options, sizeof options);
    options.segment_bytes = options.max_backlog_bytes = 64 << 10;
    options.on_peer = note_peer;
    options.user = &answering;
    if (mmipc_publisher_open(&answering.publisher, say, directory, &options) != 0 ||
        mmipc_subscriber_open(&subscriber, hear, directory, answer, &answering, &options) != 0)
        return WRONG;
    clock_gettime(CLOCK_REALTIME, &deadline);
    deadline.tv_sec += 20;
    /* Not *_wait_connected: the handlers answer as soon as both are connected, and the other may have seen enough and
       closed before this thread has looked. */
    pthread_mutex_lock(&answering.lock);
    while (answering.connected < 2 && pthread_cond_timedwait(&answering.changed, &answering.lock, &deadline) == 0)
        ;
    pthread_mutex_unlock(&answering.lock);
    if (mmipc_publish(answering.publisher, "first", 5) != 0)
        return WRONG;
    pthread_mutex_lock(&answering.lock);
    while (answering.refusals == 0 && !answering.left_alone &&
           pthread_cond_timedwait(&answering.changed, &answering.lock, &deadline) == 0)
        ;
    result = answering.others != 0    ? WRONG
             : answering.refusals > 0 ? REFUSED
             : answering.left_alone   ? LEFT_ALONE
                                      : WRONG;
    pthread_mutex_unlock(&answering.lock);
    mmipc_subscriber_close(subscriber);
    mmipc_publisher_close(answering.publisher);
    return result;
}

static void answers_do_not_lock_up(void **state)
{
    char *directory = test_directory();
    char *const arguments[] = {"crowd", "--answer", directory, NULL};
    const char *program = actor_program();
    int mine, status = -1;
    pid_t pid;
    (void)state;
    pid = vfork();
    if (pid == 0) {
        execv(program, arguments);
        _exit(127);
    }
    mine = answer_each_other("to", "fro", directory);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_in_range(mine, REFUSED, LEFT_ALONE);
    assert_in_range(WEXITSTATUS(status), REFUSED, LEFT_ALONE);
    assert_true(mine == REFUSED || WEXITSTATUS(status) == REFUSED);
    assert_int_equal(test_directory_remove(directory), 0);
}

struct closing {
    struct receiver receiver;
    mmipc_publisher *publisher;
    mmipc_subscriber *other;
    int wrong;
};

/* Other handles of the process, of either kind, from within a handler; and calls that would wait. */
static void close_others(void *user, const mmipc_part *parts, size_t count)
{
    struct closing *closing = user;
    pthread_mutex_lock(&closing->receiver.lock); /* until all are open */
    pthread_mutex_unlock(&closing->receiver.lock);
    if (closing->publisher != NULL)
        closing->wrong += mmipc_publisher_wait_connected(closing->publisher, 5, 1000) != -EDEADLK;
    mmipc_publisher_close(closing->publisher);
    mmipc_subscriber_close(closing->other);
    closing->publisher = NULL;
    closing->other = NULL;
    receiver_message(&closing->receiver, parts, count);
}

static void handler_closes_others(void **state)
{
    char *directory = test_directory();
    struct closing closing = {.receiver = RECEIVER_INIT};
    struct receiver ignored = RECEIVER_INIT;
    mmipc_subscriber *subscriber;
    struct actor from;
    (void)state;
    pthread_mutex_lock(&closing.receiver.lock);
    assert_int_equal(mmipc_subscriber_open(&subscriber, "c", directory, close_others, &closing, NULL), 0);
    assert_int_equal(mmipc_subscriber_open(&closing.other, "c", directory, receiver_message, &ignored, NULL), 0);
    assert_int_equal(mmipc_publisher_open(&closing.publisher, "c", directory, NULL), 0);
    pthread_mutex_unlock(&closing.receiver.lock);
    from = actor_start("publisher", "c", directory, "");
    assert_int_equal(actor_ask(&from, "connected 2 10000"), 0);
    assert_int_equal(actor_ask(&from, "publish 0 10 64"), 0);
    RECEIVER_WAIT(&closing.receiver, count, 10);
    assert_int_equal(closing.wrong, 0);
    actor_end(&from);
    mmipc_subscriber_close(subscriber);
    assert_int_equal(test_directory_remove(directory), 0);
}

static void *close_subscriber(void *argument)
{
    mmipc_subscriber_close(argument);
    return NULL;
}

/* From another thread, while a handler runs: close waits for it, and lets no other begin. */
static void close_waits_for_the_handler(void **state)
{
    char *directory = test_directory();
    struct receiver receiver = RECEIVER_INIT;
    mmipc_subscriber *subscriber;
    pthread_t closing;
    struct actor from;
    (void)state;
    assert_int_equal(mmipc_subscriber_open(&subscriber, "c", directory, receiver_message, &receiver, NULL), 0);
    from = actor_start("publisher", "c", directory, "");
    assert_int_equal(actor_ask(&from, "connected 1 10000"), 0);
    receiver_hold(&receiver, true);
    assert_int_equal(actor_ask(&from, "publish 0 100 64"), 0);
    RECEIVER_WAIT(&receiver, in_handler, true);
    assert_int_equal(pthread_create(&closing, NULL, close_subscriber, subscriber), 0);
    assert_int_equal(actor_ask(&from, "disconnected 10000"),
                     0); /* it has begun; no publisher waits for the handler's end */
    assert_int_equal(pthread_tryjoin_np(closing, NULL), EBUSY);
    receiver_hold(&receiver, false);
    assert_int_equal(pthread_join(closing, NULL), 0);
    assert_int_equal(receiver.count, 1);
    actor_end(&from);
    assert_int_equal(test_directory_remove(directory), 0);
}

/* A process that calls again and again and says nothing is let go, and others still come. */
static void callers_that_say_nothing_are_few(void **state)
{
    enum { CALLERS = 200, KEPT_AT_MOST = 40 };
    char *directory = test_directory(), path[64];
    struct actor to = actor_start("subscriber", "c", directory, "ping=60000"), from; /* its patience is two minutes */
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int before, callers[CALLERS];
    glob_t sockets;
    (void)state;
    snprintf(path, sizeof path, "/proc/%d/fd", to.pid);
    before = cases_count_entries(path);
    snprintf(address.sun_path, sizeof address.sun_path, "%s/mmipc-*.sock", directory);
    assert_int_equal(glob(address.sun_path, 0, NULL, &sockets), 0);
    snprintf(address.sun_path, sizeof address.sun_path, "%s", sockets.gl_pathv[0]);
    globfree(&sockets);
    for (int i = 0; i < CALLERS; ++i) {
        callers[i] = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
        assert_int_equal(connect(callers[i], (struct sockaddr *)&address, sizeof address), 0);
    }
    for (int i = KEPT_AT_MOST; i < CALLERS; ++i) {
        struct pollfd polled = {.fd = callers[i], .events = POLLRDHUP};
        assert_int_equal(poll(&polled, 1, 10000), 1);
    }
    assert_true(cases_count_entries(path) <= before + 2 * KEPT_AT_MOST);
    from = actor_start("publisher", "c", directory, "");
    assert_int_equal(actor_ask(&from, "connected 1 10000"), 0);
    for (int i = 0; i < CALLERS; ++i)
        close(callers[i]);
    actor_end(&from);
    actor_end(&to);
    assert_int_equal(test_directory_remove(directory), 0);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {CASE(hundred_of_each), CASE(answers_do_not_lock_up), CASE(handler_closes_others),
                                       CASE(close_waits_for_the_handler), CASE(callers_that_say_nothing_are_few)};
    if (argc == 3 && strcmp(argv[1], "--answer") == 0)
        return answer_each_other("fro", "to", argv[2]);
    actor_main(argc, argv);
    return cases_main(tests, sizeof tests / sizeof tests[0], argc, argv);
}
