#include "outlet.c" // NOLINT

#include "reach.h"

void reach_found(struct endpoint *endpoint, const unsigned char *id)
{
    found(endpoint, id);
}
