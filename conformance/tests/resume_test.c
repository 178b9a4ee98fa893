/* Runs in several pieces. */
#include "cases.h"
#include "command_run.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

/* ---- going on ---------------------------------------------------------------------------------------------------- */

#define RUN "--driver", "mmipc", "--clause", "DEL-00[123]", "--quick", "--output", record

/* Ends a run of nine cases after the second. */
static int cut_off(int signal)
{
    int reader;
    printed[0] = '\0';
    const pid_t pid = start(ARGUMENTS(RUN, "--repeat", "3", "--seed", "7"), &reader);
    read_until(reader, "[2/9]");
    kill(pid, signal);
    return end(pid, reader);
}

static void what_was_judged_survives_a_kill(void **state)
{
    cJSON *last;
    (void)state;
    make_folder();
    assert_true(WIFSIGNALED(cut_off(SIGKILL)));
    assert_true(count_records("case", NULL) >= 2 && count_records("case", NULL) < 9);
    assert_int_equal(count_records("footer", NULL), 0);
    EXPECT(0, "of 9 cases are judged", RUN, "--resume");
    expect_printed("\nDEL-003    pass 3/3 ");
    expect_printed("\n9 cases: 9 pass; contract version 1, quick, seed 7\n");
    assert_int_equal(count_records("case", &last), 9);
    assert_string_equal(text_of(last, "record"), "footer");
    assert_true(cJSON_IsFalse(cJSON_GetObjectItem(last, "interrupted")));
    cJSON_Delete(last);
    remove_folder();
}

static void an_interrupt_says_how_to_go_on(void **state)
{
    cJSON *last;
    (void)state;
    make_folder();
    const int status = cut_off(SIGINT);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 128 + SIGINT)
        fail_msg("status %x:\n%s", (unsigned)status, printed);
    expect_printed(" --resume\n");
    count_records("case", &last);
    assert_true(cJSON_IsTrue(cJSON_GetObjectItem(last, "interrupted")));
    cJSON_Delete(last);
    EXPECT(0, "9 cases: 9 pass", RUN, "--resume");
    assert_int_equal(count_records("case", NULL), 9);
    remove_folder();
}

static void an_interrupted_tap_stream_says_so(void **state)
{
    int reader, status;
    (void)state;
    make_folder();
    printed[0] = '\0';
    const pid_t pid = start(ARGUMENTS(RUN, "--repeat", "100", "--format", "tap"), &reader);
    read_until(reader, "ok 2 ");
    kill(pid, SIGINT);
    status = end(pid, reader);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 128 + SIGINT);
    expect_printed("\nBail out! interrupted");
    assert_ptr_equal(strstr(printed, "TAP version 14\n1..300\n"), printed);
    remove_folder();
}

static void rounds_are_added(void **state)
{
    (void)state;
    make_folder();
    EXPECT(1, "1 fail", "--driver", TEST_MUTANT, "--clause", "DEL-001", "--quick", "--output", record);
    EXPECT(1, "[2/3]", "--driver", TEST_MUTANT, "--clause", "DEL-001", "--quick", "--output", record, "--resume",
           "--repeat", "3");
    expect_printed("\nDEL-001    fail 3/3 "); /* what failed in the first call counts */
    expect_printed("the same 2 times more: DEL-001 with seed ");
    EXPECT(1, "3 of 3 cases are judged", "--driver", TEST_MUTANT, "--clause", "DEL-001", "--quick", "--output", record,
           "--resume"); /* and nothing is left to do */
    assert_null(strstr(printed, "[4/"));
    assert_int_equal(count_records("case", NULL), 3);
    assert_int_equal(count_records("resumed", NULL), 2);
    remove_folder();
}

static void what_is_of_another_run_is_refused(void **state)
{
    (void)state;
    make_folder();
    EXPECT(0, "3 pass", RUN, "--seed", "7");
    EXPECT(64, "is of seed 7, and this is 8", RUN, "--seed", "8", "--resume");
    EXPECT(64, "is of effort quick, and this is usual", "--driver", "mmipc", "--clause", "DEL-00[123]", "--output",
           record, "--resume");
    EXPECT(64, "is of other clauses", "--driver", "mmipc", "--clause", "DEL-001", "--quick", "--output", record,
           "--resume");
    EXPECT(64, "is of drivers mmipc ", RUN, "--driver", TEST_MUTANT, "--resume");
    EXPECT(64, "is of kind conformance, and this is mutants", "--mutant", "drop", "--output", record, "--resume");
    EXPECT(64, "No such file", "--driver", "mmipc", "--clause", "DEL-001", "--output", other, "--resume");
    write_file(other, "");
    EXPECT(64, "is not a result file", "--driver", "mmipc", "--clause", "DEL-001", "--output", other, "--resume");
    assert_int_equal(count_records("case", NULL), 3); /* and nothing of it was touched */
    assert_int_equal(count_records("footer", NULL), 1);
    remove_folder();
}

