/* The plays of PACE that go beyond a backlog. */
#ifndef FULL_H
#define FULL_H

#include "stage.h"

bool full_play_block(stage *);
bool full_play_killed(stage *);
bool full_play_fail(stage *);
bool full_play_drop(stage *);
void full_examine_drop(stage *, const struct ipcmark_history *);
bool full_play_limit(stage *);
void full_examine_limit(stage *, const struct ipcmark_history *);
bool full_play_memory(stage *);

#endif
