#include "requests.h"

#include "agent.h"

#include "ipcmark/control.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* ---- helpers of all requests ---- */

void refuse(struct refusal *refusal, const char *code, bool definite, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(refusal->text, sizeof refusal->text, format, arguments);
    va_end(arguments);
    refusal->code = code;
    refusal->definite = definite;
}

void refuse_errno(struct refusal *refusal, int error, const char *what)
{
    const char *name = strerrorname_np(-error);
    refuse(refusal,
           error == -ENOTSUP ? "not_supported"
           : name == NULL    ? "EIO" /* the driver made the number up: the text has it */
                             : name,
           true, "%s: %s", what, strerror(-error));
}

double request_number(const cJSON *request, const char *name, double otherwise)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(request, name);
    return cJSON_IsNumber(item) ? item->valuedouble : otherwise;
}

struct endpoint *request_endpoint(const cJSON *request, const char *name, struct refusal *refusal)
{
    double id = request_number(request, name, 0);
    struct endpoint *endpoint = id >= 1 && id <= UINT16_MAX ? endpoint_find((uint16_t)id) : NULL;
    if (endpoint == NULL)
        refuse(refusal, "ENOENT", true, "\"%s\" names no endpoint that was opened here", name);
    return endpoint;
}

/* ---- the small requests ---- */

static void describe_capabilities(const ipcmark_driver *driver, cJSON *caps)
{
    const char *name;
    for (unsigned i = 0; (name = ipcmark_capability_name(i)) != NULL; ++i)
        if (driver->capabilities >> i & 1)
            cJSON_AddTrueToObject(caps, name);
    if (driver->broker_open != NULL)
        cJSON_AddTrueToObject(caps, "broker");
    cJSON_AddNumberToObject(caps, "max_message_bytes", (double)driver->max_message_bytes);
    cJSON_AddNumberToObject(caps, "max_publishers", (double)driver->max_publishers);
    cJSON_AddNumberToObject(caps, "max_subscribers", (double)driver->max_subscribers);
}

static void request_hello(const cJSON *request, cJSON *reply, struct refusal *refusal)
{
    const cJSON *run = cJSON_GetObjectItemCaseSensitive(request, "run");
    const cJSON *journal = cJSON_GetObjectItemCaseSensitive(request, "journal");
    if (request_number(request, "protocol", 0) != 1 || !cJSON_IsString(run)) {
        refuse(refusal, "EPROTO", true, "this agent speaks protocol 1, and \"run\" must be a string");
        return;
    }
    agent.run = ipcmark_payload_name(run->valuestring);
    agent.seed = (uint64_t)request_number(request, "seed", 0);
    if (cJSON_IsString(journal) && !agent.journal)
        record_open(journal->valuestring);
    const ipcmark_driver *driver = agent.driver;
    cJSON_AddNumberToObject(reply, "protocol", 1);
    cJSON *who = cJSON_AddObjectToObject(reply, "impl");
    cJSON_AddStringToObject(who, "name", driver->name);
    cJSON_AddStringToObject(who, "version", driver->version);
    cJSON_AddStringToObject(who, "language", "C");
    cJSON_AddStringToObject(who, "summary", driver->summary);
    cJSON_AddStringToObject(who, "homepage", driver->homepage == NULL ? "" : driver->homepage);
    describe_capabilities(driver, cJSON_AddObjectToObject(reply, "caps"));
}

static void *broker; /* the driver's; one an agent, asked for before anything else */

