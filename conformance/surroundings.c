/* ENV: bad surroundings. Each is made round participants that run without privileges. */
#include "surroundings.h"
#include "junk.h"
#include "ordinary.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

static const size_t sizes[] = {100, 64, 4000, 256};
static const ipcmark_publish_options some = {
    .count = 200, .sizes = sizes, .sizes_count = COUNT_OF(sizes), .overwrite = true};

static bool passes(stage *self)
{
    return stage_publish_all(self, &some) && stage_drain(self);
}

/* ---- what others put there --------------------------------------------------------------------------------------- */

/* The first life of everyone shows what their files look like. */
static bool live_and_learn(stage *self, junk *strewn, const ordinary *how)
{
    return ordinary_begin(self, how, 2, 2) && passes(self) && junk_learn(strewn);
}

static bool live_among_junk(stage *self, junk *strewn)
{
    const uint64_t start_ns = ipcmark_now_ns();
    if (!stage_open_all(self) || !stage_settle(self))
        return false;
    stage_figure(self, "connected after", (double)(ipcmark_now_ns() - start_ns) * 1e-9, "s");
    return passes(self) && stage_close_all(self) && junk_check(strewn, "after they met and parted");
}

static bool strew_everything(junk *strewn)
{
    for (unsigned kind = 0; kind < JUNK_KINDS; ++kind)
        if (!junk_strew(strewn, kind))
            return false;
    return true;
}

static bool play_junk(stage *self)
{
    ordinary how;
    junk strewn;
    bool played;
    self->demands.min_must = 200;
    if (!ordinary_make(self, &how))
        return false;
    played = junk_open(&strewn, self, ipcmark_trial_files(self->trial), how.user) &&
             live_and_learn(self, &strewn, &how) && stage_close_all(self) && strew_everything(&strewn) &&
             live_among_junk(self, &strewn);
    junk_close(&strewn);
    return played;
}

/* One thing after the other, at random moments, in random order; someone comes and someone goes in between. */
static bool strew_in_traffic(stage *self, junk *strewn, actor *guest)
{
    const ipcmark_publish_options traffic = {
        .seconds = 1.8, .rate = 1000, .sizes = sizes, .sizes_count = COUNT_OF(sizes), .overwrite = true};
    const unsigned first = (unsigned)stage_random(self, JUNK_KINDS);
    if (!stage_publish_begin_all(self, &traffic))
        return false;
    for (unsigned i = 0; i < JUNK_KINDS; ++i) {
        if (!ipcmark_wait(self->trial, (unsigned)stage_random(self, 150)) ||
            !junk_strew(strewn, (first + 5 * i) % JUNK_KINDS))
            return false;
        if (i == JUNK_KINDS / 2 && !stage_open(self, guest))
            return false;
        if (i == JUNK_KINDS / 2 && ipcmark_ended(self->publishers[0].traffic)) {
            stage_log(self, "traffic was over before anybody came");
            return false;
        }
    }
    return stage_publish_end_all(self);
}

static bool play_junk_in_traffic(stage *self)
{
    ordinary how;
    junk strewn;
    bool played;
    self->demands.min_must = 1000;
    if (!ordinary_make(self, &how))
        return false;
    played =
        junk_open(&strewn, self, ipcmark_trial_files(self->trial), how.user) && live_and_learn(self, &strewn, &how);
    if (played) {
        actor *const guest = &self->subscribers[1];
        played = stage_close(self, guest) && stage_settle(self) && strew_in_traffic(self, &strewn, guest) &&
                 stage_settle(self) && passes(self) && stage_close_all(self) &&
                 junk_check(&strewn, "after it appeared under traffic");
    }
    junk_close(&strewn);
    return played;
}

/* ---- many files ---------------------------------------------------------------------------------------------------
 */

enum { CROWD_OF_FILES = 10000 };

