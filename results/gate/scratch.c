#include "scratch.h"

#include "../command/command.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Beside FILE.jsonl, FILE-WHAT.jsonl. */
static void name_beside(char *out, size_t size, const char *file, const char *what)
{
    const size_t length = strlen(file);
    const bool ends = length > 6 && strcmp(file + length - 6, ".jsonl") == 0;
    snprintf(out, size, "%.*s-%s.jsonl", (int)(length - (ends ? 6 : 0)), file, what);
}

int scratch_open(struct scratch *scratch, const char *output)
{
    const char *temporary = getenv("TMPDIR");

    snprintf(scratch->folder, sizeof scratch->folder, "%s/ipcmark-gate.XXXXXX",
             temporary && *temporary ? temporary : "/tmp");
    if (mkdtemp(scratch->folder) == NULL)
        return command_error("gate", scratch->folder, -errno);
    snprintf(scratch->said, sizeof scratch->said, "%s/said", scratch->folder);
    for (int i = 0; i < 2; ++i)
        snprintf(scratch->others[i], sizeof scratch->others[i], "%s/others-%d.jsonl", scratch->folder, i);
    if (output == NULL) {
        snprintf(scratch->first, sizeof scratch->first, "%s/first.jsonl", scratch->folder);
        snprintf(scratch->again, sizeof scratch->again, "%s/again.jsonl", scratch->folder);
        snprintf(scratch->second, sizeof scratch->second, "%s/fresh.jsonl", scratch->folder);
        return 0;
    }
    snprintf(scratch->first, sizeof scratch->first, "%s", output);
    name_beside(scratch->again, sizeof scratch->again, output, "again");
    name_beside(scratch->second, sizeof scratch->second, output, "fresh");
    return 0;
}

void scratch_close(struct scratch *scratch, const char *output)
{
    unlink(scratch->said);
    unlink(scratch->others[0]);
    unlink(scratch->others[1]);
    if (output == NULL) {
        unlink(scratch->first);
        unlink(scratch->again);
        unlink(scratch->second);
    }
    rmdir(scratch->folder);
}
