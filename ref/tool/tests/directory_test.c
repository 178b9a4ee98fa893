/* mmipc ls and mmipc clean: what they tell of the living, the suspended, the dead and of strangers. */
#include "cases.h"

#include "actor.h"
#include "run.h"
#include "wire.h"

#include <cjson/cJSON.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* timeout: in seconds, how long it waits for those that cannot answer. */
static cJSON *list_within(const char *timeout, const char *sample, const char *directory)
{
    struct run run;
    cJSON *json;
    assert_int_equal(RUN_WHOLE(&run, "ls", "--json", "--timeout", timeout, "--sample", sample, directory), 0);
    json = cJSON_Parse(run.output);
    assert_non_null(json);
    run_free(&run);
    return json;
}

static cJSON *list(const char *directory)
{
    return list_within("20", "0.02", directory);
}

static const cJSON *endpoint_of(const cJSON *list, int pid)
{
    const cJSON *endpoint;
    cJSON_ArrayForEach(endpoint, cJSON_GetObjectItem(list, "endpoints"))
    {
        if (cJSON_GetNumberValue(cJSON_GetObjectItem(endpoint, "pid")) == pid)
            return endpoint;
    }
    fail_msg("process %d is not listed", pid);
    return NULL;
}

static const char *text_of(const cJSON *json, const char *key)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItem(json, key));
    return text == NULL ? "null" : text;
}

static double number_of(const cJSON *json, const char *key)
{
    return cJSON_GetNumberValue(cJSON_GetObjectItem(json, key));
}

static void ls_tells_what_they_do(void **state)
{
    char *directory = test_directory();
    struct actor to = actor_start("subscriber", "c", directory, ""), from;
    const cJSON *publisher, *subscriber;
    cJSON *json;
    (void)state;
    from = actor_start("publisher", "c", directory, "ping=250");
    assert_int_equal(actor_ask(&to, "connected 1 10000"), 0);
    assert_int_equal(actor_ask(&from, "connected 1 10000"), 0);
    assert_int_equal(actor_ask(&to, "hold 1"), 0);
    assert_int_equal(actor_ask(&from, "publish 0 100 48"), 0);
    json = list(directory);
    publisher = endpoint_of(json, from.pid);
    subscriber = endpoint_of(json, to.pid);
    assert_string_equal(text_of(publisher, "role"), "publisher");
    assert_string_equal(text_of(publisher, "state"), "live");
    assert_string_equal(text_of(publisher, "channel"), "c");
    assert_int_equal(number_of(publisher, "messages"), 100);
    assert_int_equal(number_of(publisher, "bytes"), 4800);
    assert_int_equal(number_of(publisher, "connections"), 1);
    assert_int_equal(number_of(publisher, "pairs"), 1);
    assert_int_equal(number_of(publisher, "ping_interval_ms"), 250);
    assert_int_equal(number_of(publisher, "messages_per_second"), 0);
    assert_in_range((uintmax_t)number_of(publisher, "unread_bytes"), 4800, 100 * 64);
    assert_string_equal(text_of(subscriber, "state"), "live");
    assert_int_equal(number_of(subscriber, "messages"), 1); /* the one that is held */
    assert_int_equal(number_of(subscriber, "unread_bytes"), number_of(publisher, "unread_bytes"));
    assert_int_equal(number_of(subscriber, "pairs"), 1);
    assert_string_equal(text_of(cJSON_GetArrayItem(cJSON_GetObjectItem(publisher, "peers"), 0), "id"),
                        text_of(subscriber, "id"));
    cJSON_Delete(json);
    assert_int_equal(actor_ask(&to, "hold 0"), 0);
    assert_int_equal(actor_ask(&from, "flush 10000"), 0);
    json = list(directory);
    assert_int_equal(number_of(endpoint_of(json, from.pid), "unread_bytes"), 0);
    assert_int_equal(number_of(endpoint_of(json, to.pid), "messages"), 100);
    assert_int_equal(number_of(endpoint_of(json, to.pid), "bytes"), 4800);
    cJSON_Delete(json);
    actor_end(&from);
    actor_end(&to);
    assert_int_equal(test_directory_remove(directory), 0);
}

