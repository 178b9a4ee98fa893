/* What participants leave behind outside of their sessions and folders is found, said, and cleared away. */
#include "stage.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <uv.h>

extern char **environ;

static uint16_t subscriber;

/* How often all processes were gone through, and how many troubles there were when this one was reaped. */
static int walks;
static pid_t watched;
static size_t troubles_at_reaping;

/* What the participant started is to end a moment after it: once the harness has seen it and waits for its end. */
static bool helper_ends;
static pid_t helper;

DIR *__real_opendir(const char *);
DIR *__wrap_opendir(const char *);
pid_t __real_waitpid(pid_t, int *, int);
pid_t __wrap_waitpid(pid_t, int *, int);
int __real_uv_poll_start(uv_poll_t *, int, uv_poll_cb);
int __wrap_uv_poll_start(uv_poll_t *, int, uv_poll_cb);

DIR *__wrap_opendir(const char *path)
{
    int pid;
    walks += strcmp(path, "/proc") == 0;
    if (helper_ends && helper == 0 && sscanf(path, "/proc/%d/fd", &pid) == 1 && pid != watched)
        helper = pid;
    return __real_opendir(path);
}

pid_t __wrap_waitpid(pid_t pid, int *status, int options)
{
    const pid_t reaped = __real_waitpid(pid, status, options);
    if (reaped > 0 && reaped == watched)
        troubles_at_reaping = ipcmark_trial_troubles(trial);
    return reaped;
}

int __wrap_uv_poll_start(uv_poll_t *handle, int events, uv_poll_cb callback)
{
    siginfo_t info = {0};
    const int error = __real_uv_poll_start(handle, events, callback);
    if (helper == 0)
        return error;
    assert_int_equal(waitid(P_PID, (id_t)helper, &info, WEXITED | WNOHANG | WNOWAIT), 0); /* it is ours by now */
    assert_int_equal(info.si_pid, 0);
    assert_int_equal(kill(helper, SIGKILL), 0);
    helper_ends = false;
    helper = 0;
    return error;
}

static ipcmark_participant *start_one_whose_helper_ends(void)
{
    ipcmark_participant *participant = stage_start();
    watched = ipcmark_participant_pid(participant);
    helper_ends = true;
    return participant;
}

/* "… left a process behind: PID (NAME)" is said, and it is no more. */
static void expect_process_found(const char *driver)
{
    stage_open(driver, NULL);
    stage_done(ipcmark_open_subscriber(stage_start(), &subscriber, NULL));
    const int left = ipcmark_trial_stop(trial);
    if (left != 1)
        fail_msg("%d are left:\n%s", left, ipcmark_trial_leftovers(trial));
    assert_int_equal(ipcmark_trial_trouble(trial, 0)->class_, IPCMARK_LEFTOVER);
    const char *text = ipcmark_trial_trouble(trial, 0)->text, *behind = strstr(text, "behind: ");
    assert_non_null(behind);
    assert_int_equal(kill(atoi(behind + strlen("behind: ")), 0), -1);
    stage_close();
}

static void who_left_the_session_is_found(void **state)
{
    (void)state;
    expect_process_found(IPCMARK_TEST_DRIVER "?leave_process=2");
}

static void who_left_the_session_and_its_environment_is_found(void **state)
{
    (void)state;
    expect_process_found(IPCMARK_TEST_DRIVER "?leave_process=3");
}

static void who_lives_on_without_its_first_thread_is_found(void **state)
{
    (void)state;
    expect_process_found(IPCMARK_TEST_DRIVER "?leave_process=5");
}

struct found {
    int count;
    bool is_participant;
};

static void note_process(void *context, pid_t pid, const char *name)
{
    struct found *found = context;
    assert_true(name[0] != '\0');
    found->is_participant = found->is_participant || pid == watched;
    ++found->count;
}

static void what_a_participant_started_is_of_the_trial(void **state)
{
    struct found found = {0};
    (void)state;
    stage_open(IPCMARK_TEST_DRIVER "?leave_process=1", NULL);
    assert_int_equal(ipcmark_trial_processes(trial, note_process, &found), 0);
    ipcmark_participant *participant = stage_start();
    watched = ipcmark_participant_pid(participant);
    stage_done(ipcmark_open_subscriber(participant, &subscriber, NULL));
    assert_int_equal(ipcmark_trial_processes(trial, note_process, &found), 2);
    assert_true(found.is_participant && found.count == 2);
    watched = 0;
    ipcmark_trial_stop(trial);
    assert_int_equal(ipcmark_trial_processes(trial, note_process, &found), 0);
    stage_close();
}

/* Until then its number can be nobody else's. */
static void the_left_are_looked_for_before_the_participant_is_reaped(void **state)
{
    (void)state;
    stage_open(IPCMARK_TEST_DRIVER "?leave_process=1", NULL);
    ipcmark_participant *participant = stage_start();
    watched = ipcmark_participant_pid(participant);
    troubles_at_reaping = 0;
    stage_done(ipcmark_open_subscriber(participant, &subscriber, NULL));
    ipcmark_trial_stop(trial);
    watched = 0;
    assert_int_equal(troubles_at_reaping, 1);
    stage_close();
}

