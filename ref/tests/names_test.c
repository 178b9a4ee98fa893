/* Directories, channel names, and what stands in the directory that is not ours. */
#include "cases.h"

#include "actor.h"
#include "receiver.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static void meet(const char *channel, const char *publisher_at, const char *subscriber_at)
{
    struct actor to = actor_start("subscriber", channel, subscriber_at, "");
    struct actor from = actor_start("publisher", channel, publisher_at, "");
    assert_int_equal(actor_ask(&from, "connected 1 10000"), 0);
    assert_int_equal(actor_ask(&from, "publish 0 10 64"), 0);
    assert_int_equal(actor_ask(&to, "expect 10"), 10);
    actor_end(&from);
    actor_end(&to);
}

/* Removes the empty directories of a path, down to its first `keep` bytes. */
static void remove_path(char *path, size_t keep)
{
    while (strlen(path) > keep) {
        assert_int_equal(rmdir(path), 0);
        *strrchr(path, '/') = '\0';
    }
}

static void path_of_4000_bytes(void **state)
{
    char *directory = test_directory(), path[5000];
    const size_t start = strlen(directory);
    mmipc_publisher *publisher;
    size_t length = start;
    (void)state;
    memcpy(path, directory, start);
    while (length < 4000) {
        size_t piece = 4000 - length < 200 ? 4000 - length : 200;
        path[length] = '/';
        memset(path + length + 1, 'd', piece - 1);
        length += piece;
    }
    path[length] = '\0';
    meet("c", path, path);
    memset(path + length, '/', 200); /* the kernel takes no more than 4095 */
    path[length + 200] = '\0';
    assert_int_equal(mmipc_publisher_open(&publisher, "c", path, NULL), -ENAMETOOLONG);
    path[length] = '\0';
    remove_path(path, start);
    snprintf(path + start, sizeof path - start, "/%0300d", 0); /* nor a name of more than 255 */
    assert_int_equal(mmipc_publisher_open(&publisher, "c", path, NULL), -ENAMETOOLONG);
    assert_int_equal(test_directory_remove(directory), 0);
}

static void directory_is_made_private(void **state)
{
    char *directory = test_directory(), path[256];
    struct stat status;
    mode_t mask;
    (void)state;
    mask = umask(0);
    snprintf(path, sizeof path, "%s/new/below", directory);
    meet("c", path, path);
    umask(mask);
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0700);
    remove_path(path, strlen(directory));
    assert_int_equal(test_directory_remove(directory), 0);
}

static void one_directory_by_many_paths(void **state)
{
    char *directory = test_directory(), link[256], detour[512];
    int here = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct receiver receiver = RECEIVER_INIT;
    mmipc_subscriber *to;
    struct actor from;
    (void)state;
    snprintf(link, sizeof link, "%s-link", directory);
    snprintf(detour, sizeof detour, "%s//./..//%s///", directory, strrchr(directory, '/') + 1);
    assert_int_equal(symlink(directory, link), 0);
    meet("c", link, directory);
    meet("c", detour, link);
    assert_int_equal(chdir(directory), 0);
    meet("c", ".", link);
    meet("c", directory, "./");
    assert_int_equal(mmipc_subscriber_open(&to, "c", "made/here", receiver_message, &receiver, NULL), 0);
    assert_int_equal(fchdir(here), 0); /* a relative path is taken once, at open */
    snprintf(detour, sizeof detour, "%s/made/here", link);
    from = actor_start("publisher", "c", detour, "");
    assert_int_equal(actor_ask(&from, "connected 1 10000"), 0);
    assert_int_equal(actor_ask(&from, "publish 0 10 64"), 0);
    RECEIVER_WAIT(&receiver, count, 10);
    actor_end(&from);
    mmipc_subscriber_close(to);
    snprintf(detour, sizeof detour, "%s/made/here", directory);
    remove_path(detour, strlen(directory));
    assert_int_equal(unlink(link), 0);
    close(here);
    assert_int_equal(test_directory_remove(directory), 0);
}

