#include "say.h"

#include <stdlib.h>
#include <string.h>

/* XML 1.0 has no way to write most control characters; and errors of drivers may hold any byte. */
static void escaped(FILE *out, const char *text)
{
    for (; *text; ++text) {
        unsigned char letter = (unsigned char)*text;
        if (letter == '&')
            fputs("&amp;", out);
        else if (letter == '<')
            fputs("&lt;", out);
        else if (letter == '>')
            fputs("&gt;", out);
        else if (letter == '"')
            fputs("&quot;", out);
        else
            fputc(letter == '\n' || letter == '\t' ? ' ' : letter < 0x20 ? '?' : letter, out);
    }
}

static void begin(FILE *out, const char *name)
{
    fputs("  <testcase classname=\"ipcmark.gate\" name=\"", out);
    escaped(out, name);
    fputs("\">", out);
}

static void element(FILE *out, const char *tag, const char *message)
{
    fprintf(out, "<%s message=\"", tag);
    escaped(out, message);
    fputs("\"/>", out);
}

/* What fails counts as the exit code does, and what cannot be told is an error, which is no pass either. */
static const char *tag_of(enum gate_verdict verdict)
{
    return verdict == GATE_REGRESSION ? "failure" : "error";
}

/* A regression that was not seen again is none. */
static enum gate_verdict verdict_of(const struct gate_report *report, size_t metric)
{
    enum gate_verdict first = report->first.findings[metric].verdict;
    return first == GATE_REGRESSION && report->confirmed ? report->second.findings[metric].verdict : first;
}

static void write_metric(FILE *out, const struct gate_report *report, size_t metric)
{
    const bool again = report->confirmed && (report->second.asked >> metric & 1);
    const struct gate_finding *finding = again ? &report->second.findings[metric] : &report->first.findings[metric];
    enum gate_verdict verdict = verdict_of(report, metric);
    char text[400], slower[96], message[512];

    begin(out, finding->metric->words);
    gate_say_finding(text, sizeof text, finding);
    gate_say_slower(slower, sizeof slower, finding);
    snprintf(message, sizeof message, "%s%s%s", text, slower[0] ? "; " : "", slower);
    if (!finding->judged)
        element(out, "skipped", message);
    else if (verdict != GATE_PASS)
        element(out, tag_of(verdict), message);
    fputs("</testcase>\n", out);
}

static bool lost(const struct gate_report *report)
{
    return report->first.lost || (report->confirmed && report->second.lost);
}

static void write_messages(FILE *out, const struct gate_report *report)
{
    begin(out, "all messages arrive as they were sent");
    if (lost(report))
        element(out, "failure", report->words);
    else if (report->first.broken)
        element(out, tag_of(report->verdict), report->words);
    fputs("</testcase>\n", out);
}

static void write_clauses(FILE *out, const struct gate_report *report)
{
    begin(out, "no clause newly fails");
    for (size_t i = 0; i < report->clauses.count; ++i)
        element(out, "failure", report->clauses.texts[i]);
    if (report->clauses.unknown && report->clauses.count == 0)
        element(out, "error", "clauses that passed before could not be judged, or were not");
    fputs("</testcase>\n", out);
}

static void write_cases(FILE *out, const struct gate_report *report)
{
    for (size_t i = 0; i < GATE_METRICS; ++i)
        if (report->first.asked >> i & 1)
            write_metric(out, report, i);
    write_messages(out, report);
    if (report->compared_clauses)
        write_clauses(out, report);
}

static size_t count(const char *text, const char *part)
{
    size_t found = 0;
    for (; (text = strstr(text, part)) != NULL; ++text)
        ++found;
    return found;
}

char *gate_say_junit(const struct gate_report *report)
{
    char *cases = NULL, *text = NULL;
    size_t size;
    FILE *out = open_memstream(&cases, &size);

    if (out == NULL)
        return NULL;
    write_cases(out, report);
    if (fclose(out) == EOF)
        goto out;
    if (asprintf(&text,
                 "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                 "<testsuite name=\"ipcmark gate\" tests=\"%zu\" failures=\"%zu\" errors=\"%zu\" skipped=\"%zu\" "
                 "time=\"%.1f\">\n%s</testsuite>\n",
                 count(cases, "<testcase "), count(cases, "<failure "), count(cases, "<error "),
                 count(cases, "<skipped "), report->seconds, cases) < 0)
        text = NULL;
out:
    free(cases);
    return text;
}
