#include "readme.h"

#include "markdown.h"

#include <libgen.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

size_t readme_charts(const struct chart *charts, size_t count, const struct chart *out[2])
{
    static const char *const sections[] = {"latency", "throughput"};
    size_t found = 0;
    for (size_t s = 0; s < sizeof sections / sizeof sections[0]; ++s)
        for (size_t i = 0; i < count; ++i)
            if (strcmp(charts[i].section, sections[s]) == 0) {
                out[found++] = &charts[i];
                break;
            }
    return found;
}

/* "/a/b" and "/a/c/d" have "/a" in common. */
static size_t common_folders(const char *one, const char *other)
{
    size_t common = 0, at = 0;
    for (; one[at] && one[at] == other[at]; ++at)
        if (one[at] == '/')
            common = at;
    if ((one[at] == '\0' || one[at] == '/') && (other[at] == '\0' || other[at] == '/'))
        common = at;
    return common;
}

char *readme_link(const char *readme, const char *folder)
{
    char *copy = strdup(readme), *from = copy ? realpath(dirname(copy), NULL) : NULL, *to = realpath(folder, NULL);
    char *link = NULL;
    size_t size, common = from && to ? common_folders(from, to) : 0;
    FILE *out = from && to ? open_memstream(&link, &size) : NULL;
    if (out) {
        const char *down = to + common + (to[common] == '/' ? 1 : 0);
        bool first = true;
        for (const char *up = from + common; *up; ++up) {
            if (up[0] != '/' || up[1] == '\0')
                continue;
            fputs(first ? ".." : "/..", out);
            first = false;
        }
        fprintf(out, "%s%s", first || *down == '\0' ? "" : "/", down);
        fclose(out);
    }
    free(copy);
    free(from);
    free(to);
    return link;
}

static void print_runs(FILE *out, const struct report *report)
{
    for (size_t i = 0; i < report->run_count; ++i) {
        const struct results_run *run = &report->runs[i];
        const char *suite = results_header(run, "suite");
        if (strcmp(results_header(run, "kind"), "bench") != 0)
            continue;
        fputs("Measured ", out);
        markdown_escaped(out, report_where(run).text);
        fputs(*suite ? ", suite " : "", out);
        markdown_escaped(out, suite);
        fputs(".\n\n", out);
    }
}

/* What a link cannot hold is written as its number. */
static void print_picture(FILE *out, const struct chart *chart, const char *link)
{
    fputs("\n![", out);
    markdown_escaped(out, chart->title);
    fputs("](", out);
    for (const char *at = link; *at; ++at)
        fprintf(out, strchr(" ()<>%\\?#", *at) || (unsigned char)*at < 0x20 ? "%%%02X" : "%c", (unsigned char)*at);
    fprintf(out, "%s%s.svg)\n", *link ? "/" : "", chart->id);
}

char *readme_text(const char *old, const struct report *report, const struct chart *const *charts, size_t count,
                  const char *link, const char **why)
{
    const char *begin = strstr(old, README_BEGIN), *end = begin ? strstr(begin, README_END) : NULL;
    char *figures = end ? report_markdown(report) : NULL, *text = NULL;
    size_t size;
    FILE *out = NULL;
    *why = end ? NULL : "it has no place for figures: put the lines " README_BEGIN " and " README_END " where they go";
    if (figures)
        out = open_memstream(&text, &size);
    if (out == NULL)
        goto out;
    fprintf(out, "%.*s%s\n\n", (int)(begin - old), old, README_BEGIN);
    print_runs(out, report);
    fputs(figures, out);
    for (size_t i = 0; i < count; ++i)
        print_picture(out, charts[i], link);
    fprintf(out, "\n%s", end);
    if (fclose(out) == EOF) {
        free(text);
        text = NULL;
    }
out:
    free(figures);
    return text;
}
