/* agent.h — what the files of ipcmark-agent share: one process, one driver, many endpoints.
 *
 * A thread a request, so that a publish that blocks keeps nothing else from being answered. Endpoints are never freed:
 * a driver that delivers after close must be seen, and not crash us.
 */
#ifndef AGENT_AGENT_H
#define AGENT_AGENT_H

#include "ipcmark/driver.h"
#include "ipcmark/histogram.h"
#include "ipcmark/journal.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cjson/cJSON.h>

enum {
    PUBLISH_THREADS = 64,        /* of one publisher, at most */
    REPLY_LANE = PUBLISH_THREADS /* the thread number of what a handler sends */
};

struct agent {
    const ipcmark_driver *driver;
    bool journal;
    uint32_t run; /* ipcmark_payload_name() of the run's id */
    uint64_t seed;
};
extern struct agent agent;

/* ---- out.c: lines to the coordinator ---- */
void out_send(cJSON *line); /* takes it over */
void out_fatal(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

/* ---- record.c: the journal of the calling thread ---- */
void record_open(const char *path_prefix);
void record_append(const struct ipcmark_record *); /* does nothing without a journal */
void record_leave(void); /* the calling thread appends no more: its journal is free for another */
void record_close(void);

/* ---- limits.c: what was made scarce for the implementation ---- */
/* After a call of the agent's own failed with this error: is it worth another try, because soft limits have been
 * lifted? Then limits_restore() is to follow. */
bool limits_lift(int error);
void limits_restore(void);
void *limits_allocate(size_t size); /* zeroed; to be freed with free() */
void limits_init(void);             /* JSON gets its memory so, too */

/* ---- driver.c ---- */
const ipcmark_driver *driver_load(const char *path, char *why, size_t why_size);

/* ---- lane.c: what one thread of a publisher sends ---- */
struct lane {
    uint64_t sequence; /* of the last message; the first is 1 */
    /* Counted by the one thread that publishes here; a handler's may do so while somebody asks for them. */
    _Atomic uint64_t sent; /* highest whose publish succeeded */
    _Atomic uint64_t attempted, ok, failed, unknown;
    uint64_t random;
    unsigned char *buffer;
    size_t buffer_size;
    ipcmark_part *parts;
    size_t *sizes;
    size_t parts_capacity;
    size_t ahead; /* size of the next message, which has been made already; 0: it has not */
    bool insists; /* what is refused with EAGAIN is offered again */
    uint64_t retries;
};

struct endpoint;
struct killer;
int lane_prepare(struct lane *, size_t size, size_t parts); /* room for messages of up to these */
/* Makes the next message and publishes it. scheduled_ns 0: no schedule. killer: whose hour has come, or NULL. Returns
 * what the driver returned. */
int lane_publish(struct endpoint *publisher, uint16_t lane_number, size_t size, size_t parts, uint64_t scheduled_ns,
                 struct killer *);
/* What a handler sends, on REPLY_LANE: like lane_publish(), and in benchmarks the message after this one is made right
 * after it was sent, while it is on its way: making messages is not what trips are about. */
int lane_answer(struct endpoint *publisher, size_t size, size_t parts);
void lane_scribble(struct lane *, size_t size);
void lane_free(struct lane *);

/* ---- killer.c: SIGKILL of ourselves, aimed ---- */
enum kill_moment { KILL_NEVER, KILL_INSIDE, KILL_BEFORE, KILL_AFTER, KILL_LATER };

struct killer {
    enum kill_moment moment;
    /* Inside, later: another thread shoots while the caller goes on. Inside: either waits for the other, one of the two
     * being 0. Later: only the shooter waits. */
    uint64_t lead_ns, lag_ns; /* from the shot to the call, from the call to the shot */
    pthread_t shooter;
    bool armed; /* the shooter is there */
    atomic_int order;
};
int killer_prepare(struct killer *, enum kill_moment, uint64_t seed);
/* From the request's kill_self_after_us: so long after killer_before_call(). NULL: it has none. */
struct killer *killer_read(struct killer *, const cJSON *request);
void killer_arm(struct killer *);     /* after killer_read(), just before the record of the call */
void killer_dismiss(struct killer *); /* it did not come to that */
void killer_before_call(struct killer *);
void killer_after_call(struct killer *) __attribute__((noreturn));

/* ---- intake.c: what a subscriber counts; benchmarks live on it ---- */
struct stream {             /* one publisher's thread */
    uint64_t key;           /* publisher, epoch, thread, and 1 << 63: in use */
    uint64_t highest, seen; /* seen: bit i is highest - i */
};

enum { STREAMS = 4096, SAMPLES = 4096 };

struct sample {
    uint64_t time_ns, messages, bytes;
};

struct intake_counts {
    uint64_t received, bytes, lost, torn, duplicate, reordered, slept;
};

struct intake {
    atomic_bool busy; /* a lock for a few nanoseconds */
    /* Somebody waits on the endpoint's condition: for this sequence of this stream (key 0: nobody does), or for any. */
    uint64_t awaited_key, awaited;
    bool wanted;
    bool small; /* its messages have small frames */
    struct intake_counts counts;
    struct stream *streams, *latest;
    struct sample *samples;
    size_t sample_count;
    uint64_t sample_period; /* a power of two, in messages */
    struct ipcmark_histogram *latency, *uncorrected;
    atomic_ullong begun, counted; /* messages that were looked at, and also taken; the handler's to write */
};
int intake_open(struct intake *);
void intake_close(struct intake *);
/* What a look at a message has found, for intake_take. */
struct delivery {
    struct ipcmark_payload header; /* if framed */
    bool framed, torn, timed;
    bool slept;      /* its thread had given up the CPU by itself since the last one */
    uint64_t now_ns; /* of the arrival, if timed */
    size_t size;
};
/* What a benchmark looks at in a message with a header: all of it, of large ones in one of 16 only. Reads the header.
 * 0, or -EBADMSG. */
int intake_check(const ipcmark_part *parts, size_t count, size_t size, struct ipcmark_payload *header);
void intake_look(struct intake *, struct delivery *, const ipcmark_part *parts, size_t count, bool read_clock);
/* Counts it. Returns whether somebody waits. */
bool intake_take(struct intake *, const struct delivery *);
/* Whether it has been received; if not, intake_take() will say so when it has. */
bool intake_has(struct intake *, uint16_t publisher, uint16_t epoch, uint16_t thread, uint64_t sequence);
uint64_t intake_received(struct intake *);
void intake_report(struct intake *, cJSON *reply, uint64_t to_ns, bool reset);

/* When the implementation told that a peer is gone, and which; of the latest of them. */
enum { NOTICES = 64 };
struct notice {
    uint64_t at_ns;    /* 0: none */
    uint16_t endpoint; /* IPCMARK_NO_ENDPOINT: it did not say */
};
struct notices {
    size_t next;
    struct notice list[NOTICES];
};

/* ---- settle.c: whether each thread that was there at the beginning has come to rest since, or run for a while ---- */
enum { SETTLE_MOST = 512 };
struct settling_thread {
    pid_t id;
    uint64_t begun_ns; /* CPU time that it had used */
};
struct settle {
    struct settling_thread threads[SETTLE_MOST];
    size_t count;
    bool blind; /* not all of them can be looked at: then it takes a while at least */
    uint64_t begun_ns;
};
void settle_begin(struct settle *); /* all threads of this process but the calling one */
bool settle_done(struct settle *);

/* ---- endpoint.c ---- */
struct endpoint {
    struct endpoint *next;
    uint16_t id, epoch;
    bool publisher, count_only, count_sleeps, small_frames;
    char name[IPCMARK_ENDPOINT_ID_SIZE];
    uint32_t channel; /* ipcmark_payload_name() */
    void *handle;     /* the driver's; valid while `opened` and in use, see endpoint_begin() */

    pthread_mutex_t calls; /* around each call of the driver, if it does not claim threads */
    pthread_mutex_t lock;  /* of what follows, and of `changed` */
    pthread_cond_t changed;
    bool closed;
    struct notices gone;

    /* Entered without the lock, since a handler that replies does it for every message: whoever is counted before
     * closing is set is waited for, and whoever comes later sees it. */
    atomic_bool opened;
    atomic_uint closing; /* 0 or 1; a futex */
    atomic_uint users;   /* that are in the driver, or about to be */

    struct lane lanes[PUBLISH_THREADS + 1];

    struct intake intake;
    atomic_uint delay_us;
    _Atomic(struct endpoint *) reply;
    _Atomic(struct ping *) ping; /* that its messages are answers of; NULL: none */
    atomic_ullong close_after;   /* messages; 0: never */
};

struct endpoint *endpoint_find(uint16_t id);
struct endpoint *endpoint_open(bool publisher, const cJSON *request, int *error);
int endpoint_peers(struct endpoint *);
void endpoint_close(struct endpoint *, struct killer *); /* killer: whose hour has come, or NULL */
void endpoint_close_all(void);
/* Around calls of the driver other than open and close. False: it is closing. */
bool endpoint_begin(struct endpoint *);
void endpoint_end(struct endpoint *);
bool endpoint_is_closing(const struct endpoint *);
void endpoint_await_closing(struct endpoint *, uint64_t time_ns); /* until then at most, or for nothing */
bool endpoint_claims(uint64_t capability);
/* What one is to be opened with: as the request says, and with these params, which must outlive it as well. Its id and
 * its ear for peers are the caller's. */
ipcmark_endpoint endpoint_options(const cJSON *request, char **params);
/* "key=value" of each member of a request's "params", NULL-terminated; NULL: out of memory. Freed by params_free(). */
char **params_make(const cJSON *object);
void params_free(char **);
/* Until `time_ns` or the next change, with the lock held. False: the time is over. */
bool endpoint_wait(struct endpoint *, uint64_t time_ns);

/* ---- handler.c: the receiver and the ear for peers, called by the driver ---- */
void handler_deliver(void *context, const ipcmark_part *parts, size_t count);
void handler_peer(void *context, const char *peer, int connected);

/* ---- ping.c ---- */
struct ping;
void ping_answered(struct ping *); /* by the handler: an answer has been taken in */

/* ---- bare.c: endpoints that requests open and close by themselves ---- */
void bare_close_all(void);

/* ---- requests ---- */
struct refusal {      /* a request that failed */
    const char *code; /* NULL: none */
    bool definite;
    char text[256];
};
void refuse(struct refusal *, const char *code, bool definite, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
void refuse_errno(struct refusal *, int error, const char *what);

typedef void request_fn(const cJSON *request, cJSON *reply, struct refusal *);
request_fn request_publish;                                      /* publish.c */
request_fn request_ping;                                         /* ping.c */
request_fn request_stats;                                        /* stats.c */
request_fn request_footprint;                                    /* stats.c */
request_fn request_wait_peers, request_wait_gone, request_drain; /* wait.c */
request_fn request_cycle, request_hold;                          /* bare.c */

double request_number(const cJSON *request, const char *name, double otherwise);
struct endpoint *request_endpoint(const cJSON *request, const char *name, struct refusal *);

#endif
