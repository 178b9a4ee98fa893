/* ipcmark/control.h — the coordinator: starts participants, gives them work, kills and pauses them, and leaves nothing.
 *
 * Straight-line code on top of an event loop. Every function that begins work at a participant returns a *call*;
 * ipcmark_await() ends it. One after the other, or at the same time:
 *
 *     if (ipcmark_await(ipcmark_publish(trial, 1, &options)) != IPCMARK_DONE) …
 *
 *     ipcmark_call *first = ipcmark_publish(trial, 1, &options), *second = ipcmark_publish(trial, 2, &options);
 *     ipcmark_await(first), ipcmark_await(second);
 *
 *   session   one a process: signals, the guard, how slow the machine is
 *   trial     one a case or cell: a private directory, an implementation under test, its participants
 *   participant   one agent process; it may die or hang at any time, which is a result and never an abort
 *   endpoint  a publisher or subscriber in a participant, by an id that is unique in the trial; opened again (in
 * another participant, after a death), it is the same endpoint in its next epoch
 *
 * Nothing is left: participants are killed with ipcmark_trial_close(), on Ctrl-C, and, by the guard process, even after
 * SIGKILL of the coordinator; directories go with them.
 *
 * Rules for all functions
 *  - To be called from one thread, the one that opened the session. Not from signal handlers.
 *  - Only ipcmark_await…() and ipcmark_wait() and ipcmark_participant_start() and the closes let time pass; each ends
 * by a deadline. Deadlines stretch with ipcmark_session_scale(), and more where the machine has become slower.
 *  - Pointers that a function returns are owned by the trial (by the session: until its close), those passed in are
 * copied.
 *  - Option structs: all zero is a sensible default; `const …Options *` may be NULL.
 *  - int results: 0 or more is success, -errno is failure, with the words in ipcmark_session_text().
 */
#ifndef IPCMARK_CONTROL_H
#define IPCMARK_CONTROL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <cjson/cJSON.h>

#include "ipcmark/history.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct ipcmark_session ipcmark_session;
typedef struct ipcmark_trial ipcmark_trial;
typedef struct ipcmark_participant ipcmark_participant;

/* ---- session ------------------------------------------------------------------------------------------------- */

/* Installs handlers of SIGINT and SIGTERM (the second signal of a kind kills at once), starts the guard, calibrates. */
int ipcmark_session_open(ipcmark_session **out);
/* -ETIMEDOUT: the guard did not end and was killed, and stderr says so; what it had to clean up may be left. */
int ipcmark_session_close(ipcmark_session *);
/* How much slower than a common machine this one was at the last calibration, from a ping-pong over pipes: 1 to 8.
 * Deadlines and bounds in time are multiplied by it. `ipcmark_session_too_slow`: it would be more than 8; then a missed
 * one is `unknown` and not a failure. */
double ipcmark_session_scale(const ipcmark_session *);
bool ipcmark_session_too_slow(const ipcmark_session *);
/* Measures again, for instance after a missed deadline. Fails if the guard does not answer within a second, and so does
 * every ipcmark_trial_open() from then on. */
int ipcmark_session_calibrate(ipcmark_session *);
/* A case begins, calibrated, before its first participant: from here on a thread samples how late the machine wakes
 * those who wait. Calls that would miss their deadlines are given more time where it is slower than it was when they
 * began, and ipcmark_session_slowest() has, once the trial is stopped, the scale of the slowest second, without an end.
 * It is 1 where nobody but the participants kept the CPUs busy: who is slow by its own work is not excused. */
void ipcmark_session_mark(ipcmark_session *);
double ipcmark_session_slowest(ipcmark_session *);
/* The slowest second was beyond 8, or beyond twice the scale of the calibration before the mark, which the bounds of
 * the case were made with: twice is what they have to spare. Then a missed one is `unknown`, as above. */
