/* Baselines: what was accepted is written, read, and compared with what came out. */
#include "baseline.h"
#include "cases.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

static char path[64], problem[512];

static void name_file(void)
{
    strcpy(path, "/tmp/ipcmark-baseline-XXXXXX");
    close(mkstemp(path));
}

static void add(result_list *list, const char *id, verdict value, const char *violation)
{
    result item = {.driver = "tcp", .clause = clause_find(id), .verdict = value};
    snprintf(item.violation, sizeof item.violation, "%s", violation);
    assert_non_null(result_append(list, &item));
}

/* DEL-001 passes, DEL-002 fails once in three rounds, DEL-003 is unknown, DEL-004 fails, DEL-005 passes. */
static baseline *accepted(void)
{
    result_list list = {0};
    baseline *out;
    name_file();
    add(&list, "DEL-001", VERDICT_PASS, "");
    add(&list, "DEL-002", VERDICT_PASS, "");
    add(&list, "DEL-002", VERDICT_FAIL, "lost");
    add(&list, "DEL-002", VERDICT_PASS, "");
    add(&list, "DEL-003", VERDICT_UNKNOWN, "");
    add(&list, "DEL-004", VERDICT_FAIL, "lost");
    add(&list, "DEL-005", VERDICT_PASS, "");
    assert_int_equal(baseline_accept(path, &list), 0);
    assert_int_equal(baseline_load(&out, path, problem, sizeof problem), 0);
    result_list_clear(&list);
    unlink(path);
    return out;
}

static bool excuses(const baseline *self, const char *id, verdict value, const char *violation)
{
    result item = {.driver = "tcp", .clause = clause_find(id), .verdict = value};
    snprintf(item.violation, sizeof item.violation, "%s", violation);
    return baseline_excuses(self, &item);
}

static void only_what_failed_alike_is_excused(void **state)
{
    baseline *self = accepted();
    (void)state;
    assert_true(excuses(self, "DEL-002", VERDICT_FAIL, "lost"));
    assert_true(excuses(self, "DEL-004", VERDICT_FAIL, "lost"));
    assert_true(excuses(self, "DEL-003", VERDICT_UNKNOWN, ""));
    assert_false(excuses(self, "DEL-004", VERDICT_FAIL, "corrupt")); /* in another class */
    assert_false(excuses(self, "DEL-001", VERDICT_FAIL, "lost"));
    assert_false(excuses(self, "DEL-003", VERDICT_FAIL, "lost"));
    assert_false(excuses(self, "DEL-001", VERDICT_UNKNOWN, ""));
    assert_false(excuses(self, "DEL-004", VERDICT_UNKNOWN, ""));
    assert_false(excuses(self, "DEL-004", VERDICT_ERROR, "lost")); /* an error is nobody's verdict */
    assert_false(excuses(self, "DEL-003", VERDICT_ERROR, ""));
    assert_false(excuses(self, "DEL-006", VERDICT_FAIL, "lost")); /* not in the baseline */
    baseline_free(self);
}

static void changes_are_told_apart(void **state)
{
    baseline *self = accepted();
    result_list list = {0};
    char *text;
    size_t size;
    FILE *file = open_memstream(&text, &size);
    (void)state;
    add(&list, "DEL-001", VERDICT_FAIL, "lost");
    add(&list, "DEL-002", VERDICT_PASS, "");
    add(&list, "DEL-004", VERDICT_FAIL, "lost");
    add(&list, "DEL-005", VERDICT_SKIP, "");
    add(&list, "DEL-006", VERDICT_PASS, "");
    for (size_t i = 0; i < list.count; ++i)
        list.items[i].excused = baseline_excuses(self, &list.items[i]);
    assert_int_equal(result_exit_code(&list), EXIT_BROKEN);
    baseline_print(file, self, &list, 0);
    fclose(file);
    assert_string_equal(text, "\nAgainst the baseline\n  tcp newly fails: DEL-001\n  tcp no longer fails: DEL-002\n"
                              "  tcp always failed: DEL-004\n  tcp is new: DEL-006\n"
                              "  tcp is no longer claimed: DEL-005\n");
    list.items[0].verdict = VERDICT_PASS;
    assert_int_equal(result_exit_code(&list), EXIT_HOLDS);
    free(text);
    result_list_clear(&list);
    baseline_free(self);
}

