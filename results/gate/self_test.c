#include "self_test.h"

#include "../command/command.h"
#include "copies.h"
#include "look.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <ipcmark/control.h>
#include <ipcmark/runfile.h>

struct counts {
    unsigned runs, verdicts[3];
    double seconds; /* that these runs took */
};

struct self_test {
    const struct options *options;
    const struct gate_tolerances *tolerances;
    bool slowed;
    char driver[PATH_MAX]; /* the file */
    cJSON *settings;       /* what a record begins with; only those with the same ones add up */
    struct counts counts;
};

/* ---- what was counted before --------------------------------------------------------------------------------- */

static int complain_of(const struct self_test *test, const char *text)
{
    fprintf(stderr, "ipcmark gate: %s %s; give another --output\n", test->options->output, text);
    return EXIT_UNREADABLE;
}

/* Of the same gate, of the same two files: else the first that differs is said. */
static int check_same(const struct self_test *test, const cJSON *record)
{
    const cJSON *own;

    cJSON_ArrayForEach(own, test->settings)
    {
        const cJSON *there = cJSON_GetObjectItemCaseSensitive(record, own->string);
        char *is, *was, text[300];
        if (cJSON_Compare(own, there, true))
            continue;
        is = cJSON_PrintUnformatted(own);
        was = cJSON_PrintUnformatted(there);
        snprintf(text, sizeof text, "holds a self-test whose %s is %.100s, and this one's is %.100s", own->string,
                 was ? was : "unknown", is ? is : "unknown");
        cJSON_free(is);
        cJSON_free(was);
        return complain_of(test, text);
    }
    return 0;
}

static int take_line(struct self_test *test, const char *line)
{
    cJSON *record = cJSON_Parse(line);
    const char *verdict = results_string(record, "verdict");
    const double seconds = results_number(record, "seconds");
    int status =
        verdict ? check_same(test, record) : complain_of(test, "holds a line that is no record of a self-test");

    for (int i = GATE_PASS; i <= GATE_REGRESSION && status == 0; ++i)
        test->counts.verdicts[i] += strcmp(verdict, gate_verdict_name((enum gate_verdict)i)) == 0;
    if (status == 0) {
        ++test->counts.runs;
        test->counts.seconds += isnan(seconds) ? 0 : seconds;
    }
    cJSON_Delete(record);
    return status;
}

/* What the file has already. A last line that is not whole was being written when somebody was killed: it goes. */
static int count(struct self_test *test)
{
    const char *path = test->options->output;
    FILE *stream = fopen(path, "re");
    char *line = NULL;
    size_t size = 0;
    ssize_t length;
    off_t whole = 0;
    int status = 0;

    if (stream == NULL)
        return errno == ENOENT ? 0 : command_error("gate", path, -errno);
    if (!test->options->resume)
        status =
            command_failed("gate", "--output is there already: --resume adds to it; else delete it, or give another");
    while (status == 0 && (length = getline(&line, &size, stream)) > 0 && line[length - 1] == '\n') {
        status = take_line(test, line);
        whole += length;
    }
    free(line);
    fclose(stream);
    if (status == 0 && truncate(path, whole) < 0)
        status = command_error("gate", path, -errno);
    return status;
}

/* ---- a run of the gate --------------------------------------------------------------------------------------- */

static void add_metrics(cJSON *record, const char *name, const struct gate_look *look)
{
    cJSON *list = cJSON_AddArrayToObject(record, name);

    for (size_t i = 0; i < GATE_METRICS; ++i) {
        const struct gate_finding *finding = &look->findings[i];
        cJSON *json;
        if (!(look->asked >> i & 1))
            continue;
        json = cJSON_CreateObject();
        cJSON_AddStringToObject(json, "metric", finding->metric->metric);
        cJSON_AddStringToObject(json, "verdict", gate_verdict_name(finding->verdict));
        cJSON_AddNumberToObject(json, "pairs", (double)finding->slower.count);
        cJSON_AddNumberToObject(json, "slower", finding->slower.median); /* null: not known */
        cJSON_AddNumberToObject(json, "low", finding->slower.low);
        cJSON_AddNumberToObject(json, "high", finding->slower.high);
        cJSON_AddNumberToObject(json, "control_low", finding->control.low);
        cJSON_AddNumberToObject(json, "control_high", finding->control.high);
        cJSON_AddNumberToObject(json, "chance", finding->chance);
        cJSON_AddItemToArray(list, json);
    }
}

