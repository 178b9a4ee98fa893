/* The time left: by the rule first, then by what was measured. */
#include "cases.h"
#include "progress.h"

static bool is_near(double value, double wanted)
{
    return value > wanted * 0.95 && value < wanted * 1.05;
}

static void the_rule_until_something_was_measured(void **state)
{
    const progress_kind kinds[] = {{.usual = 2, .planned = 3}, {.usual = 10, .planned = 1}};
    (void)state;
    assert_true(is_near(progress_left(kinds, 2), 16));
}

static void a_slow_machine_is_learnt_about(void **state)
{
    const progress_kind kinds[] = {{.usual = 100, .measured = 400, .planned = 1, .ended = 1},
                                   {.usual = 100, .planned = 1}};
    (void)state;
    assert_true(progress_left(kinds, 2) > 350 && progress_left(kinds, 2) < 400);
}

static void what_was_measured_of_a_kind_counts_for_it(void **state)
{
    const progress_kind kinds[] = {{.usual = 1, .measured = 60, .planned = 20, .ended = 2}};
    (void)state;
    assert_true(is_near(progress_left(kinds, 1), 18 * 30));
}

static void nothing_is_left_at_the_end(void **state)
{
    const progress_kind kinds[] = {{.usual = 1, .measured = 3, .planned = 1, .ended = 1},
                                   {.usual = 0, .planned = 5}}; /* skipped */
    char text[64];
    (void)state;
    assert_true(progress_left(kinds, 2) == 0);
    assert_string_equal(progress_text(0, text, sizeof text), "");
}

static void the_words_have_a_fitting_unit(void **state)
{
    char text[64];
    (void)state;
    assert_string_equal(progress_text(42, text, sizeof text), "about 42 s left");
    assert_string_equal(progress_text(600, text, sizeof text), "about 10 min left");
    assert_string_equal(progress_text(9000, text, sizeof text), "about 2.5 h left");
}

CASES_MAIN(CASE(the_rule_until_something_was_measured), CASE(a_slow_machine_is_learnt_about),
           CASE(what_was_measured_of_a_kind_counts_for_it), CASE(nothing_is_left_at_the_end),
           CASE(the_words_have_a_fitting_unit))
