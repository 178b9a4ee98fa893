/* ISO: isolation. */
#include "stage.h"

#include <dirent.h>
#include <string.h>

enum { NAMES = STAGE_MOST, LONGEST = 255 };

static const ipcmark_publish_options some = {.count = 200, .overwrite = true};

/* Nobody ever counts more than there are, however early. A count that is too low may only be early. */
static bool count_none_too_many(stage *self)
{
    ipcmark_call *calls[2 * STAGE_MOST] = {NULL};
    actor *who;
    for (size_t i = 0; (who = stage_actor(self, i)) != NULL; ++i)
        if (stage_claims(self, IPCMARK_CAP_PEERS))
            calls[i] = ipcmark_peers(self->trial, who->endpoint);
    for (size_t i = 0; (who = stage_actor(self, i)) != NULL; ++i) {
        const unsigned peers = stage_count_peers(self, who);
        if (calls[i] != NULL && ipcmark_await(calls[i]) == IPCMARK_DONE &&
            ipcmark_reply_number(calls[i], "count", 0) > peers)
            return stage_object(self, IPCMARK_COUNT, "%s counts %.0f peers, and only %u meet it", who->name,
                                ipcmark_reply_number(calls[i], "count", 0), peers);
    }
    return true;
}

/* Messages while they still look for each other: what leaks is seen to leak, and not only counted. */
static bool play_apart(stage *self)
{
    const ipcmark_publish_options early = {.seconds = 0.3, .rate = 200};
    return stage_open_all(self) && stage_publish_all(self, &early) && count_none_too_many(self) && stage_settle(self) &&
           stage_publish_all(self, &some) && stage_drain(self);
}

static bool play_channels(stage *self)
{
    stage_cast_bare(self, 2, 2);
    self->demands.min_must = 2 * some.count;
    self->publishers[1].channel = self->subscribers[1].channel = "another";
    return stage_start_all(self) && play_apart(self);
}

static bool play_directories(stage *self)
{
    const char *const directory = ipcmark_trial_new_directory(self->trial);
    if (directory == NULL)
        return stage_object(self, IPCMARK_CLASS_NONE, "%s", ipcmark_session_text(self->session));
    stage_cast_bare(self, 2, 2);
    self->demands.min_must = 2 * some.count;
    self->publishers[1].directory = self->subscribers[1].directory = directory;
    return stage_start_all(self) && play_apart(self);
}

/* ---- names ------------------------------------------------------------------------------------------------------ */

/* The name of a file that the implementation has made, for a channel. NULL: it makes none, or not such. */
static const char *find_file(stage *self, char name[LONGEST + 1])
{
    const struct dirent *entry;
    DIR *directory = opendir(ipcmark_trial_files(self->trial));
    const char *found = NULL;
    while (directory != NULL && found == NULL && (entry = readdir(directory)) != NULL)
        if (entry->d_name[0] != '.' && strlen(entry->d_name) <= LONGEST)
            found = strcpy(name, entry->d_name);
    if (directory != NULL)
        closedir(directory);
    stage_log(self, "a file of the implementation: %s", found != NULL ? found : "none");
    return found;
}

/* Few processes: the publishers of two, and the subscribers, so that each meets others of its own process, too. */
static void name_all(stage *self, const char *const names[NAMES])
{
    for (unsigned i = 0; i < NAMES; ++i) {
        self->publishers[i].channel = self->subscribers[i].channel = names[i];
        self->publishers[i].host = i < 2 ? NULL : &self->publishers[i % 2];
        self->subscribers[i].host = i < 2 ? NULL : &self->subscribers[i / 2 % 2];
    }
}

/* What a file system, a shell, printf or a person takes for the same, or for something else. */
static bool play_names(stage *self)
{
    static char long_y[LONGEST + 1], long_z[LONGEST + 1], long_prefix[LONGEST], file[LONGEST + 1];
    const char *names[NAMES] = {
        "caf\xC3\xA9", "cafe\xCC\x81", "case",         "CASE", "a/b",  "a",         "..",         ".",
        " ",           "a ",           "\x01\x1B\x7F", long_y, long_z, long_prefix, "../channel", "core"};
    static const char *const more[NAMES] = {"/",     "//",   "a/../b", "b",   "~",    "--help",       "*", "%s%n",
                                            "$HOME", "a\\b", "a:b",    "\"'", "a\tb", "\xE2\x84\xAA", "k", "a b"};
    snprintf(long_y, sizeof long_y, "%0254dy", 0);
    snprintf(long_z, sizeof long_z, "%0254dz", 0);
    snprintf(long_prefix, sizeof long_prefix, "%0254d", 0);
    stage_cast_bare(self, NAMES, NAMES);
    name_all(self, names);
    self->demands.min_must = NAMES * some.count;
    if (!stage_start_all(self) || !stage_open(self, &self->publishers[0]) || !stage_open(self, &self->subscribers[0]) ||
        !stage_settle(self))
        return false;
    if (find_file(self, file) != NULL)
        self->publishers[NAMES - 1].channel = self->subscribers[NAMES - 1].channel = file;
    if (!play_apart(self))
        return false;
    if (self->effort == EFFORT_QUICK)
        return true;
    if (!stage_close_all(self))
        return false;
    name_all(self, more);
    return play_apart(self);
}

/* ---- in one process ---------------------------------------------------------------------------------------------- */

static bool play_self(stage *self)
{
    stage_cast_bare(self, 2, 2);
    self->demands.min_must = 2 * some.count;
    self->subscribers[0].host = &self->publishers[0];
    self->subscribers[1].host = &self->publishers[1];
    return stage_start_all(self) && play_apart(self);
}

static bool play_two_subscribers(stage *self)
{
    stage_cast_bare(self, 1, 2);
    self->demands.min_must = 2 * some.count;
    self->subscribers[1].host = &self->subscribers[0];
    return stage_start_all(self) && play_apart(self);
}

static bool play_two_publishers(stage *self)
{
    stage_cast_bare(self, 2, 1);
    self->demands.min_must = 2 * some.count;
    self->publishers[1].host = &self->publishers[0];
    return stage_start_all(self) && play_apart(self);
}

static const clause clauses[] = {
    {"ISO-001", .publishers = 2, .subscribers = 2, .play = play_channels,
     .promise = "A channel receives nothing of another channel in the same directory."},
    {"ISO-002", .publishers = 2, .subscribers = 2, .play = play_directories, .needs = IPCMARK_CAP_ISOLATION_DIRECTORY,
     .promise = "A channel receives nothing of the channel of the same name in another directory."},
    {"ISO-003", .publishers = NAMES, .subscribers = NAMES, .play = play_names, .seconds = 3,
     .promise = "Any name of 1 to 255 bytes is a channel of its own, whatever it looks like."},
    {"ISO-004", .publishers = 2, .subscribers = 2, .play = play_self, .needs = IPCMARK_CAP_NO_SELF_DELIVERY,
     .promise = "Publisher and subscriber of one process do not meet, and both meet those of other processes."},
    {"ISO-005", .should = true, .publishers = 1, .subscribers = 2, .play = play_two_subscribers,
     .promise = "Two subscribers of one process both receive everything."},
    {"ISO-006", .should = true, .publishers = 2, .subscribers = 1, .play = play_two_publishers,
     .promise = "Two publishers of one process are both heard, each in its order."},
};

const clause_group isolation_clauses = {clauses, COUNT_OF(clauses)};
