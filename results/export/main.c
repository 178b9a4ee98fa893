/* ipcmark export: a run in the formats of other tools. */
#include "../command/command.h"
#include "../report/report.h"
#include "export.h"

#include <errno.h>
#include <getopt.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char help[] =
    "Usage: ipcmark export --format FORMAT [OPTION]… FILE.jsonl…\n"
    "\n"
    "Writes a run of ipcmark bench in a format that other tools read. Several FILEs are the shards of one run.\n"
    "\n"
    "  -f, --format FORMAT    one of these:\n"
    "        google           Google Benchmark's JSON: the blocks of a row are the repetitions of a benchmark;\n"
    "                         compare.py compares two such files, or two drivers of one\n"
    "        github-smaller   github-action-benchmark: customSmallerIsBetter, all times and costs\n"
    "        github-bigger    github-action-benchmark: customBiggerIsBetter, all rates\n"
    "        bencher          Bencher's metric format\n"
    "        csv              a line for each figure of each row, with its interval\n"
    "        csv-cells        a line for each number of each cell: the raw data\n"
    "        hgrm             HdrHistogram's percentile distribution, in ns, for its plotters: of one row, or a file\n"
    "                         for each histogram in the folder that --output names\n"
    "        markdown         the table of ipcmark report\n"
    "  -F, --filter REGEX     only rows whose name this extended regular expression is found in\n"
    "  -u, --uncorrected      hgrm: from the actual send time, which leaves out what a stall held up\n"
    "  -o, --output FILE      where to write; \"-\" is standard output (default)\n"
    "  -h, --help             this text\n"
    "      --version          the version\n"
    "\n"
    "Rows with an error are in csv and csv-cells, with their error; other formats leave them out, and standard error\n"
    "names them. results/FORMAT.md says what each column and field is.\n"
    "\n"
    "Examples:\n"
    "  ipcmark export -f google base.jsonl -o base.json; ipcmark export -f google new.jsonl -o new.json\n"
    "  compare.py benchmarks base.json new.json\n"
    "  compare.py filters new.json /fifo/ /mmipc/\n"
    "  ipcmark export -f hgrm --filter '^latency/mmipc/64B/' run.jsonl -o mmipc.hgrm\n"
    "\n"
    "Exit codes: 0 written; 3 a file could not be read or written, or holds no such rows; 64 usage.\n";

enum format { GOOGLE, GITHUB_SMALLER, GITHUB_BIGGER, BENCHER, CSV, CSV_CELLS, HGRM, MARKDOWN, FORMATS };
static const char *const formats[FORMATS] = {"google", "github-smaller", "github-bigger", "bencher",
                                             "csv",    "csv-cells",      "hgrm",          "markdown"};

struct options {
    enum format format;
    const char *output;
    bool filtered, uncorrected;
    regex_t filter;
};

static int set_format(struct options *options, const char *name)
{
    for (options->format = 0; options->format < FORMATS; ++options->format)
        if (strcmp(formats[options->format], name) == 0)
            return -1;
    return command_usage("export", "there is no format ", name);
}

static int set_filter(struct options *options, const char *regex)
{
    int error;
    if (options->filtered)
        return command_usage("export", "--filter is given twice; use a|b in place of ", regex);
    error = regcomp(&options->filter, regex, REG_EXTENDED | REG_NOSUB);
    if (error) {
        char text[256];
        regerror(error, &options->filter, text, sizeof text);
        command_say("export", "--filter '%s': %s", regex, text);
        return EXIT_USAGE;
    }
    options->filtered = true;
    return -1;
}

/* -1 to go on, or the exit code. */
static int read_options(struct options *options, int argc, char **argv)
{
    static const struct option known[] = {{"format", required_argument, NULL, 'f'},
                                          {"filter", required_argument, NULL, 'F'},
                                          {"uncorrected", no_argument, NULL, 'u'},
                                          {"output", required_argument, NULL, 'o'},
                                          {"help", no_argument, NULL, 'h'},
                                          {"version", no_argument, NULL, 'v'},
                                          {NULL, 0, NULL, 0}};
    int option, status = -1;
    opterr = 0;
    while (status < 0 && (option = getopt_long(argc, argv, ":f:F:uo:h", known, NULL)) != -1) {
        switch (option) {
        case 'f':
            status = set_format(options, optarg);
            break;
        case 'F':
            status = set_filter(options, optarg);
            break;
        case 'u':
            options->uncorrected = true;
            break;
        case 'o':
            options->output = optarg;
            break;
        case 'h':
            fputs(help, stdout);
            return EXIT_WRITTEN;
        case 'v':
            puts("ipcmark export " IPCMARK_VERSION);
            return EXIT_WRITTEN;
        case ':':
            return command_usage("export", "a value is missing after ", argv[optind - 1]);
        default:
            return command_usage("export", "there is no option ", argv[optind - 1]);
        }
    }
    if (status >= 0)
        return status;
    if (options->format == FORMATS)
        return command_usage("export", "which format? ", "--format google, for one");
    if (options->uncorrected && options->format != HGRM)
        return command_usage("export", "--uncorrected is of --format hgrm, not of ", formats[options->format]);
    if (optind == argc)
        return command_usage("export", "which result files? ", "give one that ipcmark bench wrote");
    return -1;
}

