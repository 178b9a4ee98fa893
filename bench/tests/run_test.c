/* ipcmark run, as users have it: what it shows and says, of what was asked for wrongly as well; what is judged. */
#include <cases.h>

#include <ftw.h>
#include <stdlib.h>
#include <unistd.h>

#include <cjson/cJSON.h>

#include "run_started.h"

/* ---- what is seen ------------------------------------------------------------------------------------------------ */

/* The line of a second: "   1 s  1.00 k …". */
static void expect_second(const char *second, char *line, size_t size)
{
    const char *at = strstr(run_printed, second);
    run_expect_printed(second);
    snprintf(line, size, "%.*s", at == NULL ? 0 : (int)strcspn(at, "\r\n"), at == NULL ? "" : at);
}

static void a_terminal_sees_a_line_each_second(void **state)
{
    char line[256];
    unsigned long long lost = 1, torn = 1, twice = 1, swapped = 1;
    (void)state;
    run_open_folder();
    const struct run_started started =
        run_on_terminal(WORDS("--driver", "mmipc", "--subscribers", "2", "--duration", "2", "--seed", "7"));
    run_expect_code(&started, 0);
    run_expect_printed("1 publisher, 2 subscribers; 64 B, 1000 msg/s; 2 s, seed 7\r\n");
    run_expect_printed("        ----- of that second ----  ----------- since the beginning ------------\r\n"
                       "  time  sent/s received/s   MiB/s      p50      p99  lost  torn  twice  swapped\r\n");
    expect_second("   1 s ", line, sizeof line);
    if (strstr(line, "s        –") == NULL)
        fail_msg("'%s' is not a second of it", line);
    expect_second("   2 s ", line, sizeof line);
    /* 4000 samples by then: a median, and too few for a 99th percentile. */
    if (strstr(line, "s        –") == NULL ||
        sscanf(strstr(line, "–") + strlen("–"), "%llu %llu %llu %llu", &lost, &torn, &twice, &swapped) != 4)
        fail_msg("'%s' is not a second of it", line);
    assert_int_equal(lost + torn + twice + swapped, 0);
    run_expect_printed("2 subscribers: holds\r\n");
    run_expect_printed("  counted      0 lost, 0 torn, 0 twice, 0 out of order\r\n");
    const unsigned long long sent = run_number_after("  sent         ");
    assert_true(sent > 100);
    assert_int_equal(run_number_after("  received     "), 2 * sent);
    run_close_folder();
}

static void a_pipe_sees_the_sum_alone(void **state)
{
    (void)state;
    run_open_folder();
    const struct run_started started =
        run_in_pipe(WORDS("--driver", "fifo", "--size", "64,4K,100000", "--rate", "max", "--duration", "0.5"));
    run_expect_code(&started, 0);
    assert_int_equal(strncmp(run_printed, "fifo ", 5), 0);
    run_expect_printed("  traffic      0.5 s; 64 B, 4 KiB, 100000 B, as fast as publish returns; seed ");
    assert_null(strchr(run_printed, '\r'));
    assert_null(strstr(run_printed, "latency"));
    assert_int_equal(run_number_after("  received     "), run_number_after("  sent         "));
    run_read_errors();
    assert_string_equal(run_printed, "");
    run_close_folder();
}

static const cJSON *field(const cJSON *json, const char *name)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(json, name);
    if (item == NULL)
        fail_msg("no '%s' in:\n%s", name, run_printed);
    return item;
}

