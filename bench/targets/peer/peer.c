#include "peer.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mmipc/mmipc.h>

static const struct {
    const char *op;
    request_fn *answer;
} ops[] = {
    {"receiver", traffic_receiver},
    {"sender", traffic_sender},
    {"receive", traffic_receive},
    {"send", traffic_send},
    {"pace", traffic_pace},
    {"let_go", traffic_let_go},
    {"announce", life_announce},
    {"greet", life_greet},
    {"attach", life_attach},
    {"join", life_join},
    {"meet", life_meet},
    {"mourn", life_mourn},
    {"more", life_more},
    {"met", life_met},
    {"footprint", footprint},
};

double request_number(const struct request *request, const char *name, double otherwise)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(request->fields, name);
    return cJSON_IsNumber(item) ? item->valuedouble : otherwise;
}

const char *request_text(const struct request *request, const char *name)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(request->fields, name));
    return text == NULL ? "" : text;
}

void reply_number(struct request *request, const char *name, double value)
{
    cJSON_AddNumberToObject(request->reply, name, value);
}

int request_fail(struct request *request, int error, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(request->text, sizeof request->text, format, arguments);
    va_end(arguments);
    return error;
}

static int hello(struct request *request)
{
    cJSON *who = cJSON_AddObjectToObject(request->reply, "impl");

    reply_number(request, "protocol", 1);
    cJSON_AddStringToObject(who, "name", "bench-peer");
    cJSON_AddStringToObject(who, "version", mmipc_version());
    cJSON_AddStringToObject(who, "language", "C");
    cJSON_AddStringToObject(who, "homepage", "");
    cJSON_AddObjectToObject(request->reply, "caps");
    return 0;
}

static int answer(struct request *request, const char *op)
{
    if (strcmp(op, "hello") == 0)
        return hello(request);
    if (strcmp(op, "stop") == 0) {
        traffic_close();
        life_close();
        return 0;
    }
    for (size_t i = 0; i < sizeof ops / sizeof ops[0]; ++i)
        if (strcmp(op, ops[i].op) == 0)
            return ops[i].answer(request);
    return request_fail(request, -ENOTSUP, "this peer knows no op \"%.40s\"", op);
}

static void add_error(cJSON *line, const struct request *request, int error)
{
    cJSON *json = cJSON_AddObjectToObject(line, "error");

    cJSON_AddStringToObject(json, "code", error == -ENOTSUP ? "not_supported" : strerrorname_np(-error));
    cJSON_AddBoolToObject(json, "definite", false);
    cJSON_AddStringToObject(json, "text", request->text[0] != '\0' ? request->text : mmipc_strerror(error));
}

/* Returns false after the last request. */
static bool serve(const char *line)
{
    cJSON *fields = cJSON_Parse(line);
    struct request request = {.fields = fields, .reply = cJSON_CreateObject()};
    const char *op = request_text(&request, "op");
    bool last = strcmp(op, "stop") == 0;
    int result;
    char *text;

    cJSON_AddItemToObject(request.reply, "id", cJSON_Duplicate(cJSON_GetObjectItem(fields, "id"), false));
    result = answer(&request, op);
    if (result < 0)
        add_error(request.reply, &request, result);
    else
        cJSON_AddTrueToObject(request.reply, "ok");
    text = cJSON_PrintUnformatted(request.reply);
    if (text == NULL || puts(text) < 0 || fflush(stdout) != 0)
        last = true; /* nobody listens any more */
    cJSON_free(text);
    cJSON_Delete(request.reply);
    cJSON_Delete(fields);
    return !last;
}

int main(int argc, char **argv)
{
    char *line = NULL;
    size_t size = 0;

    if (argc > 1) {
        fprintf(stderr, "%s takes no arguments: ipcmark-bench-rows starts it and speaks to it on standard input\n",
                argv[0]);
        return 64;
    }
    signal(SIGPIPE, SIG_IGN); /* a lost reader is an error of send */
    while (getline(&line, &size, stdin) > 0 && serve(line))
        continue;
    free(line);
    return 0;
}
