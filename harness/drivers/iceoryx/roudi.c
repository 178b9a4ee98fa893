#include "roudi.h"

#include "daemon.h"
#include "directory.h"
#include "params.h"
#include "stream.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <spawn.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

/* An open may take ten seconds all in all, and RouDi needs some of them itself. */
#define ROUDI_PREFIX "ipcmark-iceoryx-" /* of the names of its clients, whose sockets are /tmp/NAME */

enum { TURN_WITHIN_MS = 6000, TURNS_MAX = 64, AGAIN_MS = 20, PATH_ROOM = 1024, ADDRESS_ROOM = 64 };

/* RouDi writes to all of this memory when it starts. 128 MiB a pool hold several full queues, up to messages of 4 KiB
 * those of dozens of subscribers, and of the largest messages at least a few. */
enum {
    POOL_BYTES = 128 << 20,
    POOL_LEAST = 8,
    POOL_MOST = 16384,
    POOL_SMALLEST = 256,
    POOL_STEP = 16,
    POOL_EXTRA = 64, /* for the header of ours, and where it is aligned to */
    POOL_USUAL = 1 << 20
};

struct roudi {
    struct daemon *daemon;
    int turn;     /* a socket that listens: its name is taken as long as it is open, on the whole machine */
    int lifeline; /* what the cleaner waits for the end of */
    pid_t cleaner;
    char address[ADDRESS_ROOM];
};

static socklen_t turn_name(struct sockaddr_un *name)
{
    static const char text[] = "ipcmark-iceoryx"; /* behind a NUL: no file, and gone with its last holder */
    *name = (struct sockaddr_un){.sun_family = AF_UNIX};
    memcpy(name->sun_path + 1, text, sizeof text - 1);
    return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + sizeof text);
}

/* Nobody takes the connection: it hangs up when the last one who has the other's socket closes it. Where there is none
 * to be had, since the other does not listen yet, or too many wait already, it is tried again soon. */
static void await_end_of(const struct sockaddr_un *name, socklen_t size, long long until)
{
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    struct pollfd hangs_up = {.fd = fd};
    const long long left = until - clock_ms();
    if (fd >= 0 && connect(fd, (const struct sockaddr *)name, size) == 0)
        poll(&hangs_up, 1, left > 0 ? (int)left : 0);
    else
        poll(NULL, 0, AGAIN_MS);
    if (fd >= 0)
        close(fd);
}

/* RouDi's socket, lock and memory have fixed names. So brokers of this driver take turns, and only those. */
static int take_turn(int *turn)
{
    const long long until = clock_ms() + TURN_WITHIN_MS;
    struct sockaddr_un name;
    const socklen_t size = turn_name(&name);
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int error = fd < 0 ? errno : 0;
    while (error == 0 && bind(fd, (struct sockaddr *)&name, size) < 0) {
        if (errno != EADDRINUSE || clock_ms() >= until)
            error = errno;
        else
            await_end_of(&name, size, until);
    }
    if (error == 0 && listen(fd, TURNS_MAX) < 0)
        error = errno;
    if (error == 0) {
        *turn = fd;
        return 0;
    }
    if (error == EADDRINUSE)
        fprintf(stderr, "iceoryx: there is one RouDi a machine, and another run's is still there\n");
    if (fd >= 0)
        close(fd);
    return -error;
}

int roudi_check(void)
{
    const struct sockaddr_un name = {.sun_family = AF_UNIX, .sun_path = ROUDI_SOCKET};
    const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    int result = 0;
    if (fd < 0)
        return -errno;
    if (connect(fd, (const struct sockaddr *)&name, sizeof name) < 0)
        result = -errno;
    close(fd);
    return result;
}

/* What RouDi removes in order it leaves when it is killed, as its clients leave their sockets. This process may be
 * killed as well; so a shell waits for its end, and holds the turn until it has cleaned. */
