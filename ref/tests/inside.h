/* How many calls are inside a handle: what is to be woken must have begun, and only the library knows. */
#ifndef INSIDE_H
#define INSIDE_H

#include "publisher.h"

static inline int users_of(struct endpoint *endpoint)
{
    int users;
    pthread_mutex_lock(&endpoint->lock);
    users = endpoint->users;
    pthread_mutex_unlock(&endpoint->lock);
    return users;
}

static inline int callers_inside(mmipc_publisher *publisher)
{
    return users_of(&publisher->endpoint);
}

#endif
