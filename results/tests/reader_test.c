#include "cases.h"

#include "scratch.h"

#include <errno.h>
#include <math.h>

#define CELL(row, extra)                                                                                               \
    "{\"record\":\"cell\",\"row\":\"" row "\",\"family\":\"hot\",\"driver\":\"a\",\"block\":0" extra "}\n"

static void sample_files_are_read_whole(void **state)
{
    struct results_run run;
    char error[512] = "";
    (void)state;
    assert_int_equal(results_run_read(&run, SAMPLES "/conformance.jsonl", error, sizeof error), 0);
    assert_int_equal(run.case_count, 30);
    assert_non_null(run.footer);
    assert_string_equal(run.cases[0].clause, "DEL-001");
    assert_string_equal(results_header(&run, "command"),
                        "ipcmark conformance --driver mmipc --driver fifo --driver tcp --seed 4711");
    results_run_free(&run);
    assert_int_equal(results_run_read(&run, SAMPLES "/bench.jsonl", error, sizeof error), 0);
    assert_true(run.cell_count > 0 && (double)run.cell_count == results_planned(&run));
    assert_int_equal(run.cells[0].histogram.total, 20000);
    assert_true(run.cells[0].rate == 10000);
    results_run_free(&run);
}

static void a_file_without_footer_is_read(void **state)
{
    struct results_run run;
    char error[512] = "";
    (void)state;
    assert_int_equal(scratch_read(&run, HEADER CELL("r", ""), error, sizeof error), 0);
    assert_int_equal(run.cell_count, 1);
    assert_null(run.footer);
    assert_false(run.torn);
    assert_true(isnan(run.cells[0].size));
    results_run_free(&run);
}

static void a_torn_last_line_is_left_out(void **state)
{
    struct results_run run;
    char error[512] = "";
    (void)state;
    assert_int_equal(scratch_read(&run, HEADER CELL("r", "") "{\"record\":\"ce", error, sizeof error), 0);
    assert_int_equal(run.cell_count, 1);
    assert_true(run.torn);
    results_run_free(&run);
}

static void unknown_records_and_fields_are_skipped(void **state)
{
    struct results_run run;
    char error[512] = "";
    (void)state;
    assert_int_equal(
        scratch_read(&run, HEADER "{\"record\":\"later\"}\n\n" CELL("r", ",\"later\":[]") FOOTER, error, sizeof error),
        0);
    assert_int_equal(run.cell_count, 1);
    results_run_free(&run);
}