static void programs_get_json(void **state)
{
    size_t seconds = 0, summaries = 0;
    (void)state;
    run_open_folder();
    const struct run_started started = run_in_pipe(WORDS("--driver", "mmipc", "--format", "json", "--duration", "1.5",
                                                         "--publishers", "2", "--threads", "2", "--parts", "3"));
    run_expect_code(&started, 0);
    for (char *line = strtok(run_printed, "\n"); line != NULL; line = strtok(NULL, "\n")) {
        cJSON *json = cJSON_Parse(line);
        const char *type = cJSON_GetStringValue(field(json, "type"));
        assert_int_equal(summaries, 0); /* it is the last */
        seconds += strcmp(type, "second") == 0;
        if (strcmp(type, "summary") == 0) {
            ++summaries;
            assert_string_equal(cJSON_GetStringValue(field(json, "verdict")), "holds");
            assert_true(field(json, "received")->valuedouble > 100);
            assert_true(field(json, "received")->valuedouble == field(json, "published")->valuedouble);
            assert_true(field(json, "torn")->valuedouble == 0 && cJSON_IsNumber(field(json, "torn")));
            assert_true(field(json, "samples")->valuedouble > 0 && field(json, "p50_ns")->valuedouble > 0);
            assert_string_equal(cJSON_GetStringValue(field(json, "latency_from")), "schedule");
        }
        cJSON_Delete(json);
    }
    assert_int_equal(summaries, 1);
    assert_int_equal(seconds, 2);
    run_close_folder();
}

/* It counts while it writes down what it does, and looks at no bodies: what it says of losses is not believed. */
static const char python_agent[] = "exec '" PYTHON "' '" AGENTS "/agent.py'";
static const char late_agent[] = "exec '" PYTHON "' '" LATE_AGENT "' '" AGENTS "'";

static void an_agent_of_another_language_is_judged(void **state)
{
    (void)state;
    if (PYTHON[0] == '\0')
        CASES_SKIP("python3 is not installed");
    run_open_folder();
    const struct run_started started =
        run_on_terminal(WORDS("--agent", python_agent, "--duration", "0.6", "--rate", "100", "--judge"));
    run_expect_code(&started, 0);
    run_expect_printed("      –        –     –     –      –        –\r\n"); /* nothing of this is known by then */
    run_expect_printed(" 1 subscriber: holds\r\n");
    assert_true(run_number_after("  received     ") > 10);
    assert_true(run_number_after(" deliveries had to be, ") > 10);
    run_expect_printed("; 0 violations\r\n");
    run_close_folder();
}

static void who_keeps_no_counts_needs_a_judge(void **state)
{
    (void)state;
    if (PYTHON[0] == '\0')
        CASES_SKIP("python3 is not installed");
    run_open_folder();
    const struct run_started started = run_in_pipe(WORDS("--agent", python_agent, "--duration", "0.2"));
    run_expect_code(&started, 3);
    run_expect_printed("; with --judge it needs none\n");
    run_close_folder();
}

/* On a busy machine everything may have arrived when somebody is asked: at twice the rate, then? */
static void what_arrives_after_the_end_is_no_rate(void **state)
{
    (void)state;
    if (PYTHON[0] == '\0')
        CASES_SKIP("python3 is not installed");
    run_open_folder();
    const struct run_started started =
        run_in_pipe(WORDS("--agent", late_agent, "--duration", "1", "--rate", "10", "--format", "json"));
    run_expect_code(&started, 0);
    cJSON *summary = cJSON_Parse(strstr(run_printed, "{\"type\":\"summary\""));
    assert_true(field(summary, "seconds")->valuedouble == 1);
    assert_true(field(summary, "received")->valuedouble == 10000);
    assert_true(field(summary, "received_per_second")->valuedouble == 1000);
    assert_true(field(summary, "bytes_per_second")->valuedouble == 3000000);
    cJSON_Delete(summary);
    run_close_folder();
}

/* ---- faults ------------------------------------------------------------------------------------------------------ */

static void the_killed_come_back_and_nothing_is_left(void **state)
{
    (void)state;
    run_open_folder();
    const struct run_started started = run_on_terminal(
        WORDS("--driver", "mmipc", "--publishers", "2", "--subscribers", "2", "--rate", "0.5k", "--duration", "1.6",
              "--kill", "publisher=0.4", "--kill", "subscriber2=0.5", "--pause", "any=0.7,0.1", "--seed", "11"));
    run_expect_code(&started, 0);
    run_expect_printed("; 64 B, 500 msg/s from each publisher; ");
    run_expect_printed("publisher 1 killed, back after ");
    run_expect_printed("subscriber 2 killed, back after ");
    assert_null(strstr(run_printed, "subscriber 1 killed"));
    run_expect_printed(" stopped for 0.1 s\r\n");
    assert_true(run_number_after("  faults       ") >= 3);
    assert_true(run_number_after(" deliveries had to be, ") > 100); /* seen */
    run_expect_printed("; 0 violations\r\n");
    run_expect_printed("from the call of publish to the handler\r\n");
    run_close_folder();
}

