/* What is text, and what is not. */
#ifndef RESULTS_CLEAN_H
#define RESULTS_CLEAN_H

#include <cjson/cJSON.h>
#include <stddef.h>

/* results_character: how many bytes the character at `text` has: UTF-8 in its shortest form, that XML can write; of
 * control characters newline and tab. 0: there is none. */
size_t results_character(const char *text);

/* results_clean: in all names and strings, each byte that is of no such character becomes '?'. */
void results_clean(cJSON *json);

#endif
