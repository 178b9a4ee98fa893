/* The badge: what it says, in which colour, as an SVG and as what shields.io reads. */
#include "badge.h"
#include "cases.h"

#include <stdlib.h>
#include <unistd.h>

#include <libxml/parser.h>
#include <libxml/xpath.h>

static char folder[32], image[64], endpoint[64];

static tally whole(verdict worst, size_t passed)
{
    tally sum = {.clauses = tally_contract(), .worst = worst};
    sum.by_verdict[VERDICT_PASS] = passed;
    sum.by_verdict[worst] += worst == VERDICT_PASS ? 0 : tally_contract() - passed;
    return sum;
}

static void make_badge(const tally *sum, effort how_much)
{
    strcpy(folder, "/tmp/ipcmark-badge-XXXXXX");
    assert_non_null(mkdtemp(folder));
    snprintf(image, sizeof image, "%s/badge.svg", folder);
    snprintf(endpoint, sizeof endpoint, "%s/badge.json", folder);
    assert_int_equal(badge_write(image, sum, how_much), 0);
}

static void remove_badge(void)
{
    unlink(image);
    unlink(endpoint);
    assert_int_equal(rmdir(folder), 0); /* and there was nothing else in it */
}

static cJSON *read_endpoint(void)
{
    char text[1024];
    FILE *file = fopen(endpoint, "re");
    const size_t length = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    text[length] = '\0';
    return cJSON_Parse(text);
}

static void expect_badge(const tally *sum, effort how_much, const char *message, const char *colour)
{
    cJSON *json;
    make_badge(sum, how_much);
    json = read_endpoint();
    assert_int_equal(cJSON_GetNumberValue(cJSON_GetObjectItem(json, "schemaVersion")), 1);
    assert_string_equal(cJSON_GetStringValue(cJSON_GetObjectItem(json, "label")), "ipcmark conformance 1");
    assert_string_equal(cJSON_GetStringValue(cJSON_GetObjectItem(json, "message")), message);
    assert_string_equal(cJSON_GetStringValue(cJSON_GetObjectItem(json, "color")), colour);
    assert_int_equal(cJSON_IsTrue(cJSON_GetObjectItem(json, "isError")), strcmp(colour, "red") == 0);
    cJSON_Delete(json);
    remove_badge();
}

static void the_worst_verdict_gives_the_colour(void **state)
{
    const size_t all = tally_contract();
    char text[64];
    tally sum = whole(VERDICT_PASS, all);
    (void)state;
    snprintf(text, sizeof text, "%zu of %zu", all, all);
    expect_badge(&sum, EFFORT_USUAL, text, "brightgreen");
    snprintf(text, sizeof text, "%zu of %zu (quick)", all, all);
    expect_badge(&sum, EFFORT_QUICK, text, "brightgreen");
    sum.by_verdict[VERDICT_SKIP] = 2;
    sum.by_verdict[VERDICT_PASS] -= 2;
    snprintf(text, sizeof text, "%zu of %zu", all - 2, all);
    expect_badge(&sum, EFFORT_USUAL, text, "green");
    sum = whole(VERDICT_FAIL, all - 2);
    expect_badge(&sum, EFFORT_THOROUGH, text, "red");
    sum = whole(VERDICT_UNKNOWN, all - 2);
    expect_badge(&sum, EFFORT_USUAL, text, "yellow");
    snprintf(text, sizeof text, "%zu of %zu, error", all - 2, all);
    sum = whole(VERDICT_ERROR, all - 2);
    expect_badge(&sum, EFFORT_USUAL, text, "lightgrey");
}

/* Whoever ran three clauses has not shown the contract. */
static void a_part_of_the_contract_is_never_green(void **state)
{
    tally sum = {.clauses = 3, .worst = VERDICT_PASS};
    char text[64];
    (void)state;
    sum.by_verdict[VERDICT_PASS] = 3;
    snprintf(text, sizeof text, "3 of %zu", tally_contract());
    expect_badge(&sum, EFFORT_USUAL, text, "lightgrey");
}

static void the_image_needs_nothing_else(void **state)
{
    tally sum = whole(VERDICT_PASS, tally_contract());
    xmlDocPtr document;
    xmlXPathContextPtr context;
    xmlXPathObjectPtr found;
    char title[64];
    (void)state;
    make_badge(&sum, EFFORT_USUAL);
    document = xmlReadFile(image, NULL, XML_PARSE_NONET);
    assert_non_null(document);
    context = xmlXPathNewContext(document);
    found = xmlXPathEvalExpression((const xmlChar *)"string(/*[local-name()='svg']/*[local-name()='title'])", context);
    snprintf(title, sizeof title, "ipcmark conformance 1: %zu of %zu", tally_contract(), tally_contract());
    assert_string_equal((char *)found->stringval, title);
    xmlXPathFreeObject(found);
    found = xmlXPathEvalExpression(
        (const xmlChar *)"count(//@href | //*[local-name()='image' or local-name()='script'])", context);
    assert_true(found->floatval == 0);
    xmlXPathFreeObject(found);
    xmlXPathFreeContext(context);
    xmlFreeDoc(document);
    remove_badge();
}

CASES_MAIN(CASE(the_worst_verdict_gives_the_colour), CASE(a_part_of_the_contract_is_never_green),
           CASE(the_image_needs_nothing_else))
