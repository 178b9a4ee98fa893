/* mmipc.h — publish/subscribe between processes of one machine, through shared memory.
 *
 * Publishers and subscribers meet by a channel name and a directory. Every subscriber receives every message that any
 * publisher of the channel publishes while the two are connected: once, whole, in the order of publishing.
 *
 * Read this first
 *  - fork: handles do not survive fork(). In the child every call fails with -EPERM and close only frees memory; open
 *    new handles there, or start programs with posix_spawn or exec. A child forked inside a callback must not return
 *    from it: it ends there.
 *  - death: a process may be killed at any instant. What it had published is delivered; what it had not, is not; it
 *    leaves no lock or file that a survivor would have to clear. Only a hang-up of the peer's socket counts as death.
 *  - stopped peers: a peer that is silent for two ping intervals (debugger, SIGSTOP) is suspended: no longer counted,
 *    its backlog kept. When it moves again it is resumed and loses nothing, unless its backlog filled up meanwhile.
 *  - slow peers: a subscriber that does not keep up fills its backlog, and then, by default, publishers wait for it.
 *  - processes: a publisher connects only to subscribers of other processes, never of its own.
 *  - users: a peer of another user is refused unless MMIPC_ALLOW_OTHER_USERS is set on both sides.
 *  - signals: no function may be called from a signal handler. The library installs no handler, ignores no signal,
 *    reads no environment variable, prints nothing and never exits.
 *
 * Conventions
 *  - int results: 0 or more is success, -errno is failure (mmipc_strerror explains it). On failure the out-parameters
 *    are untouched.
 *  - timeout_ms: milliseconds; 0 looks and returns, -1 waits for ever; expiry is -ETIMEDOUT.
 *  - sizes are bytes. Strings are NUL-terminated and copied. Any function may be called from any thread, unless it says
 *    otherwise, and several threads may use one handle at once; only close must be the last call that starts.
 *  - a call that waits when its handle is closed returns -ESHUTDOWN.
 */
#ifndef MMIPC_H
#define MMIPC_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define MMIPC_API __attribute__((visibility("default")))
#else
#define MMIPC_API
#endif

typedef struct mmipc_publisher mmipc_publisher;
typedef struct mmipc_subscriber mmipc_subscriber;
typedef struct mmipc_message mmipc_message; /* a received message, pull mode */
typedef struct mmipc_loan mmipc_loan;       /* memory to write a message into */

/* A piece of a message. Boundaries between parts are kept; a part may be empty (then data may be NULL). */
typedef struct {
    const void *data;
    size_t size;
} mmipc_part;

/* What on_peer reports, and why. */
enum { MMIPC_PEER_CONNECTED = 1, MMIPC_PEER_SUSPENDED, MMIPC_PEER_RESUMED, MMIPC_PEER_DISCONNECTED };
enum {
    MMIPC_REASON_NONE,     /* with MMIPC_PEER_DISCONNECTED: one side is out of memory or descriptors, see its log */
    MMIPC_REASON_CLOSED,   /* the peer closed its handle */
    MMIPC_REASON_DIED,     /* the peer's process ended without closing */
    MMIPC_REASON_SILENT,   /* no heartbeat for two intervals (with MMIPC_PEER_SUSPENDED) */
    MMIPC_REASON_FULL,     /* its backlog was full, under WHEN_FULL_DISCONNECT or while it was suspended */
    MMIPC_REASON_PROTOCOL, /* it wrote something that the protocol does not allow */
    MMIPC_REASON_VERSION   /* it speaks another version or memory layout; was never connected, and is reported once */
};

/* What a publish does when a subscriber's backlog is full. */
enum {
    MMIPC_WHEN_FULL_BLOCK,     /* wait for room, publish_timeout_ms long */
    MMIPC_WHEN_FULL_FAIL,      /* fail with -EAGAIN; nobody receives the message */
    MMIPC_WHEN_FULL_DISCONNECT /* drop that subscriber (MMIPC_REASON_FULL on both sides) and go on */
};

enum { MMIPC_ALLOW_OTHER_USERS = 1u }; /* flags */

/* Receives a message, in callback mode. parts point into shared memory that is read-only and valid until the function
 * returns; each part starts at a multiple of 16. Runs on the subscriber's own thread, one call at a time; it may run
 * before mmipc_subscriber_open returns and take as long as it likes. It may publish and may close handles, its own
 * included. On this thread nothing waits: where a call would, it fails with -EDEADLK. It must return normally (no
 * longjmp, no C++ exception). */