bool ipcmark_session_was_too_slow(ipcmark_session *);
/* The signal that asked us to end, or 0. From then on every await returns IPCMARK_INTERRUPTED at once; close and exit
 * with 128 + signal. */
int ipcmark_session_interrupted(const ipcmark_session *);
/* Why the last function of this session that failed did so, and what to do about it. */
const char *ipcmark_session_text(const ipcmark_session *);

/* ---- the implementation under test --------------------------------------------------------------------------- */

/* Exactly one of driver and agent. */
typedef struct {
    const char *driver; /* "mmipc", "mmipc?spin_us=-1", "./my.so?key=value" */
    const char *agent;  /* a shell command that speaks PROTOCOL.md */
    const char *wrap;   /* put before each participant's command: "valgrind -q"; or NULL */
} ipcmark_target;

/* The file of a target's driver, which is named as there. 0 or a negative errno. */
int ipcmark_driver_path(const char *driver, char *path, size_t size);
/* Of one of the suite's own programs: "ipcmark-report". Likewise; whether it is there is not looked at everywhere. */
int ipcmark_program_path(const char *name, char *path, size_t size);
/* Which build of it: CRC-32 in hex of the driver's file; of an agent, of its command and of the files that are named in
 * it. "" if there is nothing to be read. Libraries that these load are not looked at. */
enum { IPCMARK_DIGEST_SIZE = 9 };
void ipcmark_target_digest(char out[IPCMARK_DIGEST_SIZE], const ipcmark_target *);

/* What the participant said of itself in its hello. */
typedef struct {
    char name[64], version[64], language[32], summary[160], homepage[160];
    uint64_t capabilities; /* IPCMARK_CAP_… of driver.h */
    bool broker;           /* started by the trial as a participant of its own, before the first endpoint */
    uint64_t max_message_bytes, max_publishers, max_subscribers; /* 0: no limit */
} ipcmark_implementation;

/* Starts one participant, says hello and stops it. -EPROTO, -ENOENT, … with words when it cannot be used. */
int ipcmark_probe(ipcmark_session *, const ipcmark_target *, ipcmark_implementation *out);
/* Capability names as in PROTOCOL.md and result files: "multipart", … */
const char *ipcmark_capability_name(unsigned bit_number); /* NULL after the last */
uint64_t ipcmark_capability_bit(const char *name);        /* 0: unknown */

/* ---- trial ---------------------------------------------------------------------------------------------------- */

typedef struct {
    ipcmark_target target;
    uint64_t seed;             /* of bodies; participants get it in hello */
    const char *name;          /* for texts: "DEL-001" */
    unsigned ping_interval_ms; /* default of endpoints; 0: 100 */
    size_t max_message_bytes;  /* 0: 64 KiB */
    bool no_journal;           /* default of participants; true in benchmarks */
    bool no_names;             /* ipcmark_trial_names() has none: they are neither counted nor removed, and requests
                                * and kills wait for no look; true in benchmarks */
    double deadline_seconds;   /* of each call, before the scale; 0: $IPCMARK_DEADLINE, or 10 */
} ipcmark_trial_options;

int ipcmark_trial_open(ipcmark_trial **out, ipcmark_session *, const ipcmark_trial_options *);
/* Kills what still runs, then removes the trial's directory, or moves it to `keep` (which must not exist) if not NULL.
 */
int ipcmark_trial_close(ipcmark_trial *, const char *keep);
/* The folder that ipcmark_history_load() reads once ipcmark_trial_stop() has returned: history.jsonl, journals/; beside
 * them PARTICIPANT.stderr, and files/ for discovery. */
const char *ipcmark_trial_directory(const ipcmark_trial *);
const char *ipcmark_trial_files(const ipcmark_trial *);
double ipcmark_trial_deadline(const ipcmark_trial *); /* seconds, before the scale, of a call that names none */
const ipcmark_target *ipcmark_trial_target(const ipcmark_trial *);
const char *ipcmark_trial_name(const ipcmark_trial *); /* 16 hex digits, drawn anew for each trial; in every payload */
/* What the checker is to demand. run, capabilities and ready are filled in here; the last one counts. Without it: what
 * is all zero but for those. */
