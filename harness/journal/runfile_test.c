#include "cases.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ipcmark/runfile.h"

static const char *const plan[] = {"DEL-001", "DEL-002", "KILL-001"};
static char path[] = "/tmp/ipcmark-runfile-XXXXXX";

static struct ipcmark_run run_make(void)
{
    return (struct ipcmark_run){.kind = "conformance",
                                .contract_version = "0.1",
                                .command = "ipcmark conformance --driver fifo --seed 5",
                                .seed = 5,
                                .plan = plan,
                                .plan_count = 3,
                                .planned = 3};
}

static void path_make(void)
{
    int descriptor;
    snprintf(path, sizeof path, "/tmp/ipcmark-runfile-XXXXXX");
    descriptor = mkstemp(path);
    assert_true(descriptor >= 0);
    close(descriptor);
}

static cJSON *record_make(const char *clause)
{
    cJSON *record = cJSON_CreateObject();
    cJSON_AddStringToObject(record, "record", "case");
    cJSON_AddStringToObject(record, "clause", clause);
    return record;
}

static void record_append(struct ipcmark_runfile *runfile, const char *clause)
{
    cJSON *record = record_make(clause);
    assert_int_equal(ipcmark_runfile_append(runfile, record), 0);
    cJSON_Delete(record);
}

/* The file's lines as an array of objects. */
static cJSON *lines_parse(void)
{
    static char text[65536];
    FILE *file = fopen(path, "re");
    size_t size = fread(text, 1, sizeof text - 1, file);
    cJSON *lines = cJSON_CreateArray();
    char *rest = NULL;
    fclose(file);
    text[size] = '\0';
    assert_true(size > 0 && text[size - 1] == '\n');
    for (char *line = strtok_r(text, "\n", &rest); line != NULL; line = strtok_r(NULL, "\n", &rest)) {
        cJSON *object = cJSON_Parse(line);
        assert_true(cJSON_IsObject(object));
        cJSON_AddItemToArray(lines, object);
    }
    return lines;
}

static const char *text_of(const cJSON *lines, int index, const char *name)
{
    return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(cJSON_GetArrayItem(lines, index), name));
}

static double number_of(const cJSON *lines, int index, const char *name)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(cJSON_GetArrayItem(lines, index), name);
    assert_true(cJSON_IsNumber(item));
    return item->valuedouble;
}

static void a_whole_run(void **state)
{
    struct ipcmark_run run = run_make();
    struct ipcmark_runfile *runfile;
    cJSON *lines;
    (void)state;
    path_make();
    assert_int_equal(ipcmark_runfile_open(&runfile, path, &run), 0);
    record_append(runfile, "DEL-001");
    record_append(runfile, "DEL-002");
    assert_int_equal(ipcmark_runfile_close(runfile, 1, 0), 0);
    lines = lines_parse();
    assert_int_equal(cJSON_GetArraySize(lines), 4);
    assert_string_equal(text_of(lines, 0, "record"), "header");
    assert_string_equal(text_of(lines, 0, "kind"), "conformance");
    assert_string_equal(text_of(lines, 0, "manifest"), "6f5d21c9"); /* printf 'DEL-001\nDEL-002\nKILL-001\n' | crc32 */
    assert_int_equal(strlen(text_of(lines, 0, "run")), 16);
    assert_int_equal(strlen(text_of(lines, 0, "started")), 20);
    assert_true(number_of(lines, 0, "seed") == 5 && number_of(lines, 0, "planned") == 3);
    assert_string_equal(text_of(lines, 2, "clause"), "DEL-002");
    assert_string_equal(text_of(lines, 3, "record"), "footer");
    assert_true(number_of(lines, 3, "written") == 2 && number_of(lines, 3, "exit") == 1);
    cJSON_Delete(lines);
    unlink(path);
}

static void count_done(void *context, const cJSON *record)
{
    (void)record;
    ++*(int *)context;
}

/* A run that was cut off inside a line goes on where it was, under the same id. */
static void resume_after_a_cut(void **state)
{
    struct ipcmark_run run = run_make();
    struct ipcmark_runfile *runfile;
    int done = 0;
    char id[17];
    cJSON *lines;
    FILE *file;
    (void)state;
    path_make();
    assert_int_equal(ipcmark_runfile_open(&runfile, path, &run), 0);
    record_append(runfile, "DEL-001");
    memcpy(id, ipcmark_runfile_id(runfile), sizeof id);
    assert_int_equal(ipcmark_runfile_close(runfile, 0, 1), 0); /* interrupted: a footer, which is dropped on resume */
    assert_int_equal(ipcmark_runfile_resume(&runfile, path, &run, count_done, &done), 0);
    assert_int_equal(done, 1);
    assert_string_equal(ipcmark_runfile_id(runfile), id);
    record_append(runfile, "DEL-002");
    assert_int_equal(ipcmark_runfile_close(runfile, 0, 1), 0);
    file = fopen(path, "ae");
    fputs("{\"record\":\"ca", file);
    fclose(file);
    done = 0;
    assert_int_equal(ipcmark_runfile_resume(&runfile, path, &run, count_done, &done), 0);
    assert_int_equal(done, 2);
    record_append(runfile, "KILL-001");
    assert_int_equal(ipcmark_runfile_close(runfile, 0, 0), 0);
    lines = lines_parse();
    assert_int_equal(cJSON_GetArraySize(lines), 5);
    assert_true(number_of(lines, 4, "written") == 3);
    cJSON_Delete(lines);
    unlink(path);
}

