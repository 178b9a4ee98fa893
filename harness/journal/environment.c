/* What a figure was measured on: FORMAT.md's `environment`. */
#include "ipcmark/runfile.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "ipcmark_commit.h"

#define TEXT_SIZE 4096

/* The first line of a small file, without its newline; or NULL. */
static const char *line_read(const char *path, char text[TEXT_SIZE])
{
    FILE *file = fopen(path, "re");
    char *line = file == NULL ? NULL : fgets(text, TEXT_SIZE, file);
    if (file != NULL)
        fclose(file);
    if (line != NULL)
        line[strcspn(line, "\n")] = '\0';
    return line;
}

/* What stands after `key` and any of " \t:=\"" on the first line that begins with key; or NULL. */
static const char *value_read(const char *path, const char *key, char text[TEXT_SIZE])
{
    FILE *file = fopen(path, "re");
    const char *found = NULL;
    if (file == NULL)
        return NULL;
    while (found == NULL && fgets(text, TEXT_SIZE, file) != NULL)
        if (strncmp(text, key, strlen(key)) == 0)
            found = text + strlen(key) + strspn(text + strlen(key), " \t:=\"");
    fclose(file);
    if (found != NULL)
        text[(size_t)(found - text) + strcspn(found, "\"\n")] = '\0';
    return found;
}

static const char *virtualization_read(char text[TEXT_SIZE])
{
    const char *flags = value_read("/proc/cpuinfo", "flags", text);
    const char *type;
    if (flags == NULL)
        return NULL;
    if (strstr(flags, " hypervisor") == NULL)
        return "none";
    type = line_read("/sys/hypervisor/type", text);
    if (type == NULL)
        type = line_read("/sys/class/dmi/id/sys_vendor", text);
    return type == NULL || *type == '\0' ? "yes" : type;
}

/* The compiler's flags, less those that hold a path. */
static const char *flags_read(char text[TEXT_SIZE])
{
    char all[] = IPCMARK_FLAGS, *rest = NULL;
    size_t used = 0;
    text[0] = '\0';
    for (char *word = strtok_r(all, " ", &rest); word != NULL; word = strtok_r(NULL, " ", &rest))
        if (strchr(word, '/') == NULL && used + strlen(word) + 2 < TEXT_SIZE)
            used += (size_t)snprintf(text + used, TEXT_SIZE - used, "%s%s", used > 0 ? " " : "", word);
    return text;
}

/* A text, or null. */
static void text_add(cJSON *json, const char *name, const char *value)
{
    if (value == NULL)
        cJSON_AddNullToObject(json, name);
    else
        cJSON_AddStringToObject(json, name, value);
}

static void machine_add(cJSON *json)
{
    char text[TEXT_SIZE];
    struct utsname system;
    const char *smt;
    double load;
    text_add(json, "cpu", value_read("/proc/cpuinfo", "model name", text));
    cJSON_AddNumberToObject(json, "cpus", (double)sysconf(_SC_NPROCESSORS_ONLN));
    text_add(json, "kernel", uname(&system) == 0 ? system.release : NULL);
    text_add(json, "os", value_read("/etc/os-release", "PRETTY_NAME", text));
    text_add(json, "virtualization", virtualization_read(text));
    text_add(json, "governor", line_read("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", text));
    smt = line_read("/sys/devices/system/cpu/smt/active", text);
    if (smt == NULL)
        cJSON_AddNullToObject(json, "smt");
    else
        cJSON_AddBoolToObject(json, "smt", strcmp(smt, "1") == 0);
    cJSON_AddNumberToObject(json, "memory_bytes", (double)sysconf(_SC_PHYS_PAGES) * (double)sysconf(_SC_PAGESIZE));
    if (getloadavg(&load, 1) == 1)
        cJSON_AddNumberToObject(json, "load", load);
    else
        cJSON_AddNullToObject(json, "load");
}

cJSON *ipcmark_environment_capture(void)
{
    cJSON *json = cJSON_CreateObject();
    char text[TEXT_SIZE];
    if (json == NULL)
        return NULL;
    machine_add(json);
    text_add(json, "compiler", IPCMARK_COMPILER);
    text_add(json, "flags", flags_read(text));
    text_add(json, "commit", IPCMARK_COMMIT_ID);
    if (cJSON_GetArraySize(json) != 12) { /* an addition ran out of memory */
        cJSON_Delete(json);
        return NULL;
    }
    return json;
}
