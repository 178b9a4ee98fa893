/* Which rounds make a cell; the line is what each case says it is. */
#include <cases.h>

#include <math.h>

#include "../rows/rounds.h"

static const double *next_line;

double bench_line_ns(const struct bench *bench)
{
    (void)bench;
    return *next_line++;
}

static struct row row;
static struct cell cell;
static struct rounds rounds;

/* One more line than rounds; round n is worth n + 1. Returns how many were chosen. */
static size_t choose(const double *lines, size_t count)
{
    char text[256];
    assert_int_equal(row_parse(&row, "hot/fifo/64B/1x1", text, sizeof text), 0);
    cell_init(&cell, &row, 0);
    next_line = lines;
    rounds_begin(&rounds, NULL);
    for (size_t i = 0; i < count; ++i) {
        assert_true(rounds_wanted(&rounds, 1e9));
        rounds_add(&rounds, 0.025, (double)(i + 1), NULL);
    }
    return rounds_choose(&rounds, &cell);
}

static double metric(const char *name)
{
    const cJSON *item = cJSON_GetObjectItem(cell.metrics, name);
    return item == NULL ? NAN : item->valuedouble;
}

static void close_rounds(void)
{
    rounds_end(&rounds);
    cell_release(&cell);
}

static void class_seen_most_makes_the_cell(void **state)
{
    static const double lines[] = {50, 51, 170, 171, 172};
    size_t chosen = choose(lines, 4); /* cluster, mixed, distant, distant */
    (void)state;
    assert_int_equal(chosen, 2);
    assert_true(rounds_median(&rounds, chosen) == 3.5);
    assert_true(cell.line_before_ns == 170.5 && cell.line_after_ns == 171.5);
    assert_true(metric("rounds") == 4 && metric("rounds_used") == 2);
    rounds_add_classes(&rounds, &cell, "p50_ns");
    assert_true(metric("cluster_p50_ns") == 1 && metric("distant_p50_ns") == 3.5);
    assert_true(isnan(metric("siblings_p50_ns")));
    close_rounds();
}

/* A ratio to it would be infinite. */
static void class_of_nothing_has_no_figure(void **state)
{
    static const double lines[] = {50, 51, 170, 171, 172};
    (void)state;
    choose(lines, 4);
    for (size_t i = 0; i < rounds.count; ++i)
        rounds.list[i].value = rounds.list[i].value > 1 ? rounds.list[i].value : 0; /* the one round of cluster */
    rounds_add_classes(&rounds, &cell, "messages_per_second");
    assert_true(isnan(metric("cluster_messages_per_second")));
    assert_true(metric("distant_messages_per_second") == 3.5);
    close_rounds();
}

/* Neither the fastest nor the slowest is preferred. */
static void tie_goes_to_the_class_seen_first(void **state)
{
    static const double down[] = {170, 171, 32, 33}, up[] = {32, 33, 170, 171}, later[] = {32, 170, 171, 32, 33};
    (void)state;
    assert_int_equal(choose(down, 3), 1); /* distant, mixed, siblings */
    assert_true(cell.line_before_ns == 170);
    close_rounds();
    assert_int_equal(choose(up, 3), 1);
    assert_true(cell.line_before_ns == 32);
    close_rounds();
    assert_int_equal(choose(later, 4), 1); /* mixed, distant, mixed, siblings */
    assert_true(cell.line_before_ns == 170);
    close_rounds();
}

/* Three trips of 100 ns in one class, five of 300 in another; the one of 700 while they moved is in none. */
static void times_are_of_all_trips_of_a_class(void **state)
{
    static const double lines[] = {50, 51, 170, 171};
    static const struct {
        uint64_t value, count;
    } trips[] = {{100, 3}, {700, 1}, {300, 5}};
    (void)state;
    choose(lines, 3);
    for (size_t i = 0; i < 3; ++i) {
        struct ipcmark_histogram *histogram;
        size_t at = 0;
        while (rounds.list[at].value != (double)(i + 1)) /* choosing has put them into another order */
            ++at;
        assert_int_equal(ipcmark_histogram_new(&histogram), 0);
        for (uint64_t n = 0; n < trips[i].count; ++n)
            ipcmark_histogram_record(histogram, trips[i].value);
        rounds.list[at].histogram = ipcmark_histogram_to_json(histogram);
        ipcmark_histogram_free(histogram);
    }
    rounds_add_class_times(&rounds, &cell, 2);
    assert_true(metric("cluster_p50_ns") == 50 && metric("distant_p50_ns") == 150);
    assert_true(isnan(metric("siblings_p50_ns")));
    close_rounds();
}

/* A round of so many trips, one in thirty-three of which took as long as that. */
static cJSON *trips_of(uint64_t count, uint64_t slow)
{
    struct ipcmark_histogram *histogram;
    cJSON *json;
    assert_int_equal(ipcmark_histogram_new(&histogram), 0);
    for (uint64_t n = 0; n < count; ++n)
        ipcmark_histogram_record(histogram, n % 33 == 0 ? slow : 100);
    json = ipcmark_histogram_to_json(histogram);
    ipcmark_histogram_free(histogram);
    return json;
}

/* Two of five rounds were held up, and these decide what all trips together have. */
static void p99_of_rounds_is_that_of_the_round_in_the_middle(void **state)
{
    static const double lines[] = {50, 51, 50, 51, 50, 51, 170, 171, 172};
    static const uint64_t slow[] = {200, 9000, 220, 9000, 240, 600, 600, 600};
    (void)state;
    choose(lines, 8); /* five of cluster, one that changed, two of distant: no middle */
    for (size_t i = 0; i < 8; ++i)
        rounds.list[i].histogram = trips_of(10000, slow[(size_t)rounds.list[i].value - 1]);
    rounds_add_class_times(&rounds, &cell, 2);
    assert_true(metric("cluster_p99_of_rounds_ns") == 120 && metric("p99_of_rounds_ns") == 120);
    assert_true(metric("cluster_p99_ns") > 1000);
    assert_true(metric("distant_p99_ns") == 300 && isnan(metric("distant_p99_of_rounds_ns")));
    close_rounds();
    choose(lines, 5);
    for (size_t i = 0; i < 5; ++i)
        rounds.list[i].histogram = trips_of(9999, 100); /* a trip less, and 100 are not beyond it */
    rounds_add_class_times(&rounds, &cell, 2);
    assert_true(metric("cluster_p99_ns") == 50 && isnan(metric("p99_of_rounds_ns")));
    close_rounds();
}

static void only_changes_make_a_mixed_cell(void **state)
{
    static const double lines[] = {50, 170, 51};
    (void)state;
    assert_int_equal(choose(lines, 2), 2);
    assert_true(cell.line_before_ns == 50 && cell.line_after_ns == 170);
    close_rounds();
}

static void time_ends_the_cell(void **state)
{
    static const double lines[] = {50, 50, 50};
    (void)state;
    choose(lines, 2);
    assert_true(rounds_wanted(&rounds, 0.06));
    assert_false(rounds_wanted(&rounds, 0.05));
    close_rounds();
}

CASES_MAIN(CASE(class_seen_most_makes_the_cell), CASE(class_of_nothing_has_no_figure),
           CASE(tie_goes_to_the_class_seen_first), CASE(times_are_of_all_trips_of_a_class),
           CASE(p99_of_rounds_is_that_of_the_round_in_the_middle), CASE(only_changes_make_a_mixed_cell),
           CASE(time_ends_the_cell))
