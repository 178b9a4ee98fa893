#include "options.h"

#include "clause.h"
#include "result.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

static const char help[] =
    "Usage: ipcmark conformance --driver DRIVER [--driver DRIVER …] [OPTION …]\n"
    "       ipcmark conformance --agent COMMAND [OPTION …]\n"
    "       ipcmark conformance --mutants [OPTION …]\n"
    "\n"
    "Tells whether a publish/subscribe implementation keeps the promises of the contract (conformance/CONTRACT.md).\n"
    "Each clause is played with real processes, which are killed and stopped on the way; the verdict comes from what\n"
    "each of them wrote down, never from what the implementation says of itself.\n"
    "\n"
    "What is tested\n"
    "  --driver DRIVER    NAME, NAME?key=value&key=value, or the path of a driver's shared object; may be repeated\n"
    "  --agent COMMAND    a program in any language that speaks harness/PROTOCOL.md; may be repeated\n"
    "  --clause GLOB      only these clauses (DEL-001, 'KILL-*'); may be repeated\n"
    "  --quick            shorter: for a first look, and for every commit (under a minute a driver)\n"
    "  --thorough         ten times as much of everything, and what takes long or much memory\n"
    "  --repeat N         N rounds of everything, each with a seed of its own\n"
    "  --seed N           of sizes, moments and victims of the faults; the same seed replays the same schedule\n"
    "  --wrap COMMAND     start participants under a tool: --wrap 'valgrind -q'\n"
    "  --expect FILE      known failures: lines of `ID driver-glob xfail CLASS source` or `ID driver-glob flaky K/N "
    "source`\n"
    "\n"
    "What comes out\n"
    "  --format FORMAT    table (default), jsonl (results/FORMAT.md) or tap, on standard output\n"
    "  --output FILE      the records of results/FORMAT.md\n"
    "  --junit FILE       JUnit XML, for CI services\n"
    "  --keep DIR         where the evidence of failures goes (default ./ipcmark-results/evidence)\n"
    "  --keep-passed      keep the evidence of what passed, too\n"
    "  --details          print everything known about a failure, and not only its beginning\n"
    "  --list, --list-json    the clauses, and nothing else\n"
    "\n"
    "Testing the test\n"
    "  --mutants          run drivers that are wrong on purpose: each must be caught by each of its own clauses, and\n"
    "                     in its own way. Always quick; only its own clauses, unless --clause names others; unknown "
    "is\n"
    "                     asked for again, and the table says how often. Prints a table only: --format, --output,\n"
    "                     --junit and --expect are for drivers\n"
    "  --mutant GLOB      only these mutants; may be repeated\n"
    "  --base NAME        the right driver that they are made of (default mmipc)\n"
    "  --list-mutants     their names, and nothing else\n"
    "\n"
    "  --ctest            for CTest: exit with 77 if all was skipped\n"
    "  --help, --version\n"
    "\n"
    "Exit codes: 0 every clause holds; 1 a clause fails, or an expected failure does not; 2 something is unknown (the\n"
    "case did not exercise enough to tell, or was not finished), or nothing was judged, as all was skipped; 3 the\n"
    "harness or an agent's protocol failed; 64 wrong usage; 128 + N: ended by signal N. 3 goes before 1 before 2.\n"
    "\n"
    "Examples\n"
    "  ipcmark conformance --driver mmipc --driver tcp\n"
    "  ipcmark conformance --driver ./build/mine.so --clause 'KILL-*' --repeat 20\n"
    "  ipcmark conformance --agent 'python3 my_agent.py' --quick --junit junit.xml\n"
    "  ipcmark conformance --driver mmipc --clause KILL-002 --seed 4711 --wrap 'valgrind -q' --keep-passed\n";

static int wrong_usage(const char *what, const char *value, const char *advice)
{
    fprintf(stderr, "ipcmark conformance: %s%s%s%s; %s\n", what, value[0] != '\0' ? " '" : "", value,
            value[0] != '\0' ? "'" : "", advice);
    return EXIT_USAGE + 1;
}

static int add_target(command_options *self, const char *driver, const char *agent)
{
    if (self->target_count == OPTIONS_TARGETS)
        return wrong_usage("too many drivers", "", "test them in several runs");
    self->targets[self->target_count].driver = driver;
    self->targets[self->target_count++].agent = agent;
    return 0;
}

