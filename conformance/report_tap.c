#include "report.h"

#include <stdlib.h>
#include <string.h>

#include <libxml/xmlstring.h>

/* One line of UTF-8: participants print what they like. The caller frees it. */
static char *one_line(const char *text)
{
    char *line = strdup(text != NULL ? text : "");
    const bool valid = line != NULL && xmlCheckUTF8((const xmlChar *)line);
    for (char *at = line; at != NULL && *at != '\0'; ++at)
        if ((unsigned char)*at < ' ' || (!valid && (unsigned char)*at >= 0x80))
            *at = *at == '\n' ? ' ' : '?';
    return line;
}

/* In what stands before a directive, and in its reason, a # would begin another. */
static void print_escaped(FILE *file, const char *text)
{
    char *line = one_line(text);
    for (const char *at = line; at != NULL && *at != '\0'; ++at) {
        if (*at == '#' || *at == '\\')
            fputc('\\', file);
        fputc(*at, file);
    }
    free(line);
}

/* A string of JSON is one of YAML. */
static void print_entry(FILE *file, const char *name, const char *text)
{
    char *line = one_line(text);
    cJSON *string = line != NULL ? cJSON_CreateString(line) : NULL;
    char *quoted = string != NULL ? cJSON_PrintUnformatted(string) : NULL;
    fprintf(file, "  %s: %s\n", name, quoted != NULL ? quoted : "\"\"");
    cJSON_free(quoted);
    cJSON_Delete(string);
    free(line);
}

static void print_block(FILE *file, const result *item, bool ok)
{
    fprintf(file, "  ---\n  verdict: %s\n  level: %s\n", verdict_name(item->verdict), clause_level(item->clause));
    print_entry(file, "promise", item->clause->promise);
    if (item->violation[0] != '\0')
        print_entry(file, "class", item->violation);
    if (!ok)
        print_entry(file, "message", item->text);
    if (item->evidence != NULL)
        print_entry(file, "evidence", item->evidence);
    if (item->replay != NULL)
        print_entry(file, "replay", item->replay);
    if (item->figures != NULL) {
        char *figures = cJSON_PrintUnformatted(item->figures); /* which is YAML, too */
        fprintf(file, "  figures: %s\n", figures != NULL ? figures : "[]");
        cJSON_free(figures);
    }
    fprintf(file, "  duration_ms: %.0f\n  seed: %llu\n  ...\n", item->seconds * 1000, (unsigned long long)item->seed);
}

void report_tap_plan(FILE *file, size_t planned)
{
    fprintf(file, "TAP version 14\n1..%zu\n", planned);
    fflush(file);
}

/* In TAP a known failure is `not ok … # TODO`, which does not fail the run, and a skip is `ok … # SKIP`. */
void report_tap(FILE *file, const result *item, size_t number)
{
    const bool ok = item->verdict == VERDICT_PASS || item->verdict == VERDICT_SKIP;
    const bool known = item->verdict == VERDICT_XFAIL || (item->excused && verdict_is_bad(item->verdict));
    fprintf(file, "%s %zu - ", ok ? "ok" : "not ok", number);
    print_escaped(file, item->driver);
    fprintf(file, " %s", item->clause->id);
    if (item->round > 0)
        fprintf(file, " round %u", item->round + 1);
    if (item->verdict == VERDICT_SKIP || known) {
        fputs(known ? " # TODO " : " # SKIP ", file);
        print_escaped(file, item->text);
    }
    fputc('\n', file);
    print_block(file, item, ok);
    fflush(file);
}

void report_tap_bail_out(FILE *file, const char *why, bool planned)
{
    fputs(planned ? "Bail out! " : "TAP version 14\nBail out! ", file);
    print_escaped(file, why);
    fputc('\n', file);
    fflush(file);
}
