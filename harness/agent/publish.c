/* The request "publish": threads that send at their own pace, or by a schedule that they never skip. */
#include "agent.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>

enum { MAX_SIZES = 4096 };
static const uint64_t longest_spin_ns = 100000; /* the kernel wakes us up to so much late */

struct plan {
    struct endpoint *publisher;
    uint64_t count, start_ns, end_ns; /* count, end_ns: 0 is without limit */
    double interval_ns;               /* 0: no schedule */
    double jitter;                    /* of an interval: a message is due up to so much later */
    size_t sizes[MAX_SIZES], sizes_count, smallest, largest, parts;
    uint64_t kill_at;
    enum kill_moment kill_moment;
    struct killer killer;
    bool overwrite;
    bool dry;         /* the schedule without messages */
    bool retry;       /* what is refused with EAGAIN is offered again */
    uint64_t spin_ns; /* of the time until a message is due; 0: it is slept to the end */
};

struct worker {
    struct plan *plan;
    uint16_t lane;
    pthread_t thread;
    uint64_t cpu_ns, sleeps; /* of this thread; how often it waited in the kernel until a message was due */
    uint64_t first_ns, last_ns, attempted, ok, failed, unknown, retries;
    int last_error;
};

/* Until `time_ns`, awake for the last stretch. False: the publisher is being closed. */
static bool wait_until(struct worker *worker, uint64_t time_ns, uint64_t spin_ns)
{
    struct endpoint *publisher = worker->plan->publisher;
    while (!endpoint_is_closing(publisher) && ipcmark_now_ns() + spin_ns < time_ns) {
        ++worker->sleeps;
        endpoint_await_closing(publisher, time_ns - spin_ns);
    }
    while (ipcmark_now_ns() < time_ns && !endpoint_is_closing(publisher)) {
    }
    return !endpoint_is_closing(publisher);
}

/* Small messages: the clock only now and then, since reading it takes as long as publishing one. */
static bool looks_at_clock(const struct plan *plan, uint64_t index)
{
    return plan->end_ns != 0 && (plan->interval_ns > 0 || plan->largest >= 4096 || index % 16 == 0);
}

static bool goes_on(const struct plan *plan, uint64_t index)
{
    return !endpoint_is_closing(plan->publisher) && (plan->count == 0 || index < plan->count) &&
           (!looks_at_clock(plan, index) || ipcmark_now_ns() < plan->end_ns);
}

static void send_one(struct worker *worker, uint64_t index, uint64_t scheduled_ns)
{
    struct plan *plan = worker->plan;
    size_t size = plan->sizes[plan->sizes_count == 1 ? 0 : index % plan->sizes_count];
    bool kill = worker->lane == 0 && plan->kill_at == index + 1;
    int result =
        lane_publish(plan->publisher, worker->lane, size, plan->parts, scheduled_ns, kill ? &plan->killer : NULL);
    if (result < 0)
        worker->last_error = result;
    if (plan->overwrite)
        lane_scribble(&plan->publisher->lanes[worker->lane], size);
}

/* From 0 to below 1; the key is as good as any other hash. */
static double draw(uint64_t index, uint16_t lane)
{
    return (double)(ipcmark_payload_key(agent.seed, index, lane) >> 11) * 0x1p-53;
}

/* When the message is due, so long after the first of a schedule without jitter. */
static uint64_t offset_of(const struct plan *plan, uint64_t index, uint16_t lane)
{
    double place = (double)index;
    if (plan->jitter > 0)
        place += plan->jitter * draw(index, lane);
    return (uint64_t)(place * plan->interval_ns);
}

static uint64_t thread_cpu_ns(void)
{
    struct timespec used = {0};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
    return (uint64_t)used.tv_sec * 1000000000u + (uint64_t)used.tv_nsec;
}

static void *work(void *context)
{
    struct worker *worker = context;
    const struct plan *plan = worker->plan;
    const struct lane *lane = &plan->publisher->lanes[worker->lane];
    struct lane before = *lane;
    if (plan->start_ns > ipcmark_now_ns())
        wait_until(worker, plan->start_ns, longest_spin_ns);
    if (plan->spin_ns == 0)
        prctl(PR_SET_TIMERSLACK, 1); /* of this thread, which ends with the request */
    uint64_t start = plan->start_ns != 0 ? plan->start_ns : ipcmark_now_ns();
    uint64_t cpu_ns = thread_cpu_ns();
    worker->sleeps = 0;
    worker->first_ns = ipcmark_now_ns();
    for (uint64_t i = 0; goes_on(plan, i); ++i) {
        uint64_t scheduled_ns = 0;
        if (plan->interval_ns > 0) {
            scheduled_ns = start + offset_of(plan, i, worker->lane);
            if (!wait_until(worker, scheduled_ns, plan->spin_ns))
                break;
        }
        if (!plan->dry)
            send_one(worker, i, scheduled_ns);
    }
    worker->last_ns = ipcmark_now_ns();
    worker->cpu_ns = thread_cpu_ns() - cpu_ns;
    worker->attempted = lane->attempted - before.attempted;
    worker->ok = lane->ok - before.ok;
    worker->failed = lane->failed - before.failed;
    worker->unknown = lane->unknown - before.unknown;
    worker->retries = lane->retries - before.retries;
    return NULL;
}