/* Nor does it stay as a zombie, though it leads a session as participants do. */
static void who_ends_a_moment_later_is_not_left(void **state)
{
    siginfo_t info = {0};
    (void)state;
    stage_open(IPCMARK_TEST_DRIVER "?leave_process=2", NULL);
    stage_done(ipcmark_open_subscriber(start_one_whose_helper_ends(), &subscriber, NULL));
    stage_no_troubles();
    assert_false(helper_ends);
    assert_int_equal(waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT), 0);
    assert_int_equal(info.si_pid, 0);
    stage_close();
}

/* The process says its number, and is the child of one that was there before the session. */
static pid_t read_number(int fd)
{
    char text[32] = "";
    for (size_t length = 0; length < sizeof text - 1 && strchr(text, '\n') == NULL; ++length)
        assert_int_equal(read(fd, text + length, 1), 1);
    return (pid_t)atoi(text);
}

static void who_was_there_before_is_let_alone(void **state)
{
    char *arguments[] = {(char *)(uintptr_t) "sh", (char *)(uintptr_t) "-c",
                         (char *)(uintptr_t) "echo $$; read x; setsid -f sh -c 'echo $$; exec sleep 20'; exec sleep 20",
                         NULL};
    int in[2], out[2];
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    siginfo_t info;
    pid_t child;
    (void)state;
    assert_true(pipe2(in, O_CLOEXEC) == 0 && pipe2(out, O_CLOEXEC) == 0);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, in[0], STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID);
    assert_int_equal(posix_spawnp(&child, "sh", &actions, &attributes, arguments, environ), 0);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    assert_int_equal(read_number(out[0]), child);

    stage_open(IPCMARK_TEST_DRIVER, NULL);
    assert_int_equal(write(in[1], "\n", 1), 1);
    const pid_t orphan = read_number(out[0]);
    stage_done(ipcmark_open_subscriber(stage_start(), &subscriber, NULL));
    assert_int_equal(waitpid(child, NULL, WNOHANG), 0);
    assert_int_equal(kill(child, SIGKILL), 0); /* and it is for us to reap */
    assert_int_equal(waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT), 0);
    stage_no_troubles();
    stage_close();
    assert_int_equal(waitpid(child, NULL, 0), child);
    assert_int_equal(waitpid(orphan, NULL, WNOHANG), 0);
    assert_int_equal(kill(orphan, SIGKILL), 0);
    assert_int_equal(waitpid(orphan, NULL, 0), orphan);
    for (int i = 0; i < 2; ++i) {
        close(in[i]);
        close(out[i]);
    }
}

/* Said, and gone once the trial is closed; what the test itself made meanwhile is neither. */
static void expect_names_found(const char *driver, ipcmark_participant *start(void), int count, const char *what)
{
    char name[64], path[80];
    struct stat status;
    stage_open(driver, NULL);
    snprintf(name, sizeof name, "/ipcmark-others-%d", (int)getpid());
    const int segment = shmget(IPC_PRIVATE, 4096, 0600), file = shm_open(name, O_RDWR | O_CREAT | O_EXCL, 0600);
    assert_true(segment >= 0 && file >= 0);
    stage_done(ipcmark_open_subscriber(start(), &subscriber, NULL));
    const int left = ipcmark_trial_stop(trial);
    assert_false(helper_ends);
    const char *text = ipcmark_trial_leftovers(trial);
    if (left != count || strstr(text, what) == NULL)
        fail_msg("%d are left:\n%s", left, text);
    assert_int_equal(ipcmark_trial_trouble(trial, 0)->class_, IPCMARK_LEFTOVER);
    snprintf(path, sizeof path, "%.*s", (int)strcspn(text, "\n"), text);
    if (path[0] == '/')
        assert_int_equal(stat(path, &status), 0);
    stage_close();
    if (path[0] == '/')
        assert_int_equal(stat(path, &status), -1);
    assert_int_equal(shmctl(segment, IPC_RMID, NULL), 0);
    assert_int_equal(shm_unlink(name), 0);
    close(file);
}

static void what_has_a_name_in_shared_memory_is_found(void **state)
{
    (void)state;
    expect_names_found(IPCMARK_TEST_DRIVER "?leave_names=35", stage_start, 3,
                       "/dev/shm/"); /* a file, a semaphore, a FIFO */
}

static void what_is_of_system_v_is_found(void **state)
{
    char text[PATH_MAX];
    (void)state;
    expect_names_found(IPCMARK_TEST_DRIVER "?leave_names=28", stage_start, 3, "System V semaphore set");
    /* Nothing of it is there any more. */
    stage_open(IPCMARK_TEST_DRIVER, NULL);
    assert_int_equal(ipcmark_trial_names(trial, text), 0);
    stage_no_troubles();
    stage_close();
}

