/* ipcmark conformance, as users type it. */
#include "cases.h"
#include "command_run.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define AGENT(mode) "--agent", "sh " TEST_AGENTS " " mode

/* ---- implementations that cannot be met -------------------------------------------------------------------------- */

static void one_that_cannot_be_met_stops_nobody(void **state)
{
    (void)state;
    make_folder();
    EXPECT(3, "out of coffee", AGENT("exits"), "--driver", "mmipc", AGENT("crashes"), AGENT("garbage"), AGENT("boasts"),
           "--driver", "nosuch", "--clause", "DEL-001", "--clause", "DEL-006", "--quick", "--output", record);
    expect_printed("holds: 2 of 2 clauses pass");
    expect_printed("ERROR: 0 of 2 clauses pass, 2 in error");
    expect_printed("there is no driver 'nosuch'");
    expect_printed("telepathy");
    assert_int_equal(count_records("case", NULL), 12);
    remove_folder();
}

static void a_flood_is_stopped_and_named(void **state)
{
    (void)state;
    make_folder();
    EXPECT(3, "sh agents.sh floods  ERROR", AGENT("floods"), "--driver", "mmipc", "--clause", "DEL-001", "--quick");
    expect_printed("\nmmipc                holds");
    remove_folder();
}

/* What it says of itself is refused, or is part of no path. */
static void a_name_leads_nowhere(void **state)
{
    int reader;
    (void)state;
    make_folder();
    snprintf(other, sizeof other, "%s/EVIL-DEL-001", folder);
    printed[0] = '\0';
    const pid_t pid = start(ARGUMENTS(AGENT("strays"), "--clause", "DEL-001", "--quick", "--keep-passed"), &reader);
    assert_true(WIFEXITED(end(pid, reader)));
    expect_printed("DEL-001");
    assert_int_equal(access(other, F_OK), -1);
    remove_folder();
}

static void a_misspelt_name_is_known_at_once(void **state)
{
    (void)state;
    make_folder();
    EXPECT(3, "there is no driver 'mmpic'", "--driver", "mmpic", "--output", record);
    expect_printed("`ipcmark drivers` lists");
    assert_null(strstr(printed, "DEL-001"));
    assert_int_equal(access(record, F_OK), -1);
    EXPECT(3, "TAP version 14\nBail out! there is no driver", "--driver", "mmpic", "--format", "tap");
    remove_folder();
}

/* ---- what counts ------------------------------------------------------------------------------------------------- */

static void error_before_failure_before_unknown(void **state)
{
    (void)state;
    make_folder();
    EXPECT(2, "nothing was judged", AGENT("modest"), "--clause", "DEL-006", "--quick");
    expect_printed("skip: multipart");
    EXPECT(1, "1 fail, 1 skip", AGENT("modest"), "--driver", TEST_MUTANT, "--clause", "DEL-006", "--quick");
    EXPECT(3, "FAILS", AGENT("exits"), "--driver", TEST_MUTANT, "--clause", "DEL-001", "--quick");
    remove_folder();
}

/* As root its participants run behind a command that takes the privileges away: what stands before that is the
 * agent's own doing. */
static void a_skip_names_who_is_to_blame(void **state)
{
    (void)state;
    if (geteuid() != 0)
        skip();
    make_folder();
    EXPECT(2, "begins with `exec`", "--agent", "exec sh " TEST_AGENTS " modest", "--clause", "ENV-007", "--quick");
    remove_folder();
}

static void a_baseline_tells_what_is_new(void **state)
{
    (void)state;
    make_folder();
    EXPECT(1, "1 fail", "--driver", TEST_MUTANT, "--clause", "DEL-001", "--quick", "--accept-baseline", other);
    EXPECT(0, "mutant-drop always failed: DEL-001", "--driver", TEST_MUTANT, "--clause", "DEL-001", "--quick",
           "--baseline", other);
    EXPECT(1, "newly fails: DEL-002", "--driver", TEST_MUTANT, "--clause", "DEL-00[12]", "--quick", "--baseline",
           other);
    expect_printed("always failed: DEL-001");
    EXPECT(0, "# TODO", "--driver", TEST_MUTANT, "--clause", "DEL-001", "--quick", "--baseline", other, "--format",
           "tap");
    EXPECT(3, "ERROR", "--driver", TEST_MUTANT, AGENT("exits"), "--clause", "DEL-001", "--quick", "--baseline", other);
    write_file(other, "{\"ipcmark_baseline\": 1, \"contract_version\": 99, \"verdicts\": []}");
    EXPECT(64, "of contract version 99, and this is version", "--driver", "mmipc", "--clause", "DEL-001", "--quick",
           "--baseline", other);
    remove_folder();
}

