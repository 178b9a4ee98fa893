/* The handshake, as each side hears it: any mails with any descriptors, over a real socket, in any order, with the
 * control thread's own steps in between. Whatever is said, when the caller is gone nothing of it may be left. */
#include "fuzz.h"
#include "reach.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

enum {
    MOST_STEPS = 40,
    MOST_HELD = 4,
    WRITER_PAGE = 0,
    READER_PAGE = 1,
    RING = 2,
    FILE_SEALED = 4,
    WAKE = 5,
    DESCRIPTORS = 16
};

static struct wait_room {
    mmipc_publisher *publisher;
    mmipc_subscriber *subscriber;
    char path[32];
    int offered[DESCRIPTORS];
    int first_descriptor;              /* of an input's */
    unsigned char *pages[DESCRIPTORS]; /* those that can be written to after all */
} room;

static struct caller {
    struct input input;
    struct endpoint *endpoint;
    int fd;
    mmipc_message *held[MOST_HELD];
} caller;

static int end_for_publisher, mappings;

int __wrap_os_socket_peer(int fd, struct os_peer *out);                        // NOLINT: the linker's names
int __wrap_os_socket_connect(int directory, const char *name);                 // NOLINT
int __wrap_thread_start(pthread_t *out, void *(*run)(void *), void *argument); // NOLINT

/* What lies in the directory is for the fuzzer of slots, and takes half of the time. */
void __wrap_place_check(struct endpoint *endpoint);                                                // NOLINT
void __wrap_directory_scan(struct endpoint *endpoint, struct directory_memory *memory, bool whole, // NOLINT
                           bool (*skip)(struct endpoint *endpoint, const unsigned char *id),
                           void (*found)(struct endpoint *endpoint, const unsigned char *id));

int __real_os_memory_map(int fd, size_t header_bytes, size_t ring_bytes, bool writable, void **out); // NOLINT
int __wrap_os_memory_map(int fd, size_t header_bytes, size_t ring_bytes, bool writable, void **out); // NOLINT
void __real_os_memory_unmap(void *base, size_t header_bytes, size_t ring_bytes);                     // NOLINT
void __wrap_os_memory_unmap(void *base, size_t header_bytes, size_t ring_bytes);                     // NOLINT

int __wrap_os_memory_map(int fd, size_t header_bytes, size_t ring_bytes, bool writable, void **out) // NOLINT
{
    const int error = __real_os_memory_map(fd, header_bytes, ring_bytes, writable, out);
    mappings += error == 0;
    return error;
}

void __wrap_os_memory_unmap(void *base, size_t header_bytes, size_t ring_bytes) // NOLINT
{
    mappings -= base != NULL;
    __real_os_memory_unmap(base, header_bytes, ring_bytes);
}

int __wrap_os_socket_peer(int fd, struct os_peer *out) // NOLINT
{
    (void)fd;
    *out = (struct os_peer){.pid = getpid() + 1, .uid = geteuid(), .pidfd = -1};
    return 0;
}

int __wrap_os_socket_connect(int directory, const char *name) // NOLINT
{
    const int fd = end_for_publisher;
    (void)directory;
    (void)name;
    end_for_publisher = -ECONNREFUSED; /* a scan that finds the subscriber beside it */
    return fd;
}

int __wrap_thread_start(pthread_t *out, void *(*run)(void *), void *argument) // NOLINT
{
    (void)out;
    (void)run;
    (void)argument;
    return 0;
}

void __wrap_place_check(struct endpoint *endpoint) // NOLINT
{
    (void)endpoint;
}

void __wrap_directory_scan(struct endpoint *endpoint, struct directory_memory *memory, bool whole, // NOLINT
                           bool (*skip)(struct endpoint *endpoint, const unsigned char *id),
                           void (*found)(struct endpoint *endpoint, const unsigned char *id))
{
    (void)endpoint;
    (void)memory;
    (void)whole;
    (void)skip;
    (void)found;
}

