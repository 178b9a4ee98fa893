/* Reading journals of the mapped form, and telling the forms apart. */
#include "journal_read.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* A journal is read whole into memory, and not at the cost of all who run. */
static int64_t limit_bytes(void)
{
    return (int64_t)sysconf(_SC_PHYS_PAGES) / 2 * sysconf(_SC_PAGESIZE);
}

int problem_set(char *problem, size_t size, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(problem, size, format, arguments);
    va_end(arguments);
    return -EBADMSG;
}

/* 0, or -EBADMSG if no writer can have written this record after one of time last_ns. A RECEIVED may: its time is taken
 * at the entry of deliver, and written down after every byte was looked at. */
static int record_problem(const struct ipcmark_record *record, uint64_t last_ns, size_t index, char *problem,
                          size_t size)
{
    if (ipcmark_kind_text(record->kind) == NULL)
        return problem_set(problem, size, "record %zu: kind %u does not exist", index, record->kind);
    if (record->kind != IPCMARK_RECEIVED && record->time_ns < last_ns)
        return problem_set(problem, size, "record %zu: its time is %" PRIu64 " ns before that of an earlier one", index,
                           last_ns - record->time_ns);
    if (record->time_ns == 0)
        return problem_set(problem, size, "record %zu: it has no time", index);
    return 0;
}

static int header_problem(const struct ipcmark_journal_header *header, size_t bytes, char *problem, size_t size)
{
    if (bytes < sizeof *header || memcmp(header->magic, "IPCMARKJ", sizeof header->magic) != 0)
        return problem_set(problem, size, "not a journal: it begins neither with IPCMARKJ nor with a JSON object");
    if (header->version != IPCMARK_JOURNAL_VERSION || header->record_size != sizeof(struct ipcmark_record))
        return problem_set(problem, size,
                           "version %" PRIu32 " with records of %" PRIu32 " bytes; this program reads version %d",
                           header->version, header->record_size, IPCMARK_JOURNAL_VERSION);
    return 0;
}

static int is_zero(const void *data, size_t bytes)
{
    const unsigned char *at = (const unsigned char *)data;
    return bytes == 0 || (at[0] == 0 && memcmp(at, at + 1, bytes - 1) == 0);
}

/* How many records are committed; and that nothing but zeros, and perhaps one torn record, follows them. */
static int committed_count(struct ipcmark_journal_view *out, size_t bytes, char *problem, size_t size)
{
    const struct ipcmark_record *slots = out->records;
    size_t limit = bytes / sizeof *slots, count = 0, rest;
    while (count < limit && slots[count].commit == (IPCMARK_COMMIT ^ (uint32_t)count))
        ++count;
    out->count = count;
    rest = bytes - count * sizeof *slots;
    if (is_zero(slots + count, rest))
        return 0;
    if (rest < sizeof *slots || slots[count].commit != 0)
        return problem_set(problem, size, "record %zu: its commit word is wrong: the file was damaged", count);
    if (!is_zero(slots + count + 1, rest - sizeof *slots))
        return problem_set(problem, size, "record %zu is not committed, and something follows it: the file was damaged",
                           count);
    out->uncommitted = 1;
    return 0;
}

static int records_check(struct ipcmark_journal_view *out, char *problem, size_t size)
{
    uint64_t last_ns = 0;
    for (size_t i = 0; i < out->count; ++i) {
        int error = record_problem(&out->records[i], last_ns, i, problem, size);
        if (error < 0)
            return error;
        out->records[i].commit = 0;
        if (out->records[i].time_ns > last_ns)
            last_ns = out->records[i].time_ns;
    }
    return 0;
}

/* Reads, never maps: a file that another program cuts short meanwhile must not kill the reader. */
static int bytes_read(int descriptor, void *buffer, size_t bytes, off_t offset)
{
    for (size_t done = 0; done < bytes;) {
        ssize_t got = pread(descriptor, (char *)buffer + done, bytes - done, offset + (off_t)done);
        if (got < 0 && errno != EINTR)
            return -errno;
        if (got == 0)
            return -EIO;
        if (got > 0)
            done += (size_t)got;
    }
    return 0;
}

static int mapped_read(struct ipcmark_journal_view *out, int descriptor, size_t bytes, char *problem, size_t size)
{
    struct ipcmark_journal_header header = {0};
    int error = bytes < sizeof header ? 0 : bytes_read(descriptor, &header, sizeof header, 0);
    if (error == 0 && is_zero(&header, sizeof header) && bytes > sizeof header)
        return 0; /* reserved, and its writer died before it wrote the header */
    if (error == 0)
        error = header_problem(&header, bytes, problem, size);
    if (error < 0)
        return error;
    bytes -= sizeof header;
    out->records = malloc(bytes + sizeof *out->records);
    if (out->records == NULL)
        return -ENOMEM;
    error = bytes_read(descriptor, out->records, bytes, sizeof header);
    if (error == 0)
        error = committed_count(out, bytes, problem, size);
    return error < 0 ? error : records_check(out, problem, size);
}

static int text_read(struct ipcmark_journal_view *out, int descriptor, size_t bytes, char *problem, size_t size)
{
    char *text = malloc(bytes);
    int error = text == NULL ? -ENOMEM : bytes_read(descriptor, text, bytes, 0);
    if (error == 0)
        error = lines_read(out, text, bytes, problem, size);
    free(text);
    return error < 0 ? error : records_check(out, problem, size);
}

static int file_read(struct ipcmark_journal_view *out, int descriptor, char *problem, size_t size)
{
    struct stat status;
    char first;
    int error;
    if (fstat(descriptor, &status) < 0)
        return -errno;
    if (!S_ISREG(status.st_mode))
        return problem_set(problem, size, "not a journal: it is not a file");
    if (status.st_size > limit_bytes())
        return problem_set(problem, size, "it has %lld bytes; more than half of the memory, %lld, is not read",
                           (long long)status.st_size, (long long)limit_bytes());
    if (status.st_size == 0) /* made, and its writer died before it reserved anything */
        return 0;
    error = bytes_read(descriptor, &first, 1, 0);
    if (error < 0)
        return error;
    return (first == '{' ? text_read : mapped_read)(out, descriptor, (size_t)status.st_size, problem, size);
}

int ipcmark_journal_read(struct ipcmark_journal_view *out, const char *path, char *problem, size_t problem_size)
{
    struct ipcmark_journal_view view = {0};
    int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), error; /* a FIFO by that name must not hang us */
    if (problem_size > 0)
        problem[0] = '\0';
    if (descriptor < 0)
        return -errno;
    error = file_read(&view, descriptor, problem, problem_size);
    close(descriptor);
    if (error < 0)
        ipcmark_journal_view_free(&view);
    else
        *out = view;
    return error;
}

void ipcmark_journal_view_free(struct ipcmark_journal_view *view)
{
    free(view->records);
    memset(view, 0, sizeof *view);
}
