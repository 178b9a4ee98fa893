/* What the gate makes of a conformance run beside a stored one. */
#include "cases.h"

#include "made.h"

#include <stdlib.h>

#define CASE_OF(clause, verdict)                                                                                       \
    "{\"record\":\"case\",\"driver\":\"mmipc\",\"clause\":\"" clause "\",\"level\":\"MUST\",\"title\":\"t\","          \
    "\"verdict\":\"" verdict "\",\"text\":\"3 lost\"}\n"

static struct gate_report with_clauses(const char *now, const char *before)
{
    struct made made = usual(1);
    struct gate_report report = conclude(&made, NULL);
    struct results_run new = read_run(now), old = read_run(before);

    report.compared_clauses = true;
    assert_int_equal(gate_clauses_compare(&report.clauses, &new, &old), 0);
    results_run_free(&new);
    results_run_free(&old);
    gate_conclude(&report);
    return report;
}

/* The verdict over one clause, and what is said first. */
static void becomes(const char *before, const char *now, enum gate_verdict verdict, const char *words)
{
    struct gate_report report = with_clauses(now, before);
    assert_int_equal(report.verdict, verdict);
    if (words)
        has(report.words, words);
    gate_clauses_free(&report.clauses);
}

static void a_clause_that_newly_fails_fails(void **state)
{
    struct gate_report report = with_clauses(CONFORMANCE CASE_OF("DEL-001", "fail") CASE_OF("DEL-002", "fail"),
                                             CONFORMANCE CASE_OF("DEL-001", "fail") CASE_OF("DEL-002", "pass"));
    (void)state;
    assert_int_equal(report.verdict, GATE_REGRESSION);
    assert_int_equal(report.clauses.count, 1);
    has(report.words, "a clause newly fails: DEL-002 fails: 3 lost");
    gate_clauses_free(&report.clauses);
    becomes(CONFORMANCE CASE_OF("DEL-001", "fail"), CONFORMANCE CASE_OF("DEL-001", "fail"), GATE_PASS, NULL);
    becomes(CONFORMANCE CASE_OF("DEL-001", "xfail"), CONFORMANCE CASE_OF("DEL-001", "xfail"), GATE_PASS, NULL);
    becomes(CONFORMANCE CASE_OF("DEL-002", "skip"), CONFORMANCE CASE_OF("DEL-001", "fail"), GATE_REGRESSION,
            "not judged before");
}

static void all_that_is_wrong_is_said(void **state)
{
    struct gate_clause changed[] = {{GATE_INCONCLUSIVE, (char[]){"DEL-002 is skipped"}},
                                    {GATE_REGRESSION, (char[]){"DEL-001 fails"}}};
    struct made slow = usual(1.25), few = usual(1.25), lost = usual(1);
    struct gate_report report;
    (void)state;
    few.blocks = 4;
    lost.error = "3 messages lost";
    lost.fault = "messages";
    report = conclude(&slow, &slow);
    report.clauses = (struct gate_clauses){changed, 2};
    gate_conclude(&report);
    has(report.words, "seen again in fresh blocks: one way");
    has(report.words,
        "; and a clause newly fails: DEL-001 fails; and a clause that passed is not known to be kept: DEL-002");
    report = conclude(&lost, NULL);
    report.clauses = (struct gate_clauses){changed + 1, 1};
    gate_conclude(&report);
    has(report.words, "messages did not arrive");
    has(report.words, "; and a clause newly fails: DEL-001 fails");
    report = conclude(&few, NULL);
    report.clauses = (struct gate_clauses){changed + 1, 1};
    gate_conclude(&report);
    assert_int_equal(report.verdict, GATE_REGRESSION);
    has(report.words, "a clause newly fails: DEL-001 fails; and it cannot be told: one way");
}

/* Who breaks a clause and says in the same change that this is expected, or does not apply, is heard all the same. */
static void what_passed_does_not_go_silent(void **state)
{
    (void)state;
    becomes(CONFORMANCE CASE_OF("DEL-001", "pass"), CONFORMANCE CASE_OF("DEL-001", "xfail"), GATE_REGRESSION,
            "DEL-001 fails, as is expected now; it passed before: 3 lost");
    becomes(CONFORMANCE CASE_OF("DEL-001", "pass"), CONFORMANCE CASE_OF("DEL-001", "skip"), GATE_INCONCLUSIVE,
            "DEL-001 is skipped, and passed before: 3 lost");
    becomes(CONFORMANCE CASE_OF("DEL-001", "xpass"), CONFORMANCE CASE_OF("DEL-001", "skip"), GATE_INCONCLUSIVE, NULL);
    becomes(CONFORMANCE CASE_OF("DEL-001", "pass"), CONFORMANCE CASE_OF("DEL-001", "unknown"), GATE_INCONCLUSIVE,
            "DEL-001 could not be judged");
    becomes(CONFORMANCE CASE_OF("DEL-001", "pass"), CONFORMANCE CASE_OF("DEL-001", "error"), GATE_INCONCLUSIVE,
            "DEL-001 ended in an error");
    becomes(CONFORMANCE CASE_OF("DEL-001", "pass") CASE_OF("DEL-003", "pass") CASE_OF("DEL-002", "pass"),
            CONFORMANCE CASE_OF("DEL-002", "pass"), GATE_INCONCLUSIVE,
            "2 clauses that passed are not known to be kept; the first: DEL-001 is not in this run");
    becomes(CONFORMANCE CASE_OF("DEL-001", "skip"), CONFORMANCE CASE_OF("DEL-001", "skip"), GATE_PASS, NULL);
}

#define CASE_BY(driver, clause, verdict)                                                                               \
    "{\"record\":\"case\",\"driver\":\"" driver "\",\"clause\":\"" clause "\",\"level\":\"MUST\",\"title\":\"t\","     \
    "\"verdict\":\"" verdict "\",\"text\":\"3 lost\"}\n"

static void each_driver_of_a_run_is_compared_with_itself(void **state)
{
    static const char both[] = CONFORMANCE CASE_BY("mmipc", "DEL-001", "pass") CASE_BY("fifo", "DEL-001", "fail");
    (void)state;
    becomes(both, both, GATE_PASS, NULL);
    becomes(both, CONFORMANCE CASE_BY("fifo", "DEL-001", "fail") CASE_BY("mmipc", "DEL-001", "fail"), GATE_REGRESSION,
            "mmipc: DEL-001 fails");
    becomes(both, CONFORMANCE CASE_BY("fifo", "DEL-001", "fail"), GATE_INCONCLUSIVE,
            "mmipc: DEL-001 is not in this run");
    becomes(CONFORMANCE CASE_BY("old.so", "DEL-001", "pass"), CONFORMANCE CASE_BY("new.so", "DEL-001", "fail"),
            GATE_REGRESSION, ": DEL-001 fails");
}

CASES_MAIN(CASE(a_clause_that_newly_fails_fails), CASE(all_that_is_wrong_is_said), CASE(what_passed_does_not_go_silent),
           CASE(each_driver_of_a_run_is_compared_with_itself))
