/* What participants may say: for each rule of the schema, a line that breaks it. */
#include "cases.h"

#include "../schema.h"

#include <errno.h>

#define STATS_HISTOGRAM "{\"unit\":\"ns\",\"significant_digits\":3,\"counts\":[[1000,2]]}"

/* Right ones, whole; what breaks a rule is made of them. */
static const struct {
    const char *of, *line;
} right[] = {
    {"reply", "{\"id\":1,\"ok\":true}"},
    {"reply", "{\"ok\":true,\"id\":0,\"more\":[1]}"},
    {"error", "{\"id\":2,\"error\":{\"code\":\"EAGAIN\",\"definite\":true,\"text\":\"full: \xE2\x82\xAC\"}}"},
    {"error", "{\"id\":2,\"error\":{\"code\":\"not_supported\",\"definite\":false,\"text\":\"\"}}"},
    {"event peer", "{\"ev\":\"peer\",\"endpoint\":3,\"peer\":\"7.1\",\"connected\":true}"},
    {"event peer", "{\"ev\":\"peer\",\"endpoint\":65534,\"peer\":null,\"connected\":false}"},
    {"event peer", "{\"ev\":\"peer\",\"endpoint\":3,\"peer\":\"pid:4711\",\"connected\":true}"},
    {"event fatal", "{\"ev\":\"fatal\",\"text\":\"\"}"},
    {"hello", "{\"id\":1,\"ok\":true,\"protocol\":1,\"impl\":{\"name\":\"n\",\"version\":\"0\",\"language\":\"C\","
              "\"homepage\":null,\"summary\":\"s\"},\"caps\":{\"peers\":true,\"threads\":false,\"max_publishers\":0}}"},
    {"open_broker", "{\"id\":1,\"ok\":true,\"address\":\"here\"}"},
    {"wait_peers", "{\"id\":1,\"ok\":true,\"count\":0,\"at_ns\":1}"},
    {"peers", "{\"id\":1,\"ok\":true,\"count\":8}"},
    {"publish",
     "{\"id\":1,\"ok\":true,\"attempted\":6,\"published\":3,\"failed\":2,\"unknown\":1,\"last\":[[0,3],[63,1]],"
     "\"first_ns\":5,\"last_ns\":6,\"achieved_rate\":0.5,\"cpu_ns\":1,\"sleeps\":1,\"retries\":0,"
     "\"last_error\":\"EAGAIN\"}"},
    {"drain", "{\"id\":1,\"ok\":true,\"received\":9007199254740992}"},
    {"ping", "{\"id\":1,\"ok\":true,\"count\":2,\"histogram\":" STATS_HISTOGRAM "}"},
    {"footprint",
     "{\"id\":1,\"ok\":true,\"private_bytes\":4096,\"descriptors\":3,\"shared\":[[\"0:1:12\",8192],[\"0:1:13\",0]]}"},
    {"wait_gone", "{\"id\":1,\"ok\":true,\"at_ns\":1}"},
    {"cycle", "{\"id\":1,\"ok\":true,\"count\":2,\"elapsed_ns\":5,\"open\":" STATS_HISTOGRAM
              ",\"first\":" STATS_HISTOGRAM ",\"close\":" STATS_HISTOGRAM "}"},
    {"hold", "{\"id\":1,\"ok\":true,\"count\":8}"},
    {"stats of a process", "{\"id\":1,\"ok\":true,\"user_ns\":1,\"system_ns\":1,\"voluntary_switches\":0,"
                           "\"involuntary_switches\":0,\"resident_bytes\":4096,\"descriptors\":3,\"threads\":1}"},
    {"stats of a publisher",
     "{\"id\":1,\"ok\":true,\"attempted\":1,\"published\":1,\"failed\":0,\"unknown\":0,\"last\":[]}"},
    {"stats of a subscriber",
     "{\"id\":1,\"ok\":true,\"received\":0,\"bytes\":0,\"lost\":0,\"torn\":0,\"duplicate\":0,\"reordered\":0,"
     "\"slept\":0,\"window\":{\"messages\":0,\"bytes\":0},"
     "\"histogram\":" STATS_HISTOGRAM ",\"histogram_uncorrected\":" STATS_HISTOGRAM "}"},
    {"an_extension", "{\"id\":1,\"ok\":true,\"count\":\"many\"}"},
};

