/* Who may meet whom: users, PID namespaces, versions. */
#include "cases.h"

#include "actor.h"
#include "own.h"
#include "wire.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *opposite(const char *role)
{
    return role[0] == 'p' ? "subscriber" : "publisher";
}

/* A directory that everybody may use, as /tmp: the sticky bit keeps others' files. */
static char *open_directory(void)
{
    char *directory = test_directory();
    assert_int_equal(chmod(directory, 01777), 0);
    return directory;
}

static void need_root(void)
{
    if (geteuid() != 0)
        CASES_SKIP("only root can become another user");
}

static void refused(const char *role, uint32_t own_flags, const char *settings)
{
    char *directory = open_directory();
    struct own own;
    struct actor other;
    own_open(&own, role, directory, own_flags, "another user");
    other = actor_start(opposite(role), "c", directory, settings);
    own_wait_for_line(&own);
    assert_int_equal(own.receiver.event_count, 0);
    assert_int_equal(actor_ask(&other, "connections"), 0);
    actor_end(&other);
    own_close(&own);
    assert_int_equal(test_directory_remove(directory), 0);
}

static void other_user_is_refused(void **state)
{
    (void)state;
    need_root();
    refused("publisher", 0, "uid=61234 ping=100");
    refused("publisher", 0, "uid=61234 ping=100 flags=1"); /* on one side only */
    refused("publisher", MMIPC_ALLOW_OTHER_USERS, "uid=61234 ping=100");
    refused("subscriber", MMIPC_ALLOW_OTHER_USERS, "uid=61234 ping=100");
}

/* Also where both allow others: it stands for everybody whom the kernel cannot name here. */
static void overflow_user_is_refused(void **state)
{
    (void)state;
    need_root();
    refused("publisher", MMIPC_ALLOW_OTHER_USERS, "uid=65534 ping=100 flags=1");
    refused("subscriber", MMIPC_ALLOW_OTHER_USERS, "uid=65534 ping=100 flags=1");
}

/* Where the machine has another for it: this process alone sees that it does. */
static void overflow_user_is_the_machines(void **state)
{
    char *directory, path[256];
    FILE *file;
    (void)state;
    need_root();
    if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)
        CASES_SKIP("nothing can be mounted here (only root may, with CAP_SYS_ADMIN)");
    directory = test_directory();
    snprintf(path, sizeof path, "%s/overflowuid", directory);
    file = fopen(path, "we");
    assert_non_null(file);
    fprintf(file, "61234\n");
    fclose(file);
    assert_int_equal(mount(path, "/proc/sys/kernel/overflowuid", NULL, MS_BIND, NULL), 0);
    refused("publisher", MMIPC_ALLOW_OTHER_USERS, "uid=61234 ping=100 flags=1");
    refused("subscriber", MMIPC_ALLOW_OTHER_USERS, "uid=61234 ping=100 flags=1");
    assert_int_equal(umount2("/proc/sys/kernel/overflowuid", MNT_DETACH), 0);
    unlink(path);
    assert_int_equal(test_directory_remove(directory), 0);
}

static void check_modes(const char *directory, bool for_all)
{
    DIR *entries = opendir(directory);
    assert_non_null(entries);
    for (const struct dirent *entry = readdir(entries); entry != NULL; entry = readdir(entries)) {
        struct stat status;
        if (entry->d_name[0] == '.')
            continue;
        assert_int_equal(fstatat(dirfd(entries), entry->d_name, &status, AT_SYMLINK_NOFOLLOW), 0);
        if (S_ISSOCK(status.st_mode))
            assert_int_equal(status.st_mode & 0777, for_all ? 0666 : 0600);
        else
            assert_int_equal(status.st_mode & 0777, for_all ? 0644 : 0600);
    }
    closedir(entries);
}

static void meet(const char *directory, const char *publisher, const char *subscriber)
{
    struct actor to = actor_start("subscriber", "c", directory, subscriber);
    struct actor from = actor_start("publisher", "c", directory, publisher);
    assert_int_equal(actor_ask(&from, "connected 1 10000"), 0);
    assert_int_equal(actor_ask(&from, "publish 0 1000 64"), 0);
    assert_int_equal(actor_ask(&to, "expect 1000"), 1000);
    check_modes(directory, strstr(publisher, "flags=1") != NULL);
    actor_end(&from);
    actor_end(&to);
    assert_int_equal(test_directory_entries(directory), 0);
}

static void allowed_users_meet(void **state)
{
    char *directory;
    (void)state;
    need_root();
    directory = open_directory();
    meet(directory, "flags=1", "flags=1 uid=61234");
    meet(directory, "flags=1 uid=61234", "flags=1");
    meet(directory, "flags=1 uid=61234", "flags=1 uid=61235");
    meet(directory, "uid=61234", "uid=61234"); /* the same user needs no permission */
    assert_int_equal(test_directory_remove(directory), 0);
}

