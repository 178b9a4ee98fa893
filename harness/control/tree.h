/* tree.h — whole directories: remove, copy, list. Symbolic links are never followed. */
#ifndef CONTROL_TREE_H
#define CONTROL_TREE_H

#include <stddef.h>

int tree_remove(const char *path);               /* with everything below; 0 also if there is nothing */
int tree_move(const char *from, const char *to); /* across file systems too */

/* Calls `found` with the path, relative to `path`, of everything that is not a directory. */
int tree_list(const char *path, void found(void *context, const char *relative), void *context);

#endif
