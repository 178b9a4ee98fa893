#include "scenario.h"

#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

enum {
    DRIVER = 256,
    AGENT,
    WRAP,
    PUBLISHERS,
    SUBSCRIBERS,
    THREADS,
    SIZE,
    PARTS,
    RATE,
    DURATION,
    KILL,
    PAUSE,
    SEED,
    JUDGE,
    NO_JUDGE,
    KEEP,
    FORMAT,
    HELP,
    VERSION
};

static const struct option long_options[] = {{"driver", required_argument, NULL, DRIVER},
                                             {"agent", required_argument, NULL, AGENT},
                                             {"wrap", required_argument, NULL, WRAP},
                                             {"publishers", required_argument, NULL, PUBLISHERS},
                                             {"subscribers", required_argument, NULL, SUBSCRIBERS},
                                             {"threads", required_argument, NULL, THREADS},
                                             {"size", required_argument, NULL, SIZE},
                                             {"parts", required_argument, NULL, PARTS},
                                             {"rate", required_argument, NULL, RATE},
                                             {"duration", required_argument, NULL, DURATION},
                                             {"seconds", required_argument, NULL, DURATION},
                                             {"kill", required_argument, NULL, KILL},
                                             {"pause", required_argument, NULL, PAUSE},
                                             {"seed", required_argument, NULL, SEED},
                                             {"judge", no_argument, NULL, JUDGE},
                                             {"no-judge", no_argument, NULL, NO_JUDGE},
                                             {"keep", required_argument, NULL, KEEP},
                                             {"format", required_argument, NULL, FORMAT},
                                             {"help", no_argument, NULL, HELP},
                                             {"version", no_argument, NULL, VERSION},
                                             {NULL, 0, NULL, 0}};

static const double most_seconds = 7 * 86400, most_rate = 1e7;
static const double most_journal_bytes = 0x1p30;
static const double most_faults = 2000; /* each life is remembered to the end, by us and by who received from it */

static int refuse(const char *what, const char *value, const char *advice)
{
    fprintf(stderr, "ipcmark run: %s%s%s%s; %s\n", what, value == NULL ? "" : " '", value == NULL ? "" : value,
            value == NULL ? "" : "'", advice);
    return EXIT_WRONG_USAGE + 1;
}

static int set_count(unsigned *out, const char *text, unsigned most, const char *advice)
{
    char *end;
    const unsigned long number = strtoul(text, &end, 10);

    if (*text < '0' || *text > '9' || *end != '\0' || number < 1 || number > most)
        return refuse("no such number:", text, advice);
    *out = (unsigned)number;
    return 0;
}

/* A number above 0 and what follows it, or NULL. */
static const char *read_number(const char *text, double *out)
{
    char *end;

    if ((*text < '0' || *text > '9') && *text != '.') /* neither a sign nor "inf" */
        return NULL;
    *out = strtod(text, &end);
    return end != text && isfinite(*out) && *out > 0 ? end : NULL;
}

static const char *read_time(const char *text, double *out)
{
    static const struct {
        char letter;
        double seconds;
    } units[] = {{'s', 1}, {'m', 60}, {'h', 3600}};
    const char *end = read_number(text, out);

    for (size_t i = 0; end != NULL && i < sizeof units / sizeof units[0]; ++i)
        if (*end == units[i].letter) {
            *out *= units[i].seconds;
            return end + 1;
        }
    return end;
}

static int set_duration(struct scenario *self, const char *text)
{
    const char *end = read_time(text, &self->seconds);

    if (end == NULL || *end != '\0' || self->seconds > most_seconds)
        return refuse("no such time:", text, "it is 10, 0.5, 90s, 5m or 2h, and a week at most");
    return 0;
}

static int set_rate(struct scenario *self, const char *text)
{
    const char *end;

    self->rate = 0;
    if (strcmp(text, "max") == 0)
        return 0;
    end = read_number(text, &self->rate);
    if (end != NULL && *end == 'k')
        self->rate *= 1000, ++end;
    if (end == NULL || *end != '\0' || self->rate > most_rate)
        return refuse("no such rate:", text, "it is messages a second of each thread, 500 or 10k, or max");
    return 0;
}

static const char *read_size(const char *text, size_t *out)
{
    static const char letters[] = "KMG";
    const char *end, *letter;
    double bytes;

    if ((end = read_number(text, &bytes)) == NULL)
        return NULL;
    if (*end != '\0' && *end != ',' && (letter = strchr(letters, *end)) != NULL) {
        bytes = ldexp(bytes, 10 * (int)(letter - letters + 1));
        end += strncmp(end + 1, "iB", 2) == 0 ? 3 : 1;
    }
    *out = (size_t)bytes;
    return bytes <= 0x1p30 && (double)*out == bytes ? end : NULL;
}

