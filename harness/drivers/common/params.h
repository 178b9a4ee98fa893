/* What NAME?key=value&key=value gave a driver. */
#ifndef COMMON_PARAMS_H
#define COMMON_PARAMS_H

#include "ipcmark/driver.h"

/* The value of `key`, valid as long as the options are; `otherwise` if it was not given. */
const char *param_find(const ipcmark_endpoint *options, const char *key, const char *otherwise);

/* -EINVAL: it is no whole number from `least` to `most`. */
int param_number(const ipcmark_endpoint *options, const char *key, long least, long most, long *value);

#endif
