/* ipcmark-check: judges recorded runs again. */
#include <cjson/cJSON.h>
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ipcmark/checker.h"

#define EXIT_USAGE 64

static const char help[] =
    "usage: ipcmark check [--format text|json] DIR…\n"
    "\n"
    "Judges recorded runs again: reads what the participants wrote down (DIR/journals/) and what was done to them\n"
    "(DIR/history.jsonl), and tells whether every message that had to arrive did, once, intact and in order, and "
    "nothing\n"
    "else. It starts nothing, and the same folder always gives the same verdict.\n"
    "\n"
    "  -f, --format FORMAT   text (default), or json: one object a folder and line\n"
    "  -h, --help            this text\n"
    "  -V, --version         the suite's version\n"
    "\n"
    "examples:\n"
    "  ipcmark conformance --driver fifo --clause KILL-001 --keep runs --keep-passed     records a run in runs/RUN/\n"
    "  ipcmark check runs/*/*                                                            judges it again\n"
    "  ipcmark check --format json runs/*/* | jq -r .class                               the class of each violation\n"
    "\n"
    "exit codes: 0 everything holds; 1 a rule is broken; 2 unknown: too little was seen to tell; 3 the records "
    "contradict\n"
    "themselves or cannot be read; 64 usage. With several folders 3 goes before 1, 1 before 2.\n";

static int json_print(const char *folder, const struct ipcmark_judgement *judgement)
{
    cJSON *json = cJSON_CreateObject(), *classes = cJSON_AddObjectToObject(json, "by_class");
    const char *class_text = ipcmark_class_text(judgement->class_);
    char *line;
    cJSON_AddStringToObject(json, "folder", folder);
    cJSON_AddStringToObject(json, "verdict", ipcmark_verdict_text(judgement->verdict));
    if (class_text == NULL)
        cJSON_AddNullToObject(json, "class");
    else
        cJSON_AddStringToObject(json, "class", class_text);
    cJSON_AddStringToObject(json, "text", judgement->text);
    cJSON_AddNumberToObject(json, "messages", (double)judgement->messages);
    cJSON_AddNumberToObject(json, "must", (double)judgement->must);
    cJSON_AddNumberToObject(json, "received", (double)judgement->received);
    cJSON_AddNumberToObject(json, "kills_inside", (double)judgement->kills_inside);
    cJSON_AddNumberToObject(json, "joins", (double)judgement->joins);
    cJSON_AddNumberToObject(json, "violations", (double)judgement->violations);
    for (int class_ = 1; class_ < IPCMARK_CLASSES; ++class_)
        if (judgement->by_class[class_] > 0)
            cJSON_AddNumberToObject(classes, ipcmark_class_text((enum ipcmark_class)class_),
                                    (double)judgement->by_class[class_]);
    line = cJSON_PrintUnformatted(json);
    cJSON_Delete(json);
    if (line == NULL)
        return -ENOMEM;
    puts(line);
    cJSON_free(line);
    return 0;
}

static void text_print(const char *folder, const struct ipcmark_judgement *judgement)
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
}

/* The exit code of one folder. */
static int folder_check(const char *folder, int as_json)
{
    struct ipcmark_judgement judgement = {0};
    struct ipcmark_history history;
    char problem[700];
    int error = ipcmark_history_load(&history, folder, problem, sizeof problem);
    if (error == 0)
        error = ipcmark_check(&history, &judgement);
    ipcmark_history_free(&history);
    if (error == -EBADMSG)
        fprintf(stderr, "ipcmark check: %s: %s\n", folder, problem);
    else if (error == -ENOENT || error == -ENOTDIR)
        fprintf(
            stderr,
            "ipcmark check: %s: not the folder of a recorded run (history.jsonl and journals/ are expected in it)\n",
            folder);
    else if (error < 0)
        fprintf(stderr, "ipcmark check: %s: %s\n", folder, strerror(-error));
    if (error < 0)
        return ipcmark_verdict_exit(IPCMARK_ERROR);
    if (!as_json)
        text_print(folder, &judgement);
    else if (json_print(folder, &judgement) < 0)
        return ipcmark_verdict_exit(IPCMARK_ERROR);
    return ipcmark_verdict_exit(judgement.verdict);
}

/* 3 before 1 before 2 before 0. */
static int graver(int one, int other)
{
    static const int gravity[] = {0, 2, 1, 3};
    return gravity[one] >= gravity[other] ? one : other;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {{"format", required_argument, NULL, 'f'},
                                            {"help", no_argument, NULL, 'h'},
                                            {"version", no_argument, NULL, 'V'},
                                            {NULL, 0, NULL, 0}};
    int option, as_json = 0, code = 0;
    while ((option = getopt_long(argc, argv, "f:hV", options, NULL)) != -1) {
        if (option == 'h') {
            fputs(help, stdout);
            return 0;
        }
        if (option == 'V') {
            puts("ipcmark check " IPCMARK_VERSION);
            return 0;
        }
        if (option != 'f')
            return EXIT_USAGE; /* getopt has said why */
        as_json = strcmp(optarg, "json") == 0;
        if (!as_json && strcmp(optarg, "text") != 0) {
            fprintf(stderr, "ipcmark check: --format is text or json, not '%s'\n", optarg);
            return EXIT_USAGE;
        }
    }
    if (optind == argc) {
        fputs("ipcmark check: which folder? `ipcmark check --help` has examples\n", stderr);
        return EXIT_USAGE;
    }
    for (; optind < argc; ++optind)
        code = graver(code, folder_check(argv[optind], as_json));
    if (fflush(stdout) != 0 || ferror(stdout)) {
        perror("ipcmark check: standard output");
        return ipcmark_verdict_exit(IPCMARK_ERROR);
    }
    return code;
}
