/* What lies in the directory under the name of a slot file: any contents, any kind of entry, its owner alive or dead.
 * Only what is ours and stale may be removed. */
#include "directory.h"
#include "endpoint.h"
#include "fuzz.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SLOT_TEXT_MAX = 2048 };
static const unsigned char id[ID_BYTES] = {7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7};

static char path[] = "mmipc-fuzz-XXXXXX"; /* where it was started */
static int directory = -1, kept = -1, first_descriptor;
static size_t kept_size;
static char name[SLOT_NAME_BYTES];
static bool linked; /* the file has that name; it keeps it as long as nobody takes it away: links are slow */

static void remove_directory(void)
{
    unlinkat(directory, name, 0);
    unlinkat(directory, "kept", 0);
    rmdir(path);
}

static void set_up(void)
{
    if (directory >= 0)
        return;
    CHECK(mkdtemp(path) != NULL);
    directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    kept = openat(directory, "kept", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    CHECK(directory >= 0 && kept >= 0);
    slot_json_name(id, name);
    atexit(remove_directory);
    first_descriptor = descriptors_start();
}

enum entry { MISSING, SYMLINK, DIRECTORY, FIFO, SOCKET_NODE, REGULAR };

static void make_entry(enum entry entry, const struct input *input, bool living)
{
    if (linked && entry != REGULAR)
        linked = unlinkat(directory, name, 0) != 0;
    switch (entry) {
    case MISSING:
        break;
    case SYMLINK:
        CHECK(symlinkat("kept", directory, name) == 0);
        break;
    case DIRECTORY:
        CHECK(mkdirat(directory, name, 0700) == 0);
        break;
    case FIFO:
        CHECK(mknodat(directory, name, S_IFIFO | 0600, 0) == 0);
        break;
    case SOCKET_NODE:
        CHECK(mknodat(directory, name, S_IFSOCK | 0600, 0) == 0);
        break;
    case REGULAR:
        CHECK(pwrite(kept, input->at, input->left, 0) == (ssize_t)input->left);
        CHECK(input->left == kept_size || ftruncate(kept, (off_t)input->left) == 0);
        kept_size = input->left;
        CHECK(flock(kept, living ? LOCK_EX : LOCK_UN) == 0);
        CHECK(linked || linkat(directory, "kept", directory, name, 0) == 0);
        linked = true;
    }
}

static bool is_there(void)
{
    struct stat status;
    return fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW) == 0;
}

/* 1: it is one of ours. 0: it is not. */
static bool look(bool regular, bool living, size_t size)
{
    struct slot_view view;
    const int error = slot_look(directory, id, &view);
    if (error != 0)
        return false;
    CHECK(regular && size <= SLOT_TEXT_MAX && view.living == living && view.pid >= 0);
    CHECK(!view.whole || (view.channel[0] != '\0' && memchr(view.channel, '\0', sizeof view.channel) != NULL));
    CHECK(view.fd >= 0);
    slot_look_away(&view);
    return true;
}

static bool skip_none(struct endpoint *endpoint, const unsigned char *of)
{
    (void)endpoint;
    (void)of;
    return false;
}

static void count(struct endpoint *endpoint, const unsigned char *of)
{
    CHECK(memcmp(of, id, ID_BYTES) == 0);
    endpoint->connections++;
}

/* As a publisher that looks for subscribers of its channel, twice: what it need not look at again it knows. */
static void scan(bool living)
{
    static const struct role seeker = {.seeks = true};
    static struct endpoint endpoint = {.role = &seeker, .channel = "c"};
    struct directory_memory memory = {0};
    endpoint.directory = directory;
    for (int i = 0; i < 2; ++i) {
        endpoint.connections = 0;
        directory_scan(&endpoint, &memory, i != 0, skip_none, count);
        CHECK((size_t)endpoint.connections + memory.count <= living);
    }
    directory_forget(&memory);
}

static void examine(const struct input *input, enum entry entry, bool living, bool by_scan)
{
    const bool ours = look(entry == REGULAR, living, input->left), stale = ours && !living;
    if (by_scan) {
        scan(ours && living);
    } else {
        const enum slot_finding finding = slot_examine(directory, id, "c");
        CHECK((finding == SLOT_RECLAIMED) == stale && (ours || finding == SLOT_UNUSABLE));
    }
    if (stale || entry != REGULAR)
        CHECK(is_there() == (entry != MISSING && !stale));
    linked &= !stale;
    if (entry != MISSING && entry != REGULAR)
        CHECK(unlinkat(directory, name, entry == DIRECTORY ? AT_REMOVEDIR : 0) == 0);
}

/* A name that is taken for one of ours is the one that we would give. */
static void parse_name(const struct input *input)
{
    char text[64], again[SLOT_NAME_BYTES];
    unsigned char found[ID_BYTES];
    bool is_socket;
    const size_t length = input->left < sizeof text - 1 ? input->left : sizeof text - 1;
    memcpy(text, input->at, length);
    text[length] = '\0';
    if (!slot_parse_name(text, found, &is_socket))
        return;
    (is_socket ? slot_socket_name : slot_json_name)(found, again);
    CHECK(strcmp(text, again) == 0 && slot_is_name(text) == !is_socket);
}

/* Any channel comes back as it was advertised. */
static void round_trip(struct input *input)
{
    struct slot slot;
    struct slot_view view;
    char channel[CHANNEL_MAX + 1];
    const size_t length = input->left < CHANNEL_MAX ? input->left : CHANNEL_MAX;
    input_bytes(input, channel, length);
    channel[length] = '\0';
    if (channel[0] == '\0')
        return;
    if (linked)
        linked = unlinkat(directory, name, 0) != 0;
    CHECK(slot_create(&slot, directory, "subscriber", id, channel, false) == 0);
    CHECK(slot_ready(&slot) == 0);
    CHECK(slot_look(directory, id, &view) == 0 && view.whole && view.living && view.waiting && !view.publishes);
    CHECK(strcmp(view.channel, channel) == 0 && view.pid == getpid());
    slot_look_away(&view);
    slot_remove(&slot);
    CHECK(!is_there());
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = {data, size};
    const uint8_t what = input_u8(&input);
    set_up();
    if (input.at == NULL)
        return 0;
    if (what % 16 == 15)
        parse_name(&input);
    else if (what % 16 == 14)
        round_trip(&input);
    else {
        make_entry(what % 16 < REGULAR ? (enum entry)(what % 16) : REGULAR, &input, (what & 16) != 0);
        examine(&input, what % 16 < REGULAR ? (enum entry)(what % 16) : REGULAR, (what & 16) != 0, (what & 32) != 0);
    }
    descriptors_check(first_descriptor);
    return 0;
}
