#include "cases.h"
#include "report.h"

#include <stdlib.h>
#include <unistd.h>

#include <libxml/parser.h>
#include <libxml/xmlschemas.h>
#include <libxml/xpath.h>

static char *text;
static size_t text_size;

static void add(result_list *list, const char *driver, const char *id, verdict value, const char *why)
{
    result item = {.driver = driver, .clause = clause_find(id), .verdict = value, .seconds = 0.25, .seed = 4711};
    item.text = why != NULL ? strdup(why) : NULL;
    if (value == VERDICT_SKIP)
        snprintf(item.missing, sizeof item.missing, "%s", strrchr(why, ' ') + 1);
    if (value == VERDICT_FAIL) {
        snprintf(item.violation, sizeof item.violation, "lost");
        item.detail = strdup("first line\nsecond line\n");
        item.evidence = strdup("evidence/1-tcp-DEL-002");
        item.replay = strdup("ipcmark conformance --driver tcp --clause DEL-002 --seed 4711");
    }
    assert_non_null(result_append(list, &item));
}

static void add_some(result_list *list)
{
    add(list, "fifo", "DEL-001", VERDICT_PASS, NULL);
    add(list, "fifo", "DEL-002", VERDICT_SKIP, "it does not claim threads");
    add(list, "tcp", "DEL-001", VERDICT_PASS, NULL);
    add(list, "tcp", "DEL-002", VERDICT_FAIL, "message 7 of <publisher 1> & more");
}

static void table(const result_list *list, bool colour)
{
    const report_options options = {.colour = colour, .seed = 4711, .rounds = 1};
    FILE *file = open_memstream(&text, &text_size);
    report_table(file, list, &options);
    fclose(file);
}

static void expect_text(const char *words)
{
    if (strstr(text, words) == NULL)
        fail_msg("without '%s':\n%s", words, text);
}

static void the_table_has_a_row_a_clause_and_a_column_a_driver(void **state)
{
    result_list list = {0};
    (void)state;
    add_some(&list);
    table(&list, false);
    expect_text("\n           fifo           tcp            \n");
    expect_text("\nDEL-001    pass           pass           One publisher's messages");
    expect_text("\nDEL-002    skip: threads  fail           One publisher's messages");
    assert_null(strstr(text, "DEL-003"));
    expect_text("\nSkipped\n  fifo: it does not claim threads: DEL-002\n");
    expect_text("\nfifo  holds: 1 of 2 clauses pass, 1 skipped; the contract has ");
    expect_text("\ntcp   FAILS: 1 of 2 clauses pass, 1 MUST fail; the contract has ");
    expect_text("\n4 cases: 2 pass, 1 fail, 1 skip; contract version 1, seed 4711\n");
    free(text);
    result_list_clear(&list);
}

static void a_failure_is_told_in_words(void **state)
{
    result_list list = {0};
    (void)state;
    add_some(&list);
    table(&list, false);
    expect_text("\nfail  tcp  DEL-002  MUST\n    One publisher");
    expect_text("\n    lost: message 7 of <publisher 1> & more\n    first line\n    second line\n");
    expect_text("\n    evidence  evidence/1-tcp-DEL-002\n");
    expect_text("\n    replay    ipcmark conformance --driver tcp --clause DEL-002 --seed 4711\n");
    assert_null(strstr(text, "\nskip  "));
    free(text);
    result_list_clear(&list);
}

/* A line that is longer than the page breaks in a terminal, and nobody can read the table any more. */
static void four_implementations_fit_into_eighty_columns(void **state)
{
    static const char *const drivers[] = {"mmipc?spin_us=-1", "fifo", "a name of some length", "tcp"};
    const report_options options = {.width = 80, .seed = 1, .rounds = 1};
    result_list list = {0};
    FILE *file = open_memstream(&text, &text_size);
    const clause *about;
    (void)state;
    for (size_t i = 0; i < 4; ++i)
        for (size_t k = 0; (about = clause_at(k)) != NULL; ++k)
            add(&list, drivers[i], about->id,
                k == 3   ? VERDICT_SKIP
                : k == 4 ? VERDICT_UNKNOWN
                         : VERDICT_PASS,
                k == 3 ? "it does not claim survives_publisher_death" : "because of words that go on and on and on");
    report_table(file, &list, &options);
    fclose(file);
    for (char *rest = text, *line; (line = strsep(&rest, "\n")) != NULL;)
        if (report_length(line) > 80)
            fail_msg("%d columns: '%s'", report_length(line), line);
    free(text);
    result_list_clear(&list);
}

