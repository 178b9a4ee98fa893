/* The end of a coordinator, in whatever way: nothing is left, no process, no file. */
#include "cases.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

extern char **environ;

struct victim {
    pid_t pid;
    int others[4]; /* the guard, then the participants; the second of those is stopped */
    int others_fds[4];
    char directory[256];
};

static struct victim start_victim(const char *driver)
{
    struct victim victim;
    char line[512] = "";
    char *arguments[] = {(char *)(uintptr_t)IPCMARK_TEST_VICTIM, (char *)(uintptr_t)driver, NULL};
    int ends[2];
    posix_spawn_file_actions_t actions;
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    assert_int_equal(posix_spawn(&victim.pid, arguments[0], &actions, NULL, arguments, environ), 0);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    FILE *stream = fdopen(ends[0], "r");
    assert_non_null(fgets(line, sizeof line, stream));
    fclose(stream);
    assert_int_equal(sscanf(line, "%d %d %d %d %255s", &victim.others[0], &victim.others[1], &victim.others[2],
                            &victim.others[3], victim.directory),
                     5);
    for (int i = 0; i < 4; ++i) {
        victim.others_fds[i] = (int)syscall(SYS_pidfd_open, victim.others[i], 0);
        assert_true(victim.others_fds[i] >= 0);
    }
    return victim;
}

static void expect_nothing_left(struct victim *victim)
{
    struct stat status;
    for (int i = 3; i >= 0; --i) {
        struct pollfd ended = {.fd = victim->others_fds[i], .events = POLLIN};
        if (poll(&ended, 1, 10000) != 1)
            fail_msg("process %d (%s) is still there", victim->others[i], i == 0 ? "guard" : "participant");
        close(victim->others_fds[i]);
    }
    assert_int_equal(stat(victim->directory, &status), -1);
    assert_int_equal(errno, ENOENT);
}

static int end_by(struct victim *victim, int number)
{
    int status;
    assert_int_equal(kill(victim->pid, number), 0);
    assert_int_equal(waitpid(victim->pid, &status, 0), victim->pid);
    return status;
}

static void sigkill_leaves_nothing_even_of_the_stopped(void **state)
{
    struct victim victim = start_victim(IPCMARK_TEST_DRIVER);
    struct stat status;
    (void)state;
    assert_int_equal(stat(victim.directory, &status), 0);
    assert_int_equal(end_by(&victim, SIGKILL), SIGKILL);
    expect_nothing_left(&victim);
}

/* A process of that coordinator's mark that is not the participant itself, as a pidfd. */
static int find_offspring(pid_t coordinator)
{
    char path[300], *each = NULL;
    size_t size = 0;
    int found = -1, first, second;
    DIR *directory = opendir("/proc");
    assert_non_null(directory);
    for (struct dirent *entry; found < 0 && (entry = readdir(directory)) != NULL;) {
        snprintf(path, sizeof path, "/proc/%s/environ", entry->d_name);
        FILE *file = fopen(path, "r");
        while (file != NULL && getdelim(&each, &size, '\0', file) > 0)
            if (sscanf(each, "IPCMARK_PARTICIPANT=%d/%d", &first, &second) == 2 && first == coordinator &&
                second != atoi(entry->d_name))
                found = (int)syscall(SYS_pidfd_open, atoi(entry->d_name), 0);
        if (file != NULL)
            fclose(file);
    }
    free(each);
    closedir(directory);
    return found;
}

static void sigkill_leaves_nothing_even_of_daemons(void **state)
{
    struct victim victim = start_victim(IPCMARK_TEST_DRIVER "?leave_process=2");
    struct pollfd ended = {.fd = find_offspring(victim.pid), .events = POLLIN};
    (void)state;
    assert_true(ended.fd >= 0);
    assert_int_equal(end_by(&victim, SIGKILL), SIGKILL);
    expect_nothing_left(&victim);
    assert_int_equal(poll(&ended, 1, 10000), 1);
    close(ended.fd);
}

static void ctrl_c_leaves_nothing(void **state)
{
    struct victim victim = start_victim(IPCMARK_TEST_DRIVER);
    (void)state;
    int status = end_by(&victim, SIGINT);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 128 + SIGINT);
    /* It has cleaned up by the time it has ended, not some time later. */
    struct stat directory;
    assert_int_equal(stat(victim.directory, &directory), -1);
    expect_nothing_left(&victim);
}

static void sigterm_leaves_nothing(void **state)
{
    struct victim victim = start_victim(IPCMARK_TEST_DRIVER);
    (void)state;
    assert_int_equal(WEXITSTATUS(end_by(&victim, SIGTERM)), 128 + SIGTERM);
    expect_nothing_left(&victim);
}

static void without_the_guard_it_cleans_up_itself(void **state)
{
    struct victim victim = start_victim(IPCMARK_TEST_DRIVER);
    (void)state;
    assert_int_equal(kill(victim.others[0], SIGKILL), 0);
    assert_int_equal(WEXITSTATUS(end_by(&victim, SIGINT)), 128 + SIGINT);
    expect_nothing_left(&victim);
}

CASES_MAIN(CASE(sigkill_leaves_nothing_even_of_the_stopped), CASE(sigkill_leaves_nothing_even_of_daemons),
           CASE(ctrl_c_leaves_nothing), CASE(sigterm_leaves_nothing), CASE(without_the_guard_it_cleans_up_itself))
