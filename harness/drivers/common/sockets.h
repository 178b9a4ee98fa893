/* What the transports over listening sockets share. Their advertisement says "ADDRESS TOKEN". */
#ifndef COMMON_SOCKETS_H
#define COMMON_SOCKETS_H

#include "stream.h"

#include <sys/socket.h>

enum { SOCKET_ADDRESS = 24 };

/* Makes a socket that listens, and says where. Returns it, or -errno. */
typedef int socket_listen_fn(char address[SOCKET_ADDRESS]);
/* Begins to connect. Returns the socket, or -errno. */
typedef int socket_connect_fn(const char *address);

int sockets_listen(const struct directory *directory, const char *stem, socket_listen_fn *listen_at,
                   struct listener *out);
int sockets_accept(const struct directory *directory, const struct listener *listener, struct link *out);
int sockets_connect(const struct directory *directory, const char *advertisement, socket_connect_fn *connect_to,
                    char token[TOKEN_TEXT], struct link *out);
ssize_t sockets_send(int fd, const struct iovec *vector, int count);

/* A socket of this type that is not inherited and never blocks, bound and listening. */
int socket_listening(const struct sockaddr *address, socklen_t size);
/* The same, connecting. */
int socket_connecting(const struct sockaddr *address, socklen_t size);

#endif