int ipcmark_trial_expect(ipcmark_trial *, const struct ipcmark_expectation *);
/* Writes into the history what the caller saw itself: a wrong count, a missed bound, an error of its own (class NONE).
 */
int ipcmark_trial_observe(ipcmark_trial *, enum ipcmark_class, enum ipcmark_proof, const char *text);
/* Stops every live participant (op "stop", then SIGKILL at the deadline, which is trouble), and counts what is left:
 * processes, files in discovery directories, and what ipcmark_trial_names() counts. 0: nothing. The rest is described
 * by ipcmark_trial_leftovers(). */
int ipcmark_trial_stop(ipcmark_trial *);
/* How many things outlive processes, lie in no folder of the trial, and are provably the participants': names in
 * /dev/shm and /dev/mqueue, System V shared memory, semaphores and message queues. The trial's close removes them.
 * `last` is one of them, for people; PATH_MAX characters, "" if there is none. */
int ipcmark_trial_names(ipcmark_trial *, char *last);
/* Calls `found` for each process in the session of a participant that is alive, a broker among them, and for each
 * orphan of theirs. Returns their number, or -errno if /proc cannot be read. */
int ipcmark_trial_processes(const ipcmark_trial *, void (*found)(void *context, pid_t pid, const char *name),
                            void *context);
const char *
ipcmark_trial_leftovers(const ipcmark_trial *); /* a line each; "" if there is nothing, or before the stop */
/* Another private discovery directory, for isolation clauses; files left in it count too. NULL on failure. */
const char *ipcmark_trial_new_directory(ipcmark_trial *);

/* Hands the folders that participants write into, journals included, to this user: for participants whose wrap makes
 * them that one. Needs the right to give files away; everything else of the trial stays private. */
int ipcmark_trial_admit(ipcmark_trial *, unsigned user);

/* What went wrong without being asked for, in the order of time. A call that fails says so itself; these are for the
 * end of a case. All of them are observations in the history already. */
typedef struct {
    enum ipcmark_class class_; /* IPCMARK_CRASHED, _HUNG, _LEFTOVER; or NONE: the agent broke the protocol, an error */
    const ipcmark_participant *participant; /* NULL for leftovers */
    const char *text; /* names the participant and the request; shows the line; the end of its stderr */
    uint64_t at_ns;
} ipcmark_trouble;
size_t ipcmark_trial_troubles(const ipcmark_trial *);
const ipcmark_trouble *ipcmark_trial_trouble(const ipcmark_trial *, size_t index);

/* Lets `milliseconds` pass (not stretched) while answers and deaths are taken in. For idle phases and settling times,
 * never in place of an await. Returns early with false when interrupted. */
bool ipcmark_wait(ipcmark_trial *, unsigned milliseconds);

/* ---- participants --------------------------------------------------------------------------------------------- */

typedef struct {
    const char *name;          /* NULL: "p1", "p2", … */
    const char *cpus;          /* "0" or "0,2-3": it may run there only; NULL: anywhere */
    const char *const *params; /* "key=value", NULL-terminated: added to the driver's */
    const char *wrap;  /* put before its command, and before the target's wrap: "prlimit --nofile=64"; or NULL */
    bool flip_journal; /* other than the trial's default */
} ipcmark_participant_options;

/* Starts a process and says hello to it. NULL on failure, in words in ipcmark_session_text(). The failure is a trouble
 * of the trial as well. */
