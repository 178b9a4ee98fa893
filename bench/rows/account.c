#include "account.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { FILES = 4096 };

double account_cpu_ns(const ipcmark_participant *participant)
{
    struct timespec used;
    clockid_t clock;

    if (clock_getcpuclockid(ipcmark_participant_pid(participant), &clock) != 0 || clock_gettime(clock, &used) != 0)
        return NAN;
    return (double)used.tv_sec * 1e9 + (double)used.tv_nsec;
}

/* Each with what the process that saw most of it saw. */
struct files {
    size_t count;
    struct {
        char name[64];
        double bytes;
    } list[FILES];
};

static int add_file(struct files *files, const char *name, double bytes)
{
    size_t i = 0;

    while (i < files->count && strcmp(files->list[i].name, name) != 0)
        ++i;
    if (i == FILES)
        return -1;
    if (i == files->count)
        files->list[files->count++].bytes = 0;
    snprintf(files->list[i].name, sizeof files->list[i].name, "%s", name);
    files->list[i].bytes = fmax(files->list[i].bytes, bytes);
    return 0;
}

static int add_files(struct files *files, const cJSON *shared)
{
    const cJSON *file;

    cJSON_ArrayForEach(file, shared)
    {
        if (add_file(files, cJSON_GetStringValue(cJSON_GetArrayItem(file, 0)),
                     cJSON_GetNumberValue(cJSON_GetArrayItem(file, 1))) < 0)
            return -1;
    }
    return 0;
}

int account_holding(struct cell *cell, ipcmark_participant *const *participants, size_t count, struct holding *out)
{
    static struct files files;
    struct holding holding = {0};

    files.count = 0;
    for (size_t i = 0; i < count; ++i) {
        ipcmark_call *call = ipcmark_footprint_of(participants[i]);
        if (ipcmark_await(call) != IPCMARK_DONE)
            return cell_fail(cell, "what a process holds is not known: %s",
                             call == NULL ? "out of memory" : call->text);
        holding.bytes += ipcmark_reply_number(call, "private_bytes", NAN);
        holding.descriptors += ipcmark_reply_number(call, "descriptors", NAN);
        if (add_files(&files, cJSON_GetObjectItem(call->reply, "shared")) < 0)
            return cell_fail(cell, "the processes share more than %d files", FILES);
    }
    for (size_t i = 0; i < files.count; ++i)
        holding.bytes += files.list[i].bytes;
    if (!isfinite(holding.bytes) || !isfinite(holding.descriptors))
        return cell_fail(cell, "a process did not say what it holds");
    *out = holding;
    return 0;
}
