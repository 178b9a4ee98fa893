#include "cases.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ipcmark/journal.h"

extern char **environ;
static char folder[32], path[64], problem[300];

static void path_make(void)
{
    snprintf(folder, sizeof folder, "/tmp/ipcmark-journal-XXXXXX");
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/1.0", folder);
}

static void path_remove(void)
{
    unlink(path);
    assert_int_equal(rmdir(folder), 0);
}

static struct ipcmark_record record_make(uint64_t sequence)
{
    return (struct ipcmark_record){.kind = IPCMARK_INVOKE,
                                   .endpoint = 7,
                                   .endpoint_epoch = 1,
                                   .thread = 2,
                                   .publisher = 7,
                                   .epoch = 1,
                                   .sequence = sequence,
                                   .size = 64,
                                   .digest = 0xABCD,
                                   .run = 5,
                                   .channel = 6,
                                   .parts = 1,
                                   .error = -3,
                                   .count = -1};
}

static struct ipcmark_journal *journal_write(uint64_t count)
{
    struct ipcmark_journal *journal;
    assert_int_equal(ipcmark_journal_open(&journal, path), 0);
    for (uint64_t i = 0; i < count; ++i) {
        struct ipcmark_record record = record_make(i);
        assert_int_equal(ipcmark_journal_append(journal, &record), 0);
    }
    return journal;
}

static void view_check(uint64_t count, int uncommitted)
{
    struct ipcmark_journal_view view;
    assert_int_equal(ipcmark_journal_read(&view, path, problem, sizeof problem), 0);
    assert_int_equal(view.count, count);
    assert_int_equal(view.uncommitted, uncommitted);
    for (uint64_t i = 0; i < count; ++i) {
        struct ipcmark_record wanted = record_make(i);
        assert_true(view.records[i].time_ns > 0 && view.records[i].time_ns <= ipcmark_now_ns());
        wanted.time_ns = view.records[i].time_ns;
        assert_memory_equal(&view.records[i], &wanted, sizeof wanted);
    }
    ipcmark_journal_view_free(&view);
}

/* Over several chunks, and then exactly to the end of one. */
static void written_and_read(void **state)
{
    static const uint64_t counts[] = {0, 1, 16383, 16384, 50000};
    struct stat status;
    (void)state;
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; ++i) {
        path_make();
        ipcmark_journal_close(journal_write(counts[i]));
        view_check(counts[i], 0);
        assert_int_equal(stat(path, &status), 0);
        assert_int_equal(status.st_size, 64 + 64 * counts[i]);
        path_remove();
    }
}

static void never_overwritten(void **state)
{
    struct ipcmark_journal *journal;
    (void)state;
    path_make();
    ipcmark_journal_close(journal_write(3));
    assert_int_equal(ipcmark_journal_open(&journal, path), -EEXIST);
    view_check(3, 0);
    path_remove();
    ipcmark_journal_close(NULL);
}

/* What was committed outlives SIGKILL; the reserved rest of the file is no record. The writer is started anew by exec,
 * as this program with an argument. */
