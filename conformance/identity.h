/* Which build of an implementation is under test: what it says of its name and version does not tell two builds apart.
 */
#ifndef IDENTITY_H
#define IDENTITY_H

#include "ipcmark/control.h"

enum { IDENTITY_SIZE = 9 };

/* CRC-32 in hex of the driver's file; of an agent, of its command and of the files that are named in it. "" if there is
 * nothing to be read. Libraries that these load are not looked at. */
void identity_take(char out[IDENTITY_SIZE], const ipcmark_target *);

#endif