/* As output.c and call.c do it. */
static int check(const char *of, const char *line, char why[256])
{
    cJSON *out = NULL;
    why[0] = '\0';
    int error = schema_parse(line, strlen(line), &out, why, 256);
    if (error == 0 && cJSON_HasObjectItem(out, "ok"))
        error = schema_check_reply(of, out, why, 256);
    cJSON_Delete(out);
    return error;
}

static void expect_refused(const char *of, const char *line, const char *words)
{
    char why[256];
    if (check(of, line, why) != -EPROTO)
        fail_msg("accepted: %s", line);
    if (strstr(why, words) == NULL)
        fail_msg("'%s' is not in '%s', said of %s", words, why, line);
}

static void what_is_right_is_accepted(void **state)
{
    char why[256];
    (void)state;
    for (size_t i = 0; i < sizeof right / sizeof right[0]; ++i)
        if (check(right[i].of, right[i].line, why) != 0)
            fail_msg("%s: %s", right[i].line, why);
}

static void what_is_no_line_is_refused(void **state)
{
    (void)state;
    expect_refused("", "", "not JSON");
    expect_refused("", "ok", "not JSON");
    expect_refused("", "{\"id\":NaN,\"ok\":true}", "not JSON");
    expect_refused("", "{\"id\":1,\"ok\":true} {}", "not JSON");
    expect_refused("", "{\"id\":1,\"ok\":true", "not JSON");
    expect_refused("", "{\"id\":1,\"ok\":true,\"text\":\"\xFF\"}", "UTF-8");
    expect_refused("", "[]", "object");
    expect_refused("", "{}", "\"id\" is missing");
    expect_refused("", "{\"id\":1}", "either");
    expect_refused("", "{\"id\":1,\"ok\":false}", "either");
    expect_refused("", "{\"id\":1,\"ok\":1}", "either");
    expect_refused("", "{\"id\":1,\"error\":\"no\"}", "either");
    expect_refused("", "{\"id\":1,\"ok\":true,\"error\":{\"code\":\"EIO\",\"definite\":true,\"text\":\"\"}}", "either");
    expect_refused("", "{\"ev\":1}", "\"ev\"");
    expect_refused("", "{\"ev\":\"lunch\"}", "\"ev\"");
}

/* Of each type, what it must not be; the first ones are of another type altogether. */
static const char *const wrong[SCHEMA_TYPES][9] = {
    [SCHEMA_COUNT] = {"\"1\"", "null", "-1", "1.5", "1e300", "1e999", "9007199254740994"},
    [SCHEMA_ID] = {"\"1\"", "true", "-1", "0.5", "1e999"},
    [SCHEMA_ENDPOINT] = {"\"1\"", "0", "65535", "1.5", "-3"},
    [SCHEMA_PEERS] = {"\"1\"", "-1", "2147483648", "0.5"},
    [SCHEMA_TIME] = {"\"1\"", "0", "-1", "1.5", "1e18"},
    [SCHEMA_RATE] = {"\"1\"", "null", "-0.5", "1e999"},
    [SCHEMA_VERSION] = {"\"1\"", "0", "2", "1.5"},
    [SCHEMA_NAME] = {"1", "null", "\"\""},
    [SCHEMA_LABEL] = {"1", "null", "\"\"", "\"a b\"", "\"a/b\"", "\"a\\n\"", "\"\\u001b[2J\""},
    [SCHEMA_TEXT] = {"1", "null", "{}"},
    [SCHEMA_TEXT_OR_NULL] = {"1", "[]"},
    [SCHEMA_CODE] = {"1", "\"\"", "\"E\"", "\"eagain\"", "\"EAGAIN.\"", "\"full\"", "null"},
    [SCHEMA_PEER] = {"1", "\"\"", "\"7\"", "\"7.1 \"", "\"0.1\"", "\"65535.1\"", "\"pid:0\"", "\"pid:\"", "\"bob\""},
    [SCHEMA_BOOLEAN] = {"1", "\"true\"", "null"},
    [SCHEMA_CAPABILITIES] = {"[]", "\"peers\"", "{\"peers\":1}", "{\"peers\":\"yes\"}", "{\"max_publishers\":true}",
                             "{\"max_publishers\":-1}", "{\"max_mesage_bytes\":5}"},
    [SCHEMA_LAST] = {"{}", "[1]", "[[0]]", "[[0,1,2]]", "[[65,1]]", "[[0,0]]", "[[0,1],[0,2]]", "[[0.5,1]]",
                     "[[0,\"1\"]]"},
    [SCHEMA_FILES] = {"{}", "[1]", "[[1]]", "[[1,2,3]]", "[[1,\"2\"]]", "[[-1,2]]", "[[1,0.5]]"},
    [SCHEMA_HISTOGRAM] = {"[]", "{}", "{\"unit\":\"s\",\"significant_digits\":3,\"counts\":[]}",
                          "{\"unit\":\"ns\",\"significant_digits\":3,\"counts\":[[1]]}"},
    [SCHEMA_OBJECT] = {"1", "[]", "null"},
};

