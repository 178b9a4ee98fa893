/* In place of ipcmark-bench-rows: each row has a figure, and says how long it would have taken; nothing is measured,
 * and no time goes by. */
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../rows/cell.h"

static void write_cell(int cells, const struct row *row, unsigned block, double seconds)
{
    struct cell cell;
    cJSON *record;
    char *line;

    cell_init(&cell, row, block);
    cell_metric(&cell, row_metric(row), 1000);
    cell_metric(&cell, "seconds", seconds);
    record = cell_to_json(&cell);
    line = cJSON_PrintUnformatted(record);
    if (line == NULL || dprintf(cells, "%s\n", line) < 0)
        exit(3);
    cJSON_free(line);
    cJSON_Delete(record);
    cell_release(&cell);
}

/* Starting processes and connecting them; 350 ms of figures, or as many as are asked for; stopping them. */
static double seconds_of(const struct row *row, double asked)
{
    return row->family == ROW_LIMIT_LINE ? 0.03 : 0.24 + asked;
}

int main(int argc, char **argv)
{
    const char *path = "/dev/null";
    unsigned block = 0;
    double seconds = 0.35;
    bool only_rows = false;
    int cells;

    for (int i = 1; i + 1 < argc && !only_rows; ++i) {
        if (strcmp(argv[i], "--cells") == 0)
            path = argv[i + 1];
        else if (strcmp(argv[i], "--block") == 0)
            block = (unsigned)strtoul(argv[i + 1], NULL, 10);
        else if (strcmp(argv[i], "--seconds") == 0)
            seconds = strtod(argv[i + 1], NULL);
        only_rows = strcmp(argv[i], "--") == 0;
    }
    cells = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
    if (cells < 0)
        return 3;
    only_rows = false;
    for (int i = 1; i < argc; ++i) {
        char text[512];
        struct row row;
        if (only_rows && row_parse(&row, argv[i], text, sizeof text) == 0)
            write_cell(cells, &row, block, seconds_of(&row, seconds));
        only_rows = only_rows || strcmp(argv[i], "--") == 0;
    }
    return 0;
}
