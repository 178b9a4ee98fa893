/* What the system has run out of, forbids, or takes away: the error says so, nothing is left behind, and it goes on
 * afterwards. */
#include "cases.h"

#include "actor.h"
#include "own.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
enum { SANITIZED = 1 };
#else
enum { SANITIZED = 0 };
#endif

/* What of the library's own process fails meanwhile. See --wrap in CMakeLists.txt. */
static _Atomic int memory_error, map_error, watch_error, receive_error, receive_failures;
static _Atomic int list_error, probe_error, connect_error, scans;

int __real_os_memory_create(size_t bytes); // NOLINT: the linker's names
int __wrap_os_memory_create(size_t bytes); // NOLINT
int __real_os_memory_map(int fd, size_t header_bytes, size_t ring_bytes, bool writable, void **out); // NOLINT
int __wrap_os_memory_map(int fd, size_t header_bytes, size_t ring_bytes, bool writable, void **out); // NOLINT
int __real_os_watch_open(int directory);                                                             // NOLINT
int __wrap_os_watch_open(int directory);                                                             // NOLINT

ssize_t __real_os_socket_receive(int fd, void *data, size_t capacity, int *fds, int *fd_count); // NOLINT
ssize_t __wrap_os_socket_receive(int fd, void *data, size_t capacity, int *fds, int *fd_count); // NOLINT

int __real_os_list_open(int directory, DIR **out);                  // NOLINT
int __wrap_os_list_open(int directory, DIR **out);                  // NOLINT
int __real_os_file_probe(int directory, const char *name, int *fd); // NOLINT
int __wrap_os_file_probe(int directory, const char *name, int *fd); // NOLINT
int __real_os_socket_connect(int directory, const char *name);      // NOLINT
int __wrap_os_socket_connect(int directory, const char *name);      // NOLINT

int __wrap_os_list_open(int directory, DIR **out) // NOLINT
{
    scans++;
    const int error = list_error; /* here and below once: the test may clear it now */
    return error != 0 ? error : __real_os_list_open(directory, out);
}

int __wrap_os_file_probe(int directory, const char *name, int *fd) // NOLINT
{
    const int error = probe_error;
    return error != 0 ? error : __real_os_file_probe(directory, name, fd);
}

int __wrap_os_socket_connect(int directory, const char *name) // NOLINT
{
    const int error = connect_error;
    return error != 0 ? error : __real_os_socket_connect(directory, name);
}

int __wrap_os_memory_create(size_t bytes) // NOLINT
{
    const int error = memory_error;
    return error != 0 ? error : __real_os_memory_create(bytes);
}

int __wrap_os_memory_map(int fd, size_t header_bytes, size_t ring_bytes, bool writable, void **out) // NOLINT
{
    const int error = map_error;
    return error != 0 ? error : __real_os_memory_map(fd, header_bytes, ring_bytes, writable, out);
}

int __wrap_os_watch_open(int directory) // NOLINT
{
    const int error = watch_error;
    return error != 0 ? error : __real_os_watch_open(directory);
}

ssize_t __wrap_os_socket_receive(int fd, void *data, size_t capacity, int *fds, int *fd_count) // NOLINT
{
    const int error = receive_error;
    if (error == 0)
        return __real_os_socket_receive(fd, data, capacity, fds, fd_count);
    receive_failures++;
    *fd_count = 0;
    return error;
}

