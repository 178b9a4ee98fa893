/* fork(): handles stay the parent's; a child keeps nothing of them, says so, and can open its own. */
#include "cases.h"

#include "actor.h"
#include "receiver.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static int status_of(pid_t pid)
{
    int status = -1;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return status;
}

static int count_descriptors(void)
{
    int count = 0;
    for (int fd = 0; fd < 1024; ++fd)
        count += fcntl(fd, F_GETFD) >= 0;
    return count;
}

struct handles {
    mmipc_publisher *publisher;
    mmipc_subscriber *puller, *listener;
};

/* How many calls do not say -EPERM. */
static int calls_that_work(const struct handles *handles)
{
    const mmipc_part part = {"x", 1};
    mmipc_message *message;
    mmipc_loan *loan;
    void *data;
    const int results[] = {mmipc_publish(handles->publisher, "x", 1),
                           mmipc_publish_parts(handles->publisher, &part, 1),
                           mmipc_publish_begin(handles->publisher, 1, &loan, &data),
                           mmipc_publisher_flush(handles->publisher, -1),
                           mmipc_publisher_connections(handles->publisher),
                           mmipc_publisher_wait_connected(handles->publisher, 1, -1),
                           mmipc_publisher_wait_disconnected(handles->publisher, -1),
                           mmipc_subscriber_receive(handles->puller, &message, -1),
                           mmipc_subscriber_fd(handles->puller),
                           mmipc_subscriber_connections(handles->listener),
                           mmipc_subscriber_wait_connected(handles->listener, 1, -1),
                           mmipc_subscriber_wait_disconnected(handles->listener, -1)};
    int wrong = 0;
    for (size_t i = 0; i < sizeof results / sizeof results[0]; ++i)
        wrong += results[i] != -EPERM;
    return wrong;
}

static void child_keeps_nothing(void **state)
{
    char *directory = test_directory();
    struct receiver receiver = RECEIVER_INIT;
    const int before = count_descriptors();
    struct handles handles;
    struct actor to, from;
    mmipc_options options;
    pid_t pid;
    (void)state;
    mmipc_options_init(&options, sizeof options);
    assert_int_equal(mmipc_publisher_open(&handles.publisher, "c", directory, &options), 0);
    assert_int_equal(mmipc_subscriber_open(&handles.puller, "c", directory, NULL, NULL, &options), 0);
    assert_int_equal(mmipc_subscriber_open(&handles.listener, "c", directory, receiver_message, &receiver, &options),
                     0);
    to = actor_start("subscriber", "c", directory, "");
    from = actor_start("publisher", "c", directory, "");
    assert_int_equal(mmipc_publisher_wait_connected(handles.publisher, 1, 10000), 0);
    assert_int_equal(mmipc_subscriber_wait_connected(handles.puller, 1, 10000), 0);
    assert_int_equal(mmipc_subscriber_wait_connected(handles.listener, 1, 10000), 0);
    pid = fork(); /* the very thing under test, here and below */
    if (pid == 0) {
        int wrong = calls_that_work(&handles);
        wrong += 16 * (count_descriptors() != before + 4); /* the actors' pipes */
        mmipc_publisher_close(handles.publisher);
        mmipc_subscriber_close(handles.puller);
        mmipc_subscriber_close(handles.listener);
        wrong += 16 * (count_descriptors() != before + 4);
        _exit(wrong);
    }
    assert_int_equal(status_of(pid), 0);
    assert_int_equal(mmipc_publish(handles.publisher, &(uint64_t){0}, 8), 0); /* nothing of the parent's has changed */
    assert_int_equal(actor_ask(&to, "expect 1"), 1);
    assert_int_equal(actor_ask(&from, "publish 0 10 8"), 0);
    RECEIVER_WAIT(&receiver, count, 10);
    mmipc_publisher_close(handles.publisher);
    mmipc_subscriber_close(handles.puller);
    mmipc_subscriber_close(handles.listener);
    actor_end(&to);
    actor_end(&from);
    assert_int_equal(test_directory_remove(directory), 0);
}