static void resume_refuses_another_run(void **state)
{
    struct ipcmark_run run = run_make(), other;
    struct ipcmark_runfile *runfile;
    int done = 0;
    (void)state;
    path_make();
    assert_int_equal(ipcmark_runfile_resume(&runfile, path, &run, count_done, &done), -EBADMSG); /* empty */
    assert_int_equal(ipcmark_runfile_open(&runfile, path, &run), 0);
    assert_int_equal(ipcmark_runfile_close(runfile, 0, 1), 0);
    other = run, other.seed = 6;
    assert_int_equal(ipcmark_runfile_resume(&runfile, path, &other, count_done, &done), -EBADMSG);
    other = run, other.plan_count = 2;
    assert_int_equal(ipcmark_runfile_resume(&runfile, path, &other, count_done, &done), -EBADMSG);
    other = run, other.kind = "bench";
    assert_int_equal(ipcmark_runfile_resume(&runfile, path, &other, count_done, &done), -EBADMSG);
    unlink(path);
    assert_int_equal(ipcmark_runfile_resume(&runfile, path, &run, count_done, &done), -ENOENT);
}

static cJSON *drivers_make(const char *name, const char *digest)
{
    cJSON *drivers = cJSON_CreateArray(), *driver = cJSON_CreateObject();
    cJSON_AddStringToObject(driver, "name", name);
    cJSON_AddStringToObject(driver, "version", "1.0");
    if (digest == NULL)
        cJSON_AddNullToObject(driver, "digest");
    else
        cJSON_AddStringToObject(driver, "digest", digest);
    cJSON_AddItemToArray(drivers, driver);
    return drivers;
}

/* Says what differs between the run that wrote the header and the other one. */
static void differs(const cJSON *header, const struct ipcmark_run *other, const char *expected)
{
    char text[256] = "";
    assert_int_equal(ipcmark_run_same(header, other, text, sizeof text), -EBADMSG);
    assert_string_equal(text, expected);
}

static void what_differs_is_named(void **state)
{
    cJSON *drivers = drivers_make("base", "12345678"), *rebuilt = drivers_make("base", "9abcdef0"),
          *renamed = drivers_make("new", "12345678"), *unread = drivers_make("base", NULL), *none = cJSON_CreateArray();
    cJSON *more = cJSON_CreateObject(), *other_more = cJSON_CreateObject(), *header = NULL;
    struct ipcmark_run run = run_make(), other;
    struct ipcmark_runfile *runfile;
    char text[256] = "";
    (void)state;
    path_make();
    cJSON_AddStringToObject(more, "suite", "quick");
    cJSON_AddNullToObject(more, "pin");
    cJSON_AddStringToObject(other_more, "suite", "full");
    run.drivers = drivers;
    run.more = more;
    assert_int_equal(ipcmark_runfile_open(&runfile, path, &run), 0);
    assert_int_equal(ipcmark_runfile_close(runfile, 0, 1), 0);
    assert_int_equal(ipcmark_runfile_header(&header, path), 0);
    assert_int_equal(ipcmark_run_same(header, &run, text, sizeof text), 0);
    assert_string_equal(text, "");
    other = run, other.kind = "bench";
    differs(header, &other, "its kind is conformance, and this one's bench");
    other = run, other.seed = 6;
    differs(header, &other, "its seed is 5, and this one's 6");
    other = run, other.more = other_more;
    differs(header, &other, "its suite is quick, and this one's full");
    other = run, other.drivers = rebuilt;
    differs(header, &other, "its digest of driver base is 12345678, and this one's 9abcdef0");
    other = run, other.drivers = unread;
    differs(header, &other, "its digest of driver base is 12345678, and this one's unknown");
    other = run, other.drivers = renamed;
    differs(header, &other, "its driver 1 is base, and this one's new");
    other = run, other.drivers = none;
    differs(header, &other, "it has 1 drivers, and this one 0");
    other = run, other.plan_count = 2;
    differs(header, &other, "its manifest (of what was planned) is 6f5d21c9, and this one's 7d00703c");
    other = run, other.planned = 4;
    differs(header, &other, "its number of planned records is 3, and this one's 4");
    cJSON_ReplaceItemInObject(cJSON_GetObjectItem(header, "environment"), "commit", cJSON_CreateString("another"));
    assert_int_equal(ipcmark_run_same(header, &run, text, sizeof text), -EBADMSG);
    assert_non_null(strstr(text, "its commit is another, and this one's "));
    for (cJSON *all[] = {header, drivers, rebuilt, renamed, unread, none, more, other_more}, **item = all;
         item < all + sizeof all / sizeof all[0]; ++item)
        cJSON_Delete(*item);
    unlink(path);
}

