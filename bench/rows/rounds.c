#include "rounds.h"

#include <stdio.h>
#include <string.h>

#include "../command/statistics.h"
#include "../limits/line.h"

const double rounds_seconds = 0.025;

void rounds_begin(struct rounds *rounds, struct bench *bench)
{
    *rounds = (struct rounds){.bench = bench, .line_ns = bench_line_ns(bench)};
}

bool rounds_wanted(const struct rounds *rounds, double cell_seconds)
{
    return rounds->count == 0 || (rounds->count < ROUNDS_MOST && rounds->seconds < cell_seconds);
}

void rounds_add(struct rounds *rounds, double seconds, double value, cJSON *histogram)
{
    struct round *round = &rounds->list[rounds->count++];

    *round = (struct round){.before_ns = rounds->line_ns, .value = value, .histogram = histogram};
    rounds->line_ns = round->after_ns = bench_line_ns(rounds->bench);
    rounds->seconds += seconds;
}

static bool is_of(const struct round *round, const char *class)
{
    const char *placement = line_placement(round->before_ns, round->after_ns);
    return placement != NULL && strcmp(placement, class) == 0;
}

static size_t count_of(const struct rounds *rounds, const char *class)
{
    size_t count = 0;

    for (size_t i = 0; i < rounds->count; ++i)
        count += is_of(&rounds->list[i], class);
    return count;
}

/* Of two seen as often the one that came first: no class is preferred for being fast, or slow. */
static const char *most_seen(const struct rounds *rounds)
{
    const char *best = NULL;
    size_t most = 0;

    for (size_t i = 0; i < rounds->count; ++i) {
        const char *class = line_placement(rounds->list[i].before_ns, rounds->list[i].after_ns);
        size_t seen = class == NULL || strcmp(class, "mixed") == 0 ? 0 : count_of(rounds, class);
        if (seen > most)
            most = seen, best = class;
    }
    return best;
}

static double median_line(const struct rounds *rounds, size_t chosen, bool after)
{
    double lines[ROUNDS_MOST];

    for (size_t i = 0; i < chosen; ++i)
        lines[i] = after ? rounds->list[i].after_ns : rounds->list[i].before_ns;
    return statistics_median(lines, chosen);
}

/* None is of one class: the cell takes the lines of one that was between two, which says so. */
static void take_mixed_lines(const struct rounds *rounds, struct cell *cell)
{
    cell->line_before_ns = rounds->list[0].before_ns;
    cell->line_after_ns = rounds->list[0].after_ns;
}

size_t rounds_choose(struct rounds *rounds, struct cell *cell)
{
    const char *class = most_seen(rounds);
    size_t chosen = 0;

    for (size_t i = 0; class != NULL && i < rounds->count; ++i)
        if (is_of(&rounds->list[i], class)) {
            struct round round = rounds->list[i];
            rounds->list[i] = rounds->list[chosen];
            rounds->list[chosen++] = round;
        }
    cell_metric(cell, "rounds", (double)rounds->count);
    cell_metric(cell, "rounds_used", (double)(chosen > 0 ? chosen : rounds->count));
    if (chosen == 0) {
        take_mixed_lines(rounds, cell);
        return rounds->count;
    }
    cell->line_before_ns = median_line(rounds, chosen, false);
    cell->line_after_ns = median_line(rounds, chosen, true);
    return chosen;
}

double rounds_median(const struct rounds *rounds, size_t chosen)
{
    double values[ROUNDS_MOST];

    for (size_t i = 0; i < chosen; ++i)
        values[i] = rounds->list[i].value;
    return statistics_median(values, chosen);
}

void rounds_add_classes(const struct rounds *rounds, struct cell *cell, const char *name)
{
    for (size_t i = 0; i < LINE_CLASSES; ++i) {
        double values[ROUNDS_MOST], median;
        char full_name[64];
        size_t count = 0;
        for (size_t j = 0; j < rounds->count; ++j)
            if (is_of(&rounds->list[j], line_classes[i]))
                values[count++] = rounds->list[j].value;
        snprintf(full_name, sizeof full_name, "%s_%s", line_classes[i], name);
        median = count > 0 ? statistics_median(values, count) : 0;
        if (median > 0) /* nothing arrived: there is no ratio to nothing */
            cell_metric(cell, full_name, median);
    }
}

/* In a round with too few trips it is no p99, and two have no middle. */
static void add_p99_of_rounds(const struct rounds *rounds, struct cell *cell, const char *class, unsigned ways,
                              const char *name)
{
    double values[ROUNDS_MOST];
    struct ipcmark_histogram *round;
    size_t count = 0;

    for (size_t i = 0; i < rounds->count; ++i) {
        if (!is_of(&rounds->list[i], class) || ipcmark_histogram_new(&round) < 0)
            continue;
        if (ipcmark_histogram_add_json(round, rounds->list[i].histogram) == 0 &&
            statistics_percentile_holds(99, round->total))
            values[count++] = (double)ipcmark_histogram_percentile(round, 99) / ways;
        ipcmark_histogram_free(round);
    }
    if (count >= ROUNDS_FEWEST)
        cell_metric(cell, name, statistics_median(values, count));
}

static void add_class_times(const struct rounds *rounds, struct cell *cell, const char *class, unsigned ways)
{
    struct ipcmark_histogram *merged;
    char name[64];

    if (ipcmark_histogram_new(&merged) < 0)
        return;
    for (size_t i = 0; i < rounds->count; ++i)
        if (is_of(&rounds->list[i], class))
            (void)ipcmark_histogram_add_json(merged, rounds->list[i].histogram); /* rounds_merge() judges a bad one */
    snprintf(name, sizeof name, "%s_p50_ns", class);
    if (merged->total > 0)
        cell_metric(cell, name, (double)ipcmark_histogram_percentile(merged, 50) / ways);
    snprintf(name, sizeof name, "%s_p99_ns", class);
    if (statistics_percentile_holds(99, merged->total))
        cell_metric(cell, name, (double)ipcmark_histogram_percentile(merged, 99) / ways);
    ipcmark_histogram_free(merged);
    snprintf(name, sizeof name, "%s_p99_of_rounds_ns", class);
    add_p99_of_rounds(rounds, cell, class, ways, name);
}

void rounds_add_class_times(const struct rounds *rounds, struct cell *cell, unsigned ways)
{
    const char *class = most_seen(rounds);

    for (size_t i = 0; i < LINE_CLASSES; ++i)
        add_class_times(rounds, cell, line_classes[i], ways);
    if (class != NULL)
        add_p99_of_rounds(rounds, cell, class, ways, "p99_of_rounds_ns");
}

cJSON *rounds_merge(const struct rounds *rounds, size_t chosen)
{
    struct ipcmark_histogram *merged;
    cJSON *json = NULL;
    int result = 0;

    if (ipcmark_histogram_new(&merged) < 0)
        return NULL;
    for (size_t i = 0; i < chosen && result == 0; ++i)
        result = ipcmark_histogram_add_json(merged, rounds->list[i].histogram);
    if (result == 0)
        json = ipcmark_histogram_to_json(merged);
    ipcmark_histogram_free(merged);
    return json;
}

void rounds_end(struct rounds *rounds)
{
    for (size_t i = 0; i < rounds->count; ++i)
        cJSON_Delete(rounds->list[i].histogram);
    rounds->count = 0;
}