static int memory(size_t bytes, int seals, unsigned char **view)
{
    const int fd = memfd_create("fuzz", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    CHECK(fd >= 0 && fallocate(fd, 0, 0, (off_t)bytes) == 0);
    *view = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    CHECK(*view != MAP_FAILED && (seals == 0 || fcntl(fd, F_ADD_SEALS, seals) == 0));
    return fd;
}

static void close_room(void)
{
    place_leave(&room.publisher->endpoint);
    place_leave(&room.subscriber->endpoint);
    mmipc_publisher_close(room.publisher);
    mmipc_subscriber_close(room.subscriber);
    rmdir(room.path);
}

static void offer(void)
{
    const int all = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE | F_SEAL_SEAL;
    int pair[2], ends[2];
    room.offered[WRITER_PAGE] = memory(LAYOUT_PAGE_BYTES, all, &room.pages[WRITER_PAGE]);
    room.offered[READER_PAGE] = memory(LAYOUT_PAGE_BYTES, all, &room.pages[READER_PAGE]);
    room.offered[RING] = memory(LAYOUT_PAGE_BYTES, all, &room.pages[RING]);
    room.offered[3] = memory(2 * LAYOUT_PAGE_BYTES, all, &room.pages[3]);
    room.offered[FILE_SEALED] = memory(5000, all, &room.pages[FILE_SEALED]);
    CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) == 0);
    room.offered[WAKE] = pair[1];
    room.offered[6] = memory(LAYOUT_PAGE_BYTES, 0, &room.pages[6]);
    room.offered[7] = memory(LAYOUT_PAGE_BYTES, F_SEAL_SHRINK | F_SEAL_GROW, &room.pages[7]);
    room.offered[8] = memory(1, all, &room.pages[8]);
    room.offered[9] = memfd_create("fuzz", MFD_CLOEXEC | MFD_ALLOW_SEALING); /* a hole */
    CHECK(ftruncate(room.offered[9], LAYOUT_PAGE_BYTES) == 0 && fcntl(room.offered[9], F_ADD_SEALS, all) == 0);
    CHECK(pipe2(ends, O_CLOEXEC | O_NONBLOCK) == 0);
    room.offered[10] = ends[0];
    room.offered[11] = ends[1];
    CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) == 0);
    room.offered[12] = pair[0];
    room.offered[13] = open("/dev/null", O_RDWR | O_CLOEXEC);
    room.offered[14] = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    room.offered[15] = memory((size_t)16 * LAYOUT_PAGE_BYTES, all, &room.pages[15]);
}

static void set_up(void)
{
    mmipc_options options;
    if (room.publisher != NULL)
        return;
    strcpy(room.path, "mmipc-fuzz-XXXXXX");
    CHECK(mkdtemp(room.path) != NULL);
    mmipc_options_init(&options, sizeof options);
    options.when_full = MMIPC_WHEN_FULL_FAIL;
    options.max_backlog_bytes = 1 << 20;
    CHECK(mmipc_subscriber_open(&room.subscriber, "c", room.path, NULL, NULL, NULL) == 0);
    CHECK(mmipc_publisher_open(&room.publisher, "c", room.path, &options) == 0);
    room.publisher->endpoint.control_running = room.subscriber->endpoint.control_running = false;
    room.publisher->first_ring_bytes = room.publisher->first_limit = LAYOUT_PAGE_BYTES;
    atexit(close_room);
    offer();
    room.first_descriptor = descriptors_start();
}

/* Each input finds the same. */
static void clean(void)
{
    const struct writer_page writer = {
        .magic = LAYOUT_WRITER_MAGIC, .version = LAYOUT_VERSION, .fingerprint = layout_fingerprint()};
    const struct reader_page reader = {
        .magic = LAYOUT_READER_MAGIC, .version = LAYOUT_VERSION, .fingerprint = layout_fingerprint()};
    memcpy(room.pages[WRITER_PAGE], &writer, sizeof writer);
    memcpy(room.pages[READER_PAGE], &reader, sizeof reader);
    memset(room.pages[RING], 0, LAYOUT_PAGE_BYTES);
}

