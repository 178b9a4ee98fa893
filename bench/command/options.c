#include "options.h"

#include <getopt.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "../rows/row.h"

static const char help[] =
    "usage: ipcmark bench [options] [Google Benchmark flags]\n"
    "\n"
    "Measures latency, throughput and fan-out of publish/subscribe implementations between real processes, side by "
    "side\n"
    "with named pipes, TCP, and what the machine itself can do at best. Every message is written afresh, read and\n"
    "checked: if one is lost, torn or unsent, the row is an error and not a figure.\n"
    "\n"
    "  --driver DRIVER   a name, or a path to a .so, each with ?key=value&… if need be; again for more\n"
    "                    (default: mmipc, fifo, tcp; `ipcmark drivers` lists them)\n"
    "  --suite SUITE     quick (a minute), standard (all families), full (more sizes and subscribers);\n"
    "                    default quick\n"
    "  --targets         the rows that the targets of libmmipc are judged by, and the table of targets at the end;\n"
    "                    alone, unless --suite or --driver asks for more\n"
    "  --blocks N        every row is measured once a block, in an order drawn for each block\n"
    "                    (default: quick 3, standard and targets 12, full 24)\n"
    "  --filter REGEX    only rows whose name matches: '^hot/', '64B'\n"
    "  --seed N          of the order and of message bodies (default: drawn, and shown)\n"
    "  --cpus A,B        of publisher and subscriber in 1x1 rows (default: the first two allowed)\n"
    "  --seconds S       how long a cell lasts (default 0.35)\n"
    "  --output FILE     where results go, cell by cell; written over (default ipcmark-bench.jsonl, and\n"
    "                    that only if no unfinished run is in it)\n"
    "  --resume FILE     go on with an interrupted run; the other options as they were (Ctrl-C prints the command)\n"
    "  --format FORMAT   of the summary: table (default) or json\n"
    "  --list            print the rows' names, do nothing\n"
    "  --help, --version\n"
    "\n"
    "Google Benchmark's flags reach each block's run: --benchmark_format=console shows its own report of every block,\n"
    "--benchmark_out=FILE writes one file a block (FILE, with .0, .1, … added), --benchmark_filter is --filter. Rows "
    "fix\n"
    "their iterations and repetitions at one: blocks repeat them.\n"
    "\n"
    "Examples\n"
    "  ipcmark bench                                      a first look at mmipc, fifo and tcp\n"
    "  ipcmark bench --driver ./my.so --suite standard    yours alone; compare with --driver fifo beside it\n"
    "  ipcmark bench --filter '^(hot|limit/line)' --blocks 20 --seed 7\n"
    "  ipcmark bench --targets --blocks 20                is libmmipc as fast as it is to be?\n"
    "  ipcmark report ipcmark-bench.jsonl                 charts of what was measured\n"
    "\n"
    "Exit codes: 0 every row is a figure, whatever targets it reaches; 1 a row is an error, 3 the harness or a driver "
    "could not be used, 64 usage,\n"
    "128 + N ended by signal N (what was measured is kept).\n";

static int usage(const char *what, const char *value, int *exit_code)
{
    fprintf(stderr, "ipcmark bench: %s%s%s%s; `ipcmark bench --help` shows what can be given\n", what,
            value == NULL ? "" : " '", value == NULL ? "" : value, value == NULL ? "" : "'");
    *exit_code = 64;
    return -1;
}

static bool parse_number(const char *text, uint64_t most, uint64_t *out)
{
    char *end;
    unsigned long long value;

    if (*text < '0' || *text > '9')
        return false;
    value = strtoull(text, &end, 10);
    if (*end != '\0' || value > most)
        return false;
    *out = value;
    return true;
}

static bool parse_suite(const char *name, unsigned *suites)
{
    for (unsigned suite = SUITE_QUICK; suite <= SUITE_FULL; suite <<= 1)
        if (strcmp(name, options_suite_name(suite)) == 0) {
            *suites |= suite;
            return true;
        }
    return false;
}

static bool is_cpus(const char *text)
{
    int a, b, used = 0;
    return sscanf(text, "%d,%d%n", &a, &b, &used) == 2 && text[used] == '\0' && a >= 0 && b >= 0 && a != b;
}

static bool is_regex(const char *text)
{
    regex_t regex;
    if (regcomp(&regex, text, REG_EXTENDED | REG_NOSUB) != 0)
        return false;
    regfree(&regex);
    return true;
}

