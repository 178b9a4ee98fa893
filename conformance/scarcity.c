#include "scarcity.h"

#include "ordinary.h"

static const size_t sizes[] = {100, 64, 4000, 256};
const ipcmark_publish_options scarcity_some = {
    .count = 200, .sizes = sizes, .sizes_count = COUNT_OF(sizes), .overwrite = true};

bool scarcity_passes(stage *self)
{
    return stage_publish_all(self, &scarcity_some) && stage_drain(self);
}

bool scarcity_try_open(stage *self, actor *who, refusals *refused)
{
    const bool answered = ordinary_try_open(self, who);
    refused->opens += answered && !who->open;
    return answered;
}

bool scarcity_was_refused(stage *self, const refusals *refused, const char *what)
{
    stage_log(self, "%u opens and %llu publishes were refused for want of %s", refused->opens,
              (unsigned long long)refused->publishes, what);
    return refused->opens + refused->publishes > 0 ||
           stage_skip(self, "nothing that it did was refused for want of %s: it got along without", what);
}

bool scarcity_pair_passes(stage *self, const ipcmark_publish_options *options, bool stopped, refusals *refused)
{
    actor *const publisher = &self->publishers[0], *const subscriber = &self->subscribers[0];
    uint64_t before, now;
    ipcmark_call *call;
    if (!stage_count(self, subscriber, "received", &before) || (stopped && !stage_pause(self, subscriber)) ||
        !stage_publish_begin(self, publisher, options))
        return false;
    call = publisher->traffic;
    if (stopped && (!ipcmark_wait(self->trial, 300) || !stage_resume(self, subscriber)))
        return false;
    if (!stage_publish_end(self, publisher) || publisher->participant == NULL)
        return false;
    refused->publishes += ipcmark_reply_count(call, "failed") + ipcmark_reply_count(call, "unknown");
    for (unsigned patience = 0; patience < 50; ++patience) {
        if (!stage_count(self, subscriber, "received", &now))
            return false;
        if (now >= before + ipcmark_reply_count(call, "published"))
            return true;
        if (!ipcmark_wait(self->trial, 20))
            return false;
    }
    stage_log(self, "%s has not received everything yet", subscriber->name);
    return true;
}

bool scarcity_declare(stage *self, bool begins)
{
    actor *who;
    for (size_t i = 0; (who = stage_actor(self, i)) != NULL; ++i)
        if (who->participant != NULL && who->host == NULL)
            ipcmark_overload(who->participant, begins);
    return true;
}
