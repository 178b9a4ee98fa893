#include <cases.h>

#include "../rows/row.h"

static void names_are_read(void **state)
{
    struct row row;
    char text[512];
    (void)state;
    assert_int_equal(row_parse(&row, "latency/mmipc?spin_us=-1/4KiB/1x1/r10000", text, sizeof text), 0);
    assert_int_equal(row.family, ROW_LATENCY);
    assert_string_equal(row.driver, "mmipc?spin_us=-1");
    assert_int_equal(row.size, 4096);
    assert_true(row.publishers == 1 && row.subscribers == 1 && row.rate == 10000);
    assert_int_equal(row_parse(&row, "fanout/my?dir=a/b/64KiB/1x4", text, sizeof text), 0);
    assert_string_equal(row.driver, "my?dir=a/b");
    assert_int_equal(row.subscribers, 4);
    assert_int_equal(row_parse(&row, "size/fifo/64MiB/1x1", text, sizeof text), 0);
    assert_true(row.family == ROW_SIZE && row.size == 64 << 20);
    assert_int_equal(row_parse(&row, "wakeup/fifo/64B/1x1", text, sizeof text), 0);
    assert_int_equal(row.family, ROW_WAKEUP);
    assert_int_equal(row_parse(&row, "limit/bare-ring/1MiB", text, sizeof text), 0);
    assert_true(row_is_limit(&row) && row.size == 1 << 20);
    assert_string_equal(row.driver, "limit");
    assert_int_equal(row_parse(&row, "limit/harness-latency/64B/r10000", text, sizeof text), 0);
    assert_true(row_is_limit(&row) && row.size == 64 && row.rate == 10000);
    assert_true(row.publishers == 1 && row.subscribers == 1);
    assert_int_equal(row_parse(&row, "limit/line", text, sizeof text), 0);
    assert_true(row_is_limit(&row) && row.size == 0);
}

static void what_is_no_row_is_refused_in_words(void **state)
{
    static const char *const names[] = {"",
                                        "hot",
                                        "hot/mmipc",
                                        "warm/mmipc/64B/1x1",
                                        "hot//64B/1x1",
                                        "hot/mmipc/64/1x1",
                                        "hot/mmipc/-64B/1x1",
                                        "hot/mmipc/99999999999999999999B/1x1",
                                        "hot/mmipc/4GiB/1x1",
                                        "hot/mmipc/64B/1x",
                                        "hot/mmipc/64B/0x1",
                                        "hot/mmipc/64B/1x1x1",
                                        "hot/mmipc/64B/1x2",
                                        "hot/mmipc/64B/1x1/r10000",
                                        "latency/mmipc/64B/1x1",
                                        "latency/mmipc/64B/1x1/r0",
                                        "latency/mmipc/64B/1x1/rfast",
                                        "limit/line/64B",
                                        "limit/bare-ring",
                                        "limit/bare-ring/64B/r10000",
                                        "limit/harness-latency/64B",
                                        "limit/speed"};
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; ++i) {
        struct row row = {.size = 12345};
        char text[512] = "";
        if (row_parse(&row, names[i], text, sizeof text) == 0)
            fail_msg("'%s' was taken for a row", names[i]);
        assert_non_null(strstr(text, "is not a row: "));
        assert_int_equal(row.size, 12345);
    }
}

static void label(const char *driver, const char *expected)
{
    char text[64];
    row_driver_label(text, sizeof text, driver);
    assert_string_equal(text, expected);
}

static void labels_hold_no_path(void **state)
{
    (void)state;
    label("mmipc", "mmipc");
    label("mmipc?spin_us=-1", "mmipc?spin_us=-1");
    label("/home/me/my.so", "my");
    label("./my.so?path=/tmp/x.so", "my?path=/tmp/x.so");
    label("base=/home/me/my.so?x=1", "base");
    label("base-1.0+x=mmipc?spin_us=-1", "base-1.0+x");
    label("./a=b/my.so", "my"); /* a path may have a '=' */
    label("=my", "=my");
}

static void names_stand_before_drivers(void **state)
{
    (void)state;
    assert_string_equal(row_driver_spec("mmipc?spin_us=-1"), "mmipc?spin_us=-1");
    assert_string_equal(row_driver_spec("spin=mmipc?spin_us=-1"), "mmipc?spin_us=-1");
    assert_string_equal(row_driver_spec("base=./a=b/my.so"), "./a=b/my.so");
    assert_string_equal(row_driver_spec("./a=b/my.so"), "./a=b/my.so");
    assert_string_equal(row_driver_spec("base="), "");
}

CASES_MAIN(CASE(names_are_read), CASE(what_is_no_row_is_refused_in_words), CASE(labels_hold_no_path),
           CASE(names_stand_before_drivers))