typedef void mmipc_message_fn(void *user, const mmipc_part *parts, size_t count);

/* Reports a peer's coming and going. event: MMIPC_PEER_…; pid: the peer's process id as this process sees it, 0 if it
 * cannot; reason: MMIPC_REASON_…. Runs on a thread of the endpoint's own, in order, never while another call of it
 * runs. No coming or going is lost when it is slow; but while thousands wait to be told, nobody new is connected. */
typedef void mmipc_peer_fn(void *user, int event, int pid, int reason);

/* Receives the library's log: level 0 error, 1 warning, 2 information, 3 debug; text is valid during the call. Runs on
 * the same thread as on_peer. When it is slower than the log, lines are dropped and counted in a later line. */
typedef void mmipc_log_fn(void *user, int level, const char *text);

typedef struct {
    size_t size;               /* set by mmipc_options_init; lets the struct grow (an unknown non-zero tail: -E2BIG) */
    uint32_t flags;            /* MMIPC_ALLOW_OTHER_USERS or 0 */
    uint32_t ping_interval_ms; /* heartbeat and scan period; 0: 1000. The two sides may differ. */
    size_t segment_bytes;      /* first ring of a pair, rounded up to a power of two; 0: 64 KiB. It grows. */
    size_t max_backlog_bytes;  /* a pair's unread bytes before when_full applies; 0: 256 MiB; the largest message too */
    /* A publisher's memory of all its pairs together; 0: 4 GiB. A subscriber makes a page a pair and only maps the
     * rest, up to 64 GiB of each publisher, whatever this says: a lower bound would cut off publishers that keep to
     * theirs. */
    size_t max_total_bytes;
    int when_full;          /* MMIPC_WHEN_FULL_…; 0: BLOCK */
    int publish_timeout_ms; /* for BLOCK; 0: as long as the peer lives; > 0: that long, then -ETIMEDOUT */
    int spin_us;            /* 0: adaptive; > 0: that long before sleeping; -1: sleeps at once */
    mmipc_peer_fn *on_peer;
    mmipc_log_fn *on_log;
    void *user; /* first argument of on_peer and on_log */
} mmipc_options;

/* Sets every field to its default. size: sizeof(mmipc_options) of the caller. Where options are taken, NULL means these
 * defaults; the options are copied. */
MMIPC_API void mmipc_options_init(mmipc_options *options, size_t size);

/* Opens a publisher on channel (1 to 255 bytes) in server_dir, which is made, mode 0700, if it is missing. Returns as
 * soon as the publisher is registered; subscribers connect in the background. *out is the caller's until
 * mmipc_publisher_close. Errors: -EINVAL (channel, options), -E2BIG (options newer than the library); of the
 * directory: -ENOENT (cannot be made), -ENOTDIR, -ENAMETOOLONG, -ELOOP, -EACCES, -EPERM, -EROFS, -ENOSPC, -EDQUOT; of
 * the process or system: -EFBIG, -EMFILE, -ENFILE, -ENOMEM. What fails later, while peers come and go, is logged and
 * tried again. */
MMIPC_API int mmipc_publisher_open(mmipc_publisher **out, const char *channel, const char *server_dir,
                                   const mmipc_options *options);

/* Publishes one message of one part, or of several. When it returns 0 the message is in shared memory for every
 * connected subscriber, and the caller's memory is free again. With nobody connected it succeeds and reaches nobody. An
 * error means that nobody got it. Blocks while a subscriber's backlog is full, as when_full says. Errors: -EAGAIN,
 * -ETIMEDOUT (full), -EMSGSIZE (larger than the backlog), -ENOMEM, -EFBIG (RLIMIT_FSIZE), -EMFILE, -ENFILE, -EINVAL,
 * -EDEADLK (full, on a callback thread), -ESHUTDOWN, -EPERM (after fork). */
MMIPC_API int mmipc_publish(mmipc_publisher *publisher, const void *data, size_t size);
MMIPC_API int mmipc_publish_parts(mmipc_publisher *publisher, const mmipc_part *parts, size_t count);

/* Writing in place: begin lends size bytes at *data; commit publishes the first `size` of them as one part and ends the
 * loan, also on failure; abort ends it unpublished (NULL is allowed). The subscribers are those at commit, and read the
 * very memory that was lent (below 4 KiB it is copied: that moves less between processors). A loan never blocks other
 * publishes, counts against max_total_bytes, belongs to one thread at a time, and must end before the publisher is
 * closed. Both may block and fail as mmipc_publish; commit also with -EINVAL if size is larger than the loan. */
