/* Calls: requests that are under way, their deadlines, their answers. */
#include "endpoint.h"

#include "schema.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* CPU time of those that run; that of the others counts as our children's. */
static uint64_t living_ns(const ipcmark_trial *trial)
{
    uint64_t sum = 0;
    clockid_t clock;
    struct timespec used;
    for (const ipcmark_participant *each = trial->participants; each != NULL; each = each->next)
        if (each->spawned && !each->exited && clock_getcpuclockid(each->pid, &clock) == 0 &&
            clock_gettime(clock, &used) == 0)
            sum += (uint64_t)used.tv_sec * 1000000000 + (uint64_t)used.tv_nsec;
    return sum;
}

/* The machine has become slower than it was when the deadline was set: then it was set too early. */
static bool stretch_deadline(struct call *call, uv_timer_cb on_over)
{
    ipcmark_trial *trial = call->participant->trial;
    const double scale = session_scale_since(trial->session, call->place);
    if (scale <= call->scale || !slowness_is_of_others(&trial->session->slowness, living_ns(trial)))
        return false;
    call->deadline_seconds *= scale / call->scale;
    call->scale = scale;
    call->overdue = false;
    const double left_ms = call->deadline_seconds * 1e3 - (double)(ipcmark_now_ns() - call->public.begun_ns) * 1e-6;
    return uv_timer_start(&call->timer, on_over, left_ms > 1 ? (uint64_t)left_ms : 1, 0) == 0;
}

static void on_deadline(uv_timer_t *timer)
{
    struct call *call = (struct call *)((char *)timer - offsetof(struct call, timer));
    ipcmark_participant *participant = call->participant;
    session_poke(participant->trial->session);
    if (stretch_deadline(call, on_deadline))
        return;
    /* The coordinator itself may have been stopped or starved: what had arrived by now counts as in time. */
    if (!call->overdue) {
        call->overdue = true;
        uv_timer_start(timer, on_deadline, (uint64_t)(GRACE_MS * participant->trial->session->scale), 0);
        return;
    }
    const char *text = trial_note(participant->trial, "%s did not answer \"%s\" within %.1f s%s", participant->name,
                                  call->public.op, call->deadline_seconds, participant_stderr_tail(participant));
    call_end(call, IPCMARK_OVERDUE, text);
    trial_trouble(participant->trial, IPCMARK_HUNG, participant, "%s", text);
}

void call_end(struct call *call, ipcmark_status status, const char *text)
{
    if (call->public.status != IPCMARK_PENDING)
        return;
    call->public.status = status;
    call->public.text = text;
    call->public.ended_ns = ipcmark_now_ns();
    if (call->timer.data != NULL)
        uv_timer_stop(&call->timer);
    /* It is over and the participant lives on: were it to die now, that would be a crash. */
    if (call->declares_death && (status == IPCMARK_DONE || status == IPCMARK_REFUSED))
        --call->participant->suicides;
    if (call->ended != NULL)
        call->ended(call, call->context);
}

void call_declare_death(struct call *call)
{
    if (call == NULL || call->public.status != IPCMARK_PENDING)
        return;
    call->declares_death = true;
    ++call->participant->suicides;
    call->participant->kill_from_ns = call->public.begun_ns;
}

bool call_lasted(const struct call *call, double from_ns, double until_ns)
{
    return from_ns >= (double)call->public.begun_ns && until_ns <= (double)call->public.ended_ns;
}

void call_doubt(struct call *call, const char *why)
{
    if (why == NULL)
        return;
    char *line = cJSON_PrintUnformatted(call->line);
    ipcmark_participant *participant = call->participant;
    participant_garbled(participant, why, line);
    cJSON_free(line);
    call->public.status = IPCMARK_GARBLED;
    call->public.text = trial_note(participant->trial, "%s broke the protocol: %s", participant->name, why);
}

void call_end_all(ipcmark_participant *participant, ipcmark_status status, const char *text)
{
    for (struct call *call = participant->trial->calls; call != NULL; call = call->next)
        if (call->participant == participant)
            call_end(call, status, text);
}

static struct call *call_new(ipcmark_trial *trial, const char *op)
{
    struct call *call = calloc(1, sizeof *call);
    if (call == NULL)
        return NULL;
    call->next = trial->calls;
    trial->calls = call;
    call->public.status = IPCMARK_PENDING;
    call->public.op = trial_note(trial, "%s", op);
    call->public.text = call->public.code = "";
    call->public.begun_ns = ipcmark_now_ns();
    return call;
}

struct call *call_invalid(ipcmark_trial *trial, const char *op, const char *text)
{
    struct call *call = call_new(trial, op);
    if (call != NULL)
        call_end(call, IPCMARK_INVALID, text);
    return call;
}

static void start_timer(struct call *call)
{
    ipcmark_trial *trial = call->participant->trial;
    if (uv_timer_init(&trial->session->loop, &call->timer) < 0)
        return;
    call->timer.data = trial;
    ++trial->open_handles;
    uv_update_time(&trial->session->loop);
    uv_timer_start(&call->timer, on_deadline, (uint64_t)(call->deadline_seconds * 1e3), 0);
}

