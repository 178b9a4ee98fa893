/* Inside the checker: a history, put in order. Built once by model_build(), then read by the rules. */
#ifndef IPCMARK_MODEL_H
#define IPCMARK_MODEL_H

#include <stdarg.h>

#include "ipcmark/checker.h"

#define NEVER  UINT64_MAX
#define NOBODY SIZE_MAX

/* One life of an endpoint. Times are NEVER for what did not happen. */
struct life {
    const struct ipcmark_member *is;
    uint64_t open_invoke, open_done, close_invoke, close_done;
    uint64_t killed_from, killed_until;
    uint64_t end; /* when it began to go: closed or killed */
    int paused;   /* its process was, at some time */
    int cut;      /* its process was killed: operations may be without an end, the last record torn */
};

/* A message as its publisher tells it. */
struct message {
    uint64_t invoke_ns, outcome_ns; /* 0: not invoked; NEVER: no outcome */
    uint64_t size;
    uint32_t digest, parts;
    uint8_t outcome; /* IPCMARK_OK, FAILED, UNKNOWN; 0: none */
    uint8_t flags;   /* IPCMARK_UNFRAMED */
};

/* The messages of one thread of one publisher. */
struct stream {
    uint64_t key;         /* publisher, epoch, thread */
    size_t publisher;     /* index of its life */
    uint64_t first, last; /* sequences; all in between exist */
    uint64_t count;
    struct message *messages; /* by sequence - first */
};

/* A delivery. */
struct receipt {
    const struct ipcmark_record *record;
    size_t journal; /* index; only within one file is the order that of writing */
};

/* What an endpoint said about its peers. */
struct report {
    uint64_t time_ns;
    size_t order;          /* of writing, where times are equal */
    size_t reporter, peer; /* indices of lives; peer: or NOBODY, if it has no name */
    int32_t count;         /* connected endpoints, or -1 */
    uint8_t kind;          /* IPCMARK_PEER_UP, PEER_DOWN, PEERS */
    uint8_t right;         /* the count is that of all who ought to be connected, and it is clear who they are */
};

struct model {
    const struct ipcmark_history *history;
    struct life *lives;
    struct stream *streams;    /* by key */
    struct report *reports;    /* by time */
    struct receipt **receipts; /* by life; each by time */
    size_t *receipt_counts;
    size_t life_count, stream_count, report_count;
    uint64_t start_ns, end_ns; /* of all records */
    struct ipcmark_judgement *judgement;
    uint32_t run; /* as messages name it */
};

/* 0, or -ENOMEM. What contradicts itself is reported by model_error(). Free in any case. */
int model_build(struct model *model, const struct ipcmark_history *history, struct ipcmark_judgement *judgement);
void model_free(struct model *model);

size_t life_find(const struct model *model, uint16_t endpoint, uint16_t epoch); /* or NOBODY */
const struct stream *stream_find(const struct model *model, uint16_t publisher, uint16_t epoch, uint16_t thread);
int model_can(const struct model *model, uint64_t capability);

/* Whether publisher and subscriber ought to meet: same channel and directory, and not one process if that is excluded.
 */
int lives_meet(const struct model *model, size_t publisher, size_t subscriber);

/* What reasons the run had given the pair, by that time, to be disconnected: a set of REASON_…, 0: none. */
enum { REASON_CLOSE = 1, REASON_KILL = 2, REASON_PAUSE = 4, REASON_OVERLOAD = 8 };
int pair_reasons(const struct model *model, size_t one, size_t other, uint64_t time_ns);

/* What the rules find. The first violation in time, the first error, the first doubt make the text; times are said
 * relative to the origin. An error goes before a violation, a violation before a doubt. */
#define SAYS(text, first) __attribute__((format(printf, text, first)))
void model_violation(struct model *model, enum ipcmark_class class_, uint64_t time_ns, struct ipcmark_about about,
                     const char *format, ...) SAYS(5, 6);
void model_error(struct model *model, const char *format, ...) SAYS(2, 3);
void model_doubt(struct model *model, const char *format, ...) SAYS(2, 3);

/* Seconds since the origin, for texts. */
double model_seconds(const struct model *model, uint64_t time_ns);

/* "publisher 3 (endpoint 7) epoch 1", or without a name "publisher 7 epoch 1". */
#define LABEL_SIZE 112
const char *member_label(char label[LABEL_SIZE], const struct ipcmark_member *member);
const char *publisher_label(char label[LABEL_SIZE], const struct model *model, uint16_t endpoint, uint16_t epoch);
#define LABEL(life) member_label((char[LABEL_SIZE]){0}, (life)->is)

/* Whom a violation concerns: the lives that are not NULL, in any order; or a stream (NULL: not known), one of its
 * messages or IPCMARK_NO_SEQUENCE, and perhaps a subscriber. */
struct ipcmark_about about_lives(const struct life *one, const struct life *other);
struct ipcmark_about about_message(const struct model *model, const struct stream *stream, uint64_t sequence,
                                   const struct life *subscriber);

/* --- ready.c --- */

/* From `from` on a pair was ready, until `until`, when a disconnect was reported (NEVER: none). */
struct window {
    uint64_t from, until;
    int excuses; /* the disconnect had a reason that also excuses what was under way */
};

/* The windows of a pair, by time; -ENOMEM, or their number. The caller frees. */
int ready_windows(struct model *model, size_t publisher, size_t subscriber, uint64_t first_receipt_ns,
                  struct window **out);

/* Every reported disconnect has a reason. */
void disconnects_judge(struct model *model);

/* --- receipts.c, must.c --- */

/* What one subscriber received of one stream. */
struct intake {
    uint64_t *received_ns; /* by sequence - first; 0: not received; NULL: nothing was */
    uint64_t highest;      /* index + 1 of the highest received; 0: nothing */
    uint64_t first_ns;     /* of the first delivery, NEVER: none */
    uint64_t before;       /* as highest, of those at earlier ticks than the latest delivery */
    uint64_t last_ns;      /* of the latest delivery, its index + 1 and journal */
    uint64_t last;
    size_t last_journal;
};

/* Judges everything that a subscriber received; fills in an intake for each stream. 0 or -ENOMEM. */
int receipts_judge(struct model *model, size_t subscriber, struct intake *intakes);

/* Judges what it did not receive. 0 or -ENOMEM. */
int must_judge(struct model *model, size_t subscriber, const struct intake *intakes);

/* Deliveries without a header; `needed` are those messages that had to arrive. 0 or -ENOMEM. */
int unframed_judge(struct model *model, size_t subscriber, const struct message *const *needed, size_t needed_count);

#endif
