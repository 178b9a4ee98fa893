/* Unix sockets: one stream for each (publisher, subscriber) pair.
 *
 * A subscriber listens under an abstract name, of which a kill leaves no file, and advertises it with a random token
 * that the publisher's HELLO must repeat: any user of the machine can see the name, only who may read the file knows
 * the token.
 *
 * What was sent lies in the receiver's queue, and stays there when the sender dies: as with TCP, the subscriber sends
 * nothing after the handshake, so there is nothing unread that would turn the end into a reset. */
#include "sockets.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>

static socklen_t name(const char *address, struct sockaddr_un *out)
{
    *out = (struct sockaddr_un){.sun_family = AF_UNIX}; /* the first byte of an abstract name is 0 */
    const int length = snprintf(out->sun_path + 1, sizeof out->sun_path - 1, "ipcmark/%s", address);
    return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)length);
}

static int listen_at_name(char address[SOCKET_ADDRESS])
{
    struct sockaddr_un here;
    identity_make(address);
    const socklen_t size = name(address, &here);
    return socket_listening((const struct sockaddr *)&here, size);
}

static int connect_to_name(const char *address)
{
    struct sockaddr_un there;
    const socklen_t size = name(address, &there);
    return socket_connecting((const struct sockaddr *)&there, size);
}

static int uds_listen(const struct directory *directory, const char *stem, struct listener *out)
{
    return sockets_listen(directory, stem, listen_at_name, out);
}

static int uds_connect(const struct directory *directory, const char *advertisement, char token[TOKEN_TEXT],
                       struct link *out)
{
    return sockets_connect(directory, advertisement, connect_to_name, token, out);
}

const struct transport stream_transport = {
    .name = "uds",
    .summary = "Unix stream sockets, one connection a pair",
    .file_type = S_IFREG,
    .listen = uds_listen,
    .accept = sockets_accept,
    .connect = uds_connect,
    .send = sockets_send,
};
