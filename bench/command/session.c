#include "session.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <ipcmark/runfile.h>

#include "../rows/bench.h"

void session_take(struct session *session, const cJSON *record)
{
    const char *kind = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(record, "record"));
    const cJSON *number = cJSON_GetObjectItemCaseSensitive(record, "session");

    if (kind != NULL && strcmp(kind, "session") == 0 && cJSON_IsNumber(number) && number->valueint > 0)
        session->number = (unsigned)number->valueint;
}

static void name_now(char text[32])
{
    time_t now = time(NULL);
    struct tm calendar;

    gmtime_r(&now, &calendar);
    strftime(text, 32, "%Y-%m-%dT%H:%M:%SZ", &calendar);
}

static double now_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void add_known(cJSON *record, const char *name, double value, bool known)
{
    if (known)
        cJSON_AddNumberToObject(record, name, value);
    else
        cJSON_AddNullToObject(record, name);
}

static cJSON *make_record(const struct session *session)
{
    cJSON *record = cJSON_CreateObject();

    cJSON_AddStringToObject(record, "record", "session");
    cJSON_AddNumberToObject(record, "session", session->number);
    cJSON_AddStringToObject(record, "started", session->started);
    add_known(record, "load", session->load, session->load >= 0);
    return record;
}

static int append(struct ipcmark_runfile *file, cJSON *record)
{
    int result = ipcmark_runfile_append(file, record);
    cJSON_Delete(record);
    return result;
}

int session_begin(struct session *session, struct ipcmark_runfile *file)
{
    static const char *const later[] = {"finished", "seconds", "steal_ns", "cells", "interrupted"};
    cJSON *record;

    ++session->number;
    name_now(session->started);
    session->started_seconds = now_seconds();
    session->steal_ns = bench_steal_ns();
    if (getloadavg(&session->load, 1) != 1)
        session->load = -1;
    record = make_record(session);
    for (size_t i = 0; i < sizeof later / sizeof later[0]; ++i)
        cJSON_AddNullToObject(record, later[i]);
    return append(file, record);
}

int session_end(const struct session *session, struct ipcmark_runfile *file, size_t cells, bool interrupted)
{
    cJSON *record = make_record(session);
    int64_t steal_ns = bench_steal_ns();
    char finished[32];

    name_now(finished);
    cJSON_AddStringToObject(record, "finished", finished);
    cJSON_AddNumberToObject(record, "seconds", session_seconds(session));
    add_known(record, "steal_ns", (double)(steal_ns - session->steal_ns),
              session->steal_ns >= 0 && steal_ns >= session->steal_ns);
    cJSON_AddNumberToObject(record, "cells", (double)cells);
    cJSON_AddBoolToObject(record, "interrupted", interrupted);
    return append(file, record);
}

double session_seconds(const struct session *session)
{
    return now_seconds() - session->started_seconds;
}
