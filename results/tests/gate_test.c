/* What the gate makes of a run. */
#include "cases.h"

#include "gate/store.h"
#include "made.h"

#include <math.h>

static void the_same_passes(void **state)
{
    struct made made = usual(1);
    struct gate_report report = conclude(&made, NULL);
    (void)state;
    assert_int_equal(report.verdict, GATE_PASS);
    assert_int_equal(gate_to_confirm(&report.first) | gate_to_look_again(&report.first), 0);
    assert_int_equal(report.first.blocks, BLOCKS);
    for (int i = 0; i < GATE_METRICS; ++i)
        assert_true(report.first.findings[i].judged && report.first.findings[i].slower.count == BLOCKS);
    assert_true(gate_exit(GATE_PASS) == 0 && gate_exit(GATE_REGRESSION) == 1 && gate_exit(GATE_INCONCLUSIVE) == 2);
}

static void a_quarter_slower_is_a_regression_in_each_metric(void **state)
{
    struct made made = usual(1.25);
    struct gate_look look = judge(&made);
    (void)state;
    assert_int_equal(look.verdict, GATE_REGRESSION);
    assert_int_equal(gate_to_confirm(&look), ALL);
    assert_int_equal(gate_to_look_again(&look), 0);
    for (int i = 0; i < GATE_METRICS; ++i) {
        const struct gate_finding *finding = &look.findings[i];
        assert_int_equal(finding->verdict, GATE_REGRESSION);
        assert_true(fabs(finding->slower.median - 1.25) < 0.01 && finding->slower.low > 1.2 && finding->chance < 0.01);
    }
}

/* Of a rate, less is slower. */
static void faster_is_no_regression(void **state)
{
    struct made made = usual(0.7);
    struct gate_look look = judge(&made);
    (void)state;
    assert_int_equal(look.verdict, GATE_PASS);
    assert_true(look.findings[GATE_RATE].slower.high < 0.75 && look.findings[GATE_RATE].candidate > 5e6);
}

static void only_what_is_slower_is_confirmed(void **state)
{
    struct made made = usual(1.25);
    struct gate_look look;
    (void)state;
    made.hot = false;
    look = judge(&made);
    assert_int_equal(gate_to_confirm(&look), 1u << GATE_RATE);
    assert_int_equal(look.findings[GATE_P50].verdict, GATE_PASS);
}

/* Each block is slower, so it is certain; but it is tolerated. That is said. */
static void what_is_tolerated_passes(void **state)
{
    struct made made = usual(1.07), same = usual(1);
    struct gate_report report = conclude(&made, NULL);
    const struct gate_finding *finding = &report.first.findings[GATE_P50];
    (void)state;
    assert_int_equal(report.verdict, GATE_PASS);
    assert_true(finding->chance < 0.01 && finding->slower.low > 1 && gate_slower_within(finding));
    has(report.words, "slower, but tolerated: one way (both awake) p50, 64 B (+6.9 %), one way (both awake) p99, 64 B "
                      "(+6.9 %), throughput");
    report = conclude(&same, NULL);
    assert_false(gate_slower_within(&report.first.findings[GATE_P50]));
    assert_null(strstr(report.words, "but tolerated"));
}

static void the_tolerance_of_the_file_counts(void **state)
{
    static const char path[] = "tolerances.json";
    struct gate_tolerances out;
    char error[300];
    FILE *file = fopen(path, "w");
    (void)state;
    assert_non_null(file);
    fputs("{\"p99_ns\": 0.3}", file);
    fclose(file);
    assert_int_equal(gate_tolerances_read(&out, path, error, sizeof error), 0);
    assert_true(out.share[GATE_P99] == 0.3 && out.share[GATE_P50] == 0.10 && out.share[GATE_RATE] == 0.10);
    file = fopen(path, "w");
    assert_non_null(file);
    fputs("{\"p98_ns\": 0.3}", file);
    fclose(file);
    assert_true(gate_tolerances_read(&out, path, error, sizeof error) < 0);
    has(error, "p98_ns");
    unlink(path);
}

/* Six pairs, the least deviation of them on the other side: 2 chances in 64, which is significant alone, and not as one
 * of three questions. */
