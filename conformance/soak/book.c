#include "book.h"

#include "ipcmark/runfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FORMAT = 1 };

struct book {
    int file;
    char commit[64];
    book_totals totals;
};

/* ---- to JSON and back -------------------------------------------------------------------------------------------- */

static void add_memory(cJSON *json, const char *name, const memory snapshots[2])
{
    static const char *const moments[] = {"start", "end"};
    cJSON *pair = cJSON_AddObjectToObject(json, name);
    for (size_t i = 0; i < 2; ++i) {
        cJSON *one = cJSON_AddObjectToObject(pair, moments[i]);
        cJSON_AddNumberToObject(one, "resident_bytes", (double)snapshots[i].resident);
        cJSON_AddNumberToObject(one, "proportional_bytes", (double)snapshots[i].proportional);
        cJSON_AddNumberToObject(one, "shared_bytes", (double)snapshots[i].shared);
        cJSON_AddNumberToObject(one, "descriptors", snapshots[i].descriptors);
        cJSON_AddNumberToObject(one, "threads", snapshots[i].threads);
        cJSON_AddNumberToObject(one, "mappings", snapshots[i].mappings);
    }
}

static void add_text(cJSON *json, const char *name, const char *text)
{
    if (text != NULL && text[0] != '\0')
        cJSON_AddStringToObject(json, name, text);
    else
        cJSON_AddNullToObject(json, name);
}

static cJSON *round_json(const soak_round *round, uint64_t number)
{
    const result *judged = &round->result;
    cJSON *json = cJSON_CreateObject();
    cJSON_AddStringToObject(json, "type", "round");
    cJSON_AddNumberToObject(json, "round", (double)number);
    cJSON_AddNumberToObject(json, "seed", (double)judged->seed);
    cJSON_AddStringToObject(json, "verdict", verdict_name(judged->verdict));
    cJSON_AddNumberToObject(json, "violations", (double)judged->violations);
    add_text(json, "violation", judged->violation);
    add_text(json, "text", judged->text);
    add_text(json, "evidence", judged->evidence);
    cJSON_AddNumberToObject(json, "seconds", round->seconds);
    cJSON_AddNumberToObject(json, "bouts", round->bouts);
    cJSON_AddNumberToObject(json, "messages", (double)judged->messages);
    cJSON_AddNumberToObject(json, "must", (double)judged->must);
    cJSON_AddNumberToObject(json, "received", (double)judged->received);
    cJSON_AddNumberToObject(json, "joins", (double)round->faults.joins);
    cJSON_AddNumberToObject(json, "leaves", (double)round->faults.leaves);
    cJSON_AddNumberToObject(json, "kills", (double)round->faults.kills);
    cJSON_AddNumberToObject(json, "kills_inside", (double)judged->kills_inside);
    cJSON_AddNumberToObject(json, "short_pauses", (double)round->faults.short_pauses);
    cJSON_AddNumberToObject(json, "long_pauses", (double)round->faults.long_pauses);
    add_memory(json, "publisher", round->publisher);
    add_memory(json, "subscriber", round->subscriber);
    add_memory(json, "coordinator", round->coordinator);
    return json;
}

static uint64_t number_of(const cJSON *json, const char *name)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(json, name);
    return cJSON_IsNumber(item) && item->valuedouble > 0 ? (uint64_t)item->valuedouble : 0;
}

static const char *text_of(const cJSON *json, const char *name)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(json, name);
    return cJSON_IsString(item) ? item->valuestring : "";
}

/* ---- what it comes to -------------------------------------------------------------------------------------------- */

/* A round that failed early measured nothing. */
static void sum_memory(book_memory *self, const cJSON *pair)
{
    const cJSON *start = cJSON_GetObjectItemCaseSensitive(pair, "start");
    const cJSON *end = cJSON_GetObjectItemCaseSensitive(pair, "end");
    const uint64_t before = number_of(start, "resident_bytes"), after = number_of(end, "resident_bytes");
    const int64_t growth = (int64_t)after - (int64_t)before;
    if (before == 0 || after == 0)
        return;
    if (!self->known) {
        self->resident[0] = before;
        self->descriptors[0] = (int)number_of(start, "descriptors");
        self->most = growth;
    }
    self->known = true;
    self->resident[1] = after;
    self->descriptors[1] = (int)number_of(end, "descriptors");
    self->most = growth > self->most ? growth : self->most;
}

