/* What was read is text: within reader/. */
#ifndef RESULTS_CLEAN_H
#define RESULTS_CLEAN_H

#include <cjson/cJSON.h>

/* results_clean: in all names and strings, bytes that are not UTF-8, and characters that XML has no way to write,
 * become '?'. */
void results_clean(cJSON *json);

#endif
