#include "actor.h"

#include "mmipc/mmipc.h"
#include "pattern.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static bool held;
static long received, out_of_order;
static int patterned; /* messages are checked, or made, word by word */
long (*actor_other)(const char *line);

static void die(const char *what)
{
    fprintf(stderr, "actor: %s: %s\n", what, strerror(errno));
    abort();
}

static void on_message(void *user, const mmipc_part *parts, size_t count)
{
    uint64_t sequence = UINT64_MAX;
    (void)user;
    if (count > 0 && parts[0].size >= sizeof sequence)
        memcpy(&sequence, parts[0].data, sizeof sequence);
    pthread_mutex_lock(&lock);
    while (held)
        pthread_cond_wait(&changed, &lock);
    if (sequence != (uint64_t)received || (patterned && !pattern_holds(parts, count, sequence)))
        ++out_of_order;
    ++received;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
}

static long expect(long count)
{
    struct timespec deadline;
    long result;
    clock_gettime(CLOCK_REALTIME, &deadline);
    deadline.tv_sec += 30;
    pthread_mutex_lock(&lock);
    while (received < count && pthread_cond_timedwait(&changed, &lock, &deadline) == 0)
        ;
    result = out_of_order > 0 ? -out_of_order : received;
    pthread_mutex_unlock(&lock);
    return result;
}

static void hold(bool on)
{
    pthread_mutex_lock(&lock);
    held = on;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
}

static long publish(mmipc_publisher *publisher, long first, long count, size_t size)
{
    char *data = calloc(1, size < sizeof(uint64_t) ? sizeof(uint64_t) : size);
    long result = 0;
    for (long i = first; data != NULL && i < first + count && result == 0; ++i) {
        const uint64_t sequence = (uint64_t)i;
        if (patterned)
            pattern_fill(data, size, sequence);
        else
            memcpy(data, &sequence, sizeof sequence);
        result = mmipc_publish(publisher, data, size);
    }
    free(data);
    return result;
}

static long publish_parts(mmipc_publisher *publisher)
{
    const mmipc_part three[] = {{"first", 5}, {NULL, 0}, {"third part", 10}};
    const mmipc_part empty = {NULL, 0};
    int result = mmipc_publish_parts(publisher, NULL, 0);
    if (result == 0)
        result = mmipc_publish_parts(publisher, three, 3);
    if (result == 0)
        result = mmipc_publish_parts(publisher, &empty, 1);
    return result;
}

static long obey_publisher(mmipc_publisher *publisher, const char *line)
{
    long a, b, c;
    if (sscanf(line, "publish %ld %ld %ld", &a, &b, &c) == 3)
        return publish(publisher, a, b, (size_t)c);
    if (sscanf(line, "die_after %ld %ld %ld", &a, &b, &c) == 3) {
        publish(publisher, a, b, (size_t)c);
        raise(SIGKILL);
    }
    if (strncmp(line, "parts", 5) == 0)
        return publish_parts(publisher);
    if (sscanf(line, "connected %ld %ld", &a, &b) == 2)
        return mmipc_publisher_wait_connected(publisher, (int)a, (int)b);
    if (sscanf(line, "disconnected %ld", &a) == 1)
        return mmipc_publisher_wait_disconnected(publisher, (int)a);
    if (sscanf(line, "flush %ld", &a) == 1)
        return mmipc_publisher_flush(publisher, (int)a);
    if (strncmp(line, "connections", 11) == 0)
        return mmipc_publisher_connections(publisher);
    return actor_other != NULL ? actor_other(line) : -ENOSYS;
}

static long obey_subscriber(mmipc_subscriber *subscriber, const char *line)
{
    long a, b;
    if (sscanf(line, "hold %ld", &a) == 1) {
        hold(a != 0);
        return 0;
    }
    if (sscanf(line, "expect %ld", &a) == 1)
        return expect(a);
    if (sscanf(line, "connected %ld %ld", &a, &b) == 2)
        return mmipc_subscriber_wait_connected(subscriber, (int)a, (int)b);
    if (sscanf(line, "disconnected %ld", &a) == 1)
        return mmipc_subscriber_wait_disconnected(subscriber, (int)a);
    if (strncmp(line, "connections", 11) == 0)
        return mmipc_subscriber_connections(subscriber);
    return actor_other != NULL ? actor_other(line) : -ENOSYS;
}

static void set(mmipc_options *options, const char *settings)
{
    const struct {
        const char *name;
        int *value;
    } numbers[] = {{"spin_us=%d", &options->spin_us},
                   {"when_full=%d", &options->when_full},
                   {"pattern=%d", &patterned},
                   {"timeout=%d", &options->publish_timeout_ms}};
    char *copy = strdup(settings), *rest = copy;
    for (char *word = strsep(&rest, " "); word != NULL; word = strsep(&rest, " ")) {
        sscanf(word, "ping=%u", &options->ping_interval_ms);
        sscanf(word, "flags=%u", &options->flags);
        sscanf(word, "segment=%zu", &options->segment_bytes);
        sscanf(word, "backlog=%zu", &options->max_backlog_bytes);
        for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; ++i)
            sscanf(word, numbers[i].name, numbers[i].value); // NOLINT: the formats are literals of this table
    }
    free(copy);
}

static void log_line(void *user, int level, const char *text)
{
    (void)user;
    if (level <= 2)
        fprintf(stderr, "actor %d: %s\n", (int)getpid(), text);
}

/* "uid=N": as another user. "namespace=1": in a PID namespace of its own; the process that was started then only waits.
 */
