/* ipcmark report: result files in, one page out. */
#include "../command/command.h"
#include "readme.h"
#include "report.h"
#include "svg.h"

#include <errno.h>
#include <getopt.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char help[] =
    "Usage: ipcmark report [OPTION]… FILE.jsonl…\n"
    "\n"
    "Writes one report from the result files of any number of runs, conformance and benchmarks alike. The HTML page "
    "holds\n"
    "all that it needs: it opens from disk, without a network, and without JavaScript its charts are tables.\n"
    "\n"
    "  -o, --output FILE      where to write; \"-\" is standard output (default: report.html, or - for text and\n"
    "                         markdown)\n"
    "  -t, --title TEXT       the heading (default: the names of the implementations)\n"
    "  -f, --format FORMAT    html (default); text: tables for a terminal; or markdown: a short table for a README or\n"
    "                         a CI summary\n"
    "      --svg FOLDER       write each chart as a picture into it, light and dark as its reader's screen is\n"
    "      --readme FILE      write figures and two charts into it, between the lines\n"
    "                         " README_BEGIN "\n"
    "                         " README_END "\n"
    "                         the charts' pictures go beside the first result file\n"
    "  -h, --help             this text\n"
    "      --version          the version\n"
    "\n"
    "Several runs of the benchmark stand side by side, and are compared with the first; shards of one run are put\n"
    "together. A FILE without a footer, of a run that was cut short, is taken and marked as such.\n"
    "\"-\" reads standard input.\n"
    "\n"
    "Examples:\n"
    "  ipcmark conformance --driver mmipc --output conformance.jsonl\n"
    "  ipcmark bench --driver mmipc --driver fifo --driver tcp --output bench.jsonl\n"
    "  ipcmark report conformance.jsonl bench.jsonl --output report.html\n"
    "  ipcmark report --format text bench.jsonl\n"
    "  ipcmark report before.jsonl after.jsonl --output comparison.html\n"
    "  ipcmark report results/reports/*.jsonl --readme README.md\n"
    "\n"
    "Exit codes: 0 the report was written, whatever the verdicts in it; 3 a file could not be read or written, or\n"
    "would count double; 64 usage.\n";

struct options {
    const char *output, *title, *svg, *readme;
    enum { HTML, TEXT, MARKDOWN } format;
    bool format_given;
};

static int usage(const char *text, const char *what)
{
    return command_usage("report", text, what);
}

static int complain(const char *what, int error)
{
    return command_error("report", what, error);
}

static bool read_format(struct options *options, const char *word)
{
    static const char *const words[] = {[HTML] = "html", [TEXT] = "text", [MARKDOWN] = "markdown"};
    options->format_given = true;
    for (int i = 0; i < 3; ++i)
        if (strcmp(words[i], word) == 0) {
            options->format = i;
            return true;
        }
    return false;
}

/* -1 to go on, or the exit code. */
static int read_options(struct options *options, int argc, char **argv)
{
    static const struct option known[] = {
        {"output", required_argument, NULL, 'o'}, {"title", required_argument, NULL, 't'},
        {"format", required_argument, NULL, 'f'}, {"svg", required_argument, NULL, 's'},
        {"readme", required_argument, NULL, 'r'}, {"help", no_argument, NULL, 'h'},
        {"version", no_argument, NULL, 'v'},      {NULL, 0, NULL, 0}};
    int option;
    opterr = 0;
    while ((option = getopt_long(argc, argv, ":o:t:f:h", known, NULL)) != -1) {
        switch (option) {
        case 'o':
            options->output = optarg;
            break;
        case 't':
            options->title = optarg;
            break;
        case 'f':
            if (!read_format(options, optarg))
                return usage("the formats are html, text and markdown, not ", optarg);
            break;
        case 's':
            options->svg = optarg;
            break;
        case 'r':
            options->readme = optarg;
            break;
        case 'h':
            fputs(help, stdout);
            return EXIT_WRITTEN;
        case 'v':
            puts("ipcmark report " IPCMARK_VERSION);
            return EXIT_WRITTEN;
        case ':':
            return usage("a value is missing after ", argv[optind - 1]);
        default:
            return usage("there is no option ", argv[optind - 1]);
        }
    }
    if (optind == argc)
        return usage("which result files? ", "give those that ipcmark conformance or ipcmark bench wrote");
    /* Who asks for pictures alone gets them alone. */
    if (options->output == NULL && (options->format_given || (!options->svg && !options->readme)))
        options->output = options->format == HTML ? "report.html" : "-";
    return -1;
}

