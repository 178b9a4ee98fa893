#include "row.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum kind { DRIVER, TARGET, LIMIT };
enum shape {
    SIZE = 1,        /* its rows name one; those of drivers and targets all do */
    RATE = 2,        /* they end in one */
    SUBSCRIBERS = 4, /* there may be several */
    PUBLISHERS = 8,  /* likewise */
    IN_PROCESS = 16  /* measured in the program itself */
};

/* All that there is to know of a family, but for how it is measured (rows/bench.c). */
static const struct {
    const char *name; /* the first word of its rows, of a limit the second */
    enum kind kind;
    unsigned shape;
    const char *metric;
} families[ROW_FAMILIES] = {
    [ROW_LATENCY] = {"latency", DRIVER, SIZE | RATE, "p50_ns"},
    [ROW_ROUNDTRIP] = {"roundtrip", DRIVER, SIZE, "p50_ns"},
    [ROW_HOT] = {"hot", DRIVER, SIZE, "p50_ns"},
    [ROW_WAKEUP] = {"wakeup", DRIVER, SIZE, "p50_ns"},
    [ROW_THROUGHPUT] = {"throughput", DRIVER, SIZE, "messages_per_second"},
    [ROW_SIZE] = {"size", DRIVER, SIZE, "messages_per_second"},
    [ROW_FANOUT] = {"fanout", DRIVER, SIZE | SUBSCRIBERS, "messages_per_second"},
    [ROW_FANIN] = {"fanin", DRIVER, SIZE | PUBLISHERS, "messages_per_second"},
    [ROW_MESH] = {"mesh", DRIVER, SIZE | PUBLISHERS | SUBSCRIBERS, "messages_per_second"},
    [ROW_COST] = {"cost", DRIVER, SIZE, "cpu_seconds_per_million"},
    [ROW_LIFECYCLE] = {"lifecycle", DRIVER, SIZE, "first_message_ns"},
    [ROW_TARGET_HOT] = {"target-hot", TARGET, SIZE, "p50_ns"},
    [ROW_TARGET_WAKEUP] = {"target-wakeup", TARGET, SIZE, "p50_ns"},
    [ROW_TARGET_STREAM] = {"target-stream", TARGET, SIZE, "messages_per_second"},
    [ROW_TARGET_FANOUT] = {"target-fanout", TARGET, SIZE | SUBSCRIBERS, "publisher_cpu_ns"},
    [ROW_TARGET_IDLE] = {"target-idle", TARGET, SIZE, "cpu_share"},
    [ROW_TARGET_PAIRS] = {"target-pairs", TARGET, SIZE | SUBSCRIBERS, "bytes_per_pair"},
    [ROW_TARGET_ATTACH] = {"target-attach", TARGET, SIZE, "max_ns"}, /* one cell has too few for a percentile */
    [ROW_TARGET_DEATH] = {"target-death", TARGET, SIZE, "max_ns"},
    [ROW_LIMIT_LINE] = {"line", LIMIT, IN_PROCESS, "p50_ns"},
    [ROW_LIMIT_RING] = {"bare-ring", LIMIT, SIZE, "messages_per_second"},
    [ROW_LIMIT_RING_HOT] = {"bare-ring-hot", LIMIT, SIZE, "p50_ns"},
    [ROW_LIMIT_HARNESS] = {"harness", LIMIT, SIZE, "messages_per_second"},
    [ROW_LIMIT_HARNESS_HOT] = {"harness-hot", LIMIT, SIZE, "p50_ns"},
    [ROW_LIMIT_HARNESS_LATENCY] = {"harness-latency", LIMIT, SIZE | RATE, "p50_ns"},
    [ROW_LIMIT_HARNESS_COST] = {"harness-cost", LIMIT, SIZE, "cpu_seconds_per_million"},
    [ROW_LIMIT_MEMCPY] = {"memcpy", LIMIT, SIZE | IN_PROCESS, "bytes_per_second"},
    [ROW_LIMIT_FUTEX] = {"futex", LIMIT, SIZE, "p50_ns"},
    [ROW_LIMIT_PIPE] = {"pipe", LIMIT, SIZE, "p50_ns"},
    [ROW_LIMIT_UNIX] = {"unix", LIMIT, SIZE, "p50_ns"},
};

