/* internal.h — what the files of the coordinator share. See ipcmark/control.h for what the things are. */
#ifndef CONTROL_INTERNAL_H
#define CONTROL_INTERNAL_H

#include "ipcmark/control.h"

#include "line.h"
#include "processes.h"
#include "slowness.h"
#include "watchdog.h"

#include <limits.h>
#include <stdio.h>

#include <uv.h>

enum {
    MAX_THREADS = 64,           /* of one publisher */
    MAX_STDERR_BYTES = 1 << 20, /* kept of one participant */
    MAX_STDERR_FLOOD = 1 << 26, /* said by one participant; more is a flood */
    MAX_EVENTS = 1 << 17,       /* from one participant; more is a flood */
    MAX_CORES = 2,              /* kept of one trial: of a crash of all, two tell as much as sixteen */
    GRACE_MS = 100,             /* for what was already on its way when a deadline passed or a process ended */
    LAST_WORD_MS = 2000,        /* from the end of its output to its exit */
};

struct ipcmark_session {
    uv_loop_t loop;
    uv_signal_t interrupt, terminate;
    uv_idle_t poke;
    struct watchdog watchdog;
    struct family family;
    struct slowness slowness;
    double scale;        /* of the last calibration */
    double marked_scale; /* of the last one before the case began, which its bounds are made with */
    bool too_slow;
    int signal;
    int guard_lost; /* -errno; 0: it is there */
    unsigned trials;
    char text[4096];
};

/* One life of an endpoint; the latest of each id is the current one. */
struct endpoint {
    struct endpoint *next;
    uint16_t id, epoch;
    bool publisher, closing; /* closing: it was told to */
    ipcmark_participant *participant;
    unsigned threads; /* publisher: those used so far */
    struct {
        bool used;
        uint64_t sequence; /* highest whose publish returned success, as the participant said */
    } last[MAX_THREADS];
};

struct note {
    struct note *next;
    char text[];
};

struct call;

struct ipcmark_trial {
    ipcmark_session *session;
    ipcmark_trial_options options; /* its strings are notes */
    char directory[PATH_MAX], files[PATH_MAX], name[17];
    const char *const *params; /* of the driver spec */
    const char *broker;        /* "broker=ADDRESS" or NULL */
    bool broker_starting;
    struct ipcmark_history_log *history;
    ipcmark_participant *participants;
    struct endpoint *endpoints;
    struct call *calls;
    struct note *notes;
    ipcmark_trouble *troubles;
    size_t trouble_count, trouble_capacity;
    struct ipcmark_expectation expectation;
    char *leftovers;
    struct names *names; /* names.c: what lies in none of its folders; NULL: not yet open */
    unsigned participant_count, directory_count, open_handles;
    unsigned user; /* that its folders were handed to; 0: nobody */
    uint16_t endpoint_count;
    unsigned cores; /* kept */
    bool deaths_excused, stopped;
    uv_timer_t timer; /* of ipcmark_wait and the bounds of waits for exits */
};

struct ipcmark_participant {
    ipcmark_participant *next;
    ipcmark_trial *trial;
    const char *name;
    const char *const *params;
    const char *folder; /* where it works; NULL: where we do */
    uint32_t number;    /* in the history */
    bool journal;
    ipcmark_implementation implementation;
    uv_poll_t exit;
    int exit_fd;                 /* of its pidfd; 0: none */
    struct straggler *straggler; /* whose end is waited for, or NULL */
    uv_pipe_t in, out, err;
    uv_timer_t grace; /* after its exit, for the end of its output; or the other way round */
    struct line_reader lines;
    FILE *stderr_file;
    size_t stderr_bytes, stderr_said, events; /* bytes: those that were kept */
    uint64_t next_id;
    pid_t pid;
    int status;                                      /* as of waitpid */
    bool spawned, dead, exited, output_ended, ended; /* dead: not yet reaped; exited: reaped; ended: and all that it
                                                      * said has been taken in */
    bool stderr_ended;
    bool exit_expected, stopping, garbled;                  /* expected: whatever way it ends */
    bool kill_sent, dumped;                                 /* dumped: a core */
    unsigned suicides;                                      /* calls under way that were asked to end in SIGKILL */
    uint64_t kill_from_ns, pause_from_ns, overload_from_ns; /* of a fault that goes on; 0: none */
};