static const char *read_sizes(struct plan *plan, const cJSON *sizes)
{
    const cJSON *item;
    if (cJSON_IsNumber(sizes))
        plan->sizes[plan->sizes_count++] = (size_t)sizes->valuedouble;
    cJSON_ArrayForEach(item, sizes)
    {
        if (plan->sizes_count == MAX_SIZES || !cJSON_IsNumber(item) || item->valuedouble < 0)
            return "sizes: at most 4096 numbers";
        plan->sizes[plan->sizes_count++] = (size_t)item->valuedouble;
    }
    plan->smallest = SIZE_MAX;
    for (size_t i = 0; i < plan->sizes_count; ++i) {
        if (plan->sizes[i] > plan->largest)
            plan->largest = plan->sizes[i];
        if (plan->sizes[i] < plan->smallest)
            plan->smallest = plan->sizes[i];
    }
    return plan->sizes_count == 0 ? "sizes is missing" : NULL;
}

static const char *read_moment(struct plan *plan, const cJSON *request)
{
    const cJSON *moment = cJSON_GetObjectItemCaseSensitive(request, "kill_self_moment");
    const char *text = cJSON_IsString(moment) ? moment->valuestring : "inside";
    plan->kill_at = (uint64_t)request_number(request, "kill_self_at", 0);
    plan->kill_moment = strcmp(text, "before") == 0   ? KILL_BEFORE
                        : strcmp(text, "after") == 0  ? KILL_AFTER
                        : strcmp(text, "inside") == 0 ? KILL_INSIDE
                                                      : KILL_NEVER;
    return plan->kill_moment == KILL_NEVER ? "kill_self_moment: inside, before or after" : NULL;
}

static const char *read_plan(struct plan *plan, const cJSON *request)
{
    double rate = request_number(request, "rate", 0), seconds = request_number(request, "seconds", 0);
    plan->count = (uint64_t)request_number(request, "count", 0);
    plan->start_ns = (uint64_t)request_number(request, "start_at_ns", 0);
    plan->parts = (size_t)request_number(request, "parts", 1);
    plan->interval_ns = rate > 0 ? 1e9 / rate : 0;
    plan->jitter = request_number(request, "jitter", 0);
    plan->overwrite = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(request, "overwrite"));
    plan->retry = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(request, "retry"));
    plan->dry = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(request, "dry"));
    plan->spin_ns = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(request, "sleep")) ? 0 : longest_spin_ns;
    if (seconds > 0)
        plan->end_ns = (plan->start_ns != 0 ? plan->start_ns : ipcmark_now_ns()) + (uint64_t)(seconds * 1e9);
    if (plan->count == 0 && seconds <= 0)
        return "count or seconds must be given";
    if (plan->parts > UINT16_MAX)
        return "parts: at most 65535";
    if (!(plan->jitter >= 0 && plan->jitter <= 1))
        return "jitter: 0 to 1, of an interval";
    const char *fault = read_sizes(plan, cJSON_GetObjectItemCaseSensitive(request, "sizes"));
    if (fault == NULL && plan->parts == 0 && plan->largest > 0)
        fault = "a message without parts has 0 bytes";
    return fault != NULL ? fault : read_moment(plan, request);
}

