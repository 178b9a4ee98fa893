#include "say.h"

#include <math.h>
#include <string.h>

void gate_say_slower(char *out, size_t size, const struct gate_finding *finding)
{
    const struct results_spread *slower = &finding->slower;
    const char *of = finding->over_limit ? ", over the limit beside it," : "";

    out[0] = '\0';
    if (slower->count > 0 && slower->interval)
        snprintf(out, size, "%.2f times as long%s (%.2f to %.2f)", slower->median, of, slower->low, slower->high);
    else if (slower->count > 0 && !isnan(slower->median))
        snprintf(out, size, "%.2f times as long%s", slower->median, of);
}

/* "4.3", "25": of a share, in percent. */
static const char *percent(char out[32], double share)
{
    snprintf(out, 32, fabs(share) < 0.0995 ? "%.1f" : "%.0f", 100 * share);
    return out;
}

/* "; p = 0.002", which is not the chance of the verdict but of the pairs: see the note. */
static const char *p_of(char out[32], const struct gate_finding *finding)
{
    out[0] = '\0';
    if (!isnan(finding->chance))
        snprintf(out, 32, finding->chance < 0.0001 ? "; p < 0.0001" : "; p = %.2g", finding->chance);
    return out;
}

static void say_passed(char *out, size_t size, const struct gate_finding *finding)
{
    const struct results_spread *slower = &finding->slower;
    const bool open = !(slower->high <= 1 + finding->tolerance);
    char by[32], tolerated[32], most[32], p[32], up_to[80] = "";

    percent(tolerated, finding->tolerance);
    if (open)
        snprintf(up_to, sizeof up_to, "; up to %s %% are not ruled out", percent(most, slower->high - 1));
    if (gate_slower_within(finding))
        snprintf(out, size, "slower by %s %%, within the %s %% that are tolerated%s%s", percent(by, slower->median - 1),
                 tolerated, p_of(p, finding), up_to);
    else if (slower->high < 1)
        snprintf(out, size, "faster: it takes %s %% less", percent(by, 1 - slower->median));
    else if (open)
        snprintf(out, size, "not shown to be slower%s", up_to);
    else
        snprintf(out, size, "not slower by more than %s %%", tolerated);
}

void gate_say_finding(char *out, size_t size, const struct gate_finding *finding)
{
    char tolerated[32], p[32];

    if (finding->why[0])
        snprintf(out, size, "%s%s", finding->judged ? "cannot be told: " : "", finding->why);
    else if (finding->verdict == GATE_REGRESSION)
        snprintf(out, size, "SLOWER, by more than the %s %% that are tolerated%s",
                 percent(tolerated, finding->tolerance), p_of(p, finding));
    else
        say_passed(out, size, finding);
}

/* What p and intervals are of. */
static const char *note(const struct gate_report *report)
{
    return report->stored
               ? "Intervals are of 95 %, by drawing the blocks of both runs anew."
               : "Intervals are of 90 %, so that each end alone holds with 95 %. p: how often pairs of one that takes "
                 "no longer would look as much slower, or more (exact one-sided signed-rank test, adjusted by Holm "
                 "for the metrics tested together).";
}

static void figure(char *out, size_t size, double value, const char *metric)
{
    if (isnan(value))
        snprintf(out, size, "–");
    else if (strcmp(metric, "messages_per_second") == 0)
        snprintf(out, size, value < 1e6 ? "%.3g thousand/s" : "%.3g million/s",
                 value < 1e6 ? value / 1e3 : value / 1e6);
    else
        snprintf(out, size, value < 1e4 ? "%.0f ns" : "%.3g µs", value < 1e4 ? value : value / 1e3);
}

/* What comes from files and drivers may hold line breaks, and a line of its own may be a command to who reads along
 * ("::error::" on GitHub); so it never begins one. */
static void line(FILE *out, const char *before, const char *text, const char *after)
{
    fputs(before, out);
    for (; *text; ++text)
        fputc((unsigned char)*text < 0x20 || *text == 0x7f ? ' ' : *text, out);
    fputs(after, out);
}

/* "First look, 22 blocks:" */
static void say_look(FILE *out, const struct gate_look *look, const char *title)
{
    fprintf(out, "%s, %u blocks:\n", title, look->blocks);
    for (size_t i = 0; i < GATE_METRICS; ++i) {
        const struct gate_finding *finding = &look->findings[i];
        char slower[96], words[700], now[32], before[32];
        if (!(look->asked >> i & 1))
            continue;
        gate_say_slower(slower, sizeof slower, finding);
        gate_say_finding(words, sizeof words, finding);
        figure(now, sizeof now, finding->candidate, finding->metric->metric);
        figure(before, sizeof before, finding->base, finding->metric->metric);
        fprintf(out, "  %-31s  %s, baseline %s%s%s", finding->metric->words, now, before, slower[0] ? "; " : "",
                slower);
        line(out, ": ", words, "\n");
    }
}

