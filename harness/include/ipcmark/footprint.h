/* ipcmark/footprint.h — what this process holds of the machine: memory and descriptors.
 *
 * Shared memory is counted by what is allocated, and not by what happens to be in page tables: a segment whose memory is
 * reserved costs the machine all of it, touched or not. */
#ifndef IPCMARK_FOOTPRINT_H
#define IPCMARK_FOOTPRINT_H

#ifdef __cplusplus
extern "C" {
#endif

struct cJSON;

/* Adds to the reply: private_bytes (memory of its own, and its share of program and libraries), descriptors, shared:
 * [[file, bytes], …]; two processes that share a file give it the same name. -ENOSYS: this kernel does not say;
 * -ENOMEM, and what opening files in /proc may fail with. Not to be called by two threads at once for one figure: either
 * counts what the other one needs. */
int ipcmark_footprint(struct cJSON *reply);

#ifdef __cplusplus
}
#endif
#endif
