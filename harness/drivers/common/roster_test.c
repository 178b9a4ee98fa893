/* Who is told of whom, and what becomes of what the dead leave. The other members are this program again, each in a
 * process of its own, for those of one process do not meet. */
#include "cases.h"
#include "roster.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

extern char **environ;

enum { WAIT_MS = 10000 };

static char folder[] = "/tmp/roster-test-XXXXXX";

/* What our own roster has said. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int joined_count, left_count, stale_count, refusals;
static char last_id[ENDPOINT_NAME], last_address[ROSTER_ADDRESS], last_stale[ROSTER_ADDRESS];

static int joined(void *context, const char *id, const char *address, void **member)
{
    int result = 0;
    pthread_mutex_lock(&lock);
    if (refusals > 0) {
        --refusals;
        result = -ECONNREFUSED;
    } else {
        ++joined_count;
        snprintf(last_id, sizeof last_id, "%s", id);
        snprintf(last_address, sizeof last_address, "%s", address);
        *member = context;
    }
    pthread_mutex_unlock(&lock);
    return result;
}

static void left(void *context, void *member)
{
    pthread_mutex_lock(&lock);
    left_count += member == context;
    pthread_mutex_unlock(&lock);
}

static void stale(const char *address)
{
    pthread_mutex_lock(&lock);
    ++stale_count;
    snprintf(last_stale, sizeof last_stale, "%s", address);
    pthread_mutex_unlock(&lock);
}

static bool reaches(const int *counter, int value)
{
    bool is_so = false;
    for (int waited = 0; !is_so && waited < WAIT_MS; waited += 5) {
        pthread_mutex_lock(&lock);
        is_so = *counter == value;
        pthread_mutex_unlock(&lock);
        if (!is_so)
            poll(NULL, 0, 5);
    }
    return is_so;
}

static struct roster *begin(const char *id, const char *channel, bool is_publisher, const char *address)
{
    const struct roster_kind kind = {
        .driver = "test", .is_publisher = is_publisher, .stale = stale, .joined = joined, .left = left};
    const ipcmark_endpoint options = {
        .size = sizeof options, .id = id, .directory = folder, .channel = channel, .ping_interval_ms = 100};
    static int context;
    struct endpoint endpoint;
    struct roster *roster;
    assert_int_equal(endpoint_copy(&endpoint, &options), 0);
    assert_int_equal(roster_open(&roster, &endpoint, folder, &kind, address, &context), 0);
    return roster;
}

static struct roster *start(const char *channel)
{
    struct roster *roster = begin("ours", channel, true, "");
    assert_int_equal(roster_start(roster), 0);
    return roster;
}

static void enter(void)
{
    memcpy(strrchr(folder, '-'), "-XXXXXX", sizeof "-XXXXXX");
    assert_non_null(mkdtemp(folder));
    joined_count = left_count = stale_count = refusals = 0;
}

/* There must be nothing in it. */
static void leave(void)
{
    assert_int_equal(rmdir(folder), 0);
}

/* The name of the file whose name ends so; "" if there is none. */
static void find_file(const char *kind, char name[NAME_MAX + 1])
{
    DIR *entries = opendir(folder);
    assert_non_null(entries);
    name[0] = '\0';
    for (const struct dirent *entry; (entry = readdir(entries)) != NULL;) {
        const size_t length = strlen(entry->d_name), tail = strlen(kind);
        if (length > tail && strcmp(entry->d_name + length - tail, kind) == 0)
            memcpy(name, entry->d_name, length + 1);
    }
    closedir(entries);
}

/* ---- a member in a process of its own ---------------------------------------------------------------------------- */

struct other {
    pid_t pid;
    int in;
};

/* Returns once its advertisement is there; hidden: not shown yet. */
static struct other other_start(const char *id, const char *channel, const char *address, bool hidden)
{
    char *arguments[] = {(char[]){"other"},
                         (char[]){"--other"},
                         folder,
                         (char *)(uintptr_t)id,
                         (char *)(uintptr_t)channel,
                         (char *)(uintptr_t)address,
                         (char *)(uintptr_t)(hidden ? "hidden" : "shown"),
                         NULL};
    struct other other;
    int to[2], from[2];
    char answer;
    posix_spawn_file_actions_t actions;
    assert_int_equal(pipe2(to, O_CLOEXEC) | pipe2(from, O_CLOEXEC), 0);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, to[0], STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, from[1], STDOUT_FILENO);
    assert_int_equal(posix_spawn(&other.pid, "/proc/self/exe", &actions, NULL, arguments, environ), 0);
    posix_spawn_file_actions_destroy(&actions);
    close(to[0]);
    close(from[1]);
    assert_int_equal(read(from[0], &answer, 1), 1);
    close(from[0]);
    other.in = to[1];
    return other;
}

