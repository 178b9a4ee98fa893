#include "endpoint.h"
#include "os/os.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

enum { MAILS_AT_ONCE = 16, LAST_MAILS = 4096 /* more than fit into a socket */ };

static void close_all(const int *fds, int count)
{
    for (int i = 0; i < count; ++i)
        os_close_foreign(fds[i]);
}

/* Its socket hung up, with or without a farewell. */
static void hung_up(struct endpoint *endpoint, struct peer *peer)
{
    const int reason = peer->farewell == 0             ? MMIPC_REASON_DIED
                       : peer->farewell == WIRE_CLOSED ? MMIPC_REASON_CLOSED
                       : peer->farewell == WIRE_FULL   ? MMIPC_REASON_FULL
                       : peer->farewell == WIRE_BUSY   ? REASON_SHORT
                                                       : MMIPC_REASON_PROTOCOL;
    peer_drop(endpoint, peer, reason, 0);
}

void peer_read_mail(struct endpoint *endpoint, struct peer *peer, bool dead)
{
    for (int mails = 0; peer->state != PEER_GONE; ++mails) {
        struct wire_message message;
        int fds[OS_FDS_MAX], count = 0;
        int got = wire_receive(peer->socket.fd, &message, fds, &count);
        if (got == -ENOMEM || (got == -EAGAIN && !dead))
            return;                         /* what is readable, or has ended, is told again */
        if (got > 0 && mails == LAST_MAILS) /* of the dead; a child of its may go on writing for ever */
            got = -EPROTO;
        if (got == -EPROTO) {
            close_all(fds, count);
            endpoint_log(endpoint, LOG_WARNING, "process %d sent something that is not the protocol's; pair closed",
                         peer->pid);
            peer_fail(endpoint, peer, MMIPC_REASON_PROTOCOL);
            return;
        }
        if (got == -EMFILE) { /* not its fault: it may try again */
            endpoint_log(endpoint, LOG_ERROR, "process %d cannot be paired with: %s", peer->pid, mmipc_strerror(got));
            peer_fail(endpoint, peer, REASON_SHORT);
            return;
        }
        if (got <= 0) {
            hung_up(endpoint, peer);
            return;
        }
        if (message.type == WIRE_BYE) {
            peer->farewell = message.reason;
            hung_up(endpoint, peer); /* it will, when it has done with the memory */
        } else {
            endpoint->role->message(endpoint, peer, &message, fds, count);
        }
        close_all(fds, count); /* those that were wanted have been taken out */
        if (mails >= MAILS_AT_ONCE && !dead)
            return; /* others want to be heard, too; the rest is still there */
    }
}

/* Dropped, but its end is awaited: nothing that it says matters any more. */
static void await_hang_up(struct endpoint *endpoint, struct peer *peer)
{
    struct wire_message message;
    int fds[OS_FDS_MAX], count = 0, got = wire_receive(peer->socket.fd, &message, fds, &count);
    if (got > 0)
        close_all(fds, count);
    else if (got != -EAGAIN && got != -ENOMEM) {
        peer_close(endpoint, peer);
        endpoint->rescan_ns = endpoint->role->seeks ? os_now_ns() : -1; /* it may have waited for this to pair again */
    }
}

static void socket_ready(struct endpoint *endpoint, struct watch *watch)
{
    struct peer *peer = (struct peer *)(void *)((char *)watch - offsetof(struct peer, socket));
    if (peer->state == PEER_GONE)
        await_hang_up(endpoint, peer);
    else
        peer_read_mail(endpoint, peer, false);
}

static void process_ended(struct endpoint *endpoint, struct watch *watch)
{
    struct peer *peer = (struct peer *)(void *)((char *)watch - offsetof(struct peer, process));
    if (peer->state == PEER_GONE)
        peer_close(endpoint, peer);
    else
        peer_read_mail(endpoint, peer, true);
}

static void refuse(int fd, uint32_t reason)
{
    struct wire_message message;
    wire_prepare(&message, WIRE_REJECT);
    message.reason = reason;
    wire_send(fd, &message, NULL, 0); /* if it cannot be said, the hang-up says it */
}

