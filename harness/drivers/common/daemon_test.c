/* Brokers as a shell plays them: those that behave, and those that die, hang, or hold on. */
#include "broker.h"
#include "cases.h"
#include "daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

extern char **environ;

static char folder[] = "/tmp/daemon-test-XXXXXX";

/* The shell is in the folder, and says who it is before anything else. */
static int start(struct daemon **out, const char *text)
{
    char script[1024];
    const char *arguments[] = {"/bin/sh", "-c", script, NULL};
    snprintf(script, sizeof script, "echo $$ >pid; %s", text);
    return daemon_start(out, arguments, folder, "is ready");
}

static void path_of(char path[PATH_MAX], const char *name)
{
    snprintf(path, PATH_MAX, "%s/%s", folder, name);
}

/* What the shell has written there, once it has: a whole line. */
static pid_t number_in(const char *name)
{
    char path[PATH_MAX], text[32] = "";
    path_of(path, name);
    for (int tries = 0; strchr(text, '\n') == NULL && tries < 2000; ++tries) {
        FILE *file = fopen(path, "re");
        if (file == NULL || fgets(text, sizeof text, file) == NULL)
            poll(NULL, 0, 5);
        if (file != NULL)
            fclose(file);
    }
    assert_true(atoi(text) > 0);
    return atoi(text);
}

static bool is_there(pid_t pid)
{
    return kill(pid, 0) == 0;
}

static void enter(void)
{
    memcpy(strrchr(folder, '-'), "-XXXXXX", sizeof "-XXXXXX");
    assert_non_null(mkdtemp(folder));
}

static void leave(void)
{
    const char *names[] = {"pid", "child", "done", "said", "go"};
    char path[PATH_MAX];
    for (size_t i = 0; i < sizeof names / sizeof names[0]; ++i) {
        path_of(path, names[i]);
        unlink(path);
    }
    assert_int_equal(rmdir(folder), 0);
}

/* Calls start with standard error in the file "said"; true if that has these words then. */
static bool start_says(const char *script, int expected, const char *words)
{
    struct daemon *daemon = NULL;
    char path[PATH_MAX], said[8192] = "";
    const int before = dup(STDERR_FILENO);
    path_of(path, "said");
    const int file = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(before >= 0 && file >= 0);
    fflush(stderr);
    dup2(file, STDERR_FILENO);
    const int result = start(&daemon, script);
    fflush(stderr);
    dup2(before, STDERR_FILENO);
    assert_true(pread(file, said, sizeof said - 1, 0) >= 0);
    close(before);
    close(file);
    assert_int_equal(result, expected);
    assert_null(daemon);
    return strstr(said, words) != NULL;
}

static void starts_and_stops(void **state)
{
    struct daemon *daemon;
    (void)state;
    enter();
    assert_int_equal(start(&daemon, "echo begin; echo 'it is ready at last'; exec sleep 1000"), 0);
    const pid_t pid = number_in("pid");
    assert_true(is_there(pid));
    daemon_stop(daemon);
    assert_false(is_there(pid));
    leave();
}

static void may_end_in_its_own_way(void **state)
{
    struct daemon *daemon;
    (void)state;
    enter();
    assert_int_equal(start(&daemon, "trap 'kill $!; echo 1 >done; exit' TERM; echo is ready; sleep 1000 & wait"), 0);
    daemon_stop(daemon);
    assert_int_equal(number_in("done"), 1);
    leave();
}

static void dies_before_it_is_ready(void **state)
{
    (void)state;
    enter();
    assert_true(start_says("echo no such option >&2; exit 3", -ECHILD, "no such option"));
    assert_false(is_there(number_in("pid")));
    leave();
}

static void cannot_be_started(void **state)
{
    const char *arguments[] = {"/nowhere/brokerd", NULL};
    struct daemon *daemon = NULL;
    (void)state;
    enter();
    assert_int_equal(daemon_start(&daemon, arguments, folder, "ready"), -ECHILD);
    arguments[0] = "/bin/true";
    assert_int_equal(daemon_start(&daemon, arguments, "/nowhere", "ready"), -ECHILD);
    assert_null(daemon);
    leave();
}

static void is_never_ready(void **state)
{
    struct daemon *daemon = NULL;
    (void)state;
    enter();
    setenv("IPCMARK_BROKER_SECONDS", "1", 1);
    assert_int_equal(start(&daemon, "echo not yet; exec sleep 1000"), -ETIMEDOUT);
    unsetenv("IPCMARK_BROKER_SECONDS");
    assert_null(daemon);
    assert_false(is_there(number_in("pid")));
    leave();
}

static void does_not_heed_sigterm(void **state)
{
    struct daemon *daemon;
    (void)state;
    enter();
    assert_int_equal(start(&daemon, "trap '' TERM; echo is ready; exec sleep 1000"), 0);
    const pid_t pid = number_in("pid");
    daemon_stop(daemon);
    assert_false(is_there(pid));
    leave();
}

/* More than a pipe holds, long after it was ready. */
static void may_talk_as_much_as_it_likes(void **state)
{
    struct daemon *daemon;
    (void)state;
    enter();
    assert_int_equal(start(&daemon, "echo is ready; head -c 1000000 /dev/zero; echo 1 >done; exec sleep 1000"), 0);
    assert_int_equal(number_in("done"), 1);
    daemon_stop(daemon);
    leave();
}

