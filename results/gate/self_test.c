#include "self_test.h"

#include "../command/command.h"
#include "look.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <ipcmark/control.h>

struct counts {
    unsigned runs, verdicts[3];
};

/* Of the same gate: what it measures with, and how. */
static bool is_same(const cJSON *record, const char *kind, const struct options *options)
{
    const char *test = results_string(record, "self_test");
    return test && strcmp(test, kind) == 0 && results_number(record, "seconds_asked") == options->seconds &&
           results_number(record, "cell_seconds") == options->cell_seconds;
}

static int take_line(struct counts *counts, char *line, const struct options *options)
{
    cJSON *record = cJSON_Parse(line);
    const char *verdict = results_string(record, "verdict"), *of = results_string(record, "commit");
    int status = 0;

    if (verdict == NULL)
        status = command_failed("gate", "--output holds a line that is no record of a self-test; give another file");
    else if (!is_same(record, options->self_test, options))
        status = command_failed("gate", "--output holds another self-test, or one with other times; give another file");
    else if (look_commit()[0] != '\0' && of && strcmp(of, look_commit()) != 0)
        status = command_failed("gate", "--output holds a self-test of another commit; give another file");
    for (int i = GATE_PASS; i <= GATE_REGRESSION && status == 0; ++i)
        counts->verdicts[i] += strcmp(verdict, gate_verdict_name((enum gate_verdict)i)) == 0;
    counts->runs += status == 0;
    cJSON_Delete(record);
    return status;
}

/* What the file has already. */
static int count(struct counts *counts, const struct options *options)
{
    FILE *stream = fopen(options->output, "re");
    char *line = NULL;
    size_t size = 0;
    int status = 0;

    *counts = (struct counts){0};
    if (stream == NULL)
        return errno == ENOENT ? 0 : command_error("gate", options->output, -errno);
    while (status == 0 && getline(&line, &size, stream) > 0)
        status = take_line(counts, line, options);
    free(line);
    fclose(stream);
    return status;
}

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

static cJSON *record_of(const struct gate_report *report, const struct options *options)
{
    cJSON *record = cJSON_CreateObject();

    cJSON_AddStringToObject(record, "record", "gate");
    cJSON_AddStringToObject(record, "self_test", options->self_test);
    cJSON_AddStringToObject(record, "verdict", gate_verdict_name(report->verdict));
    cJSON_AddStringToObject(record, "words", report->words);
    cJSON_AddNumberToObject(record, "seconds", report->seconds);
    cJSON_AddNumberToObject(record, "seconds_asked", options->seconds);
    cJSON_AddNumberToObject(record, "cell_seconds", options->cell_seconds);
    cJSON_AddNumberToObject(record, "seed", (double)options->seed);
    cJSON_AddNumberToObject(record, "blocks", report->first.blocks);
    cJSON_AddStringToObject(record, "commit", look_commit());
    cJSON_AddStringToObject(record, "digest", look_digest());
    add_metrics(record, "first", &report->first);
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

static void say_counts(const struct options *options, const struct counts *counts)
{
    if (strcmp(options->self_test, "aa") == 0)
        printf("aa: %u of %u: %u alarms, %u inconclusive\n", counts->runs, options->repeat,
               counts->verdicts[GATE_REGRESSION], counts->verdicts[GATE_INCONCLUSIVE]);
    else
        printf("slowed: %u of %u: %u caught, %u missed, %u inconclusive\n", counts->runs, options->repeat,
               counts->verdicts[GATE_REGRESSION], counts->verdicts[GATE_PASS], counts->verdicts[GATE_INCONCLUSIVE]);
    fflush(stdout);
}

/* One run of the gate, as anybody would have it. */
static int try_once(const struct options *options, const struct gate_tolerances *tolerances)
{
    struct gate_report report = {.candidate = options->candidate, .base = options->baseline};
    struct counts counts;
    int status = look(&report, options, tolerances);
    cJSON *record;

    if (status == 0)
        status = count(&counts, options); /* now that the commit is known: another's file is not added to */
    if (status)
        return status;
    record = record_of(&report, options);
    status = append(options->output, record);
    cJSON_Delete(record);
    return status;
}

static int choose_drivers(struct options *options, char *candidate, char *base)
{
    char slowed[PATH_MAX];
    int error = ipcmark_program_path("slowed.so", slowed, sizeof slowed);

    if (strcmp(options->self_test, "aa") == 0) {
        options->candidate = options->baseline = "mmipc";
        return 0;
    }
    if (error < 0 || access(slowed, R_OK) < 0)
        return command_error("gate", "slowed.so", error < 0 ? error : -errno);
    /* What the wrapper itself costs is the same on both sides. */
    snprintf(candidate, PATH_MAX + 32, "%s?percent=25", slowed);
    snprintf(base, PATH_MAX + 32, "%s?percent=0", slowed);
    options->candidate = candidate;
    options->baseline = base;
    return 0;
}

int self_test(const struct options *given, const struct gate_tolerances *tolerances)
{
    struct options options = *given;
    char candidate[PATH_MAX + 32], base[PATH_MAX + 32];
    struct counts counts;
    int status = choose_drivers(&options, candidate, base);

    options.stored = false;
    if (status == 0 && !options.resume && unlink(options.output) < 0 && errno != ENOENT)
        status = command_error("gate", options.output, -errno);
    if (status == 0)
        status = count(&counts, &options);
    while (status == 0 && counts.runs < options.repeat) {
        status = try_once(&options, tolerances);
        if (status == 0)
            status = count(&counts, &options);
        if (status == 0)
            say_counts(&options, &counts);
        options.seed += 2;
    }
    if (status)
        return status;
    if (counts.runs == 0)
        return 2;
    say_counts(&options, &counts);
    return gate_often_right(strcmp(options.self_test, "slowed") == 0, counts.runs, counts.verdicts[GATE_REGRESSION],
                            counts.verdicts[GATE_INCONCLUSIVE])
               ? 0
               : 1;
}
