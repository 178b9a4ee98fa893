/* What an endpoint tells whoever asks: what it has counted, and its pairs. `mmipc ls` asks.
 *
 *   asker                               endpoint
 *   connects to the slot's socket
 *   STATUS  ------------------------->
 *           <------------------------- STATUS  one message: the struct below and its pairs; then it hangs up
 *
 * A subscriber hears HELLO and STATUS on one socket, so it waits for the first word, as long as for any handshake. A
 * publisher hears nothing else on its own, so it answers at once. Asking changes nothing; the one answer is sent
 * without waiting, and what the asker's socket does not take is not said. */
#ifndef MMIPC_STATUS_H
#define MMIPC_STATUS_H

#include "wire.h"

#include <stdint.h>

enum { STATUS_VERSION = 1, STATUS_PAIRS_MAX = 1024 };
enum status_state { STATUS_CONNECTED = 1, STATUS_SUSPENDED };

struct status_pair {
    unsigned char id[ID_BYTES]; /* of the other endpoint */
    int32_t pid;                /* as the endpoint sees it; 0: it cannot */
    uint32_t state;
    uint64_t unread; /* bytes, framing included; the publisher knows it, a subscriber says 0 */
};
_Static_assert(sizeof(struct status_pair) == 32, "the same for every compiler");

/* The first three members are those of a wire_message. */
struct status {
    uint32_t magic;
    uint16_t version;
    uint16_t type; /* WIRE_STATUS */
    uint32_t status_version;
    uint32_t ping_interval_ms;
    unsigned char id[ID_BYTES];
    uint64_t time_ns;     /* monotonic; rates are differences of two answers */
    uint64_t messages;    /* published or received since it was opened … */
    uint64_t bytes;       /* … and the bytes of their bodies */
    uint32_t connections; /* suspended ones not counted */
    uint32_t pair_count;  /* those that follow: the first STATUS_PAIRS_MAX of … */
    uint32_t pair_total;  /* … so many */
    uint32_t zero;
    struct status_pair pairs[];
};
_Static_assert(sizeof(struct status) == 72, "the same for every compiler");

struct endpoint;
struct peer;

/* All on the control thread. */
void status_answer(struct endpoint *endpoint, int fd); /* to a caller that was let in */
void status_accept(struct endpoint *endpoint, int fd); /* a caller that can want nothing else; takes fd */

/* For the roles' describe(). */
void status_add_pair(struct status *status, const struct peer *peer, uint64_t unread);

#endif
