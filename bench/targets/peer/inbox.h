/* What the receiving side does with each message, round by round.
 *
 * After the last message of a round the handler does not return: it holds until the next round begins. So between
 * rounds nobody spins or sleeps in the transport, whichever it is; and a message that a handler sends is always sent by
 * the same thread, as it would be in a program. */
#ifndef TARGETS_INBOX_H
#define TARGETS_INBOX_H

#include <pthread.h>
#include <stdatomic.h>
#include <sys/types.h>

#include <ipcmark/histogram.h>

#include "transport.h"

enum inbox_work {
    INBOX_COUNT, /* checks */
    INBOX_READ,  /* checks, and reads every byte, `reads` times */
    INBOX_TIME,  /* checks, and notes how long the message was on its way, and whether the thread had slept */
    INBOX_PONG,  /* checks, and answers */
    INBOX_PING   /* checks, and sends the next; notes the time of each trip */
};

struct inbox {
    enum inbox_work work;
    size_t size;                     /* of every message */
    unsigned reads;                  /* READ; set before the first round */
    const struct transport *answers; /* PING, PONG: how to send, and where; set before the first round */
    void *sender;
    unsigned char *answer; /* of `size` bytes */

    /* Of the round; written while the handler holds, published by `until`. */
    uint64_t lead; /* messages that are not timed, nor asked whether they were slept before */
    struct ipcmark_histogram *histogram;

    /* The handler's own until the round has ended. */
    uint64_t next; /* number of the message that must come */
    uint64_t started;
    uint64_t end_ns; /* when the last message had been looked at */
    uint64_t slept;  /* messages beyond the lead before which the thread had given up its CPU by itself */
    uint64_t sum;    /* of all bytes, so that reading them is not for nothing */
    long switches;   /* of the thread, when it looked last */
    pid_t thread;
    uint64_t last_ns, sent;

    _Atomic uint64_t until; /* the handler holds when it gets there */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool holding, closing; /* under the lock */
    char error[200];       /* under the lock: of the first message that was wrong */
};

int inbox_open(struct inbox *, enum inbox_work, size_t size);
void inbox_release(struct inbox *); /* lets a holding handler go, for good: before the receiver is closed */
void inbox_close(struct inbox *);   /* after it */

message_handler inbox_take; /* user: the inbox */

/* Begins a round of so many messages, and waits for its end. -ETIMEDOUT when it has not ended within eight seconds;
 * -EBADMSG, with `error` set. */
int inbox_round(struct inbox *, uint64_t count, uint64_t lead);

#endif
