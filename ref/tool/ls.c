/* mmipc ls — who is in a directory, and what they are doing. */
#include "survey.h"
#include "tool.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char help[] =
    "Usage: mmipc ls [OPTION…] DIR\n"
    "\n"
    "Lists the publishers and subscribers that meet in a directory, ordered by channel. Changes nothing.\n"
    "\n"
    "  -p, --pairs            under each publisher its pairs, with what each subscriber has not read\n"
    "  -j, --json             one JSON object a line: everything that is known\n"
    "  -w, --watch            again and again, until Ctrl-C\n"
    "  -s, --sample SECONDS   how long to count for the rates, and between two lists of --watch (0.5); 0: no rates\n"
    "  -t, --timeout SECONDS  how long to wait for an answer (1)\n"
    "\n"
    "STATE     live: it answers, or its note says why not. suspended: its process lives but does not\n"
    "          answer (stopped, in a debugger, starved). stale: its process is dead; `mmipc clean`\n"
    "          removes the files, as any endpoint does.\n"
    "PAIRS     connected peers, suspended ones included\n"
    "UNREAD    bytes that are published and not read yet, framing included\n"
    "MESSAGES  published or received since it was opened; then how many a second, and how many bytes a second\n"
    "-         not known: it does not answer. What its peers say of it is listed even so.\n"
    "\n"
    "  mmipc ls /tmp/market\n"
    "  mmipc ls --json /tmp/market | jq '.endpoints[] | select(.state == \"suspended\") | .pid'\n"
    "\n"
    "In JSON, channel is null if it is not UTF-8; channel_hex has its bytes. strangers are files named\n"
    "like ours that are not ours, unreadable those that cannot be looked at, with the error, orphans are\n"
    "sockets whose slot file is gone.\n"
    "\n"
    "Exit codes: 0 listed, also if there is nobody; 1 the directory cannot be read; 64 usage; 128 + N\n"
    "ended by signal N (130 Ctrl-C, also of --watch; 141 nobody reads standard output any more).\n";

struct ls {
    double sample, timeout;
    bool pairs, json, watch;
    const char *path;
};

/* "1.2 M", of what is counted in thousands, or of bytes in 1024s. */
static const char *scaled(double value, double base, char *text, size_t size)
{
    static const char prefixes[] = " kMGTP";
    size_t scale = 0;
    while (value >= base * 0.9995 && scale + 2 < sizeof prefixes) {
        value /= base;
        ++scale;
    }
    if (value < 0)
        snprintf(text, size, "-");
    else if (scale == 0)
        snprintf(text, size, "%.0f", value);
    else
        snprintf(text, size, value < 9.95 ? "%.1f%c" : "%.0f%c", value, prefixes[scale]);
    return text;
}

static const char *state_name(enum entry_state state)
{
    static const char *const names[] = {"stale", "suspended", "live"};
    return names[state];
}

static void print_pairs(const struct entry *entry)
{
    char unread[16];
    if (strcmp(entry->role, "publisher") != 0)
        return; /* the publishers' lines say it all, and a subscriber does not know what it has not read */
    for (uint32_t i = 0; entry->status != NULL && i < entry->status->pair_count; ++i) {
        const struct status_pair *pair = &entry->status->pairs[i];
        printf("  -> %-16s %8d  %34s\n", pair->state == STATUS_SUSPENDED ? "suspended" : "connected", (int)pair->pid,
               scaled((double)pair->unread, 1024, unread, sizeof unread));
    }
}

static void print_entry(const struct ls *ls, const struct entry *entry)
{
    char pid[16], pairs[24], unread[16], messages[24], rate[16], bytes[16];
    char *channel = text_escaped(entry->channel, strlen(entry->channel));
    snprintf(pid, sizeof pid, entry->pid > 0 ? "%d" : "-", entry->pid);
    snprintf(pairs, sizeof pairs, entry->counted ? "%zu" : "-", entry->pairs);
    snprintf(messages, sizeof messages, entry->status != NULL ? "%llu" : "-",
             entry->status != NULL ? (unsigned long long)entry->status->messages : 0);
    printf("%-10s  %-9s %8s  %5s  %7s  %12s  %6s  %6s  %s%s%s%s\n", entry->role, state_name(entry->state), pid, pairs,
           scaled(entry->counted ? (double)entry->unread : -1, 1024, unread, sizeof unread), messages,
           scaled(entry->message_rate, 1000, rate, sizeof rate), scaled(entry->byte_rate, 1024, bytes, sizeof bytes),
           channel == NULL ? "?" : channel, entry->note != NULL ? "  (" : "", entry->note != NULL ? entry->note : "",
           entry->note != NULL ? ")" : "");
    free(channel);
    if (ls->pairs)
        print_pairs(entry);
}