/* It works: with another process, both ways that there are. */
static void works(struct own *own, const char *directory)
{
    struct actor other = actor_start(own->publisher != NULL ? "subscriber" : "publisher", "c", directory, "ping=50");
    assert_int_equal(actor_ask(&other, "connected 1 10000"), 0);
    if (own->publisher != NULL) {
        const uint64_t first = 0;
        assert_int_equal(mmipc_publisher_wait_connected(own->publisher, 1, 10000), 0);
        assert_int_equal(mmipc_publish(own->publisher, &first, sizeof first), 0);
        assert_int_equal(actor_ask(&other, "expect 1"), 1);
    } else {
        mmipc_message *message;
        long before;
        pthread_mutex_lock(&own->receiver.lock);
        before = own->receiver.count;
        pthread_mutex_unlock(&own->receiver.lock);
        assert_int_equal(actor_ask(&other, "publish %ld 1 8", before), 0);
        if (own->pulls) {
            assert_int_equal(mmipc_subscriber_receive(own->subscriber, &message, 10000), 0);
            mmipc_message_release(message);
        } else {
            RECEIVER_WAIT(&own->receiver, count, before + 1);
        }
    }
    actor_end(&other);
}

static int descriptors(void)
{
    int count = 0;
    for (int fd = 0; fd < 256; ++fd)
        count += fcntl(fd, F_GETFD) >= 0;
    return count;
}

static rlim_t limit_to(int resource, rlim_t soft)
{
    struct rlimit limit;
    rlim_t before;
    assert_int_equal(getrlimit(resource, &limit), 0);
    before = limit.rlim_cur;
    limit.rlim_cur = soft;
    assert_int_equal(setrlimit(resource, &limit), 0);
    return before;
}

static const char *const ROLES[] = {"publisher", "subscriber", "puller"}; /* the last: a subscriber in pull mode */

static void open_without_descriptors(void **state)
{
    char *directory = test_directory();
    (void)state;
    for (int i = 0; i < 3; ++i) {
        const int before = descriptors();
        int failures = 0, result = -1;
        for (int more = 0; result != 0; ++more) {
            struct own own = {.receiver = RECEIVER_INIT};
            const rlim_t limit = limit_to(RLIMIT_NOFILE, (rlim_t)before + (rlim_t)more);
            result = own_try_open(&own, ROLES[i], directory, 0);
            limit_to(RLIMIT_NOFILE, limit);
            assert_true(result == 0 || result == -EMFILE);
            failures += result != 0;
            own_close(&own);
            assert_int_equal(descriptors(), before);
            assert_int_equal(test_directory_entries(directory), 0);
        }
        assert_in_range(failures, 5, 20);
    }
    assert_int_equal(test_directory_remove(directory), 0);
}

/* In an actor: as many descriptors more than it has now, 0: as many as it likes. */
static long limit_descriptors(const char *line)
{
    long more;
    if (sscanf(line, "descriptors %ld", &more) != 1)
        return -ENOSYS;
    limit_to(RLIMIT_NOFILE, more == 0 ? 1024 : (rlim_t)(descriptors() + more - 1));
    return 0;
}

/* Peers come, and the last descriptors go while they are let in, at any step of it: they are let in when there are
 * some. */
static void peers_without_descriptors(void **state)
{
    (void)state;
    for (int i = 0; i < 2; ++i) {
        for (int more = 1; more < 9; ++more) {
            char *directory = test_directory();
            struct actor limited = actor_start(ROLES[i], "c", directory, "ping=50");
            struct own own;
            assert_int_equal(actor_ask(&limited, "descriptors %d", more), 0);
            own_open(&own, ROLES[1 - i], directory, 0, NULL);
            if (more < 4)
                assert_int_equal(actor_ask(&limited, "connected 1 150"), -ETIMEDOUT);
            assert_int_equal(actor_ask(&limited, "descriptors 0"), 0);
            assert_int_equal(actor_ask(&limited, "connected 1 10000"), 0);
            own_close(&own);
            assert_int_equal(actor_ask(&limited, "disconnected 10000"), 0);
            own_open(&own, ROLES[1 - i], directory, 0, NULL);
            assert_int_equal(actor_ask(&limited, "connected 1 10000"), 0);
            own_close(&own);
            actor_end(&limited);
            assert_int_equal(test_directory_remove(directory), 0);
        }
    }
}

