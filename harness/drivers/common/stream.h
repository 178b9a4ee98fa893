/* What the drivers over byte streams share: every (publisher, subscriber) pair has a stream of its own and a channel
 * back. A transport makes these pairs; publisher.h and subscriber.h do the rest.
 *
 * A subscriber advertises itself by a file DRIVER-CHANNEL-PROCESS-HEX.sub (see directory.h); CHANNEL is a digest. The
 * publisher that finds it connects and sends HELLO with the channel in full; the subscriber answers WELCOME; the
 * publisher puts it on its list and says START, and from there on the stream carries frames (frame.h). The publisher
 * counts the subscriber when it is ready to receive, and the subscriber counts the publisher when it is on the list:
 * once both count, nothing is lost.
 */
#ifndef COMMON_STREAM_H
#define COMMON_STREAM_H

#include "directory.h"
#include "ipcmark/driver.h"

#include <pthread.h>
#include <stdbool.h>
#include <sys/uio.h>

/* What such a driver promises, whatever the transport: each of them has kernel buffers that outlive their writer. */
#define STREAM_CAPABILITIES                                                                                            \
    (IPCMARK_CAP_MULTIPART | IPCMARK_CAP_EMPTY_MESSAGE | IPCMARK_CAP_PEERS | IPCMARK_CAP_PEER_EVENTS |                 \
     IPCMARK_CAP_THREADS | IPCMARK_CAP_NO_SELF_DELIVERY | IPCMARK_CAP_PUBLISH_IN_HANDLER |                             \
     IPCMARK_CAP_CLOSE_IN_HANDLER | IPCMARK_CAP_DURABLE_PAUSE | IPCMARK_CAP_DIRECTORY_FILES |                          \
     IPCMARK_CAP_ISOLATION_DIRECTORY | IPCMARK_CAP_WHEN_FULL_BLOCK | IPCMARK_CAP_SURVIVES_PUBLISHER_DEATH)

enum { ENDPOINT_NAME = 256, TOKEN_TEXT = 2 * IDENTITY_TEXT - 1 };

/* An endpoint's own copy of what it was opened with. */
struct endpoint {
    char id[ENDPOINT_NAME], channel[ENDPOINT_NAME];
    char digest[IDENTITY_TEXT]; /* of the channel, for file names */
    int scan_interval_ms;
    size_t max_bytes;
    ipcmark_peer_fn *on_peer;
    void *peer_context;
};

int endpoint_copy(struct endpoint *out, const ipcmark_endpoint *in);
void endpoint_report(const struct endpoint *endpoint, const char *peer, bool connected);

/* Both ends of a pair as one side sees them; one descriptor in both, if it is a socket. */
struct link {
    int in, out;
};
void link_close(struct link *link);

/* Where a subscriber is found. */
struct listener {
    int advertisement,
        fd; /* fd is readable when a publisher knocks; the same descriptor, if the file itself is the door */
    char name[DIRECTORY_NAME];
    char token[TOKEN_TEXT]; /* a HELLO must repeat it: only who may read the advertisement can know it */
};
void listener_close(struct listener *listener, const struct directory *directory);

/* All descriptors are non-blocking. Functions are called from threads that block SIGPIPE, except send. */
struct transport {
    const char *name, *summary; /* the driver's */
    mode_t file_type;           /* of its files in the directory */
    bool publisher_makes_files; /* in the directory: for each pair */
    int (*listen)(const struct directory *, const char *stem, struct listener *out);
    int (*accept)(const struct directory *, const struct listener *, struct link *out); /* -EAGAIN: none is waiting */
    int (*connect)(const struct directory *, const char *advertisement, char token[TOKEN_TEXT], struct link *out);
    ssize_t (*send)(int fd, const struct iovec *vector, int count); /* as writev; must not raise SIGPIPE */
};

/* The one that a driver defines, and is made of, together with stream_driver.c. */
extern const struct transport stream_transport;

enum { GREETING_MAGIC = 0x316b7069 };

enum greeting_kind { GREETING_HELLO = 1, GREETING_WELCOME, GREETING_START };

struct greeting {
    uint32_t magic, kind;
    char id[ENDPOINT_NAME], channel[ENDPOINT_NAME], token[TOKEN_TEXT];
};

/* A greeting being received, in as many pieces as it comes. */
struct greeter {
    struct greeting greeting;
    size_t received;
};

int greeting_send(const struct transport *transport, int fd, enum greeting_kind kind, const struct endpoint *from,
                  const char token[TOKEN_TEXT]);
/* 1: it is complete, of this kind and well-formed; 0: more has to come; -errno: drop the link. */
int greeting_receive(struct greeter *greeter, int fd, enum greeting_kind kind);

/* An eventfd that ends another thread's poll. */
int bell_open(void);
void bell_ring(int bell);
void bell_clear(int bell);

/* Starts a thread that takes no signals: those are the process's own business. */
int thread_start(pthread_t *out, void *(*run)(void *), void *argument);

long long clock_ms(void);

#endif
