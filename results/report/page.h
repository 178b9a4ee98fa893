/* An HTML page that is written from top to bottom. libxml2's writer escapes every text and attribute, so nothing from a
 * result file can become markup; only page_raw goes through as it is, for what is built into the program. Errors are
 * kept and come out at page_finish. */
#ifndef REPORT_PAGE_H
#define REPORT_PAGE_H

#include <libxml/xmlwriter.h>

struct page {
    xmlTextWriterPtr writer;
    xmlBufferPtr buffer;
    unsigned tables; /* so far: each has a number, by which its chart names it */
    int error;
};

int page_begin(struct page *page);

/* page_finish returns the whole page, owned by the caller, or NULL if memory ran out. Frees the rest. */
char *page_finish(struct page *page);

/* page_open opens an element with attributes, NAME, VALUE, …, NULL; an attribute whose value is NULL is left out.
 * page_close closes the last opened one; page_void is for elements that HTML does not close. */
void page_open(struct page *page, const char *element, ...) __attribute__((sentinel));
void page_close(struct page *page);
void page_void(struct page *page, const char *element, ...) __attribute__((sentinel));

void page_text(struct page *page, const char *text);
void page_textf(struct page *page, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* page_element is an element with a class (or NULL) and a text. */
void page_element(struct page *page, const char *element, const char *class, const char *text);

void page_raw(struct page *page, const char *text, size_t size);

#endif
