/* paths.h — where the suite's own programs and drivers are, relative to the running program, installed or not. */
#ifndef CONTROL_PATHS_H
#define CONTROL_PATHS_H

#include <stddef.h>

/* "ipcmark-agent" in the directory of the suite's programs. IPCMARK_EXEC_PATH overrides it. */
int paths_program(const char *name, char *path, size_t size);

/* "mmipc" in the directory of drivers; IPCMARK_DRIVER_PATH overrides it. A name with a slash is a path already. */
int paths_driver(const char *name, char *path, size_t size);

/* The directory of drivers itself. */
int paths_drivers(char *path, size_t size);

#endif
