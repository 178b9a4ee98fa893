/* Whether figures are fit to publish. */
#include "cases.h"

#include "analysis/fitness.h"
#include "cells.h"

static void keep(void *context, const char *text)
{
    char *out = context;
    snprintf(out + strlen(out), 2048 - strlen(out), "%s\n", text);
}

/* Exactly these reasons, in this order, each a line; or none. */
static void reasons(const char *text, const char *wanted)
{
    struct results_run run = read_text(text);
    struct results_rows rows;
    char said[2048] = "";
    assert_int_equal(results_rows_build(&rows, &run, 1), 0);
    results_fitness(&run, 1, &rows, keep, said);
    assert_string_equal(said, wanted);
    results_rows_free(&rows);
    results_run_free(&run);
}

/* A header of which everything is known, and fit; what comes first in the environment counts. */
#define HEAD(more, environment)                                                                                        \
    "{\"record\":\"header\",\"format\":1,\"kind\":\"bench\"," more "\"environment\":{" environment                     \
    "\"commit\":\"1234\",\"cpus\":2,\"load\":0.1,\"virtualization\":\"none\",\"governor\":\"performance\","            \
    "\"flags\":\"-O2\"}}\n" QUIET
/* A session in which little was stolen. */
#define QUIET "{\"record\":\"session\",\"session\":1,\"load\":0.1,\"seconds\":100,\"steal_ns\":0}\n"

/* Nine blocks, of ten that are planned. */
#define FIT(environment) HEAD("\"planned\":10,", environment) NINE
#define NINE                                                                                                           \
    CELL("a", 0, "siblings", 25, 1)                                                                                    \
    CELL("a", 1, "siblings", 25, 1)                                                                                    \
    CELL("a", 2, "siblings", 25, 1)                                                                                    \
    CELL("a", 3, "siblings", 25, 1)                                                                                    \
    CELL("a", 4, "siblings", 25, 1)                                                                                    \
    CELL("a", 5, "siblings", 25, 1)                                                                                    \
    CELL("a", 6, "siblings", 25, 1) CELL("a", 7, "siblings", 25, 1) CELL("a", 8, "siblings", 25, 1)
#define TENTH CELL("a", 9, "siblings", 25, 1)

static void figures_are_fit_only_if_nothing_speaks_against_it(void **state)
{
    (void)state;
    reasons(FIT("") TENTH FOOTER, "");
    reasons(FIT("") TENTH, "The run was cut short.\n");
    reasons(FIT("") FOOTER, "1 of 1 rows have as few as 9 blocks; a median that holds needs 10.\n"
                            "The run was cut short.\n");
    reasons(FIT("") CELL("a", 9, "distant", 270, 1) FOOTER,
            "The CPUs were in 2 placements: absolute figures mix them, ratios do not.\n");
    reasons(FIT("\"virtualization\":\"kvm\",") TENTH FOOTER,
            "They come from a virtual machine, whose CPUs the hypervisor shares and moves.\n");
    reasons(FIT("\"governor\":\"powersave\",") TENTH FOOTER, "The CPU frequency was not fixed (governor powersave).\n");
    reasons(FIT("\"commit\":\"1234-dirty\",") TENTH FOOTER,
            "The sources are not those of a commit, so nobody else can build them.\n");
    reasons(FIT("\"flags\":\"-Og -g\",") TENTH FOOTER, "The build is not optimised (-Og -g).\n");
    reasons(FIT("\"load\":0.5,") TENTH FOOTER, "");
    reasons(FIT("\"load\":3,") TENTH FOOTER, "Other work was running: a load of 3.0 on 2 CPUs at the start.\n");
}

static void cells_that_move_now_and_then_do_no_harm(void **state)
{
    (void)state;
    reasons(FIT("") CELL("a", 9, "mixed", 25, 1) FOOTER, "");
    reasons(FIT("") CELL("a", 9, "mixed", 25, 1) CELL("a", 10, "mixed", 25, 1) FOOTER,
            "The CPUs moved during 2 of 11 cells; they are in no ratio.\n");
}

#define SESSION(number, load, seconds, steal)                                                                          \
    "{\"record\":\"session\",\"session\":" #number ",\"load\":" #load ",\"seconds\":" #seconds ",\"steal_ns\":" #steal \
    "}\n"
#define BEGUN(number, load) "{\"record\":\"session\",\"session\":" #number ",\"load\":" #load ",\"seconds\":null}\n"
#define STOLEN                                                                                                         \
    "{\"record\":\"cell\",\"row\":\"throughput/a/64B/1x1\",\"family\":\"throughput\",\"driver\":\"a\",\"block\":9,"    \
    "\"placement\":\"siblings\",\"steal_ns\":1e9}\n"

