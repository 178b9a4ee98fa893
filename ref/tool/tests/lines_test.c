/* mmipc pub and mmipc sub, against each other and against actors: what they print, and how they end. */
#include "cases.h"

#include "actor.h"
#include "run.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

/* ---- lines ---- */

static void lines_arrive(void **state)
{
    static const char text[] = "first\n\nwith \0 and \t\nlast";
    char *directory = test_directory();
    struct run to = RUN("sub", "--count", "4", "c", directory), from = RUN("pub", "c", directory);
    (void)state;
    run_send(&from, text, sizeof text - 1);
    assert_int_equal(run_end(&from), 0);
    assert_int_equal(run_end(&to), 0);
    assert_int_equal(to.output_size, sizeof text); /* the last line has got its end */
    assert_memory_equal(to.output, text, sizeof text - 1);
    assert_int_equal(to.output[sizeof text - 1], '\n');
    assert_int_equal(from.errors_size + from.output_size + to.errors_size, 0);
    run_free(&from);
    run_free(&to);
    assert_int_equal(test_directory_remove(directory), 0);
}

static void line_longer_than_any_buffer(void **state)
{
    enum { SIZE = 3000000 };
    char *directory = test_directory(), *text = malloc(SIZE);
    struct run to = RUN("sub", "--until-gone", "c", directory), from = RUN("pub", "c", directory);
    (void)state;
    for (size_t i = 0; i < SIZE; ++i)
        text[i] = (char)('a' + i * i % 23);
    text[SIZE / 100] = text[SIZE - 1] = '\n';
    run_send(&from, text, SIZE);
    assert_int_equal(run_end(&from), 0);
    assert_int_equal(run_end(&to), 0);
    assert_int_equal(to.output_size, SIZE);
    assert_memory_equal(to.output, text, SIZE);
    free(text);
    run_free(&from);
    run_free(&to);
    assert_int_equal(test_directory_remove(directory), 0);
}

static void parts_are_told_apart(void **state)
{
    static const struct {
        const char *option, *expected;
    } forms[] = {{"--count=3", "\nfirst\t\tthird part\n\n"},
                 {"--quoted", "\n\"first\" \"\" \"third part\"\n\"\"\n"},
                 {"--raw", "firstthird part"}};
    char *directory = test_directory();
    (void)state;
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; ++i) {
        struct run to = RUN("sub", "--count", "3", forms[i].option, "c", directory);
        struct actor from = actor_start("publisher", "c", directory, "");
        assert_int_equal(actor_ask(&from, "connected 1 10000"), 0);
        assert_int_equal(actor_ask(&from, "parts"), 0);
        assert_int_equal(run_end(&to), 0);
        assert_string_equal(to.output, forms[i].expected);
        run_free(&to);
        actor_end(&from);
    }
    assert_int_equal(test_directory_remove(directory), 0);
}

static void quoted_shows_any_byte(void **state)
{
    char *directory = test_directory();
    struct run to = RUN("sub", "-q", "-c", "1", "c", directory), from = RUN("pub", "c", directory);
    (void)state;
    run_send(&from, "\"\\\t\r\x1b[2J \xe9 \xc3\xa9 \xe2\x80\xae", 17);
    assert_int_equal(run_end(&from), 0);
    assert_int_equal(run_end(&to), 0);
    assert_string_equal(to.output, "\"\\\"\\\\\\t\\r\\x1b[2J \\xe9 \xc3\xa9 \\xe2\\x80\\xae\"\n");
    run_free(&from);
    run_free(&to);
    assert_int_equal(test_directory_remove(directory), 0);
}

static void counts_end_both(void **state)
{
    char *directory = test_directory(), line[16];
    struct run to = RUN("sub", "c", directory), from = RUN("pub", "--count", "2", "c", directory);
    (void)state;
    run_send(&from, "1\n2\n3\n4\n", 8);
    assert_int_equal(run_end(&from), 0);
    run_read_line(to.out, line, sizeof line);
    assert_string_equal(line, "1\n");
    run_read_line(to.out, line, sizeof line);
    assert_string_equal(line, "2\n");
    kill(to.pid, SIGINT);
    assert_int_equal(run_end(&to), 128 + SIGINT);
    assert_int_equal(to.output_size, 0);
    run_free(&from);
    run_free(&to);
    assert_int_equal(test_directory_remove(directory), 0);
}

