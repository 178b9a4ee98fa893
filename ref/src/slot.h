/* Slot files: how an endpoint advertises itself in the directory, and how the dead are told from the living.
 *
 * mmipc-<32 hex>.json names and describes an endpoint; its owner holds a kernel lock on it for as long as it lives, so
 * a lock that can be had means a dead owner. mmipc-<32 hex>.sock beside it is where the owner listens. */
#ifndef MMIPC_SLOT_H
#define MMIPC_SLOT_H

#include <stdbool.h>
#include <stddef.h>

enum { ID_BYTES = 16, SLOT_NAME_BYTES = 6 + 2 * ID_BYTES + 5 + 1, CHANNEL_MAX = 255 };

struct slot {
    int directory; /* borrowed */
    int fd;        /* holds the lock; -1: none */
    unsigned char id[ID_BYTES];
    const char *role, *channel; /* borrowed; role: "publisher" or "subscriber" */
};

/* The file appears, complete and locked, in state "starting"; with ready() its state becomes "waiting". */
int slot_create(struct slot *slot, int directory, const char *role, const unsigned char *id, const char *channel,
                bool for_all); /* for_all: other users may read it */
int slot_ready(struct slot *slot);
void slot_remove(struct slot *slot);

void slot_json_name(const unsigned char *id, char name[SLOT_NAME_BYTES]);
void slot_socket_name(const unsigned char *id, char name[SLOT_NAME_BYTES]);

/* Is this a name that the library gives? Then its id, and whether it is the socket's. */
bool slot_parse_name(const char *name, unsigned char *id, bool *is_socket);

/* A slot file with our magic in it, as somebody wrote it: untrusted. */
struct slot_view {
    int fd;      /* while it is open, a slot whose owner is dead is locked by us */
    bool living; /* its owner */
    bool whole;  /* the rest makes sense … */
    bool publishes, waiting;
    char channel[CHANNEL_MAX + 1];
    int pid; /* what its owner called itself; 0: nothing */
};
int slot_look(int directory, const unsigned char *id, struct slot_view *out); /* -EPROTO, -EINVAL: not ours; -ENOENT */
int slot_reclaim(int directory, const unsigned char *id, const struct slot_view *view); /* -EBUSY: its owner lives */
void slot_look_away(struct slot_view *view);

/* Is it that of a slot file? */
bool slot_is_name(const char *name);

/* What a slot file that others wrote turns out to be. */
enum slot_finding {
    SLOT_UNUSABLE,   /* not ours, not readable, garbage: never touched */
    SLOT_UNKNOWN,    /* we have no descriptors or no memory to look at it */
    SLOT_RECLAIMED,  /* its owner is dead: removed */
    SLOT_STARTING,   /* look again when it changes */
    SLOT_PUBLISHER,  /* of this channel or another */
    SLOT_OTHER,      /* a subscriber of another channel */
    SLOT_SUBSCRIBER, /* of this channel, waiting for publishers */
};
enum slot_finding slot_examine(int directory, const unsigned char *id, const char *channel);

/* The socket of an owner that did not live to remove it. 1: removed; 0: there was none. */
bool slot_is_orphan_socket(int directory, const unsigned char *id);
int slot_remove_orphan_socket(int directory, const unsigned char *id);

#endif
