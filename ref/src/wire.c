#include "wire.h"

#include "layout.h"
#include "os/os.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

void wire_prepare(struct wire_message *message, enum wire_type type)
{
    memset(message, 0, sizeof *message);
    message->magic = WIRE_MAGIC;
    message->version = WIRE_VERSION;
    message->type = (uint16_t)type;
    message->fingerprint = layout_fingerprint();
}

bool wire_same_version(const struct wire_message *message)
{
    return message->version == WIRE_VERSION && message->fingerprint == layout_fingerprint();
}

int wire_send(int fd, const struct wire_message *message, const int *fds, int fd_count)
{
    return os_socket_send(fd, message, sizeof *message, fds, fd_count);
}

int wire_receive(int fd, struct wire_message *message, int *fds, int *fd_count)
{
    ssize_t got = os_socket_receive(fd, message, sizeof *message, fds, fd_count);
    if (got == -ECONNRESET) { /* the peer died with mail of ours unread; its own may still be queued */
        got = os_socket_receive(fd, message, sizeof *message, fds, fd_count);
        if (got == -ECONNRESET || got == -EPIPE)
            return 0;
    }
    if (got == -ENOBUFS || got == -EINTR)
        return -ENOMEM;
    if (got <= 0)
        return (int)got;
    /* another version may have another size: enough is there to say so */
    if (got < (ssize_t)offsetof(struct wire_message, fingerprint) || message->magic != WIRE_MAGIC ||
        (message->version == WIRE_VERSION && got != (ssize_t)sizeof *message)) {
        for (int i = 0; i < *fd_count; ++i)
            os_close_foreign(fds[i]);
        *fd_count = 0;
        return -EPROTO;
    }
    memset((char *)message + got, 0, sizeof *message - (size_t)got);
    message->channel[CHANNEL_MAX] = '\0';
    return 1;
}

const char *wire_reason_text(uint32_t reason)
{
    switch (reason) {
    case WIRE_CLOSED:
        return "closed";
    case WIRE_FULL:
        return "its backlog was full";
    case WIRE_PROTOCOL:
        return "the protocol was violated";
    case WIRE_BUSY:
        return "just busy: the previous pairing is still being drained, or too many others are beginning";
    case WIRE_CHANNEL:
        return "another channel";
    case WIRE_USER:
        return "another user (MMIPC_ALLOW_OTHER_USERS is not set on both sides, or its id has no meaning here)";
    case WIRE_SELF:
        return "same process";
    case WIRE_VERSION_DIFFERS:
        return "another version or memory layout (build both sides against one libmmipc)";
    default:
        return "an unknown reason";
    }
}
