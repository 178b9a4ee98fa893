/* The command as a user has it: what it says, what it writes. */
#include <cases.h>

#include <stdlib.h>
#include <unistd.h>

#include "command_run.h"

static void mistakes_are_explained(void **state)
{
    (void)state;
    SAYS(0, "Exit codes:", "--help");
    SAYS(0, "ipcmark-bench ", "--version");
    SAYS(64, "--help", "--nonsense");
    SAYS(64, "there are no such arguments: 'hot'", "hot");
    SAYS(64, "suites are quick, standard and full, not 'long'", "--suite", "long");
    SAYS(64, "--blocks takes", "--blocks", "0");
    SAYS(64, "two different CPUs", "--pin", "1,1");
    SAYS(64, "leave --pin none out", "--pin", "none", "--targets");
    SAYS(64, "--budget takes", "--budget", "soon");
    SAYS(64, "--shard takes a part and their number, as in 2/4, not '5/4'", "--shard", "5/4", "--seed", "1");
    SAYS(64, "a shard needs the --seed", "--shard", "1/2");
    SAYS(64, "more shards than blocks", "--shard", "1/9", "--seed", "1", "--blocks", "8");
    SAYS(64, "not a regular expression", "--filter", "[");
    SAYS(64, "no row matches 'warm'", "--filter", "warm");
    SAYS(64, "give one another, --driver NAME=DRIVER: 'x'", "--driver", "./x.so", "--driver", "x");
    SAYS(64, "no driver can be called so: 'limit=fifo'", "--driver", "limit=fifo");
    SAYS(64, "no driver can be called so: 'base='", "--driver", "base=");
    SAYS(64, "has no seed", "--benchmark_enable_random_interleaving=true");
    SAYS(64, "--resume needs the --seed", "--resume", "x.jsonl");
    SAYS(0, "hot/fifo/64B/1x1\n", "--list", "--driver", "fifo");
}

static void unusable_driver_is_named_before_anything_runs(void **state)
{
    (void)state;
    command_open_directory();
    SAYS(3, "driver 'no-such-driver' cannot be used", "--driver", "no-such-driver", "--output", command_file);
    assert_int_equal(access(command_file, F_OK), -1);
    command_close_directory();
}

static void reference_is_measured_spinning_and_sleeping(void **state)
{
    (void)state;
    SAYS(0, "hot/mmipc/64B/1x1\nhot/mmipc?spin_us=-1/64B/1x1\nhot/fifo/64B/1x1\nhot/tcp/64B/1x1\n", "--list",
         "--filter", "^hot/");
}

static void run_is_written_and_summed_up(void **state)
{
    unsigned counts[2];
    cJSON *records, *footer;
    (void)state;
    command_open_directory();
    SAYS(0, "Not fit to publish:", "--suite", "standard", "--filter", "limit/memcpy/(64B|1MiB)", "--blocks", "2",
         "--seconds", "0.02", "--driver", "fifo", "--output", command_file);
    records = command_read_file(counts, 2);
    footer = cJSON_GetArrayItem(records, cJSON_GetArraySize(records) - 1);
    assert_true(counts[0] == 2 && counts[1] == 2);
    assert_string_equal(command_text(footer, "record"), "footer");
    assert_true(cJSON_IsFalse(cJSON_GetObjectItem(footer, "interrupted")));
    cJSON_Delete(records);
    command_close_directory();
}

