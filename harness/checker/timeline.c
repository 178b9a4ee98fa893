/* What happened around the first violation, for people: gathered from journals, faults, drains, observations and
 * schedule; the nearest are told. */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ipcmark/checker.h"

/* What the violation consists of is told in any case, its neighbours on the same way next, then the rest. */
enum rank { RANK_KEY, RANK_NEIGHBOUR, RANK_AROUND };

struct moment {
    uint64_t time_ns, distance_ns;
    size_t order; /* of finding, where times are equal */
    enum rank rank;
    char text[232];
};

/* A message's publish. */
struct passage {
    uint64_t invoke_ns, outcome_ns;
    uint64_t size;
    uint32_t parts;
    int32_t error;
    uint8_t outcome;
};

struct telling {
    const struct ipcmark_history *history;
    const struct ipcmark_judgement *judgement;
    const struct ipcmark_about *about;
    struct moment *moments;
    size_t count, capacity;
    struct passage passages[3]; /* of the message before, of the message, of the one behind it */
    int32_t *counts;            /* by member: the latest count of peers; -1: none */
    int failed;                 /* out of memory */
};

static void tell(struct telling *self, enum rank rank, uint64_t time_ns, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
static void tell(struct telling *self, enum rank rank, uint64_t time_ns, const char *format, ...)
{
    struct moment *moment;
    va_list arguments;
    if (self->count == self->capacity) {
        size_t capacity = 2 * self->capacity + 64;
        struct moment *grown = realloc(self->moments, capacity * sizeof *grown);
        if (grown == NULL) {
            self->failed = 1;
            return;
        }
        self->moments = grown;
        self->capacity = capacity;
    }
    moment = &self->moments[self->count];
    *moment = (struct moment){.time_ns = time_ns, .order = self->count++, .rank = rank};
    va_start(arguments, format);
    vsnprintf(moment->text, sizeof moment->text, format, arguments);
    va_end(arguments);
}

/* ---- who ------------------------------------------------------------------------------------------------------- */

#define NAME_SIZE 96

/* "publisher 3", "publisher 3 (epoch 2)"; by number where there is no name. */
static const char *name_write(char name[NAME_SIZE], const struct ipcmark_member *member)
{
    const char *role = member->role == IPCMARK_PUBLISHER ? "publisher" : "subscriber";
    int length = member->name != NULL ? snprintf(name, NAME_SIZE, "%.64s", member->name)
                                      : snprintf(name, NAME_SIZE, "%s %u", role, member->endpoint);
    if (member->epoch > 1)
        snprintf(name + length, NAME_SIZE - (size_t)length, " (epoch %u)", member->epoch);
    return name;
}
#define NAME(member) name_write((char[NAME_SIZE]){0}, member)

static const struct ipcmark_member *member_find(const struct ipcmark_history *history, uint16_t endpoint,
                                                uint16_t epoch)
{
    for (size_t i = 0; i < history->member_count; ++i)
        if (history->members[i].endpoint == endpoint && history->members[i].epoch == epoch)
            return &history->members[i];
    return NULL;
}

static int has_publisher(const struct telling *self)
{
    return self->about->publisher != IPCMARK_NO_ENDPOINT;
}

static int has_subscriber(const struct telling *self)
{
    return self->about->subscriber != IPCMARK_NO_ENDPOINT;
}

/* Whether the violation is about this endpoint, in whatever life; if it is about nobody, everybody is meant. */
static int is_concerned(const struct telling *self, const struct ipcmark_member *member)
{
    if (!has_publisher(self) && !has_subscriber(self))
        return 1;
    return member->endpoint == self->about->publisher || member->endpoint == self->about->subscriber;
}

/* ---- the message's way --------------------------------------------------------------------------------------------
 */

static int is_of_stream(const struct ipcmark_about *about, const struct ipcmark_record *record)
{
    return record->publisher == about->publisher && record->epoch == about->epoch && record->thread == about->thread &&
           (record->flags & IPCMARK_UNFRAMED) == 0;
}

static void passage_note(struct telling *self, const struct ipcmark_record *record)
{
    /* Begins at the sequence before the message's own; below 0 it wraps, and is far. */
    uint64_t index = record->sequence - self->about->sequence + 1;
    struct passage *passage = &self->passages[index < 3 ? index : 0];
    if (index >= 3 || record->publisher != self->about->publisher || record->epoch != self->about->epoch ||
        record->thread != self->about->thread)
        return;
    if (record->kind == IPCMARK_INVOKE) {
        passage->invoke_ns = record->time_ns;
        passage->size = record->size;
        passage->parts = record->parts;
    } else {
        passage->outcome_ns = record->time_ns;
        passage->outcome = record->kind;
        passage->error = record->error;
    }
}

static void passages_tell(struct telling *self)
{
    const struct ipcmark_member *publisher = member_find(self->history, self->about->publisher, self->about->epoch);
    for (uint64_t i = 0; publisher != NULL && i < 3; ++i) {
        const struct passage *passage = &self->passages[i];
        char outcome[96] = "with no outcome";
        if (passage->invoke_ns == 0)
            continue;
        if (passage->outcome != 0)
            snprintf(outcome, sizeof outcome, "%s%s%s after %.1f µs",
                     passage->outcome == IPCMARK_OK       ? "OK"
                     : passage->outcome == IPCMARK_FAILED ? "FAILED"
                                                          : "UNKNOWN",
                     passage->error < 0 ? ", " : "", passage->error < 0 ? strerror(-passage->error) : "",
                     (double)(passage->outcome_ns - passage->invoke_ns) / 1e3);
        tell(self, i == 1 ? RANK_KEY : RANK_NEIGHBOUR, passage->invoke_ns,
             "%s publishes message %" PRIu64 " (thread %u, %" PRIu64 " bytes in %" PRIu32 " parts): %s",
             NAME(publisher), self->about->sequence + i - 1, self->about->thread, passage->size, passage->parts,
             outcome);
    }
}

static void receipt_tell(struct telling *self, const struct ipcmark_member *subscriber,
                         const struct ipcmark_record *record)
{
    const struct ipcmark_about *about = self->about;
    const struct ipcmark_member *publisher = member_find(self->history, record->publisher, record->epoch);
    int shows = record->time_ns == self->judgement->violation_ns;
    uint64_t index = about->sequence == IPCMARK_NO_SEQUENCE || !is_of_stream(about, record)
                         ? 3
                         : record->sequence - about->sequence + 1;
    if (index >= 3 && !shows)
        return;
    if ((record->flags & IPCMARK_UNFRAMED) != 0)
        tell(self, RANK_KEY, record->time_ns,
             "%s receives a message of %" PRIu64 " bytes in %" PRIu32 " parts, without a header", NAME(subscriber),
             record->size, record->parts);
    else
        tell(self, shows || index == 1 ? RANK_KEY : RANK_NEIGHBOUR, record->time_ns,
             "%s receives message %" PRIu64 " of %s (thread %u, %" PRIu64 " bytes in %" PRIu32 " parts%s)",
             NAME(subscriber), record->sequence, publisher == NULL ? "nobody known" : NAME(publisher), record->thread,
             record->size, record->parts, record->error < 0 ? ", damaged" : "");
}

/* ---- what both sides were told --------------------------------------------------------------------------------- */

static void peer_tell(struct telling *self, const struct ipcmark_member *reporter, const struct ipcmark_record *record)
{
    const struct ipcmark_member *peer = member_find(self->history, record->publisher, record->epoch);
    if (has_publisher(self) && has_subscriber(self) && peer != NULL && !is_concerned(self, peer))
        return; /* another pair's */
    tell(self, RANK_AROUND, record->time_ns, "%s is told that %s is %s", NAME(reporter),
         peer == NULL ? "a peer" : NAME(peer), record->kind == IPCMARK_PEER_UP ? "connected" : "disconnected");
}

static void count_tell(struct telling *self, const struct ipcmark_member *reporter, const struct ipcmark_record *record)
{
    int32_t *latest = &self->counts[reporter - self->history->members];
    if (*latest != record->count)
        tell(self, RANK_AROUND, record->time_ns, "%s counts %" PRId32 " peers", NAME(reporter), record->count);
    *latest = record->count;
}

static void life_tell(struct telling *self, const struct ipcmark_member *who, const struct ipcmark_record *record)
{
    static const char *const words[] = {[IPCMARK_OPEN_INVOKE] = "begins to open",
                                        [IPCMARK_OPEN_DONE] = "is open",
                                        [IPCMARK_CLOSE_INVOKE] = "begins to close",
                                        [IPCMARK_CLOSE_DONE] = "is closed"};
    if (record->error < 0)
        tell(self, RANK_AROUND, record->time_ns, "%s could not be opened: %s", NAME(who), strerror(-record->error));
    else
        tell(self, RANK_AROUND, record->time_ns, "%s %s", NAME(who), words[record->kind]);
}

static void record_tell(struct telling *self, const struct ipcmark_record *record)
{
    const struct ipcmark_member *who;
    if (record->kind >= IPCMARK_INVOKE && record->kind <= IPCMARK_UNKNOWN) {
        if (has_publisher(self) && self->about->sequence != IPCMARK_NO_SEQUENCE)
            passage_note(self, record);
        return;
    }
    if (record->kind == IPCMARK_RECEIVED &&
        (record->endpoint != self->about->subscriber || record->endpoint_epoch != self->about->subscriber_epoch))
        return;
    who = member_find(self->history, record->endpoint, record->endpoint_epoch);
    if (who == NULL || !is_concerned(self, who))
        return;
    if (record->kind == IPCMARK_RECEIVED)
        receipt_tell(self, who, record);
    else if (record->kind == IPCMARK_PEERS)
        count_tell(self, who, record);
    else
        (record->kind > IPCMARK_RECEIVED ? peer_tell : life_tell)(self, who, record);
}

/* ---- what both sides suffered ---------------------------------------------------------------------------------- */

static void fault_tell(struct telling *self, const struct ipcmark_fault *fault)
{
    static const char *const words[][2] = {
        [IPCMARK_FAULT_KILL] = {"is killed, or may be from now on", "is dead"},
        [IPCMARK_FAULT_PAUSE] = {"is stopped", "goes on"},
        [IPCMARK_FAULT_CLOSE] = {"is told to close", "has closed"},
        [IPCMARK_FAULT_OVERLOAD] = {"is held back on purpose", "is no longer held back"}};
    for (size_t i = 0; i < self->history->member_count; ++i) {
        const struct ipcmark_member *member = &self->history->members[i];
        if (member->process != fault->process || !is_concerned(self, member))
            continue;
        tell(self, RANK_AROUND, fault->from_ns, "%s %s", NAME(member), words[fault->kind][0]);
        if (fault->until_ns != 0 && fault->until_ns != UINT64_MAX)
            tell(self, RANK_AROUND, fault->until_ns, "%s %s", NAME(member), words[fault->kind][1]);
    }
}

static void drain_tell(struct telling *self, const struct ipcmark_drain *drain)
{
    const struct ipcmark_member *subscriber = member_find(self->history, drain->subscriber, drain->subscriber_epoch);
    const struct ipcmark_member *publisher = member_find(self->history, drain->publisher, drain->epoch);
    char upto[40] = "its last message";
    if (subscriber == NULL || publisher == NULL || (has_subscriber(self) && !is_concerned(self, subscriber)) ||
        (has_publisher(self) && !is_concerned(self, publisher)))
        return;
    if (drain->sequence != IPCMARK_TO_THE_END)
        snprintf(upto, sizeof upto, "message %" PRIu64, drain->sequence);
    tell(self, RANK_AROUND, drain->until_ns, "%s %s of %s up to %s", NAME(subscriber),
         drain->reached ? "has everything" : "has been waited for in vain: it has not everything", NAME(publisher),
         upto);
}

/* "  0.3512 s  kill publisher 3", since the origin. */
static void schedule_tell(struct telling *self)
{
    uint64_t origin_ns = self->history->expectation.origin_ns;
    const char *line = self->history->schedule;
    while (line != NULL && *line != '\0' && origin_ns != 0) {
        double seconds;
        int text = 0;
        size_t length = strcspn(line, "\n");
        if (sscanf(line, " %lf s %n", &seconds, &text) == 1 && text > 0 && (size_t)text < length && seconds >= 0 &&
            seconds < 1e9)
            tell(self, RANK_AROUND, origin_ns + (uint64_t)(seconds * 1e9), "the play: %.*s", (int)length - text,
                 line + text);
        line += length + (line[length] == '\n');
    }
}

static void all_tell(struct telling *self)
{
    const struct ipcmark_history *history = self->history;
    const struct ipcmark_judgement *judgement = self->judgement;
    for (size_t j = 0; j < history->journal_count; ++j)
        for (size_t i = 0; i < history->journals[j].view.count; ++i)
            record_tell(self, &history->journals[j].view.records[i]);
    passages_tell(self);
    for (size_t i = 0; i < history->fault_count; ++i)
        fault_tell(self, &history->faults[i]);
    for (size_t i = 0; i < history->drain_count; ++i)
        drain_tell(self, &history->drains[i]);
    for (size_t i = 0; i < history->observation_count; ++i)
        tell(self, RANK_AROUND, history->observations[i].time_ns, "seen: %s", history->observations[i].text);
    schedule_tell(self);
    tell(self, RANK_KEY, judgement->violation_ns, "here it shows: %s", ipcmark_class_text(judgement->class_));
}

/* ---- the choice -------------------------------------------------------------------------------------------------- */

/* From where the violation begins or from where it shows, whichever is nearer. What came later explains less. */
static void distances_measure(struct telling *self)
{
    uint64_t until = self->judgement->violation_ns, from = until;
    for (size_t i = 0; i < self->count; ++i)
        if (self->moments[i].rank == RANK_KEY && self->moments[i].time_ns < from)
            from = self->moments[i].time_ns;
    for (size_t i = 0; i < self->count; ++i) {
        uint64_t now = self->moments[i].time_ns;
        uint64_t before = now > from ? now - from : from - now;
        self->moments[i].distance_ns = now > until ? 4 * (now - until) : before < until - now ? before : until - now;
    }
}

static int importance_compare(const void *one, const void *other)
{
    const struct moment *a = one, *b = other;
    if (a->rank != b->rank)
        return a->rank < b->rank ? -1 : 1;
    if (a->distance_ns != b->distance_ns)
        return a->distance_ns < b->distance_ns ? -1 : 1;
    return (a->order > b->order) - (a->order < b->order);
}

static int time_compare(const void *one, const void *other)
{
    const struct moment *a = one, *b = other;
    if (a->time_ns != b->time_ns)
        return a->time_ns < b->time_ns ? -1 : 1;
    return (a->order > b->order) - (a->order < b->order);
}

static char *moments_print(const struct telling *self, size_t count)
{
    char *text = NULL;
    size_t size;
    FILE *file = open_memstream(&text, &size);
    if (file == NULL)
        return NULL;
    for (size_t i = 0; i < count; ++i) {
        const struct moment *moment = &self->moments[i];
        fprintf(file, "%s %+12.6f s  %s\n", moment->rank == RANK_KEY ? ">" : " ",
                ((double)moment->time_ns - (double)self->judgement->origin_ns) / 1e9, moment->text);
    }
    if (fclose(file) == 0)
        return text;
    free(text);
    return NULL;
}

char *ipcmark_timeline(const struct ipcmark_history *history, const struct ipcmark_judgement *judgement, size_t lines)
{
    struct telling self = {.history = history, .judgement = judgement, .about = &judgement->about};
    char *text = NULL;
    size_t count;
    if (judgement->verdict != IPCMARK_FAIL)
        return strdup("");
    self.counts = malloc((history->member_count + 1) * sizeof *self.counts);
    if (self.counts == NULL)
        return NULL;
    for (size_t i = 0; i < history->member_count; ++i)
        self.counts[i] = -1;
    all_tell(&self);
    if (self.failed)
        goto out;
    distances_measure(&self);
    qsort(self.moments, self.count, sizeof *self.moments, importance_compare);
    count = self.count < lines ? self.count : lines;
    qsort(self.moments, count, sizeof *self.moments, time_compare);
    text = moments_print(&self, count);
out:
    free(self.moments);
    free(self.counts);
    return text;
}
