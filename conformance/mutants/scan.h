/* For mutants that look at what lies in the directory. */
#ifndef SCAN_H
#define SCAN_H

#include <dirent.h>
#include <stdbool.h>
#include <string.h>

typedef void scan_fn(int directory, const char *name);

/* Each entry; of a directory that cannot be read, none. */
static inline void scan(const char *path, scan_fn *found)
{
    DIR *entries = opendir(path);
    const struct dirent *entry;
    while (entries != NULL && (entry = readdir(entries)) != NULL)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            found(dirfd(entries), entry->d_name);
    if (entries != NULL)
        closedir(entries);
}

#endif