/* What was stolen is set against the time of all sittings, not of the last one. */
static void each_sitting_counts(void **state)
{
    (void)state;
    reasons(FIT("") BEGUN(1, 0.1) SESSION(1, 0.1, 100, 1e9) BEGUN(2, 0.2) STOLEN SESSION(2, 0.2, 1, 1e9) FOOTER, "");
    reasons(FIT("") SESSION(1, 0.1, 10, 1e9) STOLEN FOOTER, "The hypervisor gave 5.0 % of the CPU time to others.\n");
    reasons(FIT("") SESSION(1, 0.1, 100, 1e9) SESSION(2, 1.5, 100, 0) STOLEN FOOTER,
            "Other work was running: a load of 1.5 on 2 CPUs at the start.\n");
    /* one was killed: nobody knows how long it lasted */
    reasons(FIT("") BEGUN(1, 0.1) STOLEN SESSION(2, 0.1, 100, 0) FOOTER,
            "The hypervisor took CPU time during 1 of 10 cells.\n");
}

/* What nobody knows is not fit. */
static void what_is_not_known_is_named(void **state)
{
    static const char all[] =
        "Not known, and so not ruled out: a virtual machine, a CPU frequency that changes, a build "
        "without optimisation, sources of no commit, other load, stolen CPU time, cells that are "
        "missing.\n";
    (void)state;
    reasons(FIT("\"virtualization\":null,") TENTH FOOTER, "Not known, and so not ruled out: a virtual machine.\n");
    reasons(FIT("\"governor\":null,") TENTH FOOTER, "Not known, and so not ruled out: a CPU frequency that changes.\n");
    reasons(FIT("\"flags\":\"\",") TENTH FOOTER, "Not known, and so not ruled out: a build without optimisation.\n");
    reasons(FIT("\"commit\":\"unknown\",") TENTH FOOTER, "Not known, and so not ruled out: sources of no commit.\n");
    reasons(FIT("\"load\":null,") TENTH FOOTER, "Not known, and so not ruled out: other load.\n");
    reasons(FIT("") SESSION(2, null, 1, 0) TENTH FOOTER, "Not known, and so not ruled out: other load.\n");
    reasons(FIT("") SESSION(1, 0.1, 100, null) TENTH FOOTER, "Not known, and so not ruled out: stolen CPU time.\n");
    reasons(FIT("\"cpus\":null,") TENTH FOOTER, "Not known, and so not ruled out: other load, stolen CPU time.\n");
    reasons(HEAD("", "") NINE TENTH FOOTER, "Not known, and so not ruled out: cells that are missing.\n");
    reasons("{\"record\":\"header\",\"format\":1,\"kind\":\"bench\"}\n" NINE TENTH FOOTER, all);
}

#define LATENCY                                                                                                        \
    "{\"record\":\"cell\",\"row\":\"latency/a/64B/1x1/"                                                                \
    "r10\",\"family\":\"latency\",\"driver\":\"a\",\"size\":64,\"rate\":10,"                                           \
    "\"block\":"
#define LATENCIES                                                                                                      \
    LATENCY "0}\n" LATENCY "1}\n" LATENCY "2}\n" LATENCY "3}\n" LATENCY "4}\n" LATENCY "5}\n" LATENCY "6}\n" LATENCY   \
            "7}\n" LATENCY "8}\n" LATENCY "9}\n"
#define SLOWER(block, rate) CELL("slow", block, "siblings", 25, rate)
#define SLOWERS(rate)                                                                                                  \
    SLOWER(0, rate)                                                                                                    \
    SLOWER(1, rate)                                                                                                    \
    SLOWER(2, rate)                                                                                                    \
    SLOWER(3, rate) SLOWER(4, rate) SLOWER(5, rate) SLOWER(6, rate) SLOWER(7, rate) SLOWER(8, rate) SLOWER(9, rate)
#define TEN HEAD("\"planned\":10,", "")

static void a_rate_is_far_below_what_the_slowest_can(void **state)
{
    (void)state;
    reasons(TEN LATENCIES SLOWERS(20) FOOTER, "");
    reasons(TEN LATENCIES FOOTER, "Latency was measured at 10 messages a second; what the slowest driver can was not.\n"
                                  "Where the CPUs are to each other could not be measured.\n");
    reasons(TEN LATENCIES SLOWERS(19) FOOTER,
            "Latency was measured at 10 messages a second, more than half of what slow can (19).\n");
}