static void request_open_broker(const cJSON *request, cJSON *reply, struct refusal *refusal)
{
    const cJSON *directory = cJSON_GetObjectItemCaseSensitive(request, "directory");
    char **params = params_make(cJSON_GetObjectItemCaseSensitive(request, "params"));
    const ipcmark_endpoint options = {.size = sizeof options,
                                      .id = "0.1",
                                      .channel = "broker",
                                      .directory = cJSON_IsString(directory) ? directory->valuestring : "",
                                      .max_message_bytes = (size_t)request_number(request, "max_message_bytes", 65536),
                                      .params = (const char *const *)params};
    char address[1024] = "";
    int error = params == NULL                      ? -ENOMEM
                : agent.driver->broker_open == NULL ? -ENOTSUP
                : broker != NULL                    ? -EALREADY
                                 : agent.driver->broker_open(&broker, &options, address, sizeof address);
    params_free(params);
    if (error < 0)
        refuse_errno(refusal, error, "open_broker");
    else if (address[0] == '\0' || memchr(address, '\0', sizeof address) == NULL)
        refuse(refusal, "EINVAL", true, "broker_open succeeded and wrote no address of 1 to %zu bytes",
               sizeof address - 1);
    else
        cJSON_AddStringToObject(reply, "address", address);
}

static void open_endpoint(bool publisher, const cJSON *request, struct refusal *refusal)
{
    int error = 0;
    if (endpoint_open(publisher, request, &error) == NULL)
        refuse_errno(refusal, error, publisher ? "publisher_open" : "subscriber_open");
}

static void request_open_publisher(const cJSON *request, cJSON *reply, struct refusal *refusal)
{
    (void)reply;
    open_endpoint(true, request, refusal);
}

static void request_open_subscriber(const cJSON *request, cJSON *reply, struct refusal *refusal)
{
    (void)reply;
    open_endpoint(false, request, refusal);
}

static void request_close(const cJSON *request, cJSON *reply, struct refusal *refusal)
{
    struct endpoint *endpoint = request_endpoint(request, "endpoint", refusal);
    struct killer later, *killer = killer_read(&later, request);
    (void)reply;
    if (endpoint == NULL)
        return;
    endpoint_close(endpoint, killer);
    if (killer != NULL)
        killer_after_call(killer);
}

static void request_peers(const cJSON *request, cJSON *reply, struct refusal *refusal)
{
    struct endpoint *endpoint = request_endpoint(request, "endpoint", refusal);
    int count = endpoint == NULL ? 0 : endpoint_peers(endpoint);
    if (count < 0)
        refuse_errno(refusal, count, "peers");
    cJSON_AddNumberToObject(reply, "count", count);
}

static void request_handler(const cJSON *request, cJSON *reply, struct refusal *refusal)
{
    struct endpoint *endpoint = request_endpoint(request, "endpoint", refusal), *publisher = NULL;
    (void)reply;
    if (endpoint == NULL)
        return;
    if (request_number(request, "reply", 0) > 0 &&
        ((publisher = request_endpoint(request, "reply", refusal)) == NULL || !publisher->publisher)) {
        refuse(refusal, "EINVAL", true, "\"reply\" must name a publisher of this agent");
        return;
    }
    atomic_store(&endpoint->delay_us, (unsigned)request_number(request, "delay_us", 0));
    atomic_store(&endpoint->close_after, (unsigned long long)request_number(request, "close_after", 0));
    atomic_store(&endpoint->reply, publisher);
}

/* ---- dispatch ---- */

static const struct operation {
    const char *name;
    request_fn *run;
    bool before_hello;
} operations[] = {
    {"hello", request_hello, true},
    {"open_broker", request_open_broker, false},
    {"open_publisher", request_open_publisher, false},
    {"open_subscriber", request_open_subscriber, false},
    {"wait_peers", request_wait_peers, false},
    {"publish", request_publish, false},
    {"handler", request_handler, false},
    {"drain", request_drain, false},
    {"ping", request_ping, false},
    {"peers", request_peers, false},
    {"stats", request_stats, false},
    {"footprint", request_footprint, false},
    {"wait_gone", request_wait_gone, false},
    {"cycle", request_cycle, false},
    {"hold", request_hold, false},
    {"close", request_close, false},
};

