#include "gate.h"

#include "../command/command.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const double usual = 0.10;

static bool is_metric(const char *name, unsigned *metric)
{
    for (*metric = 0; *metric < GATE_METRICS; ++*metric)
        if (strcmp(gate_metrics[*metric].metric, name) == 0)
            return true;
    return false;
}

/* {"p50_ns": 0.1, "p99_ns": 0.15}: a misspelt name would be a tolerance that nobody applies. */
static int take(struct gate_tolerances *out, const cJSON *json, const char *file, char *error, size_t size)
{
    const cJSON *member;
    unsigned metric;

    if (!cJSON_IsObject(json)) {
        snprintf(error, size, "%s: no JSON object; {\"p50_ns\": 0.1} lets p50 become 10 %% slower", file);
        return -EINVAL;
    }
    cJSON_ArrayForEach(member, json)
    {
        double share = cJSON_GetNumberValue(member);
        if (!is_metric(member->string, &metric) || !(share > 0 && share < 10)) {
            snprintf(error, size,
                     "%s: \"%.64s\": a tolerance is of p50_ns, p99_ns or messages_per_second, and above 0: 0.1", file,
                     member->string);
            return -EINVAL;
        }
        out->share[metric] = share;
    }
    return 0;
}

int gate_tolerances_read(struct gate_tolerances *out, const char *file, char *error, size_t error_size)
{
    char *text = NULL;
    cJSON *json;
    int result;

    for (size_t i = 0; i < GATE_METRICS; ++i)
        out->share[i] = usual;
    if (file == NULL)
        return 0;
    result = command_load(&text, file);
    if (result < 0) {
        snprintf(error, error_size, "%s: %s", file, strerror(-result));
        return result;
    }
    json = cJSON_Parse(text);
    result = take(out, json, file, error, error_size);
    cJSON_Delete(json);
    free(text);
    return result;
}
