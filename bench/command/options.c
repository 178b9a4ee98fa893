#include "options.h"

#include <getopt.h>
#include <math.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>

#include "../rows/row.h"

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

static bool is_pin(const char *text)
{
    int a, b, used = 0;
    return strcmp(text, "none") == 0 ||
           (sscanf(text, "%d,%d%n", &a, &b, &used) == 2 && text[used] == '\0' && a >= 0 && b >= 0 && a != b);
}

static bool is_between(const char *text, double least, double most, double *out)
{
    char *end;
    *out = strtod(text, &end);
    return end != text && *end == '\0' && *out >= least && *out <= most;
}

static bool is_regex(const char *text)
{
    regex_t regex;
    if (regcomp(&regex, text, REG_EXTENDED | REG_NOSUB) != 0)
        return false;
    regfree(&regex);
    return true;
}

/* Whether it is this flag of Google Benchmark's, and on: without a value it is, and with any that does not say no, as
 * Google Benchmark has it. */
static bool is_runner_flag(const char *word, const char *name, bool *on)
{
    static const char *const no[] = {"0", "f", "n", "false", "no", "off"};
    const size_t length = strlen(name);

    if (strncmp(word, name, length) != 0 || (word[length] != '\0' && word[length] != '='))
        return false;
    *on = true;
    for (size_t i = 0; word[length] == '=' && i < sizeof no / sizeof no[0]; ++i)
        *on = *on && strcasecmp(word + length + 1, no[i]) != 0;
    return true;
}

