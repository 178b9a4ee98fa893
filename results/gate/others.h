/* What fifo and tcp do, for the reader's orientation. */
#ifndef GATE_OTHERS_H
#define GATE_OTHERS_H

#include <stddef.h>

/* In words, from two files that gate_measure_others() wrote; nothing, if one is not there. */
void others_say(char *out, size_t size, const char *before, const char *after);

#endif