ipcmark_participant *ipcmark_participant_start(ipcmark_trial *, const ipcmark_participant_options *);
const char *ipcmark_participant_name(const ipcmark_participant *);
const ipcmark_implementation *ipcmark_participant_implementation(const ipcmark_participant *);
int ipcmark_participant_pid(const ipcmark_participant *);
/* As in the history: its journals are journals/NUMBER.K, and may be read when it is dead. */
uint32_t ipcmark_participant_number(const ipcmark_participant *);
bool ipcmark_participant_alive(const ipcmark_participant *);
/* Whether it has come to an end by now, reaped or not: who finds that its /proc cannot be read asks why. */
bool ipcmark_participant_ended(const ipcmark_participant *);

/* Faults. They are declared by being called: death by SIGKILL is no trouble then (any other is a crash), and pending
 * calls end IPCMARK_GONE. Recorded with their times in the history. */
int ipcmark_kill(ipcmark_participant *);   /* SIGKILL now; does not wait: see ipcmark_await_exit() */
int ipcmark_pause(ipcmark_participant *);  /* SIGSTOP, returns when it has stopped */
int ipcmark_resume(ipcmark_participant *); /* SIGCONT */
/* From now on, until the second call, this participant is held back beyond its backlog on purpose: an OVERLOAD. */
int ipcmark_overload(ipcmark_participant *, bool begins);
/* Declares that it may end in any way, for faults of the caller's own making (fault points of a test build). */
void ipcmark_expect_exit(ipcmark_participant *);
/* Waits until it is reaped. status: as of waitpid. -ETIMEDOUT, -EINTR when interrupted. */
int ipcmark_await_exit(ipcmark_participant *, int *status);

/* ---- calls ---------------------------------------------------------------------------------------------------- */

typedef enum {
    IPCMARK_PENDING = -1,
    IPCMARK_DONE = 0,    /* answered "ok" */
    IPCMARK_REFUSED,     /* answered with an error object: see code, definite */
    IPCMARK_OVERDUE,     /* no answer by the deadline; a trouble of the trial too */
    IPCMARK_GONE,        /* the participant died first */
    IPCMARK_GARBLED,     /* the participant sent what is not protocol; it has been killed */
    IPCMARK_INTERRUPTED, /* Ctrl-C */
    IPCMARK_INVALID      /* no such endpoint, or the like: a mistake of the caller */
} ipcmark_status;

/* Read only. Lives as long as the trial. */
typedef struct {
    ipcmark_status status;
    const char *op;
    const char *text;            /* "" when done, else a sentence that names the participant */
    const char *code;            /* of a refusal: "EAGAIN", "not_supported", …; else "" */
    bool definite;               /* of a refusal: it had no effect */
    const cJSON *reply;          /* of a call that is done, else NULL */
    uint64_t begun_ns, ended_ns; /* CLOCK_MONOTONIC */
} ipcmark_call;

/* Waits until the call has ended and returns its status. Awaiting twice is harmless. call NULL: IPCMARK_INVALID. */
ipcmark_status ipcmark_await(ipcmark_call *);
bool ipcmark_ended(ipcmark_call *); /* takes in what has arrived, without waiting */
/* Lets go of what the reply of a call that is done holds, for who asks again and again; else it lives as long as the
 * trial. The rest of the call stays. NULL is fine. */
void ipcmark_forget(ipcmark_call *);
/* A number of the reply, or `otherwise`. */
double ipcmark_reply_number(const ipcmark_call *, const char *name, double otherwise);
uint64_t ipcmark_reply_count(const ipcmark_call *, const char *name);

/* Any op of PROTOCOL.md, extensions included. fields: an object, taken over; may be NULL. deadline_seconds 0: the
 * run's. */
ipcmark_call *ipcmark_request(ipcmark_participant *, const char *op, cJSON *fields, double deadline_seconds);

/* ---- endpoints ------------------------------------------------------------------------------------------------ */