/* A full disk is reported, at the append and again at the end. */
static void errors_are_reported(void **state)
{
    struct ipcmark_run run = run_make();
    struct ipcmark_runfile *runfile;
    (void)state;
    assert_int_equal(ipcmark_runfile_open(&runfile, "/nonexistent/file", &run), -ENOENT);
    assert_int_equal(ipcmark_runfile_open(&runfile, "/dev/full", &run), -ENOSPC);
    assert_int_equal(ipcmark_runfile_close(NULL, 0, 0), 0);
}

static void environment_has_its_fields_and_no_names(void **state)
{
    static const char *const names[] = {"cpu", "cpus",         "kernel", "os",       "virtualization", "governor",
                                        "smt", "memory_bytes", "load",   "compiler", "flags",          "commit"};
    char host[256];
    cJSON *environment = ipcmark_environment_capture();
    char *text = cJSON_PrintUnformatted(environment);
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; ++i)
        assert_non_null(cJSON_GetObjectItemCaseSensitive(environment, names[i]));
    assert_true(cJSON_GetObjectItemCaseSensitive(environment, "cpus")->valueint > 0);
    assert_non_null(cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(environment, "kernel")));
    assert_int_equal(gethostname(host, sizeof host), 0);
    assert_null(strstr(text, host));
    assert_null(strstr(text, "\"/"));
    assert_null(strstr(text, "/home"));
    cJSON_free(text);
    cJSON_Delete(environment);
}

static void the_header_can_be_asked_for_and_has_more(void **state)
{
    struct ipcmark_run run = run_make();
    struct ipcmark_runfile *runfile;
    cJSON *more = cJSON_CreateObject(), *header = NULL;
    FILE *file;
    (void)state;
    path_make();
    assert_int_equal(ipcmark_runfile_header(&header, path), -EBADMSG); /* empty */
    cJSON_AddStringToObject(more, "effort", "quick");
    run.more = more;
    assert_int_equal(ipcmark_runfile_open(&runfile, path, &run), 0);
    record_append(runfile, "DEL-001");
    assert_int_equal(ipcmark_runfile_close(runfile, 0, 0), 0);
    assert_int_equal(ipcmark_runfile_header(&header, path), 0);
    assert_string_equal(cJSON_GetStringValue(cJSON_GetObjectItem(header, "effort")), "quick");
    assert_string_equal(cJSON_GetStringValue(cJSON_GetObjectItem(header, "contract_version")), "0.1");
    cJSON_Delete(header);
    cJSON_Delete(more);
    file = fopen(path, "we");
    fputs("{\"record\":\"case\"}\n", file);
    fclose(file);
    assert_int_equal(ipcmark_runfile_header(&header, path), -EBADMSG);
    unlink(path);
    assert_int_equal(ipcmark_runfile_header(&header, path), -ENOENT);
}

/* Half a line would make the whole file unfit to be gone on with. */
static void what_is_not_written_whole_is_taken_back(void **state)
{
    const struct rlimit all = {RLIM_INFINITY, RLIM_INFINITY};
    const struct ipcmark_run run = run_make();
    struct ipcmark_runfile *runfile;
    struct stat status;
    cJSON *record = record_make("DEL-002");
    void (*before)(int) = signal(SIGXFSZ, SIG_IGN);
    int done = 0;
    (void)state;
    path_make();
    assert_int_equal(ipcmark_runfile_open(&runfile, path, &run), 0);
    record_append(runfile, "DEL-001");
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &(struct rlimit){(rlim_t)status.st_size + 9, RLIM_INFINITY}), 0);
    assert_int_equal(ipcmark_runfile_append(runfile, record), -EFBIG);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &all), 0);
    record_append(runfile, "KILL-001"); /* there is room again */
    assert_int_equal(ipcmark_runfile_close(runfile, 3, 0), -EFBIG);
    assert_int_equal(ipcmark_runfile_resume(&runfile, path, &run, count_done, &done), 0);
    assert_int_equal(done, 2);
    assert_int_equal(ipcmark_runfile_close(runfile, 0, 0), 0);
    signal(SIGXFSZ, before);
    cJSON_Delete(record);
    unlink(path);
}

CASES_MAIN(CASE(a_whole_run), CASE(the_header_can_be_asked_for_and_has_more), CASE(resume_after_a_cut),
           CASE(resume_refuses_another_run), CASE(what_differs_is_named), CASE(errors_are_reported),
           CASE(what_is_not_written_whole_is_taken_back), CASE(environment_has_its_fields_and_no_names))
