/* A badge of what came out: "ipcmark conformance 1 | 52 of 54". */
#ifndef BADGE_H
#define BADGE_H

#include "tally.h"

/* Writes path, an SVG that needs nothing else, and beside it, ending in .json, what shields.io's endpoint badge reads.
 * Of how many clauses the contract has, so that one who ran three cannot show "3 of 3". -errno. */
int badge_write(const char *path, const tally *, effort how_much);

#endif
