#include "slot.h"

#include "os/os.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char MAGIC[] = "mmipc-slot";
enum { SLOT_TEXT_MAX = 2048, STATE_BYTES = 8 /* of both states, padded: the file is rewritten in place */ };

static void hex_encode(const unsigned char *from, size_t size, char *to)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < size; ++i) {
        to[2 * i] = digits[from[i] >> 4];
        to[2 * i + 1] = digits[from[i] & 15];
    }
    to[2 * size] = '\0';
}

static int hex_value(char digit)
{
    return digit >= '0' && digit <= '9' ? digit - '0' : digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : -1;
}

static void slot_name(const unsigned char *id, const char *suffix, char name[SLOT_NAME_BYTES])
{
    char hex[2 * ID_BYTES + 1];
    hex_encode(id, ID_BYTES, hex);
    snprintf(name, SLOT_NAME_BYTES, "mmipc-%s.%s", hex, suffix);
}

void slot_json_name(const unsigned char *id, char name[SLOT_NAME_BYTES])
{
    slot_name(id, "json", name);
}

void slot_socket_name(const unsigned char *id, char name[SLOT_NAME_BYTES])
{
    slot_name(id, "sock", name);
}

bool slot_parse_name(const char *name, unsigned char *id, bool *is_socket)
{
    const char *suffix = name + 6 + (size_t)2 * ID_BYTES;
    if (strlen(name) != SLOT_NAME_BYTES - 1 || strncmp(name, "mmipc-", 6) != 0)
        return false;
    for (int i = 0; i < ID_BYTES; ++i) {
        int high = hex_value(name[6 + 2 * i]), low = hex_value(name[7 + 2 * i]);
        if (high < 0 || low < 0)
            return false;
        id[i] = (unsigned char)(high << 4 | low);
    }
    *is_socket = strcmp(suffix, ".sock") == 0;
    return *is_socket || strcmp(suffix, ".json") == 0;
}

bool slot_is_name(const char *name)
{
    unsigned char id[ID_BYTES];
    bool is_socket;
    return slot_parse_name(name, id, &is_socket) && !is_socket;
}

/* The channel as hex: a JSON string holds Unicode only, a channel any bytes. */
static int slot_print(const struct slot *slot, const char *state, char *text)
{
    char channel[2 * CHANNEL_MAX + 1], id[2 * ID_BYTES + 1], padded[STATE_BYTES + 1];
    int error = -ENOMEM;
    cJSON *json = cJSON_CreateObject();
    hex_encode((const unsigned char *)slot->channel, strlen(slot->channel), channel);
    hex_encode(slot->id, ID_BYTES, id);
    snprintf(padded, sizeof padded, "%-*s", STATE_BYTES, state);
    if (cJSON_AddStringToObject(json, "magic", MAGIC) && cJSON_AddNumberToObject(json, "version", 1) &&
        cJSON_AddStringToObject(json, "role", slot->role) && cJSON_AddStringToObject(json, "state", padded) &&
        cJSON_AddStringToObject(json, "id", id) && cJSON_AddStringToObject(json, "channel_hex", channel) &&
        cJSON_AddNumberToObject(json, "pid", getpid()) && cJSON_PrintPreallocated(json, text, SLOT_TEXT_MAX - 1, 0)) {
        const size_t end = strlen(text);
        memcpy(text + end, "\n", 2);
        error = 0;
    }
    cJSON_Delete(json);
    return error;
}

int slot_create(struct slot *slot, int directory, const char *role, const unsigned char *id, const char *channel,
                bool for_all)
{
    char name[SLOT_NAME_BYTES], text[SLOT_TEXT_MAX + 2];
    int fd;
    slot->directory = directory;
    slot->fd = -1;
    slot->role = role;
    slot->channel = channel;
    memcpy(slot->id, id, ID_BYTES);
    fd = slot_print(slot, "starting", text);
    if (fd != 0)
        return fd;
    slot_json_name(id, name);
    fd = os_file_create_locked(directory, name, text, strlen(text), for_all);
    if (fd < 0)
        return fd;
    slot->fd = fd;
    return 0;
}

int slot_ready(struct slot *slot)
{
    char name[SLOT_NAME_BYTES], text[SLOT_TEXT_MAX + 2];
    int error = slot_print(slot, "waiting", text);
    slot_json_name(slot->id, name);
    return error != 0 ? error : os_file_rewrite(slot->directory, name, text, strlen(text));
}

/* The socket first, the file last: a file that is there tells whoever finds it that there may be a socket. */
static int remove_both(int directory, const unsigned char *id)
{
    char name[SLOT_NAME_BYTES];
    slot_socket_name(id, name);
    unlinkat(directory, name, 0);
    slot_json_name(id, name);
    return unlinkat(directory, name, 0) == 0 ? 0 : -errno;
}

