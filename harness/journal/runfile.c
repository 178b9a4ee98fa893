#include "ipcmark/runfile.h"

#include "runfile_differ.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <zlib.h>

#define FORMAT_VERSION 1

struct ipcmark_runfile {
    int descriptor; /* -1: not open */
    int error;      /* the first */
    uint64_t written;
    char id[17];
};

void ipcmark_run_id(char id[17])
{
    uint64_t number = 0;
    /* Cannot fail for so few bytes, once the kernel has booted; if it did, time still tells runs apart. */
    if (getrandom(&number, sizeof number, 0) != sizeof number) {
        struct timespec now;
        clock_gettime(CLOCK_REALTIME, &now);
        number = (uint64_t)now.tv_sec << 32 ^ (uint64_t)now.tv_nsec << 2 ^ (uint64_t)getpid();
    }
    snprintf(id, 17, "%016" PRIx64, number);
}

/* CRC-32 of the planned ids, a line each. */
static uint32_t manifest_sum(const struct ipcmark_run *run)
{
    uLong sum = crc32_z(0, NULL, 0);
    for (size_t i = 0; i < run->plan_count; ++i) {
        sum = crc32_z(sum, (const Bytef *)run->plan[i], strlen(run->plan[i]));
        sum = crc32_z(sum, (const Bytef *)"\n", 1);
    }
    return (uint32_t)sum;
}

static int time_add(cJSON *json, const char *name)
{
    char text[32];
    struct tm calendar;
    time_t now = time(NULL);
    gmtime_r(&now, &calendar);
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &calendar);
    return cJSON_AddStringToObject(json, name, text) == NULL ? -ENOMEM : 0;
}

static cJSON *header_new(const struct ipcmark_run *run, const char *id)
{
    cJSON *json = cJSON_CreateObject();
    const cJSON *member;
    char manifest[9];
    snprintf(manifest, sizeof manifest, "%08" PRIx32, manifest_sum(run));
    cJSON_AddStringToObject(json, "record", "header");
    cJSON_AddNumberToObject(json, "format", FORMAT_VERSION);
    cJSON_AddStringToObject(json, "kind", run->kind);
    cJSON_AddStringToObject(json, "suite_version", IPCMARK_VERSION);
    if (run->contract_version == NULL)
        cJSON_AddNullToObject(json, "contract_version");
    else
        cJSON_AddStringToObject(json, "contract_version", run->contract_version);
    cJSON_AddStringToObject(json, "run", id);
    cJSON_AddNumberToObject(json, "seed", (double)run->seed);
    cJSON_AddStringToObject(json, "command", run->command);
    time_add(json, "started");
    cJSON_AddStringToObject(json, "manifest", manifest);
    cJSON_AddNumberToObject(json, "planned", (double)run->planned);
    cJSON_AddItemToObject(json, "environment", ipcmark_environment_capture());
    cJSON_AddItemToObject(json, "drivers",
                          run->drivers == NULL ? cJSON_CreateArray() : cJSON_Duplicate(run->drivers, 1));
    cJSON_ArrayForEach(member, run->more)
    {
        cJSON_AddItemToObject(json, member->string, cJSON_Duplicate(member, 1));
    }
    if (cJSON_GetArraySize(json) != 13 + cJSON_GetArraySize(run->more)) { /* an addition ran out of memory */
        cJSON_Delete(json);
        return NULL;
    }
    return json;
}

/* All of it, newline included, by one write unless the disk takes less. */
static int bytes_write(int descriptor, const char *bytes, size_t size)
{
    while (size > 0) {
        ssize_t done = write(descriptor, bytes, size);
        if (done < 0 && errno != EINTR)
            return -errno;
        if (done > 0) {
            bytes += done;
            size -= (size_t)done;
        }
    }
    return 0;
}