static int set_sizes(struct scenario *self, const char *text)
{
    static const char advice[] =
        "it is bytes, 64, 4K, 1M or 4KiB, from 48 (what a message is checked by needs room) to "
        "1G; up to 16 with commas between";
    const char *at = text;

    self->sizes_count = 0;
    do {
        size_t *size = &self->sizes[self->sizes_count];
        if (self->sizes_count == SCENARIO_SIZES || (at = read_size(at, size)) == NULL || *size < 48)
            return refuse("no such size:", text, advice);
        ++self->sizes_count;
    } while (*at++ == ',');
    return at[-1] == '\0' ? 0 : refuse("no such size:", text, advice);
}

/* "subscriber2" of "subscriber2=3"; what follows it, or NULL. */
static const char *read_whom(const char *text, struct fault *out)
{
    static const char *const names[] = {
        [WHOM_ANY] = "any", [WHOM_PUBLISHER] = "publisher", [WHOM_SUBSCRIBER] = "subscriber"};
    char *end;

    for (size_t i = 0; i < sizeof names / sizeof names[0]; ++i) {
        const size_t length = strlen(names[i]);
        if (strncmp(text, names[i], length) != 0)
            continue;
        out->whom = (enum fault_whom)i;
        text += length;
        if (i == WHOM_ANY || *text < '1' || *text > '9')
            return text;
        out->number = (unsigned)strtoul(text, &end, 10);
        return end;
    }
    return NULL;
}

static int add_fault(struct scenario *self, enum fault_kind kind, const char *text)
{
    struct fault fault = {.kind = kind};
    const char *at = read_whom(text, &fault);

    if (at != NULL)
        at = *at == '=' ? read_time(at + 1, &fault.every) : NULL;
    if (at != NULL && kind == FAULT_PAUSE)
        at = *at == ',' ? read_time(at + 1, &fault.lasts) : NULL;
    if (at == NULL || *at != '\0')
        return kind == FAULT_KILL
                   ? refuse("no such kill:", text, "it is WHO=SECONDS, like subscriber=2, publisher1=5 or any=0.5")
                   : refuse("no such pause:", text, "it is WHO=SECONDS,SECONDS, like subscriber=2,0.5: every, and for");
    if (fault.every < 0.05 || fault.lasts > 60)
        return refuse("no such times:", text, "faults come every 0.05 s at most, and a pause lasts 60 s at most");
    if (self->faults_count == SCENARIO_FAULTS)
        return refuse("too many faults:", text, "16 are possible");
    self->faults[self->faults_count++] = fault;
    return 0;
}

static int set_seed(struct scenario *self, const char *text)
{
    char *end;

    errno = 0;
    self->seed = strtoull(text, &end, 0);
    if (errno != 0 || *text < '0' || *text > '9' || *end != '\0' || self->seed >> 53 != 0)
        return refuse("no such seed:", text, "it is a number below 2^53");
    return 0;
}

static int set_format(struct scenario *self, const char *text)
{
    self->json = strcmp(text, "json") == 0;
    return self->json || strcmp(text, "text") == 0 ? 0 : refuse("no such format:", text, "it is text or json");
}

struct wishes {
    bool judge, no_judge;
};

static int set(struct scenario *self, struct wishes *wishes, int option, const char *text)
{
    static const char crowd[] = "it is 1 to 64 of each kind", threads[] = "it is 1 to 64", parts[] = "it is 1 to 1000";

    switch (option) {
    case DRIVER:
        self->target.driver = text;
        return 0;
    case AGENT:
        self->target.agent = text;
        return 0;
    case WRAP:
        self->target.wrap = text;
        return 0;
    case PUBLISHERS:
        return set_count(&self->publishers, text, SCENARIO_MOST, crowd);
    case SUBSCRIBERS:
        return set_count(&self->subscribers, text, SCENARIO_MOST, crowd);
    case THREADS:
        return set_count(&self->threads, text, SCENARIO_THREADS, threads);
    case SIZE:
        return set_sizes(self, text);
    case PARTS:
        return set_count(&self->parts, text, 1000, parts);
    case RATE:
        return set_rate(self, text);
    case DURATION:
        return set_duration(self, text);
    case KILL:
        return add_fault(self, FAULT_KILL, text);
    case PAUSE:
        return add_fault(self, FAULT_PAUSE, text);
    case SEED:
        return set_seed(self, text);
    case JUDGE:
        wishes->judge = true;
        return 0;
    case NO_JUDGE:
        wishes->no_judge = true;
        return 0;
    case KEEP:
        self->keep = text;
        return 0;
    case FORMAT:
        return set_format(self, text);
    case HELP:
        fputs(options_help, stdout);
        return EXIT_HOLDS + 1;
    case VERSION:
        puts("ipcmark run " IPCMARK_VERSION);
        return EXIT_HOLDS + 1;
    default: /* getopt has said what is wrong */
        fputs("ipcmark run --help says what there is\n", stderr);
        return EXIT_WRONG_USAGE + 1;
    }
}