static void what_is_wrong_is_named_with_its_line(void **state)
{
    static const struct {
        const char *text, *line, *why;
    } wrong[] = {
        {"", "", "empty"},
        {"\n \n", "", "empty"},
        {"{\"record\":\"hea", "", "cut off within its first line"},
        {CONFORMANCE FOOTER "{\"record\":\"mutant\"} {}\n", ":3: ", "not JSON"}, /* two in one line */
        {HEADER "{\"record\":\"later\"}x\n", ":2: ", "not JSON"},
        {"hello\n", ":1: ", "not JSON"},
        {"[1,2]\n", ":1: ", "not a record"},
        {HEADER "garbage\n" FOOTER, ":2: ", "not JSON"},
        {HEADER HEADER, ":2: ", "second header"},
        {CELL("r", "") HEADER, ":1: ", "before the header"},
        {"{\"record\":\"header\",\"format\":2,\"kind\":\"bench\"}\n", ":1: ", "format 2"},
        {"{\"record\":\"header\",\"format\":1,\"kind\":\"x\"}\n", ":1: ", "kind"},
        {CONFORMANCE "{\"record\":\"case\",\"driver\":\"a\"}\n", ":2: ", "clause"},
        {CONFORMANCE "{\"record\":\"case\",\"driver\":\"a\",\"clause\":\"X-001\",\"verdict\":\"good\"}\n",
         ":2: ", "verdict"},
        {HEADER "{\"record\":\"cell\",\"row\":\"r\"}\n", ":2: ", "family"},
        {HEADER "{\"record\":\"cell\",\"row\":\"r\",\"family\":\"f\",\"driver\":\"d\"}\n", ":2: ", "block"},
        {HEADER CELL("r", ",\"histogram\":{\"counts\":[[2,1],[1,1]]}"), ":2: ", "histogram"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; ++i) {
        struct results_run run;
        char error[512] = "";
        assert_int_equal(scratch_read(&run, wrong[i].text, error, sizeof error), -EINVAL);
        if (strstr(error, wrong[i].line) == NULL || strstr(error, wrong[i].why) == NULL)
            fail_msg("\"%s\" does not name \"%s\" and \"%s\"", error, wrong[i].line, wrong[i].why);
    }
}

/* Each kind of byte that is no text, beside its neighbour that is: as JSON has it, and escaped. */
static void what_is_no_text_becomes_question_marks(void **state)
{
    static const struct {
        const char *text, *read;
    } all[] = {
        {"plain ~\\u0009\\n\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", "plain ~\t\n\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"},
        {"\xff\x80\xc3", "???"},
        {"\xe2\x82", "??"}, /* cut off in the middle */
        {"\xe2\x82x", "??x"},
        {"\xc0\xaf\xc1\xbf\xc2\xa0", "????\xc2\xa0"}, /* not in their shortest form */
        {"\xe0\x9f\xbf\xe0\xa0\x80", "???\xe0\xa0\x80"},
        {"\xf0\x8f\xbf\xbd\xf0\x90\x80\x80", "????\xf0\x90\x80\x80"},
        {"\xf4\x8f\xbf\xbd\xf4\x90\x80\x80\xf8\x88\x80\x80", "\xf4\x8f\xbf\xbd????????"},
        {"\xed\x9f\xbf\xed\xa0\x80", "\xed\x9f\xbf???"}, /* half of a pair */
        {"\xef\xbf\xbd\xef\xbf\xbe\xef\xbf\xbf", "\xef\xbf\xbd??????"},
        {"\xc2\x9b\xc2\x80", "????"}, /* control characters of two bytes */
        {"\\u0001\\u001b[31m\\r\x7f", "??[31m??"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof all / sizeof all[0]; ++i) {
        struct results_run run;
        char error[512] = "", *text;
        assert_true(asprintf(&text, HEADER CELL("%s", ",\"metrics\":{\"%s\":1},\"limit_of\":[\"%s\"]"), all[i].text,
                             all[i].text, all[i].text) > 0);
        assert_int_equal(scratch_read(&run, text, error, sizeof error), 0);
        assert_string_equal(run.cells[0].row, all[i].read);
        assert_string_equal(run.cells[0].metrics->child->string, all[i].read);
        assert_string_equal(run.cells[0].limit_of->child->valuestring, all[i].read);
        results_run_free(&run);
        free(text);
    }
}

static void a_file_that_is_not_there_is_named(void **state)
{
    struct results_run run;
    char error[512] = "";
    (void)state;
    assert_int_equal(results_run_read(&run, "no/such/file.jsonl", error, sizeof error), -ENOENT);
    assert_non_null(strstr(error, "no/such/file.jsonl"));
}

static void a_run_counts_once(void **state)
{
#define RUN(id) "{\"record\":\"header\",\"format\":1,\"kind\":\"bench\",\"run\":\"" id "\"}\n"
    static const struct {
        const char *first, *second, *why;
    } runs[] = {
        {RUN("a") CELL("r", ""), RUN("a") CELL("s", ""), "same run (a)"},
        {RUN("a") CELL("r", ""), RUN("b") CELL("r", "") CELL("s", "") CELL("r", ""), "two cells of row r"},
        {RUN("a") CELL("r", ""), RUN("b") CELL("r", "") CELL("s", ""), NULL},
        {HEADER CELL("r", ""), HEADER CELL("r", ""), NULL}, /* without ids nobody can tell */
    };
    (void)state;
    for (size_t i = 0; i < sizeof runs / sizeof runs[0]; ++i) {
        struct results_run read[2];
        char error[512] = "";
        assert_int_equal(scratch_read(&read[0], runs[i].first, error, sizeof error), 0);
        assert_int_equal(scratch_read(&read[1], runs[i].second, error, sizeof error), 0);
        assert_int_equal(results_runs_check(read, 2, error, sizeof error), runs[i].why ? -EINVAL : 0);
        if (runs[i].why && strstr(error, runs[i].why) == NULL)
            fail_msg("\"%s\" does not name \"%s\"", error, runs[i].why);
        results_run_free(&read[0]);
        results_run_free(&read[1]);
    }
}

/* Shards have runs of their own, and what they hold may not overlap. */
static void shards_of_a_run_count_once(void **state)
{
#define SHARD(index)                                                                                                   \
    "{\"record\":\"header\",\"format\":1,\"kind\":\"bench\",\"run\":\"" #index "\",\"shard\":{\"index\":" #index       \
    ",\"count\":3}}\n"
    static const struct {
        const char *second, *why;
    } shards[] = {
        {SHARD(2) CELL("s", ""), NULL},
        {SHARD(2) CELL("r", ""), "block 0 has two cells of row r, one of them in "},
        {SHARD(1) CELL("r", ""), "same run (1)"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof shards / sizeof shards[0]; ++i) {
        struct results_run read[2];
        char error[512] = "";
        assert_int_equal(scratch_read(&read[0], SHARD(1) CELL("r", ""), error, sizeof error), 0);
        assert_int_equal(scratch_read(&read[1], shards[i].second, error, sizeof error), 0);
        assert_int_equal(results_runs_check(read, 2, error, sizeof error), shards[i].why ? -EINVAL : 0);
        if (shards[i].why && strstr(error, shards[i].why) == NULL)
            fail_msg("\"%s\" does not name \"%s\"", error, shards[i].why);
        results_run_free(&read[0]);
        results_run_free(&read[1]);
    }
}

/* The second record of a session counts, if there is one; without one only the beginning is known. */
static void sessions_end_or_were_killed(void **state)
{
#define SESSION(number, more) "{\"record\":\"session\",\"session\":" #number ",\"load\":0.5," more "}\n"
    struct results_run run;
    char error[512] = "";
    (void)state;
    assert_int_equal(scratch_read(&run,
                                  HEADER SESSION(1, "\"seconds\":null") SESSION(2, "\"seconds\":null")
                                      SESSION(2, "\"seconds\":9,\"steal_ns\":7,\"finished\":\"late\""),
                                  error, sizeof error),
                     0);
    assert_int_equal(run.session_count, 2);
    assert_true(isnan(run.sessions[0].seconds) && run.sessions[0].load == 0.5);
    assert_true(run.sessions[1].number == 2 && run.sessions[1].seconds == 9 && run.sessions[1].steal_ns == 7);
    assert_string_equal(run.sessions[1].finished, "late");
    results_run_free(&run);
    assert_int_equal(scratch_read(&run, HEADER "{\"record\":\"session\"}\n", error, sizeof error), -EINVAL);
    assert_non_null(strstr(error, ":2: a session without its number"));
}

static void a_cell_says_what_it_is(void **state)
{
    struct results_run run;
    char error[512] = "";
    (void)state;
    assert_int_equal(
        scratch_read(&run,
                     HEADER CELL("r", ",\"limit_of\":[\"hot\"],\"limit_kind\":\"bound\",\"histograms\":{\"close\":{"
                                      "\"counts\":[[1,2]]},\"death\":{\"counts\":[[3,4]]}}")
                         CELL("s", ",\"not_applicable\":\"no peers\""),
                     error, sizeof error),
        0);
    assert_string_equal(run.cells[0].limit_kind, "bound");
    assert_int_equal(cJSON_GetArraySize(run.cells[0].limit_of), 1);
    assert_int_equal(run.cells[0].named_count, 2);
    assert_string_equal(run.cells[0].named[1].name, "death");
    assert_int_equal(run.cells[0].named[1].histogram.total, 4);
    assert_string_equal(run.cells[1].not_applicable, "no peers");
    results_run_free(&run);
    assert_int_equal(
        scratch_read(&run, HEADER CELL("r", ",\"histograms\":{\"close\":{\"counts\":[1]}}"), error, sizeof error),
        -EINVAL);
    assert_non_null(strstr(error, "histogram"));
}

static void rounds_that_were_added_are_planned_too(void **state)
{
    struct results_run run;
    char error[512] = "";
    (void)state;
    assert_int_equal(scratch_read(&run, HEADER CELL("r", ""), error, sizeof error), 0);
    assert_true(results_planned(&run) == 1);
    results_run_free(&run);
    assert_int_equal(
        scratch_read(&run, HEADER "{\"record\":\"resumed\",\"planned\":8}\n" CELL("r", "") FOOTER, error, sizeof error),
        0);
    assert_true(results_planned(&run) == 8);
    results_run_free(&run);
}

CASES_MAIN(CASE(sample_files_are_read_whole), CASE(a_file_without_footer_is_read), CASE(a_torn_last_line_is_left_out),
           CASE(unknown_records_and_fields_are_skipped), CASE(what_is_wrong_is_named_with_its_line),
           CASE(what_is_no_text_becomes_question_marks), CASE(a_file_that_is_not_there_is_named),
           CASE(a_run_counts_once), CASE(shards_of_a_run_count_once), CASE(sessions_end_or_were_killed),
           CASE(a_cell_says_what_it_is), CASE(rounds_that_were_added_are_planned_too))