typedef struct {
    uint16_t endpoint;         /* 0: a new id, which is written back to *endpoint of the open call */
    const char *name;          /* for people: "publisher 3"; NULL: by its role and number */
    const char *channel;       /* NULL: "channel" */
    const char *directory;     /* NULL: the trial's ipcmark_trial_files() */
    unsigned ping_interval_ms; /* 0: the trial's */
    const char *const *params; /* "key=value", NULL-terminated: added to the participant's */
    bool count_only;           /* subscriber: count and check, but read no clock for each message (throughput) */
    bool count_sleeps;         /* subscriber: times those alone before which its handler's thread had slept */
    bool small_frames;         /* messages of 8 bytes and more, one part, one thread; participants without a journal */
    /* SIGKILL so long after OPEN_INVOKE, declared as a kill: the call ends IPCMARK_GONE; 0: never. */
    unsigned kill_self_after_us;
} ipcmark_endpoint_options;

/* *endpoint receives the id at once, before the call is awaited. */
ipcmark_call *ipcmark_open_publisher(ipcmark_participant *, uint16_t *endpoint, const ipcmark_endpoint_options *);
ipcmark_call *ipcmark_open_subscriber(ipcmark_participant *, uint16_t *endpoint, const ipcmark_endpoint_options *);
ipcmark_call *ipcmark_close(ipcmark_trial *, uint16_t endpoint);
/* The participant kills itself so long after CLOSE_INVOKE, declared as a kill: the call ends IPCMARK_GONE. */
ipcmark_call *ipcmark_close_dying(ipcmark_trial *, uint16_t endpoint, unsigned after_us);
/* Until exactly `count` peers are connected; refused with ETIMEDOUT after timeout_seconds (stretched; 0: the trial's
 * deadline). Reply: count, at_ns (when it was seen). */
ipcmark_call *ipcmark_wait_peers(ipcmark_trial *, uint16_t endpoint, unsigned count, double timeout_seconds);
ipcmark_call *ipcmark_peers(ipcmark_trial *, uint16_t endpoint); /* reply: count */

typedef enum { IPCMARK_INSIDE, IPCMARK_BEFORE, IPCMARK_AFTER } ipcmark_moment; /* of the driver's publish */

typedef struct {
    uint64_t count;      /* messages of each thread; 0: until `seconds` are over */
    double seconds;      /* 0: until `count` are sent; both: whichever is first */
    const size_t *sizes; /* bytes of each message in turn, over and over; NULL: 64 */
    size_t sizes_count;
    unsigned parts;   /* of each message; 0: 1 */
    double rate;      /* messages a second of each thread, open loop; 0: as fast as publish returns */
    double jitter;    /* with a rate: a message is due up to so much of an interval later, by lot; 0 to 1 */
    unsigned threads; /* 0: 1 */
    bool sleeps;      /* with a rate: until a message is due, to the end: cheaper, and later, than to spin at last */
    bool dry;         /* with a rate: keeps to the schedule and publishes nothing: what the schedule itself costs */
    bool retries;     /* offers a message again while it is refused with EAGAIN, for who does not wait when full */
    uint64_t start_at_ns;  /* CLOCK_MONOTONIC, for participants to start together; 0: at once */
    uint64_t kill_self_at; /* SIGKILL between the INVOKE of the n-th message (from 1) of thread 0 and its outcome; 0:
                              never */
    ipcmark_moment kill_self_moment;
    bool overwrite;          /* scribble over the parts right after publish returned */
    double deadline_seconds; /* 0: the trial's, plus the time that rate or seconds ask for */
} ipcmark_publish_options;

/* Reply: attempted, published, failed, unknown, first_ns, last_ns (start of the first and end of the last publish),
 * achieved_rate, cpu_ns (of the publishing threads), sleeps (theirs, until a message was due), retries, last (array of
 * [thread, highest sequence whose publish succeeded], in all requests so far; without the threads that had no success
 * yet). Death by SIGKILL is declared by kill_self_at, until the call has ended without it.
 */
