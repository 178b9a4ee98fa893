/* A subscriber in callback mode that counts, for tests: sequences must come in order from 0. */
#ifndef RECEIVER_H
#define RECEIVER_H

#include "mmipc/mmipc.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

struct receiver {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    long count, out_of_order;
    int events[16], reasons[16], event_count, last_event;
    bool held, in_handler;
};

#define RECEIVER_INIT                                                                                                  \
    {                                                                                                                  \
        .lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER                                         \
    }

static inline void receiver_message(void *user, const mmipc_part *parts, size_t count)
{
    struct receiver *receiver = user;
    uint64_t sequence = UINT64_MAX;
    if (count > 0 && parts[0].size >= sizeof sequence)
        memcpy(&sequence, parts[0].data, sizeof sequence);
    pthread_mutex_lock(&receiver->lock);
    receiver->in_handler = true;
    pthread_cond_broadcast(&receiver->changed);
    while (receiver->held)
        pthread_cond_wait(&receiver->changed, &receiver->lock);
    receiver->in_handler = false;
    receiver->out_of_order += sequence != (uint64_t)receiver->count;
    receiver->count++;
    pthread_cond_broadcast(&receiver->changed);
    pthread_mutex_unlock(&receiver->lock);
}

static inline void receiver_peer(void *user, int event, int pid, int reason)
{
    struct receiver *receiver = user;
    (void)pid;
    pthread_mutex_lock(&receiver->lock);
    if (receiver->event_count < 16) {
        receiver->events[receiver->event_count] = event;
        receiver->reasons[receiver->event_count++] = reason;
        receiver->last_event = event;
    }
    pthread_cond_broadcast(&receiver->changed);
    pthread_mutex_unlock(&receiver->lock);
}

/* The library's log, for whoever has to find out why a case failed. */
static inline void receiver_log(void *user, int level, const char *text)
{
    (void)user;
    if (level <= 2)
        fprintf(stderr, "log: %s\n", text);
}

static inline void receiver_hold(struct receiver *receiver, bool held)
{
    pthread_mutex_lock(&receiver->lock);
    receiver->held = held;
    pthread_cond_broadcast(&receiver->changed);
    pthread_mutex_unlock(&receiver->lock);
}

/* Waits until *value reaches target; false after 30 s. */
#define RECEIVER_WAIT(receiver, value, target)                                                                         \
    do {                                                                                                               \
        struct timespec deadline_;                                                                                     \
        bool reached_;                                                                                                 \
        clock_gettime(CLOCK_REALTIME, &deadline_);                                                                     \
        deadline_.tv_sec += 30;                                                                                        \
        pthread_mutex_lock(&(receiver)->lock);                                                                         \
        while ((receiver)->value < (target) &&                                                                         \
               pthread_cond_timedwait(&(receiver)->changed, &(receiver)->lock, &deadline_) == 0)                       \
            ;                                                                                                          \
        reached_ = (receiver)->value >= (target);                                                                      \
        pthread_mutex_unlock(&(receiver)->lock);                                                                       \
        assert_true(reached_);                                                                                         \
    } while (0)

#endif
