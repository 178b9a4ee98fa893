/* The meeting place: files in a directory that two processes share, each owned by a process that holds a kernel lock.
 *
 * A file is made under a name that was never used before, locked (flock) before it is shown, and stays locked for as
 * long as its owner has it open: the lock, not the file, says that the owner lives, and a kill releases it. Whoever
 * finds an unlocked file of this driver removes it. Because names are never used twice, removing by name cannot hit
 * another's file; because the creator looks again after locking, a cleaner that was faster only makes it choose another
 * name.
 *
 * Names are DRIVER-HEX[-HEX…].KIND; everything else in the directory belongs to other people and is left alone.
 */
#ifndef COMMON_DIRECTORY_H
#define COMMON_DIRECTORY_H

#include <stdbool.h>
#include <sys/types.h>

enum { DIRECTORY_NAME = 128, IDENTITY_TEXT = 17 };

struct directory {
    int fd;
    const char *driver;                   /* first word of every name */
    mode_t type;                          /* S_IFREG or S_IFIFO: what this driver's files are */
    void (*stale)(void *context, int fd); /* or NULL: called before the file of a dead owner is removed */
    void *context;
};

typedef void directory_visit_fn(void *context, const char *name);

int directory_open(struct directory *out, const char *path, const char *driver, mode_t type);
void directory_close(struct directory *directory); /* sweeps, so that the last to leave leaves nothing */

/* Makes DRIVER-[STEM-]HEX.KIND, opens it with flags and locks it. Returns the descriptor; name is DIRECTORY_NAME bytes.
 */
int directory_create(const struct directory *directory, const char *stem, const char *kind, int flags, char *name);

/* Renames a file to its stem plus kind; name is updated. */
int directory_rename(const struct directory *directory, char *name, const char *kind);
void directory_remove(const struct directory *directory, const char *name);

/* Opens a file whose owner lives. -ENOENT: it is gone, or was stale and has been removed; -EINVAL: not such a file. */
int directory_open_live(const struct directory *directory, const char *name, int flags);

/* Calls visit for each name that starts with DRIVER-STEM- and ends with .KIND. -errno: the directory cannot be read. */
int directory_scan(const struct directory *directory, const char *stem, const char *kind, directory_visit_fn *visit,
                   void *context);
void directory_sweep(const struct directory *directory); /* removes what the dead left */

/* An inotify descriptor that is readable when a file was renamed in or, if so asked, removed; or -errno: then only the
 * slow scans find it. */
int directory_watch(const struct directory *directory, bool removals);

void identity_make(char text[IDENTITY_TEXT]); /* 16 random hex digits */
const char *identity_process(void);           /* the same for the life of this process */

#endif