static void several_metrics_are_one_question(void **state)
{
    struct made made = usual(1.3);
    struct gate_look look;
    (void)state;
    made.blocks = 6;
    made.slower[2] = 0.999;
    made.hot = false;
    look = judge(&made);
    assert_true(look.findings[GATE_RATE].slower.low > 1.1);
    assert_true(fabs(look.findings[GATE_RATE].chance - 3 * 2.0 / 64) < 1e-9);
    assert_int_equal(look.verdict, GATE_INCONCLUSIVE); /* far beyond what is tolerated: no pass either */
    look = judge_only(&made, 1u << GATE_RATE);
    assert_true(fabs(look.findings[GATE_RATE].chance - 2.0 / 64) < 1e-9);
    assert_int_equal(look.verdict, GATE_REGRESSION);
}

/* What was measured as slower by more than is tolerated does not pass because it might be chance. */
static void what_is_beyond_but_not_certain_is_inconclusive(void **state)
{
    struct made made = usual(1);
    struct gate_report report;
    (void)state;
    for (int i = 0; i < BLOCKS; ++i) /* half of the blocks show nothing */
        made.slower[i] = i % 2 ? 1.5 : 0.85;
    report = conclude(&made, NULL);
    assert_true(report.first.findings[GATE_RATE].slower.median > 1.1 && report.first.findings[GATE_RATE].chance > 0.05);
    assert_int_equal(report.verdict, GATE_INCONCLUSIVE);
    has(report.words, " % slower, beyond the 10 % that are tolerated, but not for certain");
    assert_int_equal(gate_to_look_again(&report.first), ALL);
    for (int i = 0; i < BLOCKS; ++i) /* slower for certain, but by how much? */
        made.slower[i] = i % 2 ? 1.25 : 1.03;
    report = conclude(&made, NULL);
    assert_true(report.first.findings[GATE_RATE].chance < 0.01 && report.first.findings[GATE_RATE].slower.median > 1.1);
    assert_int_equal(report.verdict, GATE_INCONCLUSIVE);
    assert_int_equal(gate_to_confirm(&report.first), 0);
}

/* Two builds that are the same may be given in either order: what one order says of the one, the other one says of the
 * other. */
static void who_is_called_the_candidate_does_not_matter(void **state)
{
    struct made made = usual(1), turned;
    struct gate_look look, other;
    (void)state;
    for (int i = 0; i < BLOCKS; ++i)
        made.slower[i] = i % 4 == 0 ? 1.35 : 1.02 + 0.01 * (i % 5); /* now and then a slow cell, as machines have it */
    turned = made;
    for (int i = 0; i < BLOCKS; ++i) {
        turned.slower[i] = 1 / made.slower[i];
        turned.control[i] = made.control[i] / made.slower[i]; /* the very same cells, by other names */
    }
    look = judge(&made);
    other = judge(&turned);
    for (int i = 0; i < GATE_METRICS; ++i) {
        const struct results_spread *slower = &look.findings[i].slower, *faster = &other.findings[i].slower;
        assert_int_equal(slower->count, faster->count);
        assert_true(fabs(slower->median * faster->median - 1) < 1e-6);
        assert_true(fabs(slower->low * faster->high - 1) < 1e-6 && fabs(slower->high * faster->low - 1) < 1e-6);
    }
}

static void a_noisy_control_is_inconclusive_whatever_the_candidate(void **state)
{
    (void)state;
    for (int slow = 0; slow < 2; ++slow) {
        struct made made = usual(slow ? 1.6 : 1);
        struct gate_report report;
        for (int i = 0; i < BLOCKS; ++i)
            made.control[i] = i % 3 == 0 ? 1.4 : i % 3 == 1 ? 0.75 : 1.1;
        report = conclude(&made, NULL);
        assert_int_equal(report.verdict, GATE_INCONCLUSIVE);
        assert_int_equal(gate_to_confirm(&report.first), 0);
        assert_int_equal(gate_to_look_again(&report.first), ALL);
        has(report.words, "more noise than");
    }
}