/* Takes Google Benchmark's flags out of argv, so that getopt does not see them. */
static int take_runner_flags(struct options *options, int *argc, char **argv, int *exit_code)
{
    int kept = 1;

    for (int i = 1; i < *argc; ++i) {
        if (strncmp(argv[i], "--benchmark_", 12) != 0)
            argv[kept++] = argv[i];
        else if (strncmp(argv[i], "--benchmark_filter=", 19) == 0)
            options->filter = argv[i] + 19;
        else if (strncmp(argv[i], "--benchmark_list_tests", 22) == 0)
            options->list = true;
        else if (strncmp(argv[i], "--benchmark_enable_random_interleaving", 38) == 0)
            return usage("Google Benchmark's own shuffling has no seed; blocks are shuffled from --seed already:",
                         argv[i], exit_code);
        else if (options->runner_count == OPTIONS_MOST)
            return usage("too many flags", argv[i], exit_code);
        else
            options->runner[options->runner_count++] = argv[i];
    }
    argv[kept] = NULL;
    *argc = kept;
    return 0;
}

static int add_driver(struct options *options, const char *driver, int *exit_code)
{
    char label[ROW_NAME_BYTES], other[ROW_NAME_BYTES];

    if (options->driver_count == OPTIONS_MOST)
        return usage("too many drivers", NULL, exit_code);
    row_driver_label(label, sizeof label, driver);
    if (label[0] == '\0' || strcmp(label, "limit") == 0 || strlen(label) > 100)
        return usage("no driver can be called so:", driver, exit_code);
    for (size_t i = 0; i < options->driver_count; ++i) {
        row_driver_label(other, sizeof other, options->drivers[i]);
        if (strcmp(label, other) == 0)
            return usage("two drivers would have the same name in rows:", label, exit_code);
    }
    options->drivers[options->driver_count++] = driver;
    return 0;
}

enum { DRIVER = 256, SUITE, TARGETS, BLOCKS, FILTER, SEED, CPUS, SECONDS, OUTPUT, RESUME, FORMAT, LIST, HELP, VERSION };

static const struct option long_options[] = {{"driver", required_argument, NULL, DRIVER},
                                             {"suite", required_argument, NULL, SUITE},
                                             {"targets", no_argument, NULL, TARGETS},
                                             {"blocks", required_argument, NULL, BLOCKS},
                                             {"filter", required_argument, NULL, FILTER},
                                             {"seed", required_argument, NULL, SEED},
                                             {"cpus", required_argument, NULL, CPUS},
                                             {"seconds", required_argument, NULL, SECONDS},
                                             {"output", required_argument, NULL, OUTPUT},
                                             {"resume", required_argument, NULL, RESUME},
                                             {"format", required_argument, NULL, FORMAT},
                                             {"list", no_argument, NULL, LIST},
                                             {"help", no_argument, NULL, HELP},
                                             {"version", no_argument, NULL, VERSION},
                                             {NULL, 0, NULL, 0}};

static int take_option(struct options *options, int option, const char *value, int *exit_code)
{
    uint64_t number;

    switch (option) {
    case DRIVER:
        return add_driver(options, value, exit_code);
    case SUITE:
        options->suites &= SUITE_TARGETS;
        return parse_suite(value, &options->suites)
                   ? 0
                   : usage("suites are quick, standard and full, not", value, exit_code);
    case TARGETS:
        options->suites |= SUITE_TARGETS;
        return 0;
    case BLOCKS:
        if (!parse_number(value, 10000, &number) || number == 0)
            return usage("--blocks takes a number from 1 to 10000, not", value, exit_code);
        options->blocks = (unsigned)number;
        return 0;
    case SEED:
        return parse_number(value, (1ull << 53) - 1, &options->seed)
                   ? 0
                   : usage("--seed takes a number below 2^53, not", value, exit_code);
    case FILTER:
        options->filter = value;
        return 0;
    case CPUS:
        options->cpus = value;
        return is_cpus(value) ? 0 : usage("--cpus takes two different CPUs, as in 0,1, not", value, exit_code);
    case SECONDS:
        options->seconds = value;
        return strtod(value, NULL) >= 0.01 && strtod(value, NULL) <= 60
                   ? 0
                   : usage("--seconds takes 0.01 to 60, not", value, exit_code);
    case OUTPUT:
    case RESUME:
        options->output = value;
        options->output_given = true;
        options->resume = options->resume || option == RESUME;
        return 0;
    case FORMAT:
        options->json = strcmp(value, "json") == 0;
        return options->json || strcmp(value, "table") == 0
                   ? 0
                   : usage("formats are table and json, not", value, exit_code);
    case LIST:
        options->list = true;
        return 0;
    case HELP:
        fputs(help, stdout);
        *exit_code = 0;
        return -1;
    case VERSION:
        puts("ipcmark-bench " IPCMARK_VERSION);
        *exit_code = 0;
        return -1;
    default:
        *exit_code = 64; /* getopt has said why */
        fputs("`ipcmark bench --help` shows what can be given\n", stderr);
        return -1;
    }
}

