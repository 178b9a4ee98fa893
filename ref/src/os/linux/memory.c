#include "../os.h"
#include "descriptor.h"
#include "limit.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MOST_POPULATED = 64 << 20 };
enum { SEALS = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE | F_SEAL_SEAL };

int os_memory_create(size_t bytes)
{
    int fd;
    if (limit_forbids_file(bytes))
        return -EFBIG;
    descriptor_hold();
    fd = descriptor_keep(memfd_create("mmipc", MFD_CLOEXEC | MFD_ALLOW_SEALING));
    if (fd < 0)
        return fd;
    if (fallocate(fd, 0, 0, (off_t)bytes) != 0) {
        int error = errno == ENOSPC ? ENOMEM : errno;
        os_close(fd);
        return -error;
    }
    return fd;
}

int os_memory_seal(int fd)
{
    return fcntl(fd, F_ADD_SEALS, SEALS) == 0 ? 0 : -errno;
}

int os_memory_check(int fd, size_t bytes)
{
    struct stat status;
    int seals = fcntl(fd, F_GET_SEALS);
    if (seals < 0 || (seals & SEALS) != SEALS)
        return -EPROTO;
    if (fstat(fd, &status) != 0 || status.st_size < 0 || (size_t)status.st_size != bytes)
        return -EPROTO;
    if (status.st_blocks < 0 || (size_t)status.st_blocks * 512 < bytes) /* holes would be filled at our expense */
        return -EPROTO;
    return 0;
}

static int map(int fd, size_t header_bytes, size_t ring_bytes, bool writable, void **out)
{
    const int protection = writable ? PROT_READ | PROT_WRITE : PROT_READ;
    /* Populated: the first lap must not fault page by page. But who maps much must not stand still for long. */
    const int flags = MAP_SHARED | MAP_FIXED | (header_bytes + ring_bytes <= MOST_POPULATED ? MAP_POPULATE : 0);
    const size_t span = header_bytes + 2 * ring_bytes;
    char *base = mmap(NULL, span, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    int error;
    if (base == MAP_FAILED)
        return -errno;
    if (mmap(base, header_bytes + ring_bytes, protection, flags, fd, 0) == MAP_FAILED)
        goto fail;
    if (ring_bytes != 0 &&
        mmap(base + header_bytes + ring_bytes, ring_bytes, protection, flags, fd, (off_t)header_bytes) == MAP_FAILED)
        goto fail;
    madvise(base, span, MADV_DONTFORK);
    *out = base;
    return 0;
fail:
    error = errno;
    munmap(base, span);
    return -error;
}

int os_memory_map(int fd, size_t header_bytes, size_t ring_bytes, bool writable, void **out)
{
    int error;
    descriptor_hold(); /* until it is marked: a child forked before that would keep the memory */
    error = map(fd, header_bytes, ring_bytes, writable, out);
    descriptor_release();
    return error;
}

void os_memory_unmap(void *base, size_t header_bytes, size_t ring_bytes)
{
    if (base != NULL)
        munmap(base, header_bytes + 2 * ring_bytes);
}
