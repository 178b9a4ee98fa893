/* The implementation under test: from what the user names to a command line. */
#include "internal.h"

#include "paths.h"
#include "peers.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

/* A value that begins with ./ or ../ is a path, and is seen from where the suite was started: participants work
 * elsewhere. NULL: it cannot be told where that is. */
static const char *absolute_param(ipcmark_trial *trial, const char *param)
{
    const char *value = strchr(param, '=') + 1;
    char folder[PATH_MAX];
    if (strncmp(value, "./", 2) != 0 && strncmp(value, "../", 3) != 0)
        return param;
    if (getcwd(folder, sizeof folder) == NULL)
        return NULL;
    return trial_note(trial, "%.*s%s/%s", (int)(value - param), param, folder, value + (value[1] == '/' ? 2 : 0));
}

/* "key=value&key=value" */
static int parse_params(ipcmark_trial *trial, const char *spec, const char *params)
{
    const char *list[64] = {NULL};
    size_t count = 0;
    char text[4096], *rest;
    if ((size_t)snprintf(text, sizeof text, "%s", params) >= sizeof text)
        return session_fail(trial->session, -EINVAL, "the parameters of '%.100s…' are longer than %zu bytes", spec,
                            sizeof text - 1);
    for (char *param = strtok_r(text, "&", &rest); param != NULL; param = strtok_r(NULL, "&", &rest)) {
        if (strchr(param, '=') == NULL || param[0] == '=' || count + 1 == sizeof list / sizeof list[0])
            return session_fail(trial->session, -EINVAL, "'%s' in '%s' is not key=value", param, spec);
        list[count] = absolute_param(trial, param);
        if (list[count++] == NULL)
            return session_fail(trial->session, -errno, "'%s' cannot be found from here: %s", param, strerror(errno));
    }
    trial->params = trial_note_list(trial, list);
    return 0;
}

static int cannot_find(ipcmark_trial *trial, const char *name, int error)
{
    char packages[PEERS_PACKAGES];
    if (peers_find_missing(name, packages) == 0)
        return session_fail(trial->session, error, "the driver '%s' is not built: needs %s; " PEERS_ADVICE, name,
                            packages);
    return session_fail(trial->session, error,
                        "there is no driver '%s' (%s); `ipcmark drivers` lists those that are built, and a path to a "
                        ".so needs a slash in it",
                        name, strerror(-error));
}

/* "NAME?key=value&key=value" */
static int parse_driver(ipcmark_trial *trial, const char *spec)
{
    char name[PATH_MAX], path[PATH_MAX];
    const char *question = strchr(spec, '?');
    int length = question == NULL ? (int)strlen(spec) : (int)(question - spec);
    snprintf(name, sizeof name, "%.*s", length, spec);
    int error = paths_driver(name, path, sizeof path);
    if (error < 0)
        return cannot_find(trial, name, error);
    trial->options.target.driver = trial_note(trial, "%s", path);
    return parse_params(trial, spec, question == NULL ? "" : question + 1);
}

int target_parse(ipcmark_trial *trial)
{
    const ipcmark_target *target = &trial->options.target;
    if ((target->driver == NULL) == (target->agent == NULL))
        return session_fail(trial->session, -EINVAL, "name either a driver or an agent command");
    return target->driver == NULL ? 0 : parse_driver(trial, target->driver);
}

/* One program and its arguments, as far as can be told without being a shell: it does not begin with an assignment, and
 * has no operator outside of quotes. */
static bool is_simple(const char *command)
{
    const char *word = command + strspn(command, " ");
    char quote = '\0';
    if (memchr(word, '=', strcspn(word, " ")) != NULL)
        return false;
    for (; *word != '\0'; ++word)
        if (*word == '\\' && quote != '\'' && word[1] != '\0')
            ++word;
        else if (quote == '\0' && (*word == '\'' || *word == '"'))
            quote = *word;
        else if (*word == quote)
            quote = '\0';
        else if (quote == '\0' && strchr(";&|<>(){}\n", *word) != NULL)
            return false;
    return quote == '\0';
}

/* What the shell is to do, "$0" being the agent's command. It gives way to what it starts: the process that is watched,
 * measured and limited, and in whose surroundings others are started, must be the participant or behind its wrap. */
static const char *agent_command(ipcmark_trial *trial, const char *wrap)
{
    const char *agent = trial->options.target.agent, *command = trial_note(trial, "%s %s", wrap, agent);
    if (strncmp(command + strspn(command, " "), "exec ", 5) == 0)
        return command;
    return is_simple(command) ? trial_note(trial, "exec %s", command)
           : *wrap != '\0'    ? trial_note(trial, "exec %s /bin/sh -c \"$0\"", wrap)
                              : agent;
}

int target_command(ipcmark_trial *trial, const ipcmark_participant_options *options, const char *folder, char ***out)
{
    const ipcmark_target *target = &trial->options.target;
    const char *wrap =
        trial_note(trial, "%s%s%s", options->wrap == NULL ? "" : options->wrap,
                   options->wrap == NULL || target->wrap == NULL ? "" : " ", target->wrap == NULL ? "" : target->wrap);
    const char *list[16] = {NULL};
    char guard[PATH_MAX], agent[PATH_MAX];
    size_t count = 0;
    int error = paths_program("ipcmark-guard", guard, sizeof guard);
    if (error == 0)
        error = paths_program("ipcmark-agent", agent, sizeof agent);
    if (error < 0)
        return session_fail(trial->session, error,
                            "cannot find the suite's own programs; set IPCMARK_EXEC_PATH to the "
                            "directory that holds ipcmark-agent");
    list[count++] = guard;
    list[count++] = "start";
    list[count++] = trial_note(trial, "%d/%" PRIx64, (int)getpid(), trial->session->family.run);
    list[count++] = options->cpus == NULL ? "-" : options->cpus;
    if (target->agent != NULL || *wrap != '\0') {
        list[count++] = "/bin/sh";
        list[count++] = "-c";
        list[count++] =
            target->agent != NULL ? agent_command(trial, wrap) : trial_note(trial, "exec %s \"$0\" \"$@\"", wrap);
    }
    if (target->agent != NULL) {
        list[count++] = target->agent;
    } else {
        list[count++] = agent;
        list[count++] = "--driver";
        list[count++] = target->driver;
    }
    if (target->driver != NULL && folder != NULL) {
        list[count++] = "--folder";
        list[count++] = folder;
    }
    /* posix_spawn does not write to it, though its type says so. */
    *out = (char **)(uintptr_t)trial_note_list(trial, list);
    return *out == NULL ? session_fail(trial->session, -ENOMEM, "out of memory") : 0;
}
