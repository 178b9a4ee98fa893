#include "report.h"

void report_tap_plan(FILE *file, size_t planned)
{
    fprintf(file, "TAP version 14\n1..%zu\n", planned);
}

/* In TAP a known failure is `not ok … # TODO`, which does not fail the run, and a skip is `ok … # SKIP`. */
void report_tap(FILE *file, const result *item, size_t number)
{
    const char *text = item->text != NULL ? item->text : "";
    const bool ok = item->verdict == VERDICT_PASS || item->verdict == VERDICT_SKIP;
    fprintf(file, "%s %zu - %s %s", ok ? "ok" : "not ok", number, item->driver, item->clause->id);
    if (item->verdict == VERDICT_SKIP)
        fprintf(file, " # SKIP %s", text);
    else if (item->verdict == VERDICT_XFAIL)
        fprintf(file, " # TODO %s", text);
    fprintf(file, "\n  ---\n  verdict: %s\n", verdict_name(item->verdict));
    if (item->violation[0] != '\0')
        fprintf(file, "  class: %s\n", item->violation);
    if (!ok && text[0] != '\0') {
        fputs("  message: \"", file);
        for (; *text != '\0'; ++text) {
            if (*text == '"' || *text == '\\')
                fputc('\\', file);
            fputc(*text == '\n' ? ' ' : *text, file);
        }
        fputs("\"\n", file);
    }
    if (item->evidence != NULL)
        fprintf(file, "  evidence: \"%s\"\n", item->evidence);
    fprintf(file, "  duration_ms: %.0f\n  seed: %llu\n  ...\n", item->seconds * 1000, (unsigned long long)item->seed);
    fflush(file);
}

void report_tap_bail_out(FILE *file, const char *why)
{
    fprintf(file, "Bail out! %s\n", why);
}