static void send_mail(const struct wire_message *message, size_t size, const int *fds, size_t count)
{
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof(int) * 8)];
    } control;
    struct iovec piece = {.iov_base = (void *)(uintptr_t)message, .iov_len = size};
    struct msghdr mail = {.msg_iov = &piece, .msg_iovlen = 1};
    if (count > 0) {
        memset(&control, 0, sizeof control);
        mail.msg_control = control.bytes;
        mail.msg_controllen = CMSG_SPACE(sizeof(int) * count);
        control.header.cmsg_level = SOL_SOCKET;
        control.header.cmsg_type = SCM_RIGHTS;
        control.header.cmsg_len = CMSG_LEN(sizeof(int) * count);
        memcpy(CMSG_DATA(&control.header), fds, sizeof(int) * count);
    }
    sendmsg(caller.fd, &mail, MSG_NOSIGNAL | MSG_DONTWAIT); /* it may have hung up */
}

/* What an honest peer would say at some time, spoilt in a field or more. */
static void say(void)
{
    static const int honest[][3] = {[WIRE_RING] = {WRITER_PAGE, RING, WAKE},
                                    [WIRE_WELCOME] = {READER_PAGE, WAKE},
                                    [WIRE_NEXT] = {3},
                                    [WIRE_PAYLOAD] = {FILE_SEALED}};
    static const size_t usual[] = {[WIRE_RING] = 3, [WIRE_WELCOME] = 2, [WIRE_NEXT] = 1, [WIRE_PAYLOAD] = 1, [12] = 0};
    static const uint64_t bytes[] = {
        [WIRE_RING] = LAYOUT_PAGE_BYTES, [WIRE_NEXT] = 2 * LAYOUT_PAGE_BYTES, [WIRE_PAYLOAD] = 5000, [12] = 0};
    const uint8_t type = input_u8(&caller.input) % 12, spoilt = input_u8(&caller.input);
    struct wire_message message;
    size_t count = usual[type], size = sizeof message;
    int fds[8];
    wire_prepare(&message, type);
    memset(message.publisher, 7, ID_BYTES);
    memset(message.subscriber, 7, ID_BYTES);
    if (type == WIRE_HELLO)
        memcpy(message.subscriber, caller.endpoint->id, ID_BYTES);
    strcpy(message.channel, "c");
    message.ping_interval_ms = 1000;
    message.bytes = bytes[type];
    for (size_t i = 0; i < count; ++i)
        fds[i] = room.offered[honest[type][i]];
    if ((spoilt & 1) != 0) {
        count = input_u8(&caller.input) % 8;
        for (size_t i = 0; i < count; ++i)
            fds[i] = room.offered[input_u8(&caller.input) % DESCRIPTORS];
    }
    if ((spoilt & 2) != 0)
        message.bytes = (uint64_t)LAYOUT_PAGE_BYTES << input_u8(&caller.input) % 52;
    if ((spoilt & 4) != 0)
        message.name = input_u64(&caller.input);
    if ((spoilt & 8) != 0)
        size = input_u16(&caller.input) % sizeof message;
    if ((spoilt & 16) != 0) /* any byte of it */
        ((unsigned char *)&message)[input_u16(&caller.input) % sizeof message] = input_u8(&caller.input);
    if ((spoilt & 32) != 0)
        message.reason = message.ping_interval_ms = (uint32_t)input_u64(&caller.input);
    if ((spoilt & 64) != 0)
        input_bytes(&caller.input, message.channel, sizeof message.channel);
    send_mail(&message, size, fds, count);
}

static void hear(void)
{
    struct peer *next;
    for (struct peer *peer = caller.endpoint->peers; peer != NULL; peer = next) {
        next = peer->next;
        if (peer->socket.fd >= 0)
            peer->socket.ready(caller.endpoint, &peer->socket);
    }
}

