#include "ipcmark/payload.h"

#include <zlib.h>

#define BODY_STEP 0x9E3779B97F4A7C15u /* odd: the words of a body differ from each other for 2^64 of them */

uint32_t ipcmark_payload_name(const char *text)
{
    return (uint32_t)crc32_z(crc32_z(0, NULL, 0), (const Bytef *)text, strlen(text));
}

void ipcmark_payload_body_write(void *body, size_t size, uint64_t key)
{
    unsigned char *at = (unsigned char *)body;
    size_t words = size / sizeof key;
    for (size_t i = 0; i < words; ++i) {
        uint64_t word = key + i * BODY_STEP;
        memcpy(at + i * sizeof word, &word, sizeof word);
    }
    key += words * BODY_STEP;
    memcpy(at + words * sizeof key, &key, size % sizeof key);
}

int ipcmark_payload_body_check(const void *body, size_t size, uint64_t key)
{
    const unsigned char *at = (const unsigned char *)body;
    size_t words = size / sizeof key;
    uint64_t difference = 0; /* collected without a branch, so that the loop runs at the speed of memory */
    for (size_t i = 0; i < words; ++i) {
        uint64_t word;
        memcpy(&word, at + i * sizeof word, sizeof word);
        difference |= word ^ (key + i * BODY_STEP);
    }
    key += words * BODY_STEP;
    if (size % sizeof key != 0 && memcmp(at + words * sizeof key, &key, size % sizeof key) != 0)
        return -EBADMSG;
    return difference == 0 ? 0 : -EBADMSG;
}

/* CRC-32 of the boundaries as they lie in a digest. */
static uLong boundaries_sum(const ipcmark_part *parts, size_t count)
{
    uint32_t count32 = (uint32_t)count;
    uLong sum = crc32_z(crc32_z(0, NULL, 0), (const Bytef *)&count32, sizeof count32);
    for (size_t i = 0; i < count; ++i) {
        uint64_t size = parts[i].size;
        sum = crc32_z(sum, (const Bytef *)&size, sizeof size);
    }
    return sum;
}

/* CRC-32 of all bytes but the first `skip`: the crc field's, or 0 in an unframed message. */
static uint32_t bytes_sum(const ipcmark_part *parts, size_t count, size_t skip)
{
    uLong sum = crc32_z(0, NULL, 0);
    for (size_t i = 0; i < count; ++i) {
        size_t from = i == 0 ? skip : 0;
        if (parts[i].size > from)
            sum = crc32_z(sum, (const Bytef *)parts[i].data + from, parts[i].size - from);
    }
    return (uint32_t)sum;
}

/* The digest, from bytes_sum() with the same skip: large messages are summed up only once. */
static uint32_t digest_sum(const ipcmark_part *parts, size_t count, size_t skip, uint32_t bytes)
{
    uLong sum = boundaries_sum(parts, count);
    uint64_t length = 0;
    for (size_t i = 0; i < count; ++i)
        length += parts[i].size;
    if (skip > 0)
        sum = crc32_z(sum, (const Bytef *)parts[0].data, skip);
    return (uint32_t)crc32_combine(sum, bytes, (z_off_t)(length - skip));
}

static int is_framed(const ipcmark_part *parts, size_t count)
{
    return count > 0 && parts[0].size >= IPCMARK_PAYLOAD_HEADER;
}

/* The sum of all sizes; UINT64_MAX if it exceeds what a header can say. */
static uint64_t total_size(const size_t *sizes, size_t count)
{
    uint64_t total = 0;
    for (size_t i = 0; i < count; ++i) {
        if (sizes[i] > UINT32_MAX - total)
            return UINT64_MAX;
        total += sizes[i];
    }
    return total;
}

int ipcmark_payload_fill(struct ipcmark_payload *header, uint64_t seed, void *buffer, size_t buffer_size,
                         const size_t *sizes, size_t count, ipcmark_part *parts, uint32_t *digest)
{
    uint64_t total = count > UINT16_MAX ? UINT64_MAX : total_size(sizes, count);
    unsigned char *at = (unsigned char *)buffer;
    size_t skip = 0;
    if (total > buffer_size || total == UINT64_MAX)
        return -EMSGSIZE;
    for (size_t i = 0; i < count; ++i) {
        size_t head = i == 0 && sizes[0] >= IPCMARK_PAYLOAD_HEADER ? IPCMARK_PAYLOAD_HEADER : 0;
        parts[i] = (ipcmark_part){at, sizes[i]};
        if (sizes[i] > head)
            ipcmark_payload_body_write(at + head, sizes[i] - head, ipcmark_payload_key(seed, header->nonce, i));
        at += sizes[i];
    }
    header->parts = (uint16_t)count;
    header->size = (uint32_t)total;
    if (is_framed(parts, count)) {
        memcpy(buffer, header, sizeof *header);
        skip = sizeof header->crc;
    }
    header->crc = bytes_sum(parts, count, skip);
    if (skip > 0)
        memcpy(buffer, &header->crc, skip);
    *digest = digest_sum(parts, count, skip, header->crc);
    return 0;
}

int ipcmark_payload_verify(const ipcmark_part *parts, size_t count, struct ipcmark_payload *header, uint32_t *digest)
{
    uint64_t total = 0;
    uint32_t crc;
    if (!is_framed(parts, count)) {
        *digest = digest_sum(parts, count, 0, bytes_sum(parts, count, 0));
        memset(header, 0, sizeof *header);
        return -ENOMSG;
    }
    crc = bytes_sum(parts, count, sizeof crc);
    *digest = digest_sum(parts, count, sizeof crc, crc);
    memcpy(header, parts[0].data, sizeof *header);
    for (size_t i = 0; i < count; ++i)
        total += parts[i].size;
    return header->crc == crc && header->parts == count && header->size == total ? 0 : -EBADMSG;
}
