/* Messages: published, waited for, sent to and fro. */
#include "endpoint.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>

static ipcmark_call *public_part(struct call *call)
{
    return call == NULL ? NULL : &call->public;
}

/* ---- publish ---- */

/* What was asked for, and where each thread's sequence was then. */
struct publication {
    struct endpoint *endpoint;
    uint64_t asked; /* of all threads; 0: as many as there is time for */
    uint64_t before[];
};

/* How far the sequences that the reply speaks of have gone on. */
static uint64_t take_last(struct publication *publication, const cJSON *last)
{
    struct endpoint *endpoint = publication->endpoint;
    uint64_t progress = 0;
    const cJSON *pair;
    cJSON_ArrayForEach(pair, last)
    {
        const cJSON *thread = cJSON_GetArrayItem(pair, 0), *sequence = cJSON_GetArrayItem(pair, 1);
        if (thread->valuedouble >= MAX_THREADS)
            continue;
        uint64_t before = publication->before[thread->valueint], now = (uint64_t)sequence->valuedouble;
        progress += now > before ? now - before : 0;
        endpoint->last[thread->valueint].used = true;
        endpoint->last[thread->valueint].sequence = now;
    }
    return progress;
}

/* It said less than was asked for, or more than `last` bears out; a drain asks for that, and the checker looks it up in
 * the journal. NULL: neither. */
static const char *find_fault(struct call *call, const struct publication *publication, uint64_t progress)
{
    const struct endpoint *endpoint = publication->endpoint;
    const uint64_t attempted = ipcmark_reply_count(&call->public, "attempted");
    const uint64_t published = ipcmark_reply_count(&call->public, "published");
    ipcmark_trial *trial = call->participant->trial;
    /* A close ends what is under way. */
    bool whole = !endpoint->closing && !endpoint->participant->stopping;
    if (publication->asked > 0 && (attempted > publication->asked || (whole && attempted < publication->asked)))
        return trial_note(trial, "publish: \"attempted\" is %llu, and %llu were asked for",
                          (unsigned long long)attempted, (unsigned long long)publication->asked);
    if (published > progress)
        return trial_note(trial, "publish: \"published\" is %llu, and by \"last\" it went on by %llu",
                          (unsigned long long)published, (unsigned long long)progress);
    if (!call_lasted(call, ipcmark_reply_number(&call->public, "first_ns", 0),
                     ipcmark_reply_number(&call->public, "last_ns", 0)))
        return "publish: \"first_ns\" and \"last_ns\" are not times between the request and the reply";
    return NULL;
}

static void on_published(struct call *call, void *context)
{
    struct publication *publication = context;
    if (call->public.status != IPCMARK_DONE)
        return;
    uint64_t progress = take_last(publication, cJSON_GetObjectItemCaseSensitive(call->public.reply, "last"));
    call_doubt(call, find_fault(call, publication, progress));
}

/* NULL: out of memory. */
static struct publication *publication_of(ipcmark_trial *trial, struct endpoint *endpoint,
                                          const ipcmark_publish_options *options, unsigned threads)
{
    struct publication *self = trial_note_bytes(trial, sizeof *self + MAX_THREADS * sizeof self->before[0]);
    if (self == NULL)
        return NULL;
    self->endpoint = endpoint;
    self->asked = options->seconds > 0 ? 0 : options->count * threads;
    for (unsigned thread = 0; thread < MAX_THREADS; ++thread)
        self->before[thread] = endpoint->last[thread].sequence;
    return self;
}

static void add_sizes(cJSON *fields, const ipcmark_publish_options *options)
{
    cJSON *sizes = cJSON_AddArrayToObject(fields, "sizes");
    for (size_t i = 0; i < options->sizes_count; ++i)
        cJSON_AddItemToArray(sizes, cJSON_CreateNumber((double)options->sizes[i]));
    if (options->sizes_count == 0)
        cJSON_AddItemToArray(sizes, cJSON_CreateNumber(64));
}

