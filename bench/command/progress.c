#include "progress.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <ipcmark/journal.h>

static void scale(char text[32], double value, double base, const char *const units[], size_t count)
{
    size_t unit = 0;

    while (value >= 999.5 * base / 1000 && unit + 1 < count)
        value /= base, ++unit;
    snprintf(text, 32, "%.*f %s", value < 9.995 ? 2 : value < 99.95 ? 1 : 0, value, units[unit]);
}

static bool ends_with(const char *text, const char *end)
{
    size_t length = strlen(text), tail = strlen(end);
    return length >= tail && strcmp(text + length - tail, end) == 0;
}

void progress_metric(char text[32], const char *metric, double value)
{
    static const char *const times[] = {"ns", "µs", "ms", "s"};
    static const char *const rates[] = {"msg/s", "k msg/s", "M msg/s", "G msg/s"};
    static const char *const speeds[] = {"B/s", "kB/s", "MB/s", "GB/s"};
    static const char *const sizes[] = {"B", "KiB", "MiB", "GiB"};

    if (isnan(value))
        snprintf(text, 32, "–");
    else if (ends_with(metric, "_ns"))
        scale(text, value, 1000, times, 4);
    else if (ends_with(metric, "bytes_per_second"))
        scale(text, value, 1000, speeds, 4);
    else if (ends_with(metric, "_per_second"))
        scale(text, value, 1000, rates, 4);
    else if (strncmp(metric, "bytes_", 6) == 0)
        scale(text, value, 1024, sizes, 4);
    else if (ends_with(metric, "_share"))
        snprintf(text, 32, "%.3g %%", 100 * value);
    else
        snprintf(text, 32, "%.3g", value);
}

void progress_figure(char text[32], const struct row *row, double figure)
{
    progress_metric(text, row_metric(row), figure);
}

void progress_time(char text[32], double seconds)
{
    const long whole = lround(fmax(seconds, 0));

    if (seconds < 9.95)
        snprintf(text, 32, "%.1f s", fmax(seconds, 0));
    else if (whole < 60)
        snprintf(text, 32, "%ld s", whole);
    else if (whole < 3600)
        snprintf(text, 32, "%ld min %02ld s", whole / 60, whole % 60);
    else
        snprintf(text, 32, "%ld h %02ld min", whole / 3600, whole % 3600 / 60);
}

void progress_begin(struct progress *progress, const struct tally *tally, double guess_seconds)
{
    *progress = (struct progress){.terminal = isatty(STDERR_FILENO) == 1,
                                  .started_ns = ipcmark_now_ns(),
                                  .done_before = tally->done,
                                  .guess_seconds = guess_seconds};
}

/* From the cells so far, once there are some. */
static double seconds_left(const struct progress *progress, const struct tally *tally)
{
    double elapsed = (double)(ipcmark_now_ns() - progress->started_ns) / 1e9;
    size_t done = tally->done - progress->done_before, left = tally->planned - tally->done;

    if (done < 5)
        return fmax(progress->guess_seconds - elapsed, 0);
    return elapsed / (double)done * (double)left;
}

void progress_cell(const struct progress *progress, const struct tally *tally, const struct tally_row *row,
                   unsigned block)
{
    const struct tally_cell *cell = &row->cells[block];
    char figure[32], left[32];

    if (!progress->terminal)
        return;
    if (isnan(cell->figure) && !cell->has_none) {
        fprintf(stderr, "\r\033[K[%zu/%zu] block %u  %s  ERROR %s\n", tally->done, tally->planned, block + 1,
                row->row->name, row->error);
        return;
    }
    progress_figure(figure, row->row, cell->figure);
    progress_time(left, seconds_left(progress, tally));
    fprintf(stderr, "\r\033[K[%zu/%zu] %s left  %s  %s", tally->done, tally->planned, left, row->row->name, figure);
}

void progress_end(const struct progress *progress)
{
    if (progress->terminal)
        fputs("\r\033[K", stderr);
}
