/* The processes of a run, one endpoint each: started, connected, told to publish, killed, stopped, waited for.
 *
 * All steps return false when they did not come about; then the run is over. Why is among the troubles of the trial, or
 * an objection of the crew, unless it was interrupted. */
#ifndef RUN_CREW_H
#define RUN_CREW_H

#include <ipcmark/histogram.h>

#include "scenario.h"

/* Of a publisher the first four, of a subscriber the others. */
struct counts {
    uint64_t attempted, published, failed, unknown;
    uint64_t received, bytes, lost, torn, duplicate, reordered;
};

struct member {
    bool subscriber, disturbed; /* disturbed: it was killed or stopped, now or before */
    char name[24];              /* "subscriber 2" */
    unsigned number, life;      /* both from 1; its life is the epoch of its endpoint */
    uint16_t endpoint;
    ipcmark_participant *participant;
    ipcmark_call *traffic; /* NULL: nothing is under way */
    uint64_t resume_ns;    /* stopped until then; 0: it runs */
    /* Of its earlier lives, less what came before the traffic; of this one, when it was last looked at. */
    struct counts past, now;
    struct ipcmark_histogram *latency; /* of this life; NULL: a publisher */
};

enum { CREW_VIGILS = 4096 };

struct crew {
    const struct scenario *scenario;
    const ipcmark_implementation *implementation;
    ipcmark_session *session;
    ipcmark_trial *trial;
    struct member members[2 * SCENARIO_MOST]; /* publishers first */
    unsigned count;
    uint64_t end_ns;                    /* of the traffic */
    struct ipcmark_histogram *departed; /* latencies that were seen by the dead */
    ipcmark_call *vigils[CREW_VIGILS];  /* drains of what the dead have published */
    size_t vigil_count;
    uint64_t deaths, pauses;
    bool blind; /* they keep no counts: what they do is known by what they write down only */
    /* What the crew saw itself: the first. class NONE: the harness is at fault. */
    bool objected;
    enum ipcmark_class class_;
    char objection[512];
    char undrained[512]; /* who had not received all in the end; "": nobody */
};

/* Starts everyone, and waits until all are connected. */
bool crew_open(struct crew *, const struct scenario *, const ipcmark_implementation *, ipcmark_session *);
/* Also after a failed open. keep: see ipcmark_trial_close(). */
int crew_close(struct crew *, const char *keep);

/* All publishers begin together, at the time that is returned; 0: one cannot. */
uint64_t crew_send(struct crew *);
/* Asks all that run what they have counted, and had received by then (0: by now); or one. */
bool crew_look(struct crew *, uint64_t until_ns);
bool crew_look_at(struct crew *, struct member *);
/* Killed and started again; what it had published is waited for at the end. Stopped, for so long. */
bool crew_kill(struct crew *, struct member *);
bool crew_pause(struct crew *, struct member *, double seconds);
bool crew_resume(struct crew *, struct member *);
/* Everyone is let go on; the publishers end; everyone who is there has received everything. */
bool crew_finish(struct crew *);

/* Adds what it has counted since the traffic began. */
void crew_count(const struct member *, struct counts *sum);
/* Latencies of all lives, added up. */
void crew_latencies(const struct crew *, struct ipcmark_histogram *out);
bool crew_claims(const struct crew *, uint64_t capabilities);
/* Always false. */
bool crew_object(struct crew *, enum ipcmark_class, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* settle.c */
/* Waits for it; the code is as in ipcmark/control.h. */
bool crew_is_refused(ipcmark_call *, const char *code);
/* A refusal is an objection of this class. */
bool crew_await(struct crew *, ipcmark_call *, enum ipcmark_class);
/* Everyone is connected to everyone of the other kind: by their counts, or as messages show that pass. */
bool settle_by_counts(struct crew *);
bool settle_by_probes(struct crew *);
/* A last message of each publisher, and all have received everything. */
bool settle_drain(struct crew *);

#endif