static void need_namespaces(void)
{
    int status = 1;
    pid_t pid = fork(); /* not in this process: what it starts later would be in the new namespace */
    if (pid == 0)
        _exit(unshare(CLONE_NEWPID) == 0 ? 0 : 1);
    waitpid(pid, &status, 0);
    if (geteuid() != 0 || status != 0)
        CASES_SKIP("no PID namespace can be made here (only root may, with CAP_SYS_ADMIN)");
}

static void namespaces(const char *role)
{
    char *directory = test_directory();
    struct own own;
    struct actor other;
    own_open(&own, role, directory, 0, NULL);
    other = actor_start(opposite(role), "c", directory, "namespace=1 ping=100");
    RECEIVER_WAIT(&own.receiver, event_count, 1);
    if (role[0] == 'p') {
        for (uint64_t i = 0; i < 1000; ++i)
            assert_int_equal(mmipc_publish(own.publisher, &i, sizeof i), 0);
        assert_int_equal(actor_ask(&other, "expect 1000"), 1000);
    } else {
        assert_int_equal(actor_ask(&other, "publish 0 1000 64"), 0);
        RECEIVER_WAIT(&own.receiver, count, 1000);
        assert_int_equal(own.receiver.out_of_order, 0);
    }
    assert_int_equal(test_directory_entries(directory), 4); /* neither takes the other's files for a dead one's */
    actor_kill(&other);
    RECEIVER_WAIT(&own.receiver, last_event, MMIPC_PEER_DISCONNECTED);
    assert_int_equal(own.receiver.reasons[own.receiver.event_count - 1], MMIPC_REASON_DIED);
    while (test_directory_entries(directory) != 2) /* the lock tells that it died; the case's time-out bounds this */
        sched_yield();
    own_close(&own);
    assert_int_equal(test_directory_remove(directory), 0);
}

static void namespaces_meet(void **state)
{
    (void)state;
    need_namespaces();
    namespaces("publisher");
    namespaces("subscriber");
}

/* By the directory's change alone: the next look of the publisher's own accord would be in a minute. */
static void newcomers_are_found_at_once(void **state)
{
    mmipc_options options;
    (void)state;
    mmipc_options_init(&options, sizeof options);
    options.ping_interval_ms = 60000;
    for (int i = 0; i < 20; ++i) {
        char *directory = test_directory();
        mmipc_publisher *from[2];
        struct actor to;
        for (int j = 0; j < 2; ++j)
            assert_int_equal(mmipc_publisher_open(&from[j], "c", directory, &options), 0);
        to = actor_start("subscriber", "c", directory, "");
        for (int j = 0; j < 2; ++j) {
            assert_int_equal(mmipc_publisher_wait_connected(from[j], 1, 10000), 0);
            mmipc_publisher_close(from[j]);
        }
        actor_end(&to);
        assert_int_equal(test_directory_remove(directory), 0);
    }
}

/* In an actor of "version=next": what it sends says that it is of the next version. */
static bool of_next_version;

void __real_wire_prepare(struct wire_message *message, enum wire_type type); // NOLINT: the linker's names
void __wrap_wire_prepare(struct wire_message *message, enum wire_type type); // NOLINT

void __wrap_wire_prepare(struct wire_message *message, enum wire_type type) // NOLINT
{
    __real_wire_prepare(message, type);
    message->version = (uint16_t)(message->version + of_next_version);
}

static void other_version_is_reported_once(void **state)
{
    static const char *const roles[] = {"publisher", "subscriber"};
    (void)state;
    for (int i = 0; i < 2; ++i) {
        char *directory = test_directory();
        struct own own;
        struct actor other, same;
        own_open(&own, roles[i], directory, 0, "another version");
        other = actor_start(opposite(roles[i]), "c", directory, "version=next ping=50");
        RECEIVER_WAIT(&own.receiver, event_count, 1);
        assert_int_equal(own.receiver.events[0], MMIPC_PEER_DISCONNECTED);
        assert_int_equal(own.receiver.reasons[0], MMIPC_REASON_VERSION);
        same = actor_start(opposite(roles[i]), "c", directory, "ping=3000"); /* or a starved machine suspends it */
        RECEIVER_WAIT(&own.receiver, event_count, 2);
        assert_int_equal(own.receiver.events[1], MMIPC_PEER_CONNECTED);
        assert_int_equal(actor_ask(&other, "connected 1 200"), -ETIMEDOUT); /* four of its looks at the directory */
        actor_end(&same);
        actor_end(&other);
        own_close(&own);
        assert_int_equal(own.receiver.event_count, 3);
        assert_int_equal(own.lines, 1);
        assert_int_equal(test_directory_remove(directory), 0);
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {CASE(other_user_is_refused),
                                       CASE(overflow_user_is_refused),
                                       CASE(overflow_user_is_the_machines),
                                       CASE(allowed_users_meet),
                                       CASE(namespaces_meet),
                                       CASE(newcomers_are_found_at_once),
                                       CASE(other_version_is_reported_once)};
    of_next_version = argc == 6 && strstr(argv[5], "version=next") != NULL;
    actor_main(argc, argv);
    return cases_main(tests, sizeof tests / sizeof tests[0], argc, argv);
}