static void other_end(struct other *other, bool by_kill)
{
    int status;
    if (by_kill)
        kill(other->pid, SIGKILL);
    close(other->in);
    assert_int_equal(waitpid(other->pid, &status, 0), other->pid);
    assert_int_equal(status, by_kill ? SIGKILL : 0);
}

static int other_main(char **arguments)
{
    char byte;
    snprintf(folder, sizeof folder, "%s", arguments[0]);
    struct roster *roster = begin(arguments[1], arguments[2], false, arguments[3]);
    if (strcmp(arguments[4], "shown") == 0 && roster_start(roster) < 0)
        return 1;
    if (write(STDOUT_FILENO, "+", 1) != 1 || read(STDIN_FILENO, &byte, 1) != 0)
        return 1;
    roster_close(roster);
    return 0;
}

/* ---- cases ------------------------------------------------------------------------------------------------------- */

static void member_comes_and_goes(void **state)
{
    (void)state;
    enter();
    struct roster *roster = start("channel");
    struct other other = other_start("theirs", "channel", "at home", false), stranger;
    assert_true(reaches(&joined_count, 1));
    assert_string_equal(last_id, "theirs");
    assert_string_equal(last_address, "at home");
    stranger = other_start("stranger", "another", "elsewhere", false);
    other_end(&other, false);
    assert_true(reaches(&left_count, 1));
    other_end(&stranger, false);
    roster_close(roster);
    assert_int_equal(joined_count, 1);
    assert_int_equal(left_count, 1);
    assert_int_equal(stale_count, 0);
    leave();
}

static void those_of_one_process_do_not_meet(void **state)
{
    (void)state;
    enter();
    struct roster *publisher = start("channel"), *subscriber = begin("too", "channel", false, "here");
    assert_int_equal(roster_start(subscriber), 0);
    struct other other = other_start("theirs", "channel", "at home", false);
    assert_true(reaches(&joined_count, 1)); /* one after the others has been seen, and they were not */
    assert_string_equal(last_id, "theirs");
    roster_close(subscriber);
    other_end(&other, false);
    roster_close(publisher);
    leave();
}

static void close_tells_of_all_who_are_there(void **state)
{
    (void)state;
    enter();
    struct other others[] = {other_start("a", "channel", "1", false), other_start("b", "channel", "2", false)};
    struct roster *roster = start("channel");
    assert_true(reaches(&joined_count, 2));
    roster_close(roster);
    assert_int_equal(left_count, 2);
    other_end(&others[0], false);
    other_end(&others[1], false);
    leave();
}

static void death_is_noticed_and_cleared_away(void **state)
{
    char name[NAME_MAX + 1];
    (void)state;
    enter();
    struct roster *roster = start("channel");
    struct other other = other_start("theirs", "channel", "/queue-7", false);
    assert_true(reaches(&joined_count, 1));
    other_end(&other, true);
    assert_true(reaches(&left_count, 1));
    assert_true(reaches(&stale_count, 1));
    assert_string_equal(last_stale, "/queue-7");
    find_file(".sub", name);
    assert_string_equal(name, "");
    roster_close(roster);
    leave();
}

/* Killed before its advertisement was shown: what lies at the address may be there already. */
static void hidden_death_is_cleared_away_by_a_newcomer(void **state)
{
    (void)state;
    enter();
    struct other other = other_start("theirs", "channel", "/queue-8", true);
    other_end(&other, true);
    struct roster *roster = begin("ours", "of another channel", true, "");
    assert_int_equal(stale_count, 1); /* before it does anything else */
    roster_close(roster);
    assert_int_equal(joined_count, 0);
    assert_int_equal(stale_count, 1);
    assert_string_equal(last_stale, "/queue-8");
    leave();
}

static void refused_member_is_tried_again(void **state)
{
    (void)state;
    enter();
    refusals = 3;
    struct roster *roster = start("channel");
    struct other other = other_start("theirs", "channel", "busy", false);
    assert_true(reaches(&joined_count, 1));
    assert_int_equal(refusals, 0);
    other_end(&other, false);
    assert_true(reaches(&left_count, 1));
    roster_close(roster);
    leave();
}

