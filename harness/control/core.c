#include "core.h"

#include "tree.h"

#include <dirent.h>
#include <elf.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

const char *core_folder(ipcmark_participant *participant)
{
    ipcmark_trial *trial = participant->trial;
    /* Another's command may name files by relative paths: it stays where we are. Benchmarks keep no evidence. */
    if (trial->options.target.driver == NULL || !participant->journal)
        return NULL;
    const char *parent = trial_note(trial, "%s/work", trial->directory);
    const char *folder = trial_note(trial, "%s/%u", parent, participant->number);
    mkdir(parent, 0777);
    return mkdir(folder, 0777) == 0 && (trial->user == 0 || chown(folder, trial->user, trial->user) == 0) ? folder
                                                                                                          : NULL;
}

/* A program that happens to lie in the folder is ELF, too. */
static bool is_core(int folder, const char *name)
{
    Elf64_Ehdr header; /* where the type lies is the same in both sizes */
    int file = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    bool is = file >= 0 && read(file, &header, sizeof header) == (ssize_t)sizeof header &&
              memcmp(header.e_ident, ELFMAG, SELFMAG) == 0 && header.e_type == ET_CORE;
    if (file >= 0)
        close(file);
    return is;
}

/* Moves it from where the participant worked to where whoever looks for it finds it. */
static const char *collect(ipcmark_participant *participant)
{
    ipcmark_trial *trial = participant->trial;
    const char *text = "; its core is not in the folder where it worked", *name = NULL;
    DIR *folder = opendir(participant->folder);
    if (folder == NULL)
        return text;
    for (struct dirent *entry; name == NULL && (entry = readdir(folder)) != NULL;)
        if (is_core(dirfd(folder), entry->d_name))
            name = trial_note(trial, "%s/%s", participant->folder, entry->d_name);
    closedir(folder);
    if (name == NULL)
        return text;
    if (trial->cores == MAX_CORES) {
        unlink(name);
        return trial_note(trial, "; its core was removed: %d of a trial are enough", MAX_CORES);
    }
    ++trial->cores;
    const char *kept = trial_note(trial, "%u-%s.core", participant->number, participant->name);
    return rename(name, trial_note(trial, "%s/%s", trial->directory, kept)) < 0
               ? text
               : trial_note(trial, "; its core: %s", kept);
}

const char *core_place(ipcmark_trial *trial, const char *pattern, int pid)
{
    if (pattern[0] == '|' && strstr(pattern, "systemd-coredump") != NULL)
        return trial_note(trial, "; `coredumpctl info %d` shows its core", pid);
    if (pattern[0] == '|')
        return trial_note(trial, "; its core went to a program, says /proc/sys/kernel/core_pattern: %s", pattern);
    if (strchr(pattern, '/') != NULL)
        return trial_note(trial, "; its core is where /proc/sys/kernel/core_pattern says: %s", pattern);
    return NULL;
}

static void read_pattern(char *pattern, size_t size)
{
    FILE *file = fopen("/proc/sys/kernel/core_pattern", "re");
    if (file == NULL || fgets(pattern, (int)size, file) == NULL)
        snprintf(pattern, size, "core");
    pattern[strcspn(pattern, "\n")] = '\0';
    if (file != NULL)
        fclose(file);
}

const char *core_text(ipcmark_participant *participant)
{
    ipcmark_trial *trial = participant->trial;
    char pattern[256];
    struct rlimit limit;
    if (!WIFSIGNALED(participant->status) || WTERMSIG(participant->status) == SIGKILL)
        return "";
    if (!participant->dumped)
        return getrlimit(RLIMIT_CORE, &limit) == 0 && limit.rlim_max == 0 ? "; no core was written: `ulimit -Hc` is 0"
               : participant->folder == NULL                              ? "; no core was written: see `ulimit -c`"
                                                                          : "; no core was written";
    read_pattern(pattern, sizeof pattern);
    const char *place = core_place(trial, pattern, participant->pid);
    if (place != NULL)
        return place;
    return participant->folder == NULL ? "; its core is in the folder where it ran" : collect(participant);
}

void core_tidy(ipcmark_participant *participant)
{
    if (participant->folder != NULL)
        rmdir(participant->folder); /* what it left there itself is evidence */
}
