/* ipcmark/runfile.h — writes result files: results/FORMAT.md, one JSON object a line, one write(2) a line.
 *
 * Whoever dies in between leaves a valid file that lacks its footer. One thread at a time.
 */
#ifndef IPCMARK_RUNFILE_H
#define IPCMARK_RUNFILE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct cJSON;
struct ipcmark_runfile;

/* What the writer cannot know; the header's other fields it fills in itself. */
struct ipcmark_run {
    const char *kind;             /* "conformance" or "bench" */
    const char *contract_version; /* or NULL */
    const char *command;          /* that reproduces the run; no absolute paths */
    uint64_t seed;                /* below 2^53, so that every JSON reader gets it right */
    const char *const *plan;      /* ids of all planned cases or rows, before shuffling: gives `manifest` */
    size_t plan_count;
    size_t planned;              /* cases or cells that will be written (rows times blocks) */
    const struct cJSON *drivers; /* array as in FORMAT.md; stays the caller's; NULL: empty */
    const struct cJSON *more;    /* an object whose members the header gets, too; stays the caller's; NULL: none */
};

/* Creates or empties the file at path ("-": standard output) and writes the header. The caller closes. */
int ipcmark_runfile_open(struct ipcmark_runfile **out, const char *path, const struct ipcmark_run *run);

/* The header of the file at path, to compare before going on with it; the caller deletes it. -errno if it cannot be
 * read; -EBADMSG: it does not begin with a header. */
int ipcmark_runfile_header(struct cJSON **out, const char *path);

/* Whether a file with this header may be gone on with as this run, whose every part it must share: kind, version,
 * commit, seed, members of `more`, drivers and their digests, what is planned. 0; or -EBADMSG, with what differs in
 * text: "its commit is a1b2c3d, and this one's d4e5f60"; -ENOMEM. */
int ipcmark_run_same(const struct cJSON *header, const struct ipcmark_run *run, char *text, size_t size);

/* Goes on with a file that an interrupted run of the same kind, seed and plan left: drops a line that was cut off, and
 * a footer. done is called with each case or cell that it holds. -EBADMSG: it is of another run. */
int ipcmark_runfile_resume(struct ipcmark_runfile **out, const char *path, const struct ipcmark_run *run,
                           void (*done)(void *context, const struct cJSON *record), void *context);

/* The 16 hex digits that name this run. */
const char *ipcmark_runfile_id(const struct ipcmark_runfile *runfile);

/* Appends a case or cell, which stays the caller's. */
int ipcmark_runfile_append(struct ipcmark_runfile *runfile, const struct cJSON *record);

/* Writes the footer and closes. Frees in any case; NULL is fine. 0, or the first error of this runfile. */
int ipcmark_runfile_close(struct ipcmark_runfile *runfile, int exit_code, int interrupted);

/* The machine and the build: FORMAT.md's `environment`, without host and user names and absolute paths. What cannot be
 * found out is null. The caller deletes it; NULL: out of memory. */
struct cJSON *ipcmark_environment_capture(void);

/* 16 random hex digits, NUL-terminated: for a run's id. */
void ipcmark_run_id(char id[17]);

#ifdef __cplusplus
}
#endif
#endif
