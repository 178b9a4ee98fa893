/* What participants leave behind outside of their sessions and folders is found, said, and cleared away. */
#include "stage.h"

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

extern char **environ;

static uint16_t subscriber;

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

/* Said, and gone once the trial is closed; what the test itself made meanwhile is neither. */
static void expect_names_found(const char *driver, int count, const char *what)
{
    char name[64], path[80];
    struct stat status;
    stage_open(driver, NULL);
    snprintf(name, sizeof name, "/ipcmark-others-%d", (int)getpid());
    const int segment = shmget(IPC_PRIVATE, 4096, 0600), file = shm_open(name, O_RDWR | O_CREAT | O_EXCL, 0600);
    assert_true(segment >= 0 && file >= 0);
    stage_done(ipcmark_open_subscriber(stage_start(), &subscriber, NULL));
    const int left = ipcmark_trial_stop(trial);
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

static void shared_memory_and_semaphores_by_name_are_found(void **state)
{
    (void)state;
    expect_names_found(IPCMARK_TEST_DRIVER "?leave_names=3", 2, "/dev/shm/");
}

static void what_is_of_system_v_is_found(void **state)
{
    char text[PATH_MAX];
    (void)state;
    expect_names_found(IPCMARK_TEST_DRIVER "?leave_names=28", 3, "System V semaphore set");
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

CASES_MAIN(CASE(what_somebody_else_holds_is_left_alone), CASE(shared_memory_and_semaphores_by_name_are_found),
           CASE(what_is_of_system_v_is_found), CASE(the_killed_leave_names_that_are_counted_and_removed),
           CASE(who_left_the_session_is_found), CASE(who_left_the_session_and_its_environment_is_found))
