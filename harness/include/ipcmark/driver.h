/* ipcmark/driver.h — the driver ABI, version 1.
 *
 * A driver makes one publish/subscribe implementation testable: a shared object that exports one symbol,
 * ipcmark_driver_get(). The suite never calls it directly; a separate process, ipcmark-agent, loads it, so a driver
 * may crash, hang or leak without harming the run: that becomes the verdict.
 *
 * Rules for all functions
 *  - int results: 0 or more is success, -errno is failure; out-parameters stay untouched on failure.
 *  - Strings and structs that the suite passes in are valid only during the call; copy what you keep.
 *  - Parts are valid only during the call, in publish and in deliver alike. Part 0 is data[0..size) and so on; a part
 *    may be empty and a message may have no part at all, if the driver claims those capabilities.
 *  - The suite calls the functions of one endpoint from one thread at a time, unless the driver claims
 *    IPCMARK_CAP_THREADS; functions of different endpoints may always run at once.
 *  - Nothing may be left after the last close: no file, thread, descriptor or shared memory. A process must not outlive
 *    the participant that started it by more than a moment.
 *  - Once the driver is loaded, a participant of a clause works in an empty folder of its own. A parameter's value that
 *    begins with ./ or ../ is taken for a path seen from where the suite was started, and reaches the driver as an
 *    absolute one; other relative paths would lead nowhere.
 *  - No function may be called from a signal handler, and the suite never does.
 */
#ifndef IPCMARK_DRIVER_H
#define IPCMARK_DRIVER_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define IPCMARK_DRIVER_ABI 1

/* One piece of a message. */
typedef struct {
    const void *data;
    size_t size; /* bytes */
} ipcmark_part;

/* The suite's receiver, called by the driver once a message. It may run before subscriber_open returns, in any thread,
 * but one call at a time a subscriber, and never after subscriber_close returned. It may block, publish, and close. */
typedef void ipcmark_deliver_fn(void *context, const ipcmark_part *parts, size_t count);

/* The suite's ear for peers, called when a peer of this endpoint appears (connected != 0) or goes.
 * peer: the id of its endpoint if the implementation carries it, else "pid:N", else NULL. */
typedef void ipcmark_peer_fn(void *context, const char *peer, int connected);

/* What an endpoint is to be opened with. */
typedef struct {
    size_t size;               /* of this struct, set by the caller; it may grow at its end */
    const char *id;            /* of this endpoint, unique in the run */
    const char *directory;     /* exists, private to the case; for discovery files and sockets */
    const char *channel;       /* any bytes but NUL, 1 to 255 of them */
    unsigned ping_interval_ms; /* heartbeat period, for implementations that have one */
    size_t max_message_bytes;  /* the largest message that the run will send */
    const char *const *params; /* "key=value", NULL-terminated; from NAME?key=value&key=value, and broker=ADDRESS */
    ipcmark_peer_fn *on_peer;  /* may be NULL */
    void *peer_context;        /* first argument of on_peer */
} ipcmark_endpoint;

/* What an implementation says it can do. An unclaimed capability skips the clauses that need it, which shows as such; a
 * claimed one is checked. */
enum {
    IPCMARK_CAP_MULTIPART = 1,                 /* part boundaries are kept */
    IPCMARK_CAP_EMPTY_MESSAGE = 2,             /* messages of zero parts and of zero bytes arrive */
    IPCMARK_CAP_PEERS = 4,                     /* publisher_peers and subscriber_peers count */
    IPCMARK_CAP_PEER_EVENTS = 8,               /* on_peer is called */
    IPCMARK_CAP_SURVIVES_PUBLISHER_DEATH = 16, /* a message whose publish returned 0 outlives its publisher */
    IPCMARK_CAP_THREADS = 32,                  /* publish, peers and close of one endpoint may overlap */
    IPCMARK_CAP_NO_SELF_DELIVERY = 64,         /* endpoints of one process do not meet */
    IPCMARK_CAP_PUBLISH_IN_HANDLER = 128,      /* deliver may publish */
    IPCMARK_CAP_CLOSE_IN_HANDLER = 256,        /* deliver may close its own subscriber */
    IPCMARK_CAP_PING = 512,                    /* dead and stopped peers are noticed by heartbeat */
    IPCMARK_CAP_DURABLE_PAUSE = 1024,          /* a stopped subscriber loses nothing within its backlog */
    IPCMARK_CAP_DIRECTORY_FILES = 2048,        /* discovery through files in `directory` */
    IPCMARK_CAP_ISOLATION_DIRECTORY = 4096,    /* the same channel in another directory is another channel */
    /* When a subscriber's backlog is full (claim one): */
    IPCMARK_CAP_WHEN_FULL_BLOCK = 8192,         /* publish waits */
    IPCMARK_CAP_WHEN_FULL_FAIL = 16384,         /* publish returns -EAGAIN and nobody receives it */
    IPCMARK_CAP_WHEN_FULL_DROP_REPORTED = 32768 /* the subscriber is disconnected, and told so */
};

typedef struct {
    uint32_t abi;         /* IPCMARK_DRIVER_ABI */
    size_t size;          /* of this struct as the driver was compiled */
    const char *name;     /* short, lower case: "fifo" */
    const char *version;  /* of the implementation */
    const char *summary;  /* one line */
    const char *homepage; /* or NULL */
    uint64_t capabilities;
    size_t max_message_bytes, max_publishers, max_subscribers; /* 0: no limit */

    /* For implementations with a broker; NULL: there is none. It runs in an agent of its own: closed when that is
     * stopped, after the others, and gone when it dies. Its params are those of NAME?key=value&key=value.
     * address (NUL-terminated, at most address_size bytes) reaches the others as the parameter "broker=ADDRESS". */
    int (*broker_open)(void **out, const ipcmark_endpoint *, char *address, size_t address_size);
    void (*broker_close)(void *);

    int (*publisher_open)(void **out, const ipcmark_endpoint *);
    /* May block while a subscriber's backlog is full. 0: stored or sent for every connected subscriber. -EAGAIN,
     * -EMSGSIZE, -EINVAL, -ENOSPC, -ENOMEM, -ETIMEDOUT: nobody receives this message. Any other error: unknown whether
     * anyone does. */
    int (*publish)(void *, const ipcmark_part *parts, size_t count);
    int (*publisher_peers)(void *); /* connected subscriber endpoints (not processes), or -ENOTSUP */
    void (*publisher_close)(void *);

    int (*subscriber_open)(void **out, const ipcmark_endpoint *, ipcmark_deliver_fn *, void *context);
    int (*subscriber_peers)(void *);  /* connected publisher endpoints, or -ENOTSUP */
    void (*subscriber_close)(void *); /* waits for a running deliver, unless called from it */
} ipcmark_driver;

/* The one symbol that a driver exports. The struct is static and lives as long as the shared object is loaded. */
#if defined(__GNUC__)
__attribute__((visibility("default")))
#endif
const ipcmark_driver *
ipcmark_driver_get(void);

#ifdef __cplusplus
}
#endif
#endif