/* ROW_FAMILIES: there is none of that name. */
static enum row_family find(const char *name, bool limit)
{
    enum row_family family = 0;
    while (family < ROW_FAMILIES &&
           ((families[family].kind == LIMIT) != limit || strcmp(families[family].name, name) != 0))
        ++family;
    return family;
}

static bool has(const struct row *row, enum shape shape)
{
    return (families[row->family].shape & shape) != 0;
}

static int complain(char *text, size_t text_size, const char *name, const char *what)
{
    snprintf(text, text_size,
             "'%s' is not a row: %s; rows look like hot/mmipc/64B/1x1, latency/fifo/64B/1x1/r10000 or limit/line", name,
             what);
    return -EINVAL;
}

static bool parse_size(const char *word, size_t *size)
{
    static const struct {
        const char *suffix;
        unsigned shift;
    } units[] = {{"B", 0}, {"KiB", 10}, {"MiB", 20}};
    char *end;
    unsigned long value;

    if (*word < '1' || *word > '9')
        return false;
    value = strtoul(word, &end, 10);
    for (size_t i = 0; i < sizeof units / sizeof units[0]; ++i)
        if (strcmp(end, units[i].suffix) == 0 && value <= (1ul << 30) >> units[i].shift) {
            *size = (size_t)value << units[i].shift;
            return true;
        }
    return false;
}

static bool parse_topology(const char *word, unsigned *publishers, unsigned *subscribers)
{
    int used = 0;
    return sscanf(word, "%3ux%3u%n", publishers, subscribers, &used) == 2 && word[used] == '\0' && *publishers > 0 &&
           *subscribers > 0;
}

static bool parse_rate(const char *word, double *rate)
{
    char *end;
    if (word[0] != 'r' || word[1] < '1' || word[1] > '9')
        return false;
    *rate = strtod(word + 1, &end);
    return *end == '\0' && *rate <= 1e9;
}

/* Takes the last word off, in place; NULL if there is only one. */
static char *split_last(char *words)
{
    char *slash = strrchr(words, '/');
    if (slash == NULL)
        return NULL;
    *slash = '\0';
    return slash + 1;
}

/* Ends the first word, in place, and returns what is behind it; NULL: nothing is. */
static char *split_first(char *words)
{
    char *slash = words == NULL ? NULL : strchr(words, '/');
    if (slash == NULL)
        return NULL;
    *slash = '\0';
    return slash + 1;
}

static int parse_limit(struct row *row, char *words, char *text, size_t text_size)
{
    char *size = split_first(words), *rate = split_first(size);

    snprintf(row->driver, sizeof row->driver, "limit");
    row->family = find(words, true);
    if (row->family == ROW_FAMILIES)
        return complain(text, text_size, row->name,
                        "the limits are line, bare-ring, bare-ring-hot, memcpy, harness, harness-hot, harness-latency, "
                        "harness-cost, futex, pipe and unix");
    if (has(row, SIZE) ? size == NULL || !parse_size(size, &row->size) : size != NULL)
        return complain(text, text_size, row->name,
                        has(row, SIZE) ? "a size, as in 64B, is missing" : "it has no size");
    if (has(row, RATE) ? rate == NULL || !parse_rate(rate, &row->rate) : rate != NULL)
        return complain(text, text_size, row->name,
                        has(row, RATE) ? "a rate, as in r10000, is missing" : "it has no rate");
    if (row_uses_processes(row))
        row->publishers = row->subscribers = 1;
    return 0;
}

