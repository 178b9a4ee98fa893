#include "ring.h"

#include <assert.h>
#include <errno.h>
#include <linux/futex.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { CONTROL_BYTES = 4096 };

/* Looks in vain before a reader that polls lets others run between two looks: about a millisecond. While messages come
 * it never does; before and after, the machine is being measured by others. */
enum { PATIENT_LOOKS = 1 << 20, GATHER_PAUSES = 32 };

/*  0               8               16 … 16 + size
 *  | commit        | size  | zero  | the message | up to a multiple of 64 */
struct record {
    atomic_ullong commit; /* the record's position + 1: zeroed memory and older records have another */
    uint32_t size, zero;
};
static_assert(sizeof(struct record) == 16, "as the framing of the rows says");

struct shared {
    _Alignas(128) atomic_ullong tail; /* written by the consumer: bytes that it has done with */
    _Alignas(128) atomic_uint wakes;  /* written by the producer: a futex */
};

struct ring {
    struct shared *shared;
    unsigned char *data;
    size_t capacity;   /* a power of two */
    uint64_t position; /* our own: the producer's next byte, or the consumer's */
    uint64_t told;     /* consumer: the tail as stored last; producer: as loaded last */
};

static size_t record_bytes(size_t size)
{
    return (sizeof(struct record) + size + 63) & ~(size_t)63;
}

int ring_memory_create(int *out, size_t message_bytes)
{
    size_t capacity = RING_CAPACITY;
    int fd;

    if (message_bytes > RING_MESSAGE_MOST)
        return -EMSGSIZE;
    while (capacity < 2 * record_bytes(message_bytes))
        capacity *= 2;
    fd = memfd_create("bare-ring", MFD_CLOEXEC);
    if (fd < 0)
        return -errno;
    if (ftruncate(fd, (off_t)(CONTROL_BYTES + capacity)) != 0) {
        int error = errno;
        close(fd);
        return -error;
    }
    *out = fd;
    return 0;
}

/* The data twice, in the middle of one reservation, so that nothing else can come between. */
static unsigned char *map_twice(int fd, size_t capacity)
{
    unsigned char *base = mmap(NULL, 2 * capacity, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (base == MAP_FAILED)
        return NULL;
    for (size_t half = 0; half < 2; ++half)
        if (mmap(base + half * capacity, capacity, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED | MAP_POPULATE, fd,
                 CONTROL_BYTES) == MAP_FAILED) {
            munmap(base, 2 * capacity);
            return NULL;
        }
    return base;
}

int ring_attach(struct ring **out, int fd)
{
    struct ring *ring = calloc(1, sizeof *ring);
    struct stat file;

    if (ring == NULL)
        return -ENOMEM;
    if (fstat(fd, &file) != 0 || file.st_size < CONTROL_BYTES + RING_CAPACITY) {
        free(ring);
        return -EINVAL;
    }
    ring->capacity = (size_t)file.st_size - CONTROL_BYTES;
    ring->shared = mmap(NULL, CONTROL_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    ring->data = map_twice(fd, ring->capacity);
    if (ring->shared == MAP_FAILED || ring->data == NULL) {
        ring_detach(ring);
        return -ENOMEM;
    }
    *out = ring;
    return 0;
}

void ring_detach(struct ring *ring)
{
    if (ring == NULL)
        return;
    if (ring->shared != MAP_FAILED)
        munmap(ring->shared, CONTROL_BYTES);
    if (ring->data != NULL)
        munmap(ring->data, 2 * ring->capacity);
    free(ring);
}

/* Where the record at our position is. */
static struct record *record_at(const struct ring *ring)
{
    return (struct record *)(void *)(ring->data + (ring->position & (ring->capacity - 1)));
}

static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static __attribute__((noinline)) int wait_for_room(struct ring *ring, size_t bytes)
{
    uint64_t since = 0, before = ring->told;

    for (unsigned long looks = 1;; ++looks) {
        ring->told = atomic_load_explicit(&ring->shared->tail, memory_order_acquire);
        if (ring->position + bytes - ring->told <= ring->capacity)
            return 0;
        if (looks % 65536 != 0)
            continue;
        if (since == 0 || ring->told != before)
            since = now_ns(), before = ring->told;
        else if (now_ns() - since > 1000000000u)
            return -ETIMEDOUT;
    }
}

int ring_publish(struct ring *ring, const void *message, size_t size)
{
    size_t bytes = record_bytes(size);
    struct record *record = record_at(ring);

    if (bytes > ring->capacity)
        return -EMSGSIZE;
    if (ring->position + bytes - ring->told > ring->capacity) {
        int result = wait_for_room(ring, bytes);
        if (result < 0)
            return result;
    }
    memcpy(record + 1, message, size);
    record->size = (uint32_t)size;
    atomic_store_explicit(&record->commit, ring->position + 1, memory_order_release);
    ring->position += bytes;
    return 0;
}

static void tell_tail(struct ring *ring)
{
    ring->told = ring->position;
    atomic_store_explicit(&ring->shared->tail, ring->position, memory_order_release);
}

bool ring_receive(struct ring *ring, ipcmark_deliver_fn *deliver, void *context)
{
    struct record *record = record_at(ring);
    ipcmark_part part;

    if (atomic_load_explicit(&record->commit, memory_order_acquire) != ring->position + 1) {
        if (ring->told != ring->position)
            tell_tail(ring);
        return false;
    }
    part.data = record + 1;
    part.size = record->size;
    deliver(context, &part, 1);
    ring->position += record_bytes(part.size);
    if (ring->position - ring->told >=
        ring->capacity / 16) /* seldom: each telling takes the line away from the producer */
        tell_tail(ring);
    return true;
}

static void let_gather(void)
{
    for (int i = 0; i < GATHER_PAUSES; ++i)
#if defined(__x86_64__) || defined(__i386__)
        __builtin_ia32_pause();
#else
        atomic_signal_fence(memory_order_seq_cst);
#endif
}

void ring_serve(struct ring *ring, bool gather, ipcmark_deliver_fn *deliver, void *context, const atomic_bool *stopping)
{
    const unsigned patient_looks = gather ? PATIENT_LOOKS / GATHER_PAUSES : PATIENT_LOOKS;
    unsigned looks = 0;

    while (!atomic_load_explicit(stopping, memory_order_relaxed)) { /* nothing else is handed over by it */
        if (ring_receive(ring, deliver, context))
            looks = 0;
        else if (++looks > patient_looks)
            sched_yield();
        else if (gather)
            let_gather();
    }
}

unsigned ring_wakes(const struct ring *ring)
{
    return atomic_load_explicit(&ring->shared->wakes, memory_order_acquire); /* with it the records before the wake */
}

/* It may return for nothing: the caller looks again anyway. */
void ring_sleep(struct ring *ring, unsigned wakes)
{
    (void)syscall(SYS_futex, &ring->shared->wakes, FUTEX_WAIT, wakes, NULL, NULL, 0);
}

void ring_wake(struct ring *ring)
{
    atomic_fetch_add_explicit(&ring->shared->wakes, 1, memory_order_release);
    (void)syscall(SYS_futex, &ring->shared->wakes, FUTEX_WAKE, 1, NULL, NULL, 0);
}