static void until_gone_prints_what_a_killed_one_left(void **state)
{
    char *directory = test_directory(), line[16];
    struct run to = RUN("sub", "--until-gone", "c", directory), from = RUN("pub", "c", directory);
    (void)state;
    run_send(&from, "1\n2\n", 4);
    run_read_line(to.out, line, sizeof line);
    assert_string_equal(line, "1\n");
    kill(from.pid, SIGKILL);
    assert_int_equal(run_end(&to), 0);
    assert_true(to.output_size == 0 || strcmp(to.output, "2\n") == 0);
    assert_int_equal(run_end(&from), 1000 + SIGKILL);
    run_free(&from);
    run_free(&to);
    assert_int_equal(RUN_WHOLE(&from, "clean", directory), 0); /* it is locked until its last thread is gone */
    run_free(&from);
    assert_int_equal(test_directory_remove(directory), 0);
}

/* ---- how they end ---- */

static void signals_end_what_waits(void **state)
{
    char *directory = test_directory(), line[256];
    struct run to = RUN("sub", "c", directory), watch = RUN("ls", "--watch", "--sample", "0.05", directory), from;
    (void)state;
    run_read_line(watch.out, line, sizeof line); /* a second list follows a first: it is in its loop */
    kill(watch.pid, SIGTERM);
    assert_int_equal(run_end(&watch), 128 + SIGTERM);
    run_free(&watch);
    from = RUN("pub", "--wait", "2", "--verbose", "c", directory);
    run_read_line(from.err, line, sizeof line);
    assert_non_null(strstr(line, "connected"));
    kill(from.pid, SIGSTOP);
    kill(from.pid, SIGCONT); /* is not taken for an end */
    kill(from.pid, SIGINT);
    assert_int_equal(run_end(&from), 128 + SIGINT);
    run_free(&from);
    from = RUN("pub", "c", directory); /* waits for a line */
    run_send(&from, "x\n", 2);
    run_read_line(to.out, line, sizeof line);
    kill(from.pid, SIGHUP);
    assert_int_equal(run_end(&from), 128 + SIGHUP);
    run_free(&from);
    kill(to.pid, SIGTERM);
    assert_int_equal(run_end(&to), 128 + SIGTERM);
    run_free(&to);
    assert_int_equal(test_directory_remove(directory), 0);
}

/* Nobody reads the subscriber's output: it blocks there, and the publisher then blocks on it. A signal ends both. */
static void signals_end_what_is_stuck(void **state)
{
    enum { SIZE = 1 << 20 };
    char *directory = test_directory(), *text = malloc(SIZE);
    struct run to = RUN("sub", "c", directory), from = RUN("pub", "c", directory);
    struct pollfd readable = {.fd = to.out, .events = POLLIN}, errors;
    (void)state;
    memset(text, 'x', SIZE);
    memset(text + SIZE - 1, '\n', 1);
    run_send(&from, text, SIZE); /* more than the pipe holds */
    assert_int_equal(poll(&readable, 1, 10000), 1);
    kill(to.pid, SIGTERM);
    errors = (struct pollfd){.fd = to.err, .events = POLLIN};
    assert_int_equal(poll(&errors, 1, 10000), 1); /* its end of the pipe is closed, though we have read nothing */
    assert_true(errors.revents & POLLHUP);
    assert_int_equal(run_end(&to), 128 + SIGTERM);
    assert_true(to.output_size < SIZE);
    assert_int_equal(run_end(&from), 0);
    free(text);
    run_free(&from);
    run_free(&to);
    assert_int_equal(test_directory_remove(directory), 0);
}

enum { MANY = 1 << 20, LINE = 4096 };

static char *many_lines(void)
{
    char *text = malloc(MANY);
    memset(text, 'x', MANY);
    for (size_t i = LINE - 1; i < MANY; i += LINE)
        text[i] = '\n';
    return text;
}

static void feed_until_it_ends(const struct run *from)
{
    char *text = many_lines();
    while (write(from->in, text, MANY) >= 0)
        ;
    assert_int_equal(errno, EPIPE);
    free(text);
}

/* As it seems: it may only be slow, but what follows is the same then. */
static void feed_until_it_is_stuck(const struct run *from)
{
    struct pollfd polled = {.fd = from->in, .events = POLLOUT};
    char *text = many_lines();
    fcntl(from->in, F_SETFL, O_NONBLOCK);
    while (poll(&polled, 1, 1000) > 0)
        assert_true(write(from->in, text, MANY) >= 0 || errno == EAGAIN);
    free(text);
}

