/* mmipc — a look at libmmipc's endpoints in a directory, and lines in and out. */
#include "tool.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

static const char help[] =
    "Usage: mmipc COMMAND [OPTION…] …\n"
    "\n"
    "  mmipc ls DIR            publishers and subscribers that meet in a directory: alive, suspended, dead\n"
    "  mmipc pub CHANNEL DIR   publishes each line of standard input as a message\n"
    "  mmipc sub CHANNEL DIR   prints each message as a line\n"
    "  mmipc clean DIR         removes the files that dead endpoints left\n"
    "\n"
    "Publishers and subscribers that name the same channel and the same directory are connected. In one\n"
    "terminal:\n"
    "\n"
    "  mmipc sub prices /tmp/market\n"
    "\n"
    "and in another:\n"
    "\n"
    "  echo 'ACME 12.34' | mmipc pub prices /tmp/market\n"
    "  mmipc ls /tmp/market\n"
    "\n"
    "`mmipc COMMAND --help` tells more; `mmipc --version` the version of the library.\n"
    "\n"
    "Exit codes, of all commands: 0 done; 1 it could not be done, and the message says why; 2 a --timeout\n"
    "ran out; 64 usage; 128 + N ended by signal N: 130 Ctrl-C, 143 SIGTERM, 141 nobody reads standard\n"
    "output any more.\n";

/* Whoever starts us with one of the three closed must not find his data in a descriptor that we open for something
 * else: such a one is opened here, for what it is not used for, so that using it is an error. */
static bool has_standard_descriptors(void)
{
    for (int fd = 0; fd < 3; ++fd)
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY) != fd)
            return false;
    return true;
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        int (*run)(int argc, char **argv);
    } commands[] = {{"ls", command_ls}, {"pub", command_pub}, {"sub", command_sub}, {"clean", command_clean}};
    int error;
    if (argc < 2)
        return misused("", "no command is given: ls, pub, sub or clean");
    if (!has_standard_descriptors())
        return EXIT_FAILED;
    error = stop_watch();
    if (error != 0)
        return end_for_error("cannot watch for signals", error);
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "help") == 0) {
        fputs(help, stdout);
        return end_output(EXIT_DONE);
    }
    if (strcmp(argv[1], "--version") == 0) {
        printf("mmipc %s\n", mmipc_version());
        return end_output(EXIT_DONE);
    }
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; ++i)
        if (strcmp(argv[1], commands[i].name) == 0)
            return commands[i].run(argc - 1, argv + 1);
    return misused("", "there is no command '%s', only ls, pub, sub and clean", argv[1]);
}
