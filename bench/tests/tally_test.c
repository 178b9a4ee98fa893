/* Which cells are there, and which of them are errors: what a run's exit code, and going on with it, depend on. */
#include <cases.h>

#include <math.h>

#include <cjson/cJSON.h>

#include "../command/tally.h"

enum { BLOCKS = 3 };

static const char *const names[] = {"hot/fifo/64B/1x1", "lifecycle/fifo/64B/1x1"};
enum { HOT, LIFECYCLE, ROWS };

static struct plan plan;
static struct row rows[ROWS];
static struct tally tally;

static void open_tally(void)
{
    char text[256];

    plan = (struct plan){.rows = rows, .count = ROWS};
    for (size_t i = 0; i < ROWS; ++i)
        assert_int_equal(row_parse(&rows[i], names[i], text, sizeof text), 0);
    assert_int_equal(tally_open(&tally, &plan, BLOCKS), 0);
}

static const struct tally_cell *add(const char *text)
{
    cJSON *record = cJSON_Parse(text);
    const struct tally_cell *cell;

    assert_non_null(record);
    cell = tally_add(&tally, record);
    cJSON_Delete(record);
    return cell;
}

#define CELL(row, block, rest) "{\"record\":\"cell\",\"row\":\"" row "\",\"block\":" #block "," rest "}"
#define HOT_CELL(block, rest)  CELL("hot/fifo/64B/1x1", block, rest)

static void cells_are_counted_once(void **state)
{
    (void)state;
    open_tally();
    assert_int_equal(tally.planned, ROWS * BLOCKS);
    assert_true(add(HOT_CELL(1, "\"metrics\":{\"p50_ns\":70},\"error\":null"))->figure == 70);
    assert_null(add(HOT_CELL(1, "\"metrics\":{\"p50_ns\":80},\"error\":null")));
    assert_null(add(HOT_CELL(3, "\"metrics\":{\"p50_ns\":80},\"error\":null")));
    assert_null(add(HOT_CELL(-1, "\"metrics\":{\"p50_ns\":80},\"error\":null")));
    assert_null(add(CELL("hot/tcp/64B/1x1", 0, "\"metrics\":{\"p50_ns\":80},\"error\":null")));
    assert_null(add("{\"record\":\"session\",\"session\":1}"));
    assert_int_equal(tally.done, 1);
    assert_true(tally_has(&tally, HOT, 1) && !tally_has(&tally, HOT, 0) && !tally_has(&tally, LIFECYCLE, 1));
    tally_close(&tally);
}

static void one_failed_cell_fails_its_row(void **state)
{
    (void)state;
    open_tally();
    add(HOT_CELL(0, "\"metrics\":{\"p50_ns\":70},\"error\":null"));
    assert_string_equal(tally_find(&tally, names[HOT])->error, "");
    assert_true(isnan(add(HOT_CELL(1, "\"metrics\":{},\"error\":\"3 messages lost\""))->figure));
    add(HOT_CELL(2, "\"metrics\":{},\"error\":\"crashed\""));
    assert_string_equal(tally_find(&tally, names[HOT])->error, "3 messages lost");
    assert_true(isnan(add(CELL("lifecycle/fifo/64B/1x1", 0, "\"metrics\":{},\"error\":null"))->figure));
    assert_string_equal(tally_find(&tally, names[LIFECYCLE])->error, "the cell has no figure");
    tally_close(&tally);
}

static void what_cannot_be_measured_is_no_error(void **state)
{
    (void)state;
    open_tally();
    add(HOT_CELL(0, "\"metrics\":{},\"error\":null,\"not_applicable\":\"it tells of no peers\""));
    add(HOT_CELL(1, "\"metrics\":{},\"error\":null,\"not_applicable\":\"it tells of no peers\""));
    assert_string_equal(tally_find(&tally, names[HOT])->error, "");
    add(CELL(
        "lifecycle/fifo/64B/1x1", 1,
        "\"metrics\":{\"first_message_ns\":null},\"error\":null,\"unmeasured\":{\"first_message_ns\":\"not let\"}"));
    assert_string_equal(tally_find(&tally, names[LIFECYCLE])->error, "");
    add(CELL("lifecycle/fifo/64B/1x1", 2, "\"metrics\":{},\"error\":null,\"unmeasured\":{\"close_ns\":\"not let\"}"));
    assert_string_equal(tally_find(&tally, names[LIFECYCLE])->error, "the cell has no figure");
    tally_close(&tally);
}

static void what_applies_in_some_blocks_only_is_an_error(void **state)
{
    (void)state;
    open_tally();
    add(HOT_CELL(0, "\"metrics\":{\"p50_ns\":70},\"error\":null"));
    add(HOT_CELL(1, "\"metrics\":{},\"error\":null,\"not_applicable\":\"it stays awake\""));
    assert_string_equal(tally_find(&tally, names[HOT])->error, "it does not apply in some blocks, and does in others");
    tally_close(&tally);
}

CASES_MAIN(CASE(cells_are_counted_once), CASE(one_failed_cell_fails_its_row), CASE(what_cannot_be_measured_is_no_error),
           CASE(what_applies_in_some_blocks_only_is_an_error))