static bool make_crowd(stage *self, int directory)
{
    char name[64];
    for (unsigned i = 0; i < CROWD_OF_FILES; ++i) {
        int file;
        snprintf(name, sizeof name, "measurement-%05u.dat", i);
        file = openat(directory, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
        if (file < 0)
            return stage_skip(self, "%d files cannot be made in a folder here: %s", CROWD_OF_FILES, strerror(errno));
        close(file);
    }
    return true;
}

/* How many of them were still there. */
static unsigned remove_crowd(int directory)
{
    unsigned found = 0;
    char name[64];
    for (unsigned i = 0; i < CROWD_OF_FILES; ++i) {
        snprintf(name, sizeof name, "measurement-%05u.dat", i);
        found += unlinkat(directory, name, 0) == 0;
    }
    return found;
}

static bool live_in_crowd(stage *self, const ordinary *how)
{
    const double bound = 3 * ipcmark_session_scale(self->session);
    uint64_t start_ns;
    actor *who;
    double took;
    ordinary_cast(self, how, 2, 2);
    for (size_t i = 0; (who = stage_actor(self, i)) != NULL; ++i)
        if (!stage_start(self, who))
            return false;
    start_ns = ipcmark_now_ns();
    if (!stage_open_all(self) || !stage_settle(self))
        return false;
    took = (double)(ipcmark_now_ns() - start_ns) * 1e-9;
    stage_figure(self, "connected after", took, "s");
    if (took > bound)
        return stage_object(self, IPCMARK_LATE,
                            "among %d files of others it took %.2f s until four participants were connected; it must "
                            "not take longer than %.2f s",
                            CROWD_OF_FILES, took, bound);
    return passes(self) && stage_close_all(self);
}

static bool play_crowd_of_files(stage *self)
{
    const int directory = open(ipcmark_trial_files(self->trial), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    ordinary how;
    bool played;
    unsigned left;
    self->demands.min_must = 200;
    if (directory < 0)
        return stage_object(self, IPCMARK_CLASS_NONE, "the folder cannot be opened: %s", strerror(errno));
    played = make_crowd(self, directory) && ordinary_make(self, &how) && live_in_crowd(self, &how);
    left = remove_crowd(directory);
    close(directory);
    if (played && left < CROWD_OF_FILES)
        return stage_object(self, IPCMARK_CORRUPT, "%u of %d files of others are gone", CROWD_OF_FILES - left,
                            CROWD_OF_FILES);
    return played;
}

static const clause clauses[] = {
    {"ENV-001", .publishers = 2, .subscribers = 2, .play = play_junk, .needs = IPCMARK_CAP_DIRECTORY_FILES,
     .promise = "Whatever lies in the directory, participants meet as if it were not there, and what belongs to others "
                "stays as it is."},
    {"ENV-002", .publishers = 2, .subscribers = 2, .play = play_junk_in_traffic, .seconds = 3,
     .needs = IPCMARK_CAP_DIRECTORY_FILES,
     .promise = "Whatever others put into the directory under traffic does no harm, and stays as it is."},
    {"ENV-003", .publishers = 2, .subscribers = 2, .play = directories_play_missing,
     .promise = "Where the directory is missing, it is made or the error says so; once it is there, open works."},
    {"ENV-004", .publishers = 2, .subscribers = 2, .play = directories_play_read_only,
     .promise = "Where the directory may not be written, whoever comes is connected or told why not, and those who are "
                "connected go on."},
    {"ENV-005", .publishers = 3, .subscribers = 3, .play = directories_play_removed, .seconds = 2,
     .promise = "When the directory is removed, those who are connected go on or report a disconnect, and close in "
                "time; made again, it works again."},
    {"ENV-006", .publishers = 2, .subscribers = 2, .play = room_play_directory_full,
     .promise = "In a full file system there is success or a clear error, no message that was OK is lost, and all is "
                "well once there is room."},
    {"ENV-007", .publishers = 3, .subscribers = 3, .play = limits_play_descriptors, .seconds = 3,
     .promise =
         "Without descriptors there is success or a clear error, no message that was OK is lost, and all is well "
         "once there are some."},
    {"ENV-008", .should = true, .publishers = 3, .subscribers = 3, .play = limits_play_memory, .seconds = 3,
     .message_bytes = 1048576, .least_limit = 1048576,
     .promise = "Without address space there is success or a clear error, no message that was OK is lost, and all is "
                "well once there is some."},
    {"ENV-009", .publishers = 4, .subscribers = 4, .play = directories_play_long_paths,
     .promise = "A directory whose path is longer than the name of a socket can be works, or the error says so."},
    {"ENV-010", .publishers = 2, .subscribers = 2, .play = play_crowd_of_files, .needs = IPCMARK_CAP_DIRECTORY_FILES,
     .promise = "Among ten thousand files of others participants find each other in time."},
    {"ENV-011", .publishers = 2, .subscribers = 2, .play = room_play_shared_memory_full,
     .promise = "With /dev/shm full there is success or a clear error, no message that was OK is lost, and all is well "
                "once there is room."},
};

const clause_group surroundings_clauses = {clauses, COUNT_OF(clauses)};