/* In an actor: a child that lives on, until the test ends it. */
static long leave_a_child(const char *line)
{
    pid_t pid;
    if (strncmp(line, "fork", 4) != 0)
        return -ENOSYS;
    pid = fork();
    if (pid == 0) {
        close(0);
        close(1);
        for (;;)
            pause();
    }
    return pid;
}

static void living_child_of_a_dead_peer(const char *role)
{
    char *directory = test_directory();
    struct receiver receiver = RECEIVER_INIT;
    mmipc_publisher *publisher = NULL;
    mmipc_subscriber *subscriber = NULL;
    mmipc_options options;
    struct actor actor;
    pid_t child;
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    mmipc_options_init(&options, sizeof options);
    options.on_peer = receiver_peer;
    options.user = &receiver;
    options.ping_interval_ms = 100;
    if (role[0] == 's')
        assert_int_equal(mmipc_publisher_open(&publisher, "c", directory, &options), 0);
    else
        assert_int_equal(mmipc_subscriber_open(&subscriber, "c", directory, receiver_message, NULL, &options), 0);
    actor = actor_start(role, "c", directory, "");
    RECEIVER_WAIT(&receiver, event_count, 1);
    child = (pid_t)actor_ask(&actor, "fork");
    assert_true(child > 0);
    actor_kill(&actor);
    RECEIVER_WAIT(&receiver, last_event, MMIPC_PEER_DISCONNECTED);
    assert_int_equal(receiver.reasons[receiver.event_count - 1], MMIPC_REASON_DIED);
    while (test_directory_entries(directory) != 2) /* its files can be reclaimed: only ours are left */
        sched_yield();
    kill(child, SIGKILL);
    assert_int_equal(status_of(child), SIGKILL);
    mmipc_publisher_close(publisher);
    mmipc_subscriber_close(subscriber);
    prctl(PR_SET_CHILD_SUBREAPER, 0);
    assert_int_equal(test_directory_remove(directory), 0);
}

static void child_of_a_dead_publisher_holds_nothing(void **state)
{
    (void)state;
    living_child_of_a_dead_peer("publisher");
}

static void child_of_a_dead_subscriber_holds_nothing(void **state)
{
    (void)state;
    living_child_of_a_dead_peer("subscriber");
}

struct stream {
    mmipc_publisher *publisher;
    _Atomic int stop;
    uint64_t published;
    int result;
};

static void *publish_until_told(void *argument)
{
    struct stream *stream = argument;
    while (!stream->stop && stream->result == 0) {
        stream->result = mmipc_publish(stream->publisher, &stream->published, sizeof stream->published);
        stream->published++;
    }
    return NULL;
}

static void forks_while_a_thread_publishes(void **state)
{
    char *directory = test_directory();
    struct actor to = actor_start("subscriber", "c", directory, "");
    struct stream stream = {.stop = 0};
    pthread_t publishing;
    (void)state;
    assert_int_equal(mmipc_publisher_open(&stream.publisher, "c", directory, NULL), 0);
    assert_int_equal(mmipc_publisher_wait_connected(stream.publisher, 1, 10000), 0);
    assert_int_equal(pthread_create(&publishing, NULL, publish_until_told, &stream), 0);
    for (int i = 0; i < 100; ++i) {
        pid_t pid = fork();
        if (pid == 0) {
            int wrong = mmipc_publish(stream.publisher, "x", 1) != -EPERM;
            mmipc_publisher_close(stream.publisher);
            _exit(wrong);
        }
        assert_int_equal(status_of(pid), 0);
    }
    stream.stop = 1;
    pthread_join(publishing, NULL);
    assert_int_equal(stream.result, 0);
    assert_int_equal(actor_ask(&to, "expect %ld", (long)stream.published), (long)stream.published);
    mmipc_publisher_close(stream.publisher);
    actor_end(&to);
    assert_int_equal(test_directory_remove(directory), 0);
}

