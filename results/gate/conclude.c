/* The verdict over all that was looked at, and its reason. */
#include "gate.h"

#include <stdio.h>
#include <string.h>

static void conclude(struct gate_report *report, enum gate_verdict verdict, const char *reason, const char *detail)
{
    report->verdict = verdict;
    snprintf(report->words, sizeof report->words, "%s%.1000s", reason, detail);
}

/* "; slower, but tolerated: one way (both awake) p50, 64 B (+4.0 %)", or "". */
static void name_tolerated(char *out, size_t size, const struct gate_look *look)
{
    size_t used = 0;

    out[0] = '\0';
    for (size_t i = 0; i < GATE_METRICS && used < size; ++i)
        if (look->asked >> i & 1 && gate_slower_within(&look->findings[i]))
            used += (size_t)snprintf(out + used, size - used, "%s%s (%+.1f %%)",
                                     used ? ", " : "; slower, but tolerated: ", look->findings[i].metric->words,
                                     100 * (look->findings[i].slower.median - 1));
}

/* "one way (both awake) p50, 64 B; throughput, 64 B", of all in `which`, with the figures of a look. */
static void name_some(char *out, size_t size, const struct gate_look *look, unsigned which, bool figures)
{
    size_t used = 0;

    out[0] = '\0';
    for (size_t i = 0; i < GATE_METRICS && used < size; ++i) {
        const struct gate_finding *finding = &look->findings[i];
        if (!(which >> i & 1))
            continue;
        used += (size_t)snprintf(out + used, size - used, "%s%s", used ? "; " : "", finding->metric->words);
        if (figures && used < size)
            used += (size_t)snprintf(out + used, size - used,
                                     " (%+.0f %%, interval %+.0f to %+.0f %%; %.0f %% are tolerated)",
                                     100 * (finding->slower.median - 1), 100 * (finding->slower.low - 1),
                                     100 * (finding->slower.high - 1), 100 * finding->tolerance);
        else if (finding->why[0] && used < size)
            used += (size_t)snprintf(out + used, size - used, " (%s)", finding->why);
    }
}

static void name_all(char *out, size_t size, const struct gate_look *look, enum gate_verdict verdict)
{
    unsigned which = 0;

    for (unsigned i = 0; i < GATE_METRICS; ++i)
        if (look->asked >> i & 1 && look->findings[i].verdict == verdict)
            which |= 1u << i;
    name_some(out, size, look, which, verdict == GATE_REGRESSION);
}

static void merge_words(struct gate_look *into, const struct gate_look *again)
{
    if (!again->lost && !again->broken && !again->alike)
        return;
    into->lost = again->lost;
    into->broken = again->broken;
    into->alike = again->alike;
    memcpy(into->words, again->words, sizeof into->words);
}

void gate_decide(struct gate_report *report)
{
    struct gate_look *decided = &report->decided;

    *decided = report->first;
    if (!report->looked_again)
        return;
    decided->verdict = GATE_PASS;
    merge_words(decided, &report->again);
    for (size_t i = 0; i < GATE_METRICS; ++i) {
        if ((report->again.asked >> i & 1) && report->again.findings[i].judged) /* else the doubt stays */
            decided->findings[i] = report->again.findings[i];
        if (decided->findings[i].verdict > decided->verdict)
            decided->verdict = decided->findings[i].verdict;
    }
    if (decided->lost)
        decided->verdict = GATE_REGRESSION;
}

enum gate_verdict gate_metric_verdict(const struct gate_report *report, size_t metric)
{
    const enum gate_verdict first = report->decided.findings[metric].verdict;
    const bool again = report->confirmed && (report->second.asked >> metric & 1);
    const enum gate_verdict second = again ? report->second.findings[metric].verdict : first;

    return second == GATE_REGRESSION && first != GATE_REGRESSION ? GATE_INCONCLUSIVE : second;
}

static unsigned regressions(const struct gate_report *report)
{
    unsigned which = 0;

    for (unsigned i = 0; i < GATE_METRICS; ++i)
        if (report->decided.asked >> i & 1 && gate_metric_verdict(report, i) == GATE_REGRESSION)
            which |= 1u << i;
    return which;
}

static void conclude_slower(struct gate_report *report)
{
    char names[1000];

    name_some(names, sizeof names, report->confirmed ? &report->second : &report->decided, regressions(report), true);
    conclude(report, GATE_REGRESSION,
             report->confirmed ? "slower, and seen again in fresh blocks: " : "slower: ", names);
}

static void conclude_second(struct gate_report *report)
{
    char names[1000];

    if (report->second.verdict != GATE_PASS) {
        name_all(names, sizeof names, &report->second, GATE_INCONCLUSIVE);
        conclude(report, GATE_INCONCLUSIVE, "slower at first, but the fresh blocks do not tell: ", names);
    } else {
        name_all(names, sizeof names, &report->decided, GATE_REGRESSION);
        conclude(report, GATE_PASS, "fresh blocks do not show again what was slower at first: ", names);
    }
}