/* What the program makes of a report: the text of a format. */
static int write_text(const struct options *options, const struct report *report)
{
    char *text = options->format == TEXT       ? report_text(report)
                 : options->format == MARKDOWN ? report_markdown(report)
                                               : report_html(report);
    int error = text ? command_write(options->output, text) : -ENOMEM;
    free(text);
    if (error)
        return complain(options->output, error);
    if (strcmp(options->output, "-") != 0)
        fprintf(stderr, "ipcmark report: wrote %s\n", options->output);
    return EXIT_WRITTEN;
}

static int write_picture(const char *folder, const struct chart *chart)
{
    char *path = NULL, *picture = svg_draw(chart);
    int error = picture && asprintf(&path, "%s/%s.svg", folder, chart->id) >= 0 ? 0 : -ENOMEM;
    if (error == 0)
        error = command_write(path, picture);
    if (error)
        complain(path ? path : folder, error);
    else
        fprintf(stderr, "ipcmark report: wrote %s\n", path);
    free(picture);
    free(path);
    return error ? EXIT_UNREADABLE : EXIT_WRITTEN;
}

static int write_readme(const struct options *options, const struct report *report, const struct chart *charts,
                        size_t count)
{
    const struct chart *shown[2];
    size_t shown_count = readme_charts(charts, count, shown);
    char *old = NULL, *text = NULL, *first = strdup(report->runs[0].file), *folder = first ? dirname(first) : NULL;
    char *link = NULL;
    const char *why = NULL;
    int status = EXIT_WRITTEN, error = folder ? command_load(&old, options->readme) : -ENOMEM;
    if (error == 0) {
        link = readme_link(options->readme, folder);
        text = link ? readme_text(old, report, shown, shown_count, link, &why) : NULL;
        error = text ? command_write(options->readme, text) : -ENOMEM;
    }
    if (why)
        fprintf(stderr, "ipcmark report: %s: %s\n", options->readme, why);
    else if (error)
        complain(options->readme, error);
    else
        fprintf(stderr, "ipcmark report: wrote %s\n", options->readme);
    status = error ? EXIT_UNREADABLE : EXIT_WRITTEN;
    for (size_t i = 0; i < shown_count && status == EXIT_WRITTEN; ++i)
        status = write_picture(folder, shown[i]);
    free(old);
    free(text);
    free(link);
    free(first);
    return status;
}

static int write_pictures(const struct options *options, const struct report *report)
{
    struct chart *charts = NULL;
    size_t count = 0;
    char *page = report_html(report);
    int status = EXIT_WRITTEN, error = page ? charts_read(&charts, &count, page) : -ENOMEM;
    if (error)
        status = complain("charts", error);
    for (size_t i = 0; options->svg && i < count && status == EXIT_WRITTEN; ++i)
        status = write_picture(options->svg, &charts[i]);
    if (options->readme && status == EXIT_WRITTEN)
        status = write_readme(options, report, charts, count);
    charts_free(charts, count);
    free(page);
    return status;
}

static int write_report(const struct options *options, const struct results_run *runs, size_t count)
{
    struct report report;
    int status = EXIT_WRITTEN, error = report_build(&report, runs, count, options->title);
    if (error)
        return complain("report", error);
    if (options->output)
        status = write_text(options, &report);
    if (status == EXIT_WRITTEN && (options->svg || options->readme))
        status = write_pictures(options, &report);
    report_free(&report);
    return status;
}

int main(int argc, char **argv)
{
    struct options options = {0};
    struct results_run *runs = NULL;
    char error[512];
    size_t count;
    int status = read_options(&options, argc, argv);
    if (status >= 0)
        return status;
    count = (size_t)(argc - optind);
    status = command_read("report", argv + optind, count, &runs);
    if (status)
        return status;
    if (results_runs_check(runs, count, error, sizeof error) < 0) {
        status = command_failed("report", error);
        goto out;
    }
    status = write_report(&options, runs, count);
out:
    command_free(runs, count);
    return status;
}