#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
enum { CHILD_MAY_HAVE_THREADS = 0 };
#else
enum { CHILD_MAY_HAVE_THREADS = 1 };
#endif

static void child_opens_its_own(void **state)
{
    struct receiver receiver = RECEIVER_INIT;
    mmipc_publisher *publisher;
    mmipc_subscriber *to;
    char *directory;
    pid_t pid;
    (void)state;
    if (!CHILD_MAY_HAVE_THREADS)
        CASES_SKIP("a sanitizer ends a forked child that starts a thread, or locks its allocator up");
    directory = test_directory();
    assert_int_equal(mmipc_publisher_open(&publisher, "c", directory, NULL), 0);
    assert_int_equal(mmipc_subscriber_open(&to, "c", directory, receiver_message, &receiver, NULL), 0);
    pid = fork();
    if (pid == 0) {
        mmipc_publisher *own;
        int wrong = mmipc_publisher_open(&own, "c", directory, NULL) != 0 ||
                    mmipc_publisher_wait_connected(own, 1, 10000) != 0 || mmipc_publish(own, &(uint64_t){0}, 8) != 0 ||
                    mmipc_publisher_flush(own, 10000) != 0;
        mmipc_publisher_close(publisher);
        mmipc_publisher_close(own);
        _exit(wrong);
    }
    RECEIVER_WAIT(&receiver, count, 1);
    assert_int_equal(status_of(pid), 0);
    mmipc_publisher_close(publisher);
    mmipc_subscriber_close(to);
    assert_int_equal(test_directory_remove(directory), 0);
}

struct forking {
    struct receiver receiver;
    mmipc_subscriber *subscriber;
    bool closes;
    pid_t child;
};

static void leave(void)
{
    _exit(7); /* before LeakSanitizer looks for what the parent's threads held */
}

static void fork_in_handler(void *user, const mmipc_part *parts, size_t count)
{
    struct forking *forking = user;
    if (forking->child == 0) {
        forking->child = fork();
        if (forking->child == 0) {
            atexit(leave);
            signal(SIGSEGV, SIG_DFL); /* cmocka's handler would leave, too */
            if (forking->closes)
                mmipc_subscriber_close(forking->subscriber);
            return; /* to nowhere: the child has no data thread, and ends */
        }
    }
    receiver_message(&forking->receiver, parts, count);
}

static void handler_forks(bool closes)
{
    char *directory = test_directory();
    struct forking forking = {.receiver = RECEIVER_INIT, .closes = closes};
    struct actor from;
    int status;
    assert_int_equal(mmipc_subscriber_open(&forking.subscriber, "c", directory, fork_in_handler, &forking, NULL), 0);
    from = actor_start("publisher", "c", directory, "");
    assert_int_equal(actor_ask(&from, "connected 1 10000"), 0);
    assert_int_equal(actor_ask(&from, "publish 0 1000 64"), 0);
    RECEIVER_WAIT(&forking.receiver, count, 1000);
    status = status_of(forking.child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 7);
    assert_int_equal(forking.receiver.out_of_order, 0);
    actor_end(&from);
    mmipc_subscriber_close(forking.subscriber);
    assert_int_equal(test_directory_remove(directory), 0);
}

static void handler_forks_and_returns(void **state)
{
    (void)state;
    handler_forks(false);
    handler_forks(true);
}

/* Where a thread of the library's stands still, once, for the test to fork. See --wrap in CMakeLists.txt. */
enum place { NOWHERE, IN_LIST, BEFORE_ADVICE };

static struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    enum place awaited, reached;
    bool forked;
} halt = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