static int remove_entry(const char *path, const struct stat *status, int kind, struct FTW *where)
{
    (void)status, (void)kind, (void)where;
    return remove(path);
}

static void a_judged_loss_is_named_and_its_evidence_kept(void **state)
{
    char driver[4096], keep[128], evidence[256];
    (void)state;
    run_open_folder();
    snprintf(driver, sizeof driver, "%s?fault=lose&at=50", FAULTY_DRIVER);
    snprintf(keep, sizeof keep, "%s/keep", run_folder);
    const struct run_started started =
        run_in_pipe(WORDS("--driver", driver, "--duration", "0.3", "--judge", "--keep", keep));
    run_expect_code(&started, 1);
    run_expect_printed(" never received message 50 of publisher 1 ");
    run_expect_printed("; 1 violations\n");
    run_expect_printed("  evidence     ");
    const char *at = strstr(run_printed, "  evidence     ") + strlen("  evidence     ");
    snprintf(evidence, sizeof evidence, "%.*s/history.jsonl", (int)strcspn(at, " "), at);
    assert_int_equal(access(evidence, R_OK), 0);
    assert_int_equal(nftw(keep, remove_entry, 8, FTW_DEPTH | FTW_PHYS), 0);
    run_close_folder();
}

/* ---- mistakes ---------------------------------------------------------------------------------------------------- */

static void expect_refused(int code, const char *words, const char *const *arguments)
{
    run_open_folder();
    const struct run_started started = run_in_pipe(arguments);
    run_expect_code(&started, code);
    run_read_errors();
    run_expect_printed(words);
    run_close_folder();
}

#define REFUSED(words, ...) expect_refused(64, words, WORDS("--driver", "mmipc", __VA_ARGS__))

static void mistakes_are_explained(void **state)
{
    (void)state;
    REFUSED("no such number: '65'; it is 1 to 64 of each kind", "--publishers", "65");
    REFUSED("no such size: '64,47'", "--size", "64,47");
    REFUSED("no such size: '64,'", "--size", "64,");
    REFUSED("no such size: '1.3K'", "--size", "1.3K");
    REFUSED("no such rate: '-1'", "--rate", "-1");
    REFUSED("no such time: '1d'", "--duration", "1d");
    REFUSED("no such kill: 'subscriber'; it is WHO=SECONDS", "--kill", "subscriber");
    REFUSED("no such kill: 'all=1'", "--kill", "all=1");
    REFUSED("no such pause: 'any=1'; it is WHO=SECONDS,SECONDS", "--pause", "any=1");
    REFUSED("not so many of them as a fault asks for", "--kill", "subscriber2=1");
    REFUSED("--rate max cannot be judged", "--rate", "max", "--kill", "any=1");
    REFUSED("too much to write down: '", "--judge", "--duration", "5h");
    REFUSED("more than 2000 faults", "--kill", "any=0.1", "--duration", "5m");
    REFUSED("say one of them", "--judge", "--no-judge");
    REFUSED("what is 'now'; implementations are named", "now");
    expect_refused(64, "nothing to run", WORDS("--rate", "1"));
    expect_refused(3, "there is no driver 'nosuch'", WORDS("--driver", "nosuch"));
    expect_refused(3, "ipcmark run: ", WORDS("--agent", "cat"));
}

CASES_MAIN(CASE(a_terminal_sees_a_line_each_second), CASE(a_pipe_sees_the_sum_alone), CASE(programs_get_json),
           CASE(an_agent_of_another_language_is_judged), CASE(who_keeps_no_counts_needs_a_judge),
           CASE(what_arrives_after_the_end_is_no_rate), CASE(the_killed_come_back_and_nothing_is_left),
           CASE(a_judged_loss_is_named_and_its_evidence_kept), CASE(mistakes_are_explained))
