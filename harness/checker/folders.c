#include "folders.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* `--keep results` has them three below it; what is much deeper was not put there by us. */
enum { DEPTH_MAXIMUM = 6 };

static char *path_join(const char *folder, const char *name)
{
    char *path;
    return asprintf(&path, "%s/%s", folder, name) < 0 ? NULL : path;
}

int folders_is_run(const char *folder)
{
    char *path = path_join(folder, "history.jsonl");
    const int is = path != NULL && access(path, F_OK) == 0;
    free(path);
    return is;
}

static int add(struct folders *out, char *path)
{
    char **grown = realloc(out->paths, (out->count + 1) * sizeof *grown);
    if (grown == NULL)
        return -ENOMEM;
    out->paths = grown;
    out->paths[out->count++] = path;
    return 0;
}

static int is_name(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

/* No links: one that leads upwards would lead round in circles. */
static int is_folder(const char *path)
{
    struct stat status;
    return lstat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

static int find(struct folders *out, const char *folder, int depth)
{
    struct dirent **names;
    int error = 0, count = scandir(folder, &names, is_name, versionsort);
    if (count < 0)
        return depth == 0 || errno == ENOMEM ? -errno : 0;
    for (int i = 0; i < count; ++i) {
        char *path = error == 0 ? path_join(folder, names[i]->d_name) : NULL;
        if (error == 0 && path == NULL)
            error = -ENOMEM;
        if (path != NULL && is_folder(path)) {
            if (folders_is_run(path) && (error = add(out, path)) == 0)
                path = NULL;
            else if (error == 0 && depth < DEPTH_MAXIMUM)
                error = find(out, path, depth + 1);
        }
        free(path);
        free(names[i]);
    }
    free(names);
    return error;
}

int folders_find(struct folders *out, const char *folder)
{
    *out = (struct folders){NULL, 0};
    return find(out, folder, 0);
}

void folders_free(struct folders *folders)
{
    for (size_t i = 0; i < folders->count; ++i)
        free(folders->paths[i]);
    free(folders->paths);
}
