/* ipcmark/checker.h — a history in, a verdict out.
 *
 * A pure function: no processes, no clock, no files. The rules are those of conformance/CONTRACT.md, "What is judged".
 */
#ifndef IPCMARK_CHECKER_H
#define IPCMARK_CHECKER_H

#include "ipcmark/history.h"

#ifdef __cplusplus
extern "C" {
#endif

enum ipcmark_verdict {
    IPCMARK_PASS,
    IPCMARK_FAIL,         /* the implementation broke a rule */
    IPCMARK_INCONCLUSIVE, /* "unknown": nothing broken, but the history does not show enough */
    IPCMARK_ERROR         /* the harness or an agent is at fault: the history contradicts itself */
};

#define IPCMARK_NO_SEQUENCE UINT64_MAX

/* Whom a violation concerns; IPCMARK_NO_ENDPOINT: nobody in that role, or it is not known who. */
struct ipcmark_about {
    uint16_t publisher, epoch, thread;
    uint16_t subscriber, subscriber_epoch;
    uint64_t sequence; /* of the message, or IPCMARK_NO_SEQUENCE */
};

struct ipcmark_judgement {
    enum ipcmark_verdict verdict;
    enum ipcmark_class class_;          /* of the first violation in time */
    char text[512];                     /* it, or why unknown or error, in words */
    uint64_t violation_ns;              /* when it showed; 0: there is none */
    int by_deadline_only;               /* no proof but a time that was over: a loss behind which nothing came */
    int timeless;                       /* it rests on no time, whatever its class: an open that was refused */
    struct ipcmark_about about;         /* whom it concerns */
    uint64_t origin_ns;                 /* what the times in texts are relative to */
    uint64_t violations;                /* all of them */
    uint64_t by_class[IPCMARK_CLASSES]; /* the same, by class */
    uint64_t messages;                  /* invoked */
    uint64_t must;                      /* pairs (message, subscriber) that had to arrive */
    uint64_t received;                  /* deliveries */
    uint64_t kills_inside;              /* publishers killed between INVOKE and outcome */
    uint64_t joins;                     /* subscribers that opened while a publisher of theirs was sending */
};

/* 0, or -ENOMEM; the judgement is set on success. Takes about a second for two million records. */
int ipcmark_check(const struct ipcmark_history *history, struct ipcmark_judgement *out);

/* What happened around the first violation, in at most so many lines: the message's way, what came before and behind it
 * on the same way, and what both sides were told, saw or suffered, from journals, faults and schedule, in the order of
 * time; "> " before what the violation consists of. "" if there is none; NULL: out of memory. The caller frees. */
char *ipcmark_timeline(const struct ipcmark_history *history, const struct ipcmark_judgement *judgement, size_t lines);
#define IPCMARK_TIMELINE_LINES 15

const char *ipcmark_verdict_text(enum ipcmark_verdict verdict); /* "pass", "fail", "unknown", "error" */
int ipcmark_verdict_exit(enum ipcmark_verdict verdict);         /* 0, 1, 2, 3 */

#ifdef __cplusplus
}
#endif
#endif