static cJSON *publish_fields(const ipcmark_publish_options *options, unsigned threads)
{
    static const char *const moments[] = {"inside", "before", "after"};
    cJSON *fields = cJSON_CreateObject();
    if (options->count > 0)
        cJSON_AddNumberToObject(fields, "count", (double)options->count);
    if (options->seconds > 0)
        cJSON_AddNumberToObject(fields, "seconds", options->seconds);
    add_sizes(fields, options);
    cJSON_AddNumberToObject(fields, "parts", options->parts == 0 ? 1 : options->parts);
    if (options->rate > 0)
        cJSON_AddNumberToObject(fields, "rate", options->rate);
    if (options->rate > 0 && options->jitter > 0)
        cJSON_AddNumberToObject(fields, "jitter", options->jitter);
    cJSON_AddNumberToObject(fields, "threads", threads);
    if (options->rate > 0 && options->sleeps)
        cJSON_AddTrueToObject(fields, "sleep");
    if (options->rate > 0 && options->dry)
        cJSON_AddTrueToObject(fields, "dry");
    if (options->retries)
        cJSON_AddTrueToObject(fields, "retry");
    if (options->start_at_ns > 0)
        cJSON_AddNumberToObject(fields, "start_at_ns", (double)options->start_at_ns);
    if (options->kill_self_at > 0) {
        cJSON_AddNumberToObject(fields, "kill_self_at", (double)options->kill_self_at);
        cJSON_AddStringToObject(fields, "kill_self_moment", moments[options->kill_self_moment]);
    }
    if (options->overwrite)
        cJSON_AddTrueToObject(fields, "overwrite");
    return fields;
}

/* How long it takes by its own description, whatever the implementation does. */
static double expected_seconds(const ipcmark_publish_options *options)
{
    uint64_t now = ipcmark_now_ns();
    double seconds = options->seconds;
    if (options->rate > 0 && options->count > 0 && (seconds <= 0 || (double)options->count / options->rate < seconds))
        seconds = (double)options->count / options->rate;
    if (options->start_at_ns > now)
        seconds += (double)(options->start_at_ns - now) * 1e-9;
    return seconds;
}

ipcmark_call *ipcmark_publish(ipcmark_trial *trial, uint16_t id, const ipcmark_publish_options *options)
{
    static const ipcmark_publish_options one = {.count = 1};
    struct endpoint *endpoint = endpoint_find(trial, id);
    if (options == NULL)
        options = &one;
    unsigned threads = options->threads == 0 ? 1 : options->threads;
    if (endpoint == NULL || !endpoint->publisher || threads > MAX_THREADS ||
        (options->count == 0 && options->seconds <= 0) || options->kill_self_moment > IPCMARK_AFTER)
        return public_part(call_invalid(trial, "publish",
                                        "\"publish\" needs a publisher, a count or seconds, and at "
                                        "most 64 threads"));
    double deadline = options->deadline_seconds > 0 ? options->deadline_seconds
                                                    : trial->options.deadline_seconds + expected_seconds(options);
    if (threads > endpoint->threads)
        endpoint->threads = threads;
    struct publication *publication = publication_of(trial, endpoint, options, threads);
    if (publication == NULL)
        return NULL;
    struct call *call = endpoint_call(trial, id, "publish", publish_fields(options, threads), deadline);
    if (call != NULL && call->public.status == IPCMARK_PENDING) {
        call->ended = on_published;
        call->context = publication;
        if (options->kill_self_at > 0)
            call_declare_death(call);
    }
    return public_part(call);
}

ipcmark_call *ipcmark_sentinel(ipcmark_trial *trial, uint16_t id)
{
    struct endpoint *endpoint = endpoint_find(trial, id);
    ipcmark_publish_options options = {.count = 1, .threads = endpoint == NULL ? 1 : endpoint->threads};
    return ipcmark_publish(trial, id, &options);
}

/* ---- drain ---- */

struct drained {
    struct endpoint *subscriber;
    size_t count;
    struct ipcmark_drain of[];
};

static void on_drained(struct call *call, void *context)
{
    struct drained *drained = context;
    /* Only that tells of the implementation; any other is the agent's. */
    if (call->public.status == IPCMARK_REFUSED && strcmp(call->public.code, "ETIMEDOUT") != 0)
        trial_trouble(call->participant->trial, IPCMARK_CLASS_NONE, call->participant,
                      "%s, where only ETIMEDOUT says that not all has been received", call->public.text);
    for (size_t i = 0; i < drained->count; ++i) {
        drained->of[i].from_ns = call->public.begun_ns;
        drained->of[i].until_ns = call->public.ended_ns;
        drained->of[i].reached = call->public.status == IPCMARK_DONE;
        ipcmark_history_log_drain(call->participant->trial->history, &drained->of[i]);
    }
}

