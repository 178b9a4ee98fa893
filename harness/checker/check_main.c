/* ipcmark-check: judges recorded runs again. */
#include <cjson/cJSON.h>
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "folders.h"
#include "ipcmark/checker.h"

#define EXIT_USAGE 64

static const char help[] =
    "usage: ipcmark check [--format text|json] [--lines N] DIR…\n"
    "\n"
    "Judges recorded runs again: reads what the participants wrote down (DIR/journals/) and what was done to them\n"
    "(DIR/history.jsonl), and tells whether every message that had to arrive did, once, intact and in order, and\n"
    "nothing else. Of a run that broke a rule it shows the first violation, and what happened around it. It starts\n"
    "nothing, and the same folder always gives the same verdict. Of a folder that holds others, all runs below it are\n"
    "judged, a line each.\n"
    "\n"
    "  -f, --format FORMAT   text (default), or json: one object a folder and line\n"
    "  -l, --lines N         so many lines of what happened around a violation (default 15; 0: none)\n"
    "  -h, --help            this text\n"
    "  -V, --version         the suite's version\n"
    "\n"
    "A run that was cut off, because the suite was killed or the machine stopped, is judged as far as it goes: what "
    "is\n"
    "broken by then fails, and else it is unknown. One that still goes on cannot be judged: its journals are read one\n"
    "after the other, and the later ones know of more.\n"
    "\n"
    "examples:\n"
    "  ipcmark conformance --driver fifo --clause KILL-001 --keep runs --keep-passed     records a run in runs/RUN/\n"
    "  ipcmark check runs                                                                judges all below runs/ again\n"
    "  ipcmark check --format json runs | jq -r .class                               the class of each violation\n"
    "\n"
    "exit codes:\n"
    "  0   everything holds\n"
    "  1   a rule is broken\n"
    "  2   unknown: too little was seen to tell\n"
    "  3   the records contradict themselves, or cannot be read\n"
    "  64  usage\n"
    "With several folders 3 goes before 1, 1 before 2.\n";

struct options {
    int as_json;
    size_t lines;
};

static void text_or_null(cJSON *json, const char *name, const char *text)
{
    if (text == NULL)
        cJSON_AddNullToObject(json, name);
    else
        cJSON_AddStringToObject(json, name, text);
}

/* Null where there is no such endpoint. */
static void number_or_null(cJSON *json, const char *name, uint64_t number, int known)
{
    if (known)
        cJSON_AddNumberToObject(json, name, (double)number);
    else
        cJSON_AddNullToObject(json, name);
}

static void first_add(cJSON *json, const struct ipcmark_judgement *judgement)
{
    const struct ipcmark_about *about = &judgement->about;
    const int publisher = about->publisher != IPCMARK_NO_ENDPOINT,
              subscriber = about->subscriber != IPCMARK_NO_ENDPOINT;
    cJSON *first = cJSON_AddObjectToObject(json, "first");
    cJSON_AddNumberToObject(first, "seconds", ((double)judgement->violation_ns - (double)judgement->origin_ns) / 1e9);
    number_or_null(first, "publisher", about->publisher, publisher);
    number_or_null(first, "epoch", about->epoch, publisher);
    number_or_null(first, "thread", about->thread, publisher);
    number_or_null(first, "sequence", about->sequence, about->sequence != IPCMARK_NO_SEQUENCE);
    number_or_null(first, "subscriber", about->subscriber, subscriber);
    number_or_null(first, "subscriber_epoch", about->subscriber_epoch, subscriber);
}