static void copy_file(const char *from, const char *to)
{
    char bytes[1 << 16];
    FILE *in = fopen(from, "re"), *out = fopen(to, "we");
    assert_true(in != NULL && out != NULL);
    for (size_t size; (size = fread(bytes, 1, sizeof bytes, in)) > 0;)
        assert_int_equal(fwrite(bytes, 1, size, out), size);
    fclose(in);
    assert_int_equal(fclose(out), 0);
}

static void append(const char *path, const char *text)
{
    FILE *file = fopen(path, "ae");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void what_was_built_anew_is_refused(void **state)
{
    char agent[160], driver[512];
    (void)state;
    make_folder();
    snprintf(driver, sizeof driver, "%.*s/../drivers/mmipc.so", (int)(strrchr(TEST_MUTANT, '/') - TEST_MUTANT),
             TEST_MUTANT);
    copy_file(driver, other);
#define MINE "--driver", other, "--clause", "DEL-001", "--quick", "--output", record
    EXPECT(0, "1 pass", MINE);
    EXPECT(0, "1 of 1 cases are judged", MINE, "--resume");
    EXPECT(64, "is of wrap none, and this is env X=1", MINE, "--wrap", "env X=1", "--resume");
    append(other, "\n"); /* behind all that a loader looks at */
    EXPECT(64, "is of another build of mmipc: its file", MINE, "--resume");
    write_file(other, "exec sh " TEST_AGENTS " modest\n");
    snprintf(agent, sizeof agent, "sh %s", other);
#define THEIRS "--clause", "DEL-006", "--quick", "--output", record
    EXPECT(2, "nothing was judged", "--agent", agent, THEIRS);
    EXPECT(2, "1 of 1 cases are judged", "--agent", agent, THEIRS, "--resume");
    append(other, "# the same, and yet another\n");
    EXPECT(64, "is of another build of ", "--agent", agent, THEIRS, "--resume");
    assert_int_equal(count_records("case", NULL), 1);
    remove_folder();
}

/* A file is only a file: what somebody wrote into it must do no harm. */
static void a_round_that_nobody_asked_for_does_no_harm(void **state)
{
    FILE *file;
    (void)state;
    make_folder();
    EXPECT(0, "3 pass", RUN);
    file = fopen(record, "re+");
    assert_non_null(file);
    char text[16384];
    const size_t size = fread(text, 1, sizeof text - 1, file);
    text[size] = '\0';
    char *round = strstr(text, "\"round\":1");
    assert_non_null(round);
    round[strlen("\"round\":")] = '7';
    rewind(file);
    fwrite(text, 1, size, file);
    fclose(file);
    EXPECT(0, "3 of 21 cases are judged", RUN, "--resume");
    assert_int_equal(count_records("case", NULL), 21);
    remove_folder();
}

static void self_tests_go_on_too(void **state)
{
    (void)state;
    make_folder();
    EXPECT(0, "caught 1 of 1", "--mutant", "drop", "--clause", "DEL-001", "--output", record);
    EXPECT(0, "caught 2 of 2", "--mutant", "drop", "--clause", "DEL-001", "--output", record, "--resume", "--repeat",
           "2");
    assert_int_equal(count_records("mutant", NULL), 2);
    EXPECT(64, "is of other clauses", "--mutant", "drop", "--output", record, "--resume");
    EXPECT(3, "--base nosuch: there is no driver", "--mutant", "drop", "--base", "nosuch");
    remove_folder();
}

CASES_MAIN(CASE(what_was_judged_survives_a_kill), CASE(an_interrupt_says_how_to_go_on),
           CASE(an_interrupted_tap_stream_says_so), CASE(rounds_are_added), CASE(what_is_of_another_run_is_refused),
           CASE(what_was_built_anew_is_refused), CASE(a_round_that_nobody_asked_for_does_no_harm),
           CASE(self_tests_go_on_too))
