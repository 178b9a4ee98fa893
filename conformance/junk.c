#include "junk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

typedef bool make_fn(junk *, int directory, const char *name, const junk_sample *);

/* ---- things -------------------------------------------------------------------------------------------------------
 */

static bool make_file(int directory, const char *name, mode_t mode, const void *data, size_t size)
{
    const int fd = openat(directory, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    bool made = fd >= 0 && write(fd, data, size) == (ssize_t)size && fchmod(fd, mode) == 0;
    if (fd >= 0)
        close(fd);
    return made;
}

static void fill_random(junk *self, char *data, size_t size)
{
    for (size_t i = 0; i < size; ++i)
        data[i] = (char)stage_random(self->stage, 256);
}

static bool make_text(junk *self, int directory, const char *name, const junk_sample *like)
{
    static const char text[] = "Please do not delete: the measurements of last week.\nid = 7\nsize = 99999999999\n";
    (void)self, (void)like;
    return make_file(directory, name, 0644, text, sizeof text - 1);
}

static bool make_empty(junk *self, int directory, const char *name, const junk_sample *like)
{
    (void)self, (void)like;
    return make_file(directory, name, 0644, "", 0);
}

/* Of one byte and nothing: it takes no room. Smaller where the file system knows no such sizes. */
static bool make_huge(junk *self, int directory, const char *name, const junk_sample *like)
{
    const int fd = openat(directory, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    bool made = fd >= 0 && write(fd, "{", 1) == 1;
    off_t size = (off_t)1 << 40;
    (void)self, (void)like;
    while (made && ftruncate(fd, size) < 0 && size > 1 << 20)
        size >>= 2;
    if (fd >= 0)
        close(fd);
    return made;
}

static bool make_random(junk *self, int directory, const char *name, const junk_sample *like)
{
    char data[3000];
    (void)like;
    fill_random(self, data, sizeof data);
    return make_file(directory, name, 0666, data, sizeof data);
}

static bool make_unreadable(junk *self, int directory, const char *name, const junk_sample *like)
{
    (void)self;
    return make_file(directory, name, 0, like != NULL ? like->contents : "mine", like != NULL ? like->size : 4);
}

static bool make_others(junk *self, int directory, const char *name, const junk_sample *like)
{
    (void)self;
    return make_file(directory, name, 0600, like != NULL ? like->contents : "theirs", like != NULL ? like->size : 6);
}

static bool make_dangling(junk *self, int directory, const char *name, const junk_sample *like)
{
    (void)self, (void)like;
    return symlinkat("../nothing/there", directory, name) == 0;
}

static bool make_loop(junk *self, int directory, const char *name, const junk_sample *like)
{
    (void)self, (void)like;
    return symlinkat(name, directory, name) == 0;
}

static bool make_link_out(junk *self, int directory, const char *name, const junk_sample *like)
{
    (void)like;
    return symlinkat(self->outside, directory, name) == 0;
}

static bool make_fifo(junk *self, int directory, const char *name, const junk_sample *like)
{
    (void)self, (void)like;
    return mkfifoat(directory, name, 0666) == 0;
}

/* By way of the descriptor: the name of a socket may be no longer than 107 bytes. */
static bool make_socket(junk *self, int directory, const char *name, const junk_sample *like)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool made;
    (void)self, (void)like;
    if (fd < 0 || strlen(name) > 80) {
        if (fd >= 0)
            close(fd);
        return false;
    }
    snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d/%.80s", directory, name);
    made = bind(fd, (const struct sockaddr *)&address, sizeof address) == 0;
    close(fd);
    return made;
}

static bool make_folder(junk *self, int directory, const char *name, const junk_sample *like)
{
    (void)self, (void)like;
    return mkdirat(directory, name, 0777) == 0;
}

static bool make_copy(junk *self, int directory, const char *name, const junk_sample *like)
{
    (void)self;
    return S_ISFIFO(like->type) ? mkfifoat(directory, name, 0600) == 0
                                : make_file(directory, name, 0600, like->contents, like->size);
}

static bool make_truncated(junk *self, int directory, const char *name, const junk_sample *like)
{
    return make_file(directory, name, 0600, like->contents, like->size > 1 ? stage_random(self->stage, like->size) : 0);
}

static bool make_flipped(junk *self, int directory, const char *name, const junk_sample *like)
{
    char data[JUNK_SAMPLE_BYTES];
    memcpy(data, like->contents, like->size);
    for (unsigned i = 0; i < 4 && like->size > 0; ++i)
        data[stage_random(self->stage, like->size)] ^= (char)(1u << stage_random(self->stage, 7));
    return make_file(directory, name, 0600, data, like->size);
}

static bool make_appended(junk *self, int directory, const char *name, const junk_sample *like)
{
    char data[JUNK_SAMPLE_BYTES + 1000];
    memcpy(data, like->contents, like->size);
    fill_random(self, data + like->size, 1000);
    return make_file(directory, name, 0600, data, like->size + 1000);
}

/* The last four are made of something learnt, and have no name of their own. */
static const struct {
    const char *what, *name;
    make_fn *make;
} kinds[JUNK_KINDS] = {
    {"a text", "README.txt", make_text},
    {"an empty file", ".lock", make_empty},
    {"a file of 1 TiB, all of it a hole", "disk.img", make_huge},
    {"random bytes", "core", make_random},
    {"a file that nobody may read", "secret", make_unreadable},
    {"a file of another user", "theirs.json", make_others},
    {"a link to nothing", "latest", make_dangling},
    {"a link to itself", "self", make_loop},
    {"a link to a file outside", "log", make_link_out},
    {"a FIFO", "pipe", make_fifo},
    {"a socket", "agent.sock", make_socket},
    {"a folder", "lost+found", make_folder},
    {"a copy of a file of its own", NULL, make_copy},
    {"the beginning of a file of its own", NULL, make_truncated},
    {"a file of its own with bits flipped", NULL, make_flipped},
    {"a file of its own with bytes behind it", NULL, make_appended},
};

enum { KIND_OTHERS = 5 };

/* ---- remembering them ---------------------------------------------------------------------------------------------
 */

static uint64_t digest_of(const char *path)
{
    unsigned char data[4096];
    uint64_t digest = 0xCBF29CE484222325u;
    const int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    const ssize_t size = fd < 0 ? 0 : read(fd, data, sizeof data);
    for (ssize_t i = 0; i < size; ++i)
        digest = (digest ^ data[i]) * 0x100000001B3u;
    if (fd >= 0)
        close(fd);
    return digest;
}

static bool remember(junk *self, const char *path, const char *kind, bool foreign)
{
    junk_file *file = &self->files[self->count];
    const int error = self->count == JUNK_FILES ? ENOSPC : lstat(path, &file->status) < 0 ? errno : 0;
    if (!foreign && error == ENOENT)
        return true; /* taken for what a dead one left, it was cleared away already */
    if (error != 0 || (file->path = strdup(path)) == NULL)
        return stage_object(self->stage, IPCMARK_CLASS_NONE, "%s cannot be looked after", path);
    file->kind = kind;
    file->foreign = foreign;
    file->digest = S_ISREG(file->status.st_mode) ? digest_of(path) : 0;
    ++self->count;
    return true;
}

bool junk_open(junk *self, stage *on, const char *directory, unsigned user)
{
    const char *elsewhere = ipcmark_trial_new_directory(on->trial);
    static const char text[] = "This was here before.\n";
    memset(self, 0, sizeof *self);
    self->stage = on;
    self->user = user;
    snprintf(self->directory, sizeof self->directory, "%s", directory);
    self->samples = calloc(JUNK_SAMPLES, sizeof *self->samples);
    if (elsewhere == NULL || self->samples == NULL)
        return stage_object(on, IPCMARK_CLASS_NONE, "no room for what is to be strewn");
    snprintf(self->outside, sizeof self->outside, "%.4000s/outside", elsewhere);
    return (make_file(AT_FDCWD, self->outside, 0666, text, sizeof text - 1) &&
            (user == 0 || chown(self->outside, user, user) == 0) &&
            remember(self, self->outside, "a file outside, that a link points to", true)) ||
           stage_object(on, IPCMARK_CLASS_NONE, "%s cannot be made", self->outside);
}

/* ---- learning -----------------------------------------------------------------------------------------------------
 */

static void learn_one(junk *self, int directory, const char *name)
{
    junk_sample *sample = &self->samples[self->sample_count];
    struct stat status;
    if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || strlen(name) >= sizeof sample->name ||
        fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW) < 0)
        return;
    snprintf(sample->name, sizeof sample->name, "%s", name);
    sample->type = status.st_mode & S_IFMT;
    sample->size = 0;
    if (S_ISREG(status.st_mode)) {
        const int fd = openat(directory, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
        const ssize_t size = fd < 0 ? 0 : read(fd, sample->contents, sizeof sample->contents);
        sample->size = size > 0 ? (size_t)size : 0;
        if (fd >= 0)
            close(fd);
    }
    stage_log(self->stage, "learnt: %s, %zu bytes", sample->name, sample->size);
    ++self->sample_count;
}

