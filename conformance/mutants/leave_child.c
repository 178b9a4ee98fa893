#include "mutant.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

static pthread_once_t once = PTHREAD_ONCE_INIT;
static int result;

/* A helper that is to serve all endpoints of the process, started as daemons are: nobody ends it. */
static void start(void)
{
    const pid_t child = fork();
    if (child == 0) {
        const int nowhere = open("/dev/null", O_RDWR);
        setsid();
        for (int i = 0; i <= STDERR_FILENO; ++i)
            dup2(nowhere, i);
        if (fork() == 0)
            for (;;)
                pause();
        _exit(0);
    }
    if (child < 0 || waitpid(child, NULL, 0) != child)
        result = -EAGAIN;
}

static int start_once(mutant_endpoint *endpoint, const ipcmark_endpoint *options)
{
    (void)endpoint, (void)options;
    pthread_once(&once, start);
    return result;
}

MUTANT(.name = "leave_child", .fault = "each process leaves one that serves it, in a session of its own",
       .class_name = "leftover", .must_fail = "LIFE-003", .may_fail = "*", .before_open = start_once)
