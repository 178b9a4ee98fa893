/* HdrHistogram's percentile distribution: what hdr_percentiles_print writes and its plotters read. */
#include "export.h"

#include <inttypes.h>
#include <math.h>

/* Lines for each halving of the distance to 100 %; 5 is what every tool of HdrHistogram's writes. */
enum { TICKS = 5 };

/* Each level is a tick nearer to 100 %, and a tick is a fifth of half the distance that was left. */
static double next_level(double level)
{
    double halvings = floor(log2(100 / (100 - level))) + 1;
    return level + 100 / (TICKS * exp2(halvings));
}

static double mean_of(const struct results_histogram *histogram)
{
    double sum = 0;
    for (size_t i = 0; i < histogram->size; ++i)
        sum += histogram->buckets[i].value * (double)histogram->buckets[i].count;
    return sum / (double)histogram->total;
}

static double deviation_of(const struct results_histogram *histogram, double mean)
{
    double sum = 0;
    for (size_t i = 0; i < histogram->size; ++i) {
        double distance = histogram->buckets[i].value - mean;
        sum += distance * distance * (double)histogram->buckets[i].count;
    }
    return sqrt(sum / (double)histogram->total);
}

/* A bucket may be reached by several levels; each of them is a line. The last bucket has one, and the line of 100 %. */
static void distribution(FILE *out, const struct results_histogram *histogram)
{
    double level = 0;
    uint64_t below = 0;
    for (size_t i = 0; i < histogram->size; ++i) {
        const struct results_bucket *bucket = &histogram->buckets[i];
        below += bucket->count;
        bool more = bucket->count > 0;
        while (more && level <= 100 * (double)below / (double)histogram->total) {
            fprintf(out, "%12.3f %2.12f %10" PRIu64 " %14.2f\n", bucket->value, level / 100, below,
                    100 / (100 - level));
            level = next_level(level);
            more = below < histogram->total;
        }
    }
    fprintf(out, "%12.3f %2.12f %10" PRIu64 "\n", results_histogram_max(histogram), 1.0, histogram->total);
}

/* In a line of its own. */
static void print_name(FILE *out, const char *name)
{
    for (; *name; ++name)
        fputc(*name == '\n' ? ' ' : *name, out);
}

void export_hgrm(FILE *out, const struct export_distribution *what)
{
    double mean = mean_of(what->histogram);
    fputs("       Value     Percentile TotalCount 1/(1-Percentile)\n\n", out);
    distribution(out, what->histogram);
    fprintf(out, "#[Mean    = %12.3f, StdDeviation   = %12.3f]\n", mean, deviation_of(what->histogram, mean));
    fprintf(out, "#[Max     = %12.3f, Total count    = %12" PRIu64 "]\n", results_histogram_max(what->histogram),
            what->histogram->total);
    fprintf(out, "#[Buckets = %12zu, SubBuckets     = %12d]\n#[Row = ", what->histogram->size, 1);
    print_name(out, what->row->name);
    fputs(", Unit = ns", out);
    if (*what->name)
        fputs(", ", out);
    print_name(out, what->name);
    fputs("]\n", out);
}
