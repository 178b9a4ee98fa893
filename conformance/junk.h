/* What lies about in a directory that others use, too: strewn there, looked after, cleared away. */
#ifndef JUNK_H
#define JUNK_H

#include "stage.h"

#include <sys/stat.h>

enum { JUNK_KINDS = 16, JUNK_FILES = 160, JUNK_SAMPLES = 8, JUNK_SAMPLE_BYTES = 4096 };

/* A file of the implementation's own, as it was while its participant lived. */
typedef struct junk_sample {
    char name[256];
    mode_t type; /* S_IFREG, … */
    size_t size; /* of the contents that are kept */
    char contents[JUNK_SAMPLE_BYTES];
} junk_sample;

typedef struct junk_file {
    char *path;
    const char *kind; /* for people: "a FIFO" */
    bool foreign;     /* no name that the implementation would give: it may not go away or change */
    struct stat status;
    uint64_t digest; /* of what a regular file begins with */
} junk_file;

typedef struct junk {
    stage *stage;
    char directory[4096], outside[4096]; /* outside: where links point to */
    unsigned user;                       /* whose it is, mostly; 0: that of the suite */
    junk_sample *samples;
    size_t sample_count;
    junk_file files[JUNK_FILES];
    size_t count;
} junk;

/* user: that of the participants, as in struct ordinary. False: an error of the harness, which is in the history. */
bool junk_open(junk *, stage *, const char *directory, unsigned user);
/* Learns names and contents from what is there now. False: nothing is there, of one that claims to put files there. */
bool junk_learn(junk *);
/* Puts one thing of this kind (0 to JUNK_KINDS - 1) there: under a name of its own, and under one like those that were
 * learnt. Those of which nothing was learnt are none. */
bool junk_strew(junk *, unsigned kind);
/* Objects to what is no longer as it was, and belongs to others. */
bool junk_check(junk *, const char *when);
/* Takes everything away again; to be called in any case, or what is left is blamed on the implementation. */
void junk_close(junk *);

#endif
