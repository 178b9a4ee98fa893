/* mmipc, and less: a driver that is right and does not claim what IPCMARK_TEST_LESS names, "peers,ping". What it does
 * not claim it cannot do: to be asked for it all the same ends the process, or finds nothing there.
 *
 * The environment and no parameter, since a driver says what it claims before it sees one. */
#include <poll.h>
#include <stdatomic.h>
#include <stdbool.h>

#define ipcmark_driver_get whole_driver_get
#include "../mmipc/driver.c"
#undef ipcmark_driver_get

__attribute__((visibility("default"))) const ipcmark_driver *ipcmark_driver_get(void);

/* Not capabilities: events tell of peers, and do not say which; a publish takes a millisecond or more, and of a large
 * message 28, so that a portion of them takes as long as who waits is given; who receives a large one dies of it. */
#define PEER_NAMES (UINT64_C(1) << 63)
#define HASTE      (UINT64_C(1) << 62)
#define LIFE       (UINT64_C(1) << 61)
#define LARGE      131072

static const struct {
    const char *name;
    uint64_t bit;
} words[] = {{"multipart", IPCMARK_CAP_MULTIPART},
             {"empty_message", IPCMARK_CAP_EMPTY_MESSAGE},
             {"peers", IPCMARK_CAP_PEERS},
             {"peer_events", IPCMARK_CAP_PEER_EVENTS},
             {"peer_names", PEER_NAMES},
             {"haste", HASTE},
             {"life", LIFE},
             {"survives_publisher_death", IPCMARK_CAP_SURVIVES_PUBLISHER_DEATH},
             {"threads", IPCMARK_CAP_THREADS},
             {"publish_in_handler", IPCMARK_CAP_PUBLISH_IN_HANDLER},
             {"close_in_handler", IPCMARK_CAP_CLOSE_IN_HANDLER},
             {"ping", IPCMARK_CAP_PING},
             {"durable_pause", IPCMARK_CAP_DURABLE_PAUSE},
             {"directory_files", IPCMARK_CAP_DIRECTORY_FILES},
             {"isolation_directory", IPCMARK_CAP_ISOLATION_DIRECTORY},
             {"when_full", IPCMARK_CAP_WHEN_FULL_BLOCK}};

static ipcmark_driver less;
static uint64_t without;
static _Thread_local bool in_handler;

struct lesser {
    void *whole;
    ipcmark_deliver_fn *deliver;
    void *context;
    ipcmark_peer_fn *on_peer;
    void *peer_context;
    atomic_flag busy; /* a call is in it */
};

static void insist(bool holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "less: %s, which is not claimed\n", what);
    abort();
}

static void enter(struct lesser *self)
{
    insist((without & IPCMARK_CAP_THREADS) == 0 || !atomic_flag_test_and_set(&self->busy), "two calls at a time");
}

static void leave(struct lesser *self)
{
    atomic_flag_clear(&self->busy);
}

/* ---- what the whole driver calls ---- */

static void hand_on(void *context, const ipcmark_part *parts, size_t count)
{
    const struct lesser *self = context;
    if ((without & LIFE) != 0 && count > 0 && parts[0].size >= LARGE)
        abort();
    in_handler = true;
    self->deliver(self->context, parts, count);
    in_handler = false;
}

static void tell(void *context, const char *peer, int connected)
{
    const struct lesser *self = context;
    self->on_peer(self->peer_context, (without & PEER_NAMES) != 0 ? NULL : peer, connected);
}

/* ---- what the suite calls ---- */

/* A heartbeat that comes too late for anything. */
static void reduce(ipcmark_endpoint *copy, const ipcmark_endpoint *options, struct lesser *self)
{
    enum { RARELY_MS = 5000 };
    *copy = *options;
    copy->on_peer = options->on_peer == NULL || (without & IPCMARK_CAP_PEER_EVENTS) != 0 ? NULL : tell;
    copy->peer_context = self;
    if ((without & IPCMARK_CAP_PING) != 0)
        copy->ping_interval_ms = RARELY_MS;
}

