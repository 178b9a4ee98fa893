/* A driver as two files that are built alike, as those of two commits are. */
#ifndef GATE_COPIES_H
#define GATE_COPIES_H

#include <limits.h>

struct copies {
    char folder[PATH_MAX], candidate[PATH_MAX + 16], base[PATH_MAX + 16];
};

/* In a folder of their own. 0, or the exit code, everything said; then nothing is left. */
int copies_make(struct copies *out, const char *driver);
void copies_remove(const struct copies *copies);

#endif