static void ls_shows_rates(void **state)
{
    char *directory = test_directory(), line[512];
    struct run to = RUN("sub", "c", directory), from = RUN("pub", "c", directory), watch;
    double rate = 0;
    (void)state;
    run_send(&from, "x\n", 2);
    run_read_line(to.out, line, sizeof line);
    watch = RUN("ls", "--json", "--watch", "--sample", "0.02", directory);
    while (!(rate > 0)) { /* each list follows a line: in the next list at the latest, one was between its two counts */
        char list[4096];
        cJSON *json;
        run_send(&from, "x\n", 2);
        run_read_line(to.out, line, sizeof line);
        run_read_line(watch.out, list, sizeof list);
        json = cJSON_Parse(list);
        assert_non_null(json);
        rate = number_of(endpoint_of(json, from.pid), "messages_per_second");
        cJSON_Delete(json);
    }
    kill(watch.pid, SIGINT);
    assert_int_equal(run_end(&watch), 128 + SIGINT);
    assert_int_equal(run_end(&from), 0);
    kill(to.pid, SIGINT);
    assert_int_equal(run_end(&to), 128 + SIGINT);
    run_free(&watch);
    run_free(&from);
    run_free(&to);
    assert_int_equal(test_directory_remove(directory), 0);
}

static void ls_shows_the_suspended(void **state)
{
    char *directory = test_directory();
    struct actor to = actor_start("subscriber", "c", directory, ""), from;
    cJSON *json;
    (void)state;
    from = actor_start("publisher", "c", directory, "");
    assert_int_equal(actor_ask(&from, "connected 1 10000"), 0);
    actor_stop(&to);
    assert_int_equal(actor_ask(&from, "publish 0 10 48"), 0);
    json = list_within("1", "0", directory);
    assert_string_equal(text_of(endpoint_of(json, to.pid), "state"), "suspended");
    assert_string_equal(text_of(endpoint_of(json, from.pid), "state"), "live");
    assert_true(cJSON_IsNull(cJSON_GetObjectItem(endpoint_of(json, to.pid), "messages")));
    assert_int_equal(number_of(endpoint_of(json, to.pid), "unread_bytes"), 640); /* its publisher knows */
    cJSON_Delete(json);
    actor_continue(&to);
    actor_stop(&from);
    json = list_within("1", "0", directory);
    assert_string_equal(text_of(endpoint_of(json, to.pid), "state"), "live");
    assert_string_equal(text_of(endpoint_of(json, from.pid), "state"), "suspended");
    cJSON_Delete(json);
    actor_continue(&from);
    assert_int_equal(actor_ask(&to, "expect 10"), 10); /* the asking has disturbed nothing */
    actor_end(&from);
    actor_end(&to);
    assert_int_equal(test_directory_remove(directory), 0);
}

/* A line for each endpoint, whatever its channel is called; nothing that a terminal would obey. */
static void odd_channels_and_long_paths(void **state)
{
    static const char channel[] = "a\nb\x1b[31m\xe9\xc2\x9b\"";
    char *directory = test_directory(), path[600];
    struct run to, run, from;
    cJSON *json;
    int lines = 0;
    (void)state;
    snprintf(path, sizeof path, "%s/%0200d", directory, 7);
    to = RUN("sub", "--count", "1", channel, path);
    from = RUN("pub", channel, path);
    run_send(&from, "x\n", 2);
    assert_int_equal(run_end(&to), 0); /* from here on the path is there */
    assert_int_equal(RUN_WHOLE(&run, "ls", "-s", "0", path), 0);
    assert_non_null(strstr(run.output, "a\\nb\\x1b[31m\\xe9\\xc2\\x9b\\\""));
    for (size_t i = 0; i < run.output_size; ++i) {
        lines += run.output[i] == '\n';
        assert_true(run.output[i] == '\n' || (run.output[i] >= ' ' && run.output[i] < 0x7f));
    }
    assert_int_equal(lines, 2);
    run_free(&run);
    json = list(path);
    assert_true(cJSON_IsNull(cJSON_GetObjectItem(endpoint_of(json, from.pid), "channel")));
    assert_string_equal(text_of(endpoint_of(json, from.pid), "channel_hex"), "610a621b5b33316de9c29b22");
    cJSON_Delete(json);
    assert_int_equal(run_end(&from), 0);
    run_free(&from);
    run_free(&to);
    assert_int_equal(rmdir(path), 0);
    assert_int_equal(test_directory_remove(directory), 0);
}

/* JSON allows what a terminal obeys, ls does not; and it is the same channel again when it is parsed. */
static void json_is_fit_for_a_terminal(void **state)
{
    static const char channel[] = "\xc3\xa9 \x1b[2J \x7f \xc2\x80\xc2\x9b\xc2\xa0 \xe2\x80\xae";
    char *directory = test_directory();
    struct actor publisher = actor_start("publisher", channel, directory, "");
    struct run run;
    cJSON *json;
    (void)state;
    assert_int_equal(RUN_WHOLE(&run, "ls", "--json", "-s", "0", directory), 0);
    assert_non_null(strstr(run.output, "\"\xc3\xa9 \\u001b[2J \\u007f \\u0080\\u009b\xc2\xa0 \\u202e\""));
    json = cJSON_Parse(run.output);
    assert_string_equal(text_of(endpoint_of(json, publisher.pid), "channel"), channel);
    cJSON_Delete(json);
    run_free(&run);
    actor_end(&publisher);
    assert_int_equal(test_directory_remove(directory), 0);
}