static void add_digest(cJSON *settings, const char *name, const char *driver)
{
    char digest[IPCMARK_DIGEST_SIZE];
    ipcmark_target_digest(digest, &(ipcmark_target){.driver = driver});
    cJSON_AddStringToObject(settings, name, digest);
}

static cJSON *settings_of(const struct self_test *test)
{
    cJSON *settings = cJSON_CreateObject(), *environment = ipcmark_environment_capture(), *tolerances;
    const char *commit = results_string(environment, "commit");

    cJSON_AddStringToObject(settings, "record", "gate");
    cJSON_AddStringToObject(settings, "self_test", test->options->self_test);
    cJSON_AddStringToObject(settings, "commit", commit ? commit : "unknown");
    add_digest(settings, "digest", test->driver);
    cJSON_AddNumberToObject(settings, "seconds_asked", test->options->seconds);
    cJSON_AddNumberToObject(settings, "cell_seconds", test->options->cell_seconds);
    cJSON_AddItemToObject(settings, "pin",
                          test->options->pin ? cJSON_CreateString(test->options->pin) : cJSON_CreateNull());
    tolerances = cJSON_AddObjectToObject(settings, "tolerances");
    for (size_t i = 0; i < GATE_METRICS; ++i)
        cJSON_AddNumberToObject(tolerances, gate_metrics[i].metric, test->tolerances->share[i]);
    cJSON_Delete(environment);
    return settings;
}

/* Records of several machines add up, but each says what it was made on. */
static void add_machine(cJSON *record)
{
    static const char *const members[] = {"cpu", "cpus", "kernel", "virtualization", "compiler"};
    cJSON *environment = ipcmark_environment_capture();

    for (size_t i = 0; i < sizeof members / sizeof members[0]; ++i)
        cJSON_AddItemToObject(record, members[i], cJSON_DetachItemFromObject(environment, members[i]));
    cJSON_Delete(environment);
}

static cJSON *record_of(const struct self_test *test, const struct gate_report *report, uint64_t seed)
{
    cJSON *record = cJSON_Duplicate(test->settings, true);

    add_machine(record);
    cJSON_AddStringToObject(record, "verdict", gate_verdict_name(report->verdict));
    cJSON_AddStringToObject(record, "words", report->words);
    cJSON_AddNumberToObject(record, "seconds", report->seconds);
    cJSON_AddNumberToObject(record, "seed", (double)seed);
    cJSON_AddNumberToObject(record, "blocks", report->first.blocks);
    add_metrics(record, "first", &report->first);
    if (report->looked_again)
        add_metrics(record, "again", &report->again);
    if (report->confirmed)
        add_metrics(record, "fresh", &report->second);
    return record;
}

static int append(const char *path, const cJSON *record)
{
    char *line = cJSON_PrintUnformatted(record);
    FILE *stream = line ? fopen(path, "ae") : NULL;
    int status = 0;

    if (stream == NULL || fprintf(stream, "%s\n", line) < 0)
        status = command_error("gate", path, line ? -errno : -ENOMEM);
    if (stream && fclose(stream) == EOF && status == 0)
        status = command_error("gate", path, -errno);
    cJSON_free(line);
    return status;
}

static void add_to_counts(struct counts *counts, const struct gate_report *report)
{
    ++counts->runs;
    ++counts->verdicts[report->verdict];
    counts->seconds += report->seconds;
}

/* As anybody would have it, with two files that are built alike: one file would be the same memory on both sides. So
 * each run has copies of its own. What the wrapper of `slowed` costs is on both sides. */
