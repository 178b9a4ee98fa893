#include "ordinary.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Not 65534: that stands for whoever has no number in a user namespace, and may be trusted by nobody for that reason.
 */
enum { STRANGER = 54321 };

bool ordinary_starts(stage *self, const char *wrap)
{
    ipcmark_target target = *ipcmark_trial_target(self->trial);
    ipcmark_implementation ignored;
    char both[2 * ORDINARY_WRAP];
    snprintf(both, sizeof both, "%s %s", wrap, target.wrap != NULL ? target.wrap : "");
    target.wrap = both;
    return ipcmark_probe(self->session, &target, &ignored) == 0;
}

/* Another user must reach the agent, the driver and whatever these load, and the folders of the trial. A broker is not
 * wrapped, and what it makes is for its own user. */
static bool become_stranger(stage *self, ordinary *out)
{
    char change[128], trying[ORDINARY_WRAP];
    if (self->implementation->broker || ipcmark_trial_admit(self->trial, STRANGER) < 0 ||
        setenv("IPCMARK_TRIAL", ipcmark_trial_directory(self->trial), 1) < 0 ||
        setenv("IPCMARK_FILES", ipcmark_trial_files(self->trial), 1) < 0)
        return false;
    snprintf(change, sizeof change, "setpriv --reuid=%d --regid=%d --clear-groups --inh-caps=-all", STRANGER, STRANGER);
    snprintf(trying, sizeof trying,
             "%s sh -c 'test -w \"$IPCMARK_FILES\" && test -w \"$IPCMARK_TRIAL/journals\" && exec \"$0\" \"$@\"'",
             change);
    out->user = STRANGER;
    snprintf(out->wrap, sizeof out->wrap, "%s", change);
    /* And as it will be: where a shell goes on looking for a program that it may not start, others do not. */
    return ordinary_starts(self, trying) && ordinary_starts(self, out->wrap);
}

/* Where nobody else may come, root remains who it is; but for permissions and limits its name does not count, only its
 * capabilities do. */
static bool drop_capabilities(stage *self, ordinary *out)
{
    out->user = 0;
    snprintf(out->wrap, sizeof out->wrap, "setpriv --inh-caps=-all --bounding-set=-all");
    return (self->implementation->broker || ipcmark_trial_admit(self->trial, 0) == 0) &&
           ordinary_starts(self, out->wrap);
}

bool ordinary_skip(stage *self, const char *why)
{
    const char *agent = ipcmark_trial_target(self->trial)->agent;
    if (agent != NULL && strncmp(agent + strspn(agent, " "), "exec ", 5) == 0)
        return stage_skip(self,
                          "the agent's command begins with `exec`, and no other command can be put before that, as "
                          "this clause does: leave the word away");
    return stage_skip(self, "%s", why);
}

bool ordinary_make(stage *self, ordinary *out)
{
    memset(out, 0, sizeof *out);
    if (geteuid() != 0)
        return true;
    if (!become_stranger(self, out) && !drop_capabilities(self, out))
        return ordinary_skip(self, "participants cannot be started without the privileges of root here: is there "
                                   "setpriv (util-linux)? Or run the suite as another user");
    stage_log(self, "participants run behind: %s", out->wrap);
    return true;
}

void ordinary_cast(stage *self, const ordinary *how, unsigned publishers, unsigned subscribers)
{
    actor *who;
    stage_cast_bare(self, publishers, subscribers);
    for (size_t i = 0; (who = stage_actor(self, i)) != NULL; ++i)
        who->wrap = how->wrap[0] != '\0' ? how->wrap : NULL;
}

bool ordinary_begin(stage *self, const ordinary *how, unsigned publishers, unsigned subscribers)
{
    actor *who;
    ordinary_cast(self, how, publishers, subscribers);
    for (size_t i = 0; (who = stage_actor(self, i)) != NULL; ++i)
        if (!stage_start(self, who))
            return false;
    return stage_open_all(self) && stage_settle(self);
}

/* "error" is what has no name: nobody can tell from it what is wrong. */
static bool is_clear(const ipcmark_call *call)
{
    return call->definite && (call->code[0] == 'E' || strcmp(call->code, "not_supported") == 0);
}

bool ordinary_try_open(stage *self, actor *who)
{
    ipcmark_call *call = stage_open_begin(self, who);
    if (ipcmark_await(call) != IPCMARK_REFUSED)
        return stage_open_end(self, who, call);
    who->open = false;
    stage_log(self, "%s cannot open: %s", who->name, call->text);
    return is_clear(call) ||
           stage_object(self, IPCMARK_DISCONNECT, "%s cannot open, and the error does not say why: \"%s\", %s",
                        who->name, call->code, call->text);
}
