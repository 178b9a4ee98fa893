/* The handshake of a pair, over a local socket that keeps message boundaries.
 *
 *   publisher                           subscriber
 *   HELLO  -------------------------->  wants the pair?
 *   makes the ring  <-------- ACCEPT
 *   RING  page, ring, room event  --->  checks, maps
 *   checks, maps  <--------- WELCOME    page, wake event
 *   puts the pair on its list
 *   START  -------------------------->  the pair is connected on both sides
 *   NEXT   another ring  ------------>  before a record of RECORD_NEXT leads to it
 *   PAYLOAD  a payload file  -------->  before a record refers to it
 *   BYE    <------------ either ----->  the end of an orderly pair; a subscriber hangs up when it is through
 *
 * A subscriber that does not want the pair answers REJECT with a reason instead of ACCEPT.
 *
 * Each side gives up after two ping intervals; but not the subscriber once it has sent WELCOME: the publisher may have
 * put the pair on its list and published, and may be stopped before START. Only its hang-up ends the pair then.
 *
 * No limits are told: how much is unread is the publisher's own business, and how much a subscriber maps it decides
 * when it is sent more (follow.c), whatever a publisher would have promised. */
#ifndef MMIPC_WIRE_H
#define MMIPC_WIRE_H

#include "slot.h"

#include <stdbool.h>
#include <stdint.h>

enum { WIRE_MAGIC = 0x4350494d, WIRE_VERSION = 1 };
enum wire_type {
    WIRE_HELLO = 1,
    WIRE_WELCOME,
    WIRE_REJECT,
    WIRE_START,
    WIRE_BYE,
    WIRE_ACCEPT,
    WIRE_RING,
    WIRE_STATUS, /* see status.h */
    WIRE_NEXT,
    WIRE_PAYLOAD
};
enum wire_reason {
    WIRE_CLOSED = 1,
    WIRE_FULL,
    WIRE_PROTOCOL,
    WIRE_BUSY,
    WIRE_CHANNEL,
    WIRE_USER,
    WIRE_SELF,
    WIRE_VERSION_DIFFERS
};
/* capabilities; for the first two see os_barrier_register, os_barrier_heavy */
enum { WIRE_CAN_BE_FENCED = 1u, WIRE_CAN_FENCE = 2u, WIRE_DELIVERS = 4u /* a subscriber in callback mode */ };

/* One struct for all types; what a type does not use is zero. magic, version and type keep their place for ever. */
struct wire_message {
    uint32_t magic;
    uint16_t version;
    uint16_t type;
    uint32_t fingerprint;
    uint32_t capabilities;
    uint32_t ping_interval_ms;
    uint32_t reason;
    uint64_t bytes; /* of the ring or the payload file */
    uint64_t name;  /* of the payload file; key of the ring */
    unsigned char publisher[ID_BYTES];
    unsigned char subscriber[ID_BYTES];
    char channel[CHANNEL_MAX + 1];
};
_Static_assert(sizeof(struct wire_message) == 328, "the same for every compiler");

void wire_prepare(struct wire_message *message, enum wire_type type);
int wire_send(int fd, const struct wire_message *message, const int *fds, int fd_count);

bool wire_same_version(const struct wire_message *message); /* and the same memory layout */

/* 1: a message, of the magic but perhaps of another version. 0: hung up. -EAGAIN: nothing now. -ENOMEM:
 * it cannot be told now, look again. -EPROTO: not ours. -EMFILE: there was no room for its descriptors. The descriptors
 * are the caller's; fds has room for OS_FDS_MAX. */
int wire_receive(int fd, struct wire_message *message, int *fds, int *fd_count);

const char *wire_reason_text(uint32_t reason);

#endif
