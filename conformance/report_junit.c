#include "report.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <libxml/parserInternals.h>
#include <libxml/xmlwriter.h>

#define X(text) ((const xmlChar *)(text))

/* XML 1.0 has no way to write most control characters or broken UTF-8, and what participants print may hold both. */
static xmlChar *clean_text(const char *text)
{
    static const int least[] = {0, 1, 0x80, 0x800, 0x10000}; /* in the shortest form, which libxml2 does not ask for */
    xmlChar *clean = xmlStrdup(X(text != NULL ? text : ""));
    for (xmlChar *at = clean; at != NULL && *at != '\0';) {
        int length = 4; /* the NUL at the end ends a character too */
        const int code = xmlGetUTF8Char(at, &length);
        const bool begins = (*at & 0xc0) != 0x80;
        const bool written = begins && code > 0 && code >= least[length] && code != '\r' && xmlIsCharQ(code);
        if (!written)
            *at = '?';
        at += written ? length : 1;
    }
    return clean;
}

static void write_attribute(xmlTextWriterPtr writer, const char *name, const char *value)
{
    xmlChar *clean = clean_text(value);
    xmlTextWriterWriteAttribute(writer, X(name), clean);
    xmlFree(clean);
}

/* What a CI service makes of it: it counts as the exit code does. */
typedef enum { PASSED, SKIPPED, FAILED, IN_ERROR } outcome;

static outcome outcome_of(const result *item)
{
    if (item->verdict == VERDICT_PASS)
        return PASSED;
    if (item->verdict == VERDICT_ERROR)
        return IN_ERROR;
    if (item->excused || item->verdict == VERDICT_SKIP || item->verdict == VERDICT_XFAIL)
        return SKIPPED;
    return item->verdict == VERDICT_UNKNOWN ? IN_ERROR : FAILED;
}

static void write_outcome(xmlTextWriterPtr writer, const result *item)
{
    static const char *const names[] = {NULL, "skipped", "failure", "error"};
    const outcome what = outcome_of(item);
    char *message = NULL;
    if (what == PASSED)
        return;
    if (what == SKIPPED && item->verdict != VERDICT_SKIP &&
        asprintf(&message, "%s, which does not count: %s", verdict_name(item->verdict),
                 item->text != NULL ? item->text : "") < 0)
        message = NULL;
    xmlTextWriterStartElement(writer, X(names[what]));
    write_attribute(writer, "message", message != NULL ? message : item->text);
    if (what != SKIPPED) {
        xmlChar *detail = clean_text(item->detail);
        write_attribute(writer, "type", item->violation[0] != '\0' ? item->violation : verdict_name(item->verdict));
        xmlTextWriterWriteString(writer, detail);
        xmlFree(detail);
    }
    xmlTextWriterEndElement(writer);
    free(message);
}

static void write_line(xmlTextWriterPtr writer, const char *name, const char *value)
{
    xmlChar *clean = clean_text(value);
    if (value != NULL)
        xmlTextWriterWriteFormatString(writer, "%s: %s\n", name, clean);
    xmlFree(clean);
}

/* What a reader of the failure needs next. */
static void write_output(xmlTextWriterPtr writer, const result *item)
{
    char *figures = item->figures != NULL ? cJSON_PrintUnformatted(item->figures) : NULL;
    if (item->evidence != NULL || item->replay != NULL || figures != NULL) {
        xmlTextWriterStartElement(writer, X("system-out"));
        write_line(writer, "evidence", item->evidence);
        write_line(writer, "replay", item->replay);
        write_line(writer, "figures", figures);
        xmlTextWriterEndElement(writer);
    }
    cJSON_free(figures);
}

static void write_case(xmlTextWriterPtr writer, const result *item)
{
    char name[512], round[32] = "";
    if (item->round > 0)
        snprintf(round, sizeof round, " (round %u)", item->round + 1);
    snprintf(name, sizeof name, "%s %s%s", item->clause->id, item->clause->promise, round);
    xmlTextWriterStartElement(writer, X("testcase"));
    write_attribute(writer, "classname", item->driver);
    write_attribute(writer, "name", name);
    xmlTextWriterWriteFormatAttribute(writer, X("time"), "%.3f", item->seconds);
    write_outcome(writer, item);
    write_output(writer, item);
    xmlTextWriterEndElement(writer);
}

static bool is_first_of_driver(const result_list *list, size_t index)
{
    for (size_t i = 0; i < index; ++i)
        if (strcmp(list->items[i].driver, list->items[index].driver) == 0)
            return false;
    return true;
}

/* Of a driver, or NULL: of all. */
static void write_counts(xmlTextWriterPtr writer, const result_list *list, const char *driver)
{
    unsigned tests = 0, counts[4] = {0};
    double seconds = 0;
    for (size_t i = 0; i < list->count; ++i) {
        if (driver != NULL && strcmp(list->items[i].driver, driver) != 0)
            continue;
        ++tests;
        ++counts[outcome_of(&list->items[i])];
        seconds += list->items[i].seconds;
    }
    xmlTextWriterWriteFormatAttribute(writer, X("tests"), "%u", tests);
    xmlTextWriterWriteFormatAttribute(writer, X("failures"), "%u", counts[FAILED]);
    xmlTextWriterWriteFormatAttribute(writer, X("errors"), "%u", counts[IN_ERROR]);
    if (driver != NULL) /* the common schema knows it of suites only */
        xmlTextWriterWriteFormatAttribute(writer, X("skipped"), "%u", counts[SKIPPED]);
    xmlTextWriterWriteFormatAttribute(writer, X("time"), "%.3f", seconds);
}

static void write_suite(xmlTextWriterPtr writer, const result_list *list, const char *driver)
{
    xmlTextWriterStartElement(writer, X("testsuite"));
    write_attribute(writer, "name", driver);
    write_counts(writer, list, driver);
    for (size_t i = 0; i < list->count; ++i)
        if (strcmp(list->items[i].driver, driver) == 0)
            write_case(writer, &list->items[i]);
    xmlTextWriterEndElement(writer);
}

static int write_suites(xmlTextWriterPtr writer, const result_list *list)
{
    xmlTextWriterSetIndent(writer, 1);
    xmlTextWriterStartDocument(writer, NULL, "UTF-8", NULL);
    xmlTextWriterStartElement(writer, X("testsuites"));
    write_attribute(writer, "name", "ipcmark conformance");
    write_counts(writer, list, NULL);
    for (size_t i = 0; i < list->count; ++i)
        if (is_first_of_driver(list, i))
            write_suite(writer, list, list->items[i].driver);
    return xmlTextWriterEndDocument(writer) < 0 || xmlTextWriterFlush(writer) < 0 ? -EIO : 0;
}

int report_junit(const char *path, const result_list *list)
{
    FILE *file = fopen(path, "we");
    xmlOutputBufferPtr buffer = NULL;
    xmlTextWriterPtr writer = NULL;
    int error;
    if (file == NULL)
        return -errno;
    buffer = xmlOutputBufferCreateFile(file, NULL);
    if (buffer != NULL)
        writer = xmlNewTextWriter(buffer); /* which owns the buffer from now on */
    error = writer != NULL ? write_suites(writer, list) : -ENOMEM;
    if (writer != NULL)
        xmlFreeTextWriter(writer);
    else if (buffer != NULL)
        xmlOutputBufferClose(buffer);
    if (fclose(file) != 0 && error == 0)
        error = -errno;
    return error;
}