static void set_defaults(struct options *options, bool has_seed)
{
    static const char *const drivers[] = {"mmipc", "fifo", "tcp"};

    if (options->suites == 0 || (options->suites == SUITE_TARGETS && options->driver_count > 0))
        options->suites |= SUITE_QUICK;
    if (options->driver_count == 0)
        while (options->driver_count < (options->suites == SUITE_TARGETS ? 1 : 3)) {
            options->drivers[options->driver_count] = drivers[options->driver_count];
            ++options->driver_count;
        }
    if (options->blocks == 0)
        options->blocks = options->suites & SUITE_FULL ? 24 : options->suites == SUITE_QUICK ? 3 : 12;
    if (!has_seed && getrandom(&options->seed, sizeof options->seed, 0) == (ssize_t)sizeof options->seed)
        options->seed %= 1000000000; /* short enough to be typed */
}

int options_parse(struct options *out, int argc, char **argv, int *exit_code)
{
    struct options options = {.output = "ipcmark-bench.jsonl"};
    bool has_seed = false;
    int option;

    argv[0] = (char *)(uintptr_t) "ipcmark bench"; /* getopt's messages begin with it */
    if (take_runner_flags(&options, &argc, argv, exit_code) < 0)
        return -1;
    while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
        has_seed = has_seed || option == SEED;
        if (take_option(&options, option, optarg, exit_code) < 0)
            return -1;
    }
    if (optind < argc)
        return usage("there are no such arguments:", argv[optind], exit_code);
    if (options.filter != NULL && !is_regex(options.filter))
        return usage("not a regular expression:", options.filter, exit_code);
    if (options.resume && !has_seed)
        return usage("--resume needs the --seed of the run, and its other options", NULL, exit_code);
    set_defaults(&options, has_seed);
    *out = options;
    return 0;
}

const char *options_suite_name(unsigned suites)
{
    return suites & SUITE_QUICK ? "quick" : suites & SUITE_STANDARD ? "standard" : suites & SUITE_FULL ? "full" : NULL;
}

static void add(char *text, size_t text_size, const char *name, const char *value)
{
    size_t used = strlen(text);
    bool quote;

    if (value == NULL) {
        snprintf(text + used, text_size - used, " %s", name);
        return;
    }
    quote = strpbrk(value, " '\"\\$&|;()<>*?[]^") != NULL && strchr(value, '\'') == NULL;
    snprintf(text + used, text_size - used, " %s %s%s%s", name, quote ? "'" : "", value, quote ? "'" : "");
}

void options_describe(const struct options *options, char *text, size_t text_size)
{
    char word[ROW_NAME_BYTES];

    snprintf(text, text_size, "ipcmark bench");
    if (options->suites & SUITE_TARGETS)
        add(text, text_size, "--targets", NULL);
    for (size_t i = 0; i < options->driver_count && options->suites != SUITE_TARGETS; ++i) {
        row_driver_label(word, sizeof word, options->drivers[i]);
        add(text, text_size, "--driver", options->drivers[i][0] == '/' ? word : options->drivers[i]);
    }
    if (options->suites != SUITE_TARGETS)
        add(text, text_size, "--suite", options_suite_name(options->suites));
    snprintf(word, sizeof word, "%u", options->blocks);
    add(text, text_size, "--blocks", word);
    snprintf(word, sizeof word, "%llu", (unsigned long long)options->seed);
    add(text, text_size, "--seed", word);
    if (options->filter != NULL)
        add(text, text_size, "--filter", options->filter);
    if (options->cpus != NULL)
        add(text, text_size, "--cpus", options->cpus);
    if (options->seconds != NULL)
        add(text, text_size, "--seconds", options->seconds);
}
