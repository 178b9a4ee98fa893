#include "cases.h"
#include "expect.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

static char problem[512];

/* Loads expectations from a text. */
static int load(expect_list **out, const char *text)
{
    char path[] = "/tmp/ipcmark-expect-XXXXXX";
    const int file = mkstemp(path);
    int error;
    assert_true(file >= 0);
    assert_int_equal(write(file, text, strlen(text)), (ssize_t)strlen(text));
    close(file);
    error = expect_load(out, path, problem, sizeof problem);
    unlink(path);
    return error;
}

static verdict applied(expect_list *list, const char *id, const char *driver, verdict before, const char *violation,
                       unsigned rounds)
{
    result item = {.driver = driver, .clause = clause_find(id), .verdict = before};
    assert_non_null(item.clause);
    snprintf(item.violation, sizeof item.violation, "%s", violation);
    item.text = strdup("what was seen");
    expect_apply(list, &item, rounds);
    assert_non_null(item.text);
    assert_int_equal(strstr(item.text, "does not hold") != NULL, item.verdict == VERDICT_XPASS);
    free(item.text);
    return item.verdict;
}

/* What becomes of a verdict. */
struct turn {
    const char *id, *driver;
    verdict before;
    const char *violation;
    verdict after;
};

/* One after the other, in a run of one round; text NULL: without expectations. */
static void turns(const char *text, const struct turn *all, size_t count)
{
    expect_list *list = NULL;
    if (text != NULL)
        assert_int_equal(load(&list, text), 0);
    for (size_t i = 0; i < count; ++i)
        assert_int_equal(applied(list, all[i].id, all[i].driver, all[i].before, all[i].violation, 1), all[i].after);
    expect_free(list);
}

static void xfail_excuses_its_own_class_only(void **state)
{
    static const struct turn all[] = {
        {"DEL-009", "fifo", VERDICT_FAIL, "phantom", VERDICT_XFAIL},
        {"DEL-009", "fifo?x=1", VERDICT_FAIL, "phantom", VERDICT_XFAIL},
        {"DEL-009", "fifo", VERDICT_FAIL, "lost", VERDICT_XPASS},
        {"DEL-009", "fifo", VERDICT_PASS, "", VERDICT_XPASS},
    };
    (void)state;
    turns("# known\n\n  DEL-009 fifo* xfail phantom man 7 pipe\n", all, sizeof all / sizeof all[0]);
}

static void intermittent_may_pass_and_fail_in_its_class(void **state)
{
    static const struct turn all[] = {
        {"DEL-001", "nng", VERDICT_FAIL, "lost", VERDICT_XFAIL},
        {"DEL-001", "nng", VERDICT_FAIL, "lost", VERDICT_XFAIL},
        {"DEL-001", "nng", VERDICT_PASS, "", VERDICT_PASS},
        {"DEL-001", "nng", VERDICT_FAIL, "duplicate", VERDICT_XPASS},
        {"DEL-001", "nng", VERDICT_UNKNOWN, "", VERDICT_UNKNOWN},
        {"DEL-002", "nng", VERDICT_FAIL, "lost", VERDICT_FAIL},
    };
    (void)state;
    turns("DEL-001 nng intermittent lost nng_pub(7)\n", all, sizeof all / sizeof all[0]);
}

static void an_intermittent_line_that_is_none_is_named(void **state)
{
    static const char *const expected[] = {
        "", "FILE:1: passed 20 times of 20; is it mended? Then take the line out\n",
        "FILE:1: failed 20 times of 20; if it always does, the line should say xfail\n", ""};
    (void)state;
    for (int how = 0; how < 4; ++how) { /* too few; never; always; both */
        expect_list *list;
        char *text;
        size_t size;
        FILE *file = open_memstream(&text, &size);
        assert_int_equal(load(&list, "DEL-001 nng intermittent lost nng_pub(7)\n"), 0);
        for (int i = how == 0; i < 20; ++i) {
            const bool fails = how == 2 || (how == 3 && i == 0);
            applied(list, "DEL-001", "nng", fails ? VERDICT_FAIL : VERDICT_PASS, fails ? "lost" : "", 20);
        }
        expect_print_steady(file, list, "FILE");
        fclose(file);
        assert_string_equal(text, expected[how]);
        free(text);
        expect_free(list);
    }
}

static void others_are_left_alone(void **state)
{
    static const struct turn all[] = {
        {"DEL-008", "fifo", VERDICT_FAIL, "phantom", VERDICT_FAIL},
        {"DEL-009", "tcp", VERDICT_FAIL, "phantom", VERDICT_FAIL},
        {"DEL-009", "fifo", VERDICT_SKIP, "", VERDICT_SKIP},
        {"DEL-009", "fifo", VERDICT_UNKNOWN, "", VERDICT_UNKNOWN},
        {"DEL-009", "fifo", VERDICT_ERROR, "", VERDICT_ERROR},
    };
    static const struct turn any = {"DEL-009", "fifo", VERDICT_FAIL, "phantom", VERDICT_FAIL};
    (void)state;
    turns("DEL-009 fifo xfail phantom man 7 pipe\n", all, sizeof all / sizeof all[0]);
    turns(NULL, &any, 1);
}

