#include "options.h"

#include "../command/command.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

static bool number(const char *text, double least, double most, double *out)
{
    char *end;
    *out = strtod(text, &end);
    return end != text && *end == '\0' && *out >= least && *out <= most;
}

static bool is_file(const char *baseline)
{
    size_t length = strlen(baseline), end = strlen(".jsonl");
    return length > end && strcmp(baseline + length - end, ".jsonl") == 0;
}

enum {
    CANDIDATE = 256,
    BASELINE,
    VERDICTS,
    CONFORMANCE,
    TOLERANCES,
    SECONDS,
    CELL_SECONDS,
    SEED,
    PIN,
    OUTPUT,
    MARKDOWN,
    JUNIT,
    ANNOTATIONS,
    JUDGE,
    OTHER,
    ACCEPT,
    REASON,
    SELF_TEST,
    REPEAT,
    RESUME,
    HELP,
    VERSION
};

static const struct option known[] = {{"candidate", required_argument, NULL, CANDIDATE},
                                      {"baseline", required_argument, NULL, BASELINE},
                                      {"verdicts", required_argument, NULL, VERDICTS},
                                      {"conformance", required_argument, NULL, CONFORMANCE},
                                      {"tolerances", required_argument, NULL, TOLERANCES},
                                      {"seconds", required_argument, NULL, SECONDS},
                                      {"cell-seconds", required_argument, NULL, CELL_SECONDS},
                                      {"seed", required_argument, NULL, SEED},
                                      {"pin", required_argument, NULL, PIN},
                                      {"output", required_argument, NULL, OUTPUT},
                                      {"markdown", required_argument, NULL, MARKDOWN},
                                      {"junit", required_argument, NULL, JUNIT},
                                      {"annotations", no_argument, NULL, ANNOTATIONS},
                                      {"judge", no_argument, NULL, JUDGE},
                                      {"other-environment", no_argument, NULL, OTHER},
                                      {"accept", no_argument, NULL, ACCEPT},
                                      {"reason", required_argument, NULL, REASON},
                                      {"self-test", required_argument, NULL, SELF_TEST},
                                      {"repeat", required_argument, NULL, REPEAT},
                                      {"resume", no_argument, NULL, RESUME},
                                      {"help", no_argument, NULL, HELP},
                                      {"version", no_argument, NULL, VERSION},
                                      {NULL, 0, NULL, 0}};

static int take_number(struct options *options, int option, const char *value)
{
    double read;

    switch (option) {
    case SECONDS:
        return number(value, 1, 1e6, &options->seconds) ? -1
                                                        : command_usage("gate", "--seconds is no such number: ", value);
    case CELL_SECONDS:
        return number(value, 0.05, 60, &options->cell_seconds)
                   ? -1
                   : command_usage("gate", "--cell-seconds takes 0.05 to 60, not ", value);
    case SEED:
        if (!number(value, 0, 9007199254740991.0, &read))
            return command_usage("gate", "--seed is no such number: ", value);
        options->seed = (uint64_t)read;
        return -1;
    default:
        if (!number(value, 1, 10000, &read))
            return command_usage("gate", "--repeat takes 1 to 10000, not ", value);
        options->repeat = (unsigned)read;
        return -1;
    }
}

static const char **text_of(struct options *options, int option)
{
    switch (option) {
    case CANDIDATE:
        return &options->candidate;
    case BASELINE:
        return &options->baseline;
    case VERDICTS:
        return &options->verdicts;
    case CONFORMANCE:
        return &options->conformance;
    case TOLERANCES:
        return &options->tolerances;
    case PIN:
        return &options->pin;
    case OUTPUT:
        return &options->output;
    case MARKDOWN:
        return &options->markdown;
    case JUNIT:
        return &options->junit;
    case REASON:
        return &options->reason;
    case SELF_TEST:
        return &options->self_test;
    default:
        return NULL;
    }
}

static bool *switch_of(struct options *options, int option, bool *judge)
{
    return option == ANNOTATIONS ? &options->annotations
           : option == OTHER     ? &options->other_environment
           : option == ACCEPT    ? &options->accept
           : option == RESUME    ? &options->resume
                                 : judge;
}

static int take(struct options *options, int option, char **argv, bool *judge)
{
    const char **text = text_of(options, option);

    if (text != NULL) {
        *text = optarg;
        return -1;
    }
    switch (option) {
    case SECONDS:
    case CELL_SECONDS:
    case SEED:
    case REPEAT:
        return take_number(options, option, optarg);
    case HELP:
        fputs(options_help, stdout);
        return EXIT_WRITTEN;
    case VERSION:
        puts("ipcmark gate " IPCMARK_VERSION);
        return EXIT_WRITTEN;
    case ':':
        return command_usage("gate", "a value is missing after ", argv[optind - 1]);
    case '?':
        return command_usage("gate", "there is no option ", argv[optind - 1]);
    default:
        *switch_of(options, option, judge) = true;
        return -1;
    }
}

/* What must go together. */
static int check(const struct options *options, bool judge, int left)
{
    if ((options->verdicts == NULL) != (options->conformance == NULL))
        return command_usage("gate",
                             "--verdicts and --conformance go together: ", "stored ones, and those of this run");
    if (options->accept && (judge || options->self_test != NULL))
        return command_usage("gate", "--accept stores what is measured now, ", "not with --judge or --self-test");
    if (options->accept != (options->reason != NULL))
        return command_usage("gate", "--accept needs --reason, ", "and --reason is of --accept");
    if (options->accept && options->baseline != NULL && !options->stored)
        return command_usage("gate", "--accept stores in a file: ", "--baseline FILE.jsonl");
    if (judge && (left < 1 || left > 3))
        return command_usage("gate", "--judge takes one run, ", "and up to two that were measured after it");
    if (!judge && left > 0)
        return command_usage("gate", "there are no such arguments; ", "--judge reads files");
    if (options->self_test != NULL && strcmp(options->self_test, "aa") != 0 &&
        strcmp(options->self_test, "slowed") != 0)
        return command_usage("gate", "--self-test is aa or slowed, not ", options->self_test);
    if (options->self_test != NULL && options->output == NULL)
        return command_usage("gate", "--self-test needs --output FILE, ", "where its records go");
    if (options->resume && options->self_test == NULL)
        return command_usage("gate", "--resume is of ", "--self-test");
    if (options->baseline == NULL && options->self_test == NULL && options->verdicts == NULL && !judge)
        return command_usage("gate", "beside what? ", "--baseline DRIVER, or a stored run, --baseline FILE.jsonl");
    return -1;
}

int options_read(struct options *out, int argc, char **argv)
{
    struct options options = {.seconds = 90, .cell_seconds = 0.15, .repeat = 1};
    const char *github = getenv("GITHUB_ACTIONS");
    bool judge = false;
    int option, status = -1;

    opterr = 0;
    if (getrandom(&options.seed, sizeof options.seed, 0) == (ssize_t)sizeof options.seed)
        options.seed %= 1000000000;
    while (status < 0 && (option = getopt_long(argc, argv, ":", known, NULL)) != -1)
        status = take(&options, option, argv, &judge);
    if (status >= 0)
        return status;
    options.candidate = options.candidate ? options.candidate : "mmipc";
    options.stored = options.baseline != NULL && is_file(options.baseline);
    options.annotations = options.annotations || (github != NULL && strcmp(github, "true") == 0);
    options.judge = judge ? argv + optind : NULL;
    options.judge_count = argc - optind;
    status = check(&options, judge, argc - optind);
    *out = options;
    return status;
}
