/* What a process is said to hold of shared memory is what it has taken, whichever way. */
#include <cases.h>

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/shm.h>
#include <sys/stat.h>

#include <cjson/cJSON.h>

#include "ipcmark/footprint.h"

enum { BYTES = 1 << 20, SKIPPED = 77 };

/* All shared memory; *files: how many there are. */
static double shared_bytes(int *files)
{
    cJSON *reply = cJSON_CreateObject();
    const cJSON *file;
    double bytes = 0;

    if (ipcmark_footprint(reply) != 0)
        bytes = -1;
    cJSON_ArrayForEach(file, cJSON_GetObjectItem(reply, "shared"))
    {
        bytes += cJSON_GetArrayItem(file, 1)->valuedouble;
    }
    *files = cJSON_GetArraySize(cJSON_GetObjectItem(reply, "shared"));
    cJSON_Delete(reply);
    return bytes;
}

static void expect_more(double before, int files_before, double bytes, int files)
{
    int files_now;
    double now = shared_bytes(&files_now);

    if (!(now - before == bytes && files_now - files_before == files)) /* whole pages */
        fail_msg("%.0f bytes in %d files more, instead of %.0f in %d", now - before, files_now - files_before, bytes,
                 files);
}

static void segment_of_system_v_counts(void **state)
{
    int files, id = shmget(IPC_PRIVATE, BYTES, IPC_CREAT | 0600);
    double before = shared_bytes(&files);
    void *memory = shmat(id, NULL, 0);
    (void)state;
    assert_int_equal(shmctl(id, IPC_RMID, NULL), 0); /* once nobody has it */
    assert_true(memory != (void *)-1);
    memset(memory, 1, BYTES);
    expect_more(before, files, BYTES, 1);
    assert_int_equal(shmdt(memory), 0);
    expect_more(before, files, 0, 0);
}

static void nameless_file_counts_once(void **state)
{
    int files, fd;
    double before = shared_bytes(&files);
    void *memory;
    (void)state;
    fd = memfd_create("footprint", MFD_CLOEXEC);
    assert_int_equal(posix_fallocate(fd, 0, BYTES), 0); /* nobody has touched it */
    expect_more(before, files, BYTES, 1);
    memory = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    assert_true(memory != MAP_FAILED);
    expect_more(before, files, BYTES, 1);
    memset(memory, 1, BYTES);
    close(fd);
    expect_more(before, files, BYTES, 1);
    munmap(memory, BYTES);
}

static void *map_file(const char *folder, size_t bytes, ino_t *inode)
{
    char path[300];
    struct stat status;
    void *memory = MAP_FAILED;
    int fd;

    snprintf(path, sizeof path, "%s/file", folder);
    fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0 || posix_fallocate(fd, 0, (off_t)bytes) != 0 || fstat(fd, &status) != 0)
        return MAP_FAILED;
    memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, 0);
    *inode = status.st_ino;
    unlink(path);
    close(fd);
    return memory;
}

/* In a process of its own, whose mounts go with it. */
static int look_at_two_file_systems(const char *first, const char *second)
{
    ino_t inodes[2];
    int files_before, files;
    double before;

    if ((unshare(CLONE_NEWNS) != 0 && unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) ||
        mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 || mount("first", first, "tmpfs", 0, NULL) != 0 ||
        mount("second", second, "tmpfs", 0, NULL) != 0)
        return SKIPPED;
    before = shared_bytes(&files_before);
    if (map_file(first, BYTES, &inodes[0]) == MAP_FAILED || map_file(second, 3 * BYTES, &inodes[1]) == MAP_FAILED ||
        inodes[0] != inodes[1]) /* a kernel before 5.9 gives them no numbers that are alike */
        return SKIPPED;
    return shared_bytes(&files) - before == 4.0 * BYTES && files - files_before == 2 ? 0 : 1;
}

static void files_of_two_file_systems_are_two(void **state)
{
    char first[] = "/tmp/footprint.XXXXXX", second[] = "/tmp/footprint.XXXXXX";
    int status;
    pid_t child;
    (void)state;
    assert_non_null(mkdtemp(first));
    assert_non_null(mkdtemp(second));
    child = fork();
    if (child == 0)
        _exit(look_at_two_file_systems(first, second));
    assert_int_equal(waitpid(child, &status, 0), child);
    rmdir(first);
    rmdir(second);
    if (WIFEXITED(status) && WEXITSTATUS(status) == SKIPPED)
        CASES_SKIP("two file systems cannot be mounted here");
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

CASES_MAIN(CASE(segment_of_system_v_counts), CASE(nameless_file_counts_once), CASE(files_of_two_file_systems_are_two))
