#include "peers.h"

#include "paths.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* "NAME built" or "NAME missing PACKAGES…" a line. One that is there all the same, of an earlier build or put there by
 * hand, is not missing. */
void peers_missing(peers_visit_fn *visit, void *context)
{
    char directory[PATH_MAX], path[PATH_MAX + 32], line[PEERS_NAME + PEERS_PACKAGES], name[PEERS_NAME];
    if (paths_drivers(directory, sizeof directory) < 0)
        return;
    snprintf(path, sizeof path, "%s/peers.list", directory);
    FILE *list = fopen(path, "re");
    while (list != NULL && fgets(line, sizeof line, list) != NULL) {
        int packages = 0;
        line[strcspn(line, "\n")] = '\0';
        if (sscanf(line, "%63s missing %n", name, &packages) == 1 && packages > 0 &&
            paths_driver(name, path, sizeof path) < 0)
            visit(context, name, line + packages);
    }
    if (list != NULL)
        fclose(list);
}

struct search {
    const char *driver;
    char *packages;
    int result;
};

static void compare(void *context, const char *driver, const char *packages)
{
    struct search *search = context;
    if (strcmp(driver, search->driver) != 0)
        return;
    snprintf(search->packages, PEERS_PACKAGES, "%s", packages);
    search->result = 0;
}

int peers_find_missing(const char *driver, char packages[PEERS_PACKAGES])
{
    struct search search = {driver, packages, -ENOENT};
    peers_missing(compare, &search);
    return search.result;
}
