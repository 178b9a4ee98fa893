#include "cases.h"
#include "clause.h"

#include <stdlib.h>

static void ids_are_unique_and_well_formed(void **state)
{
    const clause *about, *other;
    (void)state;
    for (size_t i = 0; (about = clause_at(i)) != NULL; ++i) {
        const char *dash = strrchr(about->id, '-');
        assert_non_null(dash);
        assert_int_equal(strlen(dash), 4);
        assert_true(atoi(dash + 1) > 0);
        for (size_t k = i + 1; (other = clause_at(k)) != NULL; ++k)
            assert_string_not_equal(about->id, other->id);
    }
    assert_true(clause_find("DEL-001") == clause_at(0));
    assert_null(clause_find("DEL-000"));
}

static void each_can_be_played(void **state)
{
    const clause *about;
    (void)state;
    for (size_t i = 0; (about = clause_at(i)) != NULL; ++i) {
        assert_non_null(about->play);
        assert_in_range(about->publishers, 1, 16);
        assert_in_range(about->subscribers, 1, 16);
        assert_true(about->promise[strlen(about->promise) - 1] == '.');
    }
}

static void patterns_select(void **state)
{
    (void)state;
    assert_true(clause_matches("DEL-001", "DEL-001"));
    assert_true(clause_matches("CON-001 DEL-*", "DEL-001"));
    assert_true(clause_matches("  kill-00[12] ", "KILL-002"));
    assert_false(clause_matches("kill-00[12]", "KILL-003"));
    assert_false(clause_matches("DEL-0011", "DEL-001"));
    assert_false(clause_matches("DEL-00", "DEL-001"));
    assert_false(clause_matches("", "DEL-001"));
    assert_false(clause_matches(NULL, "DEL-001"));
}

CASES_MAIN(CASE(ids_are_unique_and_well_formed), CASE(each_can_be_played), CASE(patterns_select))