MMIPC_API int mmipc_publish_begin(mmipc_publisher *publisher, size_t size, mmipc_loan **out, void **data);
MMIPC_API int mmipc_publish_commit(mmipc_loan *loan, size_t size);
MMIPC_API void mmipc_publish_abort(mmipc_loan *loan);

/* Waits until every peer, suspended ones too, has read all that was published before the call. Errors: -ETIMEDOUT,
 * -EDEADLK (on a callback thread), -ESHUTDOWN. */
MMIPC_API int mmipc_publisher_flush(mmipc_publisher *publisher, int timeout_ms);

/* Number of connected subscribers, suspended ones not counted. Never blocks. */
MMIPC_API int mmipc_publisher_connections(mmipc_publisher *publisher);

/* Waits until at least count subscribers are connected, or until none is. Errors: -ETIMEDOUT, -EDEADLK (on a callback
 * thread, if it would wait), -ESHUTDOWN. */
MMIPC_API int mmipc_publisher_wait_connected(mmipc_publisher *publisher, int count, int timeout_ms);
MMIPC_API int mmipc_publisher_wait_disconnected(mmipc_publisher *publisher, int timeout_ms);

/* Ends the publisher: wakes its waiting calls (-ESHUTDOWN), leaves the directory and frees everything. What was
 * published is still delivered. Takes no longer than a second beyond the callbacks, of which those that wait to be made
 * are made first. NULL is allowed. */
MMIPC_API void mmipc_publisher_close(mmipc_publisher *publisher);

/* Opens a subscriber. With on_message, messages are pushed to it, user first; with NULL they are pulled with
 * mmipc_subscriber_receive. Otherwise as mmipc_publisher_open. */
MMIPC_API int mmipc_subscriber_open(mmipc_subscriber **out, const char *channel, const char *server_dir,
                                    mmipc_message_fn *on_message, void *user, const mmipc_options *options);

/* Takes the next message, pull mode. *out is the caller's until mmipc_message_release; its parts point into shared
 * memory, read-only. Errors: -ETIMEDOUT, -EINVAL (callback mode), -ENOMEM, -ESHUTDOWN. */
MMIPC_API int mmipc_subscriber_receive(mmipc_subscriber *subscriber, mmipc_message **out, int timeout_ms);

/* The parts of a message: returns their number; *parts is valid until the release. */
MMIPC_API size_t mmipc_message_parts(const mmipc_message *message, const mmipc_part **parts);

/* Gives a message back: in any order, from any thread, also after its subscriber was closed. Until then it counts
 * against its publisher's backlog. NULL is allowed. */
MMIPC_API void mmipc_message_release(mmipc_message *message);

/* A descriptor for poll or epoll, pull mode: readable (level-triggered) when receive would not wait; also for a moment
 * when a peer comes or goes, so call receive with a timeout_ms of 0. The library's own: do not read, write or close it;
 * it ends with the subscriber. Errors: -EINVAL (callback mode). */
MMIPC_API int mmipc_subscriber_fd(mmipc_subscriber *subscriber);

/* As their namesakes of the publisher. */
MMIPC_API int mmipc_subscriber_connections(mmipc_subscriber *subscriber);
MMIPC_API int mmipc_subscriber_wait_connected(mmipc_subscriber *subscriber, int count, int timeout_ms);
MMIPC_API int mmipc_subscriber_wait_disconnected(mmipc_subscriber *subscriber, int timeout_ms);

/* Ends the subscriber: wakes its waiting calls (-ESHUTDOWN), waits for a running on_message, on_peer or on_log, frees
 * everything. No callback begins after it returned. From inside one of its own callbacks it returns at once, and the
 * rest happens when that one returns; what the other thread was calling just then, or about to call, still runs to its
 * end, and nothing after it: who frees what callbacks use closes from elsewhere. Messages that pull mode still holds
 * stay valid until released. Takes no longer than a second beyond the running callback, and those of on_peer and on_log
 * that wait to be made. NULL is allowed. */
MMIPC_API void mmipc_subscriber_close(mmipc_subscriber *subscriber);

/* A sentence that says what an error code of this library means and what to do; static, never NULL. Takes -errno or
 * errno. */
MMIPC_API const char *mmipc_strerror(int error);

/* "MAJOR.MINOR.PATCH"; static. */
MMIPC_API const char *mmipc_version(void);

#ifdef __cplusplus
}
#endif
#endif
