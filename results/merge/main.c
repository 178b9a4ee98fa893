/* ipcmark merge: the shards of one run in, its one result file out. */
#include "../command/command.h"
#include "shards.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char help[] =
    "Usage: ipcmark merge [OPTION]… SHARD.jsonl…\n"
    "\n"
    "Joins the result files of all shards of one run (ipcmark bench --shard 1/4, 2/4, …) into the file that one\n"
    "process would have written. A shard that is missing, double, cut short, or of another run, build or kind of\n"
    "machine is an error that names it.\n"
    "\n"
    "  -o, --output FILE      where to write; \"-\" is standard output (default)\n"
    "  -h, --help             this text\n"
    "      --version          the version\n"
    "\n"
    "Example:\n"
    "  ipcmark bench --seed 7 --shard 1/2 --output shard-1.jsonl      and 2/2, elsewhere\n"
    "  ipcmark merge shard-*.jsonl --output run.jsonl && ipcmark report run.jsonl\n"
    "\n"
    "Exit codes: 0 written; 3 a file could not be read or written, or they are not the shards of one run; 64 usage.\n";

/* -1 to go on, or the exit code. */
static int read_options(const char **output, int argc, char **argv)
{
    static const struct option known[] = {{"output", required_argument, NULL, 'o'},
                                          {"help", no_argument, NULL, 'h'},
                                          {"version", no_argument, NULL, 'v'},
                                          {NULL, 0, NULL, 0}};
    int option;
    opterr = 0;
    while ((option = getopt_long(argc, argv, ":o:h", known, NULL)) != -1) {
        switch (option) {
        case 'o':
            *output = optarg;
            break;
        case 'h':
            fputs(help, stdout);
            return EXIT_WRITTEN;
        case 'v':
            puts("ipcmark merge " IPCMARK_VERSION);
            return EXIT_WRITTEN;
        case ':':
            return command_usage("merge", "a value is missing after ", argv[optind - 1]);
        default:
            return command_usage("merge", "there is no option ", argv[optind - 1]);
        }
    }
    return optind == argc ? command_usage("merge", "which shards? ", "give all result files of the run") : -1;
}

int main(int argc, char **argv)
{
    const char *output = "-";
    struct results_run *runs;
    char error[2048];
    char *text = NULL;
    size_t count;
    int status = read_options(&output, argc, argv), written;
    if (status >= 0)
        return status;
    count = (size_t)(argc - optind);
    status = command_read("merge", argv + optind, count, &runs);
    if (status)
        return status;
    if (shards_check(runs, count, error, sizeof error) < 0) {
        status = command_failed("merge", error);
        goto out;
    }
    text = shards_join(runs, count);
    if (text == NULL) {
        status = command_failed("merge", "not enough memory");
        goto out;
    }
    written = command_write(output, text);
    if (written < 0)
        status = command_error("merge", output, written);
out:
    free(text);
    command_free(runs, count);
    return status;
}
