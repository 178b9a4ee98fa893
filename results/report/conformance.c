/* Verdicts: what does not hold, then implementations × clauses with the evidence of each. */
#include "parts.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const marks[] = {"✓", "–", "✗", "?", "!", "✗", "⚠", "·"};

/* In full, for the legend. */
static const char *const meanings[] = {
    "pass: the promise was kept",
    "skip: the implementation does not claim the capability",
    "xfail: broken, as the expectations file says",
    "unknown: the case did not exercise what it is about, or the machine was too slow to tell",
    "xpass: not broken in the way that the expectations file says",
    "fail: the promise was broken",
    "error: the harness or the protocol failed",
    "not run",
};

/* The contract's groups; one that is not known here is shown by its letters. */
static const char *group_title(const char *id)
{
    static const char *const titles[][2] = {
        {"DEL", "Delivery"},
        {"ISO", "Isolation"},
        {"CON", "Connections"},
        {"PACE", "Pace"},
        {"THR", "Threads"},
        {"LIFE", "Opening and closing"},
        {"CHURN", "Joining and leaving"},
        {"KILL", "Death"},
        {"PAUSE", "Pauses"},
        {"ENV", "Bad surroundings"},
    };
    for (size_t i = 0; i < sizeof titles / sizeof titles[0]; ++i)
        if (strlen(titles[i][0]) == results_clause_group(id) &&
            strncmp(titles[i][0], id, results_clause_group(id)) == 0)
            return titles[i][1];
    return NULL;
}

/* As text in out, "" without one. */
static void seed_text(const cJSON *seed, char *out, size_t size)
{
    *out = '\0';
    if (cJSON_IsString(seed))
        snprintf(out, size, "%s", seed->valuestring);
    else if (cJSON_IsNumber(seed))
        snprintf(out, size, "%.0f", seed->valuedouble);
}

/* A driver's name holds what a shell would take apart, as in "mmipc?spin_us=-1"; a quote in it would end the quotes. */
static void replay(struct page *page, const struct results_case *item, const char *seed)
{
    if (*seed == '\0' || strchr(item->driver, '\''))
        return;
    page_open(page, "p", "class", "facts", NULL);
    page_text(page, "Again: ");
    page_open(page, "code", NULL);
    page_textf(page, "ipcmark conformance --driver '%s' --clause %s --seed %s", item->driver, item->clause, seed);
    page_close(page);
    page_close(page);
}

/* What is known of one case: its words, then its figures. */
static void evidence(struct page *page, const struct results_case *item)
{
    char seed[64];
    seed_text(item->seed, seed, sizeof seed);
    if (item->text && *item->text)
        page_element(page, "p", "words", item->text);
    page_open(page, "p", "class", "facts", NULL);
    page_text(page, item->verdict);
    if (item->class)
        page_textf(page, " (%s)", item->class);
    if (!isnan(item->seconds))
        page_textf(page, "; %.2f s", item->seconds);
    if (!isnan(item->must) && item->must > 0)
        page_textf(page, "; %.0f messages had to arrive", item->must);
    if (!isnan(item->received) && item->received > 0)
        page_textf(page, "; %.0f deliveries seen", item->received);
    if (*seed)
        page_textf(page, "; seed %s", seed);
    if (item->evidence) {
        page_text(page, "; journals in ");
        page_element(page, "code", NULL, item->evidence);
    }
    page_close(page);
    if (results_verdict_bad(results_verdict_of(item->verdict)))
        replay(page, item, seed);
}

static void badge(struct page *page, enum results_verdict verdict)
{
    char class[32];
    snprintf(class, sizeof class, "badge v%d", (int)verdict);
    page_open(page, "span", "class", class, NULL);
    page_open(page, "span", "class", "mark", "aria-hidden", "true", NULL);
    page_text(page, marks[verdict]);
    page_close(page);
    page_element(page, "span", "word", results_verdict_name(verdict));
    page_close(page);
}