/* Takes Google Benchmark's flags out of argv, so that getopt does not see them. */
static int take_runner_flags(struct options *options, int *argc, char **argv, int *exit_code)
{
    int kept = 1;
    bool on;

    for (int i = 1; i < *argc; ++i) {
        if (strncmp(argv[i], "--benchmark_", 12) != 0)
            argv[kept++] = argv[i];
        else if (strncmp(argv[i], "--benchmark_filter=", 19) == 0)
            options->filter = argv[i] + 19;
        else if (is_runner_flag(argv[i], "--benchmark_list_tests", &on))
            options->list = on;
        else if (is_runner_flag(argv[i], "--benchmark_enable_random_interleaving", &on) && on)
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
    if (label[0] == '\0' || strcmp(label, "limit") == 0 || strlen(label) > 100 || *row_driver_spec(driver) == '\0')
        return usage("no driver can be called so:", driver, exit_code);
    for (size_t i = 0; i < options->driver_count; ++i) {
        row_driver_label(other, sizeof other, options->drivers[i]);
        if (strcmp(label, other) == 0)
            return usage("two drivers would have the same name in rows, so give one another, --driver NAME=DRIVER:",
                         label, exit_code);
    }
    options->drivers[options->driver_count++] = driver;
    return 0;
}

enum {
    DRIVER = 256,
    SUITE,
    TARGETS,
    BLOCKS,
    BUDGET,
    FILTER,
    SEED,
    PIN,
    SECONDS,
    SHARD,
    OUTPUT,
    RESUME,
    QUIET,
    LIST,
    HELP,
    VERSION
};

static const struct option long_options[] = {{"driver", required_argument, NULL, DRIVER},
                                             {"suite", required_argument, NULL, SUITE},
                                             {"targets", no_argument, NULL, TARGETS},
                                             {"blocks", required_argument, NULL, BLOCKS},
                                             {"budget", required_argument, NULL, BUDGET},
                                             {"filter", required_argument, NULL, FILTER},
                                             {"seed", required_argument, NULL, SEED},
                                             {"pin", required_argument, NULL, PIN},
                                             {"seconds", required_argument, NULL, SECONDS},
                                             {"shard", required_argument, NULL, SHARD},
                                             {"output", required_argument, NULL, OUTPUT},
                                             {"resume", required_argument, NULL, RESUME},
                                             {"quiet", no_argument, NULL, QUIET},
                                             {"list", no_argument, NULL, LIST},
                                             {"help", no_argument, NULL, HELP},
                                             {"version", no_argument, NULL, VERSION},
                                             {NULL, 0, NULL, 0}};

static int take_option(struct options *options, int option, const char *value, int *exit_code)
{
    uint64_t number;
    double seconds;

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
    case PIN:
        options->pin = value;
        return is_pin(value) ? 0 : usage("--pin takes two different CPUs, as in 0,1, or none; not", value, exit_code);
    case SECONDS:
        options->seconds = value;
        return is_between(value, 0.01, 60, &seconds) ? 0 : usage("--seconds takes 0.01 to 60, not", value, exit_code);
    case BUDGET:
        return is_between(value, 1, 1e7, &options->budget)
                   ? 0
                   : usage("--budget takes a number of seconds, not", value, exit_code);
    case SHARD:
        return shard_parse(value, &options->shard)
                   ? 0
                   : usage("--shard takes a part and their number, as in 2/4, not", value, exit_code);
    case QUIET:
        options->quiet = true;
        return 0;
    case OUTPUT:
    case RESUME:
        options->output = value;
        options->resume = options->resume || option == RESUME;
        return 0;
    case LIST:
        options->list = true;
        return 0;
    case HELP:
        fputs(options_help, stdout);
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
    static const char *const drivers[] = {"mmipc", "mmipc?spin_us=-1", "fifo", "tcp"};
    size_t count = sizeof drivers / sizeof drivers[0];

    if (options->suites == 0 || (options->suites == SUITE_TARGETS && options->driver_count > 0))
        options->suites |= SUITE_QUICK;
    if (options->driver_count == 0)
        while (options->driver_count < (options->suites == SUITE_TARGETS ? 1 : count)) {
            options->drivers[options->driver_count] = drivers[options->driver_count];
            ++options->driver_count;
        }
    if (options->blocks == 0)
        options->blocks = options->suites & SUITE_FULL       ? 24
                          : options->suites & SUITE_TARGETS  ? 12
                          : options->suites & SUITE_STANDARD ? 6
                                                             : 3;
    if (!has_seed && getrandom(&options->seed, sizeof options->seed, 0) == (ssize_t)sizeof options->seed)
        options->seed %= 1000000000; /* short enough to be typed */
}

/* Of the whole: what the options say apart must go together. */
static int check(const struct options *options, bool has_seed, int *exit_code)
{
    if (options->filter != NULL && !is_regex(options->filter))
        return usage("not a regular expression:", options->filter, exit_code);
    if (options->resume && !has_seed)
        return usage("--resume needs the --seed of the run, and its other options", NULL, exit_code);
    if (options->suites & SUITE_TARGETS && options->pin != NULL && strcmp(options->pin, "none") == 0)
        return usage("the rows of --targets are of two CPUs; leave --pin none out", NULL, exit_code);
    if (options->shard.count > 1 && !has_seed)
        return usage("a shard needs the --seed that all of them have", NULL, exit_code);
    if (options->shard.count > options->blocks)
        return usage("there are more shards than blocks; give as many --blocks at least", NULL, exit_code);
    return 0;
}

int options_parse(struct options *out, int argc, char **argv, int *exit_code)
{
    struct options options = {.output = "ipcmark-bench.jsonl"};
    const char *variable;
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
    if (options.shard.count == 0) {
        options.shard.count = 1;
        if (!shard_of_environment(&options.shard, &variable))
            return usage("the environment names a shard that cannot be; set it right, or give --shard 1/1:", variable,
                         exit_code);
    }
    set_defaults(&options, has_seed);
    if (check(&options, has_seed, exit_code) < 0)
        return -1;
    *out = options;
    return 0;
}

const char *options_suite_name(unsigned suites)
{
    return suites & SUITE_QUICK ? "quick" : suites & SUITE_STANDARD ? "standard" : suites & SUITE_FULL ? "full" : NULL;
}

double options_cell_seconds(const struct options *options)
{
    return options->seconds == NULL ? 0.35 : strtod(options->seconds, NULL);
}

uint64_t options_samples(const struct options *options)
{
    double all = options->suites & SUITE_FULL ? 1e6 : options->suites & SUITE_STANDARD ? 1e5 : 0;

    return options->seconds == NULL ? (uint64_t)ceil(all / options->blocks) : 0;
}

void options_quote(const char *value, char *text, size_t text_size)
{
    const bool quote = *value == '\0' || strpbrk(value, " \t\n'\"\\$&|;()<>*?[]^#~`!{}") != NULL;
    size_t used = (size_t)snprintf(text, text_size, "%s", quote ? "'" : "");

    for (; *value != '\0' && used < text_size; ++value)
        used += (size_t)snprintf(text + used, text_size - used, *value == '\'' ? "'\\''" : "%c", *value);
    if (quote && used < text_size)
        snprintf(text + used, text_size - used, "'");
}

static void add(char *text, size_t text_size, const char *name, const char *value)
{
    size_t used = strlen(text);

    used += (size_t)snprintf(text + used, text_size - used, value == NULL ? " %s" : " %s ", name);
    if (value != NULL && used < text_size)
        options_quote(value, text + used, text_size - used);
}

static void add_driver_word(char *text, size_t text_size, const char *driver, bool kept)
{
    char label[ROW_NAME_BYTES], file[ROW_NAME_BYTES], word[2 * ROW_NAME_BYTES + 2];
    const char *spec = row_driver_spec(driver);

    row_driver_label(label, sizeof label, driver);
    row_driver_label(file, sizeof file, spec);
    if (kept && spec[0] == '/')
        snprintf(word, sizeof word, "%s%s%s", spec == driver ? "" : label, spec == driver ? "" : "=", file);
    add(text, text_size, "--driver", kept && spec[0] == '/' ? word : driver);
}

void options_describe(const struct options *options, bool kept, char *text, size_t text_size)
{
    char word[64];

    snprintf(text, text_size, "ipcmark bench");
    if (options->suites & SUITE_TARGETS)
        add(text, text_size, "--targets", NULL);
    for (size_t i = 0; i < options->driver_count && options->suites != SUITE_TARGETS; ++i)
        add_driver_word(text, text_size, options->drivers[i], kept);
    if (options->suites != SUITE_TARGETS)
        add(text, text_size, "--suite", options_suite_name(options->suites));
    snprintf(word, sizeof word, "%u", options->blocks);
    add(text, text_size, "--blocks", word);
    snprintf(word, sizeof word, "%llu", (unsigned long long)options->seed);
    add(text, text_size, "--seed", word);
    if (options->filter != NULL)
        add(text, text_size, "--filter", options->filter);
    if (options->pin != NULL)
        add(text, text_size, "--pin", options->pin);
    if (options->seconds != NULL)
        add(text, text_size, "--seconds", options->seconds);
    snprintf(word, sizeof word, "%.10g", options->budget);
    if (options->budget > 0)
        add(text, text_size, "--budget", word);
    snprintf(word, sizeof word, "%u/%u", options->shard.index + 1, options->shard.count);
    if (options->shard.count > 1)
        add(text, text_size, "--shard", word);
}
