/* ipcmark gate: fails when a driver became slower or began to lose messages. */
#include "../command/command.h"
#include "gate.h"
#include "look.h"
#include "measure.h"
#include "options.h"
#include "say.h"
#include "self_test.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

/* Of no report: of what the gate ended with. */
static int write_markdown(const char *path, const struct gate_report *report, int status)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    int error = -ENOMEM;

    if (out) {
        if (report)
            gate_say_markdown(out, report);
        else
            gate_say_markdown_error(out, status);
        error = fclose(out) == EOF ? -ENOMEM : command_write(path, text);
    }
    free(text);
    return error < 0 ? command_error("gate", path, error) : 0;
}

static int write_junit(const char *path, char *text)
{
    int error = text ? command_write(path, text) : -ENOMEM;
    free(text);
    return error < 0 ? command_error("gate", path, error) : 0;
}

static int say(const struct gate_report *report, const struct options *options)
{
    int status = 0;

    gate_say_words(stdout, report);
    if (options->annotations)
        gate_say_annotations(stdout, report);
    if (options->markdown)
        status = write_markdown(options->markdown, report, 0);
    if (options->junit && status == 0)
        status = write_junit(options->junit, gate_say_junit(report));
    return status ? status : gate_exit(report->verdict);
}

static int judge(struct gate_report *report, const struct options *options)
{
    struct gate_tolerances tolerances;
    char error[512];
    int status;

    if (gate_tolerances_read(&tolerances, options->tolerances, error, sizeof error) < 0)
        return command_failed("gate", error);
    if (options->self_test)
        return self_test(options, &tolerances);
    report->candidate = options->judge ? "candidate" : options->candidate;
    report->base = options->judge ? "base" : options->baseline ? options->baseline : options->verdicts;
    status = options->judge ? look_recorded(report, options, &tolerances) : look(report, options, &tolerances);
    if (status || options->accept)
        return status;
    return say(report, options);
}

int main(int argc, char **argv)
{
    struct gate_report report = {.verdict = GATE_INCONCLUSIVE};
    struct options options;
    int status = options_read(&options, argc, argv);

    if (status >= 0)
        return status;
    gate_listen();
    status = judge(&report, &options);
    if (status > 2 && options.markdown) /* instead of an earlier run's */
        (void)write_markdown(options.markdown, NULL, status);
    if (status > 2 && options.junit)
        (void)write_junit(options.junit, gate_say_junit_error(status));
    gate_clauses_free(&report.clauses);
    return status;
}
