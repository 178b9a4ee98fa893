/* How long a run is said to take, with a measuring program whose rows say how long they would have taken. */
#include <cases.h>

#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include "command_run.h"

/* A directory of programs with the fake one among them. */
static void link_program(const char *name, const char *target)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", command_directory, name);
    assert_int_equal(symlink(target, path), 0);
}

static void unlink_program(const char *name)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", command_directory, name);
    assert_int_equal(unlink(path), 0);
}

static void open_programs(void)
{
    command_open_directory();
    link_program("ipcmark-bench-rows", FAKE_ROWS);
    link_program("ipcmark-guard", GUARD);
    link_program("ipcmark-agent", AGENT);
    assert_int_equal(setenv("IPCMARK_EXEC_PATH", command_directory, 1), 0);
}

static void close_programs(void)
{
    unlink_program("ipcmark-bench-rows");
    unlink_program("ipcmark-guard");
    unlink_program("ipcmark-agent");
    command_close_directory();
}

static double seconds_said(void)
{
    const char *about = strstr(command_said, ", about ");
    double seconds;
    assert_non_null(about);
    assert_int_equal(sscanf(about, ", about %lf s\n", &seconds), 1);
    return seconds;
}

/* The cells of the run's file, and a tenth of a second for each block. */
static double seconds_of_run(void)
{
    unsigned counts[64];
    cJSON *records = command_read_file(counts, 64);
    const cJSON *record;
    double seconds = 0;

    cJSON_ArrayForEach(record, records)
    {
        if (strcmp(command_text(record, "record"), "cell") == 0)
            seconds += cJSON_GetNumberValue(cJSON_GetObjectItem(cJSON_GetObjectItem(record, "metrics"), "seconds"));
    }
    for (size_t block = 0; block < 64; ++block)
        seconds += counts[block] > 0 ? 0.1 : 0;
    cJSON_Delete(records);
    return seconds;
}

static void near(double said, double of_run)
{
    if (!(of_run > 0.95 * said - 0.05 && of_run < 1.05 * said + 0.05)) /* said in tenths */
        fail_msg("%.1f s were said, and it is %.2f s", said, of_run);
}

static void run_is_said_to_take_what_its_cells_do(void **state)
{
    (void)state;
    open_programs();
    SAYS(0, "2 rows × 2 blocks: 4 cells, about 1.5 s", "--driver", "fifo", "--filter", "limit/line|throughput/fifo/64B",
         "--blocks", "2", "--seconds", "0.4", "--quiet", "--output", command_file);
    near(seconds_said(), seconds_of_run());
    close_programs();
}

/* A shard's own part, and what is left of it. */
static void so_does_a_part_of_it(void **state)
{
    unsigned counts[8];
    (void)state;
    open_programs();
    SAYS(0, "1 rows × 8 blocks, part 2 of 3: 3 cells, about ", "--driver", "fifo", "--filter", "throughput/fifo/64B",
         "--blocks", "8", "--shard", "2/3", "--seed", "5", "--seconds", "0.2", "--quiet", "--output", command_file);
    near(seconds_said(), seconds_of_run());
    cJSON *records = command_read_file(counts, 8);
    const cJSON *shard = cJSON_GetObjectItem(cJSON_GetArrayItem(records, 0), "shard");
    for (unsigned block = 0; block < 8; ++block)
        assert_int_equal(counts[block], block % 3 == 1);
    assert_int_equal(cJSON_GetNumberValue(cJSON_GetObjectItem(shard, "index")), 2);
    assert_int_equal(cJSON_GetNumberValue(cJSON_GetObjectItem(shard, "count")), 3);
    assert_int_equal(cJSON_GetNumberValue(cJSON_GetObjectItem(cJSON_GetArrayItem(records, 0), "planned")), 3);
    cJSON_Delete(records);
    close_programs();
}

static void budget_is_kept_and_says_what_it_costs(void **state)
{
    (void)state;
    open_programs();
    SAYS(0, "To take no more than 2.2 s: 6 of 12 blocks, and without throughput/fifo/64B/1x1\n", "--driver", "fifo",
         "--filter", "hot/fifo|throughput/fifo/64B/", "--blocks", "12", "--seconds", "0.01", "--budget", "2.2",
         "--quiet", "--output", command_file);
    near(seconds_said(), seconds_of_run());
    SAYS(64, "--budget 1 is too little: 6 blocks of hot/", "--driver", "fifo", "--filter", "hot/fifo", "--blocks", "12",
         "--budget", "1", "--output", command_file);
    close_programs();
}

/* Whoever cannot show them has them all the same. */
static void results_stay_when_nobody_can_show_them(void **state)
{
    unsigned counts[2];
    (void)state;
    open_programs();
    SAYS(0, "ipcmark bench: ipcmark-report: No such file or directory\nResults: ", "--driver", "fifo", "--filter",
         "limit/line", "--blocks", "2", "--output", command_file);
    cJSON_Delete(command_read_file(counts, 2));
    assert_true(counts[0] == 1 && counts[1] == 1);
    link_program("ipcmark-report", "/bin/false");
    SAYS(0, "ipcmark-report ended with 1; `ipcmark report ", "--driver", "fifo", "--filter", "limit/line", "--blocks",
         "2", "--output", command_file);
    unlink_program("ipcmark-report");
    close_programs();
}

CASES_MAIN(CASE(run_is_said_to_take_what_its_cells_do), CASE(so_does_a_part_of_it),
           CASE(budget_is_kept_and_says_what_it_costs), CASE(results_stay_when_nobody_can_show_them))
