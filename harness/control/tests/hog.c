/* Another process that keeps a CPU busy, for slowness_test.c: from the first byte of its standard input until it is
 * killed, or its parent dies. */
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

int main(void)
{
    char byte;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (read(STDIN_FILENO, &byte, 1) == 1) /* not its end: then the parent has died before */
        for (volatile unsigned spin = 0;; ++spin) {
        }
    return 0;
}