static void read_journal(struct endpoint *publisher, const char *path)
{
    struct ipcmark_journal_view view;
    char problem[256];
    if (ipcmark_journal_read(&view, path, problem, sizeof problem) < 0)
        return; /* the checker will say so */
    for (size_t i = 0; i < view.count; ++i) {
        const struct ipcmark_record *record = &view.records[i];
        if (record->kind != IPCMARK_OK || record->publisher != publisher->id || record->epoch != publisher->epoch ||
            record->thread >= MAX_THREADS)
            continue;
        publisher->last[record->thread].used = true;
        if (record->sequence > publisher->last[record->thread].sequence)
            publisher->last[record->thread].sequence = record->sequence;
    }
    ipcmark_journal_view_free(&view);
}

/* The dead cannot say what their last message was, but their journals can: all of N and N.K, in whatever order their
 * threads took turns at them. */
static void read_journals(ipcmark_trial *trial, struct endpoint *publisher)
{
    const char *folder = trial_note(trial, "%s/journals", trial->directory);
    DIR *directory = opendir(folder);
    if (directory == NULL)
        return;
    for (struct dirent *entry; (entry = readdir(directory)) != NULL;) {
        char *end;
        if (strtoul(entry->d_name, &end, 10) == publisher->participant->number && end != entry->d_name &&
            (*end == '\0' || *end == '.'))
            read_journal(publisher, trial_note(trial, "%s/%s", folder, entry->d_name));
    }
    closedir(directory);
}

static void add_publisher(struct drained *drained, cJSON *until, struct endpoint *publisher)
{
    bool dead = publisher->participant->ended;
    struct ipcmark_drain drain = {.subscriber = drained->subscriber->id,
                                  .subscriber_epoch = drained->subscriber->epoch,
                                  .publisher = publisher->id,
                                  .epoch = publisher->epoch};
    for (unsigned thread = 0; thread < MAX_THREADS; ++thread) {
        if (!publisher->last[thread].used)
            continue;
        double row[] = {publisher->id, publisher->epoch, thread, (double)publisher->last[thread].sequence};
        cJSON_AddItemToArray(until, cJSON_CreateDoubleArray(row, 4));
        drain.thread = (uint16_t)thread;
        drain.sequence = publisher->last[thread].sequence;
        if (!dead)
            drained->of[drained->count++] = drain;
    }
    if (dead) {
        drain.thread = IPCMARK_ANY_THREAD;
        drain.sequence = IPCMARK_TO_THE_END;
        drained->of[drained->count++] = drain;
    }
}

ipcmark_call *ipcmark_drain(ipcmark_trial *trial, uint16_t subscriber, const uint16_t *publishers, size_t count,
                            double timeout_seconds)
{
    double seconds = timeout_seconds > 0 ? timeout_seconds : trial->options.deadline_seconds;
    struct drained *drained = trial_note_bytes(trial, sizeof *drained + count * MAX_THREADS * sizeof drained->of[0]);
    cJSON *fields = cJSON_CreateObject(), *until = cJSON_AddArrayToObject(fields, "until");
    if (drained != NULL)
        drained->subscriber = endpoint_find(trial, subscriber);
    for (size_t i = 0; drained != NULL && drained->subscriber != NULL && i < count; ++i) {
        struct endpoint *publisher = endpoint_find(trial, publishers[i]);
        if (publisher == NULL || !publisher->publisher)
            continue;
        if (publisher->participant->ended && publisher->participant->journal)
            read_journals(trial, publisher);
        add_publisher(drained, until, publisher);
    }
    cJSON_AddNumberToObject(fields, "timeout_ms", seconds * trial->session->scale * 1e3);
    struct call *call = endpoint_call(trial, subscriber, "drain", fields, seconds + trial->options.deadline_seconds);
    if (call != NULL && call->public.status == IPCMARK_PENDING) {
        call->ended = on_drained;
        call->context = drained;
    }
    return public_part(call);
}

/* ---- ping ---- */

ipcmark_call *ipcmark_ping(ipcmark_trial *trial, uint16_t publisher, uint16_t subscriber, uint64_t count, size_t size)
{
    cJSON *fields = cJSON_CreateObject();
    cJSON_AddNumberToObject(fields, "subscriber", subscriber);
    cJSON_AddNumberToObject(fields, "count", (double)count);
    cJSON_AddNumberToObject(fields, "size", (double)size);
    return public_part(endpoint_call(trial, publisher, "ping", fields, trial->options.deadline_seconds));
}
