/* Figures as they are read: "12.3 µs", "2.00 k", "5.86". */
#ifndef RUN_UNITS_H
#define RUN_UNITS_H

#include <stddef.h>

enum { UNITS_BYTES = 32 };

void units_time(char text[UNITS_BYTES], double ns);       /* NaN: "–" */
void units_rate(char text[UNITS_BYTES], double a_second); /* thousands are k, millions M */
void units_mib(char text[UNITS_BYTES], double bytes);     /* of MiB, without the unit */
void units_size(char text[UNITS_BYTES], size_t bytes);    /* "4 KiB"; "4100 B" where it would not be exact */
/* With blanks before it, so that it takes so many columns of a terminal. */
void units_pad(const char *text, int columns, char *out, size_t size);

#endif
