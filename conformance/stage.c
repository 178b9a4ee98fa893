#include "stage.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <sys/wait.h>

#include <ipcmark/random.h>

uint64_t stage_random(stage *self, uint64_t limit)
{
    const uint64_t x = ipcmark_random(&self->random);
    return limit == 0 ? x : x % limit;
}

void stage_log(stage *self, const char *format, ...)
{
    va_list arguments;
    if (self->schedule == NULL)
        return;
    fprintf(self->schedule, "%8.4f s  ", (double)(ipcmark_now_ns() - self->start_ns) * 1e-9);
    va_start(arguments, format);
    vfprintf(self->schedule, format, arguments);
    va_end(arguments);
    fputc('\n', self->schedule);
    fflush(self->schedule);
}

static bool object(stage *self, enum ipcmark_class class_, enum ipcmark_proof proof, const char *format,
                   va_list arguments)
{
    char text[512];
    vsnprintf(text, sizeof text, format, arguments);
    stage_log(self, "objection: %s", text);
    ipcmark_trial_observe(self->trial, class_, proof, text);
    return false;
}

bool stage_object(stage *self, enum ipcmark_class class_, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    object(self, class_, IPCMARK_PROOF_OF_CLASS, format, arguments);
    va_end(arguments);
    return false;
}

bool stage_object_with(stage *self, enum ipcmark_class class_, enum ipcmark_proof proof, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    object(self, class_, proof, format, arguments);
    va_end(arguments);
    return false;
}

bool stage_unable(stage *self, const actor *who, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    if (!ipcmark_participant_ended(who->participant))
        object(self, IPCMARK_CLASS_NONE, IPCMARK_PROOF_OF_CLASS, format, arguments);
    va_end(arguments);
    return false;
}

unsigned stage_amount(const stage *self, unsigned usual, unsigned quick, unsigned thorough)
{
    return self->effort == EFFORT_QUICK ? quick : self->effort == EFFORT_THOROUGH ? thorough : usual;
}

unsigned stage_either(const stage *self, unsigned usual, unsigned quick)
{
    return stage_amount(self, usual, quick, 10 * usual);
}

void stage_figure(stage *self, const char *name, double value, const char *unit)
{
    cJSON *figure = cJSON_CreateObject();
    if (self->figures == NULL)
        self->figures = cJSON_CreateArray();
    cJSON_AddStringToObject(figure, "name", name);
    cJSON_AddNumberToObject(figure, "value", value);
    cJSON_AddStringToObject(figure, "unit", unit);
    if (!cJSON_AddItemToArray(self->figures, figure))
        cJSON_Delete(figure);
    stage_log(self, "figure: %s %g %s", name, value, unit);
}

bool stage_skip(stage *self, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    if (self->skip == NULL && vasprintf(&self->skip, format, arguments) < 0)
        self->skip = NULL;
    va_end(arguments);
    return false;
}

bool stage_meets(const stage *self, const actor *publisher, const actor *subscriber)
{
    static const char *const default_ = "";
    const char *const channels[] = {publisher->channel != NULL ? publisher->channel : default_,
                                    subscriber->channel != NULL ? subscriber->channel : default_};
    const char *const directories[] = {publisher->directory != NULL ? publisher->directory : default_,
                                       subscriber->directory != NULL ? subscriber->directory : default_};
    return strcmp(channels[0], channels[1]) == 0 && strcmp(directories[0], directories[1]) == 0 &&
           (publisher->participant == NULL || publisher->participant != subscriber->participant ||
            !stage_claims(self, IPCMARK_CAP_NO_SELF_DELIVERY));
}

bool stage_claims(const stage *self, uint64_t capabilities)
{
    return (self->implementation->capabilities & capabilities) == capabilities;
}

uint64_t stage_settling_ns(const stage *self)
{
    return (uint64_t)((3e6 * STAGE_PING_MS + 1e9) * ipcmark_session_scale(self->session));
}

actor *stage_actor(stage *self, size_t index)
{
    if (index < self->publisher_count)
        return &self->publishers[index];
    index -= self->publisher_count;
    return index < self->subscriber_count ? &self->subscribers[index] : NULL;
}

/* A definite error is one on any machine, but for the one that says that it took too long. */
static enum ipcmark_proof proof_of_refusal(const ipcmark_call *call)
{
    return call->definite && strcmp(call->code, "ETIMEDOUT") != 0 ? IPCMARK_PROOF_FACT : IPCMARK_PROOF_OF_CLASS;
}

/* Missed deadlines, deaths and garbage are in the history already, from the coordinator. */
bool stage_await(stage *self, ipcmark_call *call, enum ipcmark_class class_)
{
    const ipcmark_status status = ipcmark_await(call);
    if (status == IPCMARK_REFUSED)
        return stage_object_with(self, strcmp(call->code, "not_supported") == 0 ? IPCMARK_CLASS_NONE : class_,
                                 proof_of_refusal(call), "%s", call->text);
    if (status == IPCMARK_INVALID)
        return stage_object(self, IPCMARK_CLASS_NONE, "the play asked for what cannot be: %s",
                            call != NULL ? call->text : ipcmark_session_text(self->session));
    return status == IPCMARK_DONE;
}

/* ---- lives ----------------------------------------------------------------------------------------------------- */

