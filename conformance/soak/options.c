#include "options.h"

#include "result.h"
#include "stage.h"

#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

static const char help[] =
    "Usage: ipcmark soak --driver DRIVER [OPTION …]\n"
    "       ipcmark soak --agent COMMAND [OPTION …]\n"
    "\n"
    "Lets publishers and subscribers carry traffic for as long as told, while at random some of them leave, join, are\n"
    "killed (some of them inside publish) and are stopped, for a moment or for so long that they are taken for dead.\n"
    "It finds what a clause of a few seconds is too short for: rare races, and what leaks.\n"
    "\n"
    "It goes in rounds. Each is a trial of its own: all that its participants wrote down is judged by the rules of\n"
    "conformance/CONTRACT.md, and then removed. The first publisher and the first subscriber stay for the whole "
    "round;\n"
    "their memory is measured after the first seconds and at the end. Descriptors and threads that they gained\n"
    "meanwhile are a violation; memory is reported. A round that is not all right keeps its evidence.\n"
    "\n"
    "What is tested\n"
    "  --driver DRIVER    NAME, NAME?key=value&key=value, or the path of a driver's shared object\n"
    "  --agent COMMAND    a program in any language that speaks harness/PROTOCOL.md\n"
    "  --wrap COMMAND     start participants under a tool: --wrap 'valgrind -q'\n"
    "  --publishers N     1 to 16 (default 4)\n"
    "  --subscribers N    1 to 16 (default 4)\n"
    "\n"
    "How long\n"
    "  --hours T, --minutes T, --seconds T    add up (default 60 seconds); without the time that judging takes\n"
    "  --round T          seconds of a round (default 20). Journals take about a megabyte a second until they are "
    "judged;\n"
    "                     the longer a round, the longer the lives of those that stay\n"
    "  --seed N           of sizes, rates, moments and victims; round N draws its own from it\n"
    "\n"
    "What comes out\n"
    "  --output PATH      a line of JSON for each round; PATH is a file, or a folder for a soak.jsonl\n"
    "                     (default ./ipcmark-results/soak-ID.jsonl)\n"
    "  --resume           go on with what is at PATH: the same commit, implementation and numbers; the times add up\n"
    "  --keep DIR         where the evidence of bad rounds goes, of the first five (default "
    "./ipcmark-results/evidence);\n"
    "                     `ipcmark check` judges it again\n"
    "  --help, --version\n"
    "\n"
    "Ctrl-C ends it, and what was recorded stays: --resume goes on. The round under way is not counted.\n"
    "\n"
    "Exit codes, of all rounds together, those of earlier runs included: 0 every round holds; 1 a violation; 2 a "
    "round\n"
    "is unknown (it did not exercise enough to tell, or was not finished); 3 the harness or an agent's protocol\n"
    "failed, which ends the soak; 64 wrong usage; 128 + N: ended by signal N. 3 goes before 1 before 2.\n"
    "\n"
    "Examples\n"
    "  ipcmark soak --driver mmipc --minutes 10\n"
    "  ipcmark soak --driver mmipc --hours 8 --output night.jsonl\n"
    "  ipcmark soak --driver mmipc --hours 8 --output night.jsonl --resume     after a break\n"
    "  ipcmark soak --driver mmipc --seed 4711 --seconds 20                    the round of seed 4711 again\n";

enum {
    OPTION_DRIVER = 256,
    OPTION_AGENT,
    OPTION_WRAP,
    OPTION_PUBLISHERS,
    OPTION_SUBSCRIBERS,
    OPTION_HOURS,
    OPTION_MINUTES,
    OPTION_SECONDS,
    OPTION_ROUND,
    OPTION_SEED,
    OPTION_OUTPUT,
    OPTION_RESUME,
    OPTION_KEEP,
    OPTION_HELP,
    OPTION_VERSION
};

static const struct option long_options[] = {{"driver", required_argument, NULL, OPTION_DRIVER},
                                             {"agent", required_argument, NULL, OPTION_AGENT},
                                             {"wrap", required_argument, NULL, OPTION_WRAP},
                                             {"publishers", required_argument, NULL, OPTION_PUBLISHERS},
                                             {"subscribers", required_argument, NULL, OPTION_SUBSCRIBERS},
                                             {"hours", required_argument, NULL, OPTION_HOURS},
                                             {"minutes", required_argument, NULL, OPTION_MINUTES},
                                             {"seconds", required_argument, NULL, OPTION_SECONDS},
                                             {"round", required_argument, NULL, OPTION_ROUND},
                                             {"seed", required_argument, NULL, OPTION_SEED},
                                             {"output", required_argument, NULL, OPTION_OUTPUT},
                                             {"resume", no_argument, NULL, OPTION_RESUME},
                                             {"keep", required_argument, NULL, OPTION_KEEP},
                                             {"help", no_argument, NULL, OPTION_HELP},
                                             {"version", no_argument, NULL, OPTION_VERSION},
                                             {NULL, 0, NULL, 0}};