static void conclude_first(struct gate_report *report)
{
    const struct gate_look *first = &report->decided;
    char names[1000];

    if (first->verdict != GATE_PASS) {
        name_all(names, sizeof names, first, GATE_INCONCLUSIVE);
        conclude(report, GATE_INCONCLUSIVE,
                 report->looked_again ? "it cannot be told, nor could it be when it was measured again: "
                                      : "it cannot be told: ",
                 names[0] ? names : "nothing could be judged");
    } else {
        name_tolerated(names, sizeof names, first);
        conclude(report, GATE_PASS, "nothing was measured to be slower by more than is tolerated", names);
    }
}

/* Noise makes a candidate slow now and then, and never makes it fail: once is no pass. */
static void conclude_broken(struct gate_report *report)
{
    if (!report->confirmed)
        conclude(report, GATE_INCONCLUSIVE, "the candidate could not be measured: ", report->decided.words);
    else if (report->decided.broken)
        conclude(
            report, GATE_INCONCLUSIVE,
            "the candidate could not be measured at first, though it could in fresh blocks: ", report->decided.words);
    else
        conclude(report, GATE_INCONCLUSIVE,
                 "slower at first, and the candidate could not be measured in fresh blocks: ", report->second.words);
}

/* What the first look could not tell is no pass because another metric was cleared. */
static void keep_doubts(struct gate_report *report)
{
    char names[1000];

    if (report->verdict != GATE_PASS || !report->confirmed)
        return;
    name_all(names, sizeof names, &report->decided, GATE_INCONCLUSIVE);
    if (names[0])
        conclude(report, GATE_INCONCLUSIVE, "it cannot be told: ", names);
}

static void conclude_speed(struct gate_report *report)
{
    const struct gate_look *first = &report->decided, *second = &report->second;
    const struct gate_look *last = report->confirmed ? second : first;

    if (first->asked == 0)
        conclude(report, GATE_PASS, "no clause newly fails", "");
    else if (first->lost || (report->confirmed && second->lost))
        conclude(report, GATE_REGRESSION, "messages did not arrive as they were sent, whatever the speed: ",
                 first->lost ? first->words : second->words);
    else if (first->broken && report->confirmed && second->broken)
        conclude(report, GATE_REGRESSION,
                 "the candidate cannot be measured any more, twice, and the baseline can, or clearly more often: ",
                 second->words);
    else if (regressions(report))
        conclude_slower(report);
    else if (first->broken || (report->confirmed && second->broken))
        conclude_broken(report);
    else if (last->alike)
        conclude(report, GATE_INCONCLUSIVE,
                 "the candidate could not be measured, and neither could the baseline: ", last->words);
    else if (report->confirmed)
        conclude_second(report);
    else
        conclude_first(report);
    keep_doubts(report);
}

/* "2 clauses newly fail; the first: DEL-001 …", beside what was concluded already, the worse one first. */
static void add_clauses(struct gate_report *report, enum gate_verdict verdict, const char *one, const char *several)
{
    const struct gate_clauses *clauses = &report->clauses;
    size_t count = gate_clauses_count(clauses, verdict), first = 0;
    char reason[700], before[sizeof report->words];

    if (count == 0)
        return;
    while (clauses->list[first].verdict != verdict)
        ++first;
    if (count == 1)
        snprintf(reason, sizeof reason, "%s: %.500s", one, clauses->list[first].text);
    else
        snprintf(reason, sizeof reason, "%zu %s; the first: %.500s", count, several, clauses->list[first].text);
    memcpy(before, report->words, sizeof before);
    if (report->verdict == GATE_PASS)
        snprintf(report->words, sizeof report->words, "%s", reason);
    else if (report->verdict < verdict)
        snprintf(report->words, sizeof report->words, "%s; and %.450s", reason, before);
    else
        snprintf(report->words, sizeof report->words, "%.480s; and %s", before, reason);
    if (report->verdict < verdict)
        report->verdict = verdict;
}

void gate_conclude(struct gate_report *report)
{
    gate_decide(report);
    conclude_speed(report);
    add_clauses(report, GATE_REGRESSION, "a clause newly fails", "clauses newly fail");
    add_clauses(report, GATE_INCONCLUSIVE, "a clause that passed is not known to be kept",
                "clauses that passed are not known to be kept");
}

unsigned gate_runs_needed(bool slowed)
{
    return slowed ? 20 : 50;
}

bool gate_often_right(bool slowed, unsigned runs, unsigned alarms, unsigned inconclusive)
{
    if (slowed)
        return 20 * (runs - alarms) <= runs;
    return 50 * alarms <= runs && 10 * inconclusive <= runs;
}
