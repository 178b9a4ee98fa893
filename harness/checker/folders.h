/* The folders of recorded runs below another one. */
#ifndef IPCMARK_FOLDERS_H
#define IPCMARK_FOLDERS_H

#include <stddef.h>

struct folders {
    char **paths; /* in the order of their names, numbers in them by their value */
    size_t count;
};

/* Whether a run was recorded in this very folder. */
int folders_is_run(const char *folder);

/* 0, or -errno of the folder itself: of those below, what cannot be read is passed over. Free in any case. */
int folders_find(struct folders *out, const char *folder);
void folders_free(struct folders *folders);

#endif