static void flaky_tolerates_so_many_failures(void **state)
{
    expect_list *list;
    (void)state;
    assert_int_equal(load(&list, "KILL-001 tcp flaky 2/20 tracker, 12\n"), 0);
    /* 2 of 20 are 1 in 10 rounds. */
    assert_int_equal(applied(list, "KILL-001", "tcp", VERDICT_PASS, "", 10), VERDICT_PASS);
    assert_int_equal(applied(list, "KILL-001", "tcp", VERDICT_FAIL, "lost", 10), VERDICT_XFAIL);
    assert_int_equal(applied(list, "KILL-001", "tcp", VERDICT_FAIL, "lost", 10), VERDICT_FAIL);
    expect_free(list);
}

static void too_few_rounds_excuse_nothing(void **state)
{
    expect_list *list;
    (void)state;
    assert_int_equal(load(&list, "KILL-001 tcp flaky 2/20 tracker, 12\n"), 0);
    assert_int_equal(applied(list, "KILL-001", "tcp", VERDICT_FAIL, "lost", 9), VERDICT_FAIL);
    expect_free(list);
}

static void the_first_line_counts(void **state)
{
    expect_list *list;
    (void)state;
    assert_int_equal(load(&list, "DEL-009 * xfail lost a\nDEL-009 fifo xfail phantom b\n"), 0);
    assert_int_equal(applied(list, "DEL-009", "fifo", VERDICT_FAIL, "lost", 1), VERDICT_XFAIL);
    assert_int_equal(applied(list, "DEL-009", "fifo", VERDICT_FAIL, "phantom", 1), VERDICT_XPASS);
    expect_free(list);
}

static void a_line_may_be_long(void **state)
{
    expect_list *list;
    char text[5000];
    (void)state;
    memset(text, 'x', sizeof text);
    memcpy(text, "DEL-001 fifo xfail lost ", strlen("DEL-001 fifo xfail lost "));
    strcpy(text + sizeof text - 40, "\nDEL-002 fifo xfail lost src\n");
    assert_int_equal(load(&list, text), 0);
    assert_int_equal(applied(list, "DEL-002", "fifo", VERDICT_FAIL, "lost", 1), VERDICT_XFAIL);
    expect_free(list);
}

static void lines_for_nobody_are_named(void **state)
{
    expect_list *list;
    char *text;
    size_t size;
    FILE *file = open_memstream(&text, &size);
    (void)state;
    assert_int_equal(
        load(&list, "# c\nDEL-001 nobody xfail lost a\nDEL-001 fi* xfail lost b\nDEL-002 tcq flaky 1/9 c\n"), 0);
    expect_meet(list, "fifo");
    expect_print_unmet(file, list, "FILE");
    fclose(file);
    assert_string_equal(text, "2, 4: these lines of FILE are for no driver of this run\n");
    free(text);
    expect_free(list);
}

static void at_most_two_lines_are_flaky(void **state)
{
    expect_list *list;
    (void)state;
    assert_int_equal(load(&list, "DEL-001 * flaky 1/9 a\nDEL-002 tcp flaky 1/9 b\nDEL-003 tcp flaky 1/9 c\n"), 0);
    assert_true(expect_too_many_flaky(list, "tcp"));
    assert_false(expect_too_many_flaky(list, "fifo"));
    assert_false(expect_too_many_flaky(NULL, "fifo"));
    expect_free(list);
}

static void bad_lines_are_named(void **state)
{
    static const char *const bad[] = {"DEL-001 fifo\n",
                                      "DEL-001 fifo xfail lost\n",
                                      "DEL-001 fifo sometimes lost x\n",
                                      "DEL-999 fifo xfail lost x\n",
                                      "DEL-001 fifo xfail losst x\n",
                                      "DEL-001 fifo intermittent 1/2 x\n",
                                      "DEL-001 fifo flaky often x\n",
                                      "DEL-001 fifo flaky 3/2 x\n",
                                      "DEL-001 fifo flaky 0/2 x\n"};
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; ++i) {
        expect_list *list;
        char text[128];
        snprintf(text, sizeof text, "# a comment\n%s", bad[i]);
        assert_int_equal(load(&list, text), -EINVAL);
        assert_non_null(strstr(problem, ":2: "));
    }
}

static void a_missing_file_is_an_error(void **state)
{
    expect_list *list;
    (void)state;
    assert_int_equal(expect_load(&list, "/nonexistent/expect", problem, sizeof problem), -ENOENT);
    assert_non_null(strstr(problem, "/nonexistent/expect"));
}

CASES_MAIN(CASE(xfail_excuses_its_own_class_only), CASE(intermittent_may_pass_and_fail_in_its_class),
           CASE(an_intermittent_line_that_is_none_is_named), CASE(others_are_left_alone),
           CASE(flaky_tolerates_so_many_failures), CASE(too_few_rounds_excuse_nothing), CASE(the_first_line_counts),
           CASE(a_line_may_be_long), CASE(lines_for_nobody_are_named), CASE(at_most_two_lines_are_flaky),
           CASE(bad_lines_are_named), CASE(a_missing_file_is_an_error))