void slot_remove(struct slot *slot)
{
    if (slot->fd < 0)
        return;
    remove_both(slot->directory, slot->id);
    os_close(slot->fd);
    slot->fd = -1;
}

static const char *string_of(const cJSON *json, const char *key)
{
    const char *value = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, key));
    return value == NULL ? "" : value;
}

/* The channel that the file names; false if it cannot be one. */
static bool decode_channel(const char *hex, char channel[CHANNEL_MAX + 1])
{
    const size_t length = strlen(hex) / 2;
    if (length == 0 || length > CHANNEL_MAX || strlen(hex) % 2 != 0)
        return false;
    for (size_t i = 0; i < length; ++i) {
        const int high = hex_value(hex[2 * i]), low = hex_value(hex[2 * i + 1]);
        if (high < 0 || low < 0 || (high == 0 && low == 0))
            return false;
        channel[i] = (char)(high << 4 | low);
    }
    channel[length] = '\0';
    return true;
}

static void describe(const cJSON *json, const unsigned char *id, struct slot_view *out)
{
    const char *role = string_of(json, "role");
    const cJSON *pid = cJSON_GetObjectItemCaseSensitive(json, "pid");
    char expected_id[2 * ID_BYTES + 1];
    hex_encode(id, ID_BYTES, expected_id);
    out->publishes = strcmp(role, "publisher") == 0;
    out->whole = strcmp(string_of(json, "id"), expected_id) == 0 &&
                 (out->publishes || strcmp(role, "subscriber") == 0) &&
                 decode_channel(string_of(json, "channel_hex"), out->channel);
    out->waiting = strncmp(string_of(json, "state"), "waiting", 7) == 0;
    out->pid = cJSON_IsNumber(pid) && pid->valueint > 0 ? pid->valueint : 0;
}

int slot_look(int directory, const unsigned char *id, struct slot_view *out)
{
    char name[SLOT_NAME_BYTES], text[SLOT_TEXT_MAX + 1];
    struct slot_view view = {.fd = -1};
    cJSON *json = NULL;
    struct stat status;
    ssize_t got;
    int error = -EPROTO, living;
    slot_json_name(id, name);
    living = os_file_probe(directory, name, &view.fd);
    if (living < 0)
        return living;
    if (fstat(view.fd, &status) != 0 || status.st_size > SLOT_TEXT_MAX)
        goto fail;
    got = pread(view.fd, text, SLOT_TEXT_MAX, 0);
    if (got <= 0)
        goto fail;
    text[got] = '\0';
    json = cJSON_Parse(text);
    if (json == NULL || strcmp(string_of(json, "magic"), MAGIC) != 0)
        goto fail;
    if (status.st_nlink == 0) { /* its owner removed it a moment ago */
        error = -ENOENT;
        goto fail;
    }
    view.living = living != 0;
    describe(json, id, &view);
    cJSON_Delete(json);
    *out = view;
    return 0;
fail:
    cJSON_Delete(json);
    os_close(view.fd);
    return error;
}

void slot_look_away(struct slot_view *view)
{
    os_close(view->fd);
    view->fd = -1;
}

int slot_reclaim(int directory, const unsigned char *id, const struct slot_view *view)
{
    return view->living ? -EBUSY : remove_both(directory, id);
}

enum slot_finding slot_examine(int directory, const unsigned char *id, const char *channel)
{
    struct slot_view view;
    enum slot_finding finding;
    const int error = slot_look(directory, id, &view);
    if (error != 0)
        return error == -EMFILE || error == -ENFILE || error == -ENOMEM ? SLOT_UNKNOWN : SLOT_UNUSABLE;
    if (slot_reclaim(directory, id, &view) != -EBUSY)
        finding = SLOT_RECLAIMED;
    else if (!view.whole)
        finding = SLOT_UNUSABLE;
    else if (view.publishes)
        finding = SLOT_PUBLISHER;
    else if (strcmp(view.channel, channel) != 0)
        finding = SLOT_OTHER;
    else
        finding = view.waiting ? SLOT_SUBSCRIBER : SLOT_STARTING;
    slot_look_away(&view);
    return finding;
}

bool slot_is_orphan_socket(int directory, const unsigned char *id)
{
    char name[SLOT_NAME_BYTES];
    struct stat status;
    slot_json_name(id, name);
    if (fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW) == 0 || errno != ENOENT)
        return 0;
    slot_socket_name(id, name);
    return fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISSOCK(status.st_mode);
}

int slot_remove_orphan_socket(int directory, const unsigned char *id)
{
    char name[SLOT_NAME_BYTES];
    if (!slot_is_orphan_socket(directory, id))
        return 0;
    slot_socket_name(id, name);
    return unlinkat(directory, name, 0) == 0 ? 1 : -errno;
}