int peer_may_call(const struct endpoint *endpoint, const struct os_peer *caller)
{
    if (caller->uid == endpoint->overflow_user ||
        (caller->uid != geteuid() && (endpoint->options.flags & MMIPC_ALLOW_OTHER_USERS) == 0))
        return -EACCES;
    return caller->pid == getpid() ? -ELOOP : 0;
}

int peer_open(struct endpoint *endpoint, struct peer *peer, int fd)
{
    struct os_peer other;
    int error = os_socket_peer(fd, &other);
    peer->state = PEER_GREETING;
    peer->socket = (struct watch){socket_ready, fd};
    peer->process = (struct watch){process_ended, -1};
    peer->deadline_ns = os_now_ns() + 2 * control_interval_ns(endpoint);
    if (error != 0)
        goto fail;
    peer->pid = other.pid;
    peer->uid = other.uid;
    peer->process.fd = other.pidfd;
    error = peer_may_call(endpoint, &other);
    if (error != 0) {
        refuse(fd, error == -EACCES ? WIRE_USER : WIRE_SELF);
        goto fail;
    }
    error = notifier_reserve(&endpoint->notifier, &peer->reserved);
    if (error == -EAGAIN)
        refuse(fd, WIRE_BUSY);
    if (error == 0)
        error = os_poller_add(endpoint->poller, fd, &peer->socket, false);
    if (error == 0 && other.pidfd >= 0)
        error = os_poller_add(endpoint->poller, other.pidfd, &peer->process, false);
    if (error == 0)
        return 0;
fail:
    peer_close(endpoint, peer);
    return error;
}

void peer_close(struct endpoint *endpoint, struct peer *peer)
{
    watch_close(endpoint, &peer->socket);
    watch_close(endpoint, &peer->process);
}

static void stop_listening(struct endpoint *endpoint, struct peer *peer)
{
    if (peer->socket.fd >= 0)
        os_poller_remove(endpoint->poller, peer->socket.fd);
    watch_close(endpoint, &peer->process);
}

void peer_connected(struct endpoint *endpoint, struct peer *peer, const shared_u64 *heartbeat, uint32_t interval_ms)
{
    peer->state = PEER_CONNECTED;
    peer->heartbeat = heartbeat;
    peer->last_heartbeat = shared_load_relaxed(heartbeat); /* relaxed: a counter that carries nothing */
    peer->last_change_ns = os_now_ns();
    peer->interval_ms = interval_ms > 3600000 ? 3600000 : interval_ms;
    endpoint_count(endpoint, peer, true);
    endpoint_log(endpoint, LOG_INFORMATION, "connected to process %d", peer->pid);
    notifier_peer(&endpoint->notifier, &peer->reserved, MMIPC_PEER_CONNECTED, peer->pid, MMIPC_REASON_NONE);
}

static const char *reason_text(int reason)
{
    static const char *const texts[] = {"",
                                        "closed",
                                        "died",
                                        "silent",
                                        "its backlog was full",
                                        "protocol violated",
                                        "another version",
                                        "one side is out of memory or descriptors"};
    return texts[reason];
}

void peer_drop(struct endpoint *endpoint, struct peer *peer, int reason, uint32_t tell)
{
    enum peer_socket then;
    bool was_connected;
    if (peer->state == PEER_GONE)
        return;
    if (peer->state == PEER_GREETING && endpoint->role->last_words != NULL)
        endpoint->role->last_words(endpoint, peer);
    was_connected = peer->state == PEER_CONNECTED;
    peer->state = PEER_GONE;
    /* before the farewell: a publish that is under way belongs to the pair */
    then = endpoint->role->dropped(endpoint, peer);
    if (tell != 0) {
        struct wire_message message;
        wire_prepare(&message, WIRE_BYE);
        message.reason = tell;
        wire_send(peer->socket.fd, &message, NULL, 0); /* if it cannot be said, the hang-up says it */
    }
    if (then == PEER_SOCKET_AWAIT)
        os_socket_finish(peer->socket.fd);
    else if (then == PEER_SOCKET_KEEP)
        stop_listening(endpoint, peer);
    else
        peer_close(endpoint, peer);
    if (reason == MMIPC_REASON_DIED) /* should its lock not be free yet, a later scan finds its files */
        slot_examine(endpoint->directory, peer->id, endpoint->channel);
    if (!was_connected) {
        if (reason == MMIPC_REASON_VERSION) /* it stays away for good, which only its user can change */
            notifier_peer(&endpoint->notifier, &peer->reserved, MMIPC_PEER_DISCONNECTED, peer->pid, reason);
        return;
    }
    endpoint_count(endpoint, peer, false);
    endpoint_log(endpoint, LOG_INFORMATION, "disconnected from process %d: %s", peer->pid, reason_text(reason));
    notifier_peer(&endpoint->notifier, &peer->reserved, MMIPC_PEER_DISCONNECTED, peer->pid,
                  reason == REASON_SHORT ? MMIPC_REASON_NONE : reason);
}