static void outlives_its_writer(void **state)
{
    char self[4096];
    ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
    char *const arguments[] = {self, (char *)"--write-and-die", path, NULL};
    pid_t child;
    int status;
    (void)state;
    assert_true(length > 0);
    self[length] = '\0';
    path_make();
    assert_int_equal(posix_spawn(&child, self, NULL, NULL, arguments, environ), 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    view_check(20000, 0);
    path_remove();
}

/* Changes bytes of a journal that was closed. */
static void bytes_patch(long offset, const void *bytes, size_t size)
{
    int descriptor = open(path, O_WRONLY | O_CLOEXEC);
    assert_int_equal(pwrite(descriptor, bytes, size, offset), size);
    close(descriptor);
}

static void a_torn_tail_is_reported(void **state)
{
    struct ipcmark_record torn = record_make(3);
    (void)state;
    path_make();
    ipcmark_journal_close(journal_write(3));
    torn.time_ns = 9;
    bytes_patch(64 + 3 * 64, &torn, sizeof torn); /* commit is 0 */
    view_check(3, 1);
    path_remove();
}

static void damage_is_found(void **state)
{
    static const struct {
        long offset;
        const char *bytes;
        size_t size;
        const char *problem;
    } damages[] = {
        {0, "IPCMARKX", 8, "neither with IPCMARKJ"},
        {8, "\2", 1, "version 2"},
        {64 + 64, "\0\0\0\0", 4, "not committed, and something follows"},
        {64 + 64, "\1\2\3\4", 4, "commit word is wrong"},
        {64 + 64 + 8, "\77", 1, "kind 63"},
        {64 + 64 + 32, "\1\0\0\0\0\0\0\0", 8, "before that of an earlier one"},
        {64 + 64 + 32, "\0\0\0\0\0\0\0\0", 8, "before that of an earlier one"},
        {64 + 32, "\0\0\0\0\0\0\0\0", 8, "has no time"},
        {64 + 3 * 64, "\1", 1, "commit word is wrong"},
    };
    struct ipcmark_journal_view view;
    (void)state;
    for (size_t i = 0; i < sizeof damages / sizeof damages[0]; ++i) {
        path_make();
        ipcmark_journal_close(journal_write(3));
        bytes_patch(damages[i].offset, damages[i].bytes, damages[i].size);
        assert_int_equal(ipcmark_journal_read(&view, path, problem, sizeof problem), -EBADMSG);
        if (strstr(problem, damages[i].problem) == NULL)
            fail_msg("damage %zu: '%s' does not say '%s'", i, problem, damages[i].problem);
        path_remove();
    }
}

/* The time of a RECEIVED is that of the handler's entry, and may lie before what was written meanwhile. */
static void received_may_be_dated_back(void **state)
{
    struct ipcmark_record record = {.kind = IPCMARK_RECEIVED, .time_ns = 5};
    struct ipcmark_journal_view view;
    struct ipcmark_journal *journal;
    (void)state;
    path_make();
    journal = journal_write(1);
    assert_int_equal(ipcmark_journal_append(journal, &record), 0);
    ipcmark_journal_close(journal);
    assert_int_equal(ipcmark_journal_read(&view, path, problem, sizeof problem), 0);
    assert_int_equal(view.count, 2);
    assert_int_equal(view.records[1].time_ns, 5);
    ipcmark_journal_view_free(&view);
    path_remove();
}

static void text_write(const char *text)
{
    FILE *file = fopen(path, "we");
    fputs(text, file);
    fclose(file);
}

static void json_lines(void **state)
{
    struct ipcmark_journal_view view;
    (void)state;
    path_make();
    text_write("{\"kind\":\"open_invoke\",\"endpoint\":3,\"endpoint_epoch\":1,\"time_ns\":100}\n"
               "{\"kind\":\"received\",\"endpoint\":3,\"endpoint_epoch\":1,\"publisher\":7,\"epoch\":2,\"thread\":1,"
               "\"sequence\":4294967296,\"size\":64,\"digest\":4294967295,\"parts\":2,\"error\":-74,\"time_ns\":"
               "9007199254740991}\n"
               "{\"kind\":\"ok\",\"endp");
    assert_int_equal(ipcmark_journal_read(&view, path, problem, sizeof problem), 0);
    assert_int_equal(view.count, 2);
    assert_int_equal(view.uncommitted, 1);
    assert_int_equal(view.records[0].kind, IPCMARK_OPEN_INVOKE);
    assert_int_equal(view.records[1].kind, IPCMARK_RECEIVED);
    assert_true(view.records[1].sequence == 4294967296 && view.records[1].digest == UINT32_MAX);
    assert_true(view.records[1].time_ns == 9007199254740991);
    assert_int_equal(view.records[1].error, -74);
    ipcmark_journal_view_free(&view);
    path_remove();
}

#define OK "\"kind\":\"ok\",\"endpoint\":1,\"publisher\":1,\"sequence\":1"

static void bad_json_lines(void **state)
{
    static const char *const texts[][2] = {
        {"{\"kind\":\"open\",\"time_ns\":1}\n", "\"kind\""},
        {"{\"time_ns\":1}\n", "\"kind\""},
        {"{" OK ",\"time_ns\":1}\nnonsense\n", "line 2 is not a JSON object: nonsense"},
        {"{" OK ",\"time_ns\":1,\"thread\":65536}\n", "\"thread\""},
        {"{" OK ",\"time_ns\":1,\"epoch\":-1}\n", "\"epoch\""},
        {"{" OK ",\"time_ns\":1,\"size\":1.5}\n", "\"size\""},
        {"{" OK ",\"time_ns\":\"1\"}\n", "\"time_ns\""},
        {"{" OK ",\"time_ns\":0}\n", "no time"},
        {"{" OK ",\"time_ns\":2}\n{" OK ",\"time_ns\":1}\n", "before that of an earlier one"},
        {"{" OK ",\"time_ns\":1}{" OK ",\"time_ns\":2}\n", "something follows its JSON object"},
        {"{" OK "}\n", "\"time_ns\" is missing"},
        {"{\"kind\":\"ok\",\"time_ns\":1,\"endpoint\":1,\"publisher\":1}\n", "\"sequence\" is missing"},
        {"{\"kind\":\"received\",\"time_ns\":1,\"endpoint\":1,\"size\":64,\"digset\":1}\n", "\"digest\" is missing"},
        {"{\"kind\":\"open_done\",\"time_ns\":1}\n", "\"endpoint\" is missing"},
        {"{\"kind\":\"failed\",\"time_ns\":1,\"endpoint\":1,\"sequence\":1}\n", "\"publisher\" is missing"},
        {"{\"kind\":\"received\",\"time_ns\":1,\"endpoint\":1,\"digest\":1}\n", "\"size\" is missing"},
        {"{\"kind\":\"invoke\",\"time_ns\":1,\"endpoint\":1,\"publisher\":1,\"sequence\":1,\"size\":64,\"digest\":1}\n",
         "\"run\" is missing"},
        {"{\"kind\":\"peers\",\"time_ns\":1,\"endpoint\":1}\n", "\"count\" is missing"},
    };
    struct ipcmark_journal_view view;
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; ++i) {
        path_make();
        text_write(texts[i][0]);
        assert_int_equal(ipcmark_journal_read(&view, path, problem, sizeof problem), -EBADMSG);
        if (strstr(problem, texts[i][1]) == NULL)
            fail_msg("text %zu: '%s' does not say '%s'", i, problem, texts[i][1]);
        path_remove();
    }
}