/* As if DRIVER-DIGEST… had been made by a process that lives. Returns the file, whose lock it holds, or not. */
static int put_file(const char *channel, int number, const void *bytes, size_t size, bool lives, char *path)
{
    const ipcmark_endpoint options = {.size = sizeof options, .id = "x", .directory = folder, .channel = channel};
    struct endpoint endpoint;
    char unseen[PATH_MAX];
    assert_int_equal(endpoint_copy(&endpoint, &options), 0);
    snprintf(path, PATH_MAX, "%s/test-%s-%016x-%016x.sub", folder, endpoint.digest, 0xabcu, (unsigned)number);
    snprintf(unseen, sizeof unseen, "%s/unseen", folder);
    const int file = open(unseen, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(file >= 0);
    assert_int_equal(write(file, bytes, size), size);
    if (lives)
        assert_int_equal(flock(file, LOCK_EX), 0);
    assert_int_equal(rename(unseen, path), 0);
    return file;
}

/* An advertisement as a living member writes it, of that channel. */
static size_t read_advertisement(const char *channel, char *bytes, size_t room)
{
    struct other other = other_start("theirs", channel, "at home", false);
    char name[NAME_MAX + 1], path[PATH_MAX];
    find_file(".sub", name);
    snprintf(path, sizeof path, "%s/%s", folder, name);
    const int file = open(path, O_RDONLY | O_CLOEXEC);
    const ssize_t got = read(file, bytes, room);
    assert_true(got > 0);
    close(file);
    other_end(&other, false);
    return (size_t)got;
}

/* A channel that has the same digest as ours, made up: its advertisement under a name of our digest. */
static void digest_of_two_channels_joins_nobody(void **state)
{
    char bytes[4096], path[2][PATH_MAX];
    (void)state;
    enter();
    const size_t size = read_advertisement("theirs", bytes, sizeof bytes);
    const int wrong = put_file("ours", 1, bytes, size, true, path[0]);
    const int right = put_file("theirs", 2, bytes, size, true, path[1]);
    struct roster *ours = start("ours"), *theirs = start("theirs");
    assert_true(reaches(&joined_count, 1)); /* the one under its own name */
    struct other other = other_start("later", "ours", "here", false);
    assert_true(reaches(&joined_count, 2)); /* which was seen after the wrong one */
    assert_string_equal(last_id, "later");
    other_end(&other, false);
    assert_true(reaches(&left_count, 1));
    roster_close(theirs);
    roster_close(ours);
    assert_int_equal(joined_count, 2);
    close(wrong);
    close(right);
    unlink(path[0]);
    unlink(path[1]);
    leave();
}

static void garbage_joins_nobody(void **state)
{
    enum { KINDS = 5 };
    char bytes[KINDS][4096], paths[KINDS][PATH_MAX], fifo[PATH_MAX];
    size_t sizes[KINDS];
    int files[KINDS];
    (void)state;
    enter();
    const size_t size = read_advertisement("channel", bytes[0], sizeof bytes[0]);
    for (int i = 0; i < KINDS; ++i) {
        memcpy(bytes[i], bytes[0], size);
        sizes[i] = size;
    }
    sizes[0] = 0;
    sizes[1] = size - 1;
    bytes[2][0] ^= 1;                                                  /* another magic */
    memset(bytes[3] + sizeof(uint32_t), 'x', size - sizeof(uint32_t)); /* texts without an end */
    memset(bytes[4] + size - ROSTER_ADDRESS, 'x', ROSTER_ADDRESS);     /* an address without one */
    for (int i = 0; i < KINDS; ++i)
        files[i] = put_file("channel", i, bytes[i], sizes[i], true, paths[i]);
    snprintf(fifo, sizeof fifo, "%s", paths[0]);
    fifo[strlen(fifo) - strlen("0.sub")] = 'f';
    assert_int_equal(mkfifo(fifo, 0600), 0);
    struct roster *roster = start("channel");
    struct other other = other_start("theirs", "channel", "here", false);
    assert_true(reaches(&joined_count, 1));
    other_end(&other, false);
    assert_true(reaches(&left_count, 1));
    for (int i = 0; i < KINDS; ++i)
        close(files[i]); /* and now they are of the dead */
    roster_close(roster);
    assert_int_equal(joined_count, 1);
    assert_int_equal(stale_count, 0);  /* nothing could be read from them */
    assert_int_equal(unlink(fifo), 0); /* which is not a file of ours */
    leave();
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        CASE(member_comes_and_goes),
        CASE(those_of_one_process_do_not_meet),
        CASE(close_tells_of_all_who_are_there),
        CASE(death_is_noticed_and_cleared_away),
        CASE(hidden_death_is_cleared_away_by_a_newcomer),
        CASE(refused_member_is_tried_again),
        CASE(digest_of_two_channels_joins_nobody),
        CASE(garbage_joins_nobody),
    };
    if (argc == 7 && strcmp(argv[1], "--other") == 0)
        return other_main(argv + 2);
    return cases_main(tests, sizeof tests / sizeof tests[0], argc, argv);
}