static void throw_away_mail(void)
{
    struct wire_message message;
    while (recv(caller.fd, &message, sizeof message, MSG_DONTWAIT) > 0) /* its descriptors are closed by the system */
        ;
}

static void use(void)
{
    static const char data[3000];
    const uint8_t what = input_u8(&caller.input);
    mmipc_message **place = &caller.held[what % MOST_HELD];
    if (caller.endpoint == &room.publisher->endpoint) {
        mmipc_publish(room.publisher, data, what * 11u);
    } else if (*place != NULL) {
        mmipc_message_release(*place);
        *place = NULL;
    } else if (mmipc_subscriber_receive(room.subscriber, place, 0) == 0) {
        const mmipc_part *parts;
        const size_t count = mmipc_message_parts(*place, &parts);
        for (size_t i = 0; i < count; ++i) /* a fault if it is not mapped */
            CHECK(parts[i].size == 0 ||
                  ((const volatile unsigned char *)parts[i].data)[parts[i].size - 1] <= UINT8_MAX);
    }
}

static void write_memory(void)
{
    const uint8_t which = input_u8(&caller.input) % 3;
    const size_t at = (size_t)input_u8(&caller.input) * 8;
    uint64_t value = input_u64(&caller.input);
    memcpy(room.pages[which] + at, &value, sizeof value);
}

static void control(void)
{
    const uint8_t what = input_u8(&caller.input);
    const int64_t now_ns = os_now_ns() + (int64_t)what % 16 * 500000000;
    if ((what & 16) != 0)
        reach_control_tick(caller.endpoint, now_ns);
    reach_control_sweep(caller.endpoint, now_ns);
}

static void step(void)
{
    switch (input_u8(&caller.input) % 12) {
    case 0:
    case 1:
    case 2:
    case 3:
        say();
        break;
    case 4:
    case 5:
    case 6:
        hear();
        break;
    case 7:
        use();
        break;
    case 8:
        write_memory();
        break;
    case 9:
        control();
        break;
    case 10:
        throw_away_mail();
        break;
    case 11:
        shutdown(caller.fd, input_u8(&caller.input) % 3);
        break;
    }
}

static void begin(bool to_publisher)
{
    static const unsigned char id[ID_BYTES] = {7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7};
    int ends[2];
    CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) == 0);
    caller.fd = ends[0];
    caller.endpoint = to_publisher ? &room.publisher->endpoint : &room.subscriber->endpoint;
    if (to_publisher) {
        end_for_publisher = ends[1];
        reach_found(caller.endpoint, id);
    } else {
        caller.endpoint->role->accepted(caller.endpoint, ends[1]);
    }
    CHECK(caller.endpoint->peers != NULL);
}

/* The caller hangs up: its pair must go, with everything. */
static void end(void)
{
    mmipc_message *message;
    close(caller.fd);
    for (int i = 0; i < 100 && caller.endpoint->peers != NULL; ++i) {
        hear();
        while (caller.endpoint == &room.subscriber->endpoint &&
               mmipc_subscriber_receive(room.subscriber, &message, 0) == 0)
            mmipc_message_release(message);
        reach_control_sweep(caller.endpoint, os_now_ns());
    }
    for (int i = 0; i < MOST_HELD; ++i) /* they outlive the pair */
        mmipc_message_release(caller.held[i]);
    CHECK(caller.endpoint->peers == NULL && caller.endpoint->connections == 0);
    CHECK(room.subscriber->inlet_count == 0 && room.subscriber->added_count == 0);
    CHECK(room.publisher->outlet_count == 0 && room.publisher->ring_bytes == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    set_up();
    clean();
    memset(&caller, 0, sizeof caller);
    caller.input = (struct input){data, size};
    begin((input_u8(&caller.input) & 1) != 0);
    for (int steps = 0; steps < MOST_STEPS && caller.input.left > 0; ++steps)
        step();
    end();
    descriptors_check(room.first_descriptor);
    CHECK(mappings == 0);
    return 0;
}