static void no_memory_for_a_pair(void **state)
{
    (void)state;
    for (int i = 0; i < 2; ++i) {
        char *directory = test_directory();
        struct actor other;
        struct own own;
        own_open(&own, ROLES[i], directory, 0, "out of memory");
        memory_error = -ENOMEM;
        other = actor_start(i == 0 ? "subscriber" : "publisher", "c", directory, "ping=50");
        own_wait_for_line(&own);
        assert_int_equal(actor_ask(&other, "connections"), 0);
        memory_error = 0;
        assert_int_equal(actor_ask(&other, "connected 1 10000"), 0); /* it was not given up */
        actor_end(&other);
        works(&own, directory);
        own_close(&own);
        assert_int_equal(test_directory_remove(directory), 0);
    }
}

/* The pair is lost, and neither side is blamed for it. */
static void no_memory_in_a_pair(void **state)
{
    char *directory = test_directory();
    struct actor other;
    struct own own;
    (void)state;
    own = (struct own){.receiver = RECEIVER_INIT, .wanted = "closed: out of memory", .unwanted = "not of the protocol"};
    assert_int_equal(own_try_open(&own, "subscriber", directory, 0), 0);
    other = actor_start("publisher", "c", directory, "ping=50");
    assert_int_equal(actor_ask(&other, "connected 1 10000"), 0);
    RECEIVER_WAIT(&own.receiver, event_count, 1);
    map_error = -ENOMEM;
    assert_int_equal(actor_ask(&other, "publish 0 1 1000000"), 0);
    own_wait_for_line(&own);
    map_error = 0;
    RECEIVER_WAIT(&own.receiver, event_count, 3); /* disconnected, and connected again */
    assert_int_equal(own.receiver.events[1], MMIPC_PEER_DISCONNECTED);
    assert_int_equal(own.receiver.reasons[1], MMIPC_REASON_NONE);
    assert_int_equal(own.receiver.count, 0);
    actor_end(&other);
    works(&own, directory);
    own_close(&own);
    assert_int_equal(own.wrong_lines, 0);
    assert_int_equal(test_directory_remove(directory), 0);
}

static void expect_one_line(const char *directory, _Atomic int *error, size_t max_total)
{
    struct own own = {.receiver = RECEIVER_INIT, .wanted = "left out", .max_total = max_total};
    struct actor to = actor_start("subscriber", "c", directory, "ping=50");
    int before;
    if (error != NULL)
        *error = -EMFILE;
    assert_int_equal(own_try_open(&own, "publisher", directory, 0), 0);
    own_wait_for_line(&own);
    before = scans;
    while (scans < before + 5) /* the case's time-out bounds this */
        sched_yield();
    pthread_mutex_lock(&own.receiver.lock);
    assert_int_equal(own.lines, 1);
    pthread_mutex_unlock(&own.receiver.lock);
    if (error != NULL) {
        *error = 0;
        assert_int_equal(mmipc_publisher_wait_connected(own.publisher, 1, 10000), 0);
    }
    own_close(&own);
    actor_end(&to);
}

static void who_leaves_peers_out_says_so_once(void **state)
{
    char *directory = test_directory();
    (void)state;
    expect_one_line(directory, &list_error, 0);
    expect_one_line(directory, &probe_error, 0);
    expect_one_line(directory, &connect_error, 0);
    expect_one_line(directory, NULL, 1); /* byte for all pairs */
    assert_int_equal(test_directory_remove(directory), 0);
}

