#include "directory.h"

#include "os/os.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { LOOKS_AGAIN = 16 }; /* in a scan */

static struct known *find(const struct directory_memory *memory, const unsigned char *id)
{
    for (size_t i = 0; i < memory->count; ++i)
        if (memcmp(memory->known[i].id, id, ID_BYTES) == 0)
            return &memory->known[i];
    return NULL;
}

void directory_ignore(struct directory_memory *memory, const unsigned char *id)
{
    if (find(memory, id) != NULL)
        return;
    if (memory->count == memory->capacity) {
        size_t capacity = memory->capacity == 0 ? 16 : 2 * memory->capacity;
        struct known *grown = realloc(memory->known, capacity * sizeof *grown);
        if (grown == NULL)
            return; /* it will be looked at again, no harm */
        memory->known = grown;
        memory->capacity = capacity;
    }
    memcpy(memory->known[memory->count].id, id, ID_BYTES);
    memory->known[memory->count++].seen = true;
}

void directory_forget(struct directory_memory *memory)
{
    free(memory->known);
    memset(memory, 0, sizeof *memory);
}

void directory_hinder(struct directory_memory *memory, const char *why)
{
    if (memory->hindrance == NULL)
        memory->hindrance = why;
}

static void tell_hindrance(struct endpoint *endpoint, struct directory_memory *memory)
{
    if (endpoint->role->seeks && memory->hindrance != NULL && memory->hindrance != memory->said)
        endpoint_log(endpoint, LOG_ERROR, "subscribers may be left out: %s", memory->hindrance);
    memory->said = memory->hindrance;
    memory->hindrance = NULL;
}

static void forget_unseen(struct directory_memory *memory)
{
    size_t kept = 0;
    for (size_t i = 0; i < memory->count; ++i)
        if (memory->known[i].seen)
            memory->known[kept++] = memory->known[i];
    memory->count = kept;
}

/* Everybody looks at everybody's files again and again: with hundreds of endpoints in a directory that would be all
 * they do. */
static bool has_its_turn(const struct directory_memory *memory, const struct known *known)
{
    const size_t index = (size_t)(known - memory->known);
    return (index + memory->count - memory->turn % memory->count) % memory->count < LOOKS_AGAIN;
}

static void look_at(struct endpoint *endpoint, struct directory_memory *memory, bool whole, const unsigned char *id,
                    void (*found)(struct endpoint *endpoint, const unsigned char *id))
{
    struct known *known = find(memory, id);
    if (known != NULL) {
        known->seen = true;
        if (!whole || !has_its_turn(memory, known))
            return;
    }
    switch (slot_examine(endpoint->directory, id, endpoint->channel)) {
    case SLOT_SUBSCRIBER:
        if (known == NULL)
            found(endpoint, id);
        break;
    case SLOT_PUBLISHER:
    case SLOT_OTHER:
        directory_ignore(memory, id);
        break;
    case SLOT_RECLAIMED:
        endpoint_log(endpoint, LOG_INFORMATION, "removed the files of an endpoint that died");
        break;
    case SLOT_STARTING: /* its change of state will be noticed; should that be missed, the next tick looks */
    case SLOT_UNUSABLE:
        break;
    case SLOT_UNKNOWN:
        directory_hinder(memory, "their files cannot be opened: too few descriptors (RLIMIT_NOFILE), or no memory");
        break;
    }
}

void directory_scan(struct endpoint *endpoint, struct directory_memory *memory, bool whole,
                    bool (*skip)(struct endpoint *endpoint, const unsigned char *id),
                    void (*found)(struct endpoint *endpoint, const unsigned char *id))
{
    const struct dirent *entry;
    DIR *list;
    int error = os_list_open(endpoint->directory, &list);
    if (error != 0) {
        directory_hinder(memory, mmipc_strerror(error));
        tell_hindrance(endpoint, memory);
        return;
    }
    for (size_t i = 0; i < memory->count; ++i)
        memory->known[i].seen = false;
    while ((entry = readdir(list)) != NULL) {
        unsigned char id[ID_BYTES];
        bool is_socket;
        if (!slot_parse_name(entry->d_name, id, &is_socket) || memcmp(id, endpoint->id, ID_BYTES) == 0)
            continue;
        if (is_socket) {
            if (whole)
                slot_remove_orphan_socket(endpoint->directory, id);
        } else if (skip == NULL || !skip(endpoint, id)) {
            look_at(endpoint, memory, whole, id, found);
        }
    }
    os_list_close(list);
    memory->turn += whole ? LOOKS_AGAIN : 0;
    forget_unseen(memory);
    tell_hindrance(endpoint, memory);
}