/* A publisher writes down two records a message, each subscriber one. */
static double journal_bytes(const struct scenario *self)
{
    return 64.0 * self->publishers * self->threads * self->rate * self->seconds * (2 + self->subscribers);
}

static int check_judging(struct scenario *self, const struct wishes *wishes)
{
    char size[32];

    if (wishes->judge && wishes->no_judge)
        return refuse("both --judge and --no-judge", NULL, "say one of them");
    self->judged = wishes->judge || (self->faults_count > 0 && !wishes->no_judge);
    if (!self->judged)
        return 0;
    if (self->rate <= 0)
        return refuse("--rate max cannot be judged", NULL,
                      "every message is written down: say how many a second, or --no-judge");
    snprintf(size, sizeof size, "%.1f GiB", journal_bytes(self) / 0x1p30);
    if (journal_bytes(self) > most_journal_bytes)
        return refuse("too much to write down:", size, "1 GiB is the limit: lower --rate or --duration, or --no-judge");
    return 0;
}

static int check_faults(const struct scenario *self)
{
    double sum = 0;

    for (size_t i = 0; i < self->faults_count; ++i) {
        const struct fault *fault = &self->faults[i];
        sum += self->seconds / fault->every;
        if (fault->number > (fault->whom == WHOM_PUBLISHER ? self->publishers : self->subscribers))
            return refuse("there are not so many of them as a fault asks for", NULL,
                          "ask for more with --publishers or --subscribers, or name another one");
    }
    return sum <= most_faults ? 0 : refuse("more than 2000 faults", NULL, "let them be rarer, or the run shorter");
}

static int check(struct scenario *self, const struct wishes *wishes)
{
    int end;

    if (self->target.driver == NULL && self->target.agent == NULL)
        return refuse("nothing to run", NULL,
                      "name an implementation with --driver (`ipcmark drivers` lists those built in) or --agent");
    if (self->target.driver != NULL && self->target.agent != NULL)
        return refuse("both --driver and --agent", NULL, "run one implementation at a time");
    end = check_faults(self);
    return end != 0 ? end : check_judging(self, wishes);
}

int options_parse(struct scenario *self, int argc, char **argv)
{
    struct wishes wishes = {0};
    int option, end = 0;

    *self = (struct scenario){.publishers = 1,
                              .subscribers = 1,
                              .threads = 1,
                              .parts = 1,
                              .sizes = {64},
                              .sizes_count = 1,
                              .rate = 1000,
                              .seconds = 10,
                              .keep = "ipcmark-results/evidence"};
    if (getrandom(&self->seed, sizeof self->seed, 0) < 0)
        self->seed = ipcmark_now_ns();
    self->seed &= 0xFFFFFFFF; /* short enough to be typed again */
    while (end == 0 && (option = getopt_long(argc, argv, "", long_options, NULL)) != -1)
        end = set(self, &wishes, option, optarg);
    if (end == 0 && optind < argc)
        end = refuse("what is", argv[optind], "implementations are named with --driver or --agent");
    return end != 0 ? end : check(self, &wishes);
}

/* ---- what the implementation can do ------------------------------------------------------------------------------ */

static int exceed(const char *what, uint64_t asked, uint64_t most)
{
    if (most == 0 || asked <= most)
        return 0;
    fprintf(stderr, "ipcmark run: it takes %llu %s at most; %llu are asked for\n", (unsigned long long)most, what,
            (unsigned long long)asked);
    return EXIT_WRONG_USAGE;
}

int options_check(const struct scenario *self, const ipcmark_implementation *it)
{
    size_t largest = 0;
    int code;

    for (size_t i = 0; i < self->sizes_count; ++i)
        largest = self->sizes[i] > largest ? self->sizes[i] : largest;
    if ((code = exceed("publishers", self->publishers, it->max_publishers)) != 0 ||
        (code = exceed("subscribers", self->subscribers, it->max_subscribers)) != 0 ||
        (code = exceed("bytes a message", largest, it->max_message_bytes)) != 0)
        return code;
    if (self->threads > 1 && (it->capabilities & IPCMARK_CAP_THREADS) == 0)
        return refuse("it does not claim threads", NULL, "one publisher of it is for one thread: leave --threads out") -
               1;
    if (self->parts > 1 && (it->capabilities & IPCMARK_CAP_MULTIPART) == 0)
        return refuse("it does not claim multipart", NULL, "its messages have one part: leave --parts out") - 1;
    return 0;
}
