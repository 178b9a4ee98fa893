#include "ordinary.h"
#include "surroundings.h"

#include <errno.h>
#include <ftw.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PING_MS = 200 };

static const size_t sizes[] = {100, 64, 4000, 256};
static const ipcmark_publish_options some = {
    .count = 200, .sizes = sizes, .sizes_count = COUNT_OF(sizes), .overwrite = true};

static bool passes(stage *self)
{
    return stage_publish_all(self, &some) && stage_drain(self);
}

/* ---- the directory itself -----------------------------------------------------------------------------------------
 */

static bool make_folder(stage *self, const ordinary *how, const char *path)
{
    return (mkdir(path, 0700) == 0 && (how->user == 0 || chown(path, how->user, how->user) == 0)) ||
           stage_object(self, IPCMARK_CLASS_NONE, "%s cannot be made: %s", path, strerror(errno));
}

/* Each part of it that does not exist yet. */
static bool make_folders(stage *self, const ordinary *how, char *path)
{
    for (char *slash = path + 1;; ++slash) {
        const char kept = *slash;
        bool made = true;
        if (kept != '/' && kept != '\0')
            continue;
        *slash = '\0';
        if (access(path, F_OK) < 0)
            made = make_folder(self, how, path);
        *slash = kept;
        if (!made || kept == '\0')
            return made;
    }
}

static bool put_all_into(stage *self, const char *directory)
{
    actor *who;
    for (size_t i = 0; (who = stage_actor(self, i)) != NULL; ++i)
        who->directory = directory;
    return true;
}

/* Everyone opens, or says why not; true in *all: everyone has opened. */
static bool try_open_all(stage *self, bool *all)
{
    actor *who;
    *all = true;
    for (size_t i = 0; (who = stage_actor(self, i)) != NULL; ++i) {
        if (!who->open && !ordinary_try_open(self, who))
            return false;
        *all &= who->open;
    }
    return true;
}

static bool live_without(stage *self, const ordinary *how, char *path)
{
    bool all;
    put_all_into(self, path);
    if (!try_open_all(self, &all))
        return false;
    if (all && (!stage_settle(self) || !passes(self)))
        return false;
    return stage_close_all(self) && make_folders(self, how, path) && stage_open_all(self) && stage_settle(self) &&
           passes(self) && stage_close_all(self);
}

bool directories_play_missing(stage *self)
{
    const char *parent = ipcmark_trial_new_directory(self->trial);
    char one[PATH_MAX], three[PATH_MAX];
    ordinary how;
    actor *who;
    self->demands.min_must = 200;
    if (parent == NULL || !ordinary_make(self, &how))
        return false;
    snprintf(one, sizeof one, "%.4000s/missing", parent);
    snprintf(three, sizeof three, "%.4000s/not/there/yet", parent);
    ordinary_cast(self, &how, 2, 2);
    for (size_t i = 0; (who = stage_actor(self, i)) != NULL; ++i)
        if (!stage_start(self, who))
            return false;
    return live_without(self, &how, one) && live_without(self, &how, three);
}

static bool live_read_only(stage *self)
{
    bool all;
    if (!passes(self) || !try_open_all(self, &all))
        return false;
    return stage_settle(self) && passes(self);
}

bool directories_play_read_only(stage *self)
{
    const char *files = ipcmark_trial_files(self->trial);
    ordinary how;
    actor *who;
    bool played;
    self->demands.min_must = 200;
    if (!ordinary_make(self, &how))
        return false;
    ordinary_cast(self, &how, 2, 2);
    for (size_t i = 0; (who = stage_actor(self, i)) != NULL; ++i)
        if (!stage_start(self, who))
            return false;
    if (!stage_open(self, &self->publishers[0]) || !stage_open(self, &self->subscribers[0]) || !stage_settle(self))
        return false;
    chmod(files, 0555);
    stage_log(self, "the directory may not be written");
    played = live_read_only(self);
    chmod(files, 0700);
    stage_log(self, "the directory may be written");
    return played && stage_open_all(self) && stage_settle(self) && passes(self) && stage_close_all(self);
}

static int remove_entry(const char *path, const struct stat *status, int kind, struct FTW *where)
{
    (void)status, (void)kind, (void)where;
    return remove(path) < 0 && errno != ENOENT;
}

/* They may be putting something in at the same time. */
static bool remove_folder(stage *self, const char *path)
{
    for (unsigned tries = 0; tries < 100 && access(path, F_OK) == 0; ++tries)
        nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    stage_log(self, "the directory is removed");
    return access(path, F_OK) < 0 || stage_object(self, IPCMARK_CLASS_NONE, "%s cannot be removed", path);
}

/* Whoever loses a peer by it has a reason; it must only say so. */
static void declare(stage *self, bool begins)
{
    actor *who;
    for (size_t i = 0; (who = stage_actor(self, i)) != NULL; ++i)
        if (who->participant != NULL)
            ipcmark_overload(who->participant, begins);
}

