/* What a publisher and a subscriber have in common: their place in the directory, the control thread that looks after
 * it, their peers' comings and goings, and the calls that wait for those. */
#ifndef MMIPC_ENDPOINT_H
#define MMIPC_ENDPOINT_H

#include "atomics.h"
#include "mmipc/mmipc.h"
#include "notify.h"
#include "os/os.h"
#include "slot.h"
#include "wire.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>

enum { LOG_ERROR, LOG_WARNING, LOG_INFORMATION, LOG_DEBUG };

struct endpoint;
struct peer;
struct status;

/* Something that the control thread waits for. */
struct watch {
    void (*ready)(struct endpoint *endpoint, struct watch *watch);
    int fd; /* -1: none */
};

/* What becomes of a dropped peer's socket. By hanging up, a subscriber says that it has done with the pair's memory. */
enum peer_socket {
    PEER_SOCKET_CLOSE,
    PEER_SOCKET_AWAIT, /* stays open until the other side hangs up */
    PEER_SOCKET_KEEP   /* stays open until the role closes it */
};

/* What the two roles do differently; all of it on the control thread. */
struct role {
    const char *name;
    bool seeks;                                          /* new peers: they are found by watching the directory */
    void (*scan)(struct endpoint *endpoint, bool whole); /* whole: known entries too, for the ones that died */
    void (*accepted)(struct endpoint *endpoint, int fd);
    void (*message)(struct endpoint *endpoint, struct peer *peer, const struct wire_message *message, int *fds,
                    int count);
    void (*heartbeat)(struct endpoint *endpoint, struct peer *peer); /* count ours up */
    void (*tick)(struct endpoint *endpoint); /* each ping interval; this and the next two: NULL, nothing to do */
    void (*last_words)(struct endpoint *endpoint, struct peer *peer); /* it goes: did it leave something? */
    void (*suspend)(struct endpoint *endpoint, struct peer *peer, bool suspended);
    enum peer_socket (*dropped)(struct endpoint *endpoint, struct peer *peer); /* it is gone, or was never connected */
    bool (*idle)(struct endpoint *endpoint, struct peer *peer); /* does no other thread use it any more? */
    void (*destroy)(struct peer *peer);
    void (*describe)(struct endpoint *endpoint, struct status *status); /* its pairs; see status.h */
};

/* Counted by whoever is publishing or receiving, one thread at a time; the control thread looks at it. */
struct tally {
    shared_u64 messages, bytes;
};

static inline void tally_add(struct tally *tally, uint64_t bytes)
{
    /* relaxed: nothing is read through a count, and nobody else writes it */
    shared_store_relaxed(&tally->messages, shared_load_relaxed(&tally->messages) + 1);
    shared_store_relaxed(&tally->bytes, shared_load_relaxed(&tally->bytes) + bytes);
}

/* A reason to drop a pair that is nobody's wish and nobody's mistake: one side is out of memory or descriptors. The
 * user is told MMIPC_REASON_NONE, and the log says the rest. */
enum { REASON_SHORT = MMIPC_REASON_VERSION + 1 };

enum peer_state { PEER_GREETING, PEER_CONNECTED, PEER_GONE };

/* The control thread's part of a pair. */
struct peer {
    struct peer *next;
    enum peer_state state;
    struct watch socket, process;
    unsigned char id[ID_BYTES]; /* of the other endpoint */
    int pid;
    uid_t uid;
    int64_t deadline_ns; /* of the handshake */
    const shared_u64 *heartbeat;
    uint64_t last_heartbeat;
    int64_t last_change_ns;
    uint32_t interval_ms;    /* the other side's */
    struct notice *reserved; /* for on_peer */
    bool suspended;
    bool suspension_told;
    bool counted;
    uint32_t farewell; /* reason of the BYE it sent; 0: none */
    flag verdict;      /* another thread wants it dropped: a reason */
};

