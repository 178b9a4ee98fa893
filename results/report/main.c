/* ipcmark report: result files in, one page out. */
#include "report.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { EXIT_WRITTEN = 0, EXIT_UNREADABLE = 3, EXIT_USAGE = 64 };

static const char help[] =
    "Usage: ipcmark report [OPTION]… FILE.jsonl…\n"
    "\n"
    "Writes one report from the result files of any number of runs, conformance and benchmarks alike. The HTML page "
    "holds\n"
    "all that it needs: it opens from disk, without a network, and without JavaScript its charts are tables.\n"
    "\n"
    "  -o, --output FILE      where to write; \"-\" is standard output (default: report.html, or - for markdown)\n"
    "  -t, --title TEXT       the heading (default: the names of the implementations)\n"
    "  -f, --format FORMAT    html (default), or markdown: a short table for a README or a CI summary\n"
    "  -h, --help             this text\n"
    "      --version          the version\n"
    "\n"
    "A FILE without a footer, of a run that was cut short, is taken and marked as such. \"-\" reads standard input.\n"
    "\n"
    "Examples:\n"
    "  ipcmark conformance --driver mmipc --output conformance.jsonl\n"
    "  ipcmark bench --driver mmipc --driver fifo --driver tcp --output bench.jsonl\n"
    "  ipcmark report conformance.jsonl bench.jsonl --output report.html\n"
    "  ipcmark report --format markdown bench.jsonl\n"
    "\n"
    "Exit codes: 0 the report was written, whatever the verdicts in it; 3 a file could not be read or written, or\n"
    "would count double; 64 usage.\n";

struct options {
    const char *output, *title;
    bool markdown;
};

static int usage(const char *text, const char *what)
{
    fprintf(stderr, "ipcmark report: %s%s; see ipcmark report --help\n", text, what);
    return EXIT_USAGE;
}

/* -1 to go on, or the exit code. */
static int read_options(struct options *options, int argc, char **argv)
{
    static const struct option known[] = {
        {"output", required_argument, NULL, 'o'}, {"title", required_argument, NULL, 't'},
        {"format", required_argument, NULL, 'f'}, {"help", no_argument, NULL, 'h'},
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
            options->markdown = strcmp(optarg, "markdown") == 0;
            if (!options->markdown && strcmp(optarg, "html") != 0)
                return usage("the formats are html and markdown, not ", optarg);
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
    if (options->output == NULL)
        options->output = options->markdown ? "-" : "report.html";
    return -1;
}

/* A device, a FIFO or a link stays what it is: a file renamed over it would take its place. */
static bool replaceable(const char *path)
{
    struct stat status;
    return lstat(path, &status) < 0 || S_ISREG(status.st_mode);
}

static int write_into(const char *path, const char *text)
{
    FILE *stream = fopen(path, "we");
    int error = 0;
    if (stream == NULL)
        return -errno;
    if (fputs(text, stream) == EOF)
        error = -errno;
    if (fclose(stream) == EOF && error == 0)
        error = -errno;
    return error;
}

/* Writes beside the file and renames: whoever reads it never sees half a report. */
static int write_file(const char *path, const char *text)
{
    char *beside = NULL;
    FILE *stream = NULL;
    int error = 0;
    if (strcmp(path, "-") == 0)
        return fputs(text, stdout) == EOF || fflush(stdout) == EOF ? -errno : 0;
    if (!replaceable(path))
        return write_into(path, text);
    if (asprintf(&beside, "%s.%ld.tmp", path, (long)getpid()) < 0)
        return -ENOMEM;
    stream = fopen(beside, "wxe");
    if (stream == NULL) {
        error = -errno;
        goto out;
    }
    if (fputs(text, stream) == EOF)
        error = -errno;
    if (fclose(stream) == EOF && error == 0)
        error = -errno;
    if (error == 0 && rename(beside, path) < 0)
        error = -errno;
    if (error)
        unlink(beside);
out:
    free(beside);
    return error;
}

static int write_report(const struct options *options, const struct results_run *runs, size_t count)
{
    struct report report;
    char *text = NULL;
    int error = report_build(&report, runs, count, options->title);
    if (error == 0) {
        text = options->markdown ? report_markdown(&report) : report_html(&report);
        error = text ? write_file(options->output, text) : -ENOMEM;
        report_free(&report);
    }
    free(text);
    if (error) {
        fprintf(stderr, "ipcmark report: %s: %s\n", options->output, strerror(-error));
        return EXIT_UNREADABLE;
    }
    if (strcmp(options->output, "-") != 0)
        fprintf(stderr, "ipcmark report: wrote %s\n", options->output);
    return EXIT_WRITTEN;
}

int main(int argc, char **argv)
{
    struct options options = {0};
    struct results_run *runs = NULL;
    char error[512];
    size_t count, read = 0;
    int status = read_options(&options, argc, argv);
    if (status >= 0)
        return status;
    count = (size_t)(argc - optind);
    runs = calloc(count, sizeof *runs);
    if (runs == NULL) {
        fputs("ipcmark report: not enough memory\n", stderr);
        return EXIT_UNREADABLE;
    }
    for (; read < count; ++read) {
        if (results_run_read(&runs[read], argv[(size_t)optind + read], error, sizeof error) < 0) {
            fprintf(stderr, "ipcmark report: %s\n", error);
            status = EXIT_UNREADABLE;
            goto out;
        }
    }
    if (results_runs_check(runs, count, error, sizeof error) < 0) {
        fprintf(stderr, "ipcmark report: %s\n", error);
        status = EXIT_UNREADABLE;
        goto out;
    }
    status = write_report(&options, runs, count);
out:
    for (size_t i = 0; i < read; ++i)
        results_run_free(&runs[i]);
    free(runs);
    return status;
}
