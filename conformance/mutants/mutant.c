#include "mutant.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static const ipcmark_driver *base;
static const char *base_params[16]; /* before those of the endpoint */

__attribute__((visibility("default"))) const mutant *ipcmark_mutant_get(void);

const mutant *ipcmark_mutant_get(void)
{
    return &mutant_self;
}

uint64_t mutant_turn(mutant_endpoint *endpoint)
{
    return atomic_fetch_add(&endpoint->turn, 1) + 1;
}

int mutant_publish(mutant_endpoint *endpoint, const ipcmark_part *parts, size_t count)
{
    return base->publish(endpoint->inner, parts, count);
}

void mutant_deliver(mutant_endpoint *endpoint, const ipcmark_part *parts, size_t count)
{
    endpoint->deliver(endpoint->context, parts, count);
}

void mutant_peer_event(mutant_endpoint *endpoint, const char *peer, int connected)
{
    if (endpoint->on_peer != NULL)
        endpoint->on_peer(endpoint->peer_context, peer, connected);
}

int mutant_peers(mutant_endpoint *endpoint)
{
    return (endpoint->subscriber ? base->subscriber_peers : base->publisher_peers)(endpoint->inner);
}

mutant_copy *mutant_copy_message(const ipcmark_part *parts, size_t count)
{
    size_t total = sizeof(mutant_copy) + count * sizeof *parts;
    mutant_copy *copy;
    char *to;
    for (size_t i = 0; i < count; ++i)
        total += parts[i].size;
    copy = malloc(total);
    if (copy == NULL)
        return NULL;
    copy->count = count;
    copy->parts = (ipcmark_part *)(copy + 1);
    to = (char *)(copy->parts + count);
    for (size_t i = 0; i < count; ++i) {
        copy->parts[i].data = to;
        copy->parts[i].size = parts[i].size;
        if (parts[i].size > 0)
            memcpy(to, parts[i].data, parts[i].size);
        to += parts[i].size;
    }
    return copy;
}

pthread_mutex_t mutant_lock = PTHREAD_MUTEX_INITIALIZER;
mutant_endpoint *mutant_endpoints;

bool mutant_same_channel(const mutant_endpoint *one, const mutant_endpoint *other)
{
    return strcmp(one->channel, other->channel) == 0 && strcmp(one->directory, other->directory) == 0;
}

bool mutant_is_first(mutant_endpoint *endpoint)
{
    const mutant_endpoint *older;
    pthread_mutex_lock(&mutant_lock);
    older = mutant_endpoints;
    while (older != NULL && older != endpoint)
        older = older->next;
    while (older != NULL &&
           (older == endpoint || older->subscriber != endpoint->subscriber || !mutant_same_channel(older, endpoint)))
        older = older->next;
    pthread_mutex_unlock(&mutant_lock);
    return older == NULL;
}

static void list_add(mutant_endpoint *endpoint)
{
    pthread_mutex_lock(&mutant_lock);
    endpoint->next = mutant_endpoints;
    mutant_endpoints = endpoint;
    pthread_mutex_unlock(&mutant_lock);
}

static void list_remove(mutant_endpoint *endpoint)
{
    mutant_endpoint **at = &mutant_endpoints;
    pthread_mutex_lock(&mutant_lock);
    while (*at != NULL && *at != endpoint)
        at = &(*at)->next;
    if (*at != NULL)
        *at = endpoint->next;
    pthread_mutex_unlock(&mutant_lock);
}

/* Beside the folder that the implementation's files are in, however deep below it the directory is: what is left in it
 * is looked for. */
void *mutant_share(const char *directory, size_t size)
{
    static void *memory = MAP_FAILED; /* mapped once: a mapping a round would be another fault */
    const char *files = NULL;
    char path[4096];
    int file = -1;
    for (const char *next = directory; (next = strstr(next, "/files")) != NULL; ++next)
        files = next;
    if (files != NULL)
        snprintf(path, sizeof path, "%.*s/mutant", (int)(files - directory), directory);
    else
        snprintf(path, sizeof path, "%s/../mutant", directory);
    pthread_mutex_lock(&mutant_lock);
    if (memory == MAP_FAILED)
        file = open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0600);
    if (file >= 0 && ftruncate(file, (off_t)size) == 0)
        memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (file >= 0)
        close(file);
    /* Where participants may not write there, each is by itself, and the fault does not show. */
    if (memory == MAP_FAILED)
        memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    pthread_mutex_unlock(&mutant_lock);
    return memory == MAP_FAILED ? NULL : memory;
}