/* ---- the dead, and what is not ours ---- */

static void make(const char *directory, const char *name, const char *text)
{
    char path[512];
    int fd;
    snprintf(path, sizeof path, "%s/%s", directory, name);
    fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
}

static void make_socket(const char *directory, const char *name)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    assert_true((size_t)snprintf(address.sun_path, sizeof address.sun_path, "%s/%s", directory, name) <
                sizeof address.sun_path);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    close(fd);
}

static void clean_removes_what_the_dead_left(void **state)
{
    static const char orphan[] = "mmipc-000000000000000000000000000000aa.sock";
    char *directory = test_directory();
    struct actor dead = actor_start("subscriber", "d\033ead", directory, ""), alive;
    struct run run;
    cJSON *json;
    (void)state;
    actor_kill(&dead);
    make_socket(directory, orphan);
    json = list(directory);
    assert_string_equal(text_of(endpoint_of(json, dead.pid), "state"), "stale");
    assert_string_equal(cJSON_GetStringValue(cJSON_GetArrayItem(cJSON_GetObjectItem(json, "orphans"), 0)), orphan);
    cJSON_Delete(json);
    assert_int_equal(RUN_WHOLE(&run, "clean", "--dry-run", directory), 0);
    assert_non_null(strstr(run.output, "subscriber of channel \"d\\x1bead\""));
    assert_non_null(strstr(run.output, "2 to be removed, 0 living"));
    run_free(&run);
    assert_int_equal(test_directory_entries(directory), 3); /* neither has touched anything */
    assert_int_equal(RUN_WHOLE(&run, "clean", directory), 0);
    assert_non_null(strstr(run.output, "2 removed, 0 living"));
    run_free(&run);
    assert_int_equal(test_directory_entries(directory), 0);
    alive = actor_start("subscriber", "c", directory, "");
    assert_int_equal(RUN_WHOLE(&run, "clean", directory), 0);
    assert_string_equal(run.output, "0 removed, 1 living endpoint, 0 left alone\n");
    run_free(&run);
    assert_int_equal(test_directory_entries(directory), 2);
    actor_stop(&alive); /* stopped is not dead */
    assert_int_equal(RUN_WHOLE(&run, "clean", directory), 0);
    assert_string_equal(run.output, "0 removed, 1 living endpoint, 0 left alone\n");
    run_free(&run);
    actor_continue(&alive);
    actor_end(&alive);
    assert_int_equal(test_directory_remove(directory), 0);
}

static void strangers_stay(void **state)
{
    enum { STRANGERS = 6, OTHERS = 3 };
    char *directory = test_directory(), path[512], *nested = calloc(1, 2000);
    struct run run;
    cJSON *json;
    (void)state;
    memset(nested, '[', 1999);
    make(directory, "mmipc-00000000000000000000000000000001.json", "");
    make(directory, "mmipc-00000000000000000000000000000002.json", nested);
    make(directory, "mmipc-00000000000000000000000000000003.json", "{\"magic\":\"another\"}");
    snprintf(path, sizeof path, "%s/mmipc-00000000000000000000000000000004.json", directory);
    assert_int_equal(mkdir(path, 0700), 0);
    snprintf(path, sizeof path, "%s/mmipc-00000000000000000000000000000005.json", directory);
    assert_int_equal(mkfifo(path, 0600), 0);
    snprintf(path, sizeof path, "%s/mmipc-00000000000000000000000000000006.json", directory);
    assert_int_equal(symlink("/etc/passwd", path), 0);
    make_socket(directory, "mmipc-00000000000000000000000000000005.sock"); /* belongs to no file of ours */
    make(directory, "mmipc-00000000000000000000000000000007.sock", "no socket");
    make(directory, "somebody-elses.json", "{\"magic\":\"mmipc-slot\"}");
    json = list(directory);
    assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(json, "endpoints")), 0);
    assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(json, "strangers")), STRANGERS);
    assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(json, "orphans")), 0);
    cJSON_Delete(json);
    assert_int_equal(RUN_WHOLE(&run, "clean", directory), 0);
    assert_non_null(strstr(run.output, "0 removed, 0 living endpoints, 6 left alone\n"));
    run_free(&run);
    free(nested);
    assert_int_equal(test_directory_remove(directory), STRANGERS + OTHERS);
}

