/* The self-test's mutants: where they are, and what they say of themselves. */
#include "mutants.h"
#include "run.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* lib/ipcmark/mutants, looked for from the folder of this program upwards. */
static int find_folder(char *path, size_t size)
{
    char here[PATH_MAX];
    const ssize_t length = readlink("/proc/self/exe", here, sizeof here - 1);
    if (length < 0)
        return -errno;
    here[length] = '\0';
    for (char *slash; (slash = strrchr(here, '/')) != NULL;) {
        *slash = '\0';
        if ((size_t)snprintf(path, size, "%s/lib/ipcmark/mutants", here) < size && access(path, F_OK) == 0)
            return 0;
    }
    return -ENOENT;
}

static int is_library(const struct dirent *entry)
{
    const size_t length = strlen(entry->d_name);
    return length > 3 && strcmp(entry->d_name + length - 3, ".so") == 0;
}

/* What a mutant says of itself is data in its shared object; nothing of it runs here but one getter. */
static const mutant *load_declaration(const char *path)
{
    mutant_get_fn *get;
    void *library = dlopen(path, RTLD_LAZY | RTLD_LOCAL);
    if (library == NULL)
        return NULL;
    *(void **)&get = dlsym(library, MUTANT_SYMBOL);
    return get != NULL ? get() : NULL;
}

int mutants_find(self_test *self)
{
    char folder[PATH_MAX - 256];
    struct dirent **entries = NULL;
    int found, error = find_folder(folder, sizeof folder);
    if (error < 0)
        return error;
    found = scandir(folder, &entries, is_library, alphasort);
    for (int i = 0; i < found; ++i) {
        subject *next = &self->subjects[self->count];
        if (self->count < MUTANTS_MOST) {
            snprintf(next->path, sizeof next->path, "%s/%s", folder, entries[i]->d_name);
            next->about = load_declaration(next->path);
            if (next->about != NULL &&
                (self->options->mutants[0] == '\0' || clause_matches(self->options->mutants, next->about->name)))
                ++self->count;
        }
        free(entries[i]);
    }
    free(entries);
    return self->count > 0 ? 0 : -ENOENT;
}

int run_mutants_list(const command_options *options)
{
    command_options mine = *options;
    self_test self = {.options = &mine};
    int error;
    self.subjects = calloc(MUTANTS_MOST, sizeof *self.subjects);
    error = self.subjects == NULL ? -ENOMEM : mutants_find(&self);
    for (size_t i = 0; error == 0 && i < self.count; ++i)
        printf("%s\n", self.subjects[i].about->name);
    free(self.subjects);
    return error < 0 ? EXIT_ERROR : EXIT_HOLDS;
}
