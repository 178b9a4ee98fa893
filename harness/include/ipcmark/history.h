/* ipcmark/history.h — everything that the checker judges: who took part, what was done to them, what they wrote down.
 *
 * On disk, a run's folder:
 *     history.jsonl       a line a fact: the format's version; processes, endpoints, faults, drains, observations, the
 *                         expectation; the end
 *     journals/N.K        the journals of process number N (any K, or none)
 *     schedule.txt        if there is one, what the play did, in words: "SECONDS s  TEXT" a line, since origin_ns
 * The coordinator appends to history.jsonl with the ipcmark_history_log_… functions as things happen, so that a run
 * which was cut off can still be judged. All times are CLOCK_MONOTONIC.
 *
 * Nothing here is safe to share between threads.
 */
#ifndef IPCMARK_HISTORY_H
#define IPCMARK_HISTORY_H

#include <stddef.h>
#include <stdint.h>

#include "ipcmark/journal.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A participant: one life of one process. A restarted process has a new number. */
struct ipcmark_process {
    uint32_t number; /* unique in the run; names its journals */
    int64_t pid;
};

enum ipcmark_role { IPCMARK_PUBLISHER = 1, IPCMARK_SUBSCRIBER };

/* One life of an endpoint: (endpoint, epoch) is unique in the run, over publishers and subscribers alike. When it was
 * open is in the journal. Log it before it is asked to open. */
struct ipcmark_member {
    uint16_t endpoint, epoch;
    enum ipcmark_role role;
    uint32_t process;
    const char *channel, *directory; /* directory: any text that tells directories apart; relative to the folder */
    const char *name;                /* for people: "publisher 3"; or NULL */
};

enum ipcmark_fault_kind {
    IPCMARK_FAULT_KILL = 1, /* SIGKILL; from: just before it was sent or became possible, until: when it was reaped */
    IPCMARK_FAULT_PAUSE,    /* SIGSTOP … SIGCONT; until 0: never resumed */
    IPCMARK_FAULT_CLOSE,    /* told to close; the journal says when it did: needed only if the journal cannot */
    IPCMARK_FAULT_OVERLOAD  /* held back beyond its backlog, on purpose; until 0: to the end */
};

/* What the run did on purpose. Log a KILL that will come from the participant itself (kill_self_at) when asking for it.
 */
struct ipcmark_fault {
    enum ipcmark_fault_kind kind;
    uint32_t process;
    uint64_t from_ns, until_ns;
};

#define IPCMARK_ANY_THREAD 0xFFFFu
#define IPCMARK_TO_THE_END UINT64_MAX

/* From from_ns to until_ns, a subscriber was waited for until it had received everything of a publisher up to
 * `sequence`, which is a sentinel invoked after all else; or IPCMARK_TO_THE_END: up to the last that was OK'd (the
 * publisher is closed or dead). Log one for each subscriber that stays, before it is closed or killed: without it, what
 * the subscriber missed at the end cannot be told from what was still under way. */
struct ipcmark_drain {
    uint16_t subscriber, subscriber_epoch;
    uint16_t publisher, epoch, thread; /* thread: or IPCMARK_ANY_THREAD, with IPCMARK_TO_THE_END */
    uint64_t sequence;
    uint64_t from_ns, until_ns; /* until: when it was complete, or the deadline */
    int reached;                /* as the participant said */
};

/* The classes of violation; results/FORMAT.md has their names. */
enum ipcmark_class {
    IPCMARK_CLASS_NONE,
    IPCMARK_LOST,
    IPCMARK_DUPLICATE,
    IPCMARK_REORDERED,
    IPCMARK_CORRUPT,
    IPCMARK_PHANTOM,
    IPCMARK_LEAKED,
    IPCMARK_LATE,
    IPCMARK_HUNG,
    IPCMARK_CRASHED,
    IPCMARK_DISCONNECT,
    IPCMARK_LEFTOVER,
    IPCMARK_COUNT,
    IPCMARK_CLASSES
};

/* What an observation rests on. */
enum ipcmark_proof {
    IPCMARK_PROOF_OF_CLASS, /* what its class rests on: a time if it is hung, late, count or disconnect, else a fact */
    IPCMARK_PROOF_DEADLINE, /* a time that was over, whatever its class */
    IPCMARK_PROOF_FACT      /* no time: on a machine of any speed it would have been the same */
};

