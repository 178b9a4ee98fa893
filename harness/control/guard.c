/* ipcmark-guard — the process that cleans up when the coordinator cannot, and the one that starts participants.
 *
 *   ipcmark-guard watch PARENT-DIRECTORY RUN
 *       Makes a private directory and prints it. Then obeys lines on stdin: "watch PID", "forget PID", "ping". When
 * stdin ends, for whatever reason, SIGKILL of the coordinator included, it kills the sessions that the watched
 * processes lead and whatever else comes from them, and removes the directory.
 *   ipcmark-guard start COORDINATOR-PID[/RUN] CPUS COMMAND…
 *       Becomes COMMAND, on these CPUs ("-": any), to die together with the coordinator; of a run: as a participant.
 */
#include "processes.h"
#include "tree.h"

#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAX_WATCHED = 4096, EXIT_USAGE = 64, EXIT_CANNOT_START = 127 };

static pid_t watched[MAX_WATCHED];
static size_t watched_count;

static void watch(pid_t pid)
{
    if (pid > 1 && watched_count < MAX_WATCHED)
        watched[watched_count++] = pid;
}

static void forget(pid_t pid)
{
    for (size_t i = 0; i < watched_count; ++i)
        if (watched[i] == pid)
            watched[i--] = watched[--watched_count];
}

static int make_directory(const char *parent, char *path, size_t size)
{
    char absolute[PATH_MAX]; /* participants work elsewhere */
    if (realpath(parent, absolute) == NULL)
        return -errno;
    /* Short, for it becomes part of the path of sockets. */
    if ((size_t)snprintf(path, size, "%s/ipcmark-XXXXXX", absolute) >= size)
        return -ENAMETOOLONG;
    return mkdtemp(path) == NULL ? -errno : 0;
}

static int run_watch(const char *parent, const char *run)
{
    char directory[4096], line[128];
    /* Neither Ctrl-C in the terminal nor its closing is for us: we end when the coordinator has. First, so that no
     * signal finds a directory that nobody removes. */
    setsid();
    for (int number = 1; number < NSIG; ++number)
        if (number == SIGINT || number == SIGTERM || number == SIGHUP || number == SIGQUIT || number == SIGPIPE)
            signal(number, SIG_IGN);
    int result = make_directory(parent, directory, sizeof directory);
    if (result < 0) {
        fprintf(stderr, "ipcmark: no directory can be made in %s: %s; set TMPDIR to one that can be written\n", parent,
                strerror(-result));
        return 3;
    }
    printf("directory %s\n", directory);
    fflush(stdout);
    while (fgets(line, sizeof line, stdin) != NULL) {
        int pid;
        if (sscanf(line, "watch %d", &pid) == 1)
            watch(pid);
        else if (sscanf(line, "forget %d", &pid) == 1)
            forget(pid);
        else if (strcmp(line, "ping\n") == 0)
            puts("pong"), fflush(stdout);
    }
    for (size_t i = 0; i < watched_count; ++i)
        processes_kill_session(watched[i]);
    processes_kill_marked(strtoull(run, NULL, 16));
    return tree_remove(directory) < 0 ? 3 : 0;
}

static int set_affinity(const char *list)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    for (const char *at = list; *at != '\0';) {
        char *end;
        unsigned long first = strtoul(at, &end, 10), last = first;
        if (end == at)
            return -EINVAL;
        if (*end == '-') {
            at = end + 1;
            last = strtoul(at, &end, 10);
            if (end == at)
                return -EINVAL;
        }
        for (; first <= last && first < CPU_SETSIZE; ++first)
            CPU_SET(first, &set);
        if (*end != '\0' && *end++ != ',')
            return -EINVAL;
        at = end;
    }
    return sched_setaffinity(0, sizeof set, &set) < 0 ? -errno : 0;
}

static int run_start(const char *coordinator, const char *cpus, char **command)
{
    /* It survives exec; the coordinator may have died before it took effect. */
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    const char *run = strchr(coordinator, '/');
    if (getppid() != atoi(coordinator) || (run != NULL && processes_mark(strtoull(run + 1, NULL, 16)) < 0))
        return EXIT_CANNOT_START;
    if (strcmp(cpus, "-") != 0) {
        int error = set_affinity(cpus);
        if (error < 0) {
            fprintf(stderr, "ipcmark: cannot run on CPUs '%s': %s\n", cpus, strerror(-error));
            return EXIT_CANNOT_START;
        }
    }
    execvp(command[0], command);
    fprintf(stderr, "ipcmark: cannot start %s: %s\n", command[0], strerror(errno));
    return EXIT_CANNOT_START;
}

int main(int argc, char **argv)
{
    if (argc == 4 && strcmp(argv[1], "watch") == 0)
        return run_watch(argv[2], argv[3]);
    if (argc >= 5 && strcmp(argv[1], "start") == 0)
        return run_start(argv[2], argv[3], argv + 4);
    if (argc == 2 && strcmp(argv[1], "--version") == 0)
        return puts("ipcmark " IPCMARK_VERSION) < 0;
    fputs("ipcmark-guard is started by the other ipcmark commands: it cleans up after them if they are killed.\n",
          argc == 2 && strcmp(argv[1], "--help") == 0 ? stdout : stderr);
    return argc == 2 && strcmp(argv[1], "--help") == 0 ? 0 : EXIT_USAGE;
}
