/* ipcmark-bench-peer: one process of a target row. It speaks the agent protocol (harness/PROTOCOL.md), so that the
 * harness starts, watches and ends it; but its requests are its own: */
#ifndef TARGETS_PEER_H
#define TARGETS_PEER_H

#include <stdint.h>

#include <cjson/cJSON.h>

/* Each adds its figures to the reply and returns 0; or -errno, with `text` saying what for. */
struct request {
    const cJSON *fields;
    cJSON *reply;
    char text[256];
};
typedef int request_fn(struct request *);

double request_number(const struct request *, const char *name, double otherwise);
const char *request_text(const struct request *, const char *name); /* "" without it */
void reply_number(struct request *, const char *name, double value);
int request_fail(struct request *, int error, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* traffic.c: rounds of messages */
request_fn traffic_receiver, traffic_sender; /* open one; transport, directory, name, size … */
request_fn traffic_receive;                  /* a round: count, lead */
request_fn traffic_send;                     /* as fast as it goes: count, lead */
request_fn traffic_pace;                     /* each once the reader sleeps: count, gap_us, reader_pid, reader_thread */
request_fn traffic_let_go; /* no more rounds: the handler returns, and the transport is left to itself */
void traffic_close(void);

/* life.c: how fast peers find and lose each other; libmmipc only */
request_fn life_announce, life_greet; /* a publisher that sends each new subscriber one message */
request_fn life_attach;               /* a new subscriber, until it has that message */
request_fn life_join;                 /* both a publisher and a subscriber, connected */
request_fn life_meet;                 /* until a peer has come to both */
request_fn life_mourn;                /* until both ends have said that peer `pid` died */
request_fn life_more;                 /* so many more publishers, or subscribers that just listen */
request_fn life_met;                  /* until each of those subscribers has `connections` */
void life_close(void);

/* footprint.c: what this process holds of the machine */
request_fn footprint;

#endif