/* ---- the driver ---------------------------------------------------------------------------------------------- */

static int publish_hook(void *self, const ipcmark_part *parts, size_t count)
{
    return (mutant_self.publish != NULL ? mutant_self.publish : mutant_publish)(self, parts, count);
}

/* What this thread delivers to, and whether the handler has closed it: the hook may still look at it afterwards. */
static _Thread_local mutant_endpoint *delivering;
static _Thread_local bool closed_inside;

static void free_endpoint(mutant_endpoint *endpoint)
{
    free(endpoint->channel);
    free(endpoint->directory);
    free(endpoint->state);
    free(endpoint);
}

static void deliver_hook(void *self, const ipcmark_part *parts, size_t count)
{
    mutant_endpoint *const outer = delivering;
    const bool outer_closed = closed_inside;
    delivering = self;
    closed_inside = false;
    (mutant_self.deliver != NULL ? mutant_self.deliver : mutant_deliver)(self, parts, count);
    if (closed_inside)
        free_endpoint(self);
    delivering = outer;
    closed_inside = outer_closed;
}

static void peer_hook(void *self, const char *peer, int connected)
{
    (mutant_self.peer_event != NULL ? mutant_self.peer_event : mutant_peer_event)(self, peer, connected);
}

static int count_hook(mutant_endpoint *endpoint, int count)
{
    return mutant_self.peers != NULL && count >= 0 ? mutant_self.peers(endpoint, count) : count;
}

static int publisher_peers(void *self)
{
    return count_hook(self, base->publisher_peers(((mutant_endpoint *)self)->inner));
}

static int subscriber_peers(void *self)
{
    return count_hook(self, base->subscriber_peers(((mutant_endpoint *)self)->inner));
}

/* The base's own first: of two that say different things, the later one counts. */
static void join_params(const char **out, size_t room, const char *const *more)
{
    size_t count = 0;
    for (const char *const *param = base_params; *param != NULL && count + 1 < room; ++param)
        out[count++] = *param;
    for (; more != NULL && *more != NULL && count + 1 < room; ++more)
        out[count++] = *more;
    out[count] = NULL;
}

/* What was made before the base's open is unmade, whether that has succeeded or not. */
static void unmake(mutant_endpoint *endpoint, void (*close_base)(void *))
{
    if (mutant_self.before_close != NULL)
        mutant_self.before_close(endpoint);
    list_remove(endpoint);
    if (endpoint->inner != NULL)
        close_base(endpoint->inner);
    if (mutant_self.after_close != NULL)
        mutant_self.after_close(endpoint);
}

static int wrap_endpoint(void **out, const ipcmark_endpoint *options, bool subscriber, ipcmark_deliver_fn *deliver,
                         void *context)
{
    mutant_endpoint *endpoint = calloc(1, sizeof *endpoint);
    const char *params[64];
    ipcmark_endpoint inner = *options;
    int error = 0;
    if (endpoint == NULL)
        return -ENOMEM;
    endpoint->subscriber = subscriber;
    endpoint->deliver = deliver;
    endpoint->context = context;
    endpoint->on_peer = options->on_peer;
    endpoint->peer_context = options->peer_context;
    endpoint->channel = strdup(options->channel);
    endpoint->directory = strdup(options->directory);
    if (endpoint->channel == NULL || endpoint->directory == NULL)
        error = -ENOMEM;
    join_params(params, sizeof params / sizeof params[0], options->params);
    inner.params = params;
    inner.on_peer = peer_hook;
    inner.peer_context = endpoint;
    if (error == 0 && mutant_self.before_open != NULL)
        error = mutant_self.before_open(endpoint, options);
    if (error == 0) {
        if (mutant_self.change_open != NULL)
            mutant_self.change_open(endpoint, &inner);
        error = subscriber ? base->subscriber_open(&endpoint->inner, &inner, deliver_hook, endpoint)
                           : base->publisher_open(&endpoint->inner, &inner);
        if (mutant_self.after_open != NULL)
            mutant_self.after_open(endpoint);
        if (error < 0) {
            endpoint->inner = NULL;
            unmake(endpoint, NULL);
        }
    }
    if (error < 0) {
        free_endpoint(endpoint);
        return error;
    }
    list_add(endpoint);
    *out = endpoint;
    return 0;
}