/* A file that is another user's, or as good as: its owner cannot read it. */
static void files_of_another_user_are_called_so(void **state)
{
    static const char why[] = "belongs to another user, who did not set MMIPC_ALLOW_OTHER_USERS";
    char *directory = test_directory(), path[512], line[600];
    struct actor to = actor_start("subscriber", "c", directory, "");
    struct run listed, as_json, cleaned;
    const cJSON *file;
    cJSON *json = list(directory);
    (void)state;
    snprintf(path, sizeof path, "%s/mmipc-%s.json", directory, text_of(endpoint_of(json, to.pid), "id"));
    cJSON_Delete(json);
    assert_int_equal(chmod(directory, 0755), 0);
    assert_int_equal(chmod(path, 0), 0);
    if (geteuid() == 0) {
        assert_int_equal(seteuid(61234), 0); /* root may all */
        if (faccessat(AT_FDCWD, MMIPC_TOOL, X_OK, AT_EACCESS) != 0 ||
            faccessat(AT_FDCWD, directory, X_OK, AT_EACCESS) != 0) {
            assert_int_equal(seteuid(0), 0);
            actor_end(&to);
            test_directory_remove(directory);
            CASES_SKIP("another user cannot come to the program or to the directory");
        }
    }
    RUN_WHOLE(&listed, "ls", "-s", "0", directory);
    RUN_WHOLE(&as_json, "ls", "-j", "-s", "0", directory);
    RUN_WHOLE(&cleaned, "clean", directory);
    if (getuid() == 0)
        assert_int_equal(seteuid(0), 0);
    snprintf(line, sizeof line, "cannot be looked at: %s: %s\n", strrchr(path, '/') + 1, why);
    assert_non_null(strstr(listed.output, line));
    json = cJSON_Parse(as_json.output);
    assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(json, "strangers")), 0);
    file = cJSON_GetArrayItem(cJSON_GetObjectItem(json, "unreadable"), 0);
    assert_string_equal(text_of(file, "name"), strrchr(path, '/') + 1);
    assert_string_equal(text_of(file, "error"), why);
    cJSON_Delete(json);
    snprintf(line, sizeof line, "left    %s: %s\n0 removed, 0 living endpoints, 1 left alone\n", strrchr(path, '/') + 1,
             why);
    assert_string_equal(cleaned.output, line);
    run_free(&listed);
    run_free(&as_json);
    run_free(&cleaned);
    actor_end(&to);
    assert_int_equal(test_directory_remove(directory), 0);
}

/* Callers that say nothing, say nonsense, or ask and do not listen: they are let go, and nobody else notices. */
static void rude_callers_disturb_nobody(void **state)
{
    enum { CALLERS = 30 };
    char *directory = test_directory(), path[512];
    struct actor to = actor_start("subscriber", "c", directory, "ping=20");
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct wire_message question;
    int callers[CALLERS];
    cJSON *json;
    (void)state;
    wire_prepare(&question, WIRE_STATUS);
    json = list(directory);
    snprintf(path, sizeof path, "%s/mmipc-%s.sock", directory, text_of(endpoint_of(json, to.pid), "id"));
    cJSON_Delete(json);
    assert_true(strlen(path) < sizeof address.sun_path);
    strcpy(address.sun_path, path);
    for (int i = 0; i < CALLERS; ++i) {
        callers[i] = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
        assert_int_equal(connect(callers[i], (struct sockaddr *)&address, sizeof address), 0);
        if (i % 3 == 1)
            assert_int_equal(send(callers[i], "nonsense", 8, MSG_NOSIGNAL), 8);
        if (i % 3 == 2)
            assert_int_equal(wire_send(callers[i], &question, NULL, 0), 0);
    }
    json = list(directory);
    assert_string_equal(text_of(endpoint_of(json, to.pid), "state"), "live");
    assert_int_equal(number_of(endpoint_of(json, to.pid), "pairs"), 0);
    cJSON_Delete(json);
    for (int i = 0; i < CALLERS; ++i) { /* two intervals later it has hung up on all of them */
        struct pollfd polled = {.fd = callers[i], .events = POLLRDHUP};
        struct wire_message answer = {0};
        assert_int_equal(poll(&polled, 1, 10000), 1);
        recv(callers[i], &answer, sizeof answer, MSG_DONTWAIT);
        assert_int_equal(answer.type == WIRE_STATUS, i % 3 == 2);
        close(callers[i]);
    }
    actor_end(&to);
    assert_int_equal(test_directory_remove(directory), 0);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {CASE(ls_tells_what_they_do),
                                       CASE(ls_shows_rates),
                                       CASE(ls_shows_the_suspended),
                                       CASE(odd_channels_and_long_paths),
                                       CASE(json_is_fit_for_a_terminal),
                                       CASE(clean_removes_what_the_dead_left),
                                       CASE(strangers_stay),
                                       CASE(files_of_another_user_are_called_so),
                                       CASE(rude_callers_disturb_nobody)};
    run_main(argc, argv);
    actor_main(argc, argv);
    return cases_main(tests, sizeof tests / sizeof tests[0], argc, argv);
}