static void wrong_paths(void **state)
{
    char *directory = test_directory(), path[256];
    mmipc_subscriber *to = NULL;
    (void)state;
    snprintf(path, sizeof path, "%s/loop", directory);
    assert_int_equal(symlink("loop", path), 0);
    assert_int_equal(mmipc_subscriber_open(&to, "c", path, NULL, NULL, NULL), -ELOOP);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mmipc_subscriber_open(&to, "c", "/dev/null", NULL, NULL, NULL), -ENOTDIR);
    assert_int_equal(mmipc_subscriber_open(&to, "c", "/proc/none/below", NULL, NULL, NULL), -ENOENT);
    assert_int_equal(mmipc_subscriber_open(&to, "c", NULL, NULL, NULL, NULL), -EINVAL);
    assert_int_equal(mmipc_subscriber_open(&to, NULL, directory, NULL, NULL, NULL), -EINVAL);
    assert_null(to);
    assert_int_equal(test_directory_remove(directory), 0);
}

static void any_byte_but_nul_in_a_name(void **state)
{
    char *directory = test_directory(), every[256], longest[256], other[256];
    struct actor stranger;
    (void)state;
    for (int i = 0; i < 255; ++i)
        every[i] = (char)(i + 1);
    memset(longest, 'n', 255);
    every[255] = longest[255] = '\0';
    memcpy(other, longest, sizeof other);
    other[254] = 'm';
    stranger = actor_start("subscriber", other, directory, ""); /* differs in the last byte */
    meet(longest, directory, directory);
    meet(every, directory, directory);
    meet("../../etc", directory, directory);
    meet("nn", directory, directory);
    assert_int_equal(actor_ask(&stranger, "connections"), 0);
    assert_int_equal(actor_ask(&stranger, "expect 0"), 0);
    actor_end(&stranger);
    assert_int_equal(test_directory_remove(directory), 0);
}

static void slot_path(const char *directory, int number, const char *suffix, char path[512])
{
    snprintf(path, 512, "%s/mmipc-%032d.%s", directory, number, suffix);
}

static void write_file(const char *path, const char *text, size_t size)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, size), (ssize_t)size);
    close(fd);
}

/* Every kind of thing under a slot's name or its socket's, none of them a slot. How many. */
static int litter(const char *directory)
{
    static const char *const suffixes[] = {"json", "sock"};
    static char nested[4 << 20];
    char path[512];
    int number = 0;
    memset(nested, '[', sizeof nested);
    for (int i = 0; i < 2; ++i) {
        slot_path(directory, ++number, suffixes[i], path);
        assert_int_equal(mkdir(path, 0700), 0);
        slot_path(directory, ++number, suffixes[i], path);
        assert_int_equal(mkfifo(path, 0600), 0);
        slot_path(directory, ++number, suffixes[i], path);
        assert_int_equal(symlink("/etc/passwd", path), 0);
        slot_path(directory, ++number, suffixes[i], path);
        assert_int_equal(symlink("nowhere", path), 0);
        slot_path(directory, ++number, suffixes[i], path);
        write_file(path, "", 0);
        slot_path(directory, ++number, suffixes[i], path);
        write_file(path, nested, 2000);
        slot_path(directory, ++number, suffixes[i], path);
        write_file(path, nested, sizeof nested);
        slot_path(directory, ++number, suffixes[i], path);
        write_file(path, "{\"magic\":\"another\"}", 19);
        slot_path(directory, ++number, suffixes[i], path);
        write_file(path, "{\"magic\":\"mmipc-slot\"}", 22);
        assert_int_equal(chmod(path, i == 0 ? 0 : 0600), 0);
        assert_int_equal(truncate(path, 1000000), 0); /* sparse, and too large to be one */
    }
    return number;
}

struct sight {
    ino_t inode;
    off_t size;
    mode_t mode;
    int64_t modified_ns, changed_ns;
};

static void look(const char *directory, int count, struct sight *sights)
{
    for (int i = 0; i < count; ++i) {
        struct stat status;
        char path[512];
        slot_path(directory, i + 1, i < count / 2 ? "json" : "sock", path);
        assert_int_equal(lstat(path, &status), 0);
        memset(&sights[i], 0, sizeof sights[i]);
        sights[i].inode = status.st_ino;
        sights[i].size = status.st_size;
        sights[i].mode = status.st_mode;
        sights[i].modified_ns = (int64_t)status.st_mtim.tv_sec * 1000000000 + status.st_mtim.tv_nsec;
        sights[i].changed_ns = (int64_t)status.st_ctim.tv_sec * 1000000000 + status.st_ctim.tv_nsec;
    }
}