static int json_print(const char *folder, const struct ipcmark_judgement *judgement, const char *timeline)
{
    cJSON *json = cJSON_CreateObject(), *classes;
    char *line;
    cJSON_AddStringToObject(json, "folder", folder);
    cJSON_AddStringToObject(json, "verdict", ipcmark_verdict_text(judgement->verdict));
    text_or_null(json, "class", ipcmark_class_text(judgement->class_));
    cJSON_AddStringToObject(json, "text", judgement->text);
    if (judgement->verdict == IPCMARK_FAIL)
        first_add(json, judgement);
    cJSON_AddNumberToObject(json, "messages", (double)judgement->messages);
    cJSON_AddNumberToObject(json, "must", (double)judgement->must);
    cJSON_AddNumberToObject(json, "received", (double)judgement->received);
    cJSON_AddNumberToObject(json, "kills_inside", (double)judgement->kills_inside);
    cJSON_AddNumberToObject(json, "joins", (double)judgement->joins);
    cJSON_AddNumberToObject(json, "violations", (double)judgement->violations);
    classes = cJSON_AddObjectToObject(json, "by_class");
    for (int class_ = 1; class_ < IPCMARK_CLASSES; ++class_)
        if (judgement->by_class[class_] > 0)
            cJSON_AddNumberToObject(classes, ipcmark_class_text((enum ipcmark_class)class_),
                                    (double)judgement->by_class[class_]);
    if (timeline != NULL && timeline[0] != '\0')
        cJSON_AddStringToObject(json, "timeline", timeline);
    line = cJSON_PrintUnformatted(json);
    cJSON_Delete(json);
    if (line == NULL)
        return -ENOMEM;
    puts(line);
    cJSON_free(line);
    return 0;
}

static void text_print(const char *folder, const struct ipcmark_judgement *judgement, const char *timeline)
{
    const char *class_text = ipcmark_class_text(judgement->class_);
    printf("%s: %s", folder, ipcmark_verdict_text(judgement->verdict));
    if (judgement->verdict == IPCMARK_FAIL)
        printf(" (%s): %s", class_text, judgement->text);
    else if (judgement->text[0] != '\0')
        printf(": %s", judgement->text);
    printf("\n  %" PRIu64 " messages, %" PRIu64 " deliveries had to be made, %" PRIu64 " were; %" PRIu64
           " kills inside publish, %" PRIu64 " joins under traffic",
           judgement->messages, judgement->must, judgement->received, judgement->kills_inside, judgement->joins);
    if (judgement->violations > 0) {
        printf("; %" PRIu64 " violations:", judgement->violations);
        for (int class_ = 1; class_ < IPCMARK_CLASSES; ++class_)
            if (judgement->by_class[class_] > 0)
                printf(" %" PRIu64 " %s", judgement->by_class[class_], ipcmark_class_text((enum ipcmark_class)class_));
    }
    putchar('\n');
    for (const char *line = timeline; line != NULL && *line != '\0'; line = strchr(line, '\n') + 1)
        printf("    %.*s\n", (int)strcspn(line, "\n"), line);
}

static void problem_say(const char *folder, int error, const char *problem, char *text, size_t size)
{
    if (error == -EBADMSG)
        snprintf(text, size, "%s", problem);
    else if (error == -ENOENT || error == -ENOTDIR)
        snprintf(text, size,
                 "not the folder of a recorded run (history.jsonl and journals/ are expected in it), and none is below "
                 "it");
    else
        snprintf(text, size, "%s", strerror(-error));
    fprintf(stderr, "ipcmark check: %s: %s\n", folder, text);
}

/* 0; or -errno of what cannot be read: the judgement is then an error, which has been said on standard error. *timeline
 * is to be freed. */
static int folder_judge(const char *folder, size_t lines, struct ipcmark_judgement *out, char **timeline)
{
    struct ipcmark_history history;
    char problem[sizeof out->text];
    int error = ipcmark_history_load(&history, folder, problem, sizeof problem);
    if (error == 0)
        error = ipcmark_check(&history, out);
    if (error == 0 && lines > 0) {
        *timeline = ipcmark_timeline(&history, out, lines);
        error = *timeline == NULL ? -ENOMEM : 0;
    }
    ipcmark_history_free(&history);
    if (error < 0) {
        *out = (struct ipcmark_judgement){.verdict = IPCMARK_ERROR};
        problem_say(folder, error, problem, out->text, sizeof out->text);
    }
    return error;
}

/* The exit code of one folder. */
static int folder_check(const char *folder, const struct options *options)
{
    struct ipcmark_judgement judgement = {0};
    char *timeline = NULL;
    int error = folder_judge(folder, options->lines, &judgement, &timeline);
    if (options->as_json)
        error = json_print(folder, &judgement, timeline);
    else if (error == 0)
        text_print(folder, &judgement, timeline);
    free(timeline);
    return ipcmark_verdict_exit(error < 0 ? IPCMARK_ERROR : judgement.verdict);
}