static void what_is_said_once_is_not_said_again(void **state)
{
    result_list list = {0};
    (void)state;
    add(&list, "gone", "DEL-001", VERDICT_ERROR, "it exited with status 7");
    add(&list, "gone", "DEL-002", VERDICT_ERROR, "it exited with status 7");
    add(&list, "gone", "DEL-003", VERDICT_ERROR, "something else");
    table(&list, false);
    expect_text("    it exited with status 7\n    the same 1 time more: DEL-002\n");
    assert_null(strstr(strstr(text, "status 7") + 1, "status 7"));
    expect_text("something else");
    expect_text("\ngone  ERROR: 0 of 3 clauses pass, 3 in error");
    free(text);
    result_list_clear(&list);
}

static void figures_are_shown_as_medians(void **state)
{
    static const double values[] = {0.003, 0.001, 0.002};
    result_list list = {0};
    (void)state;
    for (size_t i = 0; i < 3; ++i) {
        result *item;
        add(&list, "tcp", "DEL-001", VERDICT_PASS, NULL);
        item = &list.items[list.count - 1];
        item->figures = cJSON_Parse("[{\"name\":\"found after\",\"unit\":\"s\"}]");
        cJSON_AddNumberToObject(cJSON_GetArrayItem(item->figures, 0), "value", values[i]);
    }
    table(&list, false);
    expect_text("\nDEL-001    2 ms       found after\n");
    free(text);
    result_list_clear(&list);
}

/* A promise that users expect counts as any other, unless told otherwise; the table tells which is which. */
static void levels_are_told_apart(void **state)
{
    const clause *about = NULL;
    result_list list = {0};
    (void)state;
    for (size_t k = 0; clause_at(k) != NULL && about == NULL; ++k)
        about = clause_at(k)->should ? clause_at(k) : NULL;
    if (about == NULL)
        CASES_SKIP("no clause is SHOULD");
    add(&list, "tcp", "DEL-001", VERDICT_PASS, NULL);
    add(&list, "tcp", about->id, VERDICT_FAIL, "x");
    assert_int_equal(result_exit_code(&list), EXIT_BROKEN);
    list.items[1].excused = true;
    assert_int_equal(result_exit_code(&list), EXIT_HOLDS);
    table(&list, false);
    expect_text("\nDEL-001    MUST   pass ");
    expect_text("  SHOULD fail ");
    expect_text("SHOULD  (does not count)\n");
    expect_text("1 SHOULD fail (1 of these do not count)");
    free(text);
    result_list_clear(&list);
}

static void colour_only_if_asked(void **state)
{
    result_list list = {0};
    (void)state;
    add_some(&list);
    table(&list, false);
    assert_null(strchr(text, '\033'));
    free(text);
    table(&list, true);
    assert_non_null(strstr(text, "\033[1;31mfail\033[0m"));
    free(text);
    result_list_clear(&list);
}

static void rounds_are_counted_in_the_table(void **state)
{
    result_list list = {0};
    (void)state;
    add(&list, "tcp", "DEL-002", VERDICT_FAIL, "x");
    for (int i = 0; i < 19; ++i)
        add(&list, "tcp", "DEL-002", VERDICT_PASS, NULL);
    table(&list, false);
    expect_text("\nDEL-002    fail 1/20  ");
    free(text);
    result_list_clear(&list);
}

/* ---- TAP, read as strictly as its grammar is --------------------------------------------------------------------- */

typedef struct {
    unsigned number;
    bool ok;
    char description[256], directive[8], reason[256];
    cJSON *block; /* of its YAML: every value is a plain word, or JSON */
} tap_point;

/* Copies up to an unescaped " # " or the end, taking escapes away; returns what is left behind the mark. */
static const char *tap_unescape(const char *from, char *to, size_t size)
{
    size_t used = 0;
    for (; *from != '\0' && used + 1 < size; ++from) {
        if (*from == '#')
            fail_msg("a # that is not escaped: %s", from);
        if (strncmp(from, " # ", 3) == 0)
            break;
        if (*from == '\\' && (from[1] == '#' || from[1] == '\\'))
            ++from;
        to[used++] = *from;
    }
    to[used] = '\0';
    return *from != '\0' ? from + 3 : from;
}

