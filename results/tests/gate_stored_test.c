/* What the gate makes of a run beside a stored one: another time, another machine. */
#include "cases.h"

#include "gate/store.h"
#include "made.h"

#include <stdlib.h>

/* A run of a machine where all takes `pace` of the time; the driver alone takes `slower` more. */
static char *machine(double pace, double slower, double noise, bool limits)
{
    char *text = NULL, metrics[200];
    size_t size;
    FILE *out = open_memstream(&text, &size);

    assert_non_null(out);
    fputs("{\"record\":\"header\",\"format\":1,\"kind\":\"bench\",\"planned\":1,\"environment\":{\"cpu\":\"A\"}}\n",
          out);
    for (int block = 0; block < BLOCKS; ++block) {
        double here = pace * (1 + 0.05 * (block % 3)), own = slower * (1 + noise * (block % 4 - 1.5));
        snprintf(metrics, sizeof metrics, "\"messages_per_second\":%.9g", 4e6 / here / own);
        write_cell(out, "throughput", "candidate", block, NULL, metrics, NULL, NULL);
        /* What holds the machine up for a moment is in the p99 of all trips, and says nothing of the driver. */
        snprintf(metrics, sizeof metrics, "\"p50_ns\":%.9g,\"p99_ns\":%.9g,\"p99_of_rounds_ns\":%.9g", 200 * here * own,
                 block % 2 ? 9000.0 : 900.0, 800 * here * own);
        write_cell(out, "hot", "candidate", block, NULL, metrics, NULL, NULL);
        if (limits)
            fprintf(
                out,
                "{\"record\":\"cell\",\"row\":\"limit/bare-ring-hot/64B\",\"family\":\"limit\",\"driver\":\"limit\","
                "\"size\":64,\"publishers\":1,\"subscribers\":1,\"block\":%d,\"placement\":\"cluster\","
                "\"limit_of\":[\"hot\"],\"limit_kind\":\"bound\",\"metrics\":{\"p50_ns\":%.9g,\"p99_ns\":%.9g,"
                "\"p99_of_rounds_ns\":%.9g}}\n",
                block, 100 * here, block % 2 ? 900.0 : 9000.0, 300 * here);
        if (limits)
            fprintf(
                out,
                "{\"record\":\"cell\",\"row\":\"limit/bare-ring/64B\",\"family\":\"limit\",\"driver\":\"limit\","
                "\"size\":64,\"publishers\":1,\"subscribers\":1,\"block\":%d,\"placement\":\"cluster\","
                "\"limit_of\":[\"throughput\"],\"limit_kind\":\"bound\",\"metrics\":{\"messages_per_second\":%.9g}}\n",
                block, 8e6 / here);
    }
    assert_int_equal(fclose(out), 0);
    return text;
}

static struct gate_look beside_stored(char *now, char *stored)
{
    struct results_run runs[] = {read_run(now), read_run(stored)};
    struct gate_tolerances usual_ones = tolerances();
    struct results_rows rows;
    struct gate_look look;

    assert_int_equal(results_rows_build(&rows, runs, 2), 0);
    assert_int_equal(gate_judge_stored(&look, &rows, 0, 1, &usual_ones, ALL), 0);
    results_rows_free(&rows);
    results_run_free(&runs[0]);
    results_run_free(&runs[1]);
    free(now);
    free(stored);
    return look;
}

static void a_stored_run_is_taken_over_its_own_machine(void **state)
{
    struct gate_look look;
    (void)state;
    assert_int_equal(beside_stored(machine(2, 1, 0.01, true), machine(1, 1, 0.01, true)).verdict, GATE_PASS);
    assert_int_equal(beside_stored(machine(0.5, 1.3, 0.01, true), machine(1, 1, 0.01, true)).verdict, GATE_REGRESSION);
    assert_int_equal(beside_stored(machine(1, 1, 0.01, false), machine(1, 1, 0.01, false)).verdict, GATE_INCONCLUSIVE);
    assert_int_equal(beside_stored(machine(1, 1, 0.3, true), machine(1, 1, 0.3, true)).verdict, GATE_INCONCLUSIVE);
    look = beside_stored(machine(0.5, 1.3, 0.01, true), machine(1, 1, 0.01, true));
    for (int i = 0; i < GATE_METRICS; ++i)
        assert_true(look.findings[i].verdict == GATE_REGRESSION && look.findings[i].over_limit);
    look = beside_stored(machine(1, 1.13, 0.04, true), machine(1, 1, 0.04, true));
    assert_int_equal(look.verdict, GATE_INCONCLUSIVE);
    has(look.findings[GATE_RATE].why, "but not for certain");
}

#define MEASURED(members, cell)                                                                                        \
    "{\"record\":\"header\",\"format\":1,\"kind\":\"bench\",\"cell_seconds\":" cell ",\"environment\":{" members "}}"  \
    "\n"

static void another_environment_is_seen(void **state)
{
    struct results_run one = read_run(MEASURED("\"cpu\":\"A\",\"cpus\":2,\"load\":1,\"kernel\":\"6.1\"", "0.15"));
    struct results_run load = read_run(MEASURED("\"cpu\":\"A\",\"cpus\":2,\"load\":9,\"kernel\":\"6.1\"", "0.15"));
    struct results_run other = read_run(MEASURED("\"cpu\":\"B\",\"cpus\":4,\"kernel\":\"6.1\"", "0.15"));
    struct results_run build =
        read_run(MEASURED("\"cpu\":\"A\",\"cpus\":2,\"kernel\":\"6.2\",\"compiler\":\"c\",\"flags\":\"-O1\"", "0.5"));
    char text[600];
    (void)state;
    assert_false(store_other_machine(&one, &load, text, sizeof text));
    assert_false(store_other_build(&one, &load, text, sizeof text));
    assert_true(store_other_machine(&one, &other, text, sizeof text));
    assert_string_equal(text, "cpu is \"A\", and was \"B\"; cpus is 2, and was 4");
    assert_false(store_other_machine(&one, &build, text, sizeof text));
    assert_true(store_other_build(&one, &build, text, sizeof text));
    assert_string_equal(text,
                        "kernel is \"6.1\", and was \"6.2\"; compiler is unknown, and was \"c\"; flags is unknown, and "
                        "was \"-O1\"; cell_seconds is 0.15, and was 0.5");
    results_run_free(&one);
    results_run_free(&load);
    results_run_free(&other);
    results_run_free(&build);
}

CASES_MAIN(CASE(a_stored_run_is_taken_over_its_own_machine), CASE(another_environment_is_seen))