bool stage_start(stage *self, actor *who)
{
    char name[24];
    const ipcmark_participant_options options = {.name = name, .wrap = who->wrap};
    if (who->host != NULL) {
        if (who->host->participant == NULL && !stage_start(self, who->host))
            return false;
        who->participant = who->host->participant;
        return true;
    }
    ++who->life;
    snprintf(name, sizeof name, "%c%td.%u", who->subscriber ? 's' : 'p',
             who - (who->subscriber ? self->subscribers : self->publishers) + 1, who->life);
    who->participant = ipcmark_participant_start(self->trial, &options);
    return who->participant != NULL;
}

/* What a publisher got rid of before it closed or died must still arrive at those who stay. To be asked for before it
 * opens again: then its name means the new life. */
static void keep_vigil(stage *self, const actor *publisher)
{
    for (size_t i = 0; i < self->subscriber_count; ++i) {
        const actor *subscriber = &self->subscribers[i];
        if (subscriber->open && stage_meets(self, publisher, subscriber) &&
            publisher->settled_ns > subscriber->open_ns && self->vigil_count < STAGE_VIGILS)
            self->vigils[self->vigil_count++] =
                (stage_vigil){ipcmark_drain(self->trial, subscriber->endpoint, &publisher->endpoint, 1, 0), subscriber,
                              !publisher->killed || stage_claims(self, IPCMARK_CAP_SURVIVES_PUBLISHER_DEATH)};
    }
}

void stage_excuse(stage *self, actor *who)
{
    for (size_t i = 0; i < self->vigil_count; ++i)
        self->vigils[i].owed &= self->vigils[i].subscriber != who;
    who->settled_ns = 0;
    if (who->subscriber)
        who->open_ns = UINT64_MAX; /* later than any publisher was settled */
}

ipcmark_call *stage_open_begin(stage *self, actor *who)
{
    const ipcmark_endpoint_options options = {.endpoint = who->endpoint,
                                              .name = who->name,
                                              .channel = who->channel,
                                              .directory = who->directory,
                                              .ping_interval_ms = who->ping_interval_ms};
    who->opening_ns = ipcmark_now_ns();
    ++who->epoch;
    if (who->subscriber)
        return ipcmark_open_subscriber(who->participant, &who->endpoint, &options);
    if (who->settled_ns != 0)
        keep_vigil(self, who);
    who->settled_ns = 0;
    who->killed = false;
    return ipcmark_open_publisher(who->participant, &who->endpoint, &options);
}

bool stage_open_end(stage *self, actor *who, ipcmark_call *call)
{
    who->open = stage_await(self, call, IPCMARK_DISCONNECT);
    who->open_ns = ipcmark_now_ns();
    if (self->buried_ns != 0)
        self->replaced_ns = self->buried_ns + stage_settling_ns(self);
    stage_log(self, "%s is %s as endpoint %u", who->name, who->open ? "open" : "not opened", who->endpoint);
    return who->open;
}

/* Without a process: it crashed, for whom a play kills it starts again; that is in the history. */
bool stage_open(stage *self, actor *who)
{
    return who->participant != NULL && stage_open_end(self, who, stage_open_begin(self, who));
}

bool stage_close(stage *self, actor *who)
{
    const bool closed = stage_await(self, ipcmark_close(self->trial, who->endpoint), IPCMARK_HUNG);
    who->open = false;
    stage_log(self, "%s is %s", who->name, closed ? "closed" : "not closed");
    return closed;
}

bool stage_close_within(stage *self, actor *who, double seconds, const char *circumstances)
{
    ipcmark_call *call = ipcmark_close(self->trial, who->endpoint);
    const double bound = seconds * ipcmark_session_scale(self->session);
    double took;
    if (!stage_await(self, call, IPCMARK_HUNG))
        return false;
    who->open = false;
    took = (double)(call->ended_ns - call->begun_ns) * 1e-9;
    stage_log(self, "%s closed in %.3f s, %s", who->name, took, circumstances);
    if (took > bound)
        return stage_object(self, IPCMARK_LATE, "closing %s took %.2f s, %s; it must not take longer than %.2f s",
                            who->name, took, circumstances, bound);
    return true;
}

bool stage_buried(stage *self, actor *who)
{
    int status;
    ipcmark_participant *const dead = who->participant;
    const int error = ipcmark_await_exit(dead, &status);
    actor *guest;
    if (error < 0)
        return error == -EINTR ? false
                               : stage_object(self, IPCMARK_CLASS_NONE, "%s was killed and does not die", who->name);
    self->buried_ns = ipcmark_now_ns();
    stage_log(self, "%s is dead", who->name);
    for (size_t i = 0; (guest = stage_actor(self, i)) != NULL; ++i)
        if (guest->participant == dead) {
            guest->participant = NULL;
            guest->killed = guest->open;
            guest->open = guest->paused = false;
        }
    who->killed = true;
    return true;
}

bool stage_kill(stage *self, actor *who)
{
    stage_log(self, "kill %s", who->name);
    if (ipcmark_kill(who->participant) < 0 && ipcmark_participant_alive(who->participant)) /* it may have been faster */
        return stage_unable(self, who, "%s cannot be killed", who->name);
    return stage_buried(self, who);
}

bool stage_pause(stage *self, actor *who)
{
    stage_log(self, "stop %s", who->name);
    who->paused = ipcmark_pause(who->participant) == 0;
    return who->paused || stage_unable(self, who, "%s cannot be stopped", who->name);
}

bool stage_resume(stage *self, actor *who)
{
    stage_log(self, "continue %s", who->name);
    who->paused = false;
    return ipcmark_resume(who->participant) == 0 || stage_unable(self, who, "%s cannot be continued", who->name);
}
