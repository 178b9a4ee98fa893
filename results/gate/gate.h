/* From a run to a verdict: whether a build of a driver, `candidate`, became slower than another one, `base`, beside
 * which it was measured block by block; `control` is the other one a second time. How it is judged: README.md. */
#ifndef GATE_GATE_H
#define GATE_GATE_H

#include "../analysis/rows.h"

/* Worse ones are higher, but that a regression outweighs what could not be told. Also exit codes: gate_exit(). */
enum gate_verdict { GATE_PASS, GATE_INCONCLUSIVE, GATE_REGRESSION };

enum gate_metric_name { GATE_P50, GATE_P99, GATE_RATE, GATE_METRICS };

struct gate_metric {
    const char *family, *shape; /* "hot", "hot/64B/1x1" */
    const char *metric;         /* "p99_ns", of a run as a whole */
    const char *of_a_cell;      /* what is compared block by block: "p99_of_rounds_ns" */
    const char *words;          /* "one way (both awake) p99, 64 B" */
};
extern const struct gate_metric gate_metrics[GATE_METRICS];

/* How many of each hundred a metric may become slower: 10 is 10 %. */
struct gate_tolerances {
    double share[GATE_METRICS]; /* 0.10 */
};

/* The file's tolerances; what it does not name stays 10 %. NULL: no file. 0, or -errno with one line in `error`. */
int gate_tolerances_read(struct gate_tolerances *out, const char *file, char *error, size_t error_size);

struct gate_finding {
    const struct gate_metric *metric;
    bool judged; /* else `why` says why it need not be */
    enum gate_verdict verdict;
    double tolerance;
    double candidate, base;        /* the figures themselves; NAN: none */
    struct results_spread slower;  /* candidate over base, of the time that it takes: 1.25 is 25 % slower; the interval
                                      is of 90 %, so its lower end alone holds with 95 % (beside a stored run of 95 %) */
    bool over_limit;               /* of both, what they are of the limit that their own machine had */
    struct results_spread control; /* likewise the second cell of the base over its first */
    double chance;   /* p of the exact one-sided signed-rank test: how often the pairs of one that takes no longer would
                        come out as much slower as these or more; adjusted by Holm for all that was tested with it. NAN:
                        not tested */
    char why[640];   /* in words, of a verdict that is not plain from the figures; "": it is */
    bool wants_more; /* inconclusive, and further blocks may tell: it was noise, there were too few of them, or one of
                        the baseline's failed */
};

enum { GATE_WORDS = 1200 };

/* One look: one run. */
struct gate_look {
    enum gate_verdict verdict;
    struct gate_finding findings[GATE_METRICS];
    unsigned asked;         /* bit i: metric i was asked for */
    bool lost;              /* the candidate's messages did not arrive as they were sent: nothing to confirm */
    bool broken;            /* the candidate could not be measured, and the base could, or clearly more often */
    bool alike;             /* neither of these: the candidate has errors, and so has the base */
    char words[GATE_WORDS]; /* why lost, broken or alike, with the rows; "" */
    unsigned blocks;
};

/* Judges the runs's rows named `candidate`, `base` and `control`, of the metrics in `asked`. 0 or -ENOMEM. */
int gate_judge(struct gate_look *out, const struct results_rows *rows, const struct gate_tolerances *tolerances,
               unsigned asked);

/* Likewise of two runs, of which `stored` (number in rows->runs) was kept from before: each is taken over its own
 * limit. The rows are those of the one driver of each run. */
int gate_judge_stored(struct gate_look *out, const struct results_rows *rows, size_t now, size_t stored,
                      const struct gate_tolerances *tolerances, unsigned asked);

/* The metrics that further blocks may tell of; 0: there are none, or the look was about something worse. */
unsigned gate_to_look_again(const struct gate_look *first);

/* Whether it is slower for certain, and by no more than is tolerated: a pass that is to be spoken of. */
bool gate_slower_within(const struct gate_finding *finding);

/* The metrics of which a regression has to be seen again in fresh blocks before it counts; 0: there are none. */
unsigned gate_to_confirm(const struct gate_look *first);

/* A clause that is not kept as it was when its verdict was stored. */
struct gate_clause {
    enum gate_verdict verdict; /* a regression: it newly fails; inconclusive: it passed, and who knows now? */
    char *text;                /* "DEL-001 fails: 3 messages lost" */
};

struct gate_clauses {
    struct gate_clause *list; /* owned */
    size_t count;
};

/* `now` and `stored` are conformance runs: of one driver each, or of several, that their names tell. 0, -ENOMEM, or
 * -EINVAL: one has no case. What is in *out is to be freed in any case. */
int gate_clauses_compare(struct gate_clauses *out, const struct results_run *now, const struct results_run *stored);
size_t gate_clauses_count(const struct gate_clauses *clauses, enum gate_verdict verdict);
void gate_clauses_free(struct gate_clauses *clauses);

/* All that there is to say. */
struct gate_report {
    const char *candidate, *base; /* drivers, or what a stored file has */
    struct gate_look first, again,
        second; /* again: of what the first could not tell; second: confirms what is slower */
    bool looked_again, confirmed, compared_clauses; /* whether there were these two; whether clauses were compared */
    struct gate_look decided;                       /* gate_decide() */
    bool stored;                                    /* against a file */
    struct gate_clauses clauses;
    double seconds; /* what it cost */
    enum gate_verdict verdict;
    char words[GATE_WORDS]; /* the verdict's reason */
    char beside[512];       /* pipe and TCP, for orientation; "" */
    char differs[1200];     /* what is not as it was when the baseline was stored; "" */
};

/* Fills in decided: the first look, with the findings of `again` in place of what it could not tell. */
void gate_decide(struct gate_report *report);

/* What came of a metric: a regression is what has been decided and then confirmed. */
enum gate_verdict gate_metric_verdict(const struct gate_report *report, size_t metric);

/* Fills in verdict and words from all that is set already. */
void gate_conclude(struct gate_report *report);

/* Whether it was as often right as it has to be. Of 50 runs of the same beside itself 1 alarm and 5 inconclusive at
 * most; of 20 of one that is slowed on purpose at least 19 alarms. */
bool gate_often_right(bool slowed, unsigned runs, unsigned alarms, unsigned inconclusive);
unsigned gate_runs_needed(bool slowed); /* fewer say little of how often */

int gate_exit(enum gate_verdict verdict);                 /* 0, 2, 1 */
const char *gate_verdict_name(enum gate_verdict verdict); /* "pass", "inconclusive", "regression" */

#endif