ipcmark_call *ipcmark_publish(ipcmark_trial *, uint16_t endpoint, const ipcmark_publish_options *);
/* One message on each thread that this publisher has used in its present epoch: what ipcmark_drain() waits for. */
ipcmark_call *ipcmark_sentinel(ipcmark_trial *, uint16_t endpoint);
/* Until the subscriber has received, of each thread of each of these publishers, the last message of which an awaited
 * publish or sentinel (of the dead: their journals) says that it was published. Refused with ETIMEDOUT after
 * timeout_seconds. Reply: received. */
ipcmark_call *ipcmark_drain(ipcmark_trial *, uint16_t subscriber, const uint16_t *publishers, size_t count,
                            double timeout_seconds);

typedef struct {
    unsigned delay_us;    /* the handler takes so long */
    uint16_t reply;       /* a publisher of the same participant that sends each message back; 0: none */
    uint64_t close_after; /* the handler closes its subscriber at the n-th message from now; 0: never */
} ipcmark_handler_options;
ipcmark_call *ipcmark_handler(ipcmark_trial *, uint16_t subscriber, const ipcmark_handler_options *);

/* Sends `count` messages of `size` bytes, each from the handler that takes the reply to the one before, of
 * `subscriber`, a subscriber of the same participant. Reply: count, histogram (of round trips, as in
 * results/FORMAT.md). Of implementations that claim publish_in_handler alone. */
ipcmark_call *ipcmark_ping(ipcmark_trial *, uint16_t publisher, uint16_t subscriber, uint64_t count, size_t size);

/* Of a participant: user_ns, system_ns, voluntary_switches, involuntary_switches, resident_bytes, descriptors, threads.
 */
ipcmark_call *ipcmark_process_stats(ipcmark_participant *);
/* Of a subscriber: received, bytes, lost, torn, duplicate, reordered, slept, histogram (from the scheduled
 * time), histogram_uncorrected, and window: {messages, bytes} that arrived until to_ns (0: now), all but one in 2048.
 * Of a publisher: attempted, published, failed, unknown. reset: count from here, after this reply. */
ipcmark_call *ipcmark_stats(ipcmark_trial *, uint16_t endpoint, uint64_t to_ns, bool reset);

/* ---- what it costs to open, to have, to close, to lose ------------------------------------------------------- */

/* Without a journal only: nobody writes down what these endpoints do. They have ids that no other endpoint gets. */
typedef struct {
    const char *channel; /* NULL: "channel" */
    unsigned count;      /* of subscribers, one after the other; at most 65535 */
    double seconds;      /* after which no new one is begun */
} ipcmark_cycle_options;

/* Opens a subscriber, waits for its first message (none that was sent before), closes it; and again. Reply: count,
 * elapsed_ns, histograms open (duration of the call), first (from before that call until the first message arrives) and
 * close (duration). */
ipcmark_call *ipcmark_cycle(ipcmark_participant *, const ipcmark_cycle_options *);

typedef struct {
    bool publishers;     /* or subscribers */
    const char *channel; /* followed by a number: each has a channel of its own */
    unsigned first, count;
    unsigned messages; /* that each publisher sends once it has a peer, and that each subscriber waits for */
    size_t size;       /* of a message; 48 at least */
} ipcmark_hold_options;

/* Opens so many, which stay open until the participant stops. Reply: count. Publishers want subscribers, and the other
 * way round: begin both before either is awaited. */
ipcmark_call *ipcmark_hold(ipcmark_participant *, const ipcmark_hold_options *);

/* What the process holds: private_bytes, descriptors, shared (see ipcmark/footprint.h). */
ipcmark_call *ipcmark_footprint_of(ipcmark_participant *);

/* Until the implementation has told this endpoint, not before since_ns, that the peer (an endpoint), or one that it
 * does not name, is gone. Reply: at_ns, of the first time. Refused with ETIMEDOUT after the trial's deadline. */
ipcmark_call *ipcmark_wait_gone(ipcmark_trial *, uint16_t endpoint, uint16_t peer, uint64_t since_ns);

#ifdef __cplusplus
}
#endif
#endif
