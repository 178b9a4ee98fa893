#include "document.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "scratch.h"

#include <libxml/parser.h>
#include <string.h>

static void lay_out(struct document *document, size_t count)
{
    assert_int_equal(report_build(&document->report, document->runs, count, NULL), 0);
    document->text = report_html(&document->report);
    assert_non_null(document->text);
    document->html = htmlReadMemory(document->text, (int)strlen(document->text), NULL, "utf-8",
                                    HTML_PARSE_NOERROR | HTML_PARSE_NOWARNING | HTML_PARSE_NONET);
    assert_non_null(document->html);
    document->paths = xmlXPathNewContext(document->html);
    assert_non_null(document->paths);
}

void document_read(struct document *document, const char *first, const char *second)
{
    const char *const files[] = {first, second};
    char error[512] = "";
    size_t count = second ? 2 : 1;
    *document = (struct document){0};
    for (size_t i = 0; i < count; ++i)
        if (results_run_read(&document->runs[i], files[i], error, sizeof error) != 0)
            fail_msg("%s", error);
    lay_out(document, count);
}

void document_parse(struct document *document, const char *first, const char *second)
{
    const char *const texts[] = {first, second};
    char error[512] = "";
    size_t count = second ? 2 : 1;
    *document = (struct document){0};
    for (size_t i = 0; i < count; ++i)
        if (scratch_read(&document->runs[i], texts[i], error, sizeof error) != 0)
            fail_msg("%s", error);
    lay_out(document, count);
}

void document_free(struct document *document)
{
    xmlXPathFreeContext(document->paths);
    xmlFreeDoc(document->html);
    free(document->text);
    report_free(&document->report);
    results_run_free(&document->runs[0]);
    results_run_free(&document->runs[1]);
    xmlCleanupParser();
}

int document_count(const struct document *document, const char *format, ...)
{
    char path[512];
    va_list arguments;
    xmlXPathObjectPtr found;
    int number;
    va_start(arguments, format);
    vsnprintf(path, sizeof path, format, arguments);
    va_end(arguments);
    found = xmlXPathEvalExpression(BAD_CAST path, document->paths);
    assert_non_null(found);
    number = found->nodesetval ? found->nodesetval->nodeNr : 0;
    xmlXPathFreeObject(found);
    return number;
}
