#include "peers.h"

#include "paths.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* "NAME built", "NAME missing PACKAGES…" or "NAME agent TEXT…" a line. */
static void visit_kind(const char *kind, peers_visit_fn *visit, void *context)
{
    char directory[PATH_MAX], path[PATH_MAX + 32], line[PEERS_NAME + PEERS_PACKAGES], name[PEERS_NAME], word[16];
    if (paths_drivers(directory, sizeof directory) < 0)
        return;
    snprintf(path, sizeof path, "%s/peers.list", directory);
    FILE *list = fopen(path, "re");
    while (list != NULL && fgets(line, sizeof line, list) != NULL) {
        int text = 0;
        line[strcspn(line, "\n")] = '\0';
        if (sscanf(line, "%63s %15s %n", name, word, &text) == 2 && text > 0 && strcmp(word, kind) == 0)
            visit(context, name, line + text);
    }
    if (list != NULL)
        fclose(list);
}

struct missing {
    peers_visit_fn *visit;
    void *context;
};

/* One that is there all the same, of an earlier build or put there by hand, is not missing. */
static void visit_if_missing(void *context, const char *driver, const char *packages)
{
    const struct missing *missing = context;
    char path[PATH_MAX + 32];
    if (paths_driver(driver, path, sizeof path) < 0)
        missing->visit(missing->context, driver, packages);
}

void peers_missing(peers_visit_fn *visit, void *context)
{
    visit_kind("missing", visit_if_missing, &(struct missing){visit, context});
}

void peers_agents(peers_visit_fn *visit, void *context)
{
    visit_kind("agent", visit, context);
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