static int add_pattern(char *patterns, size_t size, const char *pattern)
{
    const size_t used = strlen(patterns);
    if ((size_t)snprintf(patterns + used, size - used, "%s%s", used > 0 ? " " : "", pattern) >= size - used)
        return wrong_usage("too many patterns", "", "use globs, as in 'KILL-*'");
    return 0;
}

static int parse_number(const char *text, uint64_t limit, uint64_t *out)
{
    char *end;
    errno = 0;
    *out = strtoull(text, &end, 0);
    return errno != 0 || end == text || *end != '\0' || *out > limit || text[0] == '-' ? -EINVAL : 0;
}

static int set_format(command_options *self, const char *name)
{
    static const char *const names[] = {"table", "jsonl", "tap"};
    for (int i = 0; i < 3; ++i)
        if (strcmp(name, names[i]) == 0) {
            self->format = (output_format)i;
            return 0;
        }
    return wrong_usage("no such format", name, "it is table, jsonl or tap");
}

enum {
    OPTION_DRIVER = 256,
    OPTION_AGENT,
    OPTION_CLAUSE,
    OPTION_QUICK,
    OPTION_THOROUGH,
    OPTION_REPEAT,
    OPTION_SEED,
    OPTION_WRAP,
    OPTION_EXPECT,
    OPTION_FORMAT,
    OPTION_OUTPUT,
    OPTION_JUNIT,
    OPTION_KEEP,
    OPTION_KEEP_PASSED,
    OPTION_DETAILS,
    OPTION_LIST,
    OPTION_LIST_JSON,
    OPTION_MUTANTS,
    OPTION_MUTANT,
    OPTION_BASE,
    OPTION_LIST_MUTANTS,
    OPTION_CTEST,
    OPTION_HELP,
    OPTION_VERSION
};

static const struct option long_options[] = {{"driver", required_argument, NULL, OPTION_DRIVER},
                                             {"agent", required_argument, NULL, OPTION_AGENT},
                                             {"clause", required_argument, NULL, OPTION_CLAUSE},
                                             {"quick", no_argument, NULL, OPTION_QUICK},
                                             {"thorough", no_argument, NULL, OPTION_THOROUGH},
                                             {"repeat", required_argument, NULL, OPTION_REPEAT},
                                             {"seed", required_argument, NULL, OPTION_SEED},
                                             {"wrap", required_argument, NULL, OPTION_WRAP},
                                             {"expect", required_argument, NULL, OPTION_EXPECT},
                                             {"format", required_argument, NULL, OPTION_FORMAT},
                                             {"output", required_argument, NULL, OPTION_OUTPUT},
                                             {"junit", required_argument, NULL, OPTION_JUNIT},
                                             {"keep", required_argument, NULL, OPTION_KEEP},
                                             {"keep-passed", no_argument, NULL, OPTION_KEEP_PASSED},
                                             {"details", no_argument, NULL, OPTION_DETAILS},
                                             {"list", no_argument, NULL, OPTION_LIST},
                                             {"list-json", no_argument, NULL, OPTION_LIST_JSON},
                                             {"mutants", no_argument, NULL, OPTION_MUTANTS},
                                             {"mutant", required_argument, NULL, OPTION_MUTANT},
                                             {"base", required_argument, NULL, OPTION_BASE},
                                             {"list-mutants", no_argument, NULL, OPTION_LIST_MUTANTS},
                                             {"ctest", no_argument, NULL, OPTION_CTEST},
                                             {"help", no_argument, NULL, OPTION_HELP},
                                             {"version", no_argument, NULL, OPTION_VERSION},
                                             {NULL, 0, NULL, 0}};

static int set_number(command_options *self, int option, const char *text)
{
    uint64_t number;
    if (parse_number(text, option == OPTION_SEED ? ((uint64_t)1 << 53) - 1 : 100000, &number) < 0 ||
        (option == OPTION_REPEAT && number == 0))
        return wrong_usage(option == OPTION_SEED ? "not a seed" : "not a number of rounds", text,
                           option == OPTION_SEED ? "it is a number below 2^53" : "it is a number from 1");
    if (option == OPTION_SEED)
        self->seed = number;
    else
        self->rounds = (unsigned)number;
    return 0;
}