static void print_text(const struct ls *ls, const struct survey *survey)
{
    size_t stale = survey->orphan_count;
    if (ls->watch && isatty(STDOUT_FILENO))
        fputs("\033[H\033[2J", stdout);
    if (survey->count > 0)
        printf("%-10s  %-9s %8s  %5s  %7s  %12s  %6s  %6s  %s\n", "ROLE", "STATE", "PID", "PAIRS", "UNREAD", "MESSAGES",
               "/s", "B/s", "CHANNEL");
    else
        printf("no publisher or subscriber is here\n");
    for (size_t i = 0; i < survey->count; ++i) {
        print_entry(ls, &survey->entries[i]);
        stale += survey->entries[i].state == ENTRY_STALE;
    }
    for (size_t i = 0; i < survey->orphan_count; ++i)
        printf("stale socket: %s\n", survey->orphans[i]);
    for (size_t i = 0; i < survey->stranger_count; ++i)
        printf("not ours, though named so: %s\n", survey->strangers[i]);
    for (size_t i = 0; i < survey->unreadable_count; ++i)
        printf("cannot be looked at: %s: %s\n", survey->unreadable[i].name, survey_reason(survey->unreadable[i].error));
    if (stale > 0 && !ls->watch)
        fprintf(stderr, "mmipc: dead endpoints left files: mmipc clean removes them\n");
    if (ls->watch && !isatty(STDOUT_FILENO))
        putchar('\n');
}

static void add_hex(cJSON *json, const char *key, const void *data, size_t size)
{
    char text[2 * CHANNEL_MAX + 1];
    for (size_t i = 0; i < size; ++i)
        snprintf(text + 2 * i, 3, "%02x", ((const unsigned char *)data)[i]);
    text[2 * size] = '\0';
    cJSON_AddStringToObject(json, key, text);
}

static void add_number(cJSON *json, const char *key, bool known, double value)
{
    if (known)
        cJSON_AddNumberToObject(json, key, value);
    else
        cJSON_AddNullToObject(json, key);
}

static cJSON *pairs_json(const struct status *status)
{
    cJSON *pairs = cJSON_CreateArray();
    for (uint32_t i = 0; i < status->pair_count; ++i) {
        const struct status_pair *pair = &status->pairs[i];
        cJSON *json = cJSON_CreateObject();
        add_hex(json, "id", pair->id, ID_BYTES);
        add_number(json, "pid", pair->pid > 0, pair->pid);
        cJSON_AddStringToObject(json, "state", pair->state == STATUS_SUSPENDED ? "suspended" : "connected");
        cJSON_AddNumberToObject(json, "unread_bytes", (double)pair->unread);
        cJSON_AddItemToArray(pairs, json);
    }
    return pairs;
}

static cJSON *entry_json(const struct entry *entry)
{
    const struct status *status = entry->status;
    cJSON *json = cJSON_CreateObject();
    cJSON_AddStringToObject(json, "role", entry->role);
    cJSON_AddStringToObject(json, "state", state_name(entry->state));
    add_hex(json, "id", entry->id, ID_BYTES);
    if (text_is_utf8(entry->channel))
        cJSON_AddStringToObject(json, "channel", entry->channel);
    else
        cJSON_AddNullToObject(json, "channel");
    add_hex(json, "channel_hex", entry->channel, strlen(entry->channel));
    add_number(json, "pid", entry->pid > 0, entry->pid);
    add_number(json, "pairs", entry->counted, (double)entry->pairs);
    add_number(json, "unread_bytes", entry->counted, (double)entry->unread);
    add_number(json, "connections", status != NULL, status == NULL ? 0 : status->connections);
    add_number(json, "ping_interval_ms", status != NULL, status == NULL ? 0 : status->ping_interval_ms);
    add_number(json, "messages", status != NULL, status == NULL ? 0 : (double)status->messages);
    add_number(json, "bytes", status != NULL, status == NULL ? 0 : (double)status->bytes);
    add_number(json, "messages_per_second", entry->message_rate >= 0, entry->message_rate);
    add_number(json, "bytes_per_second", entry->byte_rate >= 0, entry->byte_rate);
    if (entry->note != NULL)
        cJSON_AddStringToObject(json, "note", entry->note);
    if (status != NULL)
        cJSON_AddItemToObject(json, "peers", pairs_json(status));
    return json;
}

static cJSON *names_json(char (*names)[SLOT_NAME_BYTES], size_t count)
{
    cJSON *json = cJSON_CreateArray();
    for (size_t i = 0; i < count; ++i)
        cJSON_AddItemToArray(json, cJSON_CreateString(names[i]));
    return json;
}