/* The first clause of a level, by the program's own list. */
static void find_clause(const char *level, char id[16])
{
    cJSON *json;
    const cJSON *item;
    EXPECT(0, "\"clauses\"", "--list-json");
    json = cJSON_Parse(printed);
    id[0] = '\0';
    cJSON_ArrayForEach(item, cJSON_GetObjectItem(json, "clauses"))
    {
        if (id[0] == '\0' && strcmp(text_of(item, "level"), level) == 0 &&
            cJSON_GetArraySize(cJSON_GetObjectItem(item, "needs")) == 0)
            snprintf(id, 16, "%s", text_of(item, "id"));
    }
    cJSON_Delete(json);
}

static void known_failures_must_fail_as_they_did(void **state)
{
    char id[16], line[64];
    (void)state;
    make_folder();
    write_file(other, "DEL-00* mutant-dr* xfail lost here\n");
    EXPECT(0, "fail as expected", "--driver", TEST_MUTANT, "--clause", "DEL-001", "--quick", "--expect", other);
    write_file(other, "DEL-001 * xfail corrupt here\n");
    EXPECT(1, "it failed otherwise", "--driver", TEST_MUTANT, "--clause", "DEL-001", "--quick", "--expect", other);
    EXPECT(1, "it passed; take the line out", "--driver", "mmipc", "--clause", "DEL-001", "--quick", "--expect", other);
    write_file(other, "* * flaky 1/9 a\n* * flaky 1/9 b\n* * flaky 1/9 c\n");
    EXPECT(64, "more than two flaky lines for mmipc", "--driver", "mmipc", "--clause", "DEL-001", "--quick", "--expect",
           other);
    write_file(other, "DEL-001 nobody xfail losst src\n");
    EXPECT(64, "other:1: there is no such class", "--driver", "mmipc", "--clause", "DEL-001", "--quick", "--expect",
           other);
    write_file(other, "DEL-001 nobody xfail lost src\n");
    EXPECT(0, "1: these lines of", "--driver", "mmipc", "--clause", "DEL-001", "--quick", "--expect", other);
    find_clause("SHOULD", id);
    if (id[0] != '\0') { /* an xpass, of what users expect and no more */
        snprintf(line, sizeof line, "%s mmipc xfail lost here\n", id);
        write_file(other, line);
        EXPECT(1, "xpass", "--driver", "mmipc", "--clause", id, "--quick", "--expect", other);
        EXPECT(0, "(1 of these do not count)", "--driver", "mmipc", "--clause", id, "--quick", "--expect", other,
               "--level", "must");
    }
    remove_folder();
}

/* ---- what comes out ---------------------------------------------------------------------------------------------- */

static void records_can_go_to_standard_output(void **state)
{
    size_t count = 0;
    (void)state;
    make_folder();
    EXPECT(0, "\"record\":\"footer\"", "--driver", "mmipc", "--clause", "DEL-001", "--quick", "--format", "jsonl");
    for (char *rest = printed, *line; (line = strsep(&rest, "\n")) != NULL && *line != '\0'; ++count) {
        cJSON *json = cJSON_Parse(line);
        assert_non_null(json);
        assert_string_equal(text_of(json, "record"), count == 0 ? "header" : count == 1 ? "case" : "footer");
        assert_string_equal(text_of(json, "effort"), count == 0 ? "quick" : "");
        cJSON_Delete(json);
    }
    assert_int_equal(count, 3);
    remove_folder();
}

static void files_are_written_beside_the_table(void **state)
{
    char badge[160];
    (void)state;
    make_folder();
    snprintf(badge, sizeof badge, "%s/badge.svg", folder);
    EXPECT(0, "| DEL-001 | MUST | ✅ pass |", "--driver", "mmipc", "--clause", "DEL-001", "--quick", "--format",
           "markdown", "--junit", other, "--badge", badge);
    assert_int_equal(access(other, F_OK), 0);
    assert_int_equal(access(badge, F_OK), 0);
    snprintf(badge, sizeof badge, "%s/badge.json", folder);
    assert_int_equal(access(badge, F_OK), 0);
    remove_folder();
}

