#include "show.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "judge.h"
#include "units.h"

enum { HEADS_EVERY = 20 };
enum wrong { WRONG_LOST, WRONG_TORN, WRONG_TWICE, WRONG_SWAPPED, WRONG_COUNT };

/* ---- what is asked for ------------------------------------------------------------------------------------------- */

static void describe_messages(char *out, size_t size, const struct scenario *scenario)
{
    char each[UNITS_BYTES];
    size_t used = 0;

    out[0] = '\0';
    for (size_t i = 0; i < scenario->sizes_count && used < size; ++i) {
        units_size(each, scenario->sizes[i]);
        used += (size_t)snprintf(out + used, size - used, "%s%s", i > 0 ? ", " : "", each);
    }
    if (scenario->parts > 1 && used < size)
        used += (size_t)snprintf(out + used, size - used, " in %u parts", scenario->parts);
    if (used < size && scenario->rate > 0)
        used += (size_t)snprintf(out + used, size - used, ", %g msg/s", scenario->rate);
    else if (used < size)
        used += (size_t)snprintf(out + used, size - used, ", as fast as publish returns");
    if (used < size && scenario->threads > 1)
        snprintf(out + used, size - used, " from each of %u threads of a publisher", scenario->threads);
    else if (used < size && scenario->publishers > 1)
        snprintf(out + used, size - used, " from each publisher");
}

static void describe_cast(char *out, size_t size, const struct scenario *scenario)
{
    snprintf(out, size, "%u publisher%s, %u subscriber%s", scenario->publishers, scenario->publishers > 1 ? "s" : "",
             scenario->subscribers, scenario->subscribers > 1 ? "s" : "");
}

void show_begin(struct show *self, const struct scenario *scenario, const ipcmark_implementation *implementation)
{
    char cast[64], messages[512];

    *self = (struct show){.scenario = scenario, .live = scenario->json || isatty(STDERR_FILENO) == 1};
    if (!self->live || scenario->json)
        return;
    describe_cast(cast, sizeof cast, scenario);
    describe_messages(messages, sizeof messages, scenario);
    fprintf(stderr, "%s %s: %s; %s; %g s, seed %llu\n", implementation->name, implementation->version, cast, messages,
            scenario->seconds, (unsigned long long)scenario->seed);
}

/* ---- while it goes on -------------------------------------------------------------------------------------------- */

static double seconds_at(const struct show *self, uint64_t at_ns)
{
    return at_ns > self->start_ns ? (double)(at_ns - self->start_ns) * 1e-9 : 0;
}

static double a_second(uint64_t now, uint64_t before, double seconds)
{
    return now > before && seconds > 0 ? (double)(now - before) / seconds : 0;
}

static void add_known(cJSON *json, const char *name, double value)
{
    if (isnan(value))
        cJSON_AddNullToObject(json, name);
    else
        cJSON_AddNumberToObject(json, name, value);
}

static void print_json(cJSON *json)
{
    char *line = cJSON_PrintUnformatted(json);

    if (line != NULL)
        puts(line);
    fflush(stdout);
    cJSON_free(line);
    cJSON_Delete(json);
}

/* Where everything is written down nobody looks into messages meanwhile: then only the checker knows. */
static bool is_counted(const struct scenario *scenario, enum wrong which)
{
    return !scenario->judged || (which != WRONG_TORN && scenario_keeps_figures(scenario));
}

static uint64_t count_of(const struct counts *sum, enum wrong which)
{
    const uint64_t counts[WRONG_COUNT] = {[WRONG_LOST] = sum->lost,
                                          [WRONG_TORN] = sum->torn,
                                          [WRONG_TWICE] = sum->duplicate,
                                          [WRONG_SWAPPED] = sum->reordered};

    return counts[which];
}

