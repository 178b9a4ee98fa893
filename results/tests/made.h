/* Runs for the gate that are made by hand: 12 blocks of three rows each, whose noise is known. */
#ifndef MADE_H
#define MADE_H

#include "gate/gate.h"
#include "scratch.h"

#include <string.h>

enum { BLOCKS = 12, ALL = 7 };

/* How the rows come out in each block; 1 is as the base. */
struct made {
    double slower[BLOCKS], control[BLOCKS]; /* time over that of the base; 0: that cell is an error */
    int blocks;
    bool hot, rate, p99;       /* which metrics are slower; p99: whether the base has one */
    const char *error, *fault; /* of the candidate's cell in block 3 */
    int errors;                /* and in so many more */
    int lacking;               /* in so many blocks it made too few rounds for a p99 */
    const char *base_error, *base_fault;
    const char *placement[BLOCKS]; /* of the candidate; NULL: "cluster" */
    const char *base_placement[BLOCKS];
};

static inline struct made usual(double slower)
{
    struct made made = {.blocks = BLOCKS, .hot = true, .rate = true, .p99 = true};
    for (int i = 0; i < BLOCKS; ++i) {
        made.slower[i] = slower * (1 + 0.002 * (i % 5 - 2));
        made.control[i] = 1 + 0.002 * (i % 4 - 1.5);
    }
    return made;
}

static inline void write_cell(FILE *out, const char *family, const char *driver, int block, const char *placement,
                              const char *metrics, const char *error, const char *fault)
{
    fprintf(out,
            "{\"record\":\"cell\",\"row\":\"%s/%s/64B/1x1\",\"family\":\"%s\",\"driver\":\"%s\",\"size\":64,"
            "\"publishers\":1,\"subscribers\":1,\"block\":%d,\"placement\":\"%s\",\"line_before_ns\":50,"
            "\"line_after_ns\":50,\"metrics\":{%s}",
            family, driver, family, driver, block, placement ? placement : "cluster", error ? "" : metrics);
    if (error)
        fprintf(out, ",\"error\":\"%s\"", error);
    if (fault)
        fprintf(out, ",\"fault\":\"%s\"", fault);
    fputs("}\n", out);
}

static inline void write_driver(FILE *out, const struct made *made, const char *driver, int block, double slower)
{
    const bool is_candidate = strcmp(driver, "candidate") == 0, is_base = strcmp(driver, "base") == 0;
    const bool fails = is_candidate && block >= 3 && block <= 3 + made->errors;
    const char *error = fails ? made->error : is_base && block == 3 ? made->base_error : NULL;
    const char *fault = is_candidate ? made->fault : made->base_fault;
    const char *placement = is_candidate ? made->placement[block] : is_base ? made->base_placement[block] : NULL;
    const double hot = made->hot ? slower : 1, rate = made->rate ? slower : 1;
    const bool held_up = (block + is_base) % 2 == 0; /* for a moment, which says nothing of the driver */
    char metrics[200];

    snprintf(metrics, sizeof metrics, "\"p50_ns\":%.9g", 200 * hot);
    if (made->p99 && !(is_candidate && block < made->lacking))
        snprintf(metrics + strlen(metrics), sizeof metrics - strlen(metrics),
                 ",\"p99_ns\":%.9g,\"p99_of_rounds_ns\":%.9g", held_up ? 9000 : 900 * hot, 800 * hot);
    write_cell(out, "hot", driver, block, placement, metrics, error, error ? fault : NULL);
    snprintf(metrics, sizeof metrics, "\"messages_per_second\":%.9g", 4e6 / rate);
    write_cell(out, "throughput", driver, block, placement, metrics, NULL, NULL);
}

static inline char *text_of(const struct made *made)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    assert_non_null(out);
    fputs(HEADER, out);
    for (int block = 0; block < made->blocks; ++block) {
        write_driver(out, made, "candidate", block, made->slower[block]);
        write_driver(out, made, "base", block, 1);
        write_driver(out, made, "control", block, made->control[block]);
    }
    assert_int_equal(fclose(out), 0);
    return text;
}

static inline struct results_run read_run(const char *text)
{
    struct results_run run;
    char error[512] = "";
    if (scratch_read(&run, text, error, sizeof error) != 0)
        fail_msg("%s", error);
    return run;
}

static inline struct gate_tolerances tolerances(void)
{
    struct gate_tolerances out;
    char error[200];
    assert_int_equal(gate_tolerances_read(&out, NULL, error, sizeof error), 0);
    return out;
}

static inline struct gate_look judge_only(const struct made *made, unsigned asked)
{
    char *text = text_of(made);
    struct results_run run = read_run(text);
    struct results_rows rows;
    struct gate_tolerances usual_ones = tolerances();
    struct gate_look look;

    assert_int_equal(results_rows_build(&rows, &run, 1), 0);
    assert_int_equal(gate_judge(&look, &rows, &usual_ones, asked), 0);
    results_rows_free(&rows);
    results_run_free(&run);
    free(text);
    return look;
}

static inline struct gate_look judge(const struct made *made)
{
    return judge_only(made, ALL);
}

static inline struct gate_report conclude(const struct made *first, const struct made *second)
{
    struct gate_report report = {.candidate = "./new.so", .base = "./old.so", .seconds = 91.4};
    report.first = judge(first);
    report.confirmed = second != NULL;
    if (second)
        report.second = judge_only(second, gate_to_confirm(&report.first));
    gate_conclude(&report);
    return report;
}

static inline void has(const char *text, const char *part)
{
    if (strstr(text, part) == NULL)
        fail_msg("no '%s' in:\n%s", part, text);
}

#endif
