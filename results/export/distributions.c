/* Which histograms a run has, and a file for each. */
#include "export.h"

#include "../command/command.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

size_t export_distributions_of(const struct results_row *row, bool uncorrected, struct export_distribution *out)
{
    const struct results_histogram *first = uncorrected ? &row->uncorrected : &row->histogram;
    size_t count = 0;
    if (first->total > 0)
        out[count++] = (struct export_distribution){row, first, uncorrected ? "from the actual send time" : ""};
    for (size_t i = 0; i < row->named_count && !uncorrected; ++i)
        if (row->named[i].histogram.total > 0)
            out[count++] = (struct export_distribution){row, &row->named[i].histogram, row->named[i].name};
    return count;
}

static int write_one(const char *path, const struct export_distribution *distribution)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    int error = out ? 0 : -ENOMEM;
    if (out) {
        export_hgrm(out, distribution);
        if (fclose(out) == EOF)
            error = -ENOMEM;
    }
    if (error == 0)
        error = command_write(path, text);
    free(text);
    return error ? command_error("export", path, error) : EXIT_WRITTEN;
}

/* "lifecycle_mmipc?spin_us=-1_64B_1x1_close.hgrm": without what would be a folder or another line. */
static char *path_of(const char *folder, const struct export_distribution *distribution, bool uncorrected)
{
    bool named = *distribution->name && !uncorrected;
    char *path;
    if (asprintf(&path, "%s/%s%s%s.hgrm", folder, distribution->row->name, named ? "_" : "",
                 named ? distribution->name : "") < 0)
        return NULL;
    for (char *letter = path + strlen(folder) + 1; *letter; ++letter)
        if (*letter == '/' || *letter == '\n' || *letter == '\t')
            *letter = '_';
    return path;
}

static int write_folder(const char *folder, const struct export_distribution *all, size_t count, bool uncorrected)
{
    int status = EXIT_WRITTEN;
    if (mkdir(folder, 0777) < 0 && errno != EEXIST)
        return command_error("export", folder, -errno);
    for (size_t i = 0; i < count && status == EXIT_WRITTEN; ++i) {
        char *path = path_of(folder, &all[i], uncorrected);
        status = path ? write_one(path, &all[i]) : command_failed("export", "not enough memory");
        free(path);
    }
    return status;
}

static bool is_folder(const char *path)
{
    struct stat status;
    return (*path && path[strlen(path) - 1] == '/') || (stat(path, &status) == 0 && S_ISDIR(status.st_mode));
}

int export_distributions(const char *output, const struct export *export, bool uncorrected)
{
    struct export_distribution *all;
    size_t count = 0;
    int status;
    for (size_t i = 0; i < export->row_count; ++i)
        count += 1 + export->rows[i]->named_count;
    all = calloc(count + 1, sizeof *all);
    if (all == NULL)
        return command_failed("export", "not enough memory");
    count = 0;
    for (size_t i = 0; i < export->row_count; ++i)
        count += export_distributions_of(export->rows[i], uncorrected, all + count);
    if (is_folder(output))
        status = write_folder(output, all, count, uncorrected);
    else if (count > 1)
        status = command_failed("export", "hgrm is of one histogram, and these are several: choose one row with "
                                          "--filter, or give a folder, --output FOLDER/");
    else
        status = write_one(output, &all[0]);
    free(all);
    return status;
}