/* From the line as it is in the file, so that a resumed soak comes to the same as one that went through. */
static int sum_round(book_totals *self, const cJSON *json)
{
    const cJSON *seconds = cJSON_GetObjectItemCaseSensitive(json, "seconds");
    int at = 0;
    while (at < VERDICT_COUNT && strcmp(text_of(json, "verdict"), verdict_name((verdict)at)) != 0)
        ++at;
    if (strcmp(text_of(json, "type"), "round") != 0 || at == VERDICT_COUNT || !cJSON_IsNumber(seconds))
        return -EBADMSG;
    ++self->rounds;
    ++self->by_verdict[at];
    self->seconds += seconds->valuedouble;
    self->messages += number_of(json, "messages");
    self->must += number_of(json, "must");
    self->received += number_of(json, "received");
    self->violations += number_of(json, "violations");
    self->kills_inside += number_of(json, "kills_inside");
    self->faults.joins += number_of(json, "joins");
    self->faults.leaves += number_of(json, "leaves");
    self->faults.kills += number_of(json, "kills");
    self->faults.short_pauses += number_of(json, "short_pauses");
    self->faults.long_pauses += number_of(json, "long_pauses");
    sum_memory(&self->publisher, cJSON_GetObjectItemCaseSensitive(json, "publisher"));
    sum_memory(&self->subscriber, cJSON_GetObjectItemCaseSensitive(json, "subscriber"));
    sum_memory(&self->coordinator, cJSON_GetObjectItemCaseSensitive(json, "coordinator"));
    return 0;
}

/* ---- the file ---------------------------------------------------------------------------------------------------- */

static int write_line(const book *self, const cJSON *json)
{
    char *text = cJSON_PrintUnformatted(json);
    int error = text == NULL ? -ENOMEM : 0;
    if (text != NULL) {
        const size_t length = strlen(text);
        text[length] = '\n'; /* in place of the NUL: only the length counts from here */
        const ssize_t written = write(self->file, text, length + 1);
        error = written < 0 ? -errno : (size_t)written != length + 1 ? -ENOSPC : 0;
    }
    cJSON_free(text);
    return error;
}

static book *new_book(void)
{
    book *self = calloc(1, sizeof *self);
    cJSON *environment = ipcmark_environment_capture();
    if (self != NULL) {
        self->file = -1;
        snprintf(self->commit, sizeof self->commit, "%s", text_of(environment, "commit"));
    }
    cJSON_Delete(environment);
    return self;
}

static int write_header(const book *self, const book_subject *subject)
{
    cJSON *json = cJSON_CreateObject(), *environment = ipcmark_environment_capture();
    cJSON_AddStringToObject(json, "type", "soak");
    cJSON_AddNumberToObject(json, "format", FORMAT);
    cJSON_AddStringToObject(json, "commit", self->commit);
    cJSON_AddStringToObject(json, "driver", subject->name);
    cJSON_AddNumberToObject(json, "publishers", subject->publishers);
    cJSON_AddNumberToObject(json, "subscribers", subject->subscribers);
    cJSON_AddNumberToObject(json, "seed", (double)subject->seed);
    cJSON_AddItemToObject(json, "environment", environment);
    const int error = write_line(self, json);
    cJSON_Delete(json);
    return error;
}

int book_create(book **out, const char *path, const book_subject *subject, char *problem, size_t problem_size)
{
    book *self = new_book();
    if (self == NULL)
        return -ENOMEM;
    self->file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0666);
    const int error = self->file < 0 ? -errno : write_header(self, subject);
    if (error < 0) {
        snprintf(problem, problem_size, "%s: %s; %s", path, strerror(-error),
                 error == -EEXIST ? "--resume goes on with it, or name another with --output"
                                  : "--output must name a file that can be written");
        book_close(self);
        return error;
    }
    *out = self;
    return 0;
}