/* What a second look shows of a metric counts, and nothing of what the first one showed of it. */
static void the_second_look_counts(void **state)
{
    struct made noisy = usual(1), slow = usual(1.25), fine = usual(1), broken = usual(1);
    struct gate_report report = {.looked_again = true};
    (void)state;
    for (int i = 0; i < BLOCKS; ++i)
        noisy.control[i] = i % 2 ? 1.5 : 0.7;
    slow.hot = false;
    broken.error = "it crashed";
    report.first = judge(&noisy);
    report.again = judge(&fine);
    gate_conclude(&report);
    assert_int_equal(report.verdict, GATE_PASS);
    report.again = judge(&slow);
    gate_decide(&report);
    assert_int_equal(gate_to_confirm(&report.decided), 1u << GATE_RATE);
    report.again = judge_only(&slow, 1u << GATE_RATE); /* of the others there is the first look alone */
    gate_decide(&report);
    assert_int_equal(report.decided.verdict, GATE_REGRESSION);
    assert_int_equal(gate_to_look_again(&report.decided), 1u << GATE_P50 | 1u << GATE_P99);
    report.again = judge(&noisy);
    gate_conclude(&report);
    assert_int_equal(report.verdict, GATE_INCONCLUSIVE);
    has(report.words, "nor could it be when it was measured again: one way (both awake) p50");
    report.again = judge(&broken);
    gate_decide(&report);
    assert_int_equal(gate_to_confirm(&report.decided), ALL);
    broken.fault = "messages";
    report.again = judge(&broken);
    gate_conclude(&report);
    assert_int_equal(report.verdict, GATE_REGRESSION);
    has(report.words, "it crashed");
}

static void five_pairs_are_inconclusive(void **state)
{
    struct made made = usual(2);
    struct gate_report report;
    (void)state;
    for (int i = 5; i < BLOCKS; ++i)
        made.placement[i] = i % 2 ? "distant" : "mixed";
    report = conclude(&made, NULL);
    assert_int_equal(report.verdict, GATE_INCONCLUSIVE);
    assert_int_equal(report.first.findings[GATE_RATE].slower.count, 5);
    assert_int_equal(gate_to_look_again(&report.first), ALL);
    made.placement[5] = NULL;
    assert_int_equal(judge(&made).verdict, GATE_REGRESSION);
}

/* The control says how noisy the machine is, and nothing else: the candidate is compared with the base. */
static void the_control_is_not_what_it_is_compared_with(void **state)
{
    struct made made = usual(1.25);
    struct gate_look look, other;
    (void)state;
    look = judge(&made);
    for (int i = 0; i < BLOCKS; ++i)
        made.control[i] *= 1.05;
    other = judge(&made);
    assert_int_equal(other.verdict, GATE_REGRESSION);
    assert_true(fabs(other.findings[GATE_P50].slower.median - look.findings[GATE_P50].slower.median) < 1e-9);
    assert_true(other.findings[GATE_P50].control.median > 1.04);
    for (int i = 0; i < 4; ++i)
        made.base_placement[i] = "distant";
    assert_int_equal(judge(&made).findings[GATE_P50].slower.count, BLOCKS - 4);
}

static void lost_messages_fail_whatever_the_speed(void **state)
{
    struct made made = usual(0.5);
    struct gate_report report;
    (void)state;
    made.error = "3 messages lost";
    made.fault = "messages";
    report = conclude(&made, NULL);
    assert_int_equal(report.verdict, GATE_REGRESSION);
    assert_int_equal(report.first.verdict, GATE_REGRESSION);
    assert_int_equal(gate_to_confirm(&report.first) | gate_to_look_again(&report.first), 0);
    has(report.words, "hot/candidate/64B/1x1 in block 3: 3 messages lost");
}

static void the_bases_error_is_not_the_candidates(void **state)
{
    struct made made = usual(1);
    struct gate_report report;
    (void)state;
    made.base_error = "3 messages lost";
    report = conclude(&made, NULL);
    assert_int_equal(report.verdict, GATE_INCONCLUSIVE);
    has(report.words, "baseline is an error (3 messages lost)");
    assert_int_equal(gate_to_look_again(&report.first), 1u << GATE_P50 | 1u << GATE_P99);
}