static int less_open(void **out, const ipcmark_endpoint *options, ipcmark_deliver_fn *on_message, void *context)
{
    struct lesser *self = calloc(1, sizeof *self);
    ipcmark_endpoint copy;
    int error;
    if (self == NULL)
        return -ENOMEM;
    self->deliver = on_message;
    self->context = context;
    self->on_peer = options->on_peer;
    self->peer_context = options->peer_context;
    reduce(&copy, options, self);
    error =
        on_message == NULL ? publisher_open(&self->whole, &copy) : subscriber_open(&self->whole, &copy, hand_on, self);
    if (error < 0)
        free(self);
    else
        *out = self;
    return error;
}

static int less_publisher_open(void **out, const ipcmark_endpoint *options)
{
    return less_open(out, options, NULL, NULL);
}

/* As one part, where boundaries are not kept. */
static int publish_joined(void *whole, const ipcmark_part *parts, size_t count, size_t size)
{
    char *bytes = malloc(size + 1), *to = bytes;
    int result;
    if (bytes == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < count; to += parts[i++].size)
        if (parts[i].size > 0)
            memcpy(to, parts[i].data, parts[i].size);
    result = publish(whole, &(ipcmark_part){bytes, size}, 1);
    free(bytes);
    return result;
}

static int less_publish(void *handle, const ipcmark_part *parts, size_t count)
{
    struct lesser *self = handle;
    size_t size = 0;
    int result;
    insist((without & IPCMARK_CAP_PUBLISH_IN_HANDLER) == 0 || !in_handler, "a publish in a handler");
    for (size_t i = 0; i < count; ++i)
        size += parts[i].size;
    if ((without & HASTE) != 0 && !in_handler)
        poll(NULL, 0, size >= LARGE ? 28 : 1);
    enter(self);
    if (size == 0 && (without & IPCMARK_CAP_EMPTY_MESSAGE) != 0)
        result = -EINVAL;
    else if (count != 1 && (without & IPCMARK_CAP_MULTIPART) != 0)
        result = publish_joined(self->whole, parts, count, size);
    else
        result = publish(self->whole, parts, count);
    leave(self);
    return result;
}

static int count_peers(void *handle, int (*peers)(void *))
{
    struct lesser *self = handle;
    int count;
    enter(self);
    count = peers(self->whole);
    leave(self);
    return count;
}

static int less_publisher_peers(void *handle)
{
    return count_peers(handle, publisher_peers);
}

static int less_subscriber_peers(void *handle)
{
    return count_peers(handle, subscriber_peers);
}

static void less_publisher_close(void *handle)
{
    struct lesser *self = handle;
    enter(self);
    publisher_close(self->whole);
    free(self);
}

static void less_subscriber_close(void *handle)
{
    struct lesser *self = handle;
    insist((without & IPCMARK_CAP_CLOSE_IN_HANDLER) == 0 || !in_handler, "a close in a handler");
    enter(self);
    subscriber_close(self->whole);
    free(self);
}

/* ---- the driver ---- */

static uint64_t read_words(const char *text)
{
    uint64_t bits = 0;
    while (*text != '\0') {
        const size_t length = strcspn(text, ",");
        size_t i = 0;
        while (i < sizeof words / sizeof *words &&
               (strlen(words[i].name) != length || strncmp(words[i].name, text, length) != 0))
            ++i;
        if (i == sizeof words / sizeof *words) {
            fprintf(stderr, "less: IPCMARK_TEST_LESS: '%.*s' is nothing that can be left out\n", (int)length, text);
            exit(1);
        }
        bits |= words[i].bit;
        text += length + (text[length] == ',');
    }
    return bits;
}

const ipcmark_driver *ipcmark_driver_get(void)
{
    const char *text = getenv("IPCMARK_TEST_LESS");
    without = read_words(text != NULL ? text : "");
    less = *whole_driver_get();
    less.name = "less";
    less.summary = "mmipc, and less";
    less.capabilities &= ~without;
    less.publisher_open = less_publisher_open;
    less.publish = less_publish;
    less.publisher_peers = (without & IPCMARK_CAP_PEERS) != 0 ? NULL : less_publisher_peers;
    less.publisher_close = less_publisher_close;
    less.subscriber_open = less_open;
    less.subscriber_peers = (without & IPCMARK_CAP_PEERS) != 0 ? NULL : less_subscriber_peers;
    less.subscriber_close = less_subscriber_close;
    return &less;
}