static void the_list_is_of_what_was_asked_for(void **state)
{
    cJSON *json;
    (void)state;
    make_folder();
    EXPECT(0, "DEL-001   MUST ", "--list");
    expect_printed("CON-001");
    expect_printed("(needs peers");
    EXPECT(0, "DEL-002", "--list", "--clause", "del-00[12]");
    assert_null(strstr(printed, "DEL-003"));
    EXPECT(0, "contract_version", "--list-json", "--clause", "DEL-001");
    json = cJSON_Parse(printed);
    assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(json, "clauses")), 1);
    assert_true(cJSON_HasObjectItem(cJSON_GetObjectItem(json, "clauses")->child, "seconds"));
    cJSON_Delete(json);
    remove_folder();
}

static void participants_can_be_wrapped(void **state)
{
    (void)state;
    make_folder();
    EXPECT(0, "1 pass", "--driver", "mmipc", "--clause", "DEL-001", "--quick", "--wrap", "env IPCMARK_TEST=1");
    EXPECT(3, "nosuchtool", "--driver", "mmipc", "--clause", "DEL-001", "--quick", "--wrap", "nosuchtool");
    remove_folder();
}

/* One page is left: room for the header and some cases. */
static void what_cannot_be_written_down_is_an_error(void **state)
{
    char script[512];
    (void)state;
    make_folder();
    snprintf(
        script, sizeof script,
        "unshare %s sh -c 'cd %s && mount -t tmpfs -o size=8k none . && cd $PWD && echo >filler && exec %s --driver "
        "mmipc --clause DEL-001 --quick --repeat 8 --output run.jsonl --keep .' 2>&1",
        geteuid() == 0 ? "-m" : "-rm", folder, TEST_COMMAND);
    printed[0] = '\0';
    FILE *pipe = popen(script, "re");
    assert_non_null(pipe);
    const size_t length = fread(printed, 1, sizeof printed - 1, pipe);
    printed[length] = '\0';
    const int status = pclose(pipe);
    remove_folder();
    if (strstr(printed, "DEL-001") == NULL) { /* no namespaces for us here */
        print_message("%s", printed);
        skip();
    }
    expect_printed("[1/8] pass");
    expect_printed("it was judged 'pass', but run.jsonl could not be written: No space left on device; make room");
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 3);
}

static void nonsense_for_a_deadline_is_refused(void **state)
{
    static const char *const bad[] = {"soon", "0", "-1", "5s", "nan", "inf", "86401"};
    (void)state;
    make_folder();
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; ++i) {
        assert_int_equal(setenv("IPCMARK_DEADLINE", bad[i], 1), 0);
        EXPECT(3, "it is the seconds that an answer may take, above 0 and at most 86400", "--driver", "mmipc",
               "--clause", "DEL-001", "--quick", "--output", record);
        expect_printed(bad[i]);
    }
    assert_int_equal(access(record, F_OK), -1);
    assert_int_equal(setenv("IPCMARK_DEADLINE", "60.5", 1), 0);
    EXPECT(0, "1 pass", "--driver", "mmipc", "--clause", "DEL-001", "--quick");
    unsetenv("IPCMARK_DEADLINE");
    remove_folder();
}

static char verdict[8192]; /* found in the last verdict.txt */

static int read_verdict(const char *path, const struct stat *status, int kind, struct FTW *where)
{
    (void)status;
    if (kind != FTW_F || strcmp(path + where->base, "verdict.txt") != 0)
        return 0;
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    verdict[fread(verdict, 1, sizeof verdict - 1, file)] = '\0';
    fclose(file);
    return 0;
}

static void kept_evidence_of_a_mutant_has_its_verdict(void **state)
{
    (void)state;
    make_folder();
    verdict[0] = '\0';
    EXPECT(0, "caught 1 of 1", "--mutant", "drop", "--clause", "DEL-001", "--keep-passed");
    assert_int_equal(nftw(folder, read_verdict, 8, FTW_PHYS), 0);
    static const char *const words[] = {"fail  drop  DEL-001", "mutant drop, caught: ", "replay: ", "In this folder:"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; ++i)
        if (strstr(verdict, words[i]) == NULL)
            fail_msg("verdict.txt without '%s':\n%s", words[i], verdict);
    remove_folder();
}

