/* The end of a coordinator, in whatever way: nothing is left, no process, no file. */
#include "cases.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
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

/* The mark of a process, "" if it has none. */
static void read_mark(const char *pid, char *mark, size_t size)
{
    char path[300], *each = NULL;
    size_t capacity = 0;
    *mark = '\0';
    snprintf(path, sizeof path, "/proc/%s/environ", pid);
    FILE *file = fopen(path, "r");
    while (file != NULL && getdelim(&each, &capacity, '\0', file) > 0)
        if (strncmp(each, "IPCMARK_PARTICIPANT=", 20) == 0)
            snprintf(mark, size, "%s", each);
    free(each);
    if (file != NULL)
        fclose(file);
}

/* A process that has the mark of that participant and is not the participant itself, as a pidfd. */
static int find_offspring(pid_t participant)
{
    char mark[128], wanted[128], number[16];
    int found = -1;
    DIR *directory = opendir("/proc");
    assert_non_null(directory);
    snprintf(number, sizeof number, "%d", (int)participant);
    read_mark(number, wanted, sizeof wanted);
    assert_true(wanted[0] != '\0');
    for (struct dirent *entry; found < 0 && (entry = readdir(directory)) != NULL;) {
        read_mark(entry->d_name, mark, sizeof mark);
        if (strcmp(mark, wanted) == 0 && strcmp(entry->d_name, number) != 0)
            found = (int)syscall(SYS_pidfd_open, atoi(entry->d_name), 0);
    }
    closedir(directory);
    return found;
}

/* Of a container, say: its processes have numbers of their own, which may be ours. */
static void sigkill_spares_those_of_another_run(void **state)
{
    struct victim victim = start_victim(IPCMARK_TEST_DRIVER);
    char mark[128], number[16];
    char *arguments[] = {(char *)(uintptr_t) "sleep", (char *)(uintptr_t) "20", NULL}, *environment[] = {mark, NULL};
    pid_t other;
    (void)state;
    snprintf(number, sizeof number, "%d", victim.others[1]);
    read_mark(number, mark, sizeof mark);
    char *digit = strchr(mark, '=') + 1;
    assert_true(digit > mark + 1);
    *digit = *digit == '1' ? '2' : '1';
    assert_int_equal(posix_spawnp(&other, arguments[0], NULL, NULL, arguments, environment), 0);
    assert_int_equal(end_by(&victim, SIGKILL), SIGKILL);
    expect_nothing_left(&victim);
    assert_int_equal(waitpid(other, NULL, WNOHANG), 0);
    assert_int_equal(kill(other, SIGKILL), 0);
    assert_int_equal(waitpid(other, NULL, 0), other);
}

static void sigkill_leaves_nothing_even_of_daemons(void **state)
{
    struct victim victim = start_victim(IPCMARK_TEST_DRIVER "?leave_process=2");
    struct pollfd ended = {.fd = find_offspring(victim.others[1]), .events = POLLIN};
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
           CASE(sigkill_spares_those_of_another_run), CASE(ctrl_c_leaves_nothing), CASE(sigterm_leaves_nothing),
           CASE(without_the_guard_it_cleans_up_itself))