static void evidence_of_clause(struct page *page, const struct report *report, size_t clause)
{
    page_open(page, "dl", "class", "evidence", NULL);
    for (size_t driver = 0; driver < report->matrix.driver_count; ++driver) {
        const struct results_square *square = results_matrix_square(&report->matrix, clause, driver);
        page_open(page, "dt", NULL);
        part_driver(page, report, report->matrix.drivers[driver]);
        page_close(page);
        page_open(page, "dd", NULL);
        if (square->count == 0)
            page_element(page, "p", "facts", "not run");
        for (size_t i = 0; i < square->count; ++i)
            evidence(page, square->cases[i]);
        page_close(page);
    }
    page_close(page);
}

static void clause_row(struct page *page, const struct report *report, size_t index)
{
    const struct results_clause *clause = &report->matrix.clauses[index];
    page_open(page, "tr", "id", clause->id, "role", "row", NULL);
    page_open(page, "th", "scope", "row", "role", "rowheader", NULL);
    page_open(page, "details", NULL);
    page_open(page, "summary", NULL);
    page_element(page, "span", "id", clause->id);
    page_text(page, " ");
    page_element(page, "span", "promise", clause->title);
    if (strcmp(clause->level, "MUST") != 0 && *clause->level) {
        page_text(page, " ");
        page_element(page, "span", "level", clause->level);
    }
    page_close(page);
    evidence_of_clause(page, report, index);
    page_close(page);
    page_close(page);
    for (size_t driver = 0; driver < report->matrix.driver_count; ++driver) {
        const struct results_square *square = results_matrix_square(&report->matrix, index, driver);
        size_t bad = 0;
        for (size_t i = 0; i < square->count; ++i)
            bad += results_verdict_of(square->cases[i]->verdict) == square->verdict;
        page_open(page, "td", "role", "cell", NULL);
        /* On a narrow screen the row is folded, and the head of the column out of sight. */
        page_open(page, "span", "class", "who", "aria-hidden", "true", NULL);
        page_text(page, report->matrix.drivers[driver]);
        page_close(page);
        badge(page, square->verdict);
        if (bad < square->count) {
            page_open(page, "span", "class", "of", NULL);
            page_textf(page, " %zu of %zu", bad, square->count);
            page_close(page);
        }
        page_close(page);
    }
    page_close(page);
}

static void group_head(struct page *page, const struct report *report, const char *id)
{
    char columns[16];
    const char *title = group_title(id);
    snprintf(columns, sizeof columns, "%zu", report->matrix.driver_count + 1);
    page_open(page, "tr", "class", "group", "role", "row", NULL);
    page_open(page, "th", "scope", "rowgroup", "colspan", columns, "role", "rowheader", NULL);
    if (title)
        page_text(page, title);
    else
        page_textf(page, "%.*s", (int)results_clause_group(id), id);
    page_close(page);
    page_close(page);
}

/* The roles say what the elements are anyway, because on a narrow screen the style folds rows, and browsers then
 * forget. */
static void table(struct page *page, const struct report *report)
{
    const struct results_matrix *matrix = &report->matrix;
    part_table_begin(page, "matrix", "Clauses of the contract and the verdict for each implementation");
    page_open(page, "thead", "role", "rowgroup", NULL);
    page_open(page, "tr", "role", "row", NULL);
    page_open(page, "th", "scope", "col", "role", "columnheader", NULL);
    page_text(page, "Clause: open one for the evidence");
    page_close(page);
    for (size_t i = 0; i < matrix->driver_count; ++i) {
        page_open(page, "th", "scope", "col", "role", "columnheader", NULL);
        part_driver(page, report, matrix->drivers[i]);
        page_close(page);
    }
    page_close(page);
    page_close(page);
    for (size_t i = 0; i < matrix->clause_count; ++i) {
        const char *id = matrix->clauses[i].id, *before = i ? matrix->clauses[i - 1].id : "";
        size_t length = results_clause_group(id);
        if (length != results_clause_group(before) || strncmp(id, before, length) != 0) {
            if (i)
                page_close(page);
            page_open(page, "tbody", "role", "rowgroup", NULL);
            group_head(page, report, id);
        }
        clause_row(page, report, i);
    }
    if (matrix->clause_count)
        page_close(page);
    part_table_end(page);
}