static bool has_histogram(const struct results_row *row, bool uncorrected)
{
    bool has = (uncorrected ? row->uncorrected : row->histogram).total > 0;
    for (size_t i = 0; i < row->named_count && !uncorrected; ++i)
        has = has || row->named[i].histogram.total > 0;
    return has;
}

/* What a file of this format cannot hold is named, not passed over. */
static bool fits(const struct options *options, const struct results_row *row)
{
    bool all = options->format == CSV || options->format == CSV_CELLS;
    if (!all && row->failed > 0) {
        command_say("export", "left out %s: %s", row->name, row->error);
        return false;
    }
    if (!all && !results_row_figure(row))
        return false; /* it does not apply: there is nothing to say */
    if (options->format == GOOGLE && !export_google_has(row)) {
        command_say("export", "left out %s: it measures no time, and a benchmark of Google's is one", row->name);
        return false;
    }
    return options->format != HGRM || has_histogram(row, options->uncorrected);
}

static int choose(struct export *out, const struct results_rows *rows, const struct options *options)
{
    out->run = rows->runs[0].first;
    out->rows = calloc(rows->count + 1, sizeof *out->rows);
    if (out->rows == NULL)
        return command_failed("export", "not enough memory");
    for (size_t i = 0; i < rows->count; ++i)
        if (!options->filtered || regexec(&options->filter, rows->rows[i].name, 0, NULL, 0) == 0)
            if (fits(options, &rows->rows[i]))
                out->rows[out->row_count++] = &rows->rows[i];
    if (out->row_count > 0)
        return 0;
    return command_failed("export", options->filtered ? "no row that --filter finds has figures for this format"
                                                      : "no row has figures for this format");
}

static int print_rows(FILE *out, const struct export *export, enum format format)
{
    switch (format) {
    case GOOGLE:
        return export_google(out, export);
    case GITHUB_SMALLER:
    case GITHUB_BIGGER:
        return export_github(out, export, format == GITHUB_BIGGER);
    case BENCHER:
        return export_bencher(out, export);
    case CSV:
        export_csv_rows(out, export);
        return 0;
    default:
        export_csv_cells(out, export);
        return 0;
    }
}

/* One file, from a function that prints it. */
static int write_rows(const char *path, const struct export *export, enum format format)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    int error = out ? 0 : -ENOMEM;
    if (out)
        error = print_rows(out, export, format);
    if (out && fclose(out) == EOF && error == 0)
        error = -ENOMEM;
    if (error == 0)
        error = command_write(path, text);
    free(text);
    if (error == 0)
        return EXIT_WRITTEN;
    return command_error("export", path, error);
}

static int export_runs(const struct results_run *runs, size_t count, const struct options *options)
{
    struct results_rows rows = {0};
    struct export export = {0};
    int status;
    if (results_rows_build(&rows, runs, count) < 0)
        return command_failed("export", "not enough memory");
    if (rows.run_count == 0)
        status = command_failed("export", "no benchmark is in these files; conformance writes JUnit and TAP itself");
    else if (rows.run_count > 1)
        status = command_failed("export", "these files are of several runs; export each by itself");
    else
        status = choose(&export, &rows, options);
    if (export.row_count > 0)
        status = options->format == HGRM ? export_distributions(options->output, &export, options->uncorrected)
                                         : write_rows(options->output, &export, options->format);
    free(export.rows);
    results_rows_free(&rows);
    return status;
}

static int export_markdown(const struct results_run *runs, size_t count, const char *path)
{
    struct report report;
    char *text = NULL;
    int error = report_build(&report, runs, count, NULL);
    if (error == 0) {
        text = report_markdown(&report);
        error = text ? command_write(path, text) : -ENOMEM;
        report_free(&report);
    }
    free(text);
    if (error == 0)
        return EXIT_WRITTEN;
    return command_error("export", path, error);
}

int main(int argc, char **argv)
{
    struct options options = {.format = FORMATS, .output = "-"};
    struct results_run *runs = NULL;
    char error[512];
    size_t count;
    int status = read_options(&options, argc, argv);
    if (status >= 0)
        goto out;
    count = (size_t)(argc - optind);
    status = command_read("export", argv + optind, count, &runs);
    if (status)
        goto out;
    if (results_runs_check(runs, count, error, sizeof error) < 0)
        status = command_failed("export", error);
    else if (options.format == MARKDOWN)
        status = export_markdown(runs, count, options.output);
    else
        status = export_runs(runs, count, &options);
    command_free(runs, count);
out:
    if (options.filtered)
        regfree(&options.filter);
    return status;
}
