#include "actor.h"
#include "life.h"
#include "play.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static void die(const char *what)
{
    perror(what);
    abort();
}

static struct ledger *shown; /* changes of children and of directories are changes of the ledger, too */

static volatile sig_atomic_t interrupted;

static void something_changed(int signal)
{
    if (signal == SIGINT || signal == SIGTERM)
        interrupted = 1;
    if (shown != NULL)
        ++shown->changes;
}

void play_heed_interruption(void)
{
    const struct sigaction action = {.sa_handler = something_changed};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

bool play_is_interrupted(void)
{
    return interrupted;
}

void play_violate(struct play *play, const char *format, ...)
{
    va_list arguments;
    if (play->violation[0] != '\0')
        return;
    va_start(arguments, format);
    vsnprintf(play->violation, sizeof play->violation, format, arguments);
    va_end(arguments);
}

static pid_t spawn(const char *const *arguments)
{
    pid_t pid;
    if (posix_spawn(&pid, actor_program(), NULL, NULL, (char *const *)(uintptr_t)arguments, environ) != 0)
        die("posix_spawn");
    return pid;
}

/* What the dead leave: files with sockets, and a socket whose file somebody has removed already. */
static void make_stale(const char *stale)
{
    const char *const arguments[] = {"ghost", "--ghost", stale, NULL};
    const pid_t pid = spawn(arguments);
    const struct dirent *entry;
    DIR *directory;
    int status;
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            die("waitpid");
    directory = opendir(stale);
    if (status != 0 || directory == NULL)
        die("the ghost could not open its endpoints");
    do
        entry = readdir(directory);
    while (entry != NULL && strstr(entry->d_name, ".json") == NULL);
    if (entry == NULL || unlinkat(dirfd(directory), entry->d_name, 0) != 0)
        die("the ghost left no file");
    closedir(directory);
}

void play_open(struct play *play, const struct incident *incident)
{
    const struct sigaction action = {.sa_handler = something_changed};
    memset(play, 0, sizeof *play);
    play->incident = *incident;
    play->ledger = shown = ledger_create(&play->ledger_fd);
    play->directory = test_directory();
    play->stale = test_directory();
    make_stale(play->stale);
    sigaction(SIGCHLD, &action, NULL);
    sigaction(SIGIO, &action, NULL);
    play->watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    if (play->watch < 0 || inotify_add_watch(play->watch, play->directory, IN_DELETE) < 0 ||
        inotify_add_watch(play->watch, play->stale, IN_DELETE) < 0 || fcntl(play->watch, F_SETOWN, getpid()) != 0 ||
        fcntl(play->watch, F_SETFL, O_ASYNC | O_NONBLOCK) != 0)
        die("inotify");
}

void play_start(struct play *play, int actor, int peers)
{
    const bool is_victim = play_is_victim(play, actor);
    const bool is_armed = is_victim && play->incident.action != NOTHING;
    char numbers[8][24];
    const char *const arguments[] = {"actor",     "--actor",  numbers[0], numbers[1], play->directory,
                                     play->stale, numbers[2], numbers[3], numbers[4], numbers[5],
                                     numbers[6],  numbers[7], NULL};
    snprintf(numbers[0], sizeof numbers[0], "%d", actor);
    snprintf(numbers[1], sizeof numbers[1], "%d", play->ledger_fd);
    snprintf(numbers[2], sizeof numbers[2], "%d", peers);
    snprintf(numbers[3], sizeof numbers[3], "%d", is_victim);
    snprintf(numbers[4], sizeof numbers[4], "%ld", is_armed ? play->incident.point : -1);
    snprintf(numbers[5], sizeof numbers[5], "%" PRIx64, play->incident.way);
    snprintf(numbers[6], sizeof numbers[6], "%u", play->incident.hit);
    snprintf(numbers[7], sizeof numbers[7], "%d", play->incident.action == KILL ? SIGKILL : SIGSTOP);
    play->pids[actor] = spawn(arguments);
    play->started[actor] = true;
}

static void victim_changed(struct play *play, int status)
{
    if (WIFSTOPPED(status)) {
        play->stopped = true;
        return;
    }
    play->stopped = false;
    play->pids[play->incident.victim] = 0;
    play->left = WIFEXITED(status) && WEXITSTATUS(status) == 0;
    play->dead = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
    if (!play->left && !play->dead)
        play_violate(play, "the victim itself ended with status %#x", (unsigned)status);
}

/* Who has ended, stopped or complained meanwhile? */
static void look_around(struct play *play)
{
    if (interrupted)
        play_violate(play, "it was interrupted");
    for (int i = 0; i < ACTORS; ++i) {
        const struct part *part = &play->ledger->parts[i];
        int status;
        if (part->complained == 2)
            play_violate(play, "%s complains: %s", actor_names[i], part->complaint);
        if (play->pids[i] == 0 || waitpid(play->pids[i], &status, WNOHANG | WUNTRACED) <= 0)
            continue;
        if (play_is_victim(play, i)) {
            victim_changed(play, status);
            continue;
        }
        play->pids[i] = 0;
        if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
            play_violate(play, "%s ended with status %#x", actor_names[i], (unsigned)status);
        else if (!part->leave)
            play_violate(play, "%s gave up", actor_names[i]);
    }
}

struct awaited {
    struct play *play;
    bool (*is_true)(const struct play *play);
};

static bool is_over(void *context)
{
    const struct awaited *awaited = context;
    look_around(awaited->play);
    return awaited->play->violation[0] != '\0' || awaited->is_true(awaited->play);
}

bool play_await(struct play *play, bool (*is_true)(const struct play *play), int timeout_ms, const char *what)
{
    struct awaited awaited = {play, is_true};
    if (play->violation[0] == '\0' && !ledger_await(play->ledger, is_over, &awaited, timeout_ms))
        play_violate(play, "within %d ms it did not come true that %s", timeout_ms, what);
    return play->violation[0] == '\0';
}

void play_signal(struct play *play, int signal)
{
    play->stopped = false;
    kill(play->pids[play->incident.victim], signal);
}

int play_entries(const char *path)
{
    return test_directory_entries(path);
}

/* And the directories that an endpoint had to make. */
static void remove_directories(struct play *play)
{
    char path[256];
    snprintf(path, sizeof path, "%s%s", play->directory, LIFE_MISSING);
    test_directory_remove(play->directory);
    test_directory_remove(play->stale);
    if (access(path, F_OK) == 0)
        test_directory_remove(strdup(path));
    for (char *slash = strrchr(path, '/'); slash != NULL && slash - path > 4; slash = strrchr(path, '/')) {
        *slash = '\0'; /* up to /tmp */
        rmdir(path);
    }
}

void play_close(struct play *play)
{
    for (int i = 0; i < ACTORS; ++i)
        if (play->pids[i] != 0) {
            kill(play->pids[i], SIGKILL);
            while (waitpid(play->pids[i], NULL, 0) < 0 && errno == EINTR)
                ;
        }
    close(play->watch);
    shown = NULL;
    munmap(play->ledger, sizeof *play->ledger);
    close(play->ledger_fd);
    remove_directories(play);
}