static cJSON *unreadable_json(const struct survey *survey)
{
    cJSON *json = cJSON_CreateArray();
    for (size_t i = 0; i < survey->unreadable_count; ++i) {
        cJSON *file = cJSON_CreateObject();
        cJSON_AddStringToObject(file, "name", survey->unreadable[i].name);
        cJSON_AddStringToObject(file, "error", survey_reason(survey->unreadable[i].error));
        cJSON_AddItemToArray(json, file);
    }
    return json;
}

static void print_json(const struct survey *survey)
{
    cJSON *json = cJSON_CreateObject();
    cJSON *endpoints = cJSON_AddArrayToObject(json, "endpoints");
    char *text, *safe;
    for (size_t i = 0; i < survey->count; ++i)
        cJSON_AddItemToArray(endpoints, entry_json(&survey->entries[i]));
    cJSON_AddItemToObject(json, "strangers", names_json(survey->strangers, survey->stranger_count));
    cJSON_AddItemToObject(json, "unreadable", unreadable_json(survey));
    cJSON_AddItemToObject(json, "orphans", names_json(survey->orphans, survey->orphan_count));
    text = cJSON_PrintUnformatted(json);
    safe = text == NULL ? NULL : text_escaped_json(text);
    puts(safe == NULL ? "null" : safe);
    free(safe);
    free(text);
    cJSON_Delete(json);
}

/* -1: go on; otherwise the exit code. */
static int parse(struct ls *ls, int argc, char **argv)
{
    static const struct option options[] = {{"pairs", no_argument, NULL, 'p'},
                                            {"json", no_argument, NULL, 'j'},
                                            {"watch", no_argument, NULL, 'w'},
                                            {"sample", required_argument, NULL, 's'},
                                            {"timeout", required_argument, NULL, 't'},
                                            {"help", no_argument, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};
    int option;
    while ((option = getopt_long(argc, argv, ":pjws:t:h", options, NULL)) != -1) {
        switch (option) {
        case 'p':
            ls->pairs = true;
            break;
        case 'j':
            ls->json = true;
            break;
        case 'w':
            ls->watch = true;
            break;
        case 's':
            if (!parse_seconds(optarg, &ls->sample))
                return misused("ls", "--sample takes seconds, not '%s'", optarg);
            break;
        case 't':
            if (!parse_seconds(optarg, &ls->timeout) || ls->timeout > 3600)
                return misused("ls", "--timeout takes seconds, not '%s'", optarg);
            break;
        case 'h':
            fputs(help, stdout);
            return end_output(EXIT_DONE);
        default:
            return misused("ls", option == ':' ? "%s needs a value" : "%s is not an option", argv[optind - 1]);
        }
    }
    if (argc - optind != 1)
        return misused("ls", "one directory is needed");
    if (ls->watch && ls->sample == 0)
        return misused("ls", "--watch needs a --sample of more than 0 seconds");
    ls->path = argv[optind];
    return -1;
}

static bool any_living(const struct survey *survey)
{
    for (size_t i = 0; i < survey->count; ++i)
        if (survey->entries[i].status != NULL)
            return true;
    return false;
}

static int list(const struct ls *ls, int directory)
{
    struct survey before = {0}, now;
    int code = EXIT_DONE;
    bool more = true;
    for (int round = 0; code == EXIT_DONE && more; round = 1) {
        int error = 0;
        if (round > 0 && (ls->watch || any_living(&before)) && await(-1, 0, deadline_in(ls->sample)) == AWAITED_STOP)
            error = -EINTR;
        memset(&now, 0, sizeof now);
        if (error == 0)
            error = survey_take(&now, directory, (int)(ls->timeout * 1000));
        survey_compare(&now, &before);
        survey_free(&before);
        before = now;
        if (error != 0) {
            code = end_for_error(ls->path, error);
        } else if (round > 0 || ls->sample == 0) {
            if (ls->json)
                print_json(&now);
            else
                print_text(ls, &now);
            code = end_output(EXIT_DONE);
        }
        more = ls->watch || (round == 0 && ls->sample > 0);
    }
    survey_free(&before);
    return code;
}

int command_ls(int argc, char **argv)
{
    struct ls ls = {.sample = 0.5, .timeout = 1};
    int directory, code = parse(&ls, argc, argv);
    if (code >= 0)
        return code;
    directory = survey_open(ls.path);
    if (directory < 0)
        return complain("cannot read the directory '%s': %s", ls.path, strerror(-directory));
    code = list(&ls, directory);
    close(directory);
    return code;
}
