#include "page.h"

#include "../reader/clean.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* U+FFFD */
#define REPLACEMENT "\xef\xbf\xbd"

static void note(struct page *page, int result)
{
    if (result < 0)
        page->error = -ENOMEM;
}

int page_begin(struct page *page)
{
    *page = (struct page){0};
    page->buffer = xmlBufferCreate();
    page->writer = page->buffer ? xmlNewTextWriterMemory(page->buffer, 0) : NULL;
    if (page->writer)
        return 0;
    xmlBufferFree(page->buffer);
    return -ENOMEM;
}

char *page_finish(struct page *page)
{
    char *text = NULL;
    note(page, xmlTextWriterEndDocument(page->writer));
    xmlFreeTextWriter(page->writer);
    if (page->error == 0)
        text = strdup((const char *)xmlBufferContent(page->buffer));
    xmlBufferFree(page->buffer);
    return text;
}

/* A copy with U+FFFD for each byte that is not text. */
static char *cleaned(const char *text)
{
    char *out = malloc(strlen(text) * (sizeof REPLACEMENT - 1) + 1), *end = out;
    while (out && *text) {
        size_t length = results_character(text);
        if (length)
            end = mempcpy(end, text, length);
        else
            end = mempcpy(end, REPLACEMENT, sizeof REPLACEMENT - 1);
        text += length ? length : 1;
    }
    if (out)
        *end = '\0';
    return out;
}

static void attributes(struct page *page, va_list list)
{
    const char *name;
    while ((name = va_arg(list, const char *)) != NULL) {
        const char *value = va_arg(list, const char *);
        char *clean = value ? cleaned(value) : NULL;
        if (value)
            note(page, clean ? xmlTextWriterWriteAttribute(page->writer, BAD_CAST name, BAD_CAST clean) : -1);
        free(clean);
    }
}

void page_open(struct page *page, const char *element, ...)
{
    va_list list;
    note(page, xmlTextWriterStartElement(page->writer, BAD_CAST element));
    va_start(list, element);
    attributes(page, list);
    va_end(list);
}

void page_close(struct page *page)
{
    note(page, xmlTextWriterFullEndElement(page->writer));
}

void page_void(struct page *page, const char *element, ...)
{
    va_list list;
    note(page, xmlTextWriterStartElement(page->writer, BAD_CAST element));
    va_start(list, element);
    attributes(page, list);
    va_end(list);
    note(page, xmlTextWriterEndElement(page->writer));
}

void page_text(struct page *page, const char *text)
{
    char *clean = cleaned(text);
    note(page, clean ? xmlTextWriterWriteString(page->writer, BAD_CAST clean) : -1);
    free(clean);
}

void page_textf(struct page *page, const char *format, ...)
{
    char *text = NULL;
    va_list arguments;
    va_start(arguments, format);
    if (vasprintf(&text, format, arguments) < 0) {
        text = NULL;
        page->error = -ENOMEM;
    }
    va_end(arguments);
    if (text)
        page_text(page, text);
    free(text);
}

void page_element(struct page *page, const char *element, const char *class, const char *text)
{
    page_open(page, element, "class", class, NULL);
    page_text(page, text);
    page_close(page);
}

void page_raw(struct page *page, const char *text, size_t size)
{
    note(page, xmlTextWriterWriteRawLen(page->writer, BAD_CAST text, (int)size));
}
