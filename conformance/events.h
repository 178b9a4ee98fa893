/* What CON-005 looks for in what everyone wrote down about its peers. */
#ifndef EVENTS_H
#define EVENTS_H

#include "stage.h"

/* Reports may come on a thread that runs late: gives publisher 2 and subscriber 2 the time to be told of all that
 * events_examine() looks for. False: interrupted. */
bool events_await(stage *);
/* Objects to connects and disconnects that do not take turns, and to those of publisher 2 and subscriber 2, who stayed
 * all the time, if they are not four and two. */
void events_examine(stage *, const struct ipcmark_history *);

#endif