static int wrong_usage(const char *what, const char *value, const char *advice)
{
    fprintf(stderr, "ipcmark soak: %s%s%s%s; %s\n", what, value[0] != '\0' ? " '" : "", value,
            value[0] != '\0' ? "'" : "", advice);
    return EXIT_USAGE + 1;
}

static int set_crowd(unsigned *out, const char *text)
{
    char *end;
    const unsigned long number = strtoul(text, &end, 10);
    if (end == text || *end != '\0' || number < 1 || number > STAGE_MOST)
        return wrong_usage("no such number of participants:", text, "it is 1 to 16 of each kind");
    *out = (unsigned)number;
    return 0;
}

/* Seconds from `text` times `unit`. */
static int read_time(double *out, const char *text, double unit)
{
    char *end;
    const double number = strtod(text, &end);
    if (end == text || *end != '\0' || !isfinite(number) || number <= 0)
        return wrong_usage("no such time:", text, "it is a number above 0, fractions allowed");
    *out = number * unit;
    return 0;
}

static int add_time(command_line *self, const char *text, double unit)
{
    double seconds = 0;
    const int end = read_time(&seconds, text, unit);
    self->seconds += seconds;
    return end;
}

static int set_round(command_line *self, const char *text)
{
    const int end = read_time(&self->round_seconds, text, 1);
    return end != 0 || self->round_seconds <= 3600
               ? end
               : wrong_usage("too long a round:", text, "an hour at most: its journals lie in memory until it is over");
}

static int set_seed(command_line *self, const char *text)
{
    char *end;
    errno = 0;
    self->seed = strtoull(text, &end, 0);
    self->seed_given = true;
    if (errno != 0 || end == text || *end != '\0' || text[0] == '-' || self->seed >> 53 != 0)
        return wrong_usage("no such seed:", text, "it is a number below 2^53");
    return 0;
}

static int set(command_line *self, int option, const char *text)
{
    switch (option) {
    case OPTION_DRIVER:
        self->target.driver = text;
        return 0;
    case OPTION_AGENT:
        self->target.agent = text;
        return 0;
    case OPTION_WRAP:
        self->target.wrap = text;
        return 0;
    case OPTION_PUBLISHERS:
        return set_crowd(&self->publishers, text);
    case OPTION_SUBSCRIBERS:
        return set_crowd(&self->subscribers, text);
    case OPTION_HOURS:
        return add_time(self, text, 3600);
    case OPTION_MINUTES:
        return add_time(self, text, 60);
    case OPTION_SECONDS:
        return add_time(self, text, 1);
    case OPTION_ROUND:
        return set_round(self, text);
    case OPTION_SEED:
        return set_seed(self, text);
    case OPTION_OUTPUT:
        self->output = text;
        return 0;
    case OPTION_RESUME:
        self->resume = true;
        return 0;
    case OPTION_KEEP:
        self->keep = text;
        return 0;
    case OPTION_HELP:
        fputs(help, stdout);
        return EXIT_HOLDS + 1;
    case OPTION_VERSION:
        printf("ipcmark soak %s\n", IPCMARK_VERSION);
        return EXIT_HOLDS + 1;
    default: /* getopt has said what is wrong */
        fputs("ipcmark soak --help says what there is\n", stderr);
        return EXIT_USAGE + 1;
    }
}

static int check(command_line *self)
{
    if (self->seconds <= 0)
        self->seconds = 60;
    if (self->target.driver == NULL && self->target.agent == NULL)
        return wrong_usage("nothing to test", "",
                           "name an implementation with --driver (`ipcmark drivers` lists those built in) or --agent");
    if (self->target.driver != NULL && self->target.agent != NULL)
        return wrong_usage("both --driver and --agent", "", "soak one implementation at a time");
    if (self->resume && self->output == NULL)
        return wrong_usage("--resume needs --output", "", "name the file to go on with");
    return 0;
}

int command_parse(command_line *self, int argc, char **argv)
{
    int option, end = 0;
    *self = (command_line){.publishers = 4, .subscribers = 4, .round_seconds = 20, .keep = "ipcmark-results/evidence"};
    if (getrandom(&self->seed, sizeof self->seed, 0) < 0)
        self->seed = ipcmark_now_ns();
    self->seed &= 0xFFFFFFFF; /* short enough to be typed again */
    while (end == 0 && (option = getopt_long(argc, argv, "", long_options, NULL)) != -1)
        end = set(self, option, optarg);
    if (end == 0 && optind < argc)
        end = wrong_usage("what is", argv[optind], "implementations are named with --driver or --agent");
    return end != 0 ? end : check(self);
}