/* Whoever keeps a log keeps what a run is about and where its results are, and no line a cell. */
static void progress_is_for_terminals(void **state)
{
    const char *words[] = {"--filter", "limit/memcpy/1MiB", "--driver", "fifo",       "--blocks", "4", "--seconds",
                           "0.05",     "--quiet",           "--output", command_file, NULL};
    struct command_started started;
    (void)state;
    command_open_directory();
    assert_int_equal(command_run(words), 0);
    if (strncmp(command_said, "1 rows × 4 blocks: 4 cells, about ", 34) != 0 || command_count("\n") != 2 ||
        command_count("\nResults: ") != 1)
        fail_msg("not one line at the beginning and one at the end, but:\n%s", command_said);
    started = command_start(words, true);
    assert_int_equal(command_finish(&started), 0);
    for (unsigned cell = 1; cell <= 4; ++cell) {
        char text[16];
        snprintf(text, sizeof text, "\r\033[K[%u/4] ", cell);
        assert_int_equal(command_count(text), 1);
    }
    command_close_directory();
}

/* Two builds of one driver, or one twice: each by its name, in rows, in the header, and in what is to be typed again.
 */
static void drivers_have_names(void **state)
{
    const cJSON *header, *drivers, *base, *slow;
    unsigned counts[1];
    cJSON *records;
    (void)state;
    command_open_directory();
    const char *words[] = {"--driver",  "base=" FAULTY_DRIVER "?fault=none",
                           "--driver",  "slow=" FAULTY_DRIVER "?fault=none&at=9",
                           "--driver",  "fifo",
                           "--filter",  "throughput/(base|slow|fifo)/64B",
                           "--blocks",  "1",
                           "--seconds", "0.02",
                           "--output",  command_file,
                           NULL};
    assert_in_range(command_run(words), 0, 1); /* on a busy machine a cell may be an error: it is there all the same */
    assert_true(command_count("base") > 0 && command_count("slow") > 0);
    records = command_read_file(counts, 1);
    assert_int_equal(counts[0], 3);
    header = cJSON_GetArrayItem(records, 0);
    drivers = cJSON_GetObjectItem(header, "drivers");
    base = cJSON_GetArrayItem(drivers, 0);
    slow = cJSON_GetArrayItem(drivers, 1);
    assert_string_equal(command_text(base, "name"), "base");
    assert_string_equal(command_text(base, "driver"), "faulty?fault=none");
    assert_string_equal(command_text(slow, "name"), "slow");
    assert_string_equal(command_text(slow, "driver"), "faulty?fault=none&at=9");
    assert_int_equal(strlen(command_text(base, "digest")), 8);
    assert_string_equal(command_text(base, "digest"), command_text(slow, "digest"));
    assert_string_not_equal(command_text(base, "digest"), command_text(cJSON_GetArrayItem(drivers, 2), "digest"));
    assert_non_null(strstr(command_text(header, "command"),
                           "--driver 'base=faulty?fault=none' --driver 'slow=faulty?fault=none&at=9' --driver fifo"));
    assert_string_equal(command_text(header, "suite"), "quick");
    cJSON_Delete(records);
    command_close_directory();
}

/* Nobody is bound to a CPU: a cell can have no placement. */
static void without_pins_there_is_no_placement(void **state)
{
    unsigned counts[1];
    cJSON *records;
    (void)state;
    command_open_directory();
    const char *words[] = {"--driver", "fifo", "--pin",     "none", "--filter", "throughput/fifo/64B",
                           "--blocks", "1",    "--seconds", "0.02", "--output", command_file,
                           NULL};
    assert_in_range(command_run(words), 0, 1);
    records = command_read_file(counts, 1);
    assert_string_equal(command_text(cJSON_GetArrayItem(records, 0), "pin"), "none");
    assert_string_equal(command_text(cJSON_GetArrayItem(records, 2), "record"), "cell");
    assert_true(cJSON_IsNull(cJSON_GetObjectItem(cJSON_GetArrayItem(records, 2), "placement")));
    cJSON_Delete(records);
    command_close_directory();
}