#define SAMPLED(block, samples)                                                                                        \
    "{\"record\":\"cell\",\"row\":\"hot/a/64B/1x1\",\"family\":\"hot\",\"driver\":\"a\",\"block\":" #block             \
    ",\"placement\":\"cluster\",\"metrics\":{\"samples\":" #samples "}}\n"

static void a_cell_that_stood_still_is_named(void **state)
{
    (void)state;
    reasons(TEN SAMPLED(0, 100) SAMPLED(1, 100) SAMPLED(2, 100) SAMPLED(3, 9) SAMPLED(4, 100) SAMPLED(5, 100)
                SAMPLED(6, 100) SAMPLED(7, 100) SAMPLED(8, 100) SAMPLED(9, 100) FOOTER,
            "1 cell of 1 row stood still: less than a tenth of the samples that are usual there.\n");
}

#define WITHOUT                                                                                                        \
    "{\"record\":\"cell\",\"row\":\"throughput/a/64B/1x1\",\"family\":\"throughput\",\"driver\":\"a\","                \
    "\"size\":64,\"block\":9,\"placement\":\"siblings\",\"line_before_ns\":25,\"line_after_ns\":25,"                   \
    "\"metrics\":{},\"not_applicable\":\"it stays awake\"}\n"

static void a_row_that_applies_in_some_blocks_only_is_named(void **state)
{
    (void)state;
    reasons(FIT("") WITHOUT FOOTER, "In 1 of 1 rows some cells do not apply, and others do.\n");
}

#define OF(kind, cpu, commit, suite, version)                                                                          \
    "{\"record\":\"header\",\"format\":1,\"kind\":\"" kind "\",\"suite_version\":\"" suite                             \
    "\",\"environment\":{\"cpu\":\"" cpu "\",\"commit\":\"" commit                                                     \
    "\"},\"drivers\":[{\"name\":\"d\",\"version\":\"" version "\"}]}\n"

/* Conformance and benchmark of one report are of one commit, one suite and one version of each driver; benchmarks that
 * stand side by side need only be of one machine. */
static void runs_of_different_builds_are_not_fit_together(void **state)
{
    static const struct {
        const char *other, *why;
    } mixtures[] = {
        {OF("conformance", "x", "1", "1.0", "1"), NULL},
        {OF("conformance", "c", "2", "1.0", "1"), "different commits are in one report: 1 and 2."},
        {OF("conformance", "c", "1", "1.1", "1"), "different versions of ipcmark are in one report: 1.0 and 1.1."},
        {OF("conformance", "c", "1", "1.0", "3"), "different versions of d are in one report: 1 and 3."},
        {OF("bench", "c", "2", "1.1", "3"), NULL},
        {OF("bench", "x", "1", "1.0", "1"), "different CPUs are in one report: c and x."},
    };
    (void)state;
    for (size_t i = 0; i < sizeof mixtures / sizeof mixtures[0]; ++i) {
        struct results_run runs[] = {read_text(OF("bench", "c", "1", "1.0", "1")), read_text(mixtures[i].other)};
        struct results_rows rows;
        char said[2048] = "";
        assert_int_equal(results_rows_build(&rows, runs, 2), 0);
        results_fitness(runs, 2, &rows, keep, said);
        if (mixtures[i].why ? strstr(said, mixtures[i].why) == NULL : strstr(said, "in one report") != NULL)
            fail_msg("\"%s\" and not \"%s\"", said, mixtures[i].why ? mixtures[i].why : "");
        results_rows_free(&rows);
        results_run_free(&runs[0]);
        results_run_free(&runs[1]);
    }
}

static void of_several_runs_each_is_named(void **state)
{
    struct results_run runs[] = {read_text(FIT("") TENTH FOOTER), read_text(FIT("") TENTH)};
    struct results_rows rows;
    char said[2048] = "";
    (void)state;
    runs[0].file = "old.jsonl";
    runs[1].file = "new.jsonl";
    assert_int_equal(results_rows_build(&rows, runs, 2), 0);
    assert_int_equal(results_fitness(runs, 2, &rows, keep, said), 1);
    assert_string_equal(said, "new: The run was cut short.\n");
    results_rows_free(&rows);
    results_run_free(&runs[0]);
    results_run_free(&runs[1]);
}

CASES_MAIN(CASE(figures_are_fit_only_if_nothing_speaks_against_it), CASE(cells_that_move_now_and_then_do_no_harm),
           CASE(each_sitting_counts), CASE(what_is_not_known_is_named), CASE(a_rate_is_far_below_what_the_slowest_can),
           CASE(a_cell_that_stood_still_is_named), CASE(a_row_that_applies_in_some_blocks_only_is_named),
           CASE(runs_of_different_builds_are_not_fit_together), CASE(of_several_runs_each_is_named))
