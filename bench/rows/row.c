#include "row.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const family_names[] = {
    "latency",       "roundtrip",     "hot",         "throughput",   "fanout",        "target-hot",  "target-wakeup",
    "target-stream", "target-fanout", "target-idle", "target-pairs", "target-attach", "target-death"};
static const struct {
    const char *name;
    enum row_family family;
    bool has_size;
} limits[] = {{"line", ROW_LIMIT_LINE, false},
              {"bare-ring", ROW_LIMIT_RING, true},
              {"bare-ring-hot", ROW_LIMIT_RING_HOT, true},
              {"harness", ROW_LIMIT_HARNESS, true},
              {"memcpy", ROW_LIMIT_MEMCPY, true}};

enum { FAMILIES = sizeof family_names / sizeof family_names[0], LIMITS = sizeof limits / sizeof limits[0] };

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

static int parse_limit(struct row *row, char *words, char *text, size_t text_size)
{
    char *size = strchr(words, '/');

    snprintf(row->driver, sizeof row->driver, "limit");
    if (size != NULL)
        *size++ = '\0';
    for (size_t i = 0; i < LIMITS; ++i) {
        if (strcmp(words, limits[i].name) != 0)
            continue;
        row->family = limits[i].family;
        if (row_uses_processes(row))
            row->publishers = row->subscribers = 1;
        if (limits[i].has_size ? size != NULL && parse_size(size, &row->size) : size == NULL)
            return 0;
        return complain(text, text_size, row->name,
                        limits[i].has_size ? "a size, as in 64B, is missing" : "it has no size");
    }
    return complain(text, text_size, row->name, "the limits are line, bare-ring, bare-ring-hot, harness and memcpy");
}

static bool has_subscribers(enum row_family family)
{
    return family == ROW_FANOUT || family == ROW_TARGET_FANOUT || family == ROW_TARGET_PAIRS;
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
    if ((row->family == ROW_LATENCY) != (row->rate > 0))
        return complain(text, text_size, row->name, "latency rows, and only those, end in a rate, as in r10000");
    if (row->publishers != 1 || (row->subscribers != 1 && !has_subscribers(row->family)))
        return complain(text, text_size, row->name, "this family has one publisher, and but for fanout one subscriber");
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
    for (int family = 0; family < FAMILIES; ++family)
        if (strcmp(words, family_names[family]) == 0) {
            row.family = (enum row_family)family;
            result = parse_scenario(&row, rest, text, text_size);
            goto out;
        }
    return complain(text, text_size, name,
                    "the families are latency, roundtrip, hot, throughput, fanout, limit and target-…");
out:
    if (result == 0)
        *out = row;
    return result;
}

const char *row_family_name(enum row_family family)
{
    return (int)family < FAMILIES ? family_names[family] : "limit";
}

bool row_is_pinned(const struct row *row)
{
    return row->subscribers <= 1 || row_is_target(row);
}

bool row_uses_processes(const struct row *row)
{
    return row->family != ROW_LIMIT_LINE && row->family != ROW_LIMIT_MEMCPY;
}

bool row_is_target(const struct row *row)
{
    return row->family >= ROW_TARGET_HOT && row->family <= ROW_TARGET_DEATH;
}

bool row_is_limit(const struct row *row)
{
    return (int)row->family >= FAMILIES;
}

void row_driver_label(char *label, size_t label_size, const char *driver)
{
    const char *params = strchr(driver, '?');
    size_t length = params == NULL ? strlen(driver) : (size_t)(params - driver);
    size_t start = length;

    while (start > 0 && driver[start - 1] != '/')
        --start;
    if (length - start > 3 && strncmp(driver + length - 3, ".so", 3) == 0)
        length -= 3;
    snprintf(label, label_size, "%.*s%s", (int)(length - start), driver + start, params == NULL ? "" : params);
}