static void halt_in(enum place place)
{
    struct timespec deadline;
    clock_gettime(CLOCK_REALTIME, &deadline);
    deadline.tv_sec += 1; /* the fork may be waiting for us */
    pthread_mutex_lock(&halt.lock);
    if (halt.awaited == place) {
        halt.awaited = NOWHERE;
        halt.reached = place;
        pthread_cond_broadcast(&halt.changed);
        while (!halt.forked && pthread_cond_timedwait(&halt.changed, &halt.lock, &deadline) == 0)
            ;
    }
    pthread_mutex_unlock(&halt.lock);
}

static void await_halt(enum place place)
{
    pthread_mutex_lock(&halt.lock);
    while (halt.reached != place) /* the case's time-out bounds this */
        pthread_cond_wait(&halt.changed, &halt.lock);
    pthread_mutex_unlock(&halt.lock);
}

static void end_halt(void)
{
    pthread_mutex_lock(&halt.lock);
    halt.forked = true;
    pthread_cond_broadcast(&halt.changed);
    pthread_mutex_unlock(&halt.lock);
}

struct dirent *__real_readdir(DIR *list);                 // NOLINT: the linker's names
struct dirent *__wrap_readdir(DIR *list);                 // NOLINT
int __real_madvise(void *base, size_t bytes, int advice); // NOLINT
int __wrap_madvise(void *base, size_t bytes, int advice); // NOLINT

struct dirent *__wrap_readdir(DIR *list) // NOLINT
{
    halt_in(IN_LIST);
    return __real_readdir(list);
}

int __wrap_madvise(void *base, size_t bytes, int advice) // NOLINT
{
    halt_in(BEFORE_ADVICE);
    return __real_madvise(base, bytes, advice);
}

static void child_keeps_no_list_of_the_directory(void **state)
{
    char *directory = test_directory();
    const int before = count_descriptors();
    mmipc_publisher *publisher;
    pid_t pid;
    (void)state;
    halt.awaited = IN_LIST;
    assert_int_equal(mmipc_publisher_open(&publisher, "c", directory, NULL), 0);
    await_halt(IN_LIST);
    pid = fork();
    if (pid == 0)
        _exit(count_descriptors() != before);
    end_halt();
    assert_int_equal(status_of(pid), 0);
    mmipc_publisher_close(publisher);
    assert_int_equal(count_descriptors(), before);
    assert_int_equal(test_directory_remove(directory), 0);
}

static int mapped_files(void)
{
    char line[512];
    int count = 0;
    FILE *maps = fopen("/proc/self/maps", "re");
    if (maps == NULL)
        return -1;
    while (fgets(line, sizeof line, maps) != NULL)
        count += strstr(line, "memfd:mmipc") != NULL;
    fclose(maps);
    return count;
}

static void child_keeps_no_memory_that_is_just_mapped(void **state)
{
    char *directory = test_directory();
    mmipc_publisher *publisher;
    struct actor to;
    pid_t pid;
    (void)state;
    halt.awaited = BEFORE_ADVICE;
    assert_int_equal(mmipc_publisher_open(&publisher, "c", directory, NULL), 0);
    to = actor_start("subscriber", "c", directory, "");
    await_halt(BEFORE_ADVICE);
    assert_true(mapped_files() > 0);
    pid = fork();
    if (pid == 0)
        _exit(mapped_files() != 0);
    end_halt();
    assert_int_equal(status_of(pid), 0);
    mmipc_publisher_close(publisher);
    actor_end(&to);
    assert_int_equal(test_directory_remove(directory), 0);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {CASE(child_keeps_nothing),
                                       CASE(child_of_a_dead_publisher_holds_nothing),
                                       CASE(child_of_a_dead_subscriber_holds_nothing),
                                       CASE(forks_while_a_thread_publishes),
                                       CASE(child_opens_its_own),
                                       CASE(handler_forks_and_returns),
                                       CASE(child_keeps_no_list_of_the_directory),
                                       CASE(child_keeps_no_memory_that_is_just_mapped)};
    actor_other = leave_a_child;
    actor_main(argc, argv);
    return cases_main(tests, sizeof tests / sizeof tests[0], argc, argv);
}