static void full_subscriber(void **state)
{
    char *directory = test_directory();
    struct actor to = actor_start("subscriber", "c", directory, "");
    struct run from;
    (void)state;
    signal(SIGPIPE, SIG_IGN);
    assert_int_equal(actor_ask(&to, "hold 1"), 0);
    from = RUN("pub", "--backlog", "4", "--timeout", "0.3", "c", directory);
    feed_until_it_ends(&from);
    assert_int_equal(run_end(&from), 2);
    assert_non_null(strstr(from.errors, "was not published"));
    run_free(&from);
    from = RUN("pub", "-b4", "--when-full", "fail", "c", directory);
    feed_until_it_ends(&from);
    assert_int_equal(run_end(&from), 1);
    assert_non_null(strstr(from.errors, "line "));
    run_free(&from);
    from = RUN("pub", "-b4", "c", directory);
    feed_until_it_is_stuck(&from);
    kill(from.pid, SIGINT);
    assert_int_equal(run_end(&from), 128 + SIGINT);
    run_free(&from);
    actor_kill(&to);
    from = RUN("clean", directory);
    assert_int_equal(run_end(&from), 0);
    run_free(&from);
    assert_int_equal(test_directory_remove(directory), 0);
}

static void closed_output(void **state)
{
    char *directory = test_directory(), line[16];
    struct run to = RUN("sub", "c", directory), watch = RUN("ls", "--watch", "--sample", "0.05", directory);
    struct run from = RUN("pub", "c", directory);
    (void)state;
    run_send(&from, "x\n", 2);
    run_read_line(to.out, line, sizeof line);
    close(to.out); /* noticed without anything to write */
    to.out = -1;
    assert_int_equal(run_end(&to), 128 + SIGPIPE);
    close(watch.out);
    watch.out = -1;
    assert_int_equal(run_end(&watch), 128 + SIGPIPE);
    assert_int_equal(run_end(&from), 0);
    run_free(&to);
    run_free(&watch);
    run_free(&from);
    assert_int_equal(test_directory_remove(directory), 0);
}

static void time_runs_out(void **state)
{
    char *directory = test_directory();
    struct run run;
    (void)state;
    assert_int_equal(RUN_WHOLE(&run, "sub", "--timeout", "0.05", "c", directory), 2);
    run_free(&run);
    assert_int_equal(RUN_WHOLE(&run, "pub", "--timeout", "0.05", "c", directory), 2);
    assert_non_null(strstr(run.errors, "0 of 1"));
    run_free(&run);
    assert_int_equal(RUN_WHOLE(&run, "pub", "--wait", "0", "c", directory), 0);
    run_free(&run);
    assert_int_equal(test_directory_remove(directory), 0);
}

static void usage(void **state)
{
    static const char *const misuses[][5] = {{NULL},
                                             {"nonsense"},
                                             {"ls"},
                                             {"ls", "a", "b"},
                                             {"ls", "--nonsense", "a"},
                                             {"ls", "--sample", "x", "a"},
                                             {"ls", "--watch", "--sample=0", "a"},
                                             {"pub", "c"},
                                             {"pub", "--wait", "-1", "c"},
                                             {"pub", "--when-full", "explode", "c"},
                                             {"pub", "--wait"},
                                             {"pub", "--backlog=0", "c", "d"},
                                             {"sub", "c"},
                                             {"sub", "--count", "1x", "c"},
                                             {"clean"}};
    static const char *const commands[] = {"ls", "pub", "sub", "clean"};
    struct run run;
    (void)state;
    for (size_t i = 0; i < sizeof misuses / sizeof misuses[0]; ++i) {
        run = run_start(misuses[i]);
        assert_int_equal(run_end(&run), 64);
        assert_non_null(strstr(run.errors, "--help"));
        assert_int_equal(run.output_size, 0);
        run_free(&run);
    }
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; ++i) {
        assert_int_equal(RUN_WHOLE(&run, commands[i], "--help"), 0);
        assert_non_null(strstr(run.output, "Exit codes:"));
        run_free(&run);
        assert_int_equal(RUN_WHOLE(&run, commands[i], "--help=no"), 64);
        run_free(&run);
    }
    assert_int_equal(RUN_WHOLE(&run, "ls", "/nowhere/at/all"), 1);
    assert_non_null(strstr(run.errors, "/nowhere/at/all"));
    run_free(&run);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {CASE(lines_arrive),           CASE(line_longer_than_any_buffer),
                                       CASE(parts_are_told_apart),   CASE(quoted_shows_any_byte),
                                       CASE(counts_end_both),        CASE(until_gone_prints_what_a_killed_one_left),
                                       CASE(signals_end_what_waits), CASE(signals_end_what_is_stuck),
                                       CASE(full_subscriber),        CASE(closed_output),
                                       CASE(time_runs_out),          CASE(usage)};
    run_main(argc, argv);
    actor_main(argc, argv);
    return cases_main(tests, sizeof tests / sizeof tests[0], argc, argv);
}
