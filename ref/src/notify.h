/* Calls on_peer and on_log in order, on a thread of their own, so that a slow or blocking callback holds up nothing. */
#ifndef MMIPC_NOTIFY_H
#define MMIPC_NOTIFY_H

#include "mmipc/mmipc.h"

#include <pthread.h>
#include <stdbool.h>

struct notice;

struct notifier {
    mmipc_peer_fn *on_peer;
    mmipc_log_fn *on_log;
    void *user;
    pthread_mutex_t lock;
    pthread_cond_t ready;
    struct notice *first, **last;
    size_t lines, dropped; /* log lines queued, and lost since the last one that was queued */
    size_t events;         /* of peers, queued */
    bool running, stopping, muted;
    pthread_t thread;
    void (*at_end)(void *); /* the thread's last act, if it was asked to finish the endpoint's close */
    void *at_end_argument;
};

int notifier_open(struct notifier *notifier, const mmipc_options *options);

/* Room for two more events of a peer, taken when it comes: whoever is told of its beginning is told of its end,
 * whatever memory there is then. -EAGAIN: on_peer lags far behind; nobody new may come, or the queue would grow without
 * end. */
int notifier_reserve(struct notifier *notifier, struct notice **reserved);
void notifier_unreserve(struct notice **reserved); /* what is left */
void notifier_peer(struct notifier *notifier, struct notice **reserved, int event, int pid, int reason); /* takes one */
void notifier_log(struct notifier *notifier, int level, const char *format, ...) __attribute__((format(printf, 3, 4)));
bool notifier_is_current(const struct notifier *notifier);

/* On the notifier's own thread: when the running callback returns, at_end is called, and must call notifier_close. */
void notifier_finish_with(struct notifier *notifier, void (*at_end)(void *), void *argument);

/* No further callback begins. Does not wait for the one that runs or is about to: it may wait for the caller. */
void notifier_mute(struct notifier *notifier);

/* Delivers what is queued, ends the thread, frees. */
void notifier_close(struct notifier *notifier);

#endif