bool junk_learn(junk *self)
{
    DIR *entries = opendir(self->directory);
    if (entries == NULL)
        return stage_object(self->stage, IPCMARK_CLASS_NONE, "%s cannot be read", self->directory);
    for (const struct dirent *entry; self->sample_count < JUNK_SAMPLES && (entry = readdir(entries)) != NULL;)
        learn_one(self, dirfd(entries), entry->d_name);
    closedir(entries);
    if (self->sample_count == 0)
        stage_log(self->stage, "nothing was there to be learnt, although directory_files is claimed");
    return self->sample_count > 0 || !stage_claims(self->stage, IPCMARK_CAP_DIRECTORY_FILES);
}

/* ---- strewing -----------------------------------------------------------------------------------------------------
 */

static char other_of(stage *on, const char *class_, char now)
{
    const size_t count = strlen(class_);
    char other = now;
    while (other == now)
        other = class_[stage_random(on, count)];
    return other;
}

/* As its name, with one letter or digit before the dot changed into another of its kind; a dot that it begins with is
 * not that dot. */
static bool name_like(junk *self, const junk_sample *sample, int directory, char *name, size_t size)
{
    struct stat status;
    for (unsigned tries = 0; tries < 100; ++tries) {
        const size_t dots = strspn(sample->name, "."), stem = strcspn(sample->name + dots, ".");
        char *at;
        snprintf(name, size, "%s", sample->name);
        if (stem == 0)
            return false;
        at = &name[dots + stage_random(self->stage, stem)];
        if (strchr("0123456789abcdef", *at) != NULL)
            *at = other_of(self->stage, "0123456789abcdef", *at);
        else if (*at >= 'a' && *at <= 'z')
            *at = other_of(self->stage, "ghijklmnopqrstuvwxyz", *at);
        else
            continue;
        if (fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW) < 0 && errno == ENOENT)
            return true;
    }
    return false;
}

