/* A run that ends before its end: what was measured stays, and it is gone on with, or refused with the reason. */
#include <cases.h>

#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "command_run.h"

enum { BLOCKS = 3 };

static const cJSON *last_of(const cJSON *records)
{
    return cJSON_GetArrayItem(records, cJSON_GetArraySize(records) - 1);
}

static double number_of(const cJSON *record, const char *name)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(record, name);
    assert_true(cJSON_IsNumber(item));
    return item->valuedouble;
}

/* The last record of a session, which counts. */
static const cJSON *session_of(const cJSON *records, int number)
{
    const cJSON *record, *found = NULL;

    cJSON_ArrayForEach(record, records)
    {
        if (strcmp(command_text(record, "record"), "session") == 0 && number_of(record, "session") == number)
            found = record;
    }
    assert_non_null(found);
    return found;
}

/* In the middle of a cell with processes; then the rest, and nothing twice. */
static void interrupted_run_is_resumed(void **state)
{
    unsigned counts[BLOCKS], done = 0;
    (void)state;
    command_open_directory();
    const char *words[] = {"--driver",  "fifo", "--filter", "^(hot|throughput|fanout)/fifo/64B",
                           "--blocks",  "3",    "--seed",   "11",
                           "--seconds", "0.1",  "--output", command_file,
                           NULL};
    struct command_started started = command_start(words, true);
    assert_true(command_read_until(&started, "[4/"));
    assert_int_equal(kill(started.pid, SIGINT), 0);
    assert_int_equal(command_finish(&started), 128 + SIGINT);
    assert_non_null(strstr(command_said, "--resume"));
    cJSON *records = command_read_file(counts, BLOCKS);
    assert_true(cJSON_IsTrue(cJSON_GetObjectItem(last_of(records), "interrupted")));
    for (unsigned i = 0; i < BLOCKS; ++i)
        done += counts[i];
    assert_in_range(done, 4, BLOCKS * 3 - 1);
    assert_true(number_of(session_of(records, 1), "cells") == done);
    assert_true(cJSON_IsTrue(cJSON_GetObjectItem(session_of(records, 1), "interrupted")));
    cJSON_Delete(records);

    words[10] = "--resume";
    assert_in_range(command_run(words), 0, 1); /* on a busy machine a cell may be an error: it is there all the same */
    records = command_read_file(counts, BLOCKS);
    for (unsigned i = 0; i < BLOCKS; ++i)
        assert_int_equal(counts[i], 3); /* hot, throughput, fanout */
    assert_true(cJSON_IsFalse(cJSON_GetObjectItem(last_of(records), "interrupted")));
    assert_true(number_of(session_of(records, 2), "cells") == BLOCKS * 3 - done);
    cJSON_Delete(records);
    command_close_directory();
}

/* Another seed, suite, length, other rows, or another build of the driver: figures of two would be mixed in a row. */
static void another_run_is_refused_and_named(void **state)
{
    char driver[128], named[160], command[256];
    (void)state;
    command_open_directory();
    snprintf(driver, sizeof driver, "%s/built.so", command_directory);
    snprintf(named, sizeof named, "base=%s?fault=none", driver);
    snprintf(command, sizeof command, "cp '%s' '%s'", FAULTY_DRIVER, driver);
    assert_int_equal(system(command), 0);
    const char *words[] = {
        "--driver",   named,     "--filter", "limit/memcpy/1MiB", "--blocks",  "2",    "--seed", "11", "--output",
        command_file, "--suite", "quick",    "--quiet",           "--seconds", "0.05", NULL};
    assert_int_equal(command_run(words), 0);
    words[8] = "--resume";
    command_says(0, "0 cells", words); /* nothing is left to do */
    words[7] = "12";
    command_says(3, "is of another run: its seed is 11, and this one's 12", words);
    assert_non_null(
        strstr(command_said, "It was begun by:\n  ipcmark bench --driver 'base=built?fault=none' --suite quick"));
    words[7] = "11";
    words[11] = "full";
    command_says(3, "its suite is quick, and this one's full", words);
    words[11] = "quick";
    words[5] = "3";
    command_says(3, "its blocks is 2, and this one's 3", words);
    words[5] = "2";
    words[14] = "0.06";
    command_says(3, "its cell_seconds is 0.05, and this one's 0.06", words);
    words[14] = "0.05";
    words[3] = "limit/line";
    command_says(3, "its manifest (of what was planned) is ", words);
    words[3] = "limit/memcpy/1MiB";
    FILE *built = fopen(driver, "ae"); /* as if from other sources: the same driver, another file */
    assert_true(built != NULL && fputc('x', built) == 'x' && fclose(built) == 0);
    command_says(3, "its digest of driver base is ", words);
    assert_int_equal(unlink(driver), 0);
    command_close_directory();
}