void gate_say_words(FILE *out, const struct gate_report *report)
{
    line(out, "candidate ", report->candidate, ", ");
    line(out, "baseline ", report->base, report->stored ? " (stored)\n" : "\n");
    if (report->first.asked != 0)
        say_look(out, &report->first, "First look");
    if (report->looked_again)
        say_look(out, &report->again, "Again, what could not be told");
    if (report->confirmed)
        say_look(out, &report->second, "Fresh blocks");
    if (report->first.asked != 0)
        fprintf(out, "%s\n", note(report));
    for (size_t i = 0; i < report->clauses.count; ++i)
        line(out, "  ", report->clauses.list[i].text, "\n");
    if (report->differs[0])
        line(out, "Not as it was when the baseline was stored: ", report->differs, "\n");
    if (report->beside[0])
        fprintf(out, "%s\n", report->beside);
    fprintf(out, "%s", gate_verdict_name(report->verdict));
    line(out, ": ", report->words, "\n");
    fprintf(out, "It took %.0f s.\n", report->seconds);
}

/* Text that stays text: a line break ends a table, a | a cell, and < begins HTML. */
static void plain(FILE *out, const char *text)
{
    for (; *text; ++text)
        if (strchr("\\`*_[]|#~", *text))
            fprintf(out, "\\%c", *text);
        else if (*text == '<')
            fputs("&lt;", out);
        else if (*text == '&')
            fputs("&amp;", out);
        else
            fputc((unsigned char)*text < 0x20 || *text == 0x7f ? ' ' : *text, out);
}

static void cell(FILE *out, const char *text)
{
    plain(out, text);
    fputs(" | ", out);
}

static void paragraph(FILE *out, const char *before, const char *text, const char *after)
{
    fputs(before, out);
    plain(out, text);
    fputs(after, out);
}

/* "1.25 (1.21 to 1.30)", "1.25 (–)" of too few blocks for an interval, "–" without any. */
static void spread(char *out, size_t size, const struct results_spread *spread)
{
    if (spread->count == 0 || isnan(spread->median))
        snprintf(out, size, "–");
    else if (!spread->interval)
        snprintf(out, size, "%.2f (–)", spread->median);
    else
        snprintf(out, size, "%.2f (%.2f to %.2f)", spread->median, spread->low, spread->high);
}

static void table(FILE *out, const struct gate_report *report, const struct gate_look *look, const char *title)
{
    fprintf(out,
            "\n%s, %u blocks\n\n| | candidate | baseline | time%s, candidate ÷ baseline (interval) | baseline beside "
            "itself "
            "| verdict |\n| --- | --- | --- | --- | --- | --- |\n",
            title, look->blocks, report->stored ? " over its machine's limit" : "");
    for (size_t i = 0; i < GATE_METRICS; ++i) {
        const struct gate_finding *finding = &look->findings[i];
        char text[700];
        if (!(look->asked >> i & 1))
            continue;
        fputs("| ", out);
        cell(out, finding->metric->words);
        figure(text, sizeof text, finding->candidate, finding->metric->metric);
        cell(out, text);
        figure(text, sizeof text, finding->base, finding->metric->metric);
        cell(out, text);
        spread(text, sizeof text, &finding->slower);
        cell(out, text);
        spread(text, sizeof text, &finding->control);
        cell(out, text);
        gate_say_finding(text, sizeof text, finding);
        cell(out, text);
        fputs("\n", out);
    }
}

void gate_say_markdown(FILE *out, const struct gate_report *report)
{
    fprintf(out, "### Gate: %s\n\n", gate_verdict_name(report->verdict));
    plain(out, report->candidate);
    paragraph(out, " beside ", report->base, ": ");
    paragraph(out, "", report->words, ".\n");
    if (report->first.asked != 0)
        table(out, report, &report->first, "First look");
    if (report->looked_again)
        table(out, report, &report->again, "Again, what could not be told");
    if (report->confirmed)
        table(out, report, &report->second, "Fresh blocks");
    if (report->first.asked != 0)
        fprintf(out, "\n%s\n", note(report));
    if (report->clauses.count > 0)
        fputs("\n", out);
    for (size_t i = 0; i < report->clauses.count; ++i)
        paragraph(out, "* ", report->clauses.list[i].text, "\n");
    if (report->differs[0])
        paragraph(out, "\nNot as it was when the baseline was stored: ", report->differs, "\n");
    if (report->beside[0])
        fprintf(out, "\n%s\n", report->beside);
    fprintf(out, "\nIt took %.0f s.\n", report->seconds);
}

void gate_say_markdown_error(FILE *out, int status)
{
    fprintf(out,
            "### Gate: no verdict\n\nipcmark gate ended with %d before there was one; why is on its standard error.\n",
            status);
}

/* As GitHub reads a workflow command: a line, with these three escaped. */
static void escaped(FILE *out, const char *text)
{
    for (; *text; ++text)
        fputs(*text == '%' ? "%25" : *text == '\r' ? "%0D" : *text == '\n' ? "%0A" : (char[]){*text, '\0'}, out);
}

void gate_say_annotations(FILE *out, const struct gate_report *report)
{
    static const char *const kinds[] = {"notice", "warning", "error"};

    fprintf(out, "::%s title=ipcmark gate (%s)::", kinds[report->verdict], gate_verdict_name(report->verdict));
    escaped(out, report->words);
    fputs("\n", out);
    for (size_t i = 0; i < report->clauses.count; ++i) {
        fprintf(out, "::%s title=ipcmark gate (clause)::", kinds[report->clauses.list[i].verdict]);
        escaped(out, report->clauses.list[i].text);
        fputs("\n", out);
    }
}
