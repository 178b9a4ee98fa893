#include "readme.h"

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

static void print_runs(FILE *out, const struct report *report)
{
    for (size_t i = 0; i < report->run_count; ++i) {
        const struct results_run *run = &report->runs[i];
        const char *suite = results_header(run, "suite");
        if (strcmp(results_header(run, "kind"), "bench") == 0)
            fprintf(out, "Measured %s%s%s.\n\n", report_where(run).text, *suite ? ", suite " : "", suite);
    }
}

char *readme_text(const char *old, const struct report *report, const struct chart *const *charts, size_t count,
                  const char *folder, const char **why)
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
        fprintf(out, "\n![%s](%s/%s.svg)\n", charts[i]->title, folder, charts[i]->id);
    fprintf(out, "\n%s", end);
    if (fclose(out) == EOF) {
        free(text);
        text = NULL;
    }
out:
    free(figures);
    return text;
}
