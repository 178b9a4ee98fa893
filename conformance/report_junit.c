#include "report.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <libxml/xmlwriter.h>

#define X(text) ((const xmlChar *)(text))

/* XML 1.0 has no way to write most control characters or broken UTF-8, and what participants print may hold both. */
static xmlChar *clean_text(const char *text)
{
    xmlChar *clean = xmlStrdup(X(text != NULL ? text : ""));
    for (xmlChar *at = clean; at != NULL && *at != '\0'; ++at)
        if (*at < 0x20 && *at != '\n' && *at != '\t')
            *at = '?';
    if (clean != NULL && !xmlCheckUTF8(clean))
        for (xmlChar *at = clean; *at != '\0'; ++at)
            if (*at >= 0x80)
                *at = '?';
    return clean;
}

static void write_attribute(xmlTextWriterPtr writer, const char *name, const char *value)
{
    xmlChar *clean = clean_text(value);
    xmlTextWriterWriteAttribute(writer, X(name), clean);
    xmlFree(clean);
}

static void write_outcome(xmlTextWriterPtr writer, const result *item)
{
    const bool broken = item->verdict == VERDICT_FAIL || item->verdict == VERDICT_XPASS;
    const bool skipped = item->verdict == VERDICT_SKIP || item->verdict == VERDICT_XFAIL;
    xmlChar *detail;
    if (item->verdict == VERDICT_PASS)
        return;
    xmlTextWriterStartElement(writer, X(broken ? "failure" : skipped ? "skipped" : "error"));
    write_attribute(writer, "message", item->text);
    if (!skipped) {
        write_attribute(writer, "type", item->violation[0] != '\0' ? item->violation : verdict_name(item->verdict));
        detail = clean_text(item->detail);
        xmlTextWriterWriteString(writer, detail);
        xmlFree(detail);
    }
    xmlTextWriterEndElement(writer);
}

static void write_case(xmlTextWriterPtr writer, const result *item)
{
    char name[512];
    snprintf(name, sizeof name, "%s %s", item->clause->id, item->clause->promise);
    xmlTextWriterStartElement(writer, X("testcase"));
    write_attribute(writer, "classname", item->driver);
    write_attribute(writer, "name", name);
    xmlTextWriterWriteFormatAttribute(writer, X("time"), "%.3f", item->seconds);
    write_outcome(writer, item);
    if (item->evidence != NULL || item->replay != NULL) {
        xmlChar *evidence = clean_text(item->evidence), *replay = clean_text(item->replay);
        xmlTextWriterWriteFormatElement(writer, X("system-out"), "evidence: %s\nreplay: %s\n", evidence, replay);
        xmlFree(evidence);
        xmlFree(replay);
    }
    xmlTextWriterEndElement(writer);
}

static bool is_first_of_driver(const result_list *list, size_t index)
{
    for (size_t i = 0; i < index; ++i)
        if (strcmp(list->items[i].driver, list->items[index].driver) == 0)
            return false;
    return true;
}

static void write_suite(xmlTextWriterPtr writer, const result_list *list, const char *driver)
{
    unsigned tests = 0, failures = 0, errors = 0, skipped = 0;
    for (size_t i = 0; i < list->count; ++i) {
        const verdict value = list->items[i].verdict;
        if (strcmp(list->items[i].driver, driver) != 0)
            continue;
        ++tests;
        failures += value == VERDICT_FAIL || value == VERDICT_XPASS;
        errors += value == VERDICT_ERROR || value == VERDICT_UNKNOWN;
        skipped += value == VERDICT_SKIP || value == VERDICT_XFAIL;
    }
    xmlTextWriterStartElement(writer, X("testsuite"));
    write_attribute(writer, "name", driver);
    xmlTextWriterWriteFormatAttribute(writer, X("tests"), "%u", tests);
    xmlTextWriterWriteFormatAttribute(writer, X("failures"), "%u", failures);
    xmlTextWriterWriteFormatAttribute(writer, X("errors"), "%u", errors);
    xmlTextWriterWriteFormatAttribute(writer, X("skipped"), "%u", skipped);
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