static int try_once(struct self_test *test)
{
    struct options options = *test->options;
    struct copies copies;
    char candidate[PATH_MAX + 32], base[PATH_MAX + 32];
    struct gate_report report = {.candidate = candidate, .base = base, .verdict = GATE_INCONCLUSIVE};
    int status = copies_make(&copies, test->driver);

    if (status)
        return status;
    snprintf(candidate, sizeof candidate, "%s%s", copies.candidate, test->slowed ? "?percent=25" : "");
    snprintf(base, sizeof base, "%s%s", copies.base, test->slowed ? "?percent=0" : "");
    options.candidate = candidate;
    options.baseline = base;
    options.stored = false;
    options.seed += 3 * (uint64_t)test->counts.runs; /* one a look */
    status = look(&report, &options, test->tolerances);
    if (status == 0) {
        cJSON *record = record_of(test, &report, options.seed);
        status = append(options.output, record);
        cJSON_Delete(record);
    }
    if (status == 0) {
        add_to_counts(&test->counts, &report);
        printf("run %u: %s: %s\n", test->counts.runs, gate_verdict_name(report.verdict), report.words);
    }
    copies_remove(&copies);
    return status;
}

/* ---- all of them --------------------------------------------------------------------------------------------- */

static void say_counts(const struct self_test *test)
{
    const struct counts *counts = &test->counts;

    printf("%s: %u of %u: ", test->options->self_test, counts->runs, test->options->repeat);
    if (test->slowed)
        printf("%u caught, %u missed, %u inconclusive", counts->verdicts[GATE_REGRESSION], counts->verdicts[GATE_PASS],
               counts->verdicts[GATE_INCONCLUSIVE]);
    else
        printf("%u alarms, %u inconclusive", counts->verdicts[GATE_REGRESSION], counts->verdicts[GATE_INCONCLUSIVE]);
}

/* By what the runs took so far; the first is at least as long as it measures. */
static void say_progress(const struct self_test *test)
{
    const struct counts *counts = &test->counts;
    const double each = counts->runs ? counts->seconds / counts->runs : test->options->seconds;

    say_counts(test);
    printf("; %s %.0f min left\n", counts->runs ? "about" : "at least",
           ceil(each * (test->options->repeat - counts->runs) / 60));
    fflush(stdout);
}

static int say_summary(const struct self_test *test)
{
    const struct counts *counts = &test->counts;
    const unsigned needed = gate_runs_needed(test->slowed);
    const bool right = gate_often_right(test->slowed, counts->runs, counts->verdicts[GATE_REGRESSION],
                                        counts->verdicts[GATE_INCONCLUSIVE]);

    say_counts(test);
    if (test->slowed)
        printf("; at most %u may not be caught", counts->runs / 20);
    else
        printf("; at most %u and %u may be", counts->runs / 50, counts->runs / 10);
    if (right && counts->runs < needed) {
        printf(": too few to tell, %u are needed; --repeat %u --resume goes on\n", needed, needed);
        return 2;
    }
    printf(": the gate is %s\n", right ? "right often enough" : "NOT right often enough");
    return right ? 0 : 1;
}

static int find_driver(struct self_test *test)
{
    int error = test->slowed ? ipcmark_program_path("slowed.so", test->driver, sizeof test->driver)
                             : ipcmark_driver_path("mmipc", test->driver, sizeof test->driver);

    if (error == 0 && access(test->driver, R_OK) < 0)
        error = -errno;
    return error < 0 ? command_error("gate", test->slowed ? "slowed.so" : "mmipc.so", error) : 0;
}

int self_test(const struct options *options, const struct gate_tolerances *tolerances)
{
    struct self_test test = {options, tolerances, .slowed = strcmp(options->self_test, "slowed") == 0};
    int status = find_driver(&test);

    if (status)
        return status;
    test.settings = settings_of(&test);
    status = count(&test);
    while (status == 0 && test.counts.runs < options->repeat) {
        say_progress(&test);
        status = try_once(&test);
        if (status)
            fprintf(stderr, "ipcmark gate: %u of %u runs are done; --resume goes on with them\n", test.counts.runs,
                    options->repeat);
    }
    if (status == 0)
        status = say_summary(&test);
    cJSON_Delete(test.settings);
    return status;
}