/* A rate that was not achieved, a crash: once may be the machine, twice, and never beside it, is not. */
static void who_cannot_be_measured_is_tried_again(void **state)
{
    struct made broken = usual(1), fine = usual(1), slow = usual(1.25), lost;
    struct gate_report report;
    (void)state;
    broken.error = "only 9000 messages a second of 10000 were sent";
    report = conclude(&broken, NULL);
    assert_int_equal(report.verdict, GATE_INCONCLUSIVE);
    assert_int_equal(gate_to_confirm(&report.first), ALL);
    assert_int_equal(gate_to_look_again(&report.first), 0);
    assert_int_equal(conclude(&broken, &broken).verdict, GATE_REGRESSION);
    report = conclude(&broken, &fine); /* noise is no reason */
    assert_int_equal(report.verdict, GATE_INCONCLUSIVE);
    has(report.words, "though it could in fresh blocks: hot/candidate/64B/1x1 in block 3: only 9000 messages");
    report = conclude(&slow, &broken);
    assert_int_equal(report.verdict, GATE_INCONCLUSIVE);
    has(report.words, "could not be measured in fresh blocks: hot/candidate/64B/1x1 in block 3: only 9000 messages");
    lost = broken;
    lost.fault = "messages";
    assert_int_equal(conclude(&broken, &lost).verdict, GATE_REGRESSION);
}

static void a_regression_outweighs_a_row_that_failed(void **state)
{
    struct made made = usual(1.25), broken = usual(1);
    struct gate_report report;
    (void)state;
    made.hot = false;
    made.error = broken.error = "it crashed";
    report = conclude(&made, NULL);
    assert_int_equal(report.verdict, GATE_REGRESSION);
    has(report.words, "slower: throughput, 64 B (+25 %");
    made.error = NULL;
    assert_int_equal(conclude(&broken, &made).verdict, GATE_INCONCLUSIVE); /* slower in fresh blocks alone */
    made.error = "it crashed";
    broken = made;
    broken.error = NULL;
    report = conclude(&made, &broken); /* in both */
    assert_int_equal(report.verdict, GATE_REGRESSION);
    has(report.words, "seen again in fresh blocks: throughput");
}

/* A machine that makes both fail, or a fault that was there before. */
static void what_the_base_does_as_well_is_not_the_candidates(void **state)
{
    struct made made = usual(1), many;
    struct gate_report report;
    (void)state;
    made.error = made.base_error = "2 messages lost";
    for (int lost = 0; lost < 2; ++lost) {
        made.fault = made.base_fault = lost ? "messages" : NULL;
        report = conclude(&made, NULL);
        assert_int_equal(report.verdict, GATE_INCONCLUSIVE);
        assert_int_equal(gate_to_confirm(&report.first) | gate_to_look_again(&report.first), 0);
        has(report.words,
            "hot/candidate/64B/1x1 in block 3: 2 messages lost; of the baseline, hot/base/64B/1x1 in block 3");
    }
    many = made;
    many.errors = 1; /* 2 of 12, and 1 of 24 */
    report = conclude(&many, NULL);
    assert_int_equal(gate_to_confirm(&report.first), 0);
    many.errors = 6;
    report = conclude(&many, &many);
    assert_int_equal(gate_to_confirm(&report.first), ALL);
    assert_int_equal(report.verdict, GATE_REGRESSION);
    has(report.words, "or clearly more often: hot/candidate/64B/1x1 in block 3: 2 messages lost (7 of 12 cells; of the "
                      "baseline's 1 of 24)");
    made.base_fault = NULL; /* another fault than the candidate's */
    assert_int_equal(conclude(&made, NULL).verdict, GATE_REGRESSION);
}

static void a_regression_has_to_be_seen_again(void **state)
{
    struct made slow = usual(1.25), fine = usual(1), noisy = usual(1.25);
    struct gate_report report = conclude(&slow, &slow);
    (void)state;
    assert_int_equal(report.verdict, GATE_REGRESSION);
    has(report.words, "seen again");
    report = conclude(&slow, &fine);
    assert_int_equal(report.verdict, GATE_PASS);
    has(report.words, "do not show again");
    for (int i = 0; i < BLOCKS; ++i)
        noisy.control[i] = i % 2 ? 1.4 : 0.75;
    report = conclude(&slow, &noisy);
    assert_int_equal(report.verdict, GATE_INCONCLUSIVE);
}