static int parse_scenario(struct row *row, char *words, char *text, size_t text_size)
{
    char *word = split_last(words);

    if (word != NULL && parse_rate(word, &row->rate))
        word = split_last(words);
    if (word == NULL || !parse_topology(word, &row->publishers, &row->subscribers))
        return complain(text, text_size, row->name, "publishers and subscribers, as in 1x4, are missing");
    word = split_last(words);
    if (word == NULL || !parse_size(word, &row->size))
        return complain(text, text_size, row->name, "a size, as in 64B, 4KiB or 1MiB, is missing");
    if (words[0] == '\0')
        return complain(text, text_size, row->name, "the driver is missing");
    if (has(row, RATE) != (row->rate > 0))
        return complain(text, text_size, row->name, "latency rows, and only those, end in a rate, as in r10000");
    if (row->publishers != 1 && !has(row, PUBLISHERS))
        return complain(text, text_size, row->name, "but for fanin and mesh there is one publisher");
    if (row->subscribers != 1 && !has(row, SUBSCRIBERS))
        return complain(text, text_size, row->name, "but for fanout and mesh there is one subscriber");
    snprintf(row->driver, sizeof row->driver, "%s", words);
    return 0;
}

int row_parse(struct row *out, const char *name, char *text, size_t text_size)
{
    struct row row = {0};
    char words[ROW_NAME_BYTES];
    char *rest;
    int result = -EINVAL;

    if (strlen(name) >= sizeof words)
        return complain(text, text_size, name, "it is too long");
    snprintf(row.name, sizeof row.name, "%s", name);
    snprintf(words, sizeof words, "%s", name);
    rest = strchr(words, '/');
    if (rest == NULL)
        return complain(text, text_size, name, "it has no '/'");
    *rest++ = '\0';
    if (strcmp(words, "limit") == 0) {
        result = parse_limit(&row, rest, text, text_size);
        goto out;
    }
    row.family = find(words, false);
    if (row.family < ROW_FAMILIES) {
        result = parse_scenario(&row, rest, text, text_size);
        goto out;
    }
    return complain(text, text_size, name,
                    "the families are latency, roundtrip, hot, wakeup, throughput, size, fanout, fanin, mesh, cost, "
                    "lifecycle, limit and target-…");
out:
    if (result == 0)
        *out = row;
    return result;
}

const char *row_family_name(enum row_family family)
{
    return families[family].kind == LIMIT ? "limit" : families[family].name;
}

const char *row_metric(const struct row *row)
{
    return families[row->family].metric;
}

bool row_is_pinned(const struct row *row)
{
    return (row->publishers <= 1 && row->subscribers <= 1) || row_is_target(row);
}

bool row_uses_processes(const struct row *row)
{
    return !has(row, IN_PROCESS);
}

bool row_is_target(const struct row *row)
{
    return families[row->family].kind == TARGET;
}

bool row_is_limit(const struct row *row)
{
    return families[row->family].kind == LIMIT;
}

/* What a name may be made of; no driver's own name, path or parameters get as far as a '=' with these alone. */
static const char name_letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.+-";

const char *row_driver_spec(const char *driver)
{
    size_t length = strspn(driver, name_letters);
    return length > 0 && driver[length] == '=' ? driver + length + 1 : driver;
}

void row_driver_label(char *label, size_t label_size, const char *driver)
{
    const char *spec = row_driver_spec(driver), *params = strchr(driver, '?');
    size_t length = params == NULL ? strlen(driver) : (size_t)(params - driver);
    size_t start = length;

    if (spec != driver) {
        snprintf(label, label_size, "%.*s", (int)(spec - 1 - driver), driver);
        return;
    }
    while (start > 0 && driver[start - 1] != '/')
        --start;
    if (length - start > 3 && strncmp(driver + length - 3, ".so", 3) == 0)
        length -= 3;
    snprintf(label, label_size, "%.*s%s", (int)(length - start), driver + start, params == NULL ? "" : params);
}