static void add_figures(cJSON *json, const struct figures *figures, const struct scenario *scenario)
{
    static const char *const names[WRONG_COUNT] = {"lost", "torn", "duplicate", "reordered"};
    const struct counts *sum = &figures->sum;
    const struct {
        const char *name;
        uint64_t count;
    } counts[] = {{"attempted", sum->attempted}, {"published", sum->published}, {"refused", sum->failed},
                  {"in_doubt", sum->unknown},    {"received", sum->received},   {"bytes", sum->bytes}};

    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; ++i)
        cJSON_AddNumberToObject(json, counts[i].name, (double)counts[i].count);
    for (enum wrong i = 0; i < WRONG_COUNT; ++i)
        add_known(json, names[i], is_counted(scenario, i) ? (double)count_of(sum, i) : NAN);
}

/* Where the latencies come from, the counts of participants or the records that are judged, they begin elsewhere. */
static void add_latency(cJSON *json, const struct figures *figures, const char *from)
{
    cJSON_AddNumberToObject(json, "samples", (double)figures->samples);
    if (figures->samples > 0)
        cJSON_AddStringToObject(json, "latency_from", from);
    else
        cJSON_AddNullToObject(json, "latency_from");
    add_known(json, "p50_ns", figures->p50_ns);
    add_known(json, "p99_ns", figures->p99_ns);
    add_known(json, "p999_ns", figures->p999_ns);
    add_known(json, "max_ns", figures->max_ns);
}

static void add_rates(cJSON *json, const struct counts *now, const struct counts *before, double seconds)
{
    cJSON_AddNumberToObject(json, "published_per_second", a_second(now->published, before->published, seconds));
    cJSON_AddNumberToObject(json, "received_per_second", a_second(now->received, before->received, seconds));
    cJSON_AddNumberToObject(json, "bytes_per_second", a_second(now->bytes, before->bytes, seconds));
}

static void print_cells(const char *const *cells, size_t count)
{
    static const int columns[] = {6, 8, 11, 8, 9, 9, 6, 6, 7, 9}; /* 79: a terminal may have no more than 80 */
    char padded[64];

    for (size_t i = 0; i < count; ++i) {
        units_pad(cells[i], columns[i], padded, sizeof padded);
        fputs(padded, stderr);
    }
    fputc('\n', stderr);
}

static void print_heads(void)
{
    static const char *const heads[] = {"time", "sent/s", "received/s", "MiB/s", "p50",
                                        "p99",  "lost",   "torn",       "twice", "swapped"};

    fputs("        ----- of that second ----  ----------- since the beginning ------------\n", stderr);
    print_cells(heads, sizeof heads / sizeof heads[0]);
}

static void print_second(const struct scenario *scenario, const struct figures *now, const struct figures *before,
                         double at)
{
    const double seconds = (double)(now->at_ns - before->at_ns) * 1e-9;
    char texts[10][UNITS_BYTES];
    const char *cells[10];

    snprintf(texts[0], UNITS_BYTES, "%.4g s", at);
    units_rate(texts[1], a_second(now->sum.published, before->sum.published, seconds));
    units_rate(texts[2], a_second(now->sum.received, before->sum.received, seconds));
    units_mib(texts[3], a_second(now->sum.bytes, before->sum.bytes, seconds));
    units_time(texts[4], now->p50_ns);
    units_time(texts[5], now->p99_ns);
    for (enum wrong i = 0; i < WRONG_COUNT; ++i)
        if (is_counted(scenario, i))
            snprintf(texts[6 + i], UNITS_BYTES, "%llu", (unsigned long long)count_of(&now->sum, i));
        else
            snprintf(texts[6 + i], UNITS_BYTES, "–");
    for (size_t i = 0; i < 10; ++i)
        cells[i] = texts[i];
    print_cells(cells, 10);
}

void show_start(struct show *self, uint64_t start_ns, bool seconds)
{
    self->start_ns = start_ns;
    self->before = (struct figures){.at_ns = start_ns};
    if (seconds && self->live && !self->scenario->json)
        print_heads();
}