/* None has reported that it has lost one. */
static bool are_connected(stage *self)
{
    for (size_t i = 0; stage_claims(self, IPCMARK_CAP_PEERS) && i < self->publisher_count; ++i) {
        ipcmark_call *call = self->publishers[i].open ? ipcmark_peers(self->trial, self->publishers[i].endpoint) : NULL;
        if (call != NULL && ipcmark_await(call) == IPCMARK_DONE && ipcmark_reply_count(call, "count") != 2)
            return false;
    }
    return true;
}

static bool live_on_after_removal(stage *self, const char *files)
{
    const ipcmark_publish_options traffic = {
        .seconds = 1, .rate = 1000, .sizes = sizes, .sizes_count = COUNT_OF(sizes), .overwrite = true};
    const double bound = 2 * ipcmark_session_scale(self->session);
    actor *who;
    if (!stage_publish_begin_all(self, &traffic) ||
        !ipcmark_wait(self->trial, 100 + (unsigned)stage_random(self, 400)) || !remove_folder(self, files) ||
        !stage_publish_end_all(self))
        return false;
    if (are_connected(self))
        stage_drain(self); /* the checker says what was missing, and whether that had a reason */
    else
        stage_log(self, "some have lost their peers");
    for (size_t i = 0; (who = stage_actor(self, i)) != NULL; ++i)
        if (who->open && !stage_close_within(self, who, bound, "with the directory removed"))
            return false;
    return true;
}

bool directories_play_removed(stage *self)
{
    const char *files = ipcmark_trial_files(self->trial);
    ordinary how;
    actor *who;
    self->demands.min_must = 200;
    if (!ordinary_make(self, &how))
        return false;
    ordinary_cast(self, &how, 3, 3);
    for (size_t i = 0; (who = stage_actor(self, i)) != NULL; ++i) {
        who->ping_interval_ms = PING_MS;
        if (i % 3 < 2 && (!stage_start(self, who) || !stage_open(self, who)))
            return false;
    }
    if (!stage_settle(self) || !passes(self))
        return false;
    declare(self, true);
    if (!live_on_after_removal(self, files) || !make_folder(self, &how, files))
        return false;
    for (size_t i = 0; (who = stage_actor(self, i)) != NULL; ++i)
        if ((who->participant == NULL && !stage_start(self, who)) || !stage_open(self, who))
            return false;
    if (!stage_settle(self))
        return false;
    declare(self, false);
    return passes(self) && stage_close_all(self);
}

/* ---- long paths ---------------------------------------------------------------------------------------------------
 */

/* A folder whose path is so long, in parts as long as their names may be, and which ends with this letter. */
static bool make_long(stage *self, const ordinary *how, const char *parent, size_t length, char last, char *path)
{
    size_t used = strlen(parent);
    snprintf(path, PATH_MAX, "%s", parent);
    while (used + 1 < length) {
        const size_t part = length - used - 1 < 200 ? length - used - 1 : 190;
        path[used++] = '/';
        memset(path + used, 'd', part);
        used += part;
    }
    path[used] = '\0';
    path[used - 1] = last;
    return make_folders(self, how, path);
}

/* Who refuses a path says so by that, and owes nothing there. */
static unsigned open_pairs(stage *self)
{
    unsigned pairs = 0;
    for (size_t i = 0; i < self->publisher_count; ++i)
        pairs += self->publishers[i].open && self->subscribers[i].open;
    return pairs;
}

/* Two pairs below paths of 200 bytes, two below such as the system just takes; of each two only the end differs. Where
 * the same channel in another directory is no other one, they have channels of their own. */
bool directories_play_long_paths(stage *self)
{
    static const char *const channels[] = {"one", "two", "three", "four"};
    const char *parent = ipcmark_trial_new_directory(self->trial);
    const size_t room = 100 + stage_random(self, 100);
    char paths[4][PATH_MAX];
    ordinary how;
    actor *who;
    bool all;
    if (parent == NULL || !ordinary_make(self, &how))
        return false;
    for (unsigned i = 0; i < 4; ++i)
        if (!make_long(self, &how, parent, i < 2 ? 200 : PATH_MAX - room, i % 2 == 0 ? '1' : '2', paths[i]))
            return false;
    stage_log(self, "paths of 200 and of %zu bytes", strlen(paths[3]));
    ordinary_cast(self, &how, 4, 4);
    for (size_t i = 0; (who = stage_actor(self, i)) != NULL; ++i) {
        who->directory = paths[i % 4];
        if (!stage_claims(self, IPCMARK_CAP_ISOLATION_DIRECTORY))
            who->channel = channels[i % 4];
        if (!stage_start(self, who))
            return false;
    }
    if (!try_open_all(self, &all))
        return false;
    self->demands.min_must = open_pairs(self) * some.count / 2;
    stage_log(self, "%u of 4 pairs are open", open_pairs(self));
    return stage_settle(self) && passes(self) && stage_close_all(self);
}
