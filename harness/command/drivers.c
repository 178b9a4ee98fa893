/* ipcmark drivers — what can be tested. Each driver is asked in a process of its own. */
#include "ipcmark/control.h"

#include "../control/paths.h"
#include "../control/peers.h"

#include <errno.h>
#include <getopt.h>
#include <glob.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char help[] =
    "Usage: ipcmark drivers [--format table|jsonl] [DRIVER…]\n"
    "\n"
    "Lists the drivers that are installed, or those named, with the version of what they drive and what it claims to\n"
    "do. Each is loaded in a process of its own, so that one that crashes does no harm. Those that were not built,\n"
    "since what they drive was missing, follow, with the Debian packages that hold it; then agents, which are for\n"
    "--agent.\n"
    "\n"
    "  ipcmark drivers\n"
    "  ipcmark drivers ./mine.so\n"
    "  ipcmark drivers --format jsonl | jq .capabilities\n"
    "\n"
    "A capability that a driver does not claim skips the clauses that need it. IPCMARK_DRIVER_PATH names another\n"
    "directory of drivers.\n"
    "\n"
    "Exit codes: 0 all can be used, 3 one cannot (the reason is printed), 64 usage, 130 after Ctrl-C.\n";

/* Takes it. */
static void print_line(cJSON *line)
{
    char *text = cJSON_PrintUnformatted(line);
    puts(text);
    free(text);
    cJSON_Delete(line);
}

static int cannot_use(const char *name, const char *why, bool json)
{
    if (json) {
        cJSON *line = cJSON_CreateObject();
        cJSON_AddStringToObject(line, "driver", name);
        cJSON_AddStringToObject(line, "error", why);
        print_line(line);
    } else {
        printf("%s\n    cannot be used: %s\n", name, why);
    }
    return 3;
}

static void print_json(const char *name, const ipcmark_implementation *what)
{
    cJSON *line = cJSON_CreateObject();
    cJSON_AddStringToObject(line, "driver", name);
    cJSON_AddStringToObject(line, "name", what->name);
    cJSON_AddStringToObject(line, "version", what->version);
    cJSON_AddStringToObject(line, "summary", what->summary);
    cJSON_AddStringToObject(line, "homepage", what->homepage);
    cJSON *capabilities = cJSON_AddArrayToObject(line, "capabilities");
    const char *capability;
    for (unsigned i = 0; (capability = ipcmark_capability_name(i)) != NULL; ++i)
        if (what->capabilities >> i & 1)
            cJSON_AddItemToArray(capabilities, cJSON_CreateString(capability));
    cJSON_AddBoolToObject(line, "broker", what->broker);
    cJSON_AddNumberToObject(line, "max_message_bytes", (double)what->max_message_bytes);
    cJSON_AddNumberToObject(line, "max_publishers", (double)what->max_publishers);
    cJSON_AddNumberToObject(line, "max_subscribers", (double)what->max_subscribers);
    print_line(line);
}

/* In lines of up to 100 columns. */
static void print_capabilities(uint64_t capabilities)
{
    int column = 0;
    const char *name;
    for (unsigned i = 0; (name = ipcmark_capability_name(i)) != NULL; ++i) {
        if ((capabilities >> i & 1) == 0)
            continue;
        if (column + (int)strlen(name) > 96) {
            puts("");
            column = 0;
        }
        column += printf("%s%s", column == 0 ? "    " : " ", name);
    }
    puts(column == 0 ? "    no capabilities" : "");
}

static void print_table(const char *name, const ipcmark_implementation *what)
{
    printf("%s  %s %s%s\n    %s\n", name, what->name, what->version, what->broker ? ", with a broker" : "",
           what->summary);
    print_capabilities(what->capabilities);
}

static int show(ipcmark_session *session, const char *name, bool json)
{
    ipcmark_target target = {.driver = name};
    ipcmark_implementation what;
    if (ipcmark_probe(session, &target, &what) < 0)
        return cannot_use(name, ipcmark_session_text(session), json);
    json ? print_json(name, &what) : print_table(name, &what);
    fflush(stdout);
    return 0;
}

static void print_missing_json(void *context, const char *driver, const char *packages)
{
    char copy[PEERS_PACKAGES], *rest;
    cJSON *line = cJSON_CreateObject(), *missing;
    (void)context;
    snprintf(copy, sizeof copy, "%s", packages);
    cJSON_AddStringToObject(line, "driver", driver);
    missing = cJSON_AddArrayToObject(line, "missing");
    for (char *package = strtok_r(copy, " ", &rest); package != NULL; package = strtok_r(NULL, " ", &rest))
        cJSON_AddItemToArray(missing, cJSON_CreateString(package));
    print_line(line);
}

static void print_missing(void *context, const char *driver, const char *packages)
{
    (void)context;
    printf("%s  not built: needs %s; " PEERS_ADVICE "\n", driver, packages);
}

static void print_agent_json(void *context, const char *agent, const char *text)
{
    cJSON *line = cJSON_CreateObject();
    (void)context;
    cJSON_AddStringToObject(line, "agent", agent);
    cJSON_AddStringToObject(line, "note", text);
    print_line(line);
}

static void print_agent(void *context, const char *agent, const char *text)
{
    (void)context;
    printf("%s  an agent: %s\n", agent, text);
}

static int show_installed(ipcmark_session *session, bool json)
{
    char directory[PATH_MAX], pattern[PATH_MAX + 8];
    glob_t found = {0};
    int code = 0;
    if (paths_drivers(directory, sizeof directory) < 0) {
        fputs("ipcmark drivers: there is no directory of drivers beside this program; name drivers by their path\n",
              stderr);
        return 3;
    }
    snprintf(pattern, sizeof pattern, "%s/*.so", directory);
    glob(pattern, 0, NULL, &found);
    for (size_t i = 0; i < found.gl_pathc && ipcmark_session_interrupted(session) == 0; ++i) {
        char *name = strrchr(found.gl_pathv[i], '/') + 1;
        *strrchr(name, '.') = '\0';
        int result = show(session, name, json);
        code = result > code ? result : code;
    }
    globfree(&found);
    peers_missing(json ? print_missing_json : print_missing, NULL);
    peers_agents(json ? print_agent_json : print_agent, NULL);
    return code;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"format", required_argument, NULL, 'f'},
        {"help", no_argument, NULL, 'h'},
        {"version", no_argument, NULL, 'v'},
        {0},
    };
    bool json = false;
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (option == 'h')
            return fputs(help, stdout) < 0;
        if (option == 'v')
            return puts("ipcmark " IPCMARK_VERSION) < 0;
        if (option != 'f' || (strcmp(optarg, "table") != 0 && strcmp(optarg, "jsonl") != 0)) {
            fputs("ipcmark drivers: --format takes table or jsonl; see ipcmark drivers --help\n", stderr);
            return 64;
        }
        json = strcmp(optarg, "jsonl") == 0;
    }
    ipcmark_session *session;
    int error = ipcmark_session_open(&session), code = 0;
    if (error < 0) {
        fprintf(stderr, "ipcmark drivers: cannot start: %s\n", strerror(-error));
        return 3;
    }
    if (optind == argc)
        code = show_installed(session, json);
    for (int i = optind; i < argc && ipcmark_session_interrupted(session) == 0; ++i) {
        int result = show(session, argv[i], json);
        code = result > code ? result : code;
    }
    int signal = ipcmark_session_interrupted(session);
    if (ipcmark_session_close(session) < 0)
        code = 3;
    return signal != 0 ? 128 + signal : code;
}