/* One metric was cleared; of the other nobody knows. */
static void a_doubt_stays_when_an_alarm_was_none(void **state)
{
    struct made first = usual(1.25), fine = usual(1);
    struct gate_report report = {.confirmed = true};
    (void)state;
    report.first = judge(&first);
    report.first.findings[GATE_P99].verdict = GATE_INCONCLUSIVE;
    report.second = judge_only(&fine, gate_to_confirm(&report.first));
    gate_conclude(&report);
    assert_int_equal(report.verdict, GATE_INCONCLUSIVE);
}

static void a_percentile_that_the_base_never_had_is_not_judged(void **state)
{
    struct made made = usual(1);
    struct gate_look look;
    (void)state;
    made.p99 = false;
    look = judge(&made);
    assert_int_equal(look.verdict, GATE_PASS);
    assert_false(look.findings[GATE_P99].judged);
    has(look.findings[GATE_P99].why, "--cell-seconds");
    assert_int_equal(judge_only(&made, 1u << GATE_P99).verdict, GATE_INCONCLUSIVE); /* nothing judged is no pass */
}

static void nothing_is_no_pass(void **state)
{
    struct made made = usual(1);
    struct gate_report report;
    (void)state;
    made.blocks = 0;
    report = conclude(&made, NULL);
    assert_int_equal(report.verdict, GATE_INCONCLUSIVE);
}

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

/* ---- stored -------------------------------------------------------------------------------------------------- */

/* A run of a machine where all takes `pace` of the time; the driver alone takes `slower` more. */
static char *machine(double pace, double slower, double noise, bool limits)
{
    char *text = NULL, metrics[100];
    size_t size;
    FILE *out = open_memstream(&text, &size);

    assert_non_null(out);
    fputs("{\"record\":\"header\",\"format\":1,\"kind\":\"bench\",\"planned\":1,\"environment\":{\"cpu\":\"A\"}}\n",
          out);
    for (int block = 0; block < BLOCKS; ++block) {
        double here = pace * (1 + 0.05 * (block % 3)), own = slower * (1 + noise * (block % 4 - 1.5));
        snprintf(metrics, sizeof metrics, "\"messages_per_second\":%.9g", 4e6 / here / own);
        write_cell(out, "throughput", "candidate", block, NULL, metrics, NULL, NULL);
        if (limits)
            fprintf(
                out,
                "{\"record\":\"cell\",\"row\":\"limit/bare-ring/64B\",\"family\":\"limit\",\"driver\":\"limit\","
                "\"size\":64,\"publishers\":1,\"subscribers\":1,\"block\":%d,\"placement\":\"cluster\","
                "\"limit_of\":[\"throughput\"],\"limit_kind\":\"bound\",\"metrics\":{\"messages_per_second\":%.9g}}\n",
                block, 8e6 / here);
    }
    assert_int_equal(fclose(out), 0);
    return text;
}

static struct gate_look beside_stored(char *now, char *stored)
{
    struct results_run runs[] = {read_run(now), read_run(stored)};
    struct gate_tolerances usual_ones = tolerances();
    struct results_rows rows;
    struct gate_look look;

    assert_int_equal(results_rows_build(&rows, runs, 2), 0);
    assert_int_equal(gate_judge_stored(&look, &rows, 0, 1, &usual_ones, 1u << GATE_RATE), 0);
    results_rows_free(&rows);
    results_run_free(&runs[0]);
    results_run_free(&runs[1]);
    free(now);
    free(stored);
    return look;
}

static void a_stored_run_is_taken_over_its_own_machine(void **state)
{
    struct gate_look look;
    (void)state;
    assert_int_equal(beside_stored(machine(2, 1, 0.01, true), machine(1, 1, 0.01, true)).verdict, GATE_PASS);
    assert_int_equal(beside_stored(machine(0.5, 1.3, 0.01, true), machine(1, 1, 0.01, true)).verdict, GATE_REGRESSION);
    assert_int_equal(beside_stored(machine(1, 1, 0.01, false), machine(1, 1, 0.01, false)).verdict, GATE_INCONCLUSIVE);
    assert_int_equal(beside_stored(machine(1, 1, 0.3, true), machine(1, 1, 0.3, true)).verdict, GATE_INCONCLUSIVE);
    look = beside_stored(machine(1, 1.13, 0.04, true), machine(1, 1, 0.04, true));
    assert_int_equal(look.verdict, GATE_INCONCLUSIVE);
    has(look.findings[GATE_RATE].why, "but not for certain");
}