/* What the coordinator saw itself and no journal can tell: a missed deadline, a crash, a wrong count, a file left. */
struct ipcmark_observation {
    enum ipcmark_class class_; /* NONE: not a violation but an error of the harness or of an agent's protocol */
    uint64_t time_ns;
    const char *text;
    enum ipcmark_proof proof;
};

/* How ready(p, s) is known. */
enum ipcmark_ready {
    IPCMARK_READY_NAME = 1, /* p reports peers by id or process; a right count will do as well */
    IPCMARK_READY_COUNT,    /* p only counts them */
    IPCMARK_READY_PROBE     /* p says nothing: s is ready once it received something of p */
};

struct ipcmark_expectation {
    const char *run;       /* the run's id, as in hello */
    uint64_t capabilities; /* IPCMARK_CAP_… as claimed */
    enum ipcmark_ready ready;
    uint64_t settle_ns;        /* how long after a pause ended a disconnect is still put down to it */
    uint64_t min_must;         /* coverage: fewer must-pairs make the case unknown */
    uint64_t min_kills_inside; /* likewise, kills between INVOKE and outcome */
    uint64_t min_joins;        /* likewise, subscribers that opened while a publisher of theirs was sending */
    uint64_t origin_ns;        /* texts tell times relative to this; 0: to the first record */
};

/* --- Logging --- */

struct ipcmark_history_log;

/* Makes DIR/history.jsonl, which must not exist, and DIR/journals if need be. The log_… functions write one line with
 * one write and do not keep their argument. All: 0 or -errno. */
int ipcmark_history_log_open(struct ipcmark_history_log **out, const char *folder);
int ipcmark_history_log_process(struct ipcmark_history_log *, const struct ipcmark_process *);
int ipcmark_history_log_member(struct ipcmark_history_log *, const struct ipcmark_member *);
int ipcmark_history_log_fault(struct ipcmark_history_log *, const struct ipcmark_fault *);
int ipcmark_history_log_drain(struct ipcmark_history_log *, const struct ipcmark_drain *);
int ipcmark_history_log_observation(struct ipcmark_history_log *, const struct ipcmark_observation *);
int ipcmark_history_log_expectation(struct ipcmark_history_log *,
                                    const struct ipcmark_expectation *); /* the last counts */
/* Everyone has been stopped, and all faults are written down. Without it the run counts as cut off. */
int ipcmark_history_log_end(struct ipcmark_history_log *);
void ipcmark_history_log_close(struct ipcmark_history_log *);            /* NULL is fine */

/* --- In memory --- */

struct ipcmark_history_journal {
    uint32_t process;
    struct ipcmark_journal_view view;
    char *name; /* of the file, for messages */
};

/* Zero-initialise; the add functions copy what they are given, texts included. */
struct ipcmark_history {
    struct ipcmark_process *processes;
    struct ipcmark_member *members;
    struct ipcmark_fault *faults;
    struct ipcmark_drain *drains;
    struct ipcmark_observation *observations;
    struct ipcmark_history_journal *journals;
    size_t process_count, member_count, fault_count, drain_count, observation_count, journal_count;
    struct ipcmark_expectation expectation;
    int has_expectation;
    int ended;      /* it was not cut off */
    char *schedule; /* schedule.txt, or NULL; from malloc */
};

int ipcmark_history_add_process(struct ipcmark_history *, const struct ipcmark_process *);
int ipcmark_history_add_member(struct ipcmark_history *, const struct ipcmark_member *);
int ipcmark_history_add_fault(struct ipcmark_history *, const struct ipcmark_fault *);
int ipcmark_history_add_drain(struct ipcmark_history *, const struct ipcmark_drain *);
int ipcmark_history_add_observation(struct ipcmark_history *, const struct ipcmark_observation *);
int ipcmark_history_set_expectation(struct ipcmark_history *, const struct ipcmark_expectation *);
/* Takes the view over, also on failure. */
int ipcmark_history_add_journal(struct ipcmark_history *, uint32_t process, const char *name,
                                struct ipcmark_journal_view *view);

/* Reads a run's folder. A last line that was cut off is ignored. -EBADMSG with `problem` in words (file, line, what is
 * wrong; another version, too), else -errno. The caller frees the history, on failure too. */
int ipcmark_history_load(struct ipcmark_history *out, const char *folder, char *problem, size_t problem_size);
void ipcmark_history_free(struct ipcmark_history *); /* leaves it zeroed */

const char *ipcmark_class_text(enum ipcmark_class class_); /* "lost", …; NULL for NONE */

#ifdef __cplusplus
}
#endif
#endif
