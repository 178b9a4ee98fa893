#include "clearance.h"

#include <dirent.h>

enum { CLEARED_MS = 3000, LOOK_MS = 20 };

int clearance_count(const ipcmark_trial *trial)
{
    DIR *directory = opendir(ipcmark_trial_files(trial));
    const struct dirent *entry;
    int count = 0;

    if (directory == NULL)
        return -1;
    while ((entry = readdir(directory)) != NULL)
        count += entry->d_name[0] != '.';
    closedir(directory);
    return count;
}

void clearance_await(ipcmark_trial *trial, int most)
{
    for (int waited_ms = 0; waited_ms < CLEARED_MS && clearance_count(trial) > most; waited_ms += LOOK_MS)
        if (!ipcmark_wait(trial, LOOK_MS))
            return;
}
