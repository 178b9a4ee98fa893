#include "transport.h"

#include <errno.h>
#include <stdio.h>

int place_path(char *path, size_t path_size, const struct place *place)
{
    int length = snprintf(path, path_size, "%s/%s", place->directory, place->name);
    return length < 0 || (size_t)length >= path_size ? -ENAMETOOLONG : 0;
}
