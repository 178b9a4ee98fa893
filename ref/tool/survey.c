#include "survey.h"

#include "tool.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int survey_open(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

int survey_names(int directory, int (*slot)(void *user, const unsigned char *id, const char *name),
                 int (*socket)(void *user, const unsigned char *id, const char *name), void *user)
{
    int error = 0, fd = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC); /* a position of its own */
    DIR *stream = fd < 0 ? NULL : fdopendir(fd);
    const struct dirent *entry;
    if (stream == NULL) {
        error = -errno;
        if (fd >= 0)
            close(fd);
        return error;
    }
    while (error == 0 && (entry = readdir(stream)) != NULL) {
        unsigned char id[ID_BYTES];
        bool is_socket;
        if (slot_parse_name(entry->d_name, id, &is_socket))
            error = (is_socket ? socket : slot)(user, id, entry->d_name);
    }
    closedir(stream);
    return error;
}

bool survey_is_stranger(int error)
{
    return error == -EPROTO || error == -EINVAL || error == -EISDIR || error == -ELOOP || error == -ENXIO;
}

const char *survey_reason(int error)
{
    return error == -EACCES ? "belongs to another user, who did not set MMIPC_ALLOW_OTHER_USERS" : strerror(-error);
}

struct taking {
    struct survey *survey;
    int directory;
};

static int grow(void *array, size_t count, size_t *capacity, size_t size)
{
    void *grown;
    if (count < *capacity)
        return 0;
    grown = reallocarray(*(void **)array, *capacity == 0 ? 16 : 2 * *capacity, size);
    if (grown == NULL)
        return -ENOMEM;
    memcpy(array, &grown, sizeof grown);
    *capacity = *capacity == 0 ? 16 : 2 * *capacity;
    return 0;
}

static int add_name(char (**names)[SLOT_NAME_BYTES], size_t *count, size_t *capacity, const char *name)
{
    int error = grow(names, *count, capacity, SLOT_NAME_BYTES);
    if (error == 0)
        memcpy((*names)[(*count)++], name, SLOT_NAME_BYTES); /* slot_parse_name has seen its length */
    return error;
}

static int add_unreadable(struct survey *survey, const char *name, int why)
{
    struct unreadable unreadable = {.error = why};
    int error = grow(&survey->unreadable, survey->unreadable_count, &survey->unreadable_capacity, sizeof unreadable);
    memcpy(unreadable.name, name, SLOT_NAME_BYTES);
    if (error == 0)
        survey->unreadable[survey->unreadable_count++] = unreadable;
    return error;
}

static int take_slot(void *user, const unsigned char *id, const char *name)
{
    const struct taking *taking = user;
    struct survey *survey = taking->survey;
    struct slot_view view;
    struct entry entry = {.state = ENTRY_STALE, .message_rate = -1, .byte_rate = -1};
    int error = slot_look(taking->directory, id, &view);
    if (error == -ENOENT)
        return 0; /* gone meanwhile */
    if (error == 0 && view.living && !view.whole) {
        slot_look_away(&view);
        error = -EPROTO;
    }
    if (error != 0 && !survey_is_stranger(error))
        return add_unreadable(survey, name, error);
    if (error != 0)
        return add_name(&survey->strangers, &survey->stranger_count, &survey->stranger_capacity, name);
    slot_look_away(&view);
    memcpy(entry.id, id, ID_BYTES);
    entry.state = view.living ? ENTRY_LIVE : ENTRY_STALE;
    entry.role = !view.whole ? "unknown" : view.publishes ? "publisher" : "subscriber";
    entry.pid = view.pid;
    if (view.living && !view.waiting)
        entry.note = "is just starting";
    memcpy(entry.channel, view.channel, sizeof entry.channel);
    error = grow(&survey->entries, survey->count, &survey->capacity, sizeof entry);
    if (error == 0)
        survey->entries[survey->count++] = entry;
    return error;
}

static int take_socket(void *user, const unsigned char *id, const char *name)
{
    const struct taking *taking = user;
    struct survey *survey = taking->survey;
    if (!slot_is_orphan_socket(taking->directory, id))
        return 0;
    return add_name(&survey->orphans, &survey->orphan_count, &survey->orphan_capacity, name);
}

static int by_channel(const void *a, const void *b)
{
    const struct entry *left = a, *right = b;
    int order = strcmp(left->channel, right->channel);
    if (order == 0)
        order = strcmp(left->role, right->role);
    return order != 0 ? order : memcmp(left->id, right->id, ID_BYTES);
}

/* What a subscriber has not read, and whether a suspended one has pairs, its publishers know. */
static void count_pairs(struct survey *survey, struct entry *entry)
{
    if (entry->status != NULL) {
        entry->counted = true;
        entry->pairs = entry->status->pair_total;
    }
    for (size_t i = 0; i < survey->count; ++i) {
        const struct status *status = survey->entries[i].status;
        for (size_t j = 0; status != NULL && j < status->pair_count; ++j) {
            const struct status_pair *pair = &status->pairs[j];
            if (status == entry->status) {
                entry->unread += pair->unread;
            } else if (memcmp(pair->id, entry->id, ID_BYTES) == 0) {
                entry->counted = true;
                entry->unread += pair->unread;
                entry->pairs += entry->status == NULL;
            }
        }
    }
}

int survey_take(struct survey *survey, int directory, int timeout_ms)
{
    struct taking taking = {survey, directory};
    int error;
    memset(survey, 0, sizeof *survey);
    error = survey_names(directory, take_slot, take_socket, &taking);
    if (error == 0 && survey->count > 0) {
        qsort(survey->entries, survey->count, sizeof survey->entries[0], by_channel);
        error = ask_all(survey, directory, timeout_ms);
    }
    for (size_t i = 0; i < survey->count; ++i)
        count_pairs(survey, &survey->entries[i]);
    return error;
}

void survey_compare(struct survey *now, const struct survey *before)
{
    for (size_t i = 0; i < now->count; ++i) {
        struct entry *entry = &now->entries[i];
        for (size_t j = 0; j < before->count; ++j) {
            const struct status *old = before->entries[j].status, *new = entry->status;
            if (old == NULL || new == NULL || memcmp(old->id, new->id, ID_BYTES) != 0 || new->time_ns <= old->time_ns)
                continue;
            entry->message_rate = (double)(new->messages - old->messages) * 1e9 / (double)(new->time_ns - old->time_ns);
            entry->byte_rate = (double)(new->bytes - old->bytes) * 1e9 / (double)(new->time_ns - old->time_ns);
        }
    }
}

void survey_free(struct survey *survey)
{
    for (size_t i = 0; i < survey->count; ++i)
        free(survey->entries[i].status);
    free(survey->entries);
    free(survey->strangers);
    free(survey->unreadable);
    free(survey->orphans);
    memset(survey, 0, sizeof *survey);
}