static int publisher_open(void **out, const ipcmark_endpoint *options)
{
    return wrap_endpoint(out, options, false, NULL, NULL);
}

static int subscriber_open(void **out, const ipcmark_endpoint *options, ipcmark_deliver_fn *deliver, void *context)
{
    return wrap_endpoint(out, options, true, deliver, context);
}

static void unwrap_endpoint(mutant_endpoint *endpoint, void (*close_base)(void *))
{
    if (endpoint == NULL)
        return;
    unmake(endpoint, close_base);
    if (endpoint == delivering)
        closed_inside = true;
    else
        free_endpoint(endpoint);
}

static void publisher_close(void *self)
{
    unwrap_endpoint(self, base->publisher_close);
}

static void subscriber_close(void *self)
{
    unwrap_endpoint(self, base->subscriber_close);
}

/* "mmipc?key=value&key=value": the name of the base, its parameters aside. */
static const char *name_base(char *specification, size_t size)
{
    const char *wanted = mutant_self.base != NULL ? mutant_self.base : getenv("IPCMARK_MUTANT_BASE");
    size_t count = 0;
    char *rest;
    snprintf(specification, size, "%s", wanted != NULL && wanted[0] != '\0' ? wanted : "mmipc");
    rest = strchr(specification, '?');
    if (rest == NULL)
        return specification;
    *rest++ = '\0';
    for (char *param = strtok_r(rest, "&", &rest);
         param != NULL && count + 1 < sizeof base_params / sizeof *base_params; param = strtok_r(NULL, "&", &rest))
        base_params[count++] = param;
    return specification;
}

/* A mutant lies in lib/ipcmark/mutants, its base beside it in lib/ipcmark/drivers. */
static const ipcmark_driver *load_base(void)
{
    static char specification[1024];
    const char *const name = name_base(specification, sizeof specification);
    char path[4096];
    Dl_info here;
    const ipcmark_driver *(*get)(void);
    void *library;
    if (strchr(name, '/') != NULL)
        snprintf(path, sizeof path, "%s", name);
    else if (dladdr(&mutant_self, &here) != 0 && strrchr(here.dli_fname, '/') != NULL)
        snprintf(path, sizeof path, "%.*s/../drivers/%s.so", (int)(strrchr(here.dli_fname, '/') - here.dli_fname),
                 here.dli_fname, name);
    else
        snprintf(path, sizeof path, "../drivers/%s.so", name);
    library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (library == NULL) {
        fprintf(stderr, "mutant %s: no base driver: %s (IPCMARK_MUTANT_BASE names one)\n", mutant_self.name, dlerror());
        return NULL;
    }
    *(void **)&get = dlsym(library, "ipcmark_driver_get");
    return get == NULL ? NULL : get();
}

const ipcmark_driver *ipcmark_driver_get(void)
{
    static ipcmark_driver wrapped;
    static char name[64];
    if (base == NULL && (base = load_base()) != NULL) {
        snprintf(name, sizeof name, "mutant-%s", mutant_self.name);
        wrapped = *base;
        wrapped.name = name;
        wrapped.summary = mutant_self.fault;
        wrapped.publisher_open = publisher_open;
        wrapped.publish = publish_hook;
        wrapped.publisher_peers = publisher_peers;
        wrapped.publisher_close = publisher_close;
        wrapped.subscriber_open = subscriber_open;
        wrapped.subscriber_peers = subscriber_peers;
        wrapped.subscriber_close = subscriber_close;
    }
    return base == NULL ? NULL : &wrapped;
}