void peer_fail(struct endpoint *endpoint, struct peer *peer, int reason)
{
    peer_drop(endpoint, peer, reason,
              reason == MMIPC_REASON_FULL ? WIRE_FULL
              : reason == REASON_SHORT    ? WIRE_BUSY
                                          : WIRE_PROTOCOL);
}

void peer_reject(struct endpoint *endpoint, struct peer *peer, uint32_t reason)
{
    refuse(peer->socket.fd, reason);
    endpoint_log(endpoint, reason == WIRE_BUSY ? LOG_DEBUG : LOG_WARNING, "refused process %d: %s", peer->pid,
                 wire_reason_text(reason));
    peer_drop(endpoint, peer, reason == WIRE_VERSION_DIFFERS ? MMIPC_REASON_VERSION : MMIPC_REASON_NONE, 0);
}

void peer_refused(struct endpoint *endpoint, struct peer *peer, const struct wire_message *message)
{
    const uint32_t reason = wire_same_version(message) ? message->reason : WIRE_VERSION_DIFFERS;
    endpoint_log(endpoint, reason == WIRE_BUSY ? LOG_DEBUG : LOG_WARNING, "process %d refuses us: %s", peer->pid,
                 wire_reason_text(reason));
    peer_drop(endpoint, peer, reason == WIRE_VERSION_DIFFERS ? MMIPC_REASON_VERSION : MMIPC_REASON_NONE, 0);
}

static void set_suspended(struct endpoint *endpoint, struct peer *peer, bool suspended)
{
    peer->suspended = suspended;
    if (endpoint->role->suspend != NULL)
        endpoint->role->suspend(endpoint, peer, suspended);
    endpoint_count(endpoint, peer, !suspended);
    endpoint_log(endpoint, LOG_WARNING, "process %d %s", peer->pid,
                 suspended ? "is silent: suspended, its backlog kept" : "is back: resumed");
    if (suspended)
        peer->suspension_told = notifier_reserve(&endpoint->notifier, &peer->reserved) == 0;
    if (peer->suspension_told)
        notifier_peer(&endpoint->notifier, &peer->reserved, suspended ? MMIPC_PEER_SUSPENDED : MMIPC_PEER_RESUMED,
                      peer->pid, suspended ? MMIPC_REASON_SILENT : MMIPC_REASON_NONE);
}

/* late: our own tick was, so the silence may be ours. */
void peer_tick(struct endpoint *endpoint, struct peer *peer, int64_t now_ns, bool late)
{
    const uint64_t heartbeat = shared_load_relaxed(peer->heartbeat); /* relaxed: as above */
    const int64_t theirs_ns = (int64_t)peer->interval_ms * 1000000, ours_ns = control_interval_ns(endpoint);
    if (heartbeat != peer->last_heartbeat || late) {
        const bool moved = heartbeat != peer->last_heartbeat;
        peer->last_heartbeat = heartbeat;
        peer->last_change_ns = now_ns;
        if (peer->suspended && moved)
            set_suspended(endpoint, peer, false);
    } else if (!peer->suspended && now_ns - peer->last_change_ns > 2 * (theirs_ns > ours_ns ? theirs_ns : ours_ns)) {
        set_suspended(endpoint, peer, true);
    }
}