/* Requests that are being carried out. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t ended;
static unsigned running;

static cJSON *begin_reply(const cJSON *request)
{
    cJSON *reply = cJSON_CreateObject();
    cJSON_AddNumberToObject(reply, "id", cJSON_GetObjectItemCaseSensitive(request, "id")->valuedouble);
    return reply;
}

static void answer(const cJSON *request, cJSON *reply, const struct refusal *refusal)
{
    if (refusal->code != NULL) {
        cJSON_Delete(reply);
        reply = begin_reply(request);
        cJSON *error = cJSON_AddObjectToObject(reply, "error");
        cJSON_AddStringToObject(error, "code", refusal->code);
        cJSON_AddBoolToObject(error, "definite", refusal->definite);
        cJSON_AddStringToObject(error, "text", refusal->text);
    }
    out_send(reply);
}

static void carry_out(const cJSON *request)
{
    const char *name = cJSON_GetObjectItemCaseSensitive(request, "op")->valuestring;
    struct refusal refusal = {0};
    cJSON *reply = begin_reply(request);
    cJSON_AddTrueToObject(reply, "ok");
    const struct operation *operation = NULL;
    for (size_t i = 0; i < sizeof operations / sizeof operations[0]; ++i)
        if (strcmp(operations[i].name, name) == 0)
            operation = &operations[i];
    if (operation == NULL)
        refuse(&refusal, "not_supported", true, "this agent knows no op \"%.100s\"", name);
    else
        operation->run(request, reply, &refusal);
    answer(request, reply, &refusal);
}

static void *run_request(void *context)
{
    cJSON *request = context;
    carry_out(request);
    cJSON_Delete(request);
    record_leave(); /* before anybody believes that we are through */
    pthread_mutex_lock(&lock);
    --running;
    pthread_cond_broadcast(&ended);
    pthread_mutex_unlock(&lock);
    return NULL;
}

static void begin(cJSON *request)
{
    pthread_t thread;
    pthread_mutex_lock(&lock);
    ++running;
    pthread_mutex_unlock(&lock);
    int error = -pthread_create(&thread, NULL, run_request, request);
    if (limits_lift(error)) {
        error = -pthread_create(&thread, NULL, run_request, request);
        limits_restore();
    }
    if (error != 0)
        out_fatal("no thread can be started");
    pthread_detach(thread);
}

/* False: some are still at it, blocked in the driver. */
static bool await_running(void)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += 1;
    int error = 0;
    pthread_mutex_lock(&lock);
    while (running > 0 && error == 0)
        error = pthread_cond_timedwait(&ended, &lock, &until);
    bool all = running == 0;
    pthread_mutex_unlock(&lock);
    return all;
}

static void init_ended(void)
{
    pthread_condattr_t clock;
    pthread_condattr_init(&clock);
    pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
    pthread_cond_init(&ended, &clock);
    pthread_condattr_destroy(&clock);
}

/* Takes the request over. True: it was "stop", which is left to the caller to carry out and to answer. */
static bool take_line(const char *text, cJSON **stop)
{
    cJSON *request = cJSON_Parse(text);
    const cJSON *op = cJSON_GetObjectItemCaseSensitive(request, "op");
    if (!cJSON_IsString(op) || !cJSON_IsNumber(cJSON_GetObjectItemCaseSensitive(request, "id")))
        out_fatal("not a request with \"id\" and \"op\": %.200s", text);
    if (strcmp(op->valuestring, "stop") == 0) {
        *stop = request;
        return true;
    }
    /* Before it has been answered nobody asks anything else. */
    if (strcmp(op->valuestring, "hello") == 0) {
        carry_out(request);
        cJSON_Delete(request);
    } else {
        begin(request);
    }
    return false;
}

int requests_serve(void)
{
    char *line = NULL;
    size_t capacity = 0;
    cJSON *stop = NULL;
    init_ended();
    limits_init();
    while (getline(&line, &capacity, stdin) > 0)
        if (take_line(line, &stop))
            break;
    free(line);
    endpoint_close_all();
    bool all = await_running();
    if (all)
        bare_close_all(); /* of requests that are through */
    if (all && broker != NULL)
        agent.driver->broker_close(broker);
    if (stop != NULL) {
        cJSON *reply = begin_reply(stop);
        cJSON_AddTrueToObject(reply, "ok");
        answer(stop, reply, &(struct refusal){0});
    }
    cJSON_Delete(stop);
    if (!all)
        _Exit(0); /* threads are blocked in the driver: nothing may be torn down under them */
    record_close();
    return 0;
}