/* The object that the rules of this name are about; `window` and `impl` lie in the line of an op. */
static cJSON *find_object(cJSON *line, const char *of)
{
    cJSON *inside = cJSON_GetObjectItemCaseSensitive(line, of);
    return inside == NULL ? line : inside;
}

static const char *kind_of_line(const char *of)
{
    return strcmp(of, "impl") == 0 ? "hello" : strcmp(of, "window") == 0 ? "stats of a subscriber" : of;
}

static const char *right_line(const char *of)
{
    for (size_t i = 0; i < sizeof right / sizeof right[0]; ++i)
        if (strcmp(right[i].of, kind_of_line(of)) == 0)
            return right[i].line;
    fail_msg("no right line of %s", of);
    return NULL;
}

/* The right line with this field changed; value NULL: without it. */
static void expect_rule(const struct schema_rule *rule, const char *value, bool accepted)
{
    char why[256];
    cJSON *line = cJSON_Parse(right_line(rule->of)), *object = find_object(line, rule->of);
    assert_non_null(cJSON_GetObjectItemCaseSensitive(object, rule->name));
    cJSON_DeleteItemFromObjectCaseSensitive(object, rule->name);
    if (value != NULL)
        cJSON_AddItemToObject(object, rule->name, cJSON_CreateRaw(value));
    char *text = cJSON_PrintUnformatted(line);
    if (accepted && check(kind_of_line(rule->of), text, why) != 0)
        fail_msg("%s: %s", text, why);
    if (!accepted)
        expect_refused(kind_of_line(rule->of), text, rule->name);
    cJSON_free(text);
    cJSON_Delete(line);
}

static void each_rule_refuses_what_breaks_it(void **state)
{
    size_t rules = 0;
    (void)state;
    for (const struct schema_rule *rule = schema_rules; rule->of != NULL; ++rule, ++rules) {
        expect_rule(rule, NULL, rule->optional);
        assert_non_null(wrong[rule->type][0]);
        for (size_t i = 0; i < 9 && wrong[rule->type][i] != NULL; ++i)
            expect_rule(rule, wrong[rule->type][i], false);
    }
    assert_true(rules > 50);
}

