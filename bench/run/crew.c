#include "crew.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Who keeps a heartbeat takes twice that without a sign of life for death: it is not to be fallen under by processes
 * that merely wait for a CPU. */
enum { PING_MS = 1000 };
static const uint64_t together_ns = 50000000; /* by then all publishers have been told */

bool crew_claims(const struct crew *self, uint64_t capabilities)
{
    return (self->implementation->capabilities & capabilities) == capabilities;
}

bool crew_object(struct crew *self, enum ipcmark_class class_, const char *format, ...)
{
    char text[sizeof self->objection];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (self->trial != NULL)
        ipcmark_trial_observe(self->trial, class_, IPCMARK_PROOF_OF_CLASS, text);
    if (!self->objected) {
        self->objected = true;
        self->class_ = class_;
        memcpy(self->objection, text, sizeof text);
    }
    return false;
}

/* ---- counts ------------------------------------------------------------------------------------------------------ */

static const uint64_t more = 1, less = UINT64_MAX; /* minus one, in this arithmetic */

static void add_times(struct counts *sum, const struct counts *each, uint64_t times)
{
    sum->attempted += times * each->attempted;
    sum->published += times * each->published;
    sum->failed += times * each->failed;
    sum->unknown += times * each->unknown;
    sum->received += times * each->received;
    sum->bytes += times * each->bytes;
    sum->lost += times * each->lost;
    sum->torn += times * each->torn;
    sum->duplicate += times * each->duplicate;
    sum->reordered += times * each->reordered;
}

void crew_count(const struct member *who, struct counts *sum)
{
    add_times(sum, &who->past, more);
    add_times(sum, &who->now, more);
}

static cJSON *field(const cJSON *object, const char *name)
{
    return cJSON_GetObjectItemCaseSensitive(object, name);
}

/* windowed: only what had arrived by a certain time. */
static void take_counts(struct member *who, const ipcmark_call *call, bool windowed)
{
    const ipcmark_call window = {.reply = field(call->reply, "window")};
    const ipcmark_call *const arrived = windowed && who->subscriber ? &window : call;

    who->now = (struct counts){.attempted = ipcmark_reply_count(call, "attempted"),
                               .published = ipcmark_reply_count(call, "published"),
                               .failed = ipcmark_reply_count(call, "failed"),
                               .unknown = ipcmark_reply_count(call, "unknown"),
                               .received = ipcmark_reply_count(arrived, arrived == call ? "received" : "messages"),
                               .bytes = ipcmark_reply_count(arrived, "bytes"),
                               .lost = ipcmark_reply_count(call, "lost"),
                               .torn = ipcmark_reply_count(call, "torn"),
                               .duplicate = ipcmark_reply_count(call, "duplicate"),
                               .reordered = ipcmark_reply_count(call, "reordered")};
    if (who->latency == NULL)
        return;
    ipcmark_histogram_clear(who->latency);
    ipcmark_histogram_add_json(who->latency, field(call->reply, "histogram"));
}

static ipcmark_call *ask(struct crew *self, const struct member *who, uint64_t until_ns)
{
    return who->resume_ns == 0 && !self->blind ? ipcmark_stats(self->trial, who->endpoint, until_ns, false) : NULL;
}

static bool take(struct crew *self, struct member *who, ipcmark_call *call, bool windowed)
{
    if (call == NULL) /* what was known of it stands */
        return true;
    if (!crew_await(self, call, IPCMARK_HUNG))
        return false;
    take_counts(who, call, windowed);
    ipcmark_forget(call);
    return true;
}

bool crew_look_at(struct crew *self, struct member *who)
{
    return take(self, who, ask(self, who, 0), false);
}

/* With journals, agents of others may keep no time: then it is what they have when they are asked. */
bool crew_look(struct crew *self, uint64_t until_ns)
{
    const bool windowed = until_ns != 0 && scenario_keeps_figures(self->scenario);
    ipcmark_call *calls[2 * SCENARIO_MOST] = {NULL};
    bool all = true;

    for (unsigned i = 0; i < self->count; ++i)
        calls[i] = ask(self, &self->members[i], until_ns);
    for (unsigned i = 0; i < self->count; ++i)
        all &= take(self, &self->members[i], calls[i], windowed);
    return all;
}

void crew_latencies(const struct crew *self, struct ipcmark_histogram *out)
{
    ipcmark_histogram_clear(out);
    ipcmark_histogram_merge(out, self->departed);
    for (unsigned i = 0; i < self->count; ++i)
        if (self->members[i].latency != NULL)
            ipcmark_histogram_merge(out, self->members[i].latency);
}

/* ---- lives ------------------------------------------------------------------------------------------------------- */

/* A failure to start is among the troubles of the trial. */
static bool start(struct crew *self, struct member *who)
{
    char name[32];
    const ipcmark_participant_options options = {.name = name};

    ++who->life;
    snprintf(name, sizeof name, "%s%u%s%.0u", who->subscriber ? "subscriber" : "publisher", who->number,
             who->life > 1 ? "." : "", who->life > 1 ? who->life : 0);
    who->participant = ipcmark_participant_start(self->trial, &options);
    return who->participant != NULL;
}