static int refuse(char *problem, size_t size, const char *path, const char *what, const char *theirs, const char *ours)
{
    snprintf(problem, size,
             "%s is of %s %s, and this is %s; what they come to together would say nothing: name another "
             "file with --output",
             path, what, theirs, ours);
    return -EBADMSG;
}

static int check_header(const book *self, const char *path, const cJSON *json, book_subject *subject, bool seed_given,
                        char *problem, size_t size)
{
    char theirs[64], ours[64];
    if (strcmp(text_of(json, "type"), "soak") != 0 || number_of(json, "format") != FORMAT) {
        snprintf(problem, size, "%s is not the record of a soak; name one, or leave --resume out", path);
        return -EBADMSG;
    }
    if (strcmp(text_of(json, "commit"), self->commit) != 0)
        return refuse(problem, size, path, "commit", text_of(json, "commit"), self->commit);
    if (strcmp(text_of(json, "driver"), subject->name) != 0)
        return refuse(problem, size, path, "driver", text_of(json, "driver"), subject->name);
    snprintf(theirs, sizeof theirs, "%u and %u", (unsigned)number_of(json, "publishers"),
             (unsigned)number_of(json, "subscribers"));
    snprintf(ours, sizeof ours, "%u and %u", subject->publishers, subject->subscribers);
    if (strcmp(theirs, ours) != 0)
        return refuse(problem, size, path, "publishers and subscribers:", theirs, ours);
    snprintf(theirs, sizeof theirs, "%llu", (unsigned long long)number_of(json, "seed"));
    snprintf(ours, sizeof ours, "%llu", (unsigned long long)subject->seed);
    if (seed_given && strcmp(theirs, ours) != 0)
        return refuse(problem, size, path, "seed", theirs, ours);
    subject->seed = number_of(json, "seed");
    return 0;
}

/* A last line that was cut off is dropped, from the file as well. */
static int read_lines(book *self, const char *path, book_subject *subject, bool seed_given, char *problem, size_t size)
{
    FILE *file = fopen(path, "re");
    char *line = NULL;
    size_t room = 0;
    off_t whole = 0;
    int error = file == NULL ? -errno : 0;
    if (error < 0)
        snprintf(problem, size, "%s: %s; name a record to go on with, or leave --resume out", path, strerror(-error));
    for (size_t number = 1; error == 0; ++number) {
        const ssize_t length = getline(&line, &room, file);
        if (length <= 0 || line[length - 1] != '\n')
            break;
        cJSON *json = cJSON_Parse(line);
        if (number == 1)
            error = check_header(self, path, json, subject, seed_given, problem, size);
        else if ((error = sum_round(&self->totals, json)) < 0)
            snprintf(problem, size, "%s:%zu is not a round of a soak; name another file with --output", path, number);
        cJSON_Delete(json);
        whole += length;
    }
    if (error == 0 && whole == 0) {
        snprintf(problem, size, "%s is empty; leave --resume out after removing it", path);
        error = -EBADMSG;
    }
    free(line);
    if (file != NULL)
        fclose(file);
    return error == 0 && truncate(path, whole) < 0 ? -errno : error;
}

int book_resume(book **out, const char *path, book_subject *subject, bool seed_given, char *problem,
                size_t problem_size)
{
    book *self = new_book();
    if (self == NULL)
        return -ENOMEM;
    int error = read_lines(self, path, subject, seed_given, problem, problem_size);
    if (error == 0 && (self->file = open(path, O_WRONLY | O_APPEND | O_CLOEXEC)) < 0) {
        error = -errno;
        snprintf(problem, problem_size, "%s: %s; --resume must be able to write to it", path, strerror(errno));
    }
    if (error < 0) {
        book_close(self);
        return error;
    }
    *out = self;
    return 0;
}

int book_add(book *self, const soak_round *round)
{
    cJSON *json = round_json(round, self->totals.rounds + 1);
    int error = write_line(self, json);
    const int summed = sum_round(&self->totals, json);
    cJSON_Delete(json);
    return error < 0 ? error : summed;
}

const book_totals *book_sum(const book *self)
{
    return &self->totals;
}

const char *book_commit(const book *self)
{
    return self->commit;
}

void book_close(book *self)
{
    if (self != NULL && self->file >= 0)
        close(self->file);
    free(self);
}