/* By name, whatever type the table gives it: one value that it must not have. */
static const struct {
    const char *of, *name, *value;
} refused[] = {
    {"reply", "id", "0.5"},
    {"error", "code", "\"full\""},
    {"error", "definite", "1"},
    {"error", "text", "null"},
    {"event peer", "endpoint", "0"},
    {"event peer", "peer", "\"bob\""},
    {"event peer", "connected", "1"},
    {"event fatal", "text", "null"},
    {"hello", "protocol", "2"},
    {"hello", "impl", "[]"},
    {"impl", "name", "\"\""},
    {"impl", "version", "\"\""},
    {"impl", "language", "\"\""},
    {"impl", "homepage", "1"},
    {"impl", "summary", "null"},
    {"hello", "caps", "{\"peers\":1}"},
    {"open_broker", "address", "\"\""},
    {"wait_peers", "count", "-1"},
    {"wait_peers", "at_ns", "0"},
    {"peers", "count", "-1"},
    {"publish", "attempted", "0.5"},
    {"publish", "published", "0.5"},
    {"publish", "failed", "0.5"},
    {"publish", "unknown", "0.5"},
    {"publish", "last", "[[0,0]]"},
    {"publish", "first_ns", "0"},
    {"publish", "last_ns", "0"},
    {"publish", "achieved_rate", "-1"},
    {"publish", "last_error", "\"full\""},
    {"publish", "cpu_ns", "-1"},
    {"publish", "sleeps", "0.5"},
    {"publish", "retries", "0.5"},
    {"drain", "received", "0.5"},
    {"ping", "count", "0.5"},
    {"ping", "histogram", "{}"},
    {"footprint", "private_bytes", "0.5"},
    {"footprint", "descriptors", "-1"},
    {"footprint", "shared", "[[12,8192]]"},
    {"wait_gone", "at_ns", "0"},
    {"cycle", "count", "0.5"},
    {"cycle", "elapsed_ns", "0.5"},
    {"cycle", "open", "{}"},
    {"cycle", "first", "{}"},
    {"cycle", "close", "{}"},
    {"hold", "count", "-1"},
    {"stats of a process", "user_ns", "0.5"},
    {"stats of a process", "system_ns", "0.5"},
    {"stats of a process", "voluntary_switches", "0.5"},
    {"stats of a process", "involuntary_switches", "0.5"},
    {"stats of a process", "resident_bytes", "0.5"},
    {"stats of a process", "descriptors", "0.5"},
    {"stats of a process", "threads", "0.5"},
    {"stats of a publisher", "attempted", "0.5"},
    {"stats of a publisher", "published", "0.5"},
    {"stats of a publisher", "failed", "0.5"},
    {"stats of a publisher", "unknown", "0.5"},
    {"stats of a publisher", "last", "[[0,0]]"},
    {"stats of a subscriber", "received", "0.5"},
    {"stats of a subscriber", "bytes", "0.5"},
    {"stats of a subscriber", "lost", "0.5"},
    {"stats of a subscriber", "torn", "0.5"},
    {"stats of a subscriber", "duplicate", "0.5"},
    {"stats of a subscriber", "reordered", "0.5"},
    {"stats of a subscriber", "slept", "0.5"},
    {"stats of a subscriber", "window", "[]"},
    {"window", "messages", "0.5"},
    {"window", "bytes", "0.5"},
    {"stats of a subscriber", "histogram", "{}"},
    {"stats of a subscriber", "histogram_uncorrected", "{}"},
};

static void each_field_is_as_the_protocol_says(void **state)
{
    (void)state;
    for (const struct schema_rule *rule = schema_rules; rule->of != NULL; ++rule) {
        size_t i = 0;
        while (i < sizeof refused / sizeof refused[0] &&
               (strcmp(refused[i].of, rule->of) != 0 || strcmp(refused[i].name, rule->name) != 0))
            ++i;
        if (i == sizeof refused / sizeof refused[0])
            fail_msg("%s: \"%s\" is not in the list", rule->of, rule->name);
        expect_rule(rule, refused[i].value, false);
    }
}

static void counts_must_add_up(void **state)
{
    (void)state;
    expect_refused("publish",
                   "{\"id\":1,\"ok\":true,\"attempted\":5,\"published\":3,\"failed\":2,\"unknown\":1,\"last\":[],"
                   "\"first_ns\":5,\"last_ns\":6,\"achieved_rate\":1}",
                   "sum");
    expect_refused("publish",
                   "{\"id\":1,\"ok\":true,\"attempted\":6,\"published\":3,\"failed\":2,\"unknown\":1,\"last\":[],"
                   "\"first_ns\":7,\"last_ns\":6,\"achieved_rate\":1}",
                   "not be after");
}

CASES_MAIN(CASE(what_is_right_is_accepted), CASE(what_is_no_line_is_refused), CASE(each_rule_refuses_what_breaks_it),
           CASE(each_field_is_as_the_protocol_says), CASE(counts_must_add_up))