static void too_large_a_journal(void **state)
{
    struct ipcmark_journal_view view;
    (void)state;
    path_make();
    text_write("{");
    assert_int_equal(truncate(path, (off_t)1 << 40), 0); /* sparse */
    assert_int_equal(ipcmark_journal_read(&view, path, problem, sizeof problem), -EBADMSG);
    assert_non_null(strstr(problem, "1099511627776 bytes; more than half"));
    path_remove();
}

static void what_is_no_journal(void **state)
{
    struct ipcmark_journal_view view;
    (void)state;
    path_make();
    assert_int_equal(ipcmark_journal_read(&view, path, problem, sizeof problem), -ENOENT);
    text_write("");
    view_check(0, 0); /* its writer died before it wrote anything */
    assert_int_equal(ipcmark_journal_read(&view, folder, problem, sizeof problem), -EBADMSG);
    unlink(path);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(ipcmark_journal_read(&view, path, problem, sizeof problem), -EBADMSG);
    path_remove();
}

/* No space: an error at the append, and what was there stays whole. */
static void full_is_an_error(void **state)
{
    struct rlimit old, low = {0};
    struct ipcmark_journal *journal;
    struct ipcmark_record record;
    int error = 0;
    (void)state;
    path_make();
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    low = old;
    low.rlim_cur = 1 << 20;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &low), 0);
    journal = journal_write(16383);
    record = record_make(16383);
    error = ipcmark_journal_append(journal, &record);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    assert_int_equal(error, -EFBIG);
    ipcmark_journal_close(journal);
    view_check(16383, 0);
    path_remove();
}