/* A line that was not written whole is taken back: whoever goes on, now or by --resume, finds whole lines only. */
static int line_write(struct ipcmark_runfile *runfile, const cJSON *record)
{
    const off_t before = lseek(runfile->descriptor, 0, SEEK_CUR); /* -1: a pipe, from which nothing is taken back */
    char *line = cJSON_PrintUnformatted(record);
    size_t length = line == NULL ? 0 : strlen(line);
    int error = line == NULL ? -ENOMEM : 0;
    if (error == 0) {
        line[length] = '\n'; /* in place of the NUL: the length is known */
        error = bytes_write(runfile->descriptor, line, length + 1);
        if (error < 0 && before >= 0 && ftruncate(runfile->descriptor, before) == 0)
            lseek(runfile->descriptor, before, SEEK_SET);
    }
    cJSON_free(line);
    if (error < 0 && runfile->error == 0)
        runfile->error = error;
    return error;
}

static void runfile_free(struct ipcmark_runfile *runfile)
{
    if (runfile->descriptor > STDERR_FILENO)
        close(runfile->descriptor);
    free(runfile);
}

/* Opens what the runfile writes to. */
static int runfile_new(struct ipcmark_runfile **out, const char *path, int flags)
{
    struct ipcmark_runfile *runfile = calloc(1, sizeof *runfile);
    if (runfile == NULL)
        return -ENOMEM;
    runfile->descriptor = strcmp(path, "-") == 0 ? STDOUT_FILENO : open(path, flags | O_CLOEXEC, 0666);
    if (runfile->descriptor < 0) {
        int error = -errno;
        free(runfile);
        return error;
    }
    *out = runfile;
    return 0;
}

int ipcmark_runfile_open(struct ipcmark_runfile **out, const char *path, const struct ipcmark_run *run)
{
    struct ipcmark_runfile *runfile = NULL;
    cJSON *header;
    int error = runfile_new(&runfile, path, O_WRONLY | O_CREAT | O_TRUNC);
    if (runfile == NULL)
        return error;
    ipcmark_run_id(runfile->id);
    header = header_new(run, runfile->id);
    error = header == NULL ? -ENOMEM : line_write(runfile, header);
    cJSON_Delete(header);
    if (error < 0)
        runfile_free(runfile);
    else
        *out = runfile;
    return error;
}

int ipcmark_runfile_header(struct cJSON **out, const char *path)
{
    FILE *file = fopen(path, "re");
    char *line = NULL;
    size_t size = 0;
    cJSON *header;
    const char *kind;
    if (file == NULL)
        return -errno;
    header = getline(&line, &size, file) > 0 ? cJSON_Parse(line) : NULL;
    fclose(file);
    free(line);
    kind = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(header, "record"));
    if (kind == NULL || strcmp(kind, "header") != 0) {
        cJSON_Delete(header);
        return -EBADMSG;
    }
    *out = header;
    return 0;
}

static int is_same_text(const cJSON *one, const cJSON *other, const char *name)
{
    const char *a = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(one, name));
    const char *b = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(other, name));
    return a != NULL && b != NULL && strcmp(a, b) == 0;
}

/* 0, and the run's id taken over, if the line is the header of this run. */
static int header_adopt(struct ipcmark_runfile *runfile, const cJSON *header, const struct ipcmark_run *run)
{
    const char *id = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(header, "run"));
    const cJSON *seed = cJSON_GetObjectItemCaseSensitive(header, "seed");
    const cJSON *planned = cJSON_GetObjectItemCaseSensitive(header, "planned");
    cJSON *wanted = header_new(run, "");
    int same = wanted != NULL && is_same_text(header, wanted, "record") && is_same_text(header, wanted, "kind") &&
               is_same_text(header, wanted, "suite_version") && is_same_text(header, wanted, "manifest") &&
               cJSON_IsNumber(seed) && (uint64_t)seed->valuedouble == run->seed && cJSON_IsNumber(planned) &&
               (size_t)planned->valuedouble == run->planned && id != NULL && strlen(id) == sizeof runfile->id - 1;
    cJSON_Delete(wanted);
    if (!same)
        return -EBADMSG;
    memcpy(runfile->id, id, sizeof runfile->id);
    return 0;
}