static void report(const struct worker *workers, unsigned count, cJSON *reply)
{
    uint64_t attempted = 0, ok = 0, failed = 0, unknown = 0, retries = 0, first = UINT64_MAX, last = 0, cpu_ns = 0,
             sleeps = 0;
    int error = 0;
    cJSON *sent = cJSON_AddArrayToObject(reply, "last");
    for (const struct worker *worker = workers; worker < workers + count; ++worker) {
        const struct lane *lane = &worker->plan->publisher->lanes[worker->lane];
        double pair[] = {worker->lane, (double)lane->sent};
        attempted += worker->attempted;
        ok += worker->ok;
        failed += worker->failed;
        unknown += worker->unknown;
        retries += worker->retries;
        cpu_ns += worker->cpu_ns;
        sleeps += worker->sleeps;
        first = worker->first_ns < first ? worker->first_ns : first;
        last = worker->last_ns > last ? worker->last_ns : last;
        error = worker->last_error < 0 ? worker->last_error : error;
        if (lane->sent > 0)
            cJSON_AddItemToArray(sent, cJSON_CreateDoubleArray(pair, 2));
    }
    cJSON_AddNumberToObject(reply, "attempted", (double)attempted);
    cJSON_AddNumberToObject(reply, "published", (double)ok);
    cJSON_AddNumberToObject(reply, "failed", (double)failed);
    cJSON_AddNumberToObject(reply, "unknown", (double)unknown);
    cJSON_AddNumberToObject(reply, "first_ns", (double)first);
    cJSON_AddNumberToObject(reply, "last_ns", (double)last);
    cJSON_AddNumberToObject(reply, "achieved_rate",
                            last > first ? (double)attempted * 1e9 / (double)(last - first) : 0);
    cJSON_AddNumberToObject(reply, "cpu_ns", (double)cpu_ns);
    cJSON_AddNumberToObject(reply, "sleeps", (double)sleeps);
    cJSON_AddNumberToObject(reply, "retries", (double)retries);
    if (error < 0)
        cJSON_AddStringToObject(reply, "last_error", strerrorname_np(-error) == NULL ? "EIO" : strerrorname_np(-error));
}

/* Different for each of many that shall die alike. */
static uint64_t killer_seed(const struct plan *plan)
{
    const struct endpoint *publisher = plan->publisher;
    return agent.seed + (uint64_t)publisher->id * 0x10001 + ((uint64_t)publisher->epoch << 32) + (plan->kill_at << 40);
}

static int prepare(struct plan *plan, struct worker *workers, unsigned count)
{
    int error = plan->kill_at > 0 ? killer_prepare(&plan->killer, plan->kill_moment, killer_seed(plan)) : 0;
    for (uint16_t i = 0; i < count && error == 0; ++i) {
        workers[i] = (struct worker){.plan = plan, .lane = i};
        error = lane_prepare(&plan->publisher->lanes[i], plan->largest, plan->parts);
        plan->publisher->lanes[i].insists = plan->retry;
    }
    return error;
}

static int run(struct worker *workers, unsigned count)
{
    unsigned started = 1;
    int error = 0;
    while (started < count && error == 0)
        if ((error = pthread_create(&workers[started].thread, NULL, work, &workers[started])) == 0)
            ++started;
    work(&workers[0]); /* this thread is the first of them */
    for (unsigned i = 1; i < started; ++i)
        pthread_join(workers[i].thread, NULL);
    return -error;
}

void request_publish(const cJSON *request, cJSON *reply, struct refusal *refusal)
{
    struct plan *plan = limits_allocate(sizeof *plan);
    struct worker workers[PUBLISH_THREADS] = {0};
    unsigned threads = (unsigned)request_number(request, "threads", 1);
    struct endpoint *publisher = request_endpoint(request, "endpoint", refusal);
    const char *fault = plan == NULL ? "out of memory" : read_plan(plan, request);
    if (publisher != NULL && (!publisher->publisher || threads < 1 || threads > PUBLISH_THREADS))
        fault = "it takes a publisher, and 1 to 64 threads";
    if (publisher != NULL && fault == NULL && publisher->small_frames &&
        (threads != 1 || plan->parts != 1 || plan->smallest < IPCMARK_PAYLOAD_SMALL))
        fault = "small frames are of one thread, one part and 8 bytes at least";
    if (publisher != NULL && fault != NULL)
        refuse(refusal, "EINVAL", true, "%s", fault);
    else if (publisher != NULL && threads > 1 && !endpoint_claims(IPCMARK_CAP_THREADS))
        refuse(refusal, "not_supported", true, "the driver does not claim threads");
    else if (publisher != NULL && !endpoint_begin(publisher))
        refuse(refusal, "ESHUTDOWN", true, "the publisher is closed");
    else if (publisher != NULL) {
        plan->publisher = publisher;
        int error = prepare(plan, workers, threads);
        if (error == 0)
            error = run(workers, threads);
        killer_dismiss(&plan->killer);
        report(workers, error == 0 ? threads : 0, reply);
        endpoint_end(publisher); /* last: whoever begins next finds the lanes as we leave them */
        if (error < 0)
            refuse_errno(refusal, error, "publishing threads");
    }
    free(plan);
}