struct call {
    ipcmark_call public; /* first: what the caller holds is a pointer to it */
    struct call *next;
    ipcmark_participant *participant;
    uint64_t id;
    const char *schema; /* of its reply */
    uv_timer_t timer;
    double deadline_seconds;                     /* stretched */
    double scale;                                /* by this */
    size_t place;                                /* of the slowness, when it was begun */
    bool overdue;                                /* the deadline has passed, the grace goes on */
    bool declares_death;                         /* of its participant, until it is answered */
    cJSON *line;                                 /* owns public.reply */
    void (*ended)(struct call *, void *context); /* may be NULL; context is a note */
    void *context;
};

/* fault.c */
void participant_log_death(ipcmark_participant *); /* and the faults that it ended */

/* trial.c */
const char *trial_note(ipcmark_trial *, const char *format, ...) __attribute__((format(printf, 2, 3)));
void *trial_note_bytes(ipcmark_trial *, size_t size); /* zeroed, lives as long as the trial */
const char *const *trial_note_list(ipcmark_trial *, const char *const *list);
void trial_trouble(ipcmark_trial *, enum ipcmark_class, const ipcmark_participant *, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
void trial_handle_closed(uv_handle_t *); /* close callback: handle->data is the trial */

/* session.c */
void session_turn(ipcmark_session *); /* waits for something to happen, and takes it in */
/* From each timer's callback: the turn that it is called in shall end. uv_run() runs timers first and then waits, for
 * ever if that was the last one. */
void session_poke(ipcmark_session *);
/* What was sampled since this place of the slowness, 1 to the most that a deadline is stretched by. */
double session_scale_since(ipcmark_session *, size_t place);
/* Whether a machine as slow as this breaks bounds that were made for one as slow as that. */
bool session_outruns(double slowest, double scale);
int session_check_guard(ipcmark_session *); /* 0, or fails: it has been found to be gone */
int session_fail(ipcmark_session *, int error, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* participant.c */
int participant_send(ipcmark_participant *, const cJSON *line);
void participant_signal(ipcmark_participant *, int number); /* to its whole session */
void participant_garbled(ipcmark_participant *, const char *why, const char *line);
void participant_exited(ipcmark_participant *);
bool participant_await_end(ipcmark_participant *, double seconds); /* false: still there */
void participant_close(ipcmark_participant *);
void participant_free(ipcmark_participant *);
const char *participant_stderr_tail(ipcmark_participant *); /* a note */

/* exit.c: from its exit_fd to participant_exited() */
int exit_watch(ipcmark_participant *);
void exit_unwatch(ipcmark_participant *);

/* output.c: what a participant says */
void output_take(ipcmark_participant *, const char *bytes, size_t size);

/* call.c */
struct call *call_begin(ipcmark_participant *, const char *op, cJSON *fields, double deadline_seconds);
struct call *call_invalid(ipcmark_trial *, const char *op, const char *text);
void call_answer(ipcmark_participant *, cJSON *line, const char *text); /* takes `line` over */
void call_end(struct call *, ipcmark_status, const char *text);
void call_declare_death(struct call *); /* it shall end in SIGKILL: no trouble. NULL, or one that has ended: nothing */
/* Of a reply that was taken for right and is not: the call ends as garbled. NULL: it is right. */
void call_doubt(struct call *, const char *why);
/* Whether these times, of a reply, are between the request and it. */
bool call_lasted(const struct call *, double from_ns, double until_ns);
void call_end_all(ipcmark_participant *, ipcmark_status, const char *text);

/* endpoint.c */
void params_add(cJSON *params, const char *const *list); /* "key=value" each; the later one of a key wins */

/* target.c */
/* argv of notes, for the guard's `start` */
int target_command(ipcmark_trial *, const ipcmark_participant_options *, const char *folder, char ***out);
int target_parse(ipcmark_trial *);

/* hello.c */
int hello_say(ipcmark_participant *);

/* broker.c */
int broker_ensure(ipcmark_participant *);

#endif