void show_second(struct show *self, const struct figures *now, double seconds)
{
    const double at = seconds_at(self, now->at_ns);

    if (!self->live)
        return;
    if (self->scenario->json) {
        cJSON *json = cJSON_CreateObject();
        cJSON_AddStringToObject(json, "type", "second");
        cJSON_AddNumberToObject(json, "seconds", at);
        add_rates(json, &now->sum, &self->before.sum, at - seconds_at(self, self->before.at_ns));
        add_figures(json, now, self->scenario);
        add_latency(json, now, "schedule");
        print_json(json);
    } else {
        if (self->lines++ % HEADS_EVERY == HEADS_EVERY - 1)
            print_heads();
        print_second(self->scenario, now, &self->before, seconds);
    }
    self->before = *now;
}

void show_fault(struct show *self, uint64_t at_ns, const char *name, const char *what, double seconds)
{
    const double at = seconds_at(self, at_ns);

    if (!self->live)
        return;
    if (self->scenario->json) {
        cJSON *json = cJSON_CreateObject();
        cJSON_AddStringToObject(json, "type", "fault");
        cJSON_AddNumberToObject(json, "seconds", at);
        cJSON_AddStringToObject(json, "name", name);
        cJSON_AddStringToObject(json, "what", what);
        cJSON_AddNumberToObject(json, "away_seconds", seconds);
        print_json(json);
    } else if (strcmp(what, "killed") == 0) {
        fprintf(stderr, "%4.1f s  %s killed, back after %.0f ms\n", at, name, seconds * 1e3);
    } else {
        fprintf(stderr, "%4.1f s  %s %s for %.3g s\n", at, name, what, seconds);
    }
}

/* ---- at the end -------------------------------------------------------------------------------------------------- */

static void summarize_json(const struct show *self, const struct crew *crew, const struct outcome *outcome,
                           const struct figures *in_time, const struct figures *in_all)
{
    const double seconds = seconds_at(self, in_time->at_ns);
    cJSON *json = cJSON_CreateObject();

    cJSON_AddStringToObject(json, "type", "summary");
    cJSON_AddStringToObject(json, "verdict", judge_word(outcome));
    cJSON_AddStringToObject(json, "text", outcome->text);
    cJSON_AddStringToObject(json, "implementation", crew->implementation->name);
    cJSON_AddStringToObject(json, "version", crew->implementation->version);
    cJSON_AddNumberToObject(json, "seed", (double)self->scenario->seed);
    cJSON_AddNumberToObject(json, "seconds", seconds);
    if (!crew->blind) {
        add_rates(json, &in_time->sum, &(struct counts){0}, seconds);
        add_figures(json, in_all, self->scenario);
    }
    if (outcome->judged)
        add_latency(json, &outcome->delays, "publish");
    else
        add_latency(json, in_all, "schedule");
    cJSON_AddNumberToObject(json, "kills", (double)crew->deaths);
    cJSON_AddNumberToObject(json, "pauses", (double)crew->pauses);
    cJSON_AddBoolToObject(json, "judged", outcome->judged);
    if (outcome->judged) {
        cJSON_AddNumberToObject(json, "messages", (double)outcome->judgement.messages);
        cJSON_AddNumberToObject(json, "must", (double)outcome->judgement.must);
        cJSON_AddNumberToObject(json, "deliveries", (double)outcome->judgement.received);
        cJSON_AddNumberToObject(json, "violations", (double)outcome->judgement.violations);
    }
    if (outcome->evidence[0] != '\0')
        cJSON_AddStringToObject(json, "evidence", outcome->evidence);
    print_json(json);
}

/* An open loop that could not keep its schedule was another load than the one asked for. */
static void print_sent(const struct scenario *scenario, const struct counts *in_time, const struct counts *in_all,
                       double seconds)
{
    const double asked = scenario->rate * scenario->threads * scenario->publishers * seconds;
    char rate[UNITS_BYTES];

    units_rate(rate, a_second(in_time->published, 0, seconds));
    printf("  sent         %llu messages, %s a second", (unsigned long long)in_all->published, rate);
    if (in_all->failed > 0)
        printf("; %llu more were refused", (unsigned long long)in_all->failed);
    if (in_all->unknown > 0)
        printf("; %llu more are in doubt", (unsigned long long)in_all->unknown);
    if (asked > 0 && (double)in_time->attempted < 0.99 * asked)
        printf("; only %.1f %% of the rate that was asked for", 100 * (double)in_time->attempted / asked);
    putchar('\n');
}

