/* ipcmark soak, as users type it: short soaks of a right driver and of a wrong one, and the record of both. */
#include "cases.h"

#include "command_run.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* more: further arguments, NULL-terminated. */
static void expect_soak(int code, const char *words, const char *driver, const char *seconds, const char *const *more)
{
    const char *arguments[24] = {"--driver",      driver, "--seconds", seconds, "--publishers", "2",
                                 "--subscribers", "2",    "--round",   "2",     "--output",     record};
    for (size_t count = 12; *more != NULL; ++count)
        arguments[count] = *more++;
    expect(code, words, arguments);
}

/* The sum of a number over the lines of rounds; its name NULL: how many there are. */
static uint64_t sum(const char *name)
{
    FILE *file = fopen(record, "re");
    char *line = NULL;
    size_t room = 0;
    uint64_t total = 0;
    assert_non_null(file);
    while (getline(&line, &room, file) > 0) {
        cJSON *json = cJSON_Parse(line);
        assert_non_null(json);
        if (strcmp(cJSON_GetObjectItemCaseSensitive(json, "type")->valuestring, "round") == 0)
            total += name == NULL ? 1 : (uint64_t)cJSON_GetObjectItemCaseSensitive(json, name)->valuedouble;
        cJSON_Delete(json);
    }
    free(line);
    fclose(file);
    return total;
}

static void write_record(const char *text, int flags)
{
    int fd = open(record, O_WRONLY | O_CREAT | O_CLOEXEC | flags, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
}

static void expect_sum(void)
{
    char words[128];
    snprintf(words, sizeof words, "in %llu rounds\n  messages     %llu published", (unsigned long long)sum(NULL),
             (unsigned long long)sum("messages"));
    if (strstr(printed, words) == NULL)
        fail_msg("without '%s':\n%s", words, printed);
}

static void a_right_driver_holds_and_resuming_adds_up(void **state)
{
    (void)state;
    make_folder();
    expect_soak(0, ": holds", "mmipc", "1", ARGUMENTS("--seed", "7"));
    assert_int_equal(sum(NULL), 1);
    assert_true(sum("must") >= 100 && sum("received") >= sum("must"));
    expect_sum();
    const double seconds = (double)sum("seconds") + 1.5;
    char text[32];
    write_record("{\"type\":\"round\",\"ro", O_APPEND); /* as an interrupted run may leave it */
    snprintf(text, sizeof text, "%.1f", seconds);
    expect_soak(0, ": holds", "mmipc", text, ARGUMENTS("--resume"));
    assert_true(sum(NULL) >= 2 && sum("seconds") >= (uint64_t)seconds - sum(NULL));
    expect_sum();
    const uint64_t rounds = sum(NULL);
    expect_soak(0, "seed 7,", "mmipc", "1", ARGUMENTS("--resume")); /* there is nothing left to do */
    assert_int_equal(sum(NULL), rounds);
    expect_sum();
    expect_soak(64, "--resume goes on with it", "mmipc", "1", ARGUMENTS(NULL));
    expect_soak(64, "seed 7, and this is 8", "mmipc", "1", ARGUMENTS("--resume", "--seed", "8"));
    expect_soak(64, "publishers and subscribers: 2 and 2, and this is 3 and 2", "mmipc", "1",
                ARGUMENTS("--resume", "--publishers", "3"));
    expect_soak(64, "is of driver mmipc", "mmipc?spin_us=0", "1", ARGUMENTS("--resume"));
    remove_folder();
}

static void a_driver_that_drops_fails_and_the_message_is_named(void **state)
{
    char evidence[96];
    (void)state;
    make_folder();
    snprintf(evidence, sizeof evidence, "    evidence  %s/", folder);
    expect_soak(1, "fail, lost: ", IPCMARK_TEST_MUTANT, "2", ARGUMENTS("--seed", "1"));
    expect_printed("never received message ");
    expect_printed(evidence);
    expect_printed("    replay    ipcmark soak --driver");
    assert_true(sum("violations") > 0);
    expect_soak(1, ": FAILS", IPCMARK_TEST_MUTANT, "1", ARGUMENTS("--resume")); /* what failed once has failed */
    remove_folder();
}

static void what_cannot_be_gone_on_with_is_refused(void **state)
{
    (void)state;
    make_folder();
    expect_soak(64, "No such file", "mmipc", "1", ARGUMENTS("--resume"));
    write_record("", 0);
    expect_soak(64, "is empty", "mmipc", "1", ARGUMENTS("--resume"));
    write_record("{\"type\":\"case\"}\n", 0);
    expect_soak(64, "is not the record of a soak", "mmipc", "1", ARGUMENTS("--resume"));
    write_record("{\"type\":\"soak\",\"format\":1,\"commit\":\"of-another-day\",\"driver\":\"mmipc\"}\n", O_TRUNC);
    expect_soak(64, "is of commit of-another-day, and this is ", "mmipc", "1", ARGUMENTS("--resume"));
    remove_folder();
    expect_soak(64, "--output must name a file that can be written", "mmipc", "1", ARGUMENTS(NULL));
}

static void wrong_usage_is_answered(void **state)
{
    (void)state;
    make_folder();
    expect_soak(64, "1 to 16 of each kind", "mmipc", "1", ARGUMENTS("--publishers", "0"));
    expect_soak(64, "a number above 0", "mmipc", "soon", ARGUMENTS(NULL));
    expect_soak(64, "both --driver and --agent", "mmipc", "1", ARGUMENTS("--agent", "cat"));
    expect_soak(64, "what is 'now'", "mmipc", "1", ARGUMENTS("now"));
    expect_soak(3, "there is no driver 'nosuch'", "nosuch", "1", ARGUMENTS(NULL));
    expect_soak(0, "Usage: ipcmark soak", "mmipc", "1", ARGUMENTS("--help"));
    assert_int_equal(access(record, F_OK), -1);
    remove_folder();
}

CASES_MAIN(CASE(a_right_driver_holds_and_resuming_adds_up), CASE(a_driver_that_drops_fails_and_the_message_is_named),
           CASE(what_cannot_be_gone_on_with_is_refused), CASE(wrong_usage_is_answered))
