#include "child.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <setjmp.h>

#include <cmocka.h>

#include "ipcmark/driver.h"
#include "participant.h"

enum { ANSWER_WITHIN_MS = 30000, CHILDREN_MAX = 64 };

const char *child_driver;
static char directory[4096];               /* empty: not entered */
static struct child started[CHILDREN_MAX]; /* those with a pid have not ended */
extern char **environ;

/* What it says of itself. */
static ipcmark_driver driver_read(void)
{
    void *library = dlopen(child_driver, RTLD_NOW);
    const ipcmark_driver *(*get)(void);
    ipcmark_driver said;
    assert_non_null(library);
    *(void **)&get = dlsym(library, "ipcmark_driver_get");
    said = *get();
    dlclose(library);
    return said;
}

bool driver_claims(uint64_t capability)
{
    return (driver_read().capabilities & capability) != 0;
}

size_t driver_message_max(void)
{
    return driver_read().max_message_bytes;
}

void directory_enter(void)
{
    const char *parent = getenv("TMPDIR");
    snprintf(directory, sizeof directory, "%s/driver-test-XXXXXX", parent != NULL ? parent : "/tmp");
    assert_non_null(mkdtemp(directory));
}

/* Removes the files in the directory; returns how many there were. */
static int directory_empty(void)
{
    DIR *entries = opendir(directory);
    int count = 0;
    if (entries == NULL)
        return 0;
    for (const struct dirent *entry; (entry = readdir(entries)) != NULL;) {
        if (entry->d_name[0] == '.')
            continue;
        print_error("left behind: %s\n", entry->d_name);
        unlinkat(dirfd(entries), entry->d_name, 0);
        ++count;
    }
    closedir(entries);
    return count;
}

void directory_leave(void)
{
    int left = directory_empty();
    rmdir(directory);
    directory[0] = '\0';
    assert_int_equal(left, 0);
}

const char *directory_path(void)
{
    return directory;
}

/* The child's end is renamed to what participant.h says; all others are closed there, since they are close-on-exec. */
struct child child_start(void)
{
    char *arguments[] = {(char[]){"participant"}, (char[]){"--participant"}, NULL, directory, NULL};
    struct child child = {0};
    int to[2], from[2], page = memfd_create("progress", MFD_CLOEXEC);
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t defaults;
    arguments[2] = strdup(child_driver);
    assert_true(page >= 0 && ftruncate(page, sizeof *child.published) == 0);
    child.published = mmap(NULL, sizeof *child.published, PROT_READ | PROT_WRITE, MAP_SHARED, page, 0);
    assert_ptr_not_equal(child.published, MAP_FAILED);
    assert_int_equal(pipe2(to, O_CLOEXEC) | pipe2(from, O_CLOEXEC), 0);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, to[0], STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, from[1], STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, page, PARTICIPANT_PROGRESS);
    posix_spawnattr_init(&attributes); /* a driver that raises SIGPIPE must not be saved by us */
    sigemptyset(&defaults);
    sigaddset(&defaults, SIGPIPE);
    posix_spawnattr_setsigdefault(&attributes, &defaults);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
    assert_int_equal(posix_spawn(&child.pid, "/proc/self/exe", &actions, &attributes, arguments, environ), 0);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    free(arguments[2]);
    close(to[0]);
    close(from[1]);
    close(page);
    child.in = to[1];
    child.out = from[0];
    for (int i = 0; i < CHILDREN_MAX; ++i) {
        if (started[i].pid == 0) {
            started[i] = child;
            return child;
        }
    }
    fail_msg("more than %d children", CHILDREN_MAX);
    return child;
}

static int child_end(struct child *child)
{
    int status = -1;
    close(child->in);
    assert_int_equal(waitpid(child->pid, &status, 0), child->pid);
    close(child->out);
    munmap(child->published, sizeof *child->published);
    for (int i = 0; i < CHILDREN_MAX; ++i)
        if (started[i].pid == child->pid)
            started[i].pid = 0;
    child->pid = 0;
    return status;
}

void children_end(void)
{
    for (int i = 0; i < CHILDREN_MAX; ++i) {
        if (started[i].pid != 0) {
            struct child child = started[i];
            kill(child.pid, SIGKILL);
            child_end(&child);
        }
    }
    if (directory[0] != '\0') {
        directory_empty();
        rmdir(directory);
        directory[0] = '\0';
    }
}

void child_quit(struct child *child)
{
    child_ask(child, "quit");
    assert_int_equal(child_end(child), 0);
}

long child_kill(struct child *child)
{
    int status;
    long published;
    assert_int_equal(kill(child->pid, SIGKILL), 0);
    assert_int_equal(waitid(P_PID, (id_t)child->pid, &(siginfo_t){0}, WEXITED | WNOWAIT), 0);
    published = atomic_load(child->published);
    status = child_end(child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    return published;
}

void child_tell(const struct child *child, const char *command, ...)
{
    char line[4096];
    va_list arguments;
    va_start(arguments, command);
    int size = vsnprintf(line, sizeof line - 1, command, arguments);
    va_end(arguments);
    line[size] = '\n';
    assert_int_equal(write(child->in, line, (size_t)size + 1), size + 1);
}

bool child_answers_within(const struct child *child, int timeout_ms)
{
    struct pollfd answer = {.fd = child->out, .events = POLLIN};
    int ready;
    do
        ready = poll(&answer, 1, timeout_ms);
    while (ready < 0 && errno == EINTR);
    return ready == 1;
}

static void read_answer(const struct child *child, char *line, size_t capacity)
{
    size_t size = 0;
    do {
        if (!child_answers_within(child, ANSWER_WITHIN_MS))
            fail_msg("participant %d does not answer", (int)child->pid);
        if (read(child->out, line + size, 1) != 1)
            fail_msg("participant %d has died", (int)child->pid);
    } while (line[size++] != '\n' && size < capacity);
    line[size - 1] = '\0';
}

long child_number(const struct child *child)
{
    char line[512];
    read_answer(child, line, sizeof line);
    if (strncmp(line, "ok", 2) != 0)
        fail_msg("participant %d: %s", (int)child->pid, line);
    return strtol(line + 2, NULL, 10);
}

void child_await(const struct child *child)
{
    child_number(child);
}
