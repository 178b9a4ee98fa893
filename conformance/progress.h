/* What runs now, since when, and how long the rest will take: on a terminal; nothing in a pipe. */
#ifndef PROGRESS_H
#define PROGRESS_H

#include <stdbool.h>
#include <stddef.h>

/* A line that replaces the one before, cut to the terminal's width. format NULL: wipes it away. */
void progress_show(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Shows `head  N s  tail`, once a second, until progress_end() wipes it away: whoever waits sees that something moves.
 * Both are copied. Nothing else may be shown, and no other one be begun, before. */
void progress_begin(const char *head, const char *tail);
void progress_end(void);

/* Cases of one kind: one clause on one implementation. */
typedef struct progress_kind {
    double usual;    /* seconds that one takes, as a rule */
    double measured; /* seconds that those took which have ended */
    unsigned planned, ended;
} progress_kind;

/* Seconds that the rest will take: by what was measured of each kind; where nothing was, by its rule, and by how the
 * other kinds compared with theirs. */
double progress_left(const progress_kind *, size_t count);
/* "about 3 min left", or "" when nothing worth the words is. Returns text. */
const char *progress_text(double seconds, char *text, size_t size);

#endif