/* It is no hang-up, of a peer that lives as little as of one that has died: what it sent is on its way. */
static void mail_cannot_be_received(void **state)
{
    static const int errors[] = {-ENOMEM, -ENOBUFS, -EINTR};
    (void)state;
    for (int i = 0; i < 6; ++i) {
        char *directory = test_directory();
        struct actor from;
        struct own own;
        own_open(&own, "subscriber", directory, 0, NULL);
        from = actor_start("publisher", "c", directory, "");
        assert_int_equal(actor_ask(&from, "connected 1 10000"), 0);
        receive_error = errors[i % 3];
        receive_failures = 0;
        assert_int_equal(actor_ask(&from, "publish 0 1 100000"), 0); /* a payload file comes by mail */
        if (i >= 3)
            actor_kill(&from);
        while (receive_failures < 100) /* the case's time-out bounds this */
            sched_yield();
        receive_error = 0;
        RECEIVER_WAIT(&own.receiver, count, 1);
        if (i < 3) {
            assert_int_equal(mmipc_subscriber_connections(own.subscriber), 1);
            actor_end(&from);
        }
        own_close(&own);
        assert_int_equal(test_directory_remove(directory), 0);
    }
}

/* The same with a real limit, and without the signal that comes with reaching it, which would end the process. */
static void memory_files_are_limited(void **state)
{
    char *directory = test_directory();
    struct actor other;
    struct own own;
    rlim_t limit;
    (void)state;
    own_open(&own, "publisher", directory, 0, "raise RLIMIT_FSIZE");
    other = actor_start("subscriber", "elsewhere", directory, "");
    limit = limit_to(RLIMIT_FSIZE, 8192);
    actor_end(&other);
    other = actor_start("subscriber", "c", directory, "ping=50"); /* inherits the limit, but has only small files */
    own_wait_for_line(&own);
    assert_int_equal(mmipc_publisher_connections(own.publisher), 0);
    limit_to(RLIMIT_FSIZE, limit);
    assert_int_equal(mmipc_publisher_wait_connected(own.publisher, 1, 10000), 0);
    actor_end(&other);
    works(&own, directory);
    own_close(&own);
    assert_int_equal(test_directory_remove(directory), 0);
}

static void memory_of_a_publish_is_limited(void **state)
{
    char *directory = test_directory();
    mmipc_loan *loan;
    struct own own;
    rlim_t limit;
    void *data;
    (void)state;
    own_open(&own, "publisher", directory, 0, NULL);
    limit = limit_to(RLIMIT_FSIZE, 8192);
    assert_int_equal(mmipc_publish_begin(own.publisher, 1 << 20, &loan, &data), -EFBIG);
    limit_to(RLIMIT_FSIZE, limit);
    assert_int_equal(mmipc_publish_begin(own.publisher, 1 << 20, &loan, &data), 0);
    mmipc_publish_abort(loan);
    works(&own, directory);
    own_close(&own);
    assert_int_equal(test_directory_remove(directory), 0);
}

static void directory_files_are_limited(void **state)
{
    char *directory = test_directory();
    (void)state;
    for (int i = 0; i < 3; ++i) {
        struct own own = {.receiver = RECEIVER_INIT};
        const rlim_t limit = limit_to(RLIMIT_FSIZE, 0);
        const int result = own_try_open(&own, ROLES[i], directory, 0);
        limit_to(RLIMIT_FSIZE, limit);
        assert_int_equal(result, -EFBIG);
        assert_int_equal(test_directory_entries(directory), 0);
    }
    assert_int_equal(test_directory_remove(directory), 0);
}

static rlim_t address_space(void)
{
    long pages = 0;
    FILE *statm = fopen("/proc/self/statm", "re");
    assert_non_null(statm);
    assert_int_equal(fscanf(statm, "%ld", &pages), 1);
    fclose(statm);
    return (rlim_t)pages * (rlim_t)sysconf(_SC_PAGESIZE);
}

static pthread_mutex_t parking = PTHREAD_MUTEX_INITIALIZER;

static void *park(void *argument)
{
    pthread_mutex_lock(&parking);
    pthread_mutex_unlock(&parking);
    return argument;
}

