#include "fake_os.h"

#include "fuzz.h"
#include "restless.h"

#include <errno.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__)
#define GUARDED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define GUARDED 1
#endif
#endif
#ifdef GUARDED
#include <sanitizer/asan_interface.h>
#define guard(at, bytes)   __asan_poison_memory_region(at, bytes)
#define unguard(at, bytes) __asan_unpoison_memory_region(at, bytes)
#else
#define guard(at, bytes)   ((void)0)
#define unguard(at, bytes) ((void)0)
#endif

enum {
    FIRST_FD = 1000,
    MOST_FDS = 512,
    MOST_OBJECTS = 512,
    MOST_BACKINGS = 512,
    MAILS = 32,
    MAIL_BYTES = 512,
    PAGE = 4096
};

/* Real memory, kept from input to input, because making it takes long. */
struct backing {
    unsigned char *library, *fuzzer; /* each twice in a row */
    size_t bytes;
    bool used;
};

struct mail {
    unsigned char bytes[MAIL_BYTES];
    size_t size;
    int objects[OS_FDS_MAX], count;
};

struct queue {
    struct mail mails[MAILS];
    unsigned first, count;
    bool used;
};

enum kind { NOTHING, PLAIN, MEMORY, SOCKET };

struct object {
    enum kind kind;
    int references; /* descriptors and mails */
    int maps;
    size_t span; /* of the library's mapping */
    size_t bytes;
    bool sealed, hung_up, clogged;
    struct backing *backing;
    struct queue *in, *out; /* of a socket */
};

static struct object objects[MOST_OBJECTS];
static int fds[MOST_FDS]; /* object + 1 */
static int highest_fd, highest_object;
static struct backing backings[MOST_BACKINGS];
static struct queue queues[64];
static int64_t now_ns;
static uint64_t chance;

_Atomic unsigned os_fork_generation;
void (*restless_loaded)(const shared_u64 *word);
void (*fake_while_waiting)(void);

void fake_reset(void)
{
    fake_check_nothing_left();
    now_ns = 1000000000;
    highest_fd = highest_object = 0;
    restless_loaded = NULL;
    fake_while_waiting = NULL;
}

void fake_check_nothing_left(void)
{
    for (int i = 0; i < highest_fd; ++i)
        CHECK(fds[i] == 0);
    for (int i = 0; i < highest_object; ++i)
        CHECK(objects[i].kind == NOTHING);
}

static struct object *object_of(int fd)
{
    CHECK(fd >= FIRST_FD && fd < FIRST_FD + MOST_FDS && fds[fd - FIRST_FD] != 0);
    return &objects[fds[fd - FIRST_FD] - 1];
}

static int open_object(int object)
{
    int fd = 0;
    while (fds[fd] != 0)
        CHECK(++fd < MOST_FDS);
    fds[fd] = object + 1;
    objects[object].references++;
    if (fd >= highest_fd)
        highest_fd = fd + 1;
    return FIRST_FD + fd;
}

static int make_object(enum kind kind)
{
    int object = 0;
    while (objects[object].kind != NOTHING)
        CHECK(++object < MOST_OBJECTS);
    objects[object] = (struct object){.kind = kind};
    if (object >= highest_object)
        highest_object = object + 1;
    return object;
}

static int make(enum kind kind)
{
    return open_object(make_object(kind));
}

static void empty(struct queue *queue);

static void let_go(struct object *object)
{
    if (object->references > 0 || object->maps > 0)
        return;
    if (object->backing != NULL)
        object->backing->used = false;
    if (object->kind == SOCKET) {
        object->references = 1; /* a socket in its own mail */
        empty(object->in);
        empty(object->out);
        object->in->used = object->out->used = false;
    }
    object->kind = NOTHING;
}

static void empty(struct queue *queue)
{
    for (; queue->count > 0; queue->count--, queue->first = (queue->first + 1) % MAILS) {
        const struct mail *mail = &queue->mails[queue->first];
        for (int i = 0; i < mail->count; ++i) {
            objects[mail->objects[i]].references--;
            let_go(&objects[mail->objects[i]]);
        }
    }
}

int fake_dup(int fd)
{
    return open_object((int)(object_of(fd) - objects));
}

bool fake_is_last(int fd)
{
    return object_of(fd)->references == 1;
}

void os_close_foreign(int fd)
{
    os_close(fd);
}

void os_close(int fd)
{
    struct object *object;
    if (fd < 0)
        return;
    object = object_of(fd);
    fds[fd - FIRST_FD] = 0;
    object->references--;
    let_go(object);
}

/* Memory */

