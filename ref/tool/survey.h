/* What there is in a directory: its slot files, and what their owners answer. */
#ifndef MMIPC_SURVEY_H
#define MMIPC_SURVEY_H

#include "slot.h"
#include "status.h"

enum entry_state {
    ENTRY_STALE,     /* its owner is dead */
    ENTRY_SUSPENDED, /* its owner lives, and does not answer */
    ENTRY_LIVE
};

struct entry {
    unsigned char id[ID_BYTES];
    enum entry_state state;
    const char *role;
    char channel[CHANNEL_MAX + 1];
    int pid;               /* of the socket's owner, else as the file has it; 0: unknown */
    const char *note;      /* why there is no answer; NULL */
    struct status *status; /* the answer; NULL: none */
    bool counted;          /* the next two are known, from its answer or from its peers' */
    size_t pairs;
    uint64_t unread;
    double message_rate, byte_rate; /* a second; negative: unknown */
};

struct unreadable {
    char name[SLOT_NAME_BYTES];
    int error; /* -errno */
};

struct survey {
    struct entry *entries; /* by channel, role, id */
    size_t count, capacity;
    char (*strangers)[SLOT_NAME_BYTES]; /* named like slot files of ours, and not ours */
    size_t stranger_count, stranger_capacity;
    struct unreadable *unreadable; /* may be slot files, or not */
    size_t unreadable_count, unreadable_capacity;
    char (*orphans)[SLOT_NAME_BYTES]; /* sockets without a slot file */
    size_t orphan_count, orphan_capacity;
};

int survey_take(struct survey *survey, int directory, int timeout_ms); /* -EINTR: a signal */
void survey_compare(struct survey *now, const struct survey *before);  /* fills in the rates */
void survey_free(struct survey *survey);
int survey_open(const char *path); /* the directory; it is not made */

/* Of an error of slot_look: it is no slot file (or else this could not be found out), and the error for people. */
bool survey_is_stranger(int error);
const char *survey_reason(int error);

/* ask.c */
int ask_all(struct survey *survey, int directory, int timeout_ms);

/* Calls slot() for each name that is a slot file's, socket() for each that is a slot's socket; they return 0 or -errno.
 */
int survey_names(int directory, int (*slot)(void *user, const unsigned char *id, const char *name),
                 int (*socket)(void *user, const unsigned char *id, const char *name), void *user);

#endif