/* What its reply must look like. */
static const char *choose_schema(const struct call *call, const cJSON *fields)
{
    const cJSON *id = cJSON_GetObjectItemCaseSensitive(fields, "endpoint");
    if (strcmp(call->public.op, "stats") != 0)
        return call->public.op;
    if (!cJSON_IsNumber(id))
        return "stats of a process";
    const struct endpoint *endpoint = endpoint_find(call->participant->trial, (uint16_t)id->valueint);
    return endpoint != NULL && endpoint->publisher ? "stats of a publisher" : "stats of a subscriber";
}

struct call *call_begin(ipcmark_participant *participant, const char *op, cJSON *fields, double deadline_seconds)
{
    ipcmark_trial *trial = participant->trial;
    struct call *call = call_new(trial, op);
    cJSON *line = fields == NULL ? cJSON_CreateObject() : fields;
    if (call != NULL) {
        call->participant = participant;
        call->schema = choose_schema(call, line);
        call->id = ++participant->next_id;
        call->place = slowness_now(&trial->session->slowness);
        call->scale = trial->session->scale;
        call->deadline_seconds =
            (deadline_seconds > 0 ? deadline_seconds : trial->options.deadline_seconds) * call->scale;
        cJSON_AddNumberToObject(line, "id", (double)call->id);
        cJSON_AddStringToObject(line, "op", op);
        if (participant->ended || participant->garbled)
            call_end(call, IPCMARK_GONE, trial_note(trial, "%s is no longer there", participant->name));
        else if (participant_send(participant, line) < 0)
            call_end(call, IPCMARK_GONE, trial_note(trial, "%s cannot be written to", participant->name));
        else
            start_timer(call);
    }
    cJSON_Delete(line);
    return call;
}

static void refuse(struct call *call, const cJSON *error)
{
    ipcmark_participant *participant = call->participant;
    call->public.code = cJSON_GetObjectItemCaseSensitive(error, "code")->valuestring;
    call->public.definite = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(error, "definite"));
    char *said = cJSON_GetObjectItemCaseSensitive(error, "text")->valuestring;
    line_make_printable(said); /* it is shown in terminals */
    call_end(call, IPCMARK_REFUSED,
             trial_note(participant->trial, "%s: \"%s\" failed: %s: %s", participant->name, call->public.op,
                        call->public.code, said));
}

void call_answer(ipcmark_participant *participant, cJSON *line, const char *text)
{
    char why[256];
    uint64_t id = (uint64_t)cJSON_GetObjectItemCaseSensitive(line, "id")->valuedouble;
    struct call *call = participant->trial->calls;
    while (call != NULL && (call->participant != participant || call->id != id))
        call = call->next;
    if (call == NULL) {
        participant_garbled(participant, "it answers a request that was not made", text);
    } else if (call->line != NULL) {
        participant_garbled(participant, "it answers a request for the second time", text);
    } else {
        const cJSON *error = cJSON_GetObjectItemCaseSensitive(line, "error");
        call->line = line;
        if (error == NULL && schema_check_reply(call->schema, line, why, sizeof why) < 0) {
            participant_garbled(participant, why, text);
        } else if (call->public.status != IPCMARK_PENDING) {
            return; /* too late */
        } else if (error != NULL) {
            refuse(call, error);
        } else {
            call->public.reply = line;
            call_end(call, IPCMARK_DONE, "");
        }
        return;
    }
    cJSON_Delete(line);
}

ipcmark_call *ipcmark_request(ipcmark_participant *participant, const char *op, cJSON *fields, double deadline_seconds)
{
    struct call *call = call_begin(participant, op, fields, deadline_seconds);
    return call == NULL ? NULL : &call->public;
}

static struct call *private_part(ipcmark_call *call)
{
    return (struct call *)call;
}

ipcmark_status ipcmark_await(ipcmark_call *public)
{
    if (public == NULL)
        return IPCMARK_INVALID;
    while (public->status == IPCMARK_PENDING) {
        ipcmark_session *session = private_part(public)->participant->trial->session;
        if (session->signal != 0)
            return IPCMARK_INTERRUPTED;
        session_turn(session);
    }
    return public->status;
}

bool ipcmark_ended(ipcmark_call *public)
{
    if (public != NULL && public->status == IPCMARK_PENDING)
        uv_run(&private_part(public)->participant->trial->session->loop, UV_RUN_NOWAIT);
    return public == NULL || public->status != IPCMARK_PENDING;
}

/* That it was answered stays known: a second answer is still one too many. */
void ipcmark_forget(ipcmark_call *public)
{
    if (public == NULL || public->status != IPCMARK_DONE)
        return;
    cJSON *line = private_part(public)->line;
    cJSON_Delete(line->child);
    line->child = NULL;
}

double ipcmark_reply_number(const ipcmark_call *call, const char *name, double otherwise)
{
    const cJSON *item = call == NULL ? NULL : cJSON_GetObjectItemCaseSensitive(call->reply, name);
    return item != NULL && cJSON_IsNumber(item) ? item->valuedouble : otherwise;
}

uint64_t ipcmark_reply_count(const ipcmark_call *call, const char *name)
{
    double number = ipcmark_reply_number(call, name, 0);
    return number > 0 ? (uint64_t)number : 0;
}