static bool open_endpoint(struct crew *self, struct member *who)
{
    const ipcmark_endpoint_options options = {.endpoint = who->endpoint, .name = who->name};
    ipcmark_call *call = who->subscriber ? ipcmark_open_subscriber(who->participant, &who->endpoint, &options)
                                         : ipcmark_open_publisher(who->participant, &who->endpoint, &options);

    return crew_await(self, call, IPCMARK_DISCONNECT);
}

static bool name_all(struct crew *self)
{
    self->count = self->scenario->publishers + self->scenario->subscribers;
    for (unsigned i = 0; i < self->count; ++i) {
        struct member *who = &self->members[i];
        who->subscriber = i >= self->scenario->publishers;
        who->number = who->subscriber ? i - self->scenario->publishers + 1 : i + 1;
        snprintf(who->name, sizeof who->name, "%s %u", who->subscriber ? "subscriber" : "publisher", who->number);
        if (who->subscriber && ipcmark_histogram_new(&who->latency) < 0)
            return crew_object(self, IPCMARK_CLASS_NONE, "out of memory");
    }
    return ipcmark_histogram_new(&self->departed) == 0 || crew_object(self, IPCMARK_CLASS_NONE, "out of memory");
}

static size_t largest_size(const struct scenario *scenario)
{
    size_t largest = 64; /* of those that only show that somebody is there */

    for (size_t i = 0; i < scenario->sizes_count; ++i)
        largest = scenario->sizes[i] > largest ? scenario->sizes[i] : largest;
    return largest;
}

static bool open_trial(struct crew *self)
{
    const struct scenario *scenario = self->scenario;
    const ipcmark_trial_options options = {.target = scenario->target,
                                           .seed = scenario->seed,
                                           .name = "run",
                                           .ping_interval_ms = PING_MS,
                                           .max_message_bytes = largest_size(scenario),
                                           .no_journal = !scenario->judged,
                                           .no_names = !scenario->judged};

    if (ipcmark_trial_open(&self->trial, self->session, &options) == 0)
        return true;
    return crew_object(self, IPCMARK_CLASS_NONE, "%s", ipcmark_session_text(self->session));
}

/* What was sent to and fro until all were connected is no part of the run; none of it has a latency. */
static bool begin_counting(struct crew *self)
{
    for (unsigned i = 0; i < self->count; ++i) {
        struct member *who = &self->members[i];
        ipcmark_call *call = ask(self, who, 0);
        if (crew_is_refused(call, "not_supported")) {
            self->blind = true;
            return self->scenario->judged ||
                   crew_object(self, IPCMARK_CLASS_NONE, "%s; with --judge it needs none", call->text);
        }
        if (!take(self, who, call, false))
            return false;
        add_times(&who->past, &who->now, less);
    }
    return true;
}

/* Times in what the checker says are relative to the origin. */
static void expect(const struct crew *self, uint64_t origin_ns)
{
    /* Three intervals of silence, and what a clause grants on top. */
    const double settle_ns = (3e6 * PING_MS + 1e9) * ipcmark_session_scale(self->session);
    const struct ipcmark_expectation demands = {
        .min_must = 1, .settle_ns = (uint64_t)settle_ns, .origin_ns = origin_ns};

    ipcmark_trial_expect(self->trial, &demands);
}

bool crew_open(struct crew *self, const struct scenario *scenario, const ipcmark_implementation *implementation,
               ipcmark_session *session)
{
    self->scenario = scenario;
    self->implementation = implementation;
    self->session = session;
    ipcmark_session_calibrate(session);
    ipcmark_session_mark(session);
    if (!name_all(self) || !open_trial(self))
        return false;
    expect(self, ipcmark_now_ns());
    for (unsigned i = self->count; i-- > 0;) /* subscribers first */
        if (!start(self, &self->members[i]) || !open_endpoint(self, &self->members[i]))
            return false;
    return (crew_claims(self, IPCMARK_CAP_PEERS) ? settle_by_counts(self) : settle_by_probes(self)) &&
           begin_counting(self);
}

int crew_close(struct crew *self, const char *keep)
{
    int error = ipcmark_trial_close(self->trial, keep);

    self->trial = NULL;
    for (unsigned i = 0; i < self->count; ++i)
        ipcmark_histogram_free(self->members[i].latency);
    ipcmark_histogram_free(self->departed);
    return error;
}

/* ---- traffic ----------------------------------------------------------------------------------------------------- */

static double longest_pause(const struct scenario *scenario)
{
    double longest = 0;

    for (size_t i = 0; i < scenario->faults_count; ++i)
        longest = scenario->faults[i].lasts > longest ? scenario->faults[i].lasts : longest;
    return longest;
}