static bool put(junk *self, unsigned kind, int directory, const char *name, const junk_sample *like)
{
    char path[sizeof self->directory + 260];
    snprintf(path, sizeof path, "%s/%s", self->directory, name);
    if (!kinds[kind].make(self, directory, name, like))
        return stage_object(self->stage, IPCMARK_CLASS_NONE, "%s cannot be made as %s: %s", kinds[kind].what, path,
                            strerror(errno));
    if (self->user != 0 && kind != KIND_OTHERS &&
        fchownat(directory, name, self->user, self->user, AT_SYMLINK_NOFOLLOW) < 0 && (like == NULL || errno != ENOENT))
        return stage_object(self->stage, IPCMARK_CLASS_NONE, "%s cannot be given away", path);
    stage_log(self->stage, "%s: %s", kinds[kind].what, name);
    return remember(self, path, kinds[kind].what, like == NULL);
}

bool junk_strew(junk *self, unsigned kind)
{
    const int directory = open(self->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool done = directory >= 0;
    char name[256];
    if (kind == KIND_OTHERS && self->user == 0) {
        stage_log(self->stage, "%s: left out, only root can make one", kinds[kind].what);
        if (directory >= 0)
            close(directory);
        return true;
    }
    if (done && kinds[kind].name != NULL)
        done = put(self, kind, directory, kinds[kind].name, NULL);
    for (size_t i = 0; done && i < self->sample_count; ++i)
        if (name_like(self, &self->samples[i], directory, name, sizeof name))
            done = put(self, kind, directory, name, &self->samples[i]);
    if (directory >= 0)
        close(directory);
    return done;
}

/* ---- looking after it ---------------------------------------------------------------------------------------------
 */

static bool is_as_it_was(const junk_file *file, char *what, size_t what_size)
{
    struct stat now;
    const struct stat *before = &file->status;
    const char *changed = NULL;
    if (lstat(file->path, &now) < 0)
        changed = "is gone";
    else if (now.st_ino != before->st_ino || now.st_mode != before->st_mode || now.st_uid != before->st_uid)
        changed = "is another one now, or another's";
    else if (S_ISREG(now.st_mode) && (now.st_size != before->st_size || digest_of(file->path) != file->digest))
        changed = "has other contents";
    snprintf(what, what_size, "%s", changed != NULL ? changed : "");
    return changed == NULL;
}

bool junk_check(junk *self, const char *when)
{
    bool all = true;
    char what[64];
    for (size_t i = 0; i < self->count; ++i)
        if (self->files[i].foreign && !is_as_it_was(&self->files[i], what, sizeof what))
            all = stage_object(self->stage, IPCMARK_CORRUPT,
                               "what belongs to others must stay as it is, and %s %s %s: %s", self->files[i].kind, what,
                               when, self->files[i].path);
    return all;
}

void junk_close(junk *self)
{
    for (size_t i = 0; i < self->count; ++i) {
        if (unlink(self->files[i].path) < 0 && errno != ENOENT)
            rmdir(self->files[i].path);
        free(self->files[i].path);
    }
    free(self->samples);
    self->samples = NULL;
    self->count = 0;
}