struct endpoint {
    const struct role *role;
    mmipc_options options;
    char channel[CHANNEL_MAX + 1];
    unsigned char id[ID_BYTES];
    unsigned generation; /* of forks, when it was opened */
    uint32_t capabilities;
    uid_t overflow_user; /* nobody in particular, so no peer */
    int directory;
    char *path; /* its own, absolute; NULL: not known */
    struct slot slot;
    bool displaced; /* our files were removed, and that was said */
    struct watch listener, changes, kick;
    int poller;
    int load, processors; /* for adaptive polling, see spin.h */
    bool deaf;            /* out of descriptors: the listener is not polled until the next tick */
    bool control_running;
    pthread_t control;
    struct peer *peers; /* control thread's */
    int64_t rescan_ns;  /* look at the directory again then; -1: no need */
    struct notifier notifier;
    flag closing;
    struct tally tally;

    pthread_mutex_t lock; /* of the rest */
    pthread_cond_t changed;
    int connections;
    int users; /* calls that are inside and may wait */
};

/* endpoint.c */
int endpoint_open(struct endpoint *endpoint, const struct role *role, const char *channel, const char *server_dir,
                  const mmipc_options *options);
int endpoint_start(struct endpoint *endpoint); /* last step of opening: visible to others from here on */
void endpoint_stop(
    struct endpoint *endpoint); /* leaves the directory, hangs up on every peer, ends the control thread */
void endpoint_close(struct endpoint *endpoint); /* frees what is left; peers too */
void endpoint_kick(struct endpoint *endpoint);  /* the control thread looks around */
void endpoint_enter(struct endpoint *endpoint); /* a call that may wait begins … */
void endpoint_leave(struct endpoint *endpoint); /* … and ends */
void endpoint_wait_alone(struct endpoint *endpoint);
int endpoint_connections(struct endpoint *endpoint);
int endpoint_wait_connected(struct endpoint *endpoint, int count, int timeout_ms);
int endpoint_wait_disconnected(struct endpoint *endpoint, int timeout_ms);
void endpoint_count(struct endpoint *endpoint, struct peer *peer, bool up);
static inline bool endpoint_forked(const struct endpoint *endpoint)
{
    /* relaxed: set before the child runs */
    return endpoint->generation != atomic_load_explicit(&os_fork_generation, memory_order_relaxed);
}
#define endpoint_log(endpoint, ...) notifier_log(&(endpoint)->notifier, __VA_ARGS__)

void watch_close(struct endpoint *endpoint, struct watch *watch);

/* place.c */
int place_watch(struct endpoint *endpoint); /* for new peers, if our role looks for them */
int place_take(struct endpoint *endpoint);  /* slot file and socket: visible to others from here on */
void place_leave(struct endpoint *endpoint);
void place_check(struct endpoint *endpoint); /* are our files still there? */

/* control.c */
void *control_run(void *endpoint);
int64_t control_interval_ns(const struct endpoint *endpoint);

/* peer.c, all on the control thread */
int peer_open(struct endpoint *endpoint, struct peer *peer, int fd);              /* takes fd, also on failure */
int peer_may_call(const struct endpoint *endpoint, const struct os_peer *caller); /* -EACCES: user, -ELOOP: ourselves */
/* All that has arrived: what a peer sent before it died still counts. dead: nothing more will come. */
void peer_read_mail(struct endpoint *endpoint, struct peer *peer, bool dead);
void peer_close(struct endpoint *endpoint, struct peer *peer); /* its descriptors */
void peer_connected(struct endpoint *endpoint, struct peer *peer, const shared_u64 *heartbeat, uint32_t interval_ms);
void peer_drop(struct endpoint *endpoint, struct peer *peer, int reason, uint32_t tell); /* tell: wire_reason or 0 */
void peer_fail(struct endpoint *endpoint, struct peer *peer, int reason);                /* drops it and tells it so */
static inline int peer_reason(int error) /* … for an error of which the peer is told nothing more */
{
    return error == -EPROTO ? MMIPC_REASON_PROTOCOL : REASON_SHORT;
}
void peer_reject(struct endpoint *endpoint, struct peer *peer, uint32_t reason);
void peer_refused(struct endpoint *endpoint, struct peer *peer, const struct wire_message *message); /* it rejects us */
void peer_tick(struct endpoint *endpoint, struct peer *peer, int64_t now_ns, bool late);

#endif
