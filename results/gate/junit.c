#include "say.h"

#include <stdlib.h>
#include <string.h>

/* A text that was cut to its room may end within a character. */
static bool is_cut(const char *text)
{
    const unsigned char first = (unsigned char)*text;
    int more = first >= 0xF0 ? 3 : first >= 0xE0 ? 2 : first >= 0xC0 ? 1 : 0;

    while (more > 0 && ((unsigned char)*++text & 0xC0) == 0x80)
        --more;
    return more > 0;
}

/* XML 1.0 has no way to write most control characters; and errors of drivers may hold any byte. */
static void escaped(FILE *out, const char *text)
{
    for (; *text && !is_cut(text); ++text) {
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

/* As the exit code has it: a regression fails, what cannot be told is skipped with its reason, and is no pass. An error
 * is none of this: the gate itself could not do its work. */
static void verdict_element(FILE *out, enum gate_verdict verdict, const char *message)
{
    if (verdict != GATE_PASS)
        element(out, verdict == GATE_REGRESSION ? "failure" : "skipped", message);
}

/* What fresh blocks showed counts. */
static void write_metric(FILE *out, const struct gate_report *report, size_t metric)
{
    const bool again = report->confirmed && (report->second.asked >> metric & 1);
    const struct gate_finding *finding = again ? &report->second.findings[metric] : &report->decided.findings[metric];
    char text[700], slower[96], message[840];

    begin(out, finding->metric->words);
    gate_say_finding(text, sizeof text, finding);
    gate_say_slower(slower, sizeof slower, finding);
    snprintf(message, sizeof message, "%s%s%s", text, slower[0] ? "; " : "", slower);
    verdict_element(out, finding->judged ? gate_metric_verdict(report, metric) : GATE_INCONCLUSIVE, message);
    fputs("</testcase>\n", out);
}

/* The look that has most to say of cells that were errors; NULL: neither has. */
static const struct gate_look *faulty(const struct gate_report *report)
{
    const struct gate_look *first = &report->decided, *second = report->confirmed ? &report->second : first;

    return first->lost      ? first
           : second->lost   ? second
           : second->broken ? second
           : first->broken  ? first
           : second->alike  ? second
           : first->alike   ? first
                            : NULL;
}

static void write_measured(FILE *out, const struct gate_report *report)
{
    const struct gate_look *look = faulty(report);
    const bool twice = report->confirmed && report->decided.broken && report->second.broken;

    begin(out, "the candidate can be measured, and messages arrive as they were sent");
    if (look)
        verdict_element(out, look->lost || twice ? GATE_REGRESSION : GATE_INCONCLUSIVE, look->words);
    fputs("</testcase>\n", out);
}

/* A case each, of those that changed. */
static void write_clauses(FILE *out, const struct gate_clauses *clauses)
{
    if (clauses->count == 0) {
        begin(out, "clauses are kept as before");
        fputs("</testcase>\n", out);
    }
    for (size_t i = 0; i < clauses->count; ++i) {
        begin(out, clauses->list[i].text);
        verdict_element(out, clauses->list[i].verdict, clauses->list[i].text);
        fputs("</testcase>\n", out);
    }
}

static void write_cases(FILE *out, const struct gate_report *report)
{
    for (size_t i = 0; i < GATE_METRICS; ++i)
        if (report->first.asked >> i & 1)
            write_metric(out, report, i);
    write_measured(out, report);
    if (report->compared_clauses)
        write_clauses(out, &report->clauses);
}

static size_t count(const char *text, const char *part)
{
    size_t found = 0;
    for (; (text = strstr(text, part)) != NULL; ++text)
        ++found;
    return found;
}

static char *suite(const char *cases, double seconds)
{
    char *text = NULL;

    if (asprintf(&text,
                 "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                 "<testsuite name=\"ipcmark gate\" tests=\"%zu\" failures=\"%zu\" errors=\"%zu\" skipped=\"%zu\" "
                 "time=\"%.1f\">\n%s</testsuite>\n",
                 count(cases, "<testcase "), count(cases, "<failure "), count(cases, "<error "),
                 count(cases, "<skipped "), seconds, cases) < 0)
        return NULL;
    return text;
}

char *gate_say_junit(const struct gate_report *report)
{
    char *cases = NULL, *text = NULL;
    size_t size;
    FILE *out = open_memstream(&cases, &size);

    if (out == NULL)
        return NULL;
    write_cases(out, report);
    if (fclose(out) == 0)
        text = suite(cases, report->seconds);
    free(cases);
    return text;
}

char *gate_say_junit_error(int status)
{
    char cases[400];

    snprintf(cases, sizeof cases,
             "  <testcase classname=\"ipcmark.gate\" name=\"the gate could do its work\"><error message=\"ipcmark gate "
             "ended with %d before there was a verdict; why is on its standard error\"/></testcase>\n",
             status);
    return suite(cases, 0);
}