#define MEASURED(members, cell)                                                                                        \
    "{\"record\":\"header\",\"format\":1,\"kind\":\"bench\",\"cell_seconds\":" cell ",\"environment\":{" members "}}"  \
    "\n"

static void another_environment_is_seen(void **state)
{
    struct results_run one = read_run(MEASURED("\"cpu\":\"A\",\"cpus\":2,\"load\":1,\"kernel\":\"6.1\"", "0.15"));
    struct results_run load = read_run(MEASURED("\"cpu\":\"A\",\"cpus\":2,\"load\":9,\"kernel\":\"6.1\"", "0.15"));
    struct results_run other = read_run(MEASURED("\"cpu\":\"B\",\"cpus\":4,\"kernel\":\"6.1\"", "0.15"));
    struct results_run build =
        read_run(MEASURED("\"cpu\":\"A\",\"cpus\":2,\"kernel\":\"6.2\",\"compiler\":\"c\",\"flags\":\"-O1\"", "0.5"));
    char text[600];
    (void)state;
    assert_false(store_other_machine(&one, &load, text, sizeof text));
    assert_false(store_other_build(&one, &load, text, sizeof text));
    assert_true(store_other_machine(&one, &other, text, sizeof text));
    assert_string_equal(text, "cpu is \"A\", and was \"B\"; cpus is 2, and was 4");
    assert_false(store_other_machine(&one, &build, text, sizeof text));
    assert_true(store_other_build(&one, &build, text, sizeof text));
    assert_string_equal(text,
                        "kernel is \"6.1\", and was \"6.2\"; compiler is unknown, and was \"c\"; flags is unknown, and "
                        "was \"-O1\"; cell_seconds is 0.15, and was 0.5");
    results_run_free(&one);
    results_run_free(&load);
    results_run_free(&other);
    results_run_free(&build);
}

static void how_often_it_may_be_wrong(void **state)
{
    (void)state;
    assert_true(gate_often_right(false, 50, 1, 5) && gate_often_right(true, 20, 19, 1));
    assert_false(gate_often_right(false, 50, 2, 0));
    assert_false(gate_often_right(false, 50, 0, 6));
    assert_false(gate_often_right(true, 20, 18, 2));
}

CASES_MAIN(CASE(the_same_passes), CASE(a_quarter_slower_is_a_regression_in_each_metric), CASE(faster_is_no_regression),
           CASE(the_second_look_counts), CASE(only_what_is_slower_is_confirmed), CASE(what_is_tolerated_passes),
           CASE(the_tolerance_of_the_file_counts), CASE(several_metrics_are_one_question),
           CASE(what_is_beyond_but_not_certain_is_inconclusive), CASE(who_is_called_the_candidate_does_not_matter),
           CASE(a_noisy_control_is_inconclusive_whatever_the_candidate), CASE(five_pairs_are_inconclusive),
           CASE(the_control_is_not_what_it_is_compared_with), CASE(lost_messages_fail_whatever_the_speed),
           CASE(the_bases_error_is_not_the_candidates), CASE(who_cannot_be_measured_is_tried_again),
           CASE(a_regression_outweighs_a_row_that_failed), CASE(what_the_base_does_as_well_is_not_the_candidates),
           CASE(a_regression_has_to_be_seen_again), CASE(a_doubt_stays_when_an_alarm_was_none),
           CASE(a_percentile_that_the_base_never_had_is_not_judged), CASE(nothing_is_no_pass),
           CASE(a_clause_that_newly_fails_fails), CASE(all_that_is_wrong_is_said), CASE(what_passed_does_not_go_silent),
           CASE(each_driver_of_a_run_is_compared_with_itself), CASE(a_stored_run_is_taken_over_its_own_machine),
           CASE(another_environment_is_seen), CASE(how_often_it_may_be_wrong))