static int start_cleaner(struct roudi *roudi, const char *prefix)
{
    /* Unless it is told that RouDi has ended, that may be dying still, and be making one of these. */
    static const char script[] = "trap '' HUP INT TERM\n"
                                 "clean() {\n"
                                 "  rm -f -- \"/dev/shm/$1\" /dev/shm/iceoryx_mgmt /tmp/roudi /tmp/roudi.lock"
                                 " /tmp/iox-unique-roudi.lock \"/tmp/$0\"*\n"
                                 "}\n"
                                 "read -r ended && sure=: || sure=false\n"
                                 "clean \"$1\"; $sure || { sleep 0.1; clean \"$1\"; }\n";
    const struct group *const group = getgrgid(getegid()); /* RouDi names the memory for messages after it */
    char *const argv[] = {"sh", "-c", (char *)script, (char *)prefix, group == NULL ? "" : group->gr_name, NULL};
    posix_spawn_file_actions_t actions;
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0)
        return -errno;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[0], STDIN_FILENO);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO);
    posix_spawn_file_actions_adddup2(&actions, roudi->turn, STDERR_FILENO + 1);
    posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 2);
    const int error = posix_spawn(&roudi->cleaner, "/bin/sh", &actions, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[0]);
    if (error == 0)
        roudi->lifeline = ends[1];
    else
        close(ends[1]);
    return -error;
}

static void end_cleaner(struct roudi *roudi)
{
    if (roudi->lifeline < 0)
        return;
    dprintf(roudi->lifeline, "ended\n");
    close(roudi->lifeline);
    roudi->lifeline = -1;
    while (waitpid(roudi->cleaner, NULL, 0) < 0 && errno == EINTR)
        ;
}

/* The cleaner of a run may have been killed together with all the others. */
static int clean_after_others(struct roudi *roudi)
{
    if (roudi_check() == 0) {
        fprintf(stderr, "iceoryx: there is one RouDi a machine, and this one has one already: end it first\n");
        return -EADDRINUSE;
    }
    const int result = start_cleaner(roudi, ROUDI_PREFIX);
    end_cleaner(roudi);
    return result;
}

static void write_pool(FILE *file, size_t size)
{
    const size_t fair = POOL_BYTES / size;
    const size_t count = fair < POOL_LEAST ? POOL_LEAST : fair > POOL_MOST ? POOL_MOST : fair;
    fprintf(file, "[[segment.mempool]]\nsize = %zu\ncount = %zu\n", (size + POOL_EXTRA + 7) / 8 * 8, count);
}

/* A message takes a chunk of the smallest pool that it fits into, however many receive it; never one of the next. */
static int write_configuration(const char *path, size_t largest)
{
    FILE *file = fopen(path, "wex");
    if (file == NULL)
        return -errno;
    fputs("[general]\nversion = 1\n[[segment]]\n", file);
    for (size_t size = POOL_SMALLEST; size < largest; size *= POOL_STEP)
        write_pool(file, size);
    write_pool(file, largest);
    return fclose(file) < 0 ? -errno : 0;
}

static int start(struct roudi *roudi, const ipcmark_endpoint *options)
{
    char path[PATH_ROOM];
    const char *const monitoring = param_find(options, "monitoring", "on");
    const char *const argv[] = {PEER_PROGRAM, "-c", path, "-m", monitoring, NULL};
    if (strcmp(monitoring, "on") != 0 && strcmp(monitoring, "off") != 0)
        return -EINVAL;
    if (snprintf(path, sizeof path, "%s/%s.toml", options->directory, roudi->address) >= PATH_ROOM)
        return -ENAMETOOLONG;
    int result = write_configuration(path, options->max_message_bytes == 0 ? POOL_USUAL : options->max_message_bytes);
    if (result == 0)
        result = daemon_start(&roudi->daemon, argv, options->directory, "RouDi is ready for clients");
    unlink(path);
    return result;
}

int roudi_open(void **out, const ipcmark_endpoint *options, char *address, size_t address_size)
{
    struct roudi *roudi = calloc(1, sizeof *roudi);
    char identity[IDENTITY_TEXT];
    if (roudi == NULL)
        return -ENOMEM;
    identity_make(identity);
    snprintf(roudi->address, sizeof roudi->address, ROUDI_PREFIX "%s", identity);
    roudi->lifeline = -1;
    roudi->turn = -1;
    int result = take_turn(&roudi->turn);
    if (result == 0)
        result = clean_after_others(roudi);
    if (result == 0)
        result = start_cleaner(roudi, roudi->address);
    if (result == 0)
        result = start(roudi, options);
    if (result < 0) {
        roudi_close(roudi);
        return result;
    }
    snprintf(address, address_size, "%s", roudi->address);
    *out = roudi;
    return 0;
}

void roudi_close(void *handle)
{
    struct roudi *roudi = handle;
    if (roudi->daemon != NULL)
        daemon_stop(roudi->daemon);
    end_cleaner(roudi);
    if (roudi->turn >= 0)
        close(roudi->turn);
    free(roudi);
}
