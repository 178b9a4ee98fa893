#include "cases.h"
#include "result.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

static result_list list;

static void add(const char *driver, const char *id, verdict value)
{
    const result item = {.driver = driver, .clause = clause_find(id), .verdict = value};
    assert_non_null(result_append(&list, &item));
}

/* The exit code of a run with these verdicts. */
static int code_of(const verdict *values, size_t count)
{
    int code;
    for (size_t i = 0; i < count; ++i)
        add("fifo", "DEL-001", values[i]);
    code = result_exit_code(&list);
    result_list_clear(&list);
    return code;
}
#define CODE(...) code_of((const verdict[]){__VA_ARGS__}, sizeof((const verdict[]){__VA_ARGS__}) / sizeof(verdict))

static void good_verdicts_exit_with_0(void **state)
{
    (void)state;
    assert_int_equal(CODE(VERDICT_PASS), 0);
    assert_int_equal(CODE(VERDICT_SKIP), 0);
    assert_int_equal(CODE(VERDICT_XFAIL, VERDICT_PASS), 0);
}

static void each_bad_verdict_has_its_code(void **state)
{
    (void)state;
    assert_int_equal(CODE(VERDICT_PASS, VERDICT_FAIL), 1);
    assert_int_equal(CODE(VERDICT_XPASS, VERDICT_PASS), 1);
    assert_int_equal(CODE(VERDICT_PASS, VERDICT_UNKNOWN), 2);
    assert_int_equal(CODE(VERDICT_ERROR, VERDICT_PASS), 3);
}

static void error_before_fail_before_unknown(void **state)
{
    (void)state;
    assert_int_equal(CODE(VERDICT_UNKNOWN, VERDICT_FAIL), 1);
    assert_int_equal(CODE(VERDICT_FAIL, VERDICT_UNKNOWN), 1);
    assert_int_equal(CODE(VERDICT_FAIL, VERDICT_ERROR, VERDICT_UNKNOWN), 3);
    assert_int_equal(CODE(VERDICT_UNKNOWN, VERDICT_XPASS), 1);
    assert_int_equal(CODE(VERDICT_UNKNOWN, VERDICT_ERROR), 3);
}

static void the_worst_of_many_rounds_is_counted(void **state)
{
    size_t count, total;
    (void)state;
    add("fifo", "DEL-001", VERDICT_PASS);
    add("fifo", "DEL-001", VERDICT_FAIL);
    add("fifo", "DEL-001", VERDICT_UNKNOWN);
    add("fifo", "DEL-001", VERDICT_FAIL);
    add("tcp", "DEL-001", VERDICT_ERROR);
    add("fifo", "DEL-002", VERDICT_ERROR);
    assert_int_equal(result_worst(&list, "fifo", clause_find("DEL-001"), &count, &total), VERDICT_FAIL);
    assert_int_equal(count, 2);
    assert_int_equal(total, 4);
    assert_int_equal(result_worst(&list, "mmipc", clause_find("DEL-001"), &count, &total), VERDICT_SKIP);
    assert_int_equal(total, 0);
    assert_int_equal(result_count(&list, VERDICT_ERROR), 2);
    result_list_clear(&list);
}

static void every_verdict_has_a_name(void **state)
{
    static const char *const names[] = {"pass", "fail", "unknown", "skip", "xfail", "xpass", "error"};
    (void)state;
    for (verdict value = 0; value < VERDICT_COUNT; ++value)
        assert_string_equal(verdict_name(value), names[value]);
    assert_false(verdict_is_bad(VERDICT_PASS) || verdict_is_bad(VERDICT_SKIP) || verdict_is_bad(VERDICT_XFAIL));
    assert_true(verdict_is_bad(VERDICT_FAIL) && verdict_is_bad(VERDICT_UNKNOWN) && verdict_is_bad(VERDICT_XPASS) &&
                verdict_is_bad(VERDICT_ERROR));
}

static void the_evidence_explains_itself(void **state)
{
    char folder[] = "/tmp/ipcmark-result-XXXXXX", path[64], text[4096];
    result item = {.driver = "fifo",
                   .clause = clause_find("DEL-001"),
                   .verdict = VERDICT_FAIL,
                   .violation = "lost",
                   .text = strdup("message 17 is missing"),
                   .detail = strdup("> 17 is published\n"),
                   .seed = 42,
                   .evidence = strdup("/nonexistent/folder"),
                   .replay = strdup("ipcmark conformance --driver fifo --seed 42")};
    (void)state;
    assert_int_equal(result_explain(&item), -ENOENT);
    assert_non_null(mkdtemp(folder));
    free(item.evidence);
    item.evidence = strdup(folder);
    assert_int_equal(result_explain(&item), 0);
    snprintf(path, sizeof path, "%s/verdict.txt", folder);
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    assert_int_equal(strncmp(text, "fail  fifo  DEL-001  One publisher's messages", 45), 0);
    assert_non_null(strstr(text, "\nlost: message 17 is missing\n\n> 17 is published\n\nseed 42, contract version "));
    assert_non_null(
        strstr(text, "\nreplay: ipcmark conformance --driver fifo --seed 42\njudge again: ipcmark check /tmp/"));
    assert_int_equal(unlink(path) | rmdir(folder), 0);
    result_clear(&item);
    assert_int_equal(result_explain(&item), 0); /* nothing was kept */
}

CASES_MAIN(CASE(the_evidence_explains_itself), CASE(good_verdicts_exit_with_0), CASE(each_bad_verdict_has_its_code),
           CASE(error_before_fail_before_unknown), CASE(the_worst_of_many_rounds_is_counted),
           CASE(every_verdict_has_a_name))
