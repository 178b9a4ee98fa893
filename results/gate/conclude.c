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

/* "one way (both awake) p50, 64 B; throughput, 64 B", of all with this verdict. */
static void name_all(char *out, size_t size, const struct gate_look *look, enum gate_verdict verdict)
{
    size_t used = 0;

    out[0] = '\0';
    for (size_t i = 0; i < GATE_METRICS && used < size; ++i)
        if (look->asked >> i & 1 && look->findings[i].verdict == verdict) {
            const struct gate_finding *finding = &look->findings[i];
            int more = snprintf(out + used, size - used, "%s%s", used ? "; " : "", finding->metric->words);
            used += (size_t)more;
            if (verdict == GATE_REGRESSION && used < size)
                used += (size_t)snprintf(out + used, size - used,
                                         " (%+.0f %%, interval %+.0f to %+.0f %%; %.0f %% are tolerated)",
                                         100 * (finding->slower.median - 1), 100 * (finding->slower.low - 1),
                                         100 * (finding->slower.high - 1), 100 * finding->tolerance);
            else if (finding->why[0] && used < size)
                used += (size_t)snprintf(out + used, size - used, " (%s)", finding->why);
        }
}

static void conclude_second(struct gate_report *report)
{
    char names[1000];

    if (report->second.verdict == GATE_REGRESSION) {
        name_all(names, sizeof names, &report->second, GATE_REGRESSION);
        conclude(report, GATE_REGRESSION, "slower, and seen again in fresh blocks: ", names);
    } else if (report->second.verdict == GATE_INCONCLUSIVE) {
        name_all(names, sizeof names, &report->second, GATE_INCONCLUSIVE);
        conclude(report, GATE_INCONCLUSIVE, "slower at first, but the fresh blocks do not tell: ", names);
    } else {
        name_all(names, sizeof names, &report->first, GATE_REGRESSION);
        conclude(report, GATE_PASS, "fresh blocks do not show again what was slower at first: ", names);
    }
}

static void conclude_first(struct gate_report *report)
{
    const struct gate_look *first = &report->first;
    char names[1000];

    name_all(names, sizeof names, first, first->verdict);
    if (first->verdict == GATE_REGRESSION)
        conclude(report, GATE_REGRESSION, "slower: ", names);
    else if (first->verdict == GATE_INCONCLUSIVE)
        conclude(report, GATE_INCONCLUSIVE, "it cannot be told: ", names[0] ? names : "nothing could be judged");
    else {
        name_tolerated(names, sizeof names, first);
        conclude(report, GATE_PASS, "nothing was measured to be slower by more than is tolerated", names);
    }
}

/* What the first look could not tell is no pass because another metric was cleared. */
static void keep_doubts(struct gate_report *report)
{
    char names[1000];

    if (report->verdict != GATE_PASS || !report->confirmed)
        return;
    name_all(names, sizeof names, &report->first, GATE_INCONCLUSIVE);
    if (names[0])
        conclude(report, GATE_INCONCLUSIVE, "it cannot be told: ", names);
}

static void conclude_speed(struct gate_report *report)
{
    const struct gate_look *first = &report->first, *second = &report->second;

    if (first->asked == 0)
        conclude(report, GATE_PASS, "no clause newly fails", "");
    else if (first->lost || (report->confirmed && second->lost))
        conclude(report, GATE_REGRESSION, "messages did not arrive as they were sent, whatever the speed: ",
                 first->lost ? first->words : second->words);
    else if (first->broken && report->confirmed && second->broken)
        conclude(report, GATE_REGRESSION,
                 "the candidate cannot be measured any more, twice, and the baseline can: ", second->words);
    else if (first->broken && !report->confirmed)
        conclude(report, GATE_INCONCLUSIVE, "the candidate could not be measured: ", first->words);
    else if (report->confirmed)
        conclude_second(report);
    else
        conclude_first(report);
    if (!first->broken)
        keep_doubts(report);
}

/* "2 clauses newly fail; the first: DEL-001 …" */
static void conclude_clauses(struct gate_report *report, enum gate_verdict verdict, const char *one,
                             const char *several)
{
    const struct gate_clauses *clauses = &report->clauses;
    size_t count = gate_clauses_count(clauses, verdict), first = 0;
    char reason[100];

    while (first < clauses->count && clauses->list[first].verdict != verdict)
        ++first;
    if (count == 1)
        snprintf(reason, sizeof reason, "%s: ", one);
    else
        snprintf(reason, sizeof reason, "%zu %s; the first: ", count, several);
    conclude(report, verdict, reason, clauses->list[first].text);
}

void gate_conclude(struct gate_report *report)
{
    conclude_speed(report);
    if (gate_clauses_count(&report->clauses, GATE_REGRESSION) > 0 && !report->first.lost)
        conclude_clauses(report, GATE_REGRESSION, "a clause newly fails", "clauses newly fail");
    else if (gate_clauses_count(&report->clauses, GATE_INCONCLUSIVE) > 0 && report->verdict == GATE_PASS)
        conclude_clauses(report, GATE_INCONCLUSIVE, "a clause that passed is not known to be kept",
                         "clauses that passed are not known to be kept");
}

bool gate_often_right(bool slowed, unsigned runs, unsigned alarms, unsigned inconclusive)
{
    if (slowed)
        return 20 * (runs - alarms) <= runs;
    return 50 * alarms <= runs && 10 * inconclusive <= runs;
}
