#include "control.c" // NOLINT

#include "reach.h"

void reach_control_tick(struct endpoint *endpoint, int64_t now_ns)
{
    tick(endpoint, now_ns, false);
}

void reach_control_sweep(struct endpoint *endpoint, int64_t now_ns)
{
    sweep(endpoint, now_ns);
}

void reach_control_end(struct endpoint *endpoint)
{
    flag_set(&endpoint->closing, 1);
    for (struct peer *peer = endpoint->peers; peer != NULL; peer = peer->next)
        peer_drop(endpoint, peer, MMIPC_REASON_CLOSED, WIRE_CLOSED);
}
