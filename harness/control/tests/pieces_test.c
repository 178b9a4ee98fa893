/* The parts of the coordinator that need no process: lines, names, trees, the watchdog. */
#include "cases.h"

#include "../line.h"
#include "../tree.h"
#include "../watchdog.h"

#include "ipcmark/control.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct collected {
    char text[256];
    int stop_at, count;
};

static int collect(void *context, char *line, size_t length)
{
    struct collected *collected = context;
    assert_int_equal(length, strlen(line));
    strcat(collected->text, line);
    strcat(collected->text, "|");
    return ++collected->count == collected->stop_at ? -EPROTO : 0;
}

static void lines_survive_any_cut(void **state)
{
    static const char stream[] = "one\n\nthree is longer\nrest";
    (void)state;
    for (size_t cut = 0; cut < sizeof stream - 1; ++cut) {
        struct line_reader reader = {0};
        struct collected collected = {0};
        assert_int_equal(line_feed(&reader, stream, cut, collect, &collected), 0);
        assert_int_equal(line_feed(&reader, stream + cut, sizeof stream - 1 - cut, collect, &collected), 0);
        assert_string_equal(collected.text, "one||three is longer|");
        line_free(&reader);
    }
}

static void a_line_has_a_greatest_length(void **state)
{
    struct line_reader reader = {0};
    struct collected collected = {0};
    char block[4096];
    size_t fed = 0;
    int error = 0;
    (void)state;
    memset(block, 'x', sizeof block);
    for (; error == 0 && fed < 4 * (size_t)LINE_MAX_BYTES; fed += sizeof block)
        error = line_feed(&reader, block, sizeof block, collect, &collected);
    assert_int_equal(error, -EMSGSIZE);
    assert_true(fed <= LINE_MAX_BYTES + sizeof block);
    line_free(&reader);
}

static void a_line_can_stop_the_reading(void **state)
{
    struct line_reader reader = {0};
    struct collected collected = {.stop_at = 2};
    (void)state;
    assert_int_equal(line_feed(&reader, "a\nb\nc\n", 6, collect, &collected), -EPROTO);
    assert_string_equal(collected.text, "a|b|");
    line_free(&reader);
}

static void only_text_is_printed(void **state)
{
    static const char *const shown[][2] = {
        {"plain\n\ttext", "plain\n\ttext"},
        {"\xC3\xA4 \xE2\x82\xAC \xF0\x9F\x98\x80", "\xC3\xA4 \xE2\x82\xAC \xF0\x9F\x98\x80"},
        {"\x1B[31mred\x07", "?[31mred?"},
        {"\xFFlong\xFE", "?long?"},
        {"\xC0\x80", "??"}, /* not the shortest form */
        {"\xED\xA0\x80!", "?"
                          "?"
                          "?!"}, /* half of a pair */
        {"cut \xE2\x82", "cut "},
    };
    (void)state;
    for (size_t i = 0; i < sizeof shown / sizeof shown[0]; ++i) {
        char text[64];
        strcpy(text, shown[i][0]);
        line_make_printable(text);
        assert_string_equal(text, shown[i][1]);
        assert_true(line_is_text(text, strlen(text)));
    }
    assert_false(line_is_text("\xFF", 1));
    assert_false(line_is_text("a\0b", 3));
    assert_false(line_is_text("\xE2\x82", 2));
    assert_true(line_is_text("\xE2\x82\xAC", 3));
}

static void capabilities_have_names(void **state)
{
    uint64_t all = 0;
    (void)state;
    for (unsigned i = 0; ipcmark_capability_name(i) != NULL; ++i)
        all |= ipcmark_capability_bit(ipcmark_capability_name(i));
    assert_int_equal(all, 2 * (uint64_t)IPCMARK_CAP_WHEN_FULL_DROP_REPORTED - 1);
    assert_int_equal(ipcmark_capability_bit("ping"), IPCMARK_CAP_PING);
    assert_int_equal(ipcmark_capability_bit("pings"), 0);
}

static void touch(const char *directory, const char *name)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", directory, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "x", 1), 1);
    close(fd);
}

static void count(void *context, const char *relative)
{
    assert_non_null(strchr("lda", relative[strlen(relative) - 1]));
    ++*(int *)context;
}

static void trees_go_and_links_stay(void **state)
{
    char outside[] = "/tmp/ipcmark-tree-XXXXXX", inside[64], path[128];
    struct stat status;
    int files = 0;
    (void)state;
    assert_non_null(mkdtemp(outside));
    touch(outside, "kept");
    snprintf(inside, sizeof inside, "%s/tree", outside);
    snprintf(path, sizeof path, "%s/sub", inside);
    assert_int_equal(mkdir(inside, 0700) | mkdir(path, 0700), 0);
    touch(path, "a");
    assert_int_equal(chmod(path, 0), 0); /* as a case may have left it */
    snprintf(path, sizeof path, "%s/l", inside);
    assert_int_equal(symlink(outside, path), 0);
    assert_int_equal(tree_list(inside, count, &files), 0);
    assert_int_equal(files, 2);
    assert_int_equal(tree_remove(inside), 0);
    assert_int_equal(stat(inside, &status), -1);
    snprintf(path, sizeof path, "%s/kept", outside);
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(tree_remove(outside), 0);
    assert_int_equal(tree_remove(outside), 0);
}

/* It could not be told from one that still cleans up; nobody waits for ever. */
static void a_guard_that_does_not_end_is_killed(void **state)
{
    struct watchdog watchdog;
    (void)state;
    assert_int_equal(watchdog_open(&watchdog, IPCMARK_TEST_STUBBORN, "/nowhere", 1), 0);
    assert_string_equal(watchdog.directory, "/nowhere/at-all");
    assert_true(watchdog.patience_ms >= 10000);
    watchdog.patience_ms = 50;
    assert_int_equal(watchdog_close(&watchdog), -ETIMEDOUT);
    assert_int_equal(watchdog_close(&watchdog), 0);
}

CASES_MAIN(CASE(lines_survive_any_cut), CASE(a_line_has_a_greatest_length), CASE(a_line_can_stop_the_reading),
           CASE(only_text_is_printed), CASE(capabilities_have_names), CASE(trees_go_and_links_stay),
           CASE(a_guard_that_does_not_end_is_killed))