static void wrong_usage_is_answered(void **state)
{
    (void)state;
    make_folder();
    EXPECT(64, "nothing to test; name an implementation", "--quick");
    EXPECT(64, "no clause is called 'NIX-*'; --list shows them all", "--driver", "mmipc", "--clause", "DEL-001",
           "--clause", "NIX-*");
    EXPECT(64, "not a number of rounds '0'", "--driver", "mmipc", "--repeat", "0");
    EXPECT(64, "not a number of rounds 'often'", "--driver", "mmipc", "--repeat", "often");
    EXPECT(64, "not a seed '-1'", "--driver", "mmipc", "--seed", "-1");
    EXPECT(64, "no such format 'xml'; it is table, markdown, jsonl or tap", "--driver", "mmipc", "--format", "xml");
    EXPECT(64, "no such level 'may'; it is must or should", "--driver", "mmipc", "--level", "may");
    EXPECT(64, "--quick and --thorough contradict", "--driver", "mmipc", "--quick", "--thorough");
    EXPECT(64, "--resume needs --output", "--driver", "mmipc", "--resume");
    EXPECT(64, "the same records", "--driver", "mmipc", "--format", "jsonl", "--output", record);
    EXPECT(64, "--output cannot be written to '/nonexistent/x'", "--driver", "mmipc", "--output", "/nonexistent/x");
    EXPECT(64, "--junit cannot be written to '/tmp'; name a file", "--driver", "mmipc", "--junit", "/tmp");
    EXPECT(64, "--accept-baseline cannot be written to", "--driver", "mmipc", "--accept-baseline", "/nonexistent/x");
    EXPECT(64, "--keep cannot be written to '/dev/null/x'", "--driver", "mmipc", "--keep", "/dev/null/x");
    EXPECT(64, "--keep cannot be written to", "--driver", "mmipc", "--keep", "");
    EXPECT(64, "a badge is an .svg file, and not 'x.png'", "--driver", "mmipc", "--badge", "x.png");
    EXPECT(64, "a badge is of one implementation", "--driver", "mmipc", "--driver", "tcp", "--badge", "x.svg");
    EXPECT(64, "/nonexistent/x: No such file", "--driver", "mmipc", "--baseline", "/nonexistent/x");
    EXPECT(64, "/nonexistent/x: No such file", "--driver", "mmipc", "--expect", "/nonexistent/x");
    EXPECT(64, "--mutants brings its own drivers", "--mutants", "--driver", "mmipc");
    EXPECT(64, "--mutants prints a table", "--mutants", "--junit", other);
    EXPECT(64, "--mutants is always quick", "--mutants", "--thorough");
    EXPECT(64, "no mutant nosuch was found", "--mutant", "nosuch");
    EXPECT(64, "what is 'now'", "--driver", "mmipc", "now");
    EXPECT(64, "--driver names nothing", "--driver", "");
    EXPECT(64, "--help says what there is", "--nosuch");
    EXPECT(0, "Usage: ipcmark conformance", "--help");
    EXPECT(0, "contract version", "--version");
    remove_folder();
}

CASES_MAIN(CASE(one_that_cannot_be_met_stops_nobody), CASE(a_flood_is_stopped_and_named), CASE(a_name_leads_nowhere),
           CASE(a_misspelt_name_is_known_at_once), CASE(error_before_failure_before_unknown),
           CASE(a_skip_names_who_is_to_blame), CASE(a_baseline_tells_what_is_new),
           CASE(known_failures_must_fail_as_they_did), CASE(records_can_go_to_standard_output),
           CASE(files_are_written_beside_the_table), CASE(the_list_is_of_what_was_asked_for),
           CASE(participants_can_be_wrapped), CASE(what_cannot_be_written_down_is_an_error),
           CASE(nonsense_for_a_deadline_is_refused), CASE(kept_evidence_of_a_mutant_has_its_verdict),
           CASE(wrong_usage_is_answered))
