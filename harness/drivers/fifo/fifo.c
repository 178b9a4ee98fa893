/* Named pipes: one for the data of each (publisher, subscriber) pair and one for the way back.
 *
 * One FIFO for all publishers of a subscriber would not do: writes beyond PIPE_BUF interleave, and a publisher killed
 * inside a message would garble those of the others. The advertisement is a FIFO too, the subscriber's door: a
 * publisher makes the pair's FIFOs and writes their names into it, in one write that PIPE_BUF keeps whole.
 *
 * The publisher opens the data FIFO for reading as well. Therefore a write never raises SIGPIPE, which a library could
 * only catch at the price of two system calls a message; that the subscriber is gone shows on the way back, which hangs
 * up. The subscriber has no second end of either: it reads to the end after the publisher has gone.
 */
#include "stream.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { KNOCK_MAGIC = 0x6f666966, PIPE_BYTES = 1024 * 1024, PIPE_BYTES_LEAST = 64 * 1024 };

struct knock {
    uint32_t magic;
    char data[DIRECTORY_NAME], back[DIRECTORY_NAME];
};
_Static_assert(sizeof(struct knock) <= PIPE_BUF, "a knock is written whole");

static int door_open(const struct directory *directory, const char *stem, struct listener *out)
{
    /* For writing too: a door without a publisher in it must not read as the end. */
    int fd = directory_create(directory, stem, "new", O_RDWR, out->name);
    if (fd < 0)
        return fd;
    out->advertisement = out->fd = fd;
    return 0;
}

/* A larger pipe means fewer switches between writer and reader; the system may refuse it to a user who has many. */
static void pipe_enlarge(int fd)
{
    for (int bytes = PIPE_BYTES; bytes >= PIPE_BYTES_LEAST && fcntl(fd, F_SETPIPE_SZ, bytes) < 0; bytes /= 2)
        ;
}

static int pair_make(const struct directory *directory, struct knock *knock, struct link *out)
{
    struct link link = {.in = directory_create(directory, "", "back", O_RDONLY, knock->back), .out = -1};
    if (link.in < 0)
        return link.in;
    link.out = directory_create(directory, "", "data", O_RDWR, knock->data);
    if (link.out < 0) {
        int result = link.out;
        directory_remove(directory, knock->back);
        link_close(&link);
        return result;
    }
    pipe_enlarge(link.out);
    *out = link;
    return 0;
}

/* If the subscriber never takes the pair, its two files stay unlocked when the link is closed, and the next sweep of
 * anyone removes them. */
static int door_knock(const struct directory *directory, const char *advertisement, char token[TOKEN_TEXT],
                      struct link *out)
{
    struct knock knock;
    struct link link;
    int result, door = directory_open_live(directory, advertisement, O_WRONLY);
    if (door < 0)
        return door;
    memset(&knock, 0, sizeof knock);
    knock.magic = KNOCK_MAGIC;
    result = pair_make(directory, &knock, &link);
    if (result == 0) {
        if (write(door, &knock, sizeof knock) == (ssize_t)sizeof knock) {
            *out = link;
            token[0] = '\0';
        } else {
            result = -errno;
            directory_remove(directory, knock.data);
            directory_remove(directory, knock.back);
            link_close(&link);
        }
    }
    close(door);
    return result;
}

/* Opens what a knock names, once: then nobody needs the names any more. */
static int pair_take(const struct directory *directory, struct knock *knock, struct link *out)
{
    struct link link = {-1, -1};
    knock->data[DIRECTORY_NAME - 1] = knock->back[DIRECTORY_NAME - 1] = '\0';
    if (knock->magic != KNOCK_MAGIC || strchr(knock->data, '/') != NULL || strchr(knock->back, '/') != NULL)
        return -EPROTO;
    link.in = directory_open_live(directory, knock->data, O_RDONLY);
    link.out = directory_open_live(directory, knock->back, O_WRONLY);
    if (link.in < 0 || link.out < 0) {
        link_close(&link);
        return -ENOENT;
    }
    directory_remove(directory, knock->data);
    directory_remove(directory, knock->back);
    *out = link;
    return 0;
}

/* A knock is heard once: it stays in the door until there are descriptors for what it brings. */
static int pair_reserve(int fd)
{
    const int first = fcntl(fd, F_DUPFD_CLOEXEC, 0), second = first < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 0);
    const int result = second < 0 ? -errno : 0;
    if (first >= 0)
        close(first);
    if (second >= 0)
        close(second);
    return result;
}

static int door_answer(const struct directory *directory, const struct listener *listener, struct link *out)
{
    struct knock knock;
    ssize_t got;
    const int result = pair_reserve(listener->fd);
    if (result < 0)
        return result;
    while ((got = read(listener->fd, &knock, sizeof knock)) == (ssize_t)sizeof knock)
        if (pair_take(directory, &knock, out) == 0) /* else the publisher has gone, or a stranger scribbled */
            return 0;
    return got < 0 ? -errno : -EAGAIN;
}

static ssize_t pipe_send(int fd, const struct iovec *vector, int count)
{
    return count == 1 ? write(fd, vector->iov_base, vector->iov_len) : writev(fd, vector, count);
}

const struct transport stream_transport = {
    .name = "fifo",
    .summary = "named pipes, one a pair",
    .file_type = S_IFIFO,
    .publisher_makes_files = true,
    .listen = door_open,
    .accept = door_answer,
    .connect = door_knock,
    .send = pipe_send,
};
