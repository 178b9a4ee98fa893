#include "cast.h"

#include <stdio.h>
#include <string.h>

/* As a shell command. */
static int find_peer(char *command, size_t command_size)
{
    char path[4096];

    if (ipcmark_program_path("ipcmark-bench-peer", path, sizeof path) < 0 || strchr(path, '\'') != NULL)
        return -1;
    return snprintf(command, command_size, "exec '%s'", path) < (int)command_size ? 0 : -1;
}

ipcmark_participant *cast_start(struct cast *cast, const char *name, int cpu)
{
    char cpus[16];
    ipcmark_participant_options options = {.name = name, .cpus = cpus};
    ipcmark_participant *participant;

    snprintf(cpus, sizeof cpus, "%d", cpu);
    participant = ipcmark_participant_start(cast->trial, &options);
    if (participant == NULL)
        cell_fail(cast->cell, "%s", ipcmark_session_text(cast->bench->session));
    return participant;
}

int cast_open(struct cast *cast, struct bench *bench, struct cell *cell, unsigned subscribers)
{
    char command[4096 + 64];
    ipcmark_trial_options options = {
        .target = {.agent = command}, .name = cell->row->name, .no_journal = true, .no_names = true};

    *cast = (struct cast){.bench = bench, .cell = cell, .steal_ns = bench_steal_ns()};
    if (bench->cpu_b < 0)
        return cell_fail(cell, "two CPUs are needed, and this process may use one only");
    if (bench->floats)
        return cell_fail(cell, "it is of two CPUs; leave --pin none out");
    if (subscribers > CAST_SUBSCRIBERS)
        return cell_fail(cell, "at most %d subscribers", CAST_SUBSCRIBERS);
    if (find_peer(command, sizeof command) < 0)
        return cell_fail(cell, "ipcmark-bench-peer is not found, or its path is too long or has a ' in it");
    if (ipcmark_trial_open(&cast->trial, bench->session, &options) < 0)
        return cell_fail(cell, "%s", ipcmark_session_text(bench->session));
    for (; cast->count < subscribers; ++cast->count) {
        char name[32];
        snprintf(name, sizeof name, "subscriber%u", cast->count + 1);
        if ((cast->subscribers[cast->count] = cast_start(cast, name, bench->cpu_b)) == NULL)
            return -1;
    }
    cast->publisher = cast_start(cast, "publisher", bench->cpu_a);
    return cast->publisher == NULL ? -1 : 0;
}

void cast_close(struct cast *cast)
{
    if (cast->trial == NULL)
        return;
    ipcmark_trial_stop(cast->trial);
    if (ipcmark_trial_troubles(cast->trial) > 0)
        cell_fail(cast->cell, "%s", ipcmark_trial_trouble(cast->trial, 0)->text);
    if (ipcmark_trial_leftovers(cast->trial)[0] != '\0')
        cell_fail(cast->cell, "left behind: %s", ipcmark_trial_leftovers(cast->trial));
    ipcmark_trial_close(cast->trial, NULL);
    cast->trial = NULL;
    bench_steal_since(cast->cell, cast->steal_ns);
}

ipcmark_call *cast_ask(ipcmark_participant *participant, const char *op, cJSON *fields)
{
    return ipcmark_request(participant, op, fields, 0);
}

int cast_await(struct cast *cast, ipcmark_call *call)
{
    if (ipcmark_await(call) == IPCMARK_DONE)
        return 0;
    return cell_fail(cast->cell, "%s", call == NULL ? ipcmark_session_text(cast->bench->session) : call->text);
}

int cast_do(struct cast *cast, ipcmark_participant *participant, const char *op, cJSON *fields)
{
    return cast_await(cast, cast_ask(participant, op, fields));
}

cJSON *cast_add(cJSON *fields, const char *name, double value)
{
    cJSON_AddNumberToObject(fields, name, value);
    return fields;
}

cJSON *cast_number(const char *name, double value)
{
    return cast_add(cJSON_CreateObject(), name, value);
}

cJSON *cast_place(struct cast *cast, const char *name, const char *work)
{
    cJSON *fields = cast_number("size", (double)cast->cell->row->size);

    cJSON_AddStringToObject(fields, "transport", cast->cell->row->driver);
    cJSON_AddStringToObject(fields, "directory", ipcmark_trial_files(cast->trial));
    cJSON_AddStringToObject(fields, "name", name);
    cJSON_AddStringToObject(fields, "work", work);
    return fields;
}
