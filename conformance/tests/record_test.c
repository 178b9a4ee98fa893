/* A case in the result file: every field is described in FORMAT.md, and what is read back is what was written. */
#include "cases.h"
#include "record.h"

#include <stdlib.h>

static const contender contenders[] = {{.name = "fifo"}, {.name = "tcp?x=1"}};

static result some_case(void)
{
    result item = {.driver = contenders[1].name,
                   .clause = clause_find("DEL-002"),
                   .round = 4,
                   .seen = VERDICT_FAIL,
                   .verdict = VERDICT_XFAIL,
                   .seconds = 1.5,
                   .seed = 4711,
                   .messages = 5,
                   .must = 4,
                   .received = 3,
                   .violations = 2,
                   .kills_inside = 1};
    strcpy(item.violation, "lost");
    item.text = strdup("message 7 is missing");
    item.figures = cJSON_Parse("[{\"name\":\"delay\",\"value\":0.25,\"unit\":\"s\"}]");
    item.evidence = strdup("keep/some/case");
    return item;
}

/* The first column of the table below a heading; names may be several, with commas between. */
static bool is_described(const char *heading, const char *name)
{
    FILE *file = fopen(FORMAT_PATH, "re");
    char line[4096], wanted[64];
    bool here = false, found = false;
    assert_non_null(file);
    snprintf(wanted, sizeof wanted, "`%s`", name);
    while (!found && fgets(line, sizeof line, file) != NULL) {
        if (line[0] == '#')
            here = strncmp(line + strspn(line, "# "), heading, strlen(heading)) == 0;
        else if (here && line[0] == '|') {
            char *end = strchr(line + 1, '|');
            if (end != NULL)
                *end = '\0';
            found = strstr(line, wanted) != NULL;
        }
    }
    fclose(file);
    return found;
}

static void every_field_is_described(void **state)
{
    result item = some_case();
    cJSON *json = record_case_json(&item, ""), *field;
    (void)state;
    assert_true(cJSON_GetArraySize(json) > 15);
    cJSON_ArrayForEach(field, json)
    {
        if (!is_described("case", field->string))
            fail_msg("FORMAT.md does not describe '%s' of a case", field->string);
    }
    assert_true(is_described("header", "effort") && is_described("header", "rounds"));
    assert_false(is_described("case", "effort"));
    cJSON_Delete(json);
    result_clear(&item);
}

static void what_is_read_back_is_what_was_written(void **state)
{
    result item = some_case(), again;
    cJSON *json = record_case_json(&item, "");
    (void)state;
    assert_true(record_case_restore(&again, json, contenders, 2, "night"));
    assert_ptr_equal(again.driver, item.driver);
    assert_ptr_equal(again.clause, item.clause);
    assert_int_equal(again.round, 4);
    assert_int_equal(again.seen, VERDICT_FAIL);
    assert_int_equal(again.verdict, VERDICT_FAIL); /* the expectations are asked again */
    assert_string_equal(again.violation, "lost");
    assert_string_equal(again.text, "message 7 is missing");
    assert_string_equal(again.evidence, "night/keep/some/case");
    assert_true(again.seconds == 1.5 && again.seed == 4711 && again.messages == 5 && again.must == 4);
    assert_true(again.received == 3 && again.violations == 2 && again.kills_inside == 1);
    assert_true(cJSON_Compare(again.figures, item.figures, 1));
    result_clear(&again);
    cJSON_Delete(json);
    result_clear(&item);
}

static void what_is_no_case_of_this_run_is_left_out(void **state)
{
    static const char *const bad[][2] = {
        {"driver", "another"}, {"clause", "NIX-001"}, {"seen", "maybe"}, {"record", "cell"}};
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; ++i) {
        result item = some_case(), again;
        cJSON *json = record_case_json(&item, "");
        cJSON_ReplaceItemInObject(json, bad[i][0], cJSON_CreateString(bad[i][1]));
        assert_false(record_case_restore(&again, json, contenders, 2, ""));
        cJSON_Delete(json);
        result_clear(&item);
    }
}

static void places_of_this_machine_are_not_named(void **state)
{
    static const char *const texts[][2] = {{"'/home/me/x.so' is gone", "'x.so' is gone"},
                                           {"see /tmp/a/b, and /c", "see b, and c"},
                                           {"--driver=/a/b/c.so?x=1", "--driver=c.so?x=1"},
                                           {"one/two and 3 / 4", "one/two and 3 / 4"},
                                           {"nothing", "nothing"}};
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; ++i) {
        char *text = strdup(texts[i][0]);
        assert_string_equal(record_without_folders(text), texts[i][1]);
        free(text);
    }
}

CASES_MAIN(CASE(every_field_is_described), CASE(what_is_read_back_is_what_was_written),
           CASE(what_is_no_case_of_this_run_is_left_out), CASE(places_of_this_machine_are_not_named))
