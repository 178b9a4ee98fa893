/* An endpoint's place in the directory: slot file, socket, watch. Files there may be removed by others (whoever tidies
 * up temporary files), and so may the directory: pairs do not need it, but nobody new can find us. Control thread, but
 * for take. */
#include "endpoint.h"
#include "os/os.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

enum { ACCEPTS_A_TURN = 16 }; /* others want to be heard, too */

static void directory_changed(struct endpoint *endpoint, struct watch *watch)
{
    if (os_watch_drain(watch->fd, slot_is_name))
        endpoint->role->scan(endpoint, false);
}

int place_watch(struct endpoint *endpoint)
{
    if (!endpoint->role->seeks)
        return 0;
    endpoint->changes = (struct watch){directory_changed, os_watch_open(endpoint->directory)};
    if (endpoint->changes.fd >= 0)
        return os_poller_add(endpoint->poller, endpoint->changes.fd, &endpoint->changes, false);
    endpoint_log(endpoint, LOG_WARNING,
                 "the directory cannot be watched (%s): new peers are found by scanning, each ping interval",
                 mmipc_strerror(endpoint->changes.fd));
    return 0;
}

static void caller_waits(struct endpoint *endpoint, struct watch *watch)
{
    int fd = 0;
    for (int i = 0; i < ACCEPTS_A_TURN && (fd = os_socket_accept(watch->fd)) >= 0; ++i)
        endpoint->role->accepted(endpoint, fd);
    if (fd < 0 && fd != -EAGAIN && fd != -EINTR &&
        fd != -ECONNABORTED) { /* the caller stays in the queue until the next tick */
        endpoint_log(endpoint, LOG_ERROR, "a new peer cannot be let in: %s", mmipc_strerror(fd));
        os_poller_remove(endpoint->poller, watch->fd);
        endpoint->deaf = true;
    }
}

int place_take(struct endpoint *endpoint)
{
    char name[SLOT_NAME_BYTES];
    const bool for_all = (endpoint->options.flags & MMIPC_ALLOW_OTHER_USERS) != 0;
    int error = slot_create(&endpoint->slot, endpoint->directory, endpoint->role->name, endpoint->id, endpoint->channel,
                            for_all);
    if (error != 0)
        return error;
    slot_socket_name(endpoint->id, name);
    endpoint->listener = (struct watch){caller_waits, os_socket_listen(endpoint->directory, name, for_all)};
    error = endpoint->listener.fd < 0
                ? endpoint->listener.fd
                : os_poller_add(endpoint->poller, endpoint->listener.fd, &endpoint->listener, false);
    if (error == 0)
        error = slot_ready(&endpoint->slot);
    if (error != 0)
        place_leave(endpoint);
    return error;
}

void place_leave(struct endpoint *endpoint)
{
    slot_remove(&endpoint->slot);
    watch_close(endpoint, &endpoint->listener);
    endpoint->deaf = false;
}

static bool is_removed(int fd)
{
    struct stat status;
    return fstat(fd, &status) == 0 && status.st_nlink == 0;
}

static bool is_lost(const struct endpoint *endpoint)
{
    char name[SLOT_NAME_BYTES];
    struct stat status;
    slot_socket_name(endpoint->id, name);
    return endpoint->slot.fd < 0 || is_removed(endpoint->slot.fd) ||
           (fstatat(endpoint->directory, name, &status, AT_SYMLINK_NOFOLLOW) != 0 && errno == ENOENT);
}

/* The directory of that name, if there is one again: to make it is for whoever removed it. */
static int change_directory(struct endpoint *endpoint)
{
    int fd = endpoint->path == NULL ? -ENOENT : os_directory_reopen(endpoint->path);
    if (fd < 0)
        return fd;
    watch_close(endpoint, &endpoint->changes);
    os_close(endpoint->directory);
    endpoint->directory = fd;
    return place_watch(endpoint);
}

void place_check(struct endpoint *endpoint)
{
    int error = 0;
    if (!is_lost(endpoint))
        return;
    if (!endpoint->displaced)
        endpoint_log(endpoint, LOG_ERROR,
                     "our files in the directory were removed: no new peer finds us until they are back");
    endpoint->displaced = true;
    place_leave(endpoint);
    if (is_removed(endpoint->directory))
        error = change_directory(endpoint);
    if (error == 0)
        error = place_take(endpoint);
    if (error != 0)
        return; /* the next tick tries again */
    endpoint->displaced = false;
    endpoint_log(endpoint, LOG_INFORMATION, "our files are in the directory again");
}
