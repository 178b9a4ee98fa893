#include "deliver.c" // NOLINT

#include "reach.h"

int reach_serve(struct mmipc_subscriber *subscriber)
{
    int delivered = 0;
    receive_adopt(subscriber);
    for (size_t i = 0; i < subscriber->inlet_count; ++i)
        delivered += serve(subscriber, subscriber->inlets[i]);
    return delivered;
}