static void the_killed_leave_names_that_are_counted_and_removed(void **state)
{
    char text[PATH_MAX];
    struct stat status;
    (void)state;
    stage_open(IPCMARK_TEST_DRIVER "?leave_names=1", NULL);
    ipcmark_participant *participant = stage_start();
    stage_done(ipcmark_open_subscriber(participant, &subscriber, NULL));
    assert_int_equal(ipcmark_kill(participant), 0);
    assert_int_equal(ipcmark_await_exit(participant, NULL), 0);
    assert_int_equal(ipcmark_trial_names(trial, text), 1);
    assert_int_equal(stat(text, &status), 0);
    ipcmark_trial_stop(trial);
    assert_int_equal(ipcmark_trial_troubles(trial), 0); /* the dead may leave it to the next of their kind */
    stage_close();
    assert_int_equal(stat(text, &status), -1);
}

/* Whatever a participant did with it. */
static void what_somebody_else_holds_is_left_alone(void **state)
{
    char *arguments[] = {(char *)(uintptr_t) "sleep", (char *)(uintptr_t) "20", NULL};
    char path[PATH_MAX], none[PATH_MAX];
    pid_t other;
    (void)state;
    stage_open(IPCMARK_TEST_DRIVER "?leave_names=1", NULL);
    ipcmark_participant *participant = stage_start();
    stage_done(ipcmark_open_subscriber(participant, &subscriber, NULL));
    snprintf(path, sizeof path, "/dev/shm/ipcmark-left-%d", ipcmark_participant_pid(participant));
    const int file = open(path, O_RDONLY); /* which it inherits */
    assert_true(file >= 0);
    assert_int_equal(posix_spawnp(&other, arguments[0], NULL, NULL, arguments, environ), 0);
    close(file);
    assert_int_equal(ipcmark_trial_names(trial, none), 0);
    stage_no_troubles();
    stage_close();
    assert_int_equal(unlink(path), 0);
    assert_int_equal(kill(other, SIGKILL), 0);
    assert_int_equal(waitpid(other, NULL, 0), other);
}

static void what_only_a_helper_held_is_found(void **state)
{
    (void)state;
    expect_names_found(IPCMARK_TEST_DRIVER "?leave_process=4", start_one_whose_helper_ends, 1,
                       "/dev/shm/ipcmark-left-helper-");
}

/* It takes long where many run, and a kill is to hit at its moment. */
static void neither_requests_nor_kills_wait_for_a_walk_through_all_processes(void **state)
{
    char name[64];
    (void)state;
    stage_open(IPCMARK_TEST_DRIVER "?leave_names=1", NULL);
    ipcmark_participant *participant = stage_start();
    snprintf(name, sizeof name, "/ipcmark-others-%d", (int)getpid());
    const int file = shm_open(name, O_RDWR | O_CREAT | O_EXCL, 0600);
    assert_true(file >= 0);
    walks = 0;
    stage_done(ipcmark_open_subscriber(participant, &subscriber, NULL));
    assert_int_equal(ipcmark_kill(participant), 0);
    assert_int_equal(walks, 0);
    assert_int_equal(ipcmark_await_exit(participant, NULL), 0);
    ipcmark_trial_stop(trial);
    assert_true(walks > 0); /* this one counts */
    stage_close();
    assert_int_equal(shm_unlink(name), 0);
    close(file);
}

static void a_trial_without_names_looks_for_none(void **state)
{
    ipcmark_trial_options options = {.seed = 1, .no_names = true};
    char path[PATH_MAX], none[PATH_MAX];
    (void)state;
    options.target.driver = IPCMARK_TEST_DRIVER "?leave_names=1";
    assert_int_equal(ipcmark_session_open(&session), 0);
    assert_int_equal(ipcmark_trial_open(&trial, session, &options), 0);
    ipcmark_participant *participant = stage_start();
    stage_done(ipcmark_open_subscriber(participant, &subscriber, NULL));
    snprintf(path, sizeof path, "/dev/shm/ipcmark-left-%d", ipcmark_participant_pid(participant));
    assert_int_equal(ipcmark_trial_names(trial, none), 0);
    stage_no_troubles();
    stage_close();
    assert_int_equal(unlink(path), 0);
}

CASES_MAIN(CASE(what_somebody_else_holds_is_left_alone), CASE(what_has_a_name_in_shared_memory_is_found),
           CASE(what_is_of_system_v_is_found), CASE(the_killed_leave_names_that_are_counted_and_removed),
           CASE(what_only_a_helper_held_is_found),
           CASE(neither_requests_nor_kills_wait_for_a_walk_through_all_processes),
           CASE(a_trial_without_names_looks_for_none), CASE(who_left_the_session_is_found),
           CASE(who_left_the_session_and_its_environment_is_found),
           CASE(who_lives_on_without_its_first_thread_is_found), CASE(what_a_participant_started_is_of_the_trial),
           CASE(the_left_are_looked_for_before_the_participant_is_reaped), CASE(who_ends_a_moment_later_is_not_left),
           CASE(who_was_there_before_is_let_alone))
