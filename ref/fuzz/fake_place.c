/* In place of place.c, directory.c, slot.c and thread_start(): nobody is looked for, and no thread runs but the
 * fuzzer's. */
#include "directory.h"
#include "endpoint.h"
#include "thread.h"

int place_watch(struct endpoint *endpoint)
{
    (void)endpoint;
    return 0;
}

int place_take(struct endpoint *endpoint)
{
    (void)endpoint;
    return 0;
}

void place_leave(struct endpoint *endpoint)
{
    (void)endpoint;
}

void place_check(struct endpoint *endpoint)
{
    (void)endpoint;
}

void directory_scan(struct endpoint *endpoint, struct directory_memory *memory, bool whole,
                    bool (*skip)(struct endpoint *endpoint, const unsigned char *id),
                    void (*found)(struct endpoint *endpoint, const unsigned char *id))
{
    (void)endpoint;
    (void)memory;
    (void)whole;
    (void)skip;
    (void)found;
}

void directory_ignore(struct directory_memory *memory, const unsigned char *id)
{
    (void)memory;
    (void)id;
}

void directory_forget(struct directory_memory *memory)
{
    (void)memory;
}

void directory_hinder(struct directory_memory *memory, const char *why)
{
    (void)memory;
    (void)why;
}

enum slot_finding slot_examine(int directory, const unsigned char *id, const char *channel)
{
    (void)directory;
    (void)id;
    (void)channel;
    return SLOT_UNUSABLE;
}

void slot_socket_name(const unsigned char *id, char name[SLOT_NAME_BYTES])
{
    (void)id;
    name[0] = '\0';
}

int __wrap_thread_start(pthread_t *out, void *(*run)(void *), void *argument); // NOLINT: the linker's names

int __wrap_thread_start(pthread_t *out, void *(*run)(void *), void *argument) // NOLINT
{
    (void)out;
    (void)run;
    (void)argument;
    return 0;
}
