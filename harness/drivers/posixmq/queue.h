/* A subscriber's queue. Queues lie in no folder and outlive those who made them: each has a name that was never used
 * before, which its owner's advertisement tells, so that whoever finds that owner dead can remove it. */
#ifndef POSIXMQ_QUEUE_H
#define POSIXMQ_QUEUE_H

#include <mqueue.h>
#include <stddef.h>

enum {
    QUEUE_NAME = 32,
    QUEUE_MESSAGE_MAX = 128 << 10, /* bytes of a message and its frame, where the system takes as much */
    QUEUE_FRAME = 4108             /* room for the sizes of 1,025 parts */
};

/* Bytes of the largest message that a queue here can be made for. */
size_t queue_message_max(void);
/* How many queues of such messages a user may have, the last of them shorter. May be 0. */
size_t queue_count_max(void);

void queue_name(char name[QUEUE_NAME]);
/* For reading, and for waking its reader. -errno; -EMFILE: this user's queues take all that RLIMIT_MSGQUEUE allows. */
mqd_t queue_make(const char *name, size_t message_size);
/* For writing without waiting. -EINVAL: that is not the name of a queue of ours. */
mqd_t queue_open(const char *name);
void queue_remove(const char *name);

#endif