static bool send(struct crew *self, struct member *who, uint64_t start_ns)
{
    const struct scenario *scenario = self->scenario;
    const double seconds = start_ns < self->end_ns ? (double)(self->end_ns - start_ns) * 1e-9 : 0;
    const ipcmark_publish_options options = {.seconds = seconds,
                                             .sizes = scenario->sizes,
                                             .sizes_count = scenario->sizes_count,
                                             .parts = scenario->parts,
                                             .rate = scenario->rate,
                                             .threads = scenario->threads,
                                             .start_at_ns = start_ns,
                                             /* Whoever is stopped, or waits for one who is, answers that much later. */
                                             .deadline_seconds = seconds + 1 + 2 * longest_pause(scenario) +
                                                                 ipcmark_trial_deadline(self->trial)};

    if (seconds <= 0) /* whoever was killed at the very end has nothing left to send */
        return true;
    who->traffic = ipcmark_publish(self->trial, who->endpoint, &options);
    return who->traffic != NULL || crew_object(self, IPCMARK_CLASS_NONE, "%s cannot be told to publish", who->name);
}

uint64_t crew_send(struct crew *self)
{
    const uint64_t start_ns = ipcmark_now_ns() + together_ns;

    self->end_ns = start_ns + (uint64_t)(self->scenario->seconds * 1e9);
    expect(self, start_ns);
    for (unsigned i = 0; i < self->scenario->publishers; ++i)
        if (!send(self, &self->members[i], start_ns))
            return 0;
    return start_ns;
}

/* ---- faults ------------------------------------------------------------------------------------------------------ */

static void bury(struct crew *self, struct member *who)
{
    add_times(&who->past, &who->now, more);
    who->now = (struct counts){0};
    if (who->latency != NULL) {
        ipcmark_histogram_merge(self->departed, who->latency);
        ipcmark_histogram_clear(who->latency);
    }
    who->participant = NULL;
    who->traffic = NULL;
    who->resume_ns = 0;
    ++self->deaths;
}

/* What a publisher had published when it died must still arrive at those who were connected to it all the time. To be
 * asked for before it opens again, for then its name means the new life. */
static void keep_vigil(struct crew *self, const struct member *dead)
{
    for (unsigned i = self->scenario->publishers; i < self->count; ++i)
        if (self->scenario->judged && dead->life == 1 && !self->members[i].disturbed && self->vigil_count < CREW_VIGILS)
            self->vigils[self->vigil_count++] =
                ipcmark_drain(self->trial, self->members[i].endpoint, &dead->endpoint, 1, 0);
}

bool crew_kill(struct crew *self, struct member *who)
{
    ipcmark_participant *const victim = who->participant;

    if (!crew_look_at(self, who))
        return false;
    who->disturbed = true;
    if (ipcmark_kill(victim) < 0) /* it was faster: a crash, and among the troubles */
        return false;
    if (ipcmark_await_exit(victim, NULL) < 0)
        return ipcmark_session_interrupted(self->session) != 0
                   ? false
                   : crew_object(self, IPCMARK_CLASS_NONE, "%s was killed and does not die", who->name);
    if (!who->subscriber)
        keep_vigil(self, who);
    bury(self, who);
    if (!start(self, who) || !open_endpoint(self, who))
        return false;
    return who->subscriber || send(self, who, ipcmark_now_ns());
}

bool crew_pause(struct crew *self, struct member *who, double seconds)
{
    if (!crew_look_at(self, who))
        return false;
    who->disturbed = true;
    ++self->pauses;
    if (ipcmark_pause(who->participant) < 0)
        return false;
    who->resume_ns = ipcmark_now_ns() + (uint64_t)(seconds * 1e9);
    return true;
}

bool crew_resume(struct crew *self, struct member *who)
{
    (void)self;
    who->resume_ns = 0;
    return ipcmark_resume(who->participant) == 0;
}

/* ---- the end ----------------------------------------------------------------------------------------------------- */

static bool end_traffic(struct crew *self)
{
    for (unsigned i = 0; i < self->scenario->publishers; ++i) {
        struct member *who = &self->members[i];
        if (who->traffic != NULL && !crew_await(self, who->traffic, IPCMARK_LOST))
            return false;
        who->traffic = NULL;
    }
    return true;
}

/* Drains that are not reached are in the history; the checker knows whether they had to be. */
static void end_vigils(struct crew *self)
{
    for (size_t i = 0; i < self->vigil_count; ++i)
        ipcmark_await(self->vigils[i]);
}

bool crew_finish(struct crew *self)
{
    for (unsigned i = 0; i < self->count; ++i)
        if (self->members[i].resume_ns != 0 && !crew_resume(self, &self->members[i]))
            return false;
    if (!end_traffic(self))
        return false;
    end_vigils(self);
    /* A count may still be that of before a death: only a message shows that both ends are there. */
    return (self->deaths + self->pauses > 0 ? settle_by_probes(self) : settle_drain(self)) && crew_look(self, 0);
}
