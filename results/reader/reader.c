/* Reads a result file line by line; each line is checked for what the rest of results/ relies on. */
#include "clean.h"
#include "results.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FORMAT 1

struct reader {
    struct results_run *run;
    size_t line;
    char *error;
    size_t error_size;
};

static int wrong(struct reader *reader, const char *format, ...) __attribute__((format(printf, 2, 3)));
static int wrong(struct reader *reader, const char *format, ...)
{
    int length = snprintf(reader->error, reader->error_size, "%s:%zu: ", reader->run->file, reader->line);
    va_list arguments;
    va_start(arguments, format);
    if (length >= 0 && (size_t)length < reader->error_size)
        vsnprintf(reader->error + length, reader->error_size - (size_t)length, format, arguments);
    va_end(arguments);
    return -EINVAL;
}

const char *results_string(const cJSON *object, const char *name)
{
    return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, name));
}

double results_number(const cJSON *object, const char *name)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);
    return cJSON_IsNumber(item) ? item->valuedouble : NAN;
}

const cJSON *results_object(const cJSON *object, const char *name)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);
    return cJSON_IsObject(item) ? item : NULL;
}

const char *results_header(const struct results_run *run, const char *name)
{
    const char *text = results_string(run->header, name);
    return text ? text : "";
}

double results_planned(const struct results_run *run)
{
    double planned = results_number(run->header, "planned");
    for (size_t i = 0; i < run->record_count; ++i) {
        const char *record = results_string(run->records[i], "record");
        if (record != NULL && strcmp(record, "resumed") == 0)
            planned = results_number(run->records[i], "planned");
    }
    return planned;
}

const cJSON *results_driver(const struct results_run *run, const char *name)
{
    const cJSON *driver;
    cJSON_ArrayForEach(driver, cJSON_GetObjectItemCaseSensitive(run->header, "drivers"))
    {
        const char *own = results_string(driver, "name");
        if (own && strcmp(own, name) == 0)
            return driver;
    }
    return NULL;
}

static int take_header(struct reader *reader, const cJSON *json)
{
    const char *kind = results_string(json, "kind");
    double format = results_number(json, "format");
    if (reader->run->header)
        return wrong(reader, "a second header; give each run a file of its own");
    if (format != FORMAT)
        return wrong(reader, "format %g, but this ipcmark reads format %d; use the ipcmark that wrote the file", format,
                     FORMAT);
    if (kind == NULL || (strcmp(kind, "conformance") != 0 && strcmp(kind, "bench") != 0))
        return wrong(reader, "a file of kind \"%.20s\"; give one that ipcmark conformance or ipcmark bench wrote",
                     kind ? kind : "");
    reader->run->header = json;
    return 0;
}

static bool is_verdict(const char *text)
{
    static const char *const verdicts[] = {"pass", "fail", "unknown", "skip", "xfail", "xpass", "error"};
    for (size_t i = 0; text && i < sizeof verdicts / sizeof verdicts[0]; ++i)
        if (strcmp(text, verdicts[i]) == 0)
            return true;
    return false;
}

static int take_case(struct reader *reader, const cJSON *json)
{
    struct results_case *grown = reallocarray(reader->run->cases, reader->run->case_count + 1, sizeof *grown);
    struct results_case item = {
        .driver = results_string(json, "driver"),
        .clause = results_string(json, "clause"),
        .level = results_string(json, "level"),
        .title = results_string(json, "title"),
        .verdict = results_string(json, "verdict"),
        .class = results_string(json, "class"),
        .text = results_string(json, "text"),
        .evidence = results_string(json, "evidence"),
        .seed = cJSON_GetObjectItemCaseSensitive(json, "seed"),
        .seconds = results_number(json, "seconds"),
        .must = results_number(json, "must"),
        .received = results_number(json, "received"),
    };
    if (grown == NULL)
        return -ENOMEM;
    reader->run->cases = grown;
    if (item.driver == NULL || item.clause == NULL)
        return wrong(reader, "a case without \"driver\" or \"clause\"; see FORMAT.md, or remove the line");
    if (!is_verdict(item.verdict))
        return wrong(reader, "case %s of %s has no valid \"verdict\"; see FORMAT.md, or remove the line", item.clause,
                     item.driver);
    grown[reader->run->case_count++] = item;
    return 0;
}