static void make_backing(struct backing *backing, size_t bytes)
{
    const int fd = memfd_create("fuzz", MFD_CLOEXEC);
    CHECK(fd >= 0 && ftruncate(fd, (off_t)bytes) == 0);
    for (int view = 0; view < 2; ++view) { /* with a page behind it that nobody may touch */
        unsigned char *base = mmap(NULL, 2 * bytes + PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        CHECK(base != MAP_FAILED);
        for (size_t half = 0; half < 2; ++half)
            CHECK(mmap(base + half * bytes, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, 0) !=
                  MAP_FAILED);
        *(view == 0 ? &backing->library : &backing->fuzzer) = base;
    }
    guard(backing->library, 2 * bytes);
    backing->bytes = bytes;
    close(fd);
}

static struct backing *take_backing(size_t bytes)
{
    int i = 0;
    while (backings[i].used || (backings[i].bytes != 0 && backings[i].bytes != bytes))
        CHECK(++i < MOST_BACKINGS);
    if (backings[i].bytes == 0)
        make_backing(&backings[i], bytes);
    backings[i].used = true;
    return &backings[i];
}

/* Not zeroed, unless it is small: nothing in the library may depend on it but for the pages. */
int os_memory_create(size_t bytes)
{
    const int fd = make(MEMORY);
    struct object *object = object_of(fd);
    object->bytes = bytes;
    object->backing = take_backing(bytes == 0 ? PAGE : (bytes + PAGE - 1) / PAGE * PAGE);
    if (bytes <= 4 * PAGE)
        memset(object->backing->fuzzer, 0, bytes);
    return fd;
}

int os_memory_seal(int fd)
{
    object_of(fd)->sealed = true;
    return 0;
}

int os_memory_check(int fd, size_t bytes)
{
    const struct object *object = object_of(fd);
    return object->kind == MEMORY && object->sealed && object->bytes == bytes ? 0 : -EPROTO;
}

int os_memory_map(int fd, size_t header_bytes, size_t ring_bytes, bool writable, void **out)
{
    struct object *object = object_of(fd);
    const size_t span = header_bytes + 2 * ring_bytes;
    CHECK(object->kind == MEMORY && object->bytes == header_bytes + ring_bytes);
    CHECK((header_bytes == 0) != (ring_bytes == 0) && ring_bytes % PAGE == 0);
    CHECK(!writable || !object->sealed);
    CHECK(object->maps == 0 || object->span == span);
    object->maps++;
    object->span = span;
    unguard(object->backing->library, span);
    *out = object->backing->library;
    return 0;
}

static struct object *mapped_object(const void *at)
{
    const uintptr_t address = (uintptr_t)at;
    for (int i = 0; i < highest_object; ++i) {
        struct object *object = &objects[i];
        if (object->kind == MEMORY && object->maps > 0 && address >= (uintptr_t)object->backing->library &&
            address - (uintptr_t)object->backing->library <= object->span)
            return object;
    }
    return NULL;
}

void os_memory_unmap(void *base, size_t header_bytes, size_t ring_bytes)
{
    struct object *object;
    if (base == NULL)
        return;
    object = mapped_object(base);
    CHECK(object != NULL && base == object->backing->library && header_bytes + 2 * ring_bytes == object->span);
    if (--object->maps == 0)
        guard(object->backing->library, object->span); /* what is behind it is guarded ever since it was made */
    let_go(object);
}

unsigned char *fake_memory(int fd)
{
    return object_of(fd)->backing->fuzzer;
}

size_t fake_memory_bytes(int fd)
{
    return object_of(fd)->kind == MEMORY ? object_of(fd)->bytes : 0;
}

bool fake_is_mapped(const void *at, size_t size)
{
    const struct object *object = mapped_object(at);
    return object != NULL && size <= object->span - ((uintptr_t)at - (uintptr_t)object->backing->library);
}

unsigned char *fake_shared_word(const void *at)
{
    const struct object *object = mapped_object(at);
    return object == NULL ? NULL : object->backing->fuzzer + ((uintptr_t)at - (uintptr_t)object->backing->library);
}

size_t fake_mapped_bytes(void)
{
    size_t bytes = 0;
    for (int i = 0; i < highest_object; ++i)
        bytes += objects[i].kind == MEMORY && objects[i].maps > 0 ? objects[i].bytes : 0;
    return bytes;
}

/* Sockets */

static struct queue *make_queue(void)
{
    int i = 0;
    while (queues[i].used)
        CHECK(++i < (int)(sizeof queues / sizeof queues[0]));
    queues[i].used = true;
    queues[i].first = queues[i].count = 0;
    return &queues[i];
}

int fake_socket(void)
{
    const int fd = make(SOCKET);
    struct object *object = object_of(fd);
    object->in = make_queue();
    object->out = make_queue();
    return fd;
}

static bool push(struct queue *queue, const void *data, size_t size, const int *sent, int count)
{
    struct mail *mail = &queue->mails[(queue->first + queue->count) % MAILS];
    if (queue->count == MAILS)
        return false;
    mail->size = size < MAIL_BYTES ? size : MAIL_BYTES;
    memcpy(mail->bytes, data, mail->size);
    mail->count = count;
    for (int i = 0; i < count; ++i) {
        mail->objects[i] = (int)(object_of(sent[i]) - objects);
        objects[mail->objects[i]].references++;
    }
    queue->count++;
    return true;
}

static ssize_t pop(struct queue *queue, void *data, size_t capacity, int *got, int *count)
{
    const struct mail *mail = &queue->mails[queue->first];
    const size_t size = mail->size < capacity ? mail->size : capacity;
    *count = mail->count;
    memcpy(data, mail->bytes, size);
    for (int i = 0; i < mail->count; ++i) {
        got[i] = open_object(mail->objects[i]);
        objects[mail->objects[i]].references--;
    }
    queue->first = (queue->first + 1) % MAILS;
    queue->count--;
    return (ssize_t)size;
}

void fake_post(int fd, const void *data, size_t size, const int *sent, int count)
{
    push(object_of(fd)->in, data, size, sent, count);
}

bool fake_fetch(int fd, struct wire_message *message, int *got, int *count)
{
    struct queue *queue = object_of(fd)->out;
    if (queue->count == 0)
        return false;
    memset(message, 0, sizeof *message);
    pop(queue, message, sizeof *message, got, count);
    return true;
}

void fake_hang_up(int fd)
{
    object_of(fd)->hung_up = true;
}

void fake_set_clogged(int fd, bool clogged)
{
    object_of(fd)->clogged = clogged;
}

int os_socket_send(int fd, const void *data, size_t size, const int *sent, int count)
{
    struct object *object = object_of(fd);
    CHECK(object->kind == SOCKET);
    if (object->hung_up)
        return -EPIPE;
    return !object->clogged && push(object->out, data, size, sent, count) ? 0 : -EAGAIN;
}

ssize_t os_socket_receive(int fd, void *data, size_t capacity, int *got, int *count)
{
    struct object *object = object_of(fd);
    CHECK(object->kind == SOCKET);
    *count = 0;
    if (object->in->count == 0)
        return object->hung_up ? 0 : -EAGAIN;
    return pop(object->in, data, capacity, got, count);
}

int os_socket_connect(int directory, const char *name)
{
    (void)directory;
    (void)name;
    return fake_socket();
}

int os_socket_peer(int fd, struct os_peer *out)
{
    *out = (struct os_peer){.pid = 100000 + fd, .uid = geteuid(), .pidfd = -1};
    return 0;
}

void os_socket_finish(int fd)
{
    object_of(fd)->clogged = true;
}

/* Time, waking */

int64_t os_now_ns(void)
{
    return now_ns += 1000;
}

void fake_pass_time(int64_t ns)
{
    now_ns += ns;
}

static int sleep_until(int64_t deadline_ns)
{
    if (fake_while_waiting != NULL)
        fake_while_waiting();
    if (deadline_ns > now_ns)
        now_ns = deadline_ns;
    return 0;
}

int os_poll(const int *polled, int count, int64_t deadline_ns)
{
    (void)polled;
    (void)count;
    return sleep_until(deadline_ns);
}

int os_poller_wait(int poller, void **data, int capacity, int64_t deadline_ns)
{
    (void)poller;
    (void)data;
    (void)capacity;
    return sleep_until(deadline_ns);
}

int os_wake_create(int *sender)
{
    *sender = make(PLAIN);
    return make(PLAIN);
}

int os_wake_check(int sender)
{
    return object_of(sender)->kind == PLAIN ? 0 : -EPROTO;
}

void os_random(void *to, size_t bytes)
{
    for (size_t i = 0; i < bytes; ++i) { /* never the same twice, so that old bytes of a ring are of another key */
        chance = chance * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        ((unsigned char *)to)[i] = (unsigned char)(chance >> 56);
    }
}

/* The rest is there, and does nothing. */

int os_event_create(void)
{
    return make(PLAIN);
}

int os_timer_create(void)
{
    return make(PLAIN);
}

void os_timer_start(int fd, int64_t ns)
{
    object_of(fd);
    (void)ns;
}

int os_poller_create(void)
{
    return make(PLAIN);
}

int os_directory_open(const char *path)
{
    (void)path;
    return make(PLAIN);
}

char *os_directory_path(int directory)
{
    (void)directory;
    return NULL;
}

int os_poller_add(int poller, int fd, void *data, bool edge)
{
    (void)poller;
    (void)fd;
    (void)data;
    (void)edge;
    return 0;
}

void os_poller_remove(int poller, int fd)
{
    (void)poller;
    (void)fd;
}

void os_event_signal(int fd)
{
    object_of(fd);
}

void os_event_clear(int fd)
{
    object_of(fd);
}

void os_wake_send(int sender)
{
    object_of(sender);
}

int os_wake_clear(int fd)
{
    object_of(fd);
    return 0;
}

bool os_barrier_register(void)
{
    return true;
}

bool os_barrier_heavy(void)
{
    return true;
}

bool os_barrier_own_register(void)
{
    return true;
}

void os_barrier_own(void)
{
}

int os_processors(void)
{
    return 2;
}

uid_t os_overflow_user(void)
{
    return 65534;
}

int os_load_open(void)
{
    return -1;
}

int os_load_running(int fd)
{
    (void)fd;
    return 0;
}

int os_fork_watch(void (*tell)(void))
{
    (void)tell;
    return 0;
}