static void tap_read_entry(tap_point *out, const char *line)
{
    char name[64];
    const char *colon = strstr(line, ": "), *end = NULL;
    cJSON *value;
    assert_true(strncmp(line, "  ", 2) == 0 && colon != NULL && line[2] != ' ');
    snprintf(name, sizeof name, "%.*s", (int)(colon - line - 2), line + 2);
    value = cJSON_ParseWithOpts(colon + 2, &end, 1);
    if (value == NULL && colon[2 + strspn(colon + 2, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")] == '\0')
        value = cJSON_CreateString(colon + 2);
    if (value == NULL)
        fail_msg("not YAML that this reads: '%s'", line);
    cJSON_AddItemToObject(out->block, name, value);
}

static size_t tap_read(char *document, tap_point *points, size_t room)
{
    size_t planned, count = 0;
    char *rest = document, *line = strsep(&rest, "\n"), end;
    assert_string_equal(line, "TAP version 14");
    assert_int_equal(sscanf(line = strsep(&rest, "\n"), "1..%zu%c", &planned, &end), 1);
    while ((line = strsep(&rest, "\n")) != NULL && *line != '\0') {
        tap_point *now = &points[count++];
        const char *directive;
        int used = 0;
        assert_true(count <= room);
        memset(now, 0, sizeof *now);
        now->ok = strncmp(line, "ok ", 3) == 0;
        assert_true(now->ok || strncmp(line, "not ok ", 7) == 0);
        assert_int_equal(sscanf(line += now->ok ? 3 : 7, "%u - %n", &now->number, &used), 1);
        assert_true(used > 0 && now->number == count);
        directive = tap_unescape(line + used, now->description, sizeof now->description);
        if (*directive != '\0') {
            assert_int_equal(sscanf(directive, "%7s %n", now->directive, &used), 1);
            assert_true(strcmp(now->directive, "SKIP") == 0 || strcmp(now->directive, "TODO") == 0);
            tap_unescape(directive + used, now->reason, sizeof now->reason);
        }
        now->block = cJSON_CreateObject();
        assert_string_equal(strsep(&rest, "\n"), "  ---");
        while ((line = strsep(&rest, "\n")) != NULL && strcmp(line, "  ...") != 0)
            tap_read_entry(now, line);
        assert_non_null(line);
    }
    assert_null(rest);
    assert_int_equal(count, planned);
    return count;
}

static const char *tap_text(const tap_point *self, const char *name)
{
    const char *found = cJSON_GetStringValue(cJSON_GetObjectItem(self->block, name));
    return found != NULL ? found : "";
}

static void tap_follows_the_protocol(void **state)
{
    tap_point points[8];
    result_list list = {0};
    FILE *file = open_memstream(&text, &text_size);
    (void)state;
    add_some(&list);
    add(&list, "tcp#2 \\ of two", "DEL-003", VERDICT_XFAIL, "known # since\nlong \\");
    add(&list, "tcp", "DEL-004", VERDICT_ERROR, "not UTF-8: \xff, control: \001, quotes: \"");
    add(&list, "tcp", "DEL-005", VERDICT_FAIL, "known to the baseline");
    list.items[6].excused = true;
    list.items[6].round = 1;
    list.items[0].figures = cJSON_Parse("[{\"name\":\"delay\",\"value\":0.5,\"unit\":\"s\"}]");
    report_tap_plan(file, list.count);
    for (size_t i = 0; i < list.count; ++i)
        report_tap(file, &list.items[i], i + 1);
    fclose(file);
    assert_int_equal(tap_read(text, points, 8), 7);
    assert_true(points[0].ok && points[0].directive[0] == '\0');
    assert_string_equal(points[0].description, "fifo DEL-001");
    assert_string_equal(tap_text(&points[0], "level"), "MUST");
    assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(points[0].block, "figures")), 1);
    assert_true(points[1].ok && strcmp(points[1].directive, "SKIP") == 0);
    assert_string_equal(points[1].reason, "it does not claim threads");
    assert_true(!points[3].ok && points[3].directive[0] == '\0');
    assert_string_equal(tap_text(&points[3], "class"), "lost");
    assert_string_equal(tap_text(&points[3], "message"), "message 7 of <publisher 1> & more");
    assert_string_equal(tap_text(&points[3], "evidence"), "evidence/1-tcp-DEL-002");
    assert_true(strstr(tap_text(&points[3], "replay"), "--seed 4711") != NULL);
    assert_true(!points[4].ok && strcmp(points[4].directive, "TODO") == 0);
    assert_string_equal(points[4].description, "tcp#2 \\ of two DEL-003");
    assert_string_equal(points[4].reason, "known # since long \\");
    assert_true(!points[5].ok && points[5].directive[0] == '\0');
    assert_string_equal(tap_text(&points[5], "message"), "not UTF-8: ?, control: ?, quotes: \"");
    assert_true(!points[6].ok && strcmp(points[6].directive, "TODO") == 0);
    assert_string_equal(points[6].description, "tcp DEL-005 round 2");
    for (size_t i = 0; i < 7; ++i)
        cJSON_Delete(points[i].block);
    free(text);
    result_list_clear(&list);
}

/* ---- JUnit ------------------------------------------------------------------------------------------------------- */

/* The value of an XPath expression in an XML file. */
static char *xpath(const char *path, const char *expression)
{
    xmlDocPtr document = xmlReadFile(path, NULL, XML_PARSE_NOERROR | XML_PARSE_NONET);
    xmlXPathContextPtr context;
    xmlXPathObjectPtr value;
    char *out;
    assert_non_null(document);
    context = xmlXPathNewContext(document);
    value = xmlXPathEvalExpression((const xmlChar *)expression, context);
    assert_non_null(value);
    out = (char *)xmlXPathCastToString(value);
    xmlXPathFreeObject(value);
    xmlXPathFreeContext(context);
    xmlFreeDoc(document);
    return out;
}

static void expect_xpath(const char *path, const char *expression, const char *value)
{
    char *found = xpath(path, expression);
    assert_string_equal(found, value);
    xmlFree(found);
}

static void expect_valid(const char *path)
{
    xmlSchemaParserCtxtPtr parser = xmlSchemaNewParserCtxt(JUNIT_SCHEMA);
    xmlSchemaPtr schema = xmlSchemaParse(parser);
    xmlSchemaValidCtxtPtr check = xmlSchemaNewValidCtxt(schema);
    xmlDocPtr document = xmlReadFile(path, NULL, XML_PARSE_NONET);
    assert_non_null(schema);
    assert_non_null(document);
    assert_int_equal(xmlSchemaValidateDoc(check, document), 0);
    xmlFreeDoc(document);
    xmlSchemaFreeValidCtxt(check);
    xmlSchemaFree(schema);
    xmlSchemaFreeParserCtxt(parser);
}

static void junit_is_well_formed_and_complete(void **state)
{
    char path[] = "/tmp/ipcmark-junit-XXXXXX";
    result_list list = {0};
    (void)state;
    close(mkstemp(path));
    add_some(&list);
    add(&list, "tcp", "DEL-003", VERDICT_ERROR,
        "control: \001, broken UTF-8: \xff \xe2\x82 \xe0\x81\x81, a euro: \xe2\x82\xac, no character: \xef\xbf\xbf");
    add(&list, "tcp", "DEL-004", VERDICT_XFAIL, "known");
    add(&list, "tcp", "DEL-005", VERDICT_FAIL, "in the baseline");
    list.items[6].excused = true;
    assert_int_equal(report_junit(path, &list), 0);
    expect_valid(path);
    expect_xpath(path, "count(/testsuites/testsuite)", "2");
    expect_xpath(path, "string(/testsuites/@tests)", "7");
    expect_xpath(path, "string(/testsuites/@time)", "1.750");
    expect_xpath(path, "string(//testsuite[@name='tcp']/@tests)", "5");
    expect_xpath(path, "string(//testsuite[@name='tcp']/@skipped)", "2");
    expect_xpath(path, "string(//testcase[4]/skipped/@message)", "xfail, which does not count: known");
    expect_xpath(path, "string(//testcase[5]/skipped/@message)", "fail, which does not count: in the baseline");
    expect_xpath(path, "string(//system-out)",
                 "evidence: evidence/1-tcp-DEL-002\nreplay: ipcmark conformance --driver tcp --clause DEL-002 --seed "
                 "4711\n");
    expect_xpath(path, "string(//testsuite[@name='tcp']/@failures)", "1");
    expect_xpath(path, "string(//testsuite[@name='tcp']/@errors)", "1");
    expect_xpath(path, "string(//testsuite[@name='fifo']/@skipped)", "1");
    expect_xpath(path, "string(//failure/@message)", "message 7 of <publisher 1> & more");
    expect_xpath(path, "string(//failure/@type)", "lost");
    expect_xpath(path, "string(//failure)", "first line\nsecond line\n");
    expect_xpath(path, "string(//error/@message)",
                 "control: ?, broken UTF-8: ? ?? ???, a euro: \xe2\x82\xac, no character: ???");
    expect_xpath(path, "count(//testcase[not(*)])", "2");
    unlink(path);
    result_list_clear(&list);
}

static void junit_that_cannot_be_written_says_so(void **state)
{
    result_list list = {0};
    (void)state;
    assert_true(report_junit("/nonexistent/junit.xml", &list) < 0);
}

CASES_MAIN(CASE(the_table_has_a_row_a_clause_and_a_column_a_driver), CASE(a_failure_is_told_in_words),
           CASE(four_implementations_fit_into_eighty_columns), CASE(what_is_said_once_is_not_said_again),
           CASE(figures_are_shown_as_medians), CASE(levels_are_told_apart), CASE(colour_only_if_asked),
           CASE(rounds_are_counted_in_the_table), CASE(tap_follows_the_protocol),
           CASE(junit_is_well_formed_and_complete), CASE(junit_that_cannot_be_written_says_so))