static void litter_is_not_touched(void **state)
{
    char *directory = test_directory();
    struct sight before[32], after[32];
    const int count = litter(directory);
    struct actor to, from, visitor;
    (void)state;
    look(directory, count, before);
    to = actor_start("subscriber", "c", directory, "ping=20");
    from = actor_start("publisher", "c", directory, "ping=20");
    assert_int_equal(actor_ask(&from, "connected 1 10000"), 0);
    for (int i = 0; i < 5; ++i) { /* each coming and going makes the others look */
        visitor = actor_start("subscriber", "c", directory, "ping=20");
        assert_int_equal(actor_ask(&from, "connected 2 10000"), 0);
        actor_kill(&visitor);
        while (test_directory_entries(directory) != count + 4) /* until it has been cleaned up after */
            sched_yield();
    }
    assert_int_equal(actor_ask(&from, "publish 0 10 64"), 0);
    assert_int_equal(actor_ask(&to, "expect 10"), 10);
    actor_end(&to);
    actor_end(&from);
    look(directory, count, after);
    assert_memory_equal(before, after, (size_t)count * sizeof before[0]);
    assert_int_equal(test_directory_remove(directory), count);
}

/* A living slot of a subscriber that is none: locked, waiting, and behind its socket somebody who says the wrong thing.
 */
struct liar {
    int file, socket, called;
};

static struct liar liar_start(const char *directory, int number)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct liar liar = {.called = -1};
    char path[512], text[512];
    slot_path(directory, number, "sock", path);
    assert_true(strlen(path) < sizeof address.sun_path);
    memcpy(address.sun_path, path, strlen(path));
    liar.socket = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(liar.socket, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(liar.socket, 8), 0);
    slot_path(directory, number, "json", path);
    snprintf(text, sizeof text,
             "{\"magic\":\"mmipc-slot\",\"role\":\"subscriber\",\"state\":\"waiting\",\"id\":\"%032d\",\"channel_hex\":"
             "\"63\"}",
             number);
    liar.file = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    assert_int_equal(flock(liar.file, LOCK_EX | LOCK_NB), 0);
    assert_int_equal(write(liar.file, text, strlen(text)), (ssize_t)strlen(text));
    return liar;
}

static void liars_cost_only_their_own_pair(void **state)
{
    char *directory = test_directory(), noise[320];
    struct liar silent = liar_start(directory, 1), noisy = liar_start(directory, 2),
                short_spoken = liar_start(directory, 3);
    struct actor from = actor_start("publisher", "c", directory, "ping=100"), to;
    struct liar *const liars[] = {&silent, &noisy, &short_spoken};
    (void)state;
    memset(noise, 0x5a, sizeof noise);
    for (int i = 0; i < 3; ++i) {
        liars[i]->called = accept(liars[i]->socket, NULL, NULL);
        assert_true(liars[i]->called >= 0);
    }
    assert_int_equal(send(noisy.called, noise, sizeof noise, MSG_NOSIGNAL), (ssize_t)sizeof noise);
    assert_int_equal(send(short_spoken.called, noise, 1, MSG_NOSIGNAL), 1);
    to = actor_start("subscriber", "c", directory, "");
    assert_int_equal(actor_ask(&from, "connected 1 10000"), 0);
    assert_int_equal(actor_ask(&from, "publish 0 10 64"), 0);
    assert_int_equal(actor_ask(&to, "expect 10"), 10);
    for (int i = 0; i < 3; ++i) { /* hung up on: at once, or when the time for a handshake is over */
        while (recv(liars[i]->called, noise, sizeof noise, 0) > 0)
            ;
        close(liars[i]->called);
    }
    assert_int_equal(actor_ask(&from, "connections"), 1);
    actor_end(&to);
    actor_end(&from);
    for (int i = 0; i < 3; ++i) {
        close(liars[i]->socket);
        close(liars[i]->file);
    }
    assert_int_equal(test_directory_remove(directory), 6);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {CASE(path_of_4000_bytes),
                                       CASE(directory_is_made_private),
                                       CASE(one_directory_by_many_paths),
                                       CASE(wrong_paths),
                                       CASE(any_byte_but_nul_in_a_name),
                                       CASE(litter_is_not_touched),
                                       CASE(liars_cost_only_their_own_pair)};
    actor_main(argc, argv);
    return cases_main(tests, sizeof tests / sizeof tests[0], argc, argv);
}
