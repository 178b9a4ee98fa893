/* What the gate makes of a run. */
#include "cases.h"

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
    fine.p99 = false; /* whereupon nobody can say more of it than before */
    report.again = judge(&fine);
    assert_false(report.again.findings[GATE_P99].judged);
    gate_conclude(&report);
    assert_int_equal(report.verdict, GATE_INCONCLUSIVE);
    assert_int_equal(report.decided.findings[GATE_P50].verdict, GATE_PASS);
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

/* Blocks without it make no pair, and those that are left may well be the fast ones. */
static void a_percentile_that_the_candidate_has_seldom_is_no_pass(void **state)
{
    struct made made = usual(1);
    struct gate_look look;
    (void)state;
    made.lacking = 1;
    look = judge(&made);
    assert_int_equal(look.findings[GATE_P99].verdict, GATE_PASS);
    assert_int_equal(look.findings[GATE_P99].slower.count, BLOCKS - 1);
    made.lacking = 6;
    look = judge(&made);
    assert_int_equal(look.findings[GATE_P99].verdict, GATE_INCONCLUSIVE);
    assert_int_equal(gate_to_look_again(&look), 1u << GATE_P99);
    has(look.findings[GATE_P99].why, "too slow for it in 6 of 12 cells, and the baseline in 0 of 24");
    assert_int_equal(look.findings[GATE_P50].verdict, GATE_PASS);
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

static void how_often_it_may_be_wrong(void **state)
{
    (void)state;
    assert_true(gate_often_right(false, 50, 1, 5) && gate_often_right(true, 20, 19, 1));
    assert_false(gate_often_right(false, 50, 2, 0));
    assert_false(gate_often_right(false, 50, 0, 6));
    assert_false(gate_often_right(true, 20, 18, 2));
    assert_true(gate_runs_needed(false) == 50 && gate_runs_needed(true) == 20);
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
           CASE(a_percentile_that_the_base_never_had_is_not_judged),
           CASE(a_percentile_that_the_candidate_has_seldom_is_no_pass), CASE(nothing_is_no_pass),
           CASE(how_often_it_may_be_wrong))