static int set_text(command_options *self, int option, const char *text)
{
    switch (option) {
    case OPTION_DRIVER:
        return add_target(self, text, NULL);
    case OPTION_AGENT:
        return add_target(self, NULL, text);
    case OPTION_CLAUSE:
        return add_pattern(self->clauses, sizeof self->clauses, text);
    case OPTION_MUTANT:
        self->action = ACTION_MUTANTS;
        return add_pattern(self->mutants, sizeof self->mutants, text);
    case OPTION_FORMAT:
        return set_format(self, text);
    case OPTION_WRAP:
        self->wrap = text;
        return 0;
    case OPTION_EXPECT:
        self->expect = text;
        return 0;
    case OPTION_OUTPUT:
        self->output = text;
        return 0;
    case OPTION_JUNIT:
        self->junit = text;
        return 0;
    case OPTION_KEEP:
        self->keep = text;
        return 0;
    default:
        self->base = text;
        return 0;
    }
}

/* Those without an argument. */
static int set_flag(command_options *self, int option)
{
    switch (option) {
    case OPTION_QUICK:
        self->effort = EFFORT_QUICK;
        return 0;
    case OPTION_THOROUGH:
        self->effort = EFFORT_THOROUGH;
        return 0;
    case OPTION_KEEP_PASSED:
        self->keep_passed = true;
        return 0;
    case OPTION_DETAILS:
        self->details = true;
        return 0;
    case OPTION_CTEST:
        self->ctest = true;
        return 0;
    case OPTION_LIST:
        self->action = ACTION_LIST;
        return 0;
    case OPTION_LIST_JSON:
        self->action = ACTION_LIST_JSON;
        return 0;
    case OPTION_MUTANTS:
        self->action = ACTION_MUTANTS;
        return 0;
    case OPTION_LIST_MUTANTS:
        self->action = ACTION_LIST_MUTANTS;
        return 0;
    case OPTION_HELP:
        fputs(help, stdout);
        return EXIT_HOLDS + 1;
    case OPTION_VERSION:
        printf("ipcmark conformance %s, contract version %d\n", IPCMARK_VERSION, CONTRACT_VERSION);
        return EXIT_HOLDS + 1;
    default: /* getopt has said what is wrong */
        fputs("ipcmark conformance --help says what there is\n", stderr);
        return EXIT_USAGE + 1;
    }
}

static bool matches_a_clause(const char *patterns)
{
    const clause *about;
    for (size_t i = 0; (about = clause_at(i)) != NULL; ++i)
        if (clause_matches(patterns, about->id))
            return true;
    return false;
}

static int check(const command_options *self)
{
    if (self->clauses[0] != '\0' && !matches_a_clause(self->clauses))
        return wrong_usage("no clause is called", self->clauses, "--list shows them all");
    if (self->action == ACTION_RUN && self->target_count == 0)
        return wrong_usage("nothing to test", "",
                           "name an implementation with --driver (`ipcmark drivers` lists those built in) or --agent");
    if (self->action == ACTION_MUTANTS && self->target_count > 0)
        return wrong_usage("--mutants brings its own drivers", "",
                           "leave --driver out; --base names what they are made of");
    if (self->format == FORMAT_JSONL && self->output != NULL)
        return wrong_usage("--format jsonl and --output are the same records", "", "use one of them");
    return 0;
}

int options_parse(command_options *self, int argc, char **argv)
{
    int option, end = 0;
    memset(self, 0, sizeof *self);
    self->argc = argc;
    self->argv = argv;
    self->rounds = 1;
    self->base = "mmipc";
    self->keep = "ipcmark-results/evidence";
    if (getrandom(&self->seed, sizeof self->seed, 0) < 0)
        self->seed = ipcmark_now_ns();
    self->seed &= 0xFFFFFFFF; /* short enough to be typed again */
    while (end == 0 && (option = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
        if (option == OPTION_SEED || option == OPTION_REPEAT)
            end = set_number(self, option, optarg);
        else
            end = optarg != NULL && option != '?' ? set_text(self, option, optarg) : set_flag(self, option);
    }
    if (end == 0 && optind < argc)
        end = wrong_usage("what is", argv[optind], "implementations are named with --driver or --agent");
    for (size_t i = 0; i < self->target_count; ++i)
        self->targets[i].wrap = self->wrap;
    return end != 0 ? end : check(self);
}