static void no_address_space(void **state)
{
    pthread_t parked[16]; /* on the stacks that earlier threads left to be used again */
    int failures = 0;
    char *directory;
    (void)state;
    if (SANITIZED)
        CASES_SKIP("a sanitizer takes terabytes of address space for itself");
    pthread_mutex_lock(&parking);
    for (int i = 0; i < 16; ++i)
        assert_int_equal(pthread_create(&parked[i], NULL, park, NULL), 0);
    directory = test_directory();
    for (int i = 0; i < 3; ++i) {
        const int before = descriptors();
        int result = -1;
        for (rlim_t more = 0; result != 0; more += 2 << 20) {
            struct own own = {.receiver = RECEIVER_INIT};
            const rlim_t limit = limit_to(RLIMIT_AS, address_space() + more);
            result = own_try_open(&own, ROLES[i], directory, 0);
            limit_to(RLIMIT_AS, limit);
            assert_true(result == 0 || result == -ENOMEM);
            failures += result != 0;
            if (result == 0)
                works(&own, directory);
            own_close(&own);
            assert_int_equal(descriptors(), before);
            assert_int_equal(test_directory_entries(directory), 0);
        }
    }
    pthread_mutex_unlock(&parking);
    for (int i = 0; i < 16; ++i)
        pthread_join(parked[i], NULL);
    assert_true(failures > 0);
    assert_int_equal(test_directory_remove(directory), 0);
}

/* A file system of the test's own, that nobody else sees, over the directory. */
static void mount_over(char *directory, const char *options)
{
    if (unshare(CLONE_NEWNS) == 0 && mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
        mount("none", directory, "tmpfs", 0, options) == 0)
        return;
    test_directory_remove(directory);
    CASES_SKIP("no file system can be mounted here (only root may, with CAP_SYS_ADMIN)");
}