/* 3 before 1 before 2 before 0. */
static int graver(int one, int other)
{
    static const int gravity[] = {0, 2, 1, 3};
    return gravity[one] >= gravity[other] ? one : other;
}

/* One of many: a line. */
static int row_print(const char *folder, size_t counts[4])
{
    struct ipcmark_judgement judgement = {0};
    const char *class_text;
    folder_judge(folder, 0, &judgement, NULL);
    class_text = ipcmark_class_text(judgement.class_);
    printf("%-8s %-10s  %s%s%s\n", ipcmark_verdict_text(judgement.verdict), class_text != NULL ? class_text : "",
           folder, judgement.text[0] != '\0' ? ": " : "", judgement.text);
    ++counts[ipcmark_verdict_exit(judgement.verdict)];
    return ipcmark_verdict_exit(judgement.verdict);
}

static int table_print(const struct folders *below)
{
    size_t counts[4] = {0};
    int code = 0;
    for (size_t i = 0; i < below->count; ++i)
        code = graver(code, row_print(below->paths[i], counts));
    printf("%zu runs: %zu pass, %zu fail, %zu unknown, %zu error%s\n", below->count, counts[0], counts[1], counts[2],
           counts[3], counts[1] > 0 ? "; name one of these folders to see what happened in it" : "");
    return code;
}

/* A folder of a run, or of many. */
static int argument_check(const char *folder, const struct options *options)
{
    struct folders below;
    int code = 0;
    if (folders_is_run(folder))
        return folder_check(folder, options);
    if (folders_find(&below, folder) < 0 || below.count == 0)
        code = folder_check(folder, options); /* which says what is wrong */
    else if (!options->as_json)
        code = table_print(&below);
    else
        for (size_t i = 0; i < below.count; ++i)
            code = graver(code, folder_check(below.paths[i], options));
    folders_free(&below);
    return code;
}

/* -1: go on; else an exit code. */
static int options_read(struct options *out, int argc, char **argv)
{
    static const struct option options[] = {{"format", required_argument, NULL, 'f'},
                                            {"lines", required_argument, NULL, 'l'},
                                            {"help", no_argument, NULL, 'h'},
                                            {"version", no_argument, NULL, 'V'},
                                            {NULL, 0, NULL, 0}};
    char *end;
    int option;
    while ((option = getopt_long(argc, argv, "f:l:hV", options, NULL)) != -1) {
        switch (option) {
        case 'h':
            fputs(help, stdout);
            return 0;
        case 'V':
            puts("ipcmark check " IPCMARK_VERSION);
            return 0;
        case 'f':
            out->as_json = strcmp(optarg, "json") == 0;
            if (out->as_json || strcmp(optarg, "text") == 0)
                continue;
            fprintf(stderr, "ipcmark check: --format is text or json, not '%s'\n", optarg);
            return EXIT_USAGE;
        case 'l':
            out->lines = strtoul(optarg, &end, 10);
            if (optarg[0] >= '0' && optarg[0] <= '9' && *end == '\0')
                continue;
            fprintf(stderr, "ipcmark check: --lines is a number, not '%s'\n", optarg);
            return EXIT_USAGE;
        default: /* getopt has said why */
            fputs("see `ipcmark check --help`\n", stderr);
            return EXIT_USAGE;
        }
    }
    if (optind < argc)
        return -1;
    fputs("ipcmark check: which folder? `ipcmark check --help` has examples\n", stderr);
    return EXIT_USAGE;
}

int main(int argc, char **argv)
{
    struct options options = {.lines = IPCMARK_TIMELINE_LINES};
    int finished = options_read(&options, argc, argv), code = 0;
    if (finished >= 0)
        return finished;
    for (; optind < argc; ++optind)
        code = graver(code, argument_check(argv[optind], &options));
    if (fflush(stdout) != 0 || ferror(stdout)) {
        perror("ipcmark check: standard output");
        return ipcmark_verdict_exit(IPCMARK_ERROR);
    }
    return code;
}
