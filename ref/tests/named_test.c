/* File systems where a file cannot be made without a name (NFS, old overlayfs): the slot is made under its name, and
 * nobody takes it for a dead one's before it is complete. */
#include "cases.h"

#include "actor.h"
#include "mmipc/mmipc.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/file.h>

static _Atomic bool all_are_named; /* in an actor: of "named=1" */
static _Atomic int refusals, locks_lost;

int __real_openat(int directory, const char *name, int flags, ...); // NOLINT: the linker's names
int __wrap_openat(int directory, const char *name, int flags, ...); // NOLINT
int __real_flock(int fd, int operation);                            // NOLINT
int __wrap_flock(int fd, int operation);                            // NOLINT

int __wrap_openat(int directory, const char *name, int flags, ...) // NOLINT
{
    va_list rest;
    mode_t mode;
    if (all_are_named && (flags & O_TMPFILE) == O_TMPFILE) {
        refusals++;
        errno = EOPNOTSUPP;
        return -1;
    }
    va_start(rest, flags);
    mode = va_arg(rest, mode_t); /* the library gives one always */
    va_end(rest);
    return __real_openat(directory, name, flags, mode);
}

/* Somebody looks at the file that has just been made, and is stopped while he has its lock. */
int __wrap_flock(int fd, int operation) // NOLINT
{
    if (locks_lost == 0)
        return __real_flock(fd, operation);
    locks_lost--;
    errno = EWOULDBLOCK;
    return -1;
}

/* The publisher finds the subscriber by the directory's changes alone: its next look of its own accord is in a minute.
 */
static void pass_messages(const char *directory, const char *of_publisher, const char *of_subscriber)
{
    struct actor from = actor_start("publisher", "c", directory, of_publisher);
    struct actor to = actor_start("subscriber", "c", directory, of_subscriber);
    assert_int_equal(test_directory_entries(directory), 4);
    assert_int_equal(actor_ask(&from, "connected 1 10000"), 0);
    assert_int_equal(actor_ask(&from, "publish 0 100 64"), 0);
    assert_int_equal(actor_ask(&to, "expect 100"), 100);
    actor_end(&from);
    actor_end(&to);
    assert_int_equal(test_directory_entries(directory), 0);
}

static void endpoints_meet(void **state)
{
    char *directory = test_directory();
    (void)state;
    pass_messages(directory, "ping=60000 named=1", "ping=60000 named=1");
    pass_messages(directory, "ping=60000", "ping=60000 named=1");
    pass_messages(directory, "ping=60000 named=1", "ping=60000");
    assert_int_equal(test_directory_remove(directory), 0);
}

static void a_killed_ones_file_is_removed(void **state)
{
    char *directory = test_directory();
    struct actor dead = actor_start("subscriber", "c", directory, "named=1");
    (void)state;
    actor_kill(&dead);
    pass_messages(directory, "ping=60000", "ping=60000 named=1");
    assert_int_equal(test_directory_remove(directory), 0);
}

/* It is given up for another, as often as that happens. */
static void a_locked_file_is_given_up(void **state)
{
    char *directory = test_directory();
    mmipc_publisher *from;
    struct actor to;
    (void)state;
    all_are_named = true;
    locks_lost = 5;
    assert_int_equal(mmipc_publisher_open(&from, "c", directory, NULL), 0);
    all_are_named = false;
    assert_int_equal(locks_lost, 0);
    assert_int_equal(refusals, 1);
    assert_int_equal(test_directory_entries(directory), 2);
    to = actor_start("subscriber", "c", directory, "");
    assert_int_equal(mmipc_publisher_wait_connected(from, 1, 10000), 0);
    actor_end(&to);
    mmipc_publisher_close(from);
    assert_int_equal(test_directory_remove(directory), 0);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {CASE(endpoints_meet), CASE(a_killed_ones_file_is_removed),
                                       CASE(a_locked_file_is_given_up)};
    all_are_named = argc == 6 && strstr(argv[5], "named=1") != NULL;
    actor_main(argc, argv);
    return cases_main(tests, sizeof tests / sizeof tests[0], argc, argv);
}
