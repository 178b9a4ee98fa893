#include "others.h"

#include "../analysis/rows.h"
#include "../command/command.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* What fifo and tcp do at the same size, before and after: where the figures belong. */
void others_say(char *out, size_t size, const char *before, const char *after)
{
    char *files[] = {(char *)(uintptr_t)before, (char *)(uintptr_t)after};
    struct results_run *runs = NULL;
    struct results_rows rows = {0};
    const char *last = "";
    size_t used = 0;

    if (access(files[0], R_OK) < 0 || access(files[1], R_OK) < 0 || command_read("gate", files, 2, &runs))
        return;
    if (results_rows_build(&rows, runs, 2) == 0)
        for (size_t i = 0; i < rows.count && used < size; ++i) {
            const struct results_row *row = &rows.rows[i];
            bool rate = strcmp(row->family, "throughput") == 0, again = strcmp(row->name, last) == 0;
            double value = results_row_metric(row, rate ? "messages_per_second" : "p50_ns").median;
            if (isnan(value))
                continue;
            used += (size_t)snprintf(out + used, size - used, "%s%s%s%s%.3g %s",
                                     again  ? ", then "
                                     : used ? "; "
                                            : "For orientation, before and after: ",
                                     again ? "" : row->driver, again ? "" : " ",
                                     again  ? ""
                                     : rate ? "throughput "
                                            : "one way (both awake) p50 ",
                                     value / 1e3, rate ? "thousand/s" : "µs");
            last = row->name;
        }
    results_rows_free(&rows);
    command_free(runs, 2);
}