static void take_place(const char *settings)
{
    const char *user = strstr(settings, "uid=");
    pid_t pid = 0;
    int status;
    if (strstr(settings, "namespace=1") != NULL && unshare(CLONE_NEWPID) == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        pid = fork(); /* the first in it: only a child is */
    }
    if (pid != 0) {
        close(0);
        close(1);
        while (waitpid(pid, &status, 0) < 0)
            if (errno != EINTR)
                die("waitpid");
        exit(WIFEXITED(status) ? WEXITSTATUS(status) : 1);
    }
    if (user != NULL) {
        const uid_t uid = (uid_t)strtoul(user + 4, NULL, 10);
        if (setresgid(uid, uid, uid) != 0 || setresuid(uid, uid, uid) != 0)
            die("setresuid");
    }
}

void actor_main(int argc, char **argv)
{
    mmipc_publisher *publisher = NULL;
    mmipc_subscriber *subscriber = NULL;
    mmipc_options options;
    char line[256];
    int error;
    if (argc != 6 || strcmp(argv[1], "--actor") != 0)
        return;
    take_place(argv[5]);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    mmipc_options_init(&options, sizeof options);
    options.on_log = log_line;
    set(&options, argv[5]);
    if (strcmp(argv[2], "publisher") == 0)
        error = mmipc_publisher_open(&publisher, argv[3], argv[4], &options);
    else
        error = mmipc_subscriber_open(&subscriber, argv[3], argv[4], on_message, NULL, &options);
    printf("%d\n", error);
    fflush(stdout);
    while (error == 0 && fgets(line, sizeof line, stdin) != NULL) {
        printf("%ld\n", publisher != NULL ? obey_publisher(publisher, line) : obey_subscriber(subscriber, line));
        fflush(stdout);
    }
    hold(false);
    mmipc_publisher_close(publisher);
    mmipc_subscriber_close(subscriber);
    exit(error == 0 ? 0 : 1);
}

/* Read, not executed as a link: under valgrind the link leads to valgrind. */
const char *actor_program(void)
{
    static _Thread_local char path[4096]; /* several threads may start actors */
    ssize_t length = readlink("/proc/self/exe", path, sizeof path - 1);
    if (length < 0)
        die("/proc/self/exe");
    path[length] = '\0';
    return path;
}

struct actor actor_start(const char *role, const char *channel, const char *directory, const char *settings)
{
    const char *const arguments[] = {"actor", "--actor", role, channel, directory, settings, NULL};
    posix_spawn_file_actions_t actions;
    struct actor actor;
    int in[2], out[2];
    if (pipe2(in, O_CLOEXEC) != 0 || pipe2(out, O_CLOEXEC) != 0)
        die("pipe");
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, in[0], 0);
    posix_spawn_file_actions_adddup2(&actions, out[1], 1);
    if (posix_spawn(&actor.pid, actor_program(), &actions, NULL, (char *const *)(uintptr_t)arguments, environ) != 0)
        die("posix_spawn");
    posix_spawn_file_actions_destroy(&actions);
    close(in[0]);
    close(out[1]);
    actor.to = in[1];
    actor.from = out[0];
    if (actor_answer(&actor) != 0)
        die("an actor could not open its endpoint");
    return actor;
}

void actor_tell(const struct actor *actor, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vdprintf(actor->to, format, arguments);
    va_end(arguments);
    dprintf(actor->to, "\n");
}

long actor_answer(const struct actor *actor)
{
    char text[64];
    size_t length = 0;
    while (length < sizeof text - 1 && read(actor->from, text + length, 1) == 1)
        if (text[length++] == '\n')
            break;
    text[length] = '\0';
    return length == 0 ? -ECHILD : strtol(text, NULL, 10);
}

long actor_ask(const struct actor *actor, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vdprintf(actor->to, format, arguments);
    va_end(arguments);
    dprintf(actor->to, "\n");
    return actor_answer(actor);
}

static int reap(struct actor *actor)
{
    int status = 0;
    while (waitpid(actor->pid, &status, 0) < 0 && errno == EINTR)
        ;
    close(actor->from);
    return status;
}

void actor_end(struct actor *actor)
{
    int status;
    close(actor->to); /* so it ends */
    status = reap(actor);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        fprintf(stderr, "actor %d ended with status %#x\n", (int)actor->pid, (unsigned)status);
        abort();
    }
}

void actor_kill(struct actor *actor)
{
    kill(actor->pid, SIGKILL);
    reap(actor);
    close(actor->to); /* not before it is dead, or it might end of its own accord */
}

void actor_stop(const struct actor *actor)
{
    int status;
    kill(actor->pid, SIGSTOP);
    if (waitpid(actor->pid, &status, WUNTRACED) != actor->pid || !WIFSTOPPED(status))
        die("an actor did not stop");
}

void actor_continue(const struct actor *actor)
{
    kill(actor->pid, SIGCONT);
}

char *test_directory(void)
{
    char template[] = "/tmp/mmipc-test-XXXXXX";
    if (mkdtemp(template) == NULL)
        die("mkdtemp");
    return strdup(template);
}

int test_directory_entries(const char *path)
{
    DIR *directory = opendir(path);
    int count = 0;
    if (directory == NULL)
        die(path);
    for (const struct dirent *entry = readdir(directory); entry != NULL; entry = readdir(directory))
        count += entry->d_name[0] != '.';
    closedir(directory);
    return count;
}

int test_directory_remove(char *path)
{
    DIR *directory = opendir(path);
    int count = 0;
    if (directory == NULL)
        die(path);
    for (const struct dirent *entry = readdir(directory); entry != NULL; entry = readdir(directory)) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        if (unlinkat(dirfd(directory), entry->d_name, 0) != 0)
            unlinkat(dirfd(directory), entry->d_name, AT_REMOVEDIR);
        ++count;
    }
    closedir(directory);
    rmdir(path);
    free(path);
    return count;
}