/* A run of one clause, or of another driver, says nothing of the others. */
static void what_was_not_run_stays(void **state)
{
    result_list list = {0};
    result item = {.driver = "fifo", .clause = clause_find("DEL-001"), .verdict = VERDICT_UNKNOWN};
    baseline *self;
    (void)state;
    name_file();
    add(&list, "DEL-001", VERDICT_PASS, "");
    add(&list, "DEL-002", VERDICT_FAIL, "lost");
    add(&list, "DEL-004", VERDICT_FAIL, "lost");
    assert_int_equal(baseline_accept(path, &list), 0);
    result_list_clear(&list);
    add(&list, "DEL-002", VERDICT_FAIL, "corrupt");
    add(&list, "DEL-003", VERDICT_UNKNOWN, "");
    assert_non_null(result_append(&list, &item));
    assert_int_equal(baseline_accept(path, &list), 0);
    assert_int_equal(baseline_load(&self, path, problem, sizeof problem), 0);
    assert_true(excuses(self, "DEL-004", VERDICT_FAIL, "lost"));
    assert_false(excuses(self, "DEL-002", VERDICT_FAIL, "lost"));
    assert_true(excuses(self, "DEL-002", VERDICT_FAIL, "corrupt"));
    assert_true(excuses(self, "DEL-003", VERDICT_UNKNOWN, ""));
    assert_false(excuses(self, "DEL-001", VERDICT_UNKNOWN, ""));
    assert_true(baseline_excuses(self, &item));
    baseline_free(self);
    result_list_clear(&list);
    unlink(path);
}

static void expect_refused(const char *content, const char *words)
{
    baseline *self;
    FILE *file;
    name_file();
    file = fopen(path, "we");
    fputs(content, file);
    fclose(file);
    assert_int_equal(baseline_load(&self, path, problem, sizeof problem), -EBADMSG);
    if (strstr(problem, words) == NULL || strstr(problem, "--accept-baseline") == NULL)
        fail_msg("without '%s': %s", words, problem);
    unlink(path);
}

static void what_is_no_baseline_is_refused(void **state)
{
    baseline *self;
    (void)state;
    expect_refused("", "Bad message");
    expect_refused("hello", "is no baseline");
    expect_refused("[1]", "is no baseline");
    expect_refused("{\"ipcmark_baseline\": 1, \"contract_version\": 1}", "is no baseline");
    expect_refused("{\"ipcmark_baseline\": 1, \"contract_version\": 1, \"verdicts\": [{\"driver\": 1}]}",
                   "is no baseline");
    expect_refused("{\"ipcmark_baseline\": 2, \"contract_version\": 1, \"verdicts\": []}", "is no baseline");
    expect_refused("{\"ipcmark_baseline\": 1, \"verdicts\": []}", "of contract version 0");
    expect_refused("{\"ipcmark_baseline\": 1, \"contract_version\": 99, \"verdicts\": []}", "of contract version 99");
    assert_int_equal(baseline_load(&self, "/nonexistent/b", problem, sizeof problem), -ENOENT);
    assert_non_null(strstr(problem, "/nonexistent/b: No such file"));
}

static void what_cannot_be_written_leaves_nothing(void **state)
{
    result_list list = {0};
    (void)state;
    assert_true(baseline_accept("/nonexistent/b", &list) < 0);
}

CASES_MAIN(CASE(only_what_failed_alike_is_excused), CASE(changes_are_told_apart), CASE(what_was_not_run_stays),
           CASE(what_is_no_baseline_is_refused), CASE(what_cannot_be_written_leaves_nothing))