static int take_named(struct results_cell *cell, const cJSON *histograms)
{
    const cJSON *item;
    int error = 0;
    if (!cJSON_IsObject(histograms))
        return 0;
    cell->named = calloc((size_t)cJSON_GetArraySize(histograms) + 1, sizeof *cell->named);
    if (cell->named == NULL)
        return -ENOMEM;
    cJSON_ArrayForEach(item, histograms)
    {
        error = error ? error : results_histogram_read(&cell->named[cell->named_count].histogram, item);
        cell->named[cell->named_count++].name = item->string;
    }
    return error;
}

static int take_cell(struct reader *reader, const cJSON *json)
{
    struct results_cell *grown = reallocarray(reader->run->cells, reader->run->cell_count + 1, sizeof *grown);
    double block = results_number(json, "block");
    struct results_cell cell = {
        .row = results_string(json, "row"),
        .family = results_string(json, "family"),
        .driver = results_string(json, "driver"),
        .placement = results_string(json, "placement"),
        .error = results_string(json, "error"),
        .fault = results_string(json, "fault"),
        .not_applicable = results_string(json, "not_applicable"),
        .limit_of = cJSON_GetObjectItemCaseSensitive(json, "limit_of"),
        .limit_kind = results_string(json, "limit_kind"),
        .unmeasured = results_object(json, "unmeasured"),
        .size = results_number(json, "size"),
        .publishers = results_number(json, "publishers"),
        .subscribers = results_number(json, "subscribers"),
        .rate = results_number(json, "rate"),
        .line_before_ns = results_number(json, "line_before_ns"),
        .line_after_ns = results_number(json, "line_after_ns"),
        .steal_ns = results_number(json, "steal_ns"),
        .context_switches = results_number(json, "context_switches"),
        .metrics = results_object(json, "metrics"),
    };
    int error;
    if (grown == NULL)
        return -ENOMEM;
    reader->run->cells = grown;
    if (cell.row == NULL || cell.family == NULL || cell.driver == NULL)
        return wrong(reader, "a cell without \"row\", \"family\" or \"driver\"; see FORMAT.md, or remove the line");
    if (!(block >= 0 && block < 1e9))
        return wrong(reader, "cell %s has no \"block\"; see FORMAT.md, or remove the line", cell.row);
    cell.block = (int)block;
    error = results_histogram_read(&cell.histogram, cJSON_GetObjectItemCaseSensitive(json, "histogram"));
    if (error == 0)
        error =
            results_histogram_read(&cell.uncorrected, cJSON_GetObjectItemCaseSensitive(json, "histogram_uncorrected"));
    if (error == 0)
        error = take_named(&cell, cJSON_GetObjectItemCaseSensitive(json, "histograms"));
    /* Counted before the check, so that results_run_free finds the histogram. */
    grown[reader->run->cell_count++] = cell;
    return error == -EINVAL ? wrong(reader,
                                    "cell %s has a histogram that is not a list of [value, count] in rising "
                                    "order; see FORMAT.md, or remove the line",
                                    cell.row)
                            : error;
}

/* One record when it begins, and one of the same number when it ends, which counts if it is there. */
static int take_session(struct reader *reader, const cJSON *json)
{
    struct results_run *run = reader->run;
    struct results_session *grown = reallocarray(run->sessions, run->session_count + 1, sizeof *grown);
    double number = results_number(json, "session");
    size_t at = 0;
    if (grown == NULL)
        return -ENOMEM;
    run->sessions = grown;
    if (!(number >= 1 && number < 1e9))
        return wrong(reader, "a session without its number \"session\"; see FORMAT.md, or remove the line");
    while (at < run->session_count && grown[at].number != (int)number)
        ++at;
    grown[at] = (struct results_session){.number = (int)number,
                                         .started = results_string(json, "started"),
                                         .finished = results_string(json, "finished"),
                                         .load = results_number(json, "load"),
                                         .seconds = results_number(json, "seconds"),
                                         .steal_ns = results_number(json, "steal_ns")};
    run->session_count += at == run->session_count ? 1 : 0;
    return 0;
}

