/* ENV: processes at the limit of what they may have. */
#include "ordinary.h"
#include "scarcity.h"
#include "surroundings.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* Publisher 1 and subscriber 1 each have a second endpoint in their process, the third of their kind; the second of
 * either kind lives elsewhere. */
static bool cast_limited(stage *self, const ordinary *how)
{
    actor *who;
    ordinary_cast(self, how, 3, 3);
    self->publishers[2].host = &self->publishers[0];
    self->subscribers[2].host = &self->subscribers[0];
    for (size_t i = 0; (who = stage_actor(self, i)) != NULL; ++i) {
        who->ping_interval_ms = SCARCITY_PING_MS;
        if (!stage_start(self, who))
            return false;
    }
    return stage_open(self, &self->publishers[0]) && stage_open(self, &self->subscribers[0]) && stage_settle(self) &&
           scarcity_passes(self);
}

/* The soft limit only: it can be raised again, by the agent too, whose journal must not suffer. Said by one who may:
 * root without all its capabilities may not set the limits of another user's process. */
static bool limit(stage *self, const actor *who, const char *resource, unsigned long long soft)
{
    char command[ORDINARY_WRAP + 128];
    snprintf(command, sizeof command, "%s prlimit --pid %d --%s=%llu:", who->wrap != NULL ? who->wrap : "",
             ipcmark_participant_pid(who->participant), resource, soft);
    /* Once it is reaped its number may be another's. */
    return (ipcmark_participant_alive(who->participant) && system(command) == 0) ||
           stage_unable(self, who, "%s cannot be limited by: %s", who->name, command);
}

/* Back to the bound that a process cannot pass by itself. */
static bool release(stage *self, const actor *who, const char *resource)
{
    char path[64], line[256];
    unsigned long long hard = 0;
    const char *const title = strcmp(resource, "as") == 0 ? "Max address space" : "Max open files";
    FILE *file;
    snprintf(path, sizeof path, "/proc/%d/limits", ipcmark_participant_pid(who->participant));
    file = fopen(path, "re");
    while (file != NULL && hard == 0 && fgets(line, sizeof line, file) != NULL)
        if (strncmp(line, title, strlen(title)) == 0 && sscanf(line + strlen(title), "%*s %llu", &hard) != 1)
            hard = RLIM_INFINITY;
    if (file != NULL)
        fclose(file);
    return limit(self, who, resource, hard);
}

/* One comes from elsewhere, one in the limited process, and those who are connected go on. */
static bool come_and_go(stage *self, actor *newcomer, actor *guest, refusals *refused)
{
    const bool guest_first = stage_random(self, 2) == 0;
    return scarcity_try_open(self, guest_first ? guest : newcomer, refused) &&
           scarcity_pair_passes(self, &scarcity_some, false, refused) &&
           scarcity_try_open(self, guest_first ? newcomer : guest, refused) &&
           scarcity_pair_passes(self, &scarcity_some, false, refused);
}

/* Once there is enough of it again, whoever came meanwhile is connected. */
static bool live_again(stage *self, actor *newcomer, actor *guest)
{
    if ((!newcomer->open && !stage_open(self, newcomer)) || (!guest->open && !stage_open(self, guest)) ||
        !stage_settle(self))
        return false;
    scarcity_declare(self, false);
    return scarcity_passes(self) && stage_close(self, newcomer) && stage_close(self, guest) && stage_settle(self);
}

/* As many numbers as the process has in use below it, and `spare` more. */
static unsigned descriptor_limit(int pid, unsigned spare)
{
    char path[64];
    unsigned number = 0;
    for (unsigned found = 0;; ++number) {
        snprintf(path, sizeof path, "/proc/%d/fd/%u", pid, number);
        if (faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW) < 0 && found++ == spare)
            return number;
    }
}

static bool starve_of_descriptors(stage *self, actor *subject, actor *newcomer, actor *guest, refusals *refused)
{
    const unsigned rounds = stage_either(self, 5, 2);
    for (unsigned i = 0; i < rounds; ++i) {
        const unsigned spare = i == 0 ? 0 : 1 + (unsigned)stage_random(self, 10);
        const unsigned soft = descriptor_limit(ipcmark_participant_pid(subject->participant), spare);
        stage_log(self, "%s has %u descriptors left", subject->name, spare);
        scarcity_declare(self, true);
        if (!limit(self, subject, "nofile", soft) || !come_and_go(self, newcomer, guest, refused) ||
            !release(self, subject, "nofile") || !live_again(self, newcomer, guest))
            return false;
    }
    return true;
}

bool limits_play_descriptors(stage *self)
{
    refusals refused = {0};
    ordinary how;
    self->demands.min_must = 200;
    return ordinary_make(self, &how) && cast_limited(self, &how) &&
           starve_of_descriptors(self, &self->subscribers[0], &self->publishers[1], &self->subscribers[2], &refused) &&
           starve_of_descriptors(self, &self->publishers[0], &self->subscribers[1], &self->publishers[2], &refused) &&
           stage_close_all(self) && scarcity_was_refused(self, &refused, "descriptors");
}

static unsigned long long address_space(int pid)
{
    char path[64];
    unsigned long long pages = 0;
    FILE *file;
    snprintf(path, sizeof path, "/proc/%d/statm", pid);
    file = fopen(path, "re");
    if (file != NULL && fscanf(file, "%llu", &pages) != 1)
        pages = 0;
    if (file != NULL)
        fclose(file);
    return pages * (unsigned long long)sysconf(_SC_PAGESIZE);
}

/* A backlog of more than what is left, while the subscriber is stopped; then it takes what there is. */
static bool burst(stage *self, refusals *refused)
{
    static const size_t large[] = {1048576, 200};
    const ipcmark_publish_options options = {
        .count = 128, .sizes = large, .sizes_count = COUNT_OF(large), .deadline_seconds = 20};
    return scarcity_pair_passes(self, &options, true, refused);
}

/* What the agent needs itself, for a thread and a request, it has: the rest is the implementation's. */
static bool starve_of_memory(stage *self, actor *subject, actor *newcomer, actor *guest, refusals *refused)
{
    const unsigned rounds = stage_either(self, 2, 1);
    for (unsigned i = 0; i < rounds; ++i) {
        const unsigned long long used = address_space(ipcmark_participant_pid(subject->participant));
        const unsigned spare = 20 + (unsigned)stage_random(self, 20);
        if (used >> 36 != 0)
            return stage_skip(self,
                              "a participant reserves %llu GiB of address space for itself, as sanitizers do: it "
                              "cannot be limited",
                              used >> 30);
        stage_log(self, "%s has %u MiB of address space left", subject->name, spare);
        scarcity_declare(self, true);
        if (!limit(self, subject, "as", used + ((unsigned long long)spare << 20)) || !burst(self, refused) ||
            !come_and_go(self, newcomer, guest, refused) || !release(self, subject, "as") ||
            !live_again(self, newcomer, guest))
            return false;
    }
    return true;
}

bool limits_play_memory(stage *self)
{
    refusals refused = {0};
    ordinary how;
    self->demands.min_must = 200;
    return ordinary_make(self, &how) && cast_limited(self, &how) &&
           starve_of_memory(self, &self->publishers[0], &self->subscribers[1], &self->publishers[2], &refused) &&
           starve_of_memory(self, &self->subscribers[0], &self->publishers[1], &self->subscribers[2], &refused) &&
           stage_close_all(self) && scarcity_was_refused(self, &refused, "address space");
}
