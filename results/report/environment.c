/* What the figures come from, and how to get them again. */
#include "format.h"
#include "parts.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void item_begin(struct page *page, const char *name)
{
    page_open(page, "tr", NULL);
    page_open(page, "th", "scope", "row", NULL);
    page_text(page, format_metric_name(name).text);
    page_close(page);
    page_open(page, "td", NULL);
}

static void item_end(struct page *page)
{
    page_close(page);
    page_close(page);
}

static void value_text(struct page *page, const char *name, const cJSON *value)
{
    char *json;
    if (cJSON_IsString(value)) {
        page_text(page, *value->valuestring ? value->valuestring : "none");
        return;
    }
    if (cJSON_IsNull(value)) {
        page_text(page, strcmp(name, "governor") == 0 ? "unknown: the system does not say" : "unknown");
        return;
    }
    if (cJSON_IsNumber(value) && strcmp(name, "load") == 0) {
        page_textf(page, "%.2f", value->valuedouble);
        return;
    }
    if (cJSON_IsNumber(value) && strcmp(name, "memory_bytes") == 0) {
        page_textf(page, "%.1f GiB", value->valuedouble / (1 << 30));
        return;
    }
    if (cJSON_IsBool(value)) {
        page_text(page, cJSON_IsTrue(value) ? "yes" : "no");
        return;
    }
    json = cJSON_PrintUnformatted(value);
    page_text(page, json ? json : "");
    cJSON_free(json);
}

/* Whether a path leads out of the working folder. "throughput/../64B", a pattern of rows, does not. */
static bool leads_out(const char *path, size_t length)
{
    int depth = 0;
    if (length > 0 && (*path == '/' || *path == '~'))
        return true;
    for (size_t at = 0, end; at < length; at = end + 1) {
        for (end = at; end < length && path[end] != '/';)
            ++end;
        if (end - at == 2 && strncmp(path + at, "..", 2) == 0)
            --depth;
        else if (end > at && !(end - at == 1 && path[at] == '.'))
            ++depth;
        if (depth < 0)
            return true;
    }
    return false;
}

/* One word of a command. Of a path outside the working folder only the name of the file is shown, with its parameters:
 * where it was says something of its owner, and nothing to anybody else. */
static void command_word(struct page *page, const char *word, size_t length)
{
    const char *parameters = memchr(word, '?', length);
    size_t path = parameters ? (size_t)(parameters - word) : length, base = path;
    while (base > 0 && word[base - 1] != '/')
        --base;
    if (!leads_out(word, path))
        base = 0;
    page_textf(page, "%.*s", (int)(length - base), word + base);
}

/* Words end at a space, a quote, or the "=" of an option; a path in quotes is one, with its spaces. */
static void command_words(struct page *page, const char *command)
{
    while (*command) {
        const char *end = *command == '\'' || *command == '"' ? strchr(command + 1, *command) : NULL;
        size_t length = strcspn(command, " '\"=");
        if (end && leads_out(command + 1, (size_t)(end - command - 1))) {
            page_textf(page, "%c", *command++);
            length = (size_t)(end - command);
        }
        command_word(page, command, length);
        command += length;
        if (*command == ' ' || *command == '=' || length == 0 || command == end)
            page_textf(page, "%c", *command++);
    }
}

static void command_box(struct page *page, const char *command)
{
    page_open(page, "pre", "class", "command", "tabindex", "0", NULL);
    page_open(page, "code", NULL);
    command_words(page, command);
    page_close(page);
    page_close(page);
}

/* Pipes and sockets are the kernel's: the version of their driver says nothing of how fast they are. */
static const char *kernel_of(const struct results_run *run, const char *name)
{
    bool kernels = name && (strcmp(name, "fifo") == 0 || strcmp(name, "tcp") == 0);
    return kernels ? results_string(results_object(run->header, "environment"), "kernel") : NULL;
}

static void drivers(struct page *page, const struct results_run *run)
{
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(run->header, "drivers"), *driver;
    if (cJSON_GetArraySize(list) == 0)
        return;
    item_begin(page, "implementations");
    page_open(page, "ul", NULL);
    cJSON_ArrayForEach(driver, list)
    {
        const char *name = results_string(driver, "name"), *version = results_string(driver, "version");
        const char *summary = results_string(driver, "summary"), *homepage = results_string(driver, "homepage");
        page_open(page, "li", NULL);
        const char *stands_for = results_string(driver, "driver"), *kernel = kernel_of(run, name);
        page_element(page, "b", NULL, name ? name : "?");
        if (stands_for && name && strcmp(stands_for, name) != 0)
            page_textf(page, " (%s)", stands_for);
        page_textf(page, " %s", version ? version : "");
        if (kernel)
            page_textf(page, ", of Linux %s", kernel);
        if (summary && *summary)
            page_textf(page, ": %s", summary);
        if (homepage && *homepage)
            page_textf(page, " (%s)", homepage);
        page_close(page);
    }
    page_close(page);
    item_end(page);
}

/* A header's text field as a line of the table, if it has one. */
static void header_item(struct page *page, const struct results_run *run, const char *name)
{
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(run->header, name);
    if (value == NULL || cJSON_IsNull(value))
        return;
    item_begin(page, name);
    value_text(page, name, value);
    item_end(page);
}

static void one_run(struct page *page, const struct results_run *run)
{
    static const char *const fields[] = {"started",          "run",      "seed",  "suite_version",
                                         "contract_version", "manifest", "suite", "effort"};
    const cJSON *member;
    const char *command = results_header(run, "command");
    bool bench = strcmp(results_header(run, "kind"), "bench") == 0;

    page_element(page, "h3", NULL, bench ? "Benchmark run" : "Conformance run");
    if (*command) {
        page_element(page, "p", NULL, "This command runs it again:");
        command_box(page, command);
    }
    part_table_begin(page, "facts", bench ? "Where the benchmark ran" : "Where conformance ran");
    page_open(page, "tbody", NULL);
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; ++i)
        header_item(page, run, fields[i]);
    item_begin(page, bench ? "cells" : "cases");
    page_textf(page, "%s%s", report_progress(run).text, results_run_cut_short(run) ? "; the run was cut short" : "");
    item_end(page);
    cJSON_ArrayForEach(member, results_object(run->header, "environment"))
    {
        item_begin(page, member->string);
        value_text(page, member->string, member);
        item_end(page);
    }
    drivers(page, run);
    page_close(page);
    part_table_end(page);
}

static void reason(void *context, const char *text)
{
    page_element(context, "li", NULL, text);
}

void part_environment(struct page *page, const struct report *report)
{
    part_begin(page, "environment", "Environment");
    if (report_has(report, "bench")) {
        size_t against = results_fitness(report->runs, report->run_count, &report->rows, NULL, NULL);
        page_open(page, "div", "id", "fitness", "class", "fitness", NULL);
        page_element(page, "h3", NULL,
                     against ? "These figures are not fit to publish" : "These figures are fit to publish");
        page_open(page, "ul", NULL);
        results_fitness(report->runs, report->run_count, &report->rows, reason, page);
        page_close(page);
        page_close(page);
    }
    for (size_t i = 0; i < report->run_count; ++i)
        one_run(page, &report->runs[i]);
    page_close(page);
}