static void bad_square(struct page *page, const struct report *report, size_t clause, size_t driver)
{
    const struct results_square *square = results_matrix_square(&report->matrix, clause, driver);
    char anchor[64];
    if (!results_verdict_bad(square->verdict))
        return;
    snprintf(anchor, sizeof anchor, "#%s", report->matrix.clauses[clause].id);
    page_open(page, "li", NULL);
    badge(page, square->verdict);
    page_open(page, "div", NULL);
    page_open(page, "p", "class", "which", NULL);
    part_driver(page, report, report->matrix.drivers[driver]);
    page_text(page, " ");
    page_open(page, "a", "href", anchor, NULL);
    page_text(page, report->matrix.clauses[clause].id);
    page_close(page);
    page_textf(page, " %s", report->matrix.clauses[clause].title);
    page_close(page);
    for (size_t i = 0; i < square->count; ++i)
        if (results_verdict_of(square->cases[i]->verdict) == square->verdict) {
            evidence(page, square->cases[i]);
            break;
        }
    page_close(page);
    page_close(page);
}

static size_t count_bad(const struct report *report)
{
    size_t count = 0;
    for (size_t d = 0; d < report->matrix.driver_count; ++d)
        for (int verdict = RESULTS_UNKNOWN; verdict < RESULTS_VERDICTS; ++verdict)
            count += results_matrix_count(&report->matrix, d, (enum results_verdict)verdict);
    return count;
}

/* Everything that is not as it should be, before anything else: the worst first. */
static void troubles(struct page *page, const struct report *report)
{
    const struct results_matrix *matrix = &report->matrix;
    page_element(page, "h3", NULL, "What does not hold, or is not known");
    page_open(page, "ul", "class", "troubles", NULL);
    for (int verdict = RESULTS_VERDICTS - 1; verdict >= RESULTS_UNKNOWN; --verdict)
        for (size_t d = 0; d < matrix->driver_count; ++d)
            for (size_t c = 0; c < matrix->clause_count; ++c)
                if (results_matrix_square(matrix, c, d)->verdict == (enum results_verdict)verdict)
                    bad_square(page, report, c, d);
    page_close(page);
}

static void legend(struct page *page, const struct report *report)
{
    page_open(page, "ul", "class", "legend", "aria-label", "What the verdicts mean", NULL);
    for (int verdict = 0; verdict <= RESULTS_NOT_RUN; ++verdict) {
        bool seen = false;
        for (size_t d = 0; d < report->matrix.driver_count; ++d)
            seen = seen || results_matrix_count(&report->matrix, d, (enum results_verdict)verdict) > 0;
        if (!seen)
            continue;
        page_open(page, "li", NULL);
        badge(page, (enum results_verdict)verdict);
        page_text(page, meanings[verdict] + strcspn(meanings[verdict], ":"));
        page_close(page);
    }
    page_close(page);
}

/* Where everything holds, one line says so, and the table is for who opens it. */
void part_conformance(struct page *page, const struct report *report)
{
    size_t bad = count_bad(report);
    part_begin(page, "conformance", "Conformance");
    if (bad)
        troubles(page, report);
    page_open(page, "details", "class", "verdicts", "open", bad ? "" : NULL, NULL);
    page_open(page, "summary", NULL);
    page_textf(page, "%s: %zu clause%s%s, %zu implementation%s",
               bad ? "All verdicts" : "Every clause that was judged holds", report->matrix.clause_count,
               report->matrix.clause_count == 1 ? "" : "s", report_effort(report), report->matrix.driver_count,
               report->matrix.driver_count == 1 ? "" : "s");
    page_close(page);
    table(page, report);
    legend(page, report);
    page_close(page);
    page_close(page);
}
