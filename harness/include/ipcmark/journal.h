/* ipcmark/journal.h — a record, proof against the death of its writer, of what a participant did and saw.
 *
 * One file a thread, mapped and shared, so that what was committed outlives SIGKILL (not the machine). The file begins
 * with a header of 64 bytes, then come records of 64 bytes; the byte rulers below are the format. Where mapping is
 * awkward, a file may instead hold one JSON object a line, each written by one unbuffered write, with the fields of
 * struct ipcmark_record by name ("kind" as in ipcmark_kind_text). In that form these must be there: "kind", "endpoint"
 * and "time_ns" in all; "publisher" and "sequence" in INVOKE, OK, FAILED and UNKNOWN; "size" and "digest" in INVOKE and
 * RECEIVED; "run" in INVOKE; "count" in PEERS. Of the others those that are absent are 0, and names that are not known
 * are ignored. Readers tell the form by the first byte.
 *
 * A journal has one writer thread. Space is reserved before it is used: no append ever meets SIGBUS; a full disk is an
 * error, never a truncated journal.
 */
#ifndef IPCMARK_JOURNAL_H
#define IPCMARK_JOURNAL_H

#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include "ipcmark/driver.h"
#include "ipcmark/payload.h"

#ifdef __cplusplus
extern "C" {
#endif

enum ipcmark_kind {
    IPCMARK_OPEN_INVOKE = 1, /* just before publisher_open or subscriber_open */
    IPCMARK_OPEN_DONE,       /* it returned; error: its result if negative, else 0 */
    IPCMARK_CLOSE_INVOKE,    /* just before …_close */
    IPCMARK_CLOSE_DONE,      /* it returned */
    IPCMARK_INVOKE,          /* just before publish */
    IPCMARK_OK,              /* publish returned 0 or more */
    IPCMARK_FAILED,          /* it returned an error after which nobody receives the message */
    IPCMARK_UNKNOWN,         /* it returned any other error */
    IPCMARK_RECEIVED,        /* at the entry of deliver */
    IPCMARK_PEER_UP,         /* on_peer(…, 1); the peer in publisher and epoch, or IPCMARK_NO_ENDPOINT */
    IPCMARK_PEER_DOWN,       /* on_peer(…, 0); likewise */
    IPCMARK_PEERS,           /* …_peers returned `count` (also at the end of wait_peers) */
    IPCMARK_KINDS
};

#define IPCMARK_NO_ENDPOINT 0xFFFFu
/* flags: the message has no header; publisher, epoch, thread and sequence are set as far as they are known. */
#define IPCMARK_UNFRAMED 1u

/* A message is named (publisher, epoch, thread, sequence); publisher is the number of its endpoint. OK, FAILED and
 * UNKNOWN need only the name and the error.
 *
 *  byte 0        4    6    8  9  10   12   14   16         24         32
 *       | commit |who |ep' |ki|fl|thr |pub |ep  | sequence | size     |
 *       32         40       44       48       52       56       60       64
 *       | time     | digest | run    | channel| parts  | error  | count  |                          little-endian   */
struct ipcmark_record {
    uint32_t commit;         /* 0 until all else is written, then IPCMARK_COMMIT ^ index; release-stored */
    uint16_t endpoint;       /* who writes this */
    uint16_t endpoint_epoch; /* and in which life */
    uint8_t kind;
    uint8_t flags;
    uint16_t thread;
    uint16_t publisher; /* of the message; PEER_UP, PEER_DOWN: the peer */
    uint16_t epoch;
    uint64_t sequence; /* PEER_UP, PEER_DOWN: the process id if the peer is known by that only, else 0 */
    uint64_t size;     /* INVOKE, RECEIVED: of all parts */
    uint64_t time_ns;  /* CLOCK_MONOTONIC */
    uint32_t digest;   /* INVOKE, RECEIVED: as ipcmark_payload_fill and _verify give it */
    uint32_t run;      /* likewise, as the message says */
    uint32_t channel;
    uint32_t parts; /* as passed to publish or deliver */
    int32_t error;  /* -errno or 0; RECEIVED: -EBADMSG if the message is damaged by its own account */
    int32_t count;  /* PEERS, and PEER_UP, PEER_DOWN where known: connected endpoints, else -1 */
};

#define IPCMARK_COMMIT 0x4B52414Du
static_assert(sizeof(struct ipcmark_record) == 64, "record layout");
static_assert(offsetof(struct ipcmark_record, kind) == 8, "record layout");
static_assert(offsetof(struct ipcmark_record, publisher) == 12, "record layout");
static_assert(offsetof(struct ipcmark_record, sequence) == 16, "record layout");
static_assert(offsetof(struct ipcmark_record, time_ns) == 32, "record layout");
static_assert(offsetof(struct ipcmark_record, digest) == 40, "record layout");
static_assert(offsetof(struct ipcmark_record, count) == 60, "record layout");

/*  byte 0          8         12       16       20        64
 *       | IPCMARKJ | version | record | pid    | zeros … |                                        little-endian   */
struct ipcmark_journal_header {
    char magic[8];        /* "IPCMARKJ" */
    uint32_t version;     /* IPCMARK_JOURNAL_VERSION */
    uint32_t record_size; /* 64 */
    uint32_t pid;         /* of the writer, for people */
    uint8_t zeros[44];
};
#define IPCMARK_JOURNAL_VERSION 1
static_assert(sizeof(struct ipcmark_journal_header) == 64, "header layout");

static inline uint64_t ipcmark_now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* --- Writing. The struct is public for the sake of the inline append; use it by the functions only. --- */

struct ipcmark_journal {
    struct ipcmark_record *next, *end; /* free slots of the mapped chunk */
    uint32_t index;                    /* of the next record */
    int descriptor;
    void *chunk;
    uint64_t chunk_offset;
};

/* Creates the file, which must not exist; reserves and maps its first chunk. The caller closes. */
int ipcmark_journal_open(struct ipcmark_journal **out, const char *path);

/* Cuts off what was reserved and not used. NULL is fine. */
void ipcmark_journal_close(struct ipcmark_journal *journal);

/* Reserves and maps the next chunk; append calls it. 0 or -ENOSPC, … */
int ipcmark_journal_grow(struct ipcmark_journal *journal);

/* Appends a record; its commit is ignored, and a time_ns of 0 stands for now. Some stores and at most one clock read; a
 * few system calls once in 16384 records. 0, or -errno (nothing was appended): the participant must give up. */
static inline int ipcmark_journal_append(struct ipcmark_journal *journal, const struct ipcmark_record *record)
{
    struct ipcmark_record *slot;
    if (__builtin_expect(journal->next == journal->end, 0)) {
        int error = ipcmark_journal_grow(journal);
        if (error < 0)
            return error;
    }
    slot = journal->next++;
    memcpy((char *)slot + sizeof slot->commit, (const char *)record + sizeof record->commit,
           sizeof *record - sizeof record->commit);
    if (record->time_ns == 0)
        slot->time_ns = ipcmark_now_ns();
    __atomic_store_n(&slot->commit, IPCMARK_COMMIT ^ journal->index++, __ATOMIC_RELEASE);
    return 0;
}

/* Sets everything in a RECEIVED record that the message tells: name, size, parts, digest, run, channel, flags, error.
 * Reads every byte; take time_ns before. */
void ipcmark_record_message(struct ipcmark_record *record, const ipcmark_part *parts, size_t count);

/* --- Names of endpoints: what ipcmark_endpoint.id is, and what on_peer passes. --- */

/* "ENDPOINT.EPOCH" in decimal. */
#define IPCMARK_ENDPOINT_ID_SIZE 12
void ipcmark_endpoint_id(char id[IPCMARK_ENDPOINT_ID_SIZE], uint16_t endpoint, uint16_t epoch);

/* Sets publisher, epoch and sequence of a PEER record from such an id, from "pid:N", or from NULL or anything else
 * (IPCMARK_NO_ENDPOINT). */
void ipcmark_record_peer(struct ipcmark_record *record, const char *peer);

/* --- Reading --- */

struct ipcmark_journal_view {
    struct ipcmark_record *records; /* commit is 0 in all: it has done its work */
    size_t count;
    int uncommitted; /* the last record was begun and not committed: legal only if the writer was killed */
};

/* Reads a journal of either form, after its writer is gone. -EBADMSG with `problem` in words: this is not a journal, or
 * it was damaged; else -errno. The caller frees the view. */
int ipcmark_journal_read(struct ipcmark_journal_view *out, const char *path, char *problem, size_t problem_size);
void ipcmark_journal_view_free(struct ipcmark_journal_view *view);

/* "open_invoke", "open_done", "close_invoke", "close_done", "invoke", "ok", "failed", "unknown", "received", "peer_up",
 * "peer_down", "peers"; or NULL. And back: a kind, or -EINVAL. */
const char *ipcmark_kind_text(int kind);
int ipcmark_kind_parse(const char *text);

#ifdef __cplusplus
}
#endif
#endif
