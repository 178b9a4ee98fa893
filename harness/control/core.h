/* What is left of a participant that crashed: where its core is. */
#ifndef CONTROL_CORE_H
#define CONTROL_CORE_H

#include "internal.h"

/* A folder for the participant to work in, so that a core lands there and not where the user is; or NULL. */
const char *core_folder(ipcmark_participant *);
/* After its death: "; its core: …", which is in the trial's folder if it can be, or why there is none; "" if there can
 * be none. A note. */
const char *core_text(ipcmark_participant *);
/* As core_text(), for a core_pattern that does not name a file in the working directory; else NULL. */
const char *core_place(ipcmark_trial *, const char *pattern, int pid);
/* Removes the folder, if there is nothing in it. */
void core_tidy(ipcmark_participant *);

#endif
