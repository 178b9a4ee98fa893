/* What is in a message: enough to tell it from every other one, so little that writing and looking cost less than the
 * transport. A word at the start of each page and at the end is made from the message's number and the word's place:
 * what is lost, doubled, out of order, cut off or mixed from two messages shows. (That every byte is right is looked at
 * by the rows of the harness.) */
#ifndef TARGETS_MESSAGE_H
#define TARGETS_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { MESSAGE_STRIDE = 4096, MESSAGE_LEAST = 32, MESSAGE_TIME_AT = 8 };

static inline uint64_t message_word(uint64_t number, size_t at)
{
    return (number + 1) * UINT64_C(0x9e3779b97f4a7c15) + at;
}

/* size: MESSAGE_LEAST at least. */
static inline void message_write(unsigned char *data, size_t size, uint64_t number)
{
    uint64_t word;
    for (size_t at = 0; at + sizeof word <= size; at += MESSAGE_STRIDE) {
        word = message_word(number, at);
        memcpy(data + at, &word, sizeof word);
    }
    word = message_word(number, size);
    memcpy(data + size - sizeof word, &word, sizeof word);
}

static inline bool message_holds(const unsigned char *data, size_t size, uint64_t number)
{
    uint64_t word, wrong = 0;
    for (size_t at = 0; at + sizeof word <= size; at += MESSAGE_STRIDE) {
        memcpy(&word, data + at, sizeof word);
        wrong |= word ^ message_word(number, at);
    }
    memcpy(&word, data + size - sizeof word, sizeof word);
    return (wrong | (word ^ message_word(number, size))) == 0;
}

/* When it was sent, beside the first word. */
static inline void message_set_time(unsigned char *data, uint64_t now_ns)
{
    memcpy(data + MESSAGE_TIME_AT, &now_ns, sizeof now_ns);
}

static inline uint64_t message_time(const unsigned char *data)
{
    uint64_t sent_ns;
    memcpy(&sent_ns, data + MESSAGE_TIME_AT, sizeof sent_ns);
    return sent_ns;
}

#endif
