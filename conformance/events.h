/* What CON-005 looks for in what everyone wrote down about its peers. */
#ifndef EVENTS_H
#define EVENTS_H

#include "stage.h"

/* Objects to connects and disconnects that do not take turns, and to those of publisher 2 and subscriber 2, who stayed
 * all the time, if they are not four and two. */
void events_examine(stage *, const struct ipcmark_history *);

#endif
