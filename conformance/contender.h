/* The implementations under test: who they are, and whether they can be talked to at all. */
#ifndef CONTENDER_H
#define CONTENDER_H

#include "ipcmark/control.h"

typedef struct contender {
    const ipcmark_target *target;
    ipcmark_implementation implementation; /* as it said; all zero if it could not be met */
    char name[256];                        /* as given, without folders; unlike that of any other */
    char *trouble;                         /* why it could not be met, in words, or NULL */
    bool missing;                          /* there is no such thing: a slip of whoever typed its name */
} contender;

/* Says hello to each, in an array of so many. One that cannot be met has `trouble`. -EINTR when interrupted. */
int contenders_meet(contender *, ipcmark_session *, const ipcmark_target *targets, size_t count);
void contenders_clear(contender *, size_t count);

#endif
