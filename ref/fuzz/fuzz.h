/* What the fuzzers have in common: an input to be read as a program, and checks that stay in every build.
 *
 * A fuzzer is one function. libFuzzer calls it with inputs of its making (preset fuzz), replay.c with those of the
 * corpus (every other preset). */
#ifndef FUZZ_H
#define FUZZ_H

#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(condition)                                                                                               \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #condition);                             \
            abort();                                                                                                   \
        }                                                                                                              \
    } while (0)

/* Descriptors are given lowest first, and an input needs only a few: from the highest of now on, those that it leaves
 * open are found. The gaps below are filled, once. */
static inline int descriptors_start(void)
{
    int highest = 2, fd;
    for (int i = 0; i < 1024; ++i)
        highest = fcntl(i, F_GETFD) != -1 ? i : highest;
    while ((fd = fcntl(0, F_DUPFD_CLOEXEC, 0)) >= 0 && fd < highest)
        ;
    CHECK(fd > highest);
    close(fd);
    return fd;
}

static inline void descriptors_check(int start)
{
    enum { LOOKED_AT = 24 };
    struct pollfd looked_at[LOOKED_AT];
    for (int i = 0; i < LOOKED_AT; ++i)
        looked_at[i] = (struct pollfd){.fd = start + i};
    poll(looked_at, LOOKED_AT, 0); /* one system call for all */
    for (int i = 0; i < LOOKED_AT; ++i)
        CHECK((looked_at[i].revents & POLLNVAL) != 0);
}

/* Behind its end there are zeros. */
struct input {
    const uint8_t *at;
    size_t left;
};

static inline void input_bytes(struct input *input, void *to, size_t size)
{
    const size_t got = size < input->left ? size : input->left;
    memset(to, 0, size);
    if (got > 0)
        memcpy(to, input->at, got);
    input->at += got;
    input->left -= got;
}

static inline uint8_t input_u8(struct input *input)
{
    uint8_t value;
    input_bytes(input, &value, sizeof value);
    return value;
}

static inline uint16_t input_u16(struct input *input)
{
    uint16_t value;
    input_bytes(input, &value, sizeof value);
    return value;
}

static inline uint64_t input_u64(struct input *input)
{
    uint64_t value;
    input_bytes(input, &value, sizeof value);
    return value;
}

#endif
