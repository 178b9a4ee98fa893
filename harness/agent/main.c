/* ipcmark-agent — one participant: wraps a driver in the agent protocol (harness/PROTOCOL.md). */
#include "agent.h"
#include "requests.h"

#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

struct agent agent;

static const char help[] =
    "Usage: ipcmark-agent --driver PATH.so [--folder DIR]\n"
    "\n"
    "One participant of a run: loads a driver and does what it is told, in JSON lines, on its standard input.\n"
    "It is started by the other ipcmark commands; by hand it is good for trying a driver out:\n"
    "\n"
    "  printf '%s\\n' '{\"id\":1,\"op\":\"hello\",\"protocol\":1,\"run\":\"try\",\"journal\":null,\"seed\":1}' \\\n"
    "    '{\"id\":2,\"op\":\"stop\"}' | ipcmark-agent --driver ./mine.so\n"
    "\n"
    "--folder DIR: go there once the driver is loaded, and leave a core there if it crashes. A driver thus finds no\n"
    "files by relative paths; of parameters that begin with ./ or ../ the other commands make absolute ones.\n"
    "\n"
    "Exit codes: 0 stopped, 3 it could not go on (the reason is on stderr), 64 usage.\n";

/* Cores of programs that share much memory are large, and may lie in memory themselves. */
static const rlim_t core_bytes = (rlim_t)512 << 20;

/* Where a core may lie without being in anybody's way there shall be one, though most shells say there shall not. */
static void go_to(const char *folder)
{
    struct rlimit limit;
    if (chdir(folder) < 0 || getrlimit(RLIMIT_CORE, &limit) < 0 || limit.rlim_cur >= core_bytes)
        return;
    limit.rlim_cur = limit.rlim_max < core_bytes ? limit.rlim_max : core_bytes;
    setrlimit(RLIMIT_CORE, &limit);
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"driver", required_argument, NULL, 'd'},
        {"folder", required_argument, NULL, 'f'},
        {"help", no_argument, NULL, 'h'},
        {"version", no_argument, NULL, 'v'},
        {0},
    };
    const pid_t parent = getppid();
    const char *path = NULL, *folder = NULL;
    char why[512];
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        switch (option) {
        case 'd':
            path = optarg;
            break;
        case 'f':
            folder = optarg;
            break;
        case 'h':
            return fputs(help, stdout) < 0;
        case 'v':
            return puts("ipcmark " IPCMARK_VERSION) < 0;
        default:
            return 64;
        }
    }
    if (path == NULL || optind != argc) {
        fputs("ipcmark-agent: it takes --driver PATH.so, and perhaps --folder DIR; see --help\n", stderr);
        return 64;
    }
    /* Again, for those whose wrapper forked: nobody is to outlive the one who gives the orders, not even if that one
     * died before the kernel knew. */
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) {
        fputs("ipcmark-agent: whoever started it is gone\n", stderr);
        return 3;
    }
    signal(SIGPIPE, SIG_IGN);
    agent.driver = driver_load(path, why, sizeof why);
    if (agent.driver == NULL) {
        fprintf(stderr, "ipcmark-agent: the driver cannot be loaded: %s\n", why);
        return 3;
    }
    if (folder != NULL)
        go_to(folder);
    return requests_serve();
}
