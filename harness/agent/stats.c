/* The requests "stats", what an endpoint has counted, or what the process has cost; and "footprint", what it holds. */
#include "agent.h"

#include "ipcmark/footprint.h"

#include <dirent.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

static double count_entries(const char *path)
{
    DIR *directory = opendir(path);
    int count = 0;
    if (directory == NULL)
        return 0;
    for (struct dirent *entry; (entry = readdir(directory)) != NULL;)
        count += entry->d_name[0] != '.';
    closedir(directory);
    return count;
}

static double resident_bytes(void)
{
    FILE *file = fopen("/proc/self/statm", "re");
    double pages = 0;
    if (file == NULL)
        return 0;
    if (fscanf(file, "%*f %lf", &pages) != 1)
        pages = 0;
    fclose(file);
    return pages * (double)sysconf(_SC_PAGESIZE);
}

static double nanoseconds(struct timeval time)
{
    return (double)time.tv_sec * 1e9 + (double)time.tv_usec * 1e3;
}

static void report_process(cJSON *reply)
{
    struct rusage usage = {0};
    getrusage(RUSAGE_SELF, &usage);
    cJSON_AddNumberToObject(reply, "user_ns", nanoseconds(usage.ru_utime));
    cJSON_AddNumberToObject(reply, "system_ns", nanoseconds(usage.ru_stime));
    cJSON_AddNumberToObject(reply, "voluntary_switches", (double)usage.ru_nvcsw);
    cJSON_AddNumberToObject(reply, "involuntary_switches", (double)usage.ru_nivcsw);
    cJSON_AddNumberToObject(reply, "resident_bytes", resident_bytes());
    /* Less the one that counts. */
    cJSON_AddNumberToObject(reply, "descriptors", count_entries("/proc/self/fd") - 1);
    cJSON_AddNumberToObject(reply, "threads", count_entries("/proc/self/task"));
}

/* While somebody publishes, a figure may be a message behind. */
static void report_publisher(struct endpoint *publisher, cJSON *reply, bool reset)
{
    uint64_t attempted = 0, ok = 0, failed = 0, unknown = 0;
    cJSON *last = cJSON_AddArrayToObject(reply, "last");
    for (size_t i = 0; i <= PUBLISH_THREADS; ++i) {
        struct lane *lane = &publisher->lanes[i];
        double pair[] = {(double)i, (double)lane->sent};
        attempted += lane->attempted;
        ok += lane->ok;
        failed += lane->failed;
        unknown += lane->unknown;
        if (lane->sent > 0)
            cJSON_AddItemToArray(last, cJSON_CreateDoubleArray(pair, 2));
        if (reset)
            lane->attempted = lane->ok = lane->failed = lane->unknown = 0;
    }
    cJSON_AddNumberToObject(reply, "attempted", (double)attempted);
    cJSON_AddNumberToObject(reply, "published", (double)ok);
    cJSON_AddNumberToObject(reply, "failed", (double)failed);
    cJSON_AddNumberToObject(reply, "unknown", (double)unknown);
}

void request_stats(const cJSON *request, cJSON *reply, struct refusal *refusal)
{
    bool reset = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(request, "reset"));
    if (!cJSON_HasObjectItem(request, "endpoint")) {
        report_process(reply);
        return;
    }
    struct endpoint *endpoint = request_endpoint(request, "endpoint", refusal);
    if (endpoint == NULL)
        return;
    if (endpoint->publisher)
        report_publisher(endpoint, reply, reset);
    else
        intake_report(&endpoint->intake, reply, (uint64_t)request_number(request, "to_ns", 0), reset);
}

void request_footprint(const cJSON *request, cJSON *reply, struct refusal *refusal)
{
    int error = ipcmark_footprint(reply);
    (void)request;
    if (error < 0)
        refuse_errno(refusal, error, "footprint");
}