static void runners_flags_reach_it(void **state)
{
    char flag[128], path[128];
    (void)state;
    command_open_directory();
    snprintf(flag, sizeof flag, "--benchmark_out=%s/gb", command_directory);
    SAYS(0, "Benchmark", flag, "--benchmark_format=console", "--benchmark_filter=limit/memcpy/1MiB", "--driver", "fifo",
         "--blocks", "2", "--output", command_file);
    for (int block = 0; block < 2; ++block) {
        snprintf(path, sizeof path, "%s/gb.%d", command_directory, block);
        assert_int_equal(unlink(path), 0);
    }
    command_close_directory();
}

/* Every row of every target, once and briefly: all are figures, and one block is too few for any verdict. What others
 * want of the CPUs may make an error of one, so it is measured again; then some may be unknown for another reason. */
static void targets_are_measured_and_judged(void **state)
{
    enum { ROWS = 22, TARGETS = 16, SESSIONS = 2, ATTEMPTS = 4 };
    const char *words[] = {"--targets", "--blocks", "1", "--seconds", "0.01", "--output", command_file, NULL};
    unsigned counts[1], attempt = 1;
    cJSON *records, *footer;
    double load;
    (void)state;
    if (sysconf(_SC_NPROCESSORS_ONLN) < 2)
        exit(77); /* the line, and a CPU for each side */
    command_open_directory();
    while (command_run(words) == 1 && attempt < ATTEMPTS)
        ++attempt;
    if (command_count("ERROR") > 0 && getloadavg(&load, 1) == 1 && load > (double)sysconf(_SC_NPROCESSORS_ONLN)) {
        print_message("skipped at a load of %.1f:\n%s", load, command_said);
        command_close_directory();
        exit(77);
    }
    if (strstr(command_said, "one way to a sleeping reader") == NULL)
        fail_msg("%s", command_said);
    assert_int_equal(command_count("unknown: "), TARGETS);
    assert_int_equal(command_count("ERROR"), 0);
    records = command_read_file(counts, 1);
    footer = cJSON_GetArrayItem(records, cJSON_GetArraySize(records) - 1);
    assert_int_equal(counts[0], ROWS);
    assert_int_equal(cJSON_GetNumberValue(cJSON_GetObjectItem(footer, "written")), ROWS + SESSIONS);
    cJSON_Delete(records);
    command_close_directory();
}

static void lists_are_for_who_asks(void **state)
{
    (void)state;
    SAYS(0, "limit/line\n", "--benchmark_list_tests", "--filter", "limit/line");
    SAYS(0, "limit/line\n", "--benchmark_list_tests=true", "--filter", "limit/line");
    command_open_directory();
    SAYS(0, "Results: ", "--benchmark_list_tests=false", "--benchmark_enable_random_interleaving=false", "--filter",
         "limit/line", "--driver", "fifo", "--blocks", "1", "--output", command_file);
    assert_null(strstr(command_said, "limit/line\n"));
    command_close_directory();
}

static void targets_combine_with_suites(void **state)
{
    (void)state;
    SAYS(0, "target-hot/mmipc/32B/1x1\n", "--targets", "--list");
    assert_null(strstr(command_said, "hot/fifo"));
    assert_null(strstr(command_said, "limit/"));
    SAYS(0, "target-hot/mmipc/32B/1x1\n", "--targets", "--list", "--suite", "standard", "--driver", "tcp");
    assert_non_null(strstr(command_said, "roundtrip/tcp/64B/1x1\n"));
    assert_null(strstr(command_said, "fifo/64B/1x1/r"));
    SAYS(0, "limit/line\n", "--list");
    assert_null(strstr(command_said, "target-"));
}

CASES_MAIN(CASE(mistakes_are_explained), CASE(unusable_driver_is_named_before_anything_runs),
           CASE(reference_is_measured_spinning_and_sleeping), CASE(run_is_written_and_summed_up),
           CASE(progress_is_for_terminals), CASE(drivers_have_names), CASE(without_pins_there_is_no_placement),
           CASE(runners_flags_reach_it), CASE(targets_are_measured_and_judged), CASE(lists_are_for_who_asks),
           CASE(targets_combine_with_suites))