static int take_record(struct reader *reader, const cJSON *json)
{
    const char *record = results_string(json, "record");
    if (record == NULL)
        return wrong(reader, "not a record of a result file; is this a file that ipcmark wrote?");
    if (strcmp(record, "header") == 0)
        return take_header(reader, json);
    if (reader->run->header == NULL)
        return wrong(reader, "a %.20s before the header; is the beginning of the file missing?", record);
    if (strcmp(record, "case") == 0)
        return take_case(reader, json);
    if (strcmp(record, "cell") == 0)
        return take_cell(reader, json);
    if (strcmp(record, "session") == 0)
        return take_session(reader, json);
    if (strcmp(record, "footer") == 0)
        reader->run->footer = json;
    return 0; /* kinds of records that are not known yet are skipped */
}

static int take_line(struct reader *reader, const char *text, size_t length)
{
    struct results_run *run = reader->run;
    cJSON *json = NULL;
    ++reader->line;
    if (strspn(text, " \t\r\n") == length)
        return 0;
    if (run->record_count == run->record_capacity) {
        size_t capacity = run->record_capacity * 2 + 64;
        cJSON **grown = reallocarray(run->records, capacity, sizeof *grown);
        if (grown == NULL)
            return -ENOMEM;
        run->records = grown;
        run->record_capacity = capacity;
    }
    json = cJSON_ParseWithLengthOpts(text, length + 1, NULL, true); /* nothing but white space behind it */
    if (json == NULL && text[length - 1] != '\n') {
        run->torn = true;
        return 0;
    }
    if (json == NULL)
        return wrong(reader, "not JSON, so the file was damaged or changed; without this line the rest can be read");
    results_clean(json);
    run->records[run->record_count++] = json;
    return take_record(reader, json);
}

int results_run_read(struct results_run *run, const char *file, char *error, size_t error_size)
{
    struct reader reader = {.run = run, .error = error, .error_size = error_size};
    FILE *stream = strcmp(file, "-") == 0 ? stdin : fopen(file, "re");
    char *text = NULL;
    size_t capacity = 0;
    ssize_t length;
    int result = 0;

    *run = (struct results_run){.file = file};
    if (stream == NULL) {
        result = -errno;
        snprintf(error, error_size, "%s: %s", file, strerror(errno));
        return result;
    }
    while (result == 0 && (length = getline(&text, &capacity, stream)) > 0)
        result = take_line(&reader, text, (size_t)length);
    if (result == 0 && ferror(stream)) {
        result = errno ? -errno : -EIO;
        snprintf(error, error_size, "%s: cannot be read: %s", file, strerror(-result));
    } else if (result == 0 && run->header == NULL) {
        result = -EINVAL;
        snprintf(error, error_size, "%s: %s; did the run that should have written it fail? Measure again", file,
                 run->torn ? "cut off within its first line" : "empty");
    } else if (result == -ENOMEM) {
        snprintf(error, error_size, "%s: not enough memory", file);
    }
    free(text);
    if (stream != stdin)
        fclose(stream);
    if (result)
        results_run_free(run);
    return result;
}

void results_run_free(struct results_run *run)
{
    for (size_t i = 0; i < run->cell_count; ++i) {
        results_histogram_free(&run->cells[i].histogram);
        results_histogram_free(&run->cells[i].uncorrected);
        for (size_t n = 0; n < run->cells[i].named_count; ++n)
            results_histogram_free(&run->cells[i].named[n].histogram);
        free(run->cells[i].named);
    }
    for (size_t i = 0; i < run->record_count; ++i)
        cJSON_Delete(run->records[i]);
    free(run->cells);
    free(run->cases);
    free(run->sessions);
    free(run->records);
    *run = (struct results_run){0};
}