static void print_latency(const struct figures *figures, const char *from)
{
    char p50[UNITS_BYTES], p99[UNITS_BYTES], p999[UNITS_BYTES], max[UNITS_BYTES];

    if (figures->samples == 0)
        return;
    units_time(p50, figures->p50_ns);
    units_time(p99, figures->p99_ns);
    units_time(p999, figures->p999_ns);
    units_time(max, figures->max_ns);
    printf("  latency      p50 %s, p99 %s, p99.9 %s, max %s, %s\n", p50, p99, p999, max, from);
}

static void print_counts(const struct show *self, const struct figures *in_time, const struct figures *in_all)
{
    const double seconds = seconds_at(self, in_time->at_ns);
    char rate[UNITS_BYTES], speed[UNITS_BYTES];

    print_sent(self->scenario, &in_time->sum, &in_all->sum, seconds);
    units_rate(rate, a_second(in_time->sum.received, 0, seconds));
    units_mib(speed, a_second(in_time->sum.bytes, 0, seconds));
    printf("  received     %llu%s, %s a second, %s MiB/s\n", (unsigned long long)in_all->sum.received,
           self->scenario->subscribers > 1 ? " by all subscribers together" : "", rate, speed);
}

static void print_traffic(const struct show *self, const struct crew *crew, const struct outcome *outcome,
                          const struct figures *in_time, const struct figures *in_all)
{
    char messages[512];

    describe_messages(messages, sizeof messages, self->scenario);
    printf("  traffic      %.1f s; %s; seed %llu\n", seconds_at(self, in_time->at_ns), messages,
           (unsigned long long)self->scenario->seed);
    if (!crew->blind)
        print_counts(self, in_time, in_all);
    if (outcome->judged)
        print_latency(&outcome->delays, "from the call of publish to the handler");
    else
        print_latency(in_all, "from the scheduled time to the handler");
    if (crew->deaths + crew->pauses > 0)
        printf("  faults       %llu killed and started again, %llu stopped for a while\n",
               (unsigned long long)crew->deaths, (unsigned long long)crew->pauses);
}

static void print_judgement(const struct outcome *outcome)
{
    const struct ipcmark_judgement *judgement = &outcome->judgement;

    printf("  judged       %llu messages; %llu deliveries had to be, %llu were seen; %llu violations\n",
           (unsigned long long)judgement->messages, (unsigned long long)judgement->must,
           (unsigned long long)judgement->received, (unsigned long long)judgement->violations);
    for (const char *line = outcome->code == EXIT_HOLDS ? NULL : outcome->detail; line != NULL && *line != '\0';
         line += strcspn(line, "\n"), line += *line == '\n')
        printf("    %.*s\n", (int)strcspn(line, "\n"), line);
}

void show_summary(const struct show *self, const struct crew *crew, const struct outcome *outcome,
                  const struct figures *in_time, const struct figures *in_all)
{
    char cast[64];

    if (self->scenario->json) {
        summarize_json(self, crew, outcome, in_time, in_all);
        return;
    }
    describe_cast(cast, sizeof cast, self->scenario);
    printf("%s %s, %s: %s\n", crew->implementation->name, crew->implementation->version, cast, judge_word(outcome));
    if (outcome->text[0] != '\0')
        printf("  because      %s\n", outcome->text);
    if (in_time->at_ns != 0)
        print_traffic(self, crew, outcome, in_time, in_all);
    if (outcome->judged)
        print_judgement(outcome);
    else if (in_time->at_ns != 0)
        printf("  counted      %llu lost, %llu torn, %llu twice, %llu out of order\n",
               (unsigned long long)in_all->sum.lost, (unsigned long long)in_all->sum.torn,
               (unsigned long long)in_all->sum.duplicate, (unsigned long long)in_all->sum.reordered);
    if (outcome->evidence[0] != '\0')
        printf("  evidence     %s (`ipcmark check` judges it again)\n", outcome->evidence);
}