/* Steal and load of one session say nothing of the others: each has its own record, and a killed one the beginning. */
static void each_session_has_its_record(void **state)
{
    unsigned counts[BLOCKS];
    (void)state;
    command_open_directory();
    const char *words[] = {"--driver", "fifo",     "--filter",   "hot/fifo", "--blocks",  "3",   "--seed",
                           "11",       "--output", command_file, "--quiet",  "--seconds", "0.1", NULL};
    struct command_started started = command_start(words, true);
    assert_true(command_read_until(&started, "[2/"));
    assert_int_equal(kill(started.pid, SIGKILL), 0);
    assert_int_equal(command_finish(&started), 128 + SIGKILL);
    words[8] = "--resume";
    assert_in_range(command_run(words), 0, 1);
    cJSON *records = command_read_file(counts, BLOCKS);
    assert_true(cJSON_IsNull(cJSON_GetObjectItem(session_of(records, 1), "finished")));
    assert_true(cJSON_IsNull(cJSON_GetObjectItem(session_of(records, 1), "seconds")));
    assert_int_equal(strlen(command_text(session_of(records, 2), "finished")), 20);
    assert_true(number_of(session_of(records, 2), "seconds") > 0);
    assert_in_range(number_of(session_of(records, 2), "cells"), 0, 1);
    cJSON_Delete(records);
    command_close_directory();
}

static void unfinished_run_is_not_written_over_unasked(void **state)
{
    static const char header[] = "{\"record\":\"header\",\"command\":\"ipcmark bench --seed 5\"}\n";
    char text[512], home[512];
    (void)state;
    command_open_directory();
    assert_non_null(getcwd(home, sizeof home));
    assert_int_equal(chdir(command_directory), 0);
    command_write_file("ipcmark-bench.jsonl", header);
    SAYS(3, "ipcmark bench --seed 5 --resume ipcmark-bench.jsonl", "--driver", "fifo", "--filter", "limit/line");
    snprintf(text, sizeof text, "%s{\"record\":\"footer\",\"interrupted\":true}\n", header);
    command_write_file("ipcmark-bench.jsonl", text);
    SAYS(3, "did not finish", "--driver", "fifo", "--filter", "limit/line");
    assert_int_equal(rename("ipcmark-bench.jsonl", "it's mine.jsonl"), 0);
    SAYS(3, "--resume 'it'\\''s mine.jsonl'", "--driver", "fifo", "--filter", "limit/line", "--output",
         "it's mine.jsonl");
    command_write_file("it's mine.jsonl", "my notes\n");
    SAYS(3, "something that is no finished run", "--driver", "fifo", "--filter", "limit/line", "--output",
         "it's mine.jsonl");
    assert_int_equal(unlink("it's mine.jsonl"), 0);
    snprintf(text, sizeof text, "%s{\"record\":\"footer\",\"interrupted\":false}\n", header);
    command_write_file("ipcmark-bench.jsonl", text);
    SAYS(0, "Results: ipcmark-bench.jsonl", "--driver", "fifo", "--filter", "limit/memcpy/1MiB", "--blocks", "1");
    assert_int_equal(unlink("ipcmark-bench.jsonl"), 0);
    assert_int_equal(chdir(home), 0);
    command_close_directory();
}

/* A file that may not grow is as good as a full disk. What was measured before stays, and can be gone on with. */
static void full_disk_ends_the_run(void **state)
{
    struct rlimit before, small;
    struct stat status;
    (void)state;
    command_open_directory();
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small = before;
    small.rlim_cur = 8192;
    signal(SIGXFSZ, SIG_IGN); /* else it would end the program before the error does */
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    int result = command_run((const char *const[]){"--driver", "fifo", "--filter", "limit/line", "--blocks", "500",
                                                   "--seed", "3", "--output", command_file, NULL});
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(result, 3);
    assert_non_null(strstr(command_said, "File too large"));
    assert_non_null(strstr(command_said, "--seed 3 --filter limit/line --resume"));
    assert_int_equal(stat(command_file, &status), 0);
    assert_in_range(status.st_size, 1000, 8192); /* it did not go on, and lost nothing */
    command_close_directory();
}

static double now_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* In a block of many seconds. The output ends when the last process that has it does. */
static void nothing_outlives_a_killed_run(void **state)
{
    enum { LONG_SECONDS = 30 };
    (void)state;
    command_open_directory();
    struct command_started started =
        command_start((const char *const[]){"--driver", "fifo", "--filter", "limit/line|latency/fifo", "--seconds",
                                            "30", "--seed", "3", "--output", command_file, NULL},
                      true);
    assert_true(command_read_until(&started, "[1/"));
    double killed_at = now_seconds();
    assert_int_equal(kill(started.pid, SIGKILL), 0);
    assert_int_equal(command_finish(&started), 128 + SIGKILL);
    assert_true(now_seconds() - killed_at < LONG_SECONDS / 3.0);
    command_close_directory();
}

CASES_MAIN(CASE(interrupted_run_is_resumed), CASE(another_run_is_refused_and_named), CASE(each_session_has_its_record),
           CASE(unfinished_run_is_not_written_over_unasked), CASE(full_disk_ends_the_run),
           CASE(nothing_outlives_a_killed_run))
