/* The time left: by the rule first, then by what was measured. */
#include "cases.h"
#include "progress.h"

#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

static bool is_near(double value, double wanted)
{
    return value > wanted * 0.95 && value < wanted * 1.05;
}

static void the_rule_until_something_was_measured(void **state)
{
    const progress_kind kinds[] = {{.usual = 2, .planned = 3}, {.usual = 10, .planned = 1}};
    (void)state;
    assert_true(is_near(progress_left(kinds, 2), 16));
}

static void a_slow_machine_is_learnt_about(void **state)
{
    const progress_kind kinds[] = {{.usual = 100, .measured = 400, .planned = 1, .ended = 1},
                                   {.usual = 100, .planned = 1}};
    (void)state;
    assert_true(progress_left(kinds, 2) > 350 && progress_left(kinds, 2) < 400);
}

static void what_was_measured_of_a_kind_counts_for_it(void **state)
{
    const progress_kind kinds[] = {{.usual = 1, .measured = 60, .planned = 20, .ended = 2}};
    (void)state;
    assert_true(is_near(progress_left(kinds, 1), 18 * 30));
}

static void nothing_is_left_at_the_end(void **state)
{
    const progress_kind kinds[] = {{.usual = 1, .measured = 3, .planned = 1, .ended = 1},
                                   {.usual = 0, .planned = 5}}; /* skipped */
    char text[64];
    (void)state;
    assert_true(progress_left(kinds, 2) == 0);
    assert_string_equal(progress_text(0, text, sizeof text), "");
}

static void the_words_have_a_fitting_unit(void **state)
{
    char text[64];
    (void)state;
    assert_string_equal(progress_text(42, text, sizeof text), "about 42 s left");
    assert_string_equal(progress_text(600, text, sizeof text), "about 10 min left");
    assert_string_equal(progress_text(9000, text, sizeof text), "about 2.5 h left");
}

/* What standard error is for a while; the one before is returned. */
static int redirect(int to)
{
    const int before = dup(STDERR_FILENO);
    assert_true(before >= 0 && dup2(to, STDERR_FILENO) >= 0);
    return before;
}

static void restore(int before)
{
    assert_true(dup2(before, STDERR_FILENO) >= 0);
    close(before);
}

/* What a terminal shows of a case until `until` is there, or for 20 s. */
static void watch(const char *head, const char *tail, const char *until, char *shown, size_t size)
{
    const struct winsize wide = {.ws_row = 24, .ws_col = 400};
    const int master = posix_openpt(O_RDWR | O_NOCTTY);
    size_t length = 0;
    assert_true(master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0);
    const int slave = open(ptsname(master), O_RDWR | O_NOCTTY), before = redirect(slave);
    assert_int_equal(ioctl(slave, TIOCSWINSZ, &wide), 0);
    progress_begin(head, tail);
    shown[0] = '\0';
    while (strstr(shown, until) == NULL) {
        struct pollfd readable = {.fd = master, .events = POLLIN};
        if (poll(&readable, 1, 20000) != 1)
            break;
        const ssize_t step = read(master, shown + length, size - 1 - length);
        if (step <= 0)
            break;
        shown[length += (size_t)step] = '\0';
    }
    progress_end();
    restore(before);
    close(slave);
    close(master);
}

static void a_terminal_sees_the_seconds_go_by(void **state)
{
    char shown[4096];
    (void)state;
    watch("[1/2] it DEL-001", "about 3 s left", "  2 s  about 3 s left", shown, sizeof shown);
    assert_non_null(strstr(shown, "[1/2] it DEL-001  about 3 s left"));
    assert_non_null(strstr(shown, "[1/2] it DEL-001  1 s  about 3 s left"));
    assert_non_null(strstr(shown, "[1/2] it DEL-001  2 s  about 3 s left"));
}

/* A driver's name may be a path: what is behind it is there, too. */
static void a_long_head_is_shown_whole(void **state)
{
    char head[300], shown[4096];
    (void)state;
    memset(head, 'x', sizeof head);
    memcpy(head + sizeof head - 8, "DEL-001", 8);
    watch(head, "about 3 s left", "  1 s  about 3 s left", shown, sizeof shown);
    assert_non_null(strstr(shown, "DEL-001  1 s  about 3 s left"));
}

static void a_pipe_sees_nothing(void **state)
{
    int ends[2];
    char byte;
    (void)state;
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    const int before = redirect(ends[1]);
    progress_begin("[1/2] it DEL-001", "about 3 s left");
    progress_end();
    restore(before);
    close(ends[1]);
    assert_int_equal(read(ends[0], &byte, 1), 0);
    close(ends[0]);
}

CASES_MAIN(CASE(the_rule_until_something_was_measured), CASE(a_slow_machine_is_learnt_about),
           CASE(what_was_measured_of_a_kind_counts_for_it), CASE(nothing_is_left_at_the_end),
           CASE(the_words_have_a_fitting_unit), CASE(a_terminal_sees_the_seconds_go_by),
           CASE(a_long_head_is_shown_whole), CASE(a_pipe_sees_nothing))