static void messages_and_peers(void **state)
{
    unsigned char bytes[64];
    const size_t sizes[] = {60, 4};
    struct ipcmark_payload header = {.run = 1, .channel = 2, .publisher = 3, .epoch = 4, .thread = 5, .sequence = 6};
    struct ipcmark_record record;
    ipcmark_part parts[2];
    uint32_t digest;
    char id[IPCMARK_ENDPOINT_ID_SIZE];
    (void)state;
    assert_int_equal(ipcmark_payload_fill(&header, 1, bytes, sizeof bytes, sizes, 2, parts, &digest), 0);
    memset(&record, 0xFF, sizeof record);
    ipcmark_record_message(&record, parts, 2);
    assert_true(record.run == 1 && record.channel == 2 && record.publisher == 3 && record.epoch == 4);
    assert_true(record.thread == 5 && record.sequence == 6 && record.parts == 2 && record.size == 64);
    assert_true(record.digest == digest && record.error == 0 && record.flags == 0);
    bytes[63] ^= 1;
    ipcmark_record_message(&record, parts, 2);
    assert_true(record.error == -EBADMSG && record.digest != digest);
    ipcmark_record_message(&record, parts + 1, 1);
    assert_true(record.flags == IPCMARK_UNFRAMED && record.error == 0 && record.publisher == IPCMARK_NO_ENDPOINT);

    ipcmark_endpoint_id(id, 65534, 65535);
    assert_string_equal(id, "65534.65535");
    ipcmark_record_peer(&record, id);
    assert_true(record.publisher == 65534 && record.epoch == 65535 && record.sequence == 0);
    ipcmark_record_peer(&record, "pid:123");
    assert_true(record.publisher == IPCMARK_NO_ENDPOINT && record.sequence == 123);
    static const char *const strangers[] = {"", "7", "7.", "7.1x", "65535.1", "7.65536", "pid:", "pid:-4", "pid:12 "};
    for (size_t i = 0; i < sizeof strangers / sizeof strangers[0]; ++i) {
        ipcmark_record_peer(&record, strangers[i]);
        assert_true(record.publisher == IPCMARK_NO_ENDPOINT && record.epoch == 0 && record.sequence == 0);
    }
    ipcmark_record_peer(&record, NULL);
    assert_true(record.publisher == IPCMARK_NO_ENDPOINT && record.sequence == 0);
}

static void kinds_have_names(void **state)
{
    (void)state;
    for (int kind = 1; kind < IPCMARK_KINDS; ++kind)
        assert_int_equal(ipcmark_kind_parse(ipcmark_kind_text(kind)), kind);
    assert_null(ipcmark_kind_text(0));
    assert_null(ipcmark_kind_text(IPCMARK_KINDS));
    assert_int_equal(ipcmark_kind_parse("nothing"), -EINVAL);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {CASE(written_and_read),    CASE(never_overwritten),
                                       CASE(outlives_its_writer), CASE(a_torn_tail_is_reported),
                                       CASE(damage_is_found),     CASE(received_may_be_dated_back),
                                       CASE(json_lines),          CASE(bad_json_lines),
                                       CASE(too_large_a_journal), CASE(what_is_no_journal),
                                       CASE(full_is_an_error),    CASE(messages_and_peers),
                                       CASE(kinds_have_names)};
    if (argc == 3 && strcmp(argv[1], "--write-and-die") == 0) {
        snprintf(path, sizeof path, "%s", argv[2]);
        journal_write(20000);
        raise(SIGKILL);
    }
    return cases_main(tests, sizeof tests / sizeof tests[0], argc, argv);
}