int ipcmark_run_same(const struct cJSON *header, const struct ipcmark_run *run, char *text, size_t size)
{
    cJSON *wanted = header_new(run, "");
    int error = wanted == NULL ? -ENOMEM : runfile_differ(header, wanted, run->more, text, size);
    cJSON_Delete(wanted);
    return error;
}

struct resumption {
    const struct ipcmark_run *run;
    void (*done)(void *context, const cJSON *record);
    void *context;
};

/* Takes in the lines; *end is set behind the last that stays. */
static int lines_adopt(struct ipcmark_runfile *runfile, const char *text, size_t size,
                       const struct resumption *resumption, size_t *end)
{
    size_t at = 0;
    const char *newline;
    while (at < size && (newline = memchr(text + at, '\n', size - at)) != NULL) {
        cJSON *record = cJSON_ParseWithLength(text + at, (size_t)(newline - text) - at);
        const char *kind = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(record, "record"));
        int error = kind == NULL ? -EBADMSG : 0;
        int footer = kind != NULL && strcmp(kind, "footer") == 0;
        if (error == 0 && at == 0)
            error = header_adopt(runfile, record, resumption->run);
        else if (error == 0 && !footer) {
            resumption->done(resumption->context, record);
            ++runfile->written;
        }
        cJSON_Delete(record);
        if (error < 0)
            return error;
        if (footer)
            break;
        at = (size_t)(newline - text) + 1;
    }
    *end = at;
    return at == 0 ? -EBADMSG : 0;
}

int ipcmark_runfile_resume(struct ipcmark_runfile **out, const char *path, const struct ipcmark_run *run,
                           void (*done)(void *context, const cJSON *record), void *context)
{
    const struct resumption resumption = {run, done, context};
    struct ipcmark_runfile *runfile = NULL;
    struct stat status;
    char *text = NULL;
    size_t end = 0;
    int error = runfile_new(&runfile, path, O_RDWR);
    if (runfile == NULL)
        return error;
    if (fstat(runfile->descriptor, &status) < 0 || !S_ISREG(status.st_mode)) {
        error = -EBADMSG;
        goto out;
    }
    text = malloc((size_t)status.st_size + 1);
    if (text == NULL) {
        error = -ENOMEM;
        goto out;
    }
    if (pread(runfile->descriptor, text, (size_t)status.st_size, 0) != status.st_size)
        error = -EIO;
    else
        error = lines_adopt(runfile, text, (size_t)status.st_size, &resumption, &end);
    if (error == 0 && (ftruncate(runfile->descriptor, (off_t)end) < 0 || lseek(runfile->descriptor, 0, SEEK_END) < 0))
        error = -errno;
out:
    free(text);
    if (error < 0)
        runfile_free(runfile);
    else
        *out = runfile;
    return error;
}

const char *ipcmark_runfile_id(const struct ipcmark_runfile *runfile)
{
    return runfile->id;
}

int ipcmark_runfile_append(struct ipcmark_runfile *runfile, const cJSON *record)
{
    int error = line_write(runfile, record);
    runfile->written += error == 0;
    return error;
}

int ipcmark_runfile_close(struct ipcmark_runfile *runfile, int exit_code, int interrupted)
{
    cJSON *footer;
    int error;
    if (runfile == NULL)
        return 0;
    footer = cJSON_CreateObject();
    cJSON_AddStringToObject(footer, "record", "footer");
    time_add(footer, "finished");
    cJSON_AddNumberToObject(footer, "exit", exit_code);
    cJSON_AddNumberToObject(footer, "written", (double)runfile->written);
    cJSON_AddBoolToObject(footer, "interrupted", interrupted);
    if (cJSON_GetArraySize(footer) != 5)
        runfile->error = runfile->error == 0 ? -ENOMEM : runfile->error;
    else
        line_write(runfile, footer);
    cJSON_Delete(footer);
    error = runfile->error;
    runfile_free(runfile);
    return error;
}
