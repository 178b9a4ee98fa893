#include "cases.h"

#include "report/format.h"
#include "report/page.h"

#include <math.h>
#include <stdlib.h>

static void assert_page(struct page *page, const char *expected)
{
    char *text = page_finish(page);
    assert_non_null(text);
    text[strcspn(text, "\n")] = '\0'; /* the writer ends a document with one */
    assert_string_equal(text, expected);
    free(text);
}

static void text_and_attributes_cannot_become_markup(void **state)
{
    struct page page;
    (void)state;
    assert_int_equal(page_begin(&page), 0);
    page_open(&page, "p", "title", "\"><script>'&", "class", NULL, NULL);
    page_text(&page, "</p><script>&amp;");
    page_close(&page);
    assert_page(&page, "<p title=\"&quot;&gt;&lt;script&gt;'&amp;\">&lt;/p&gt;&lt;script&gt;&amp;amp;</p>");
}

static void bytes_that_are_no_text_are_replaced(void **state)
{
#define FOUR  "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"
#define EIGHT FOUR FOUR
    struct page page;
    (void)state;
    assert_int_equal(page_begin(&page), 0);
    page_element(&page, "p", NULL, "a\xff\x01z\xc3\xa9\xc3\xed\xa0\x80");
    page_element(&page, "p", NULL, "\xbf\xbf\xc2\x9b\xe0\x81\x81\x7fx");
    assert_page(&page, "<p>a\xef\xbf\xbd\xef\xbf\xbdz\xc3\xa9\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd</p>"
                       "<p>" EIGHT "x</p>");
}

static void elements_are_closed_as_html_wants(void **state)
{
    struct page page;
    (void)state;
    assert_int_equal(page_begin(&page), 0);
    page_open(&page, "div", NULL);
    page_void(&page, "meta", "charset", "utf-8", NULL);
    page_open(&page, "script", NULL);
    page_close(&page);
    page_close(&page);
    assert_page(&page, "<div><meta charset=\"utf-8\"/><script></script></div>");
}

static void figures_have_three_digits_and_a_unit(void **state)
{
    (void)state;
    assert_string_equal(format_duration(312).text, "312\u202fns");
    assert_string_equal(format_duration(4213).text, "4.21\u202fµs");
    assert_string_equal(format_duration(999.7).text, "1.00\u202fµs");
    assert_string_equal(format_duration(2.5e9).text, "2.50\u202fs");
    assert_string_equal(format_duration(NAN).text, "–");
    assert_string_equal(format_count(12500).text, "12,500");
    assert_string_equal(format_count(3412345).text, "3.41\u202fM");
    assert_string_equal(format_size(65536).text, "64\u202fKiB");
    assert_string_equal(format_size(1000).text, "1000\u202fB");
    assert_string_equal(format_bandwidth(3.214e9).text, "3.21\u202fGB/s");
    assert_string_equal(format_ratio(3.44).text, "3.44\u202f×");
    assert_string_equal(format_percentile(0.9999).text, "99.99\u202f%");
    assert_string_equal(format_metric("messages_per_second", 1e6).text, "1.00\u202fM/s");
    assert_string_equal(format_metric("p50_ns", 1500).text, "1.50\u202fµs");
    assert_string_equal(format_metric("bytes_per_second", 1e9).text, "1.00\u202fGB/s");
    assert_string_equal(format_metric("bytes_per_second", NAN).text, "–");
    assert_string_equal(format_metric("cpu_seconds_per_million", 0.25).text, "250\u202fms");
    assert_string_equal(format_metric("bytes_per_pair", 131072).text, "128\u202fKiB");
    assert_string_equal(format_metric_name("messages_per_second").text, "messages/s");
}

CASES_MAIN(CASE(text_and_attributes_cannot_become_markup), CASE(bytes_that_are_no_text_are_replaced),
           CASE(elements_are_closed_as_html_wants), CASE(figures_have_three_digits_and_a_unit))
