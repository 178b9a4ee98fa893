/* Writing journals, and how messages and peers get into records. */
#include "ipcmark/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define CHUNK_SIZE    ((size_t)1 << 20)
#define CHUNK_SLOTS   (CHUNK_SIZE / sizeof(struct ipcmark_record))
#define INDEX_MAXIMUM (UINT32_MAX - CHUNK_SLOTS)

/* Reserves and maps the file's part at `offset` in place of the present chunk. */
static int chunk_map(struct ipcmark_journal *journal, uint64_t offset)
{
    /* Reserved, not only extended: a store into a hole of a full disk would kill the participant with SIGBUS, and the
     * verdict would blame the implementation. */
    int error = posix_fallocate(journal->descriptor, (off_t)offset, (off_t)CHUNK_SIZE);
    void *chunk;
    if (error != 0)
        return -error;
    chunk =
        mmap(NULL, CHUNK_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, journal->descriptor, (off_t)offset);
    if (chunk == MAP_FAILED)
        return -ENOMEM; /* address space: nothing else can be wrong with a file that is open and reserved */
    if (journal->chunk != NULL)
        munmap(journal->chunk, CHUNK_SIZE);
    journal->chunk = chunk;
    journal->chunk_offset = offset;
    journal->next = (struct ipcmark_record *)chunk;
    journal->end = journal->next + CHUNK_SLOTS;
    return 0;
}

int ipcmark_journal_open(struct ipcmark_journal **out, const char *path)
{
    struct ipcmark_journal_header header = {
        "IPCMARKJ", IPCMARK_JOURNAL_VERSION, sizeof(struct ipcmark_record), (uint32_t)getpid(), {0}};
    struct ipcmark_journal *journal = calloc(1, sizeof *journal);
    int error;
    if (journal == NULL)
        return -ENOMEM;
    journal->descriptor = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (journal->descriptor < 0) {
        error = -errno;
        free(journal);
        return error;
    }
    error = chunk_map(journal, 0);
    if (journal->chunk == NULL) {
        unlink(path);
        close(journal->descriptor);
        free(journal);
        return error;
    }
    memcpy(journal->chunk, &header, sizeof header);
    ++journal->next;
    *out = journal;
    return 0;
}

int ipcmark_journal_grow(struct ipcmark_journal *journal)
{
    if (journal->index > INDEX_MAXIMUM)
        return -EOVERFLOW;
    return chunk_map(journal, journal->chunk_offset + CHUNK_SIZE);
}

void ipcmark_journal_close(struct ipcmark_journal *journal)
{
    if (journal == NULL)
        return;
    munmap(journal->chunk, CHUNK_SIZE);
    /* Should this fail, the reserved space stays behind as zeros, which readers know as the end. */
    if (ftruncate(journal->descriptor, (off_t)(sizeof(struct ipcmark_journal_header) +
                                               (uint64_t)journal->index * sizeof(struct ipcmark_record))) < 0)
        errno = 0;
    close(journal->descriptor);
    free(journal);
}

void ipcmark_record_message(struct ipcmark_record *record, const ipcmark_part *parts, size_t count)
{
    struct ipcmark_payload header;
    int result = ipcmark_payload_verify(parts, count, &header, &record->digest);
    record->flags = result == -ENOMSG ? IPCMARK_UNFRAMED : 0;
    record->error = result == -EBADMSG ? result : 0;
    record->publisher = result == -ENOMSG ? IPCMARK_NO_ENDPOINT : header.publisher;
    record->epoch = header.epoch;
    record->thread = header.thread;
    record->sequence = header.sequence;
    record->run = header.run;
    record->channel = header.channel;
    record->parts = (uint32_t)count;
    record->size = 0;
    for (size_t i = 0; i < count; ++i)
        record->size += parts[i].size;
}

void ipcmark_endpoint_id(char id[IPCMARK_ENDPOINT_ID_SIZE], uint16_t endpoint, uint16_t epoch)
{
    snprintf(id, IPCMARK_ENDPOINT_ID_SIZE, "%u.%u", endpoint, epoch);
}

void ipcmark_record_peer(struct ipcmark_record *record, const char *peer)
{
    unsigned endpoint, epoch;
    long pid;
    int end = 0;
    record->publisher = IPCMARK_NO_ENDPOINT;
    record->epoch = 0;
    record->sequence = 0;
    if (peer == NULL)
        return;
    if (sscanf(peer, "%5u.%5u%n", &endpoint, &epoch, &end) == 2 && peer[end] == '\0' &&
        endpoint < IPCMARK_NO_ENDPOINT && epoch <= UINT16_MAX) {
        record->publisher = (uint16_t)endpoint;
        record->epoch = (uint16_t)epoch;
    } else if (sscanf(peer, "pid:%18ld%n", &pid, &end) == 1 && peer[end] == '\0' && pid > 0) {
        record->sequence = (uint64_t)pid;
    }
}
