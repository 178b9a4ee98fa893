/* The plays of KILL that are about something else than a storm of traffic. */
#ifndef DEATHS_H
#define DEATHS_H

#include "stage.h"

bool play_killed_inside(stage *); /* inside.c: KILL-005 */
void examine_killed_inside(stage *, const struct ipcmark_history *);
bool play_hundreds_die(stage *);                                         /* deaths.c: KILL-006 */
bool play_deaths_hold_up_nobody(stage *);                                /* KILL-007 */
bool play_killed_while_stopped(stage *);                                 /* KILL-008 */
void examine_those_who_live_on(stage *, const struct ipcmark_history *); /* KILL-007, KILL-008 */

#endif