/* A child that it leaves holds the output, and goes on writing: nobody waits for that. */
static void leaves_a_child(void **state)
{
    struct daemon *daemon;
    (void)state;
    enter();
    assert_int_equal(start(&daemon, "(trap '' PIPE; exec yes) & echo $! >child; echo is ready; wait"), 0);
    const pid_t child = number_in("child");
    daemon_stop(daemon);
    kill(child, SIGKILL);
    assert_false(is_there(number_in("pid")));
    leave();
}

static void ends_by_itself(void **state)
{
    struct daemon *daemon;
    char path[PATH_MAX];
    (void)state;
    enter();
    assert_int_equal(start(&daemon, "echo is ready; until [ -e go ]; do sleep 0.02; done; exit 1"), 0);
    const pid_t pid = number_in("pid");
    path_of(path, "go");
    close(creat(path, 0600));
    for (int tries = 0; is_there(pid) && tries < 2000; ++tries)
        poll(NULL, 0, 5);
    assert_false(is_there(pid)); /* reaped before it is stopped */
    daemon_stop(daemon);
    leave();
}

/* The holder is this program in a process of its own. */
static void goes_with_a_holder_that_is_killed(void **state)
{
    char *arguments[] = {(char[]){"holder"}, (char[]){"--hold"}, folder, NULL};
    pid_t holder;
    (void)state;
    enter();
    assert_int_equal(posix_spawn(&holder, "/proc/self/exe", NULL, NULL, arguments, environ), 0);
    struct pollfd gone = {.fd = (int)syscall(SYS_pidfd_open, number_in("pid"), 0), .events = POLLIN};
    assert_true(gone.fd >= 0);
    assert_int_equal(number_in("done"), 1);
    assert_int_equal(poll(&gone, 1, 0), 0);
    kill(holder, SIGKILL);
    assert_int_equal(waitpid(holder, NULL, 0), holder);
    assert_int_equal(poll(&gone, 1, 10000), 1);
    close(gone.fd);
    leave();
}

static int hold(const char *path)
{
    struct daemon *daemon;
    snprintf(folder, sizeof folder, "%s", path);
    if (start(&daemon, "trap '' TERM HUP; echo is ready; echo 1 >done; exec sleep 1000") == 0)
        pause();
    return 1;
}

/* ---- broker.h: the configuration that is written is what the shell runs ------------------------------------------ */

static int attempts, attempts_wanted;
static char private_folder[PATH_MAX];

/* One that finds its port taken ends; the next attempt has another. */
static int configure(FILE *file, const ipcmark_endpoint *options, unsigned port, const char *path)
{
    snprintf(private_folder, sizeof private_folder, "%s", path);
    if (options->max_message_bytes == 1)
        return -EINVAL;
    return fprintf(file, ++attempts < attempts_wanted ? "exit 1\n" : "echo port %u; echo up; exec sleep 1000\n", port) <
                   0
               ? -EIO
               : 0;
}

static const struct broker_kind kind = {.program = "/bin/sh", .ready = "up", .configure = configure};

static void broker_has_a_port_and_a_folder(void **state)
{
    const ipcmark_endpoint options = {.size = sizeof options, .directory = folder};
    char address[64], param[80], host[BROKER_HOST];
    const char *params[] = {"a=b", param, NULL};
    ipcmark_endpoint client = options;
    int port;
    void *broker;
    (void)state;
    enter();
    attempts = 0;
    attempts_wanted = 3;
    assert_int_equal(broker_open(&broker, &options, &kind, address, sizeof address), 0);
    assert_int_equal(attempts, 3);
    assert_memory_equal(private_folder, folder, strlen(folder));
    assert_int_equal(access(private_folder, F_OK), 0);
    assert_int_equal(broker_address(&client, host, &port), -EDESTADDRREQ);
    snprintf(param, sizeof param, "broker=%s", address);
    client.params = params;
    assert_int_equal(broker_address(&client, host, &port), 0);
    assert_string_equal(host, "127.0.0.1");
    assert_true(port > 0 && port < 65536);
    broker_close(broker);
    leave(); /* and nothing is in it */
}

static void broker_that_cannot_be_leaves_nothing(void **state)
{
    ipcmark_endpoint options = {.size = sizeof options, .directory = folder};
    char address[64];
    void *broker = NULL;
    (void)state;
    enter();
    attempts = 0;
    attempts_wanted = INT_MAX;
    assert_int_equal(broker_open(&broker, &options, &kind, address, sizeof address), -ECHILD);
    options.max_message_bytes = 1;
    assert_int_equal(broker_open(&broker, &options, &kind, address, sizeof address), -EINVAL);
    options.directory = "/nowhere";
    assert_int_equal(broker_open(&broker, &options, &kind, address, sizeof address), -ENOENT);
    assert_null(broker);
    leave();
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        CASE(starts_and_stops),
        CASE(may_end_in_its_own_way),
        CASE(dies_before_it_is_ready),
        CASE(cannot_be_started),
        CASE(is_never_ready),
        CASE(does_not_heed_sigterm),
        CASE(may_talk_as_much_as_it_likes),
        CASE(leaves_a_child),
        CASE(ends_by_itself),
        CASE(goes_with_a_holder_that_is_killed),
        CASE(broker_has_a_port_and_a_folder),
        CASE(broker_that_cannot_be_leaves_nothing),
    };
    if (argc == 3 && strcmp(argv[1], "--hold") == 0)
        return hold(argv[2]);
    return cases_main(tests, sizeof tests / sizeof tests[0], argc, argv);
}