static void directory_is_full(void **state)
{
    char *directory = test_directory(), path[256];
    struct own own = {.receiver = RECEIVER_INIT};
    static const char page[4096] = "x";
    int fd;
    (void)state;
    mount_over(directory, "size=16k,nr_inodes=5");
    snprintf(path, sizeof path, "%s/filler", directory);
    fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    while (write(fd, page, sizeof page) > 0)
        ;
    for (int i = 0; i < 3; ++i) {
        assert_int_equal(own_try_open(&own, ROLES[i], directory, 0), -ENOSPC);
        assert_int_equal(test_directory_entries(directory), 1);
    }
    assert_int_equal(ftruncate(fd, 0), 0); /* space, then; but few inodes */
    close(fd);
    for (int i = 0; i < 3; ++i) {
        char name[256];
        snprintf(name, sizeof name, "%s/inode%d", directory, i);
        fd = open(name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
        if (fd < 0)
            break;
        close(fd);
    }
    for (int i = 0; i < 3; ++i) {
        const int before = test_directory_entries(directory);
        assert_int_equal(own_try_open(&own, ROLES[i], directory, 0), -ENOSPC);
        assert_int_equal(test_directory_entries(directory), before);
    }
    assert_int_equal(umount2(directory, MNT_DETACH), 0);
    own_open(&own, "publisher", directory, 0, NULL);
    works(&own, directory);
    own_close(&own);
    assert_int_equal(test_directory_remove(directory), 0);
}

static void directory_is_read_only(void **state)
{
    char *directory = test_directory();
    struct own own = {.receiver = RECEIVER_INIT};
    (void)state;
    mount_over(directory, "mode=700");
    assert_int_equal(mount("none", directory, NULL, MS_REMOUNT | MS_RDONLY, NULL), 0);
    for (int i = 0; i < 3; ++i)
        assert_int_equal(own_try_open(&own, ROLES[i], directory, 0), -EROFS);
    assert_int_equal(umount2(directory, MNT_DETACH), 0);
    own_open(&own, "subscriber", directory, 0, NULL);
    works(&own, directory);
    own_close(&own);
    assert_int_equal(test_directory_remove(directory), 0);
}

static void directory_is_forbidden(void **state)
{
    char *directory = test_directory();
    struct own own = {.receiver = RECEIVER_INIT};
    (void)state;
    assert_int_equal(chmod(directory, 0555), 0);
    if (geteuid() == 0)
        assert_int_equal(seteuid(61234), 0); /* root may all */
    for (int i = 0; i < 3; ++i)
        assert_int_equal(own_try_open(&own, ROLES[i], directory, 0), -EACCES);
    if (getuid() == 0)
        assert_int_equal(seteuid(0), 0);
    assert_int_equal(chmod(directory, 0700), 0);
    own_open(&own, "subscriber", directory, 0, NULL);
    works(&own, directory);
    own_close(&own);
    assert_int_equal(test_directory_remove(directory), 0);
}

static void empty(const char *directory)
{
    DIR *entries = opendir(directory);
    assert_non_null(entries);
    for (const struct dirent *entry = readdir(entries); entry != NULL; entry = readdir(entries))
        unlinkat(dirfd(entries), entry->d_name, 0);
    closedir(entries);
}

/* Pairs go on, and so does the endpoint when it can. */
static void files_are_tidied_away(bool the_directory_too)
{
    for (int i = 0; i < 2; ++i) {
        char *directory = test_directory();
        struct actor other;
        struct own own;
        own_open(&own, ROLES[i], directory, 0, "were removed");
        other = actor_start(i == 0 ? "subscriber" : "publisher", "c", directory, "ping=60000"); /* notices nothing */
        assert_int_equal(actor_ask(&other, "connected 1 10000"), 0);
        empty(directory);
        if (the_directory_too) {
            while (rmdir(directory) != 0) /* ours may be back already */
                empty(directory);
        }
        own_wait_for_line(&own);
        if (i == 0) {
            const uint64_t first = 0;
            assert_int_equal(mmipc_publisher_connections(own.publisher), 1);
            assert_int_equal(mmipc_publish(own.publisher, &first, sizeof first), 0);
            assert_int_equal(actor_ask(&other, "expect 1"), 1);
        } else {
            assert_int_equal(actor_ask(&other, "publish 0 1 8"), 0);
            RECEIVER_WAIT(&own.receiver, count, 1);
        }
        own_want(&own, "again");
        if (the_directory_too)
            assert_int_equal(mkdir(directory, 0700), 0);
        while (test_directory_entries(directory) < 2) /* the case's time-out bounds this */
            sched_yield();
        actor_end(&other);
        works(&own, directory);
        own_close(&own);
        assert_int_equal(test_directory_remove(directory), 0);
    }
}

static void files_are_removed(void **state)
{
    (void)state;
    files_are_tidied_away(false);
}

static void directory_is_removed(void **state)
{
    (void)state;
    files_are_tidied_away(true);
}

static void directory_cannot_be_watched(void **state)
{
    char *directory = test_directory();
    struct own own;
    (void)state;
    watch_error = -EMFILE; /* as when the user's inotify instances have run out */
    own_open(&own, "publisher", directory, 0, "found by scanning");
    own_wait_for_line(&own);
    watch_error = 0;
    works(&own, directory);
    own_close(&own);
    assert_int_equal(test_directory_remove(directory), 0);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {CASE(open_without_descriptors),
                                       CASE(peers_without_descriptors),
                                       CASE(no_memory_for_a_pair),
                                       CASE(mail_cannot_be_received),
                                       CASE(who_leaves_peers_out_says_so_once),
                                       CASE(no_memory_in_a_pair),
                                       CASE(memory_files_are_limited),
                                       CASE(memory_of_a_publish_is_limited),
                                       CASE(directory_files_are_limited),
                                       CASE(no_address_space),
                                       CASE(directory_is_full),
                                       CASE(directory_is_read_only),
                                       CASE(directory_is_forbidden),
                                       CASE(files_are_removed),
                                       CASE(directory_is_removed),
                                       CASE(directory_cannot_be_watched)};
    actor_other = limit_descriptors;
    actor_main(argc, argv);
    return cases_main(tests, sizeof tests / sizeof tests[0], argc, argv);
}
