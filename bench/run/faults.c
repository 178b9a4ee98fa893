#include "faults.h"

#include <ipcmark/random.h>

static uint64_t draw(struct faults *self, uint64_t limit)
{
    return ipcmark_random(&self->random) % limit;
}

static uint64_t to_ns(double seconds)
{
    return (uint64_t)(seconds * 1e9);
}

void faults_begin(struct faults *self, const struct scenario *scenario, uint64_t start_ns)
{
    *self = (struct faults){.scenario = scenario, .start_ns = start_ns, .random = scenario->seed};
    for (size_t i = 0; i < scenario->faults_count; ++i)
        self->next_ns[i] = start_ns + to_ns(scenario->faults[i].every);
}

uint64_t faults_next_ns(const struct faults *self, const struct crew *crew)
{
    uint64_t next_ns = UINT64_MAX;

    for (size_t i = 0; i < self->scenario->faults_count; ++i)
        next_ns = self->next_ns[i] < next_ns ? self->next_ns[i] : next_ns;
    for (unsigned i = 0; i < crew->count; ++i)
        if (crew->members[i].resume_ns != 0 && crew->members[i].resume_ns < next_ns)
            next_ns = crew->members[i].resume_ns;
    return next_ns;
}

/* Who is stopped already can die, but not be stopped. */
static bool can_befall(const struct fault *fault, const struct member *who)
{
    return (fault->whom == WHOM_ANY || (fault->whom == WHOM_SUBSCRIBER) == who->subscriber) &&
           (fault->number == 0 || fault->number == who->number) && (fault->kind == FAULT_KILL || who->resume_ns == 0);
}

/* NULL: there is nobody. */
static struct member *choose(struct faults *self, struct crew *crew, const struct fault *fault)
{
    struct member *candidates[2 * SCENARIO_MOST];
    size_t count = 0;

    for (unsigned i = 0; i < crew->count; ++i)
        if (can_befall(fault, &crew->members[i]))
            candidates[count++] = &crew->members[i];
    return count == 0 ? NULL : candidates[draw(self, count)];
}

static bool strike(struct crew *crew, const struct fault *fault, struct member *victim, struct show *show)
{
    const uint64_t before_ns = ipcmark_now_ns();

    if (fault->kind == FAULT_PAUSE) {
        if (!crew_pause(crew, victim, fault->lasts))
            return false;
        show_fault(show, before_ns, victim->name, "stopped", fault->lasts);
        return true;
    }
    if (!crew_kill(crew, victim))
        return false;
    show_fault(show, before_ns, victim->name, "killed", (double)(ipcmark_now_ns() - before_ns) * 1e-9);
    return true;
}

bool faults_strike(struct faults *self, struct crew *crew, struct show *show)
{
    for (unsigned i = 0; i < crew->count; ++i) {
        struct member *who = &crew->members[i];
        if (who->resume_ns != 0 && ipcmark_now_ns() >= who->resume_ns && !crew_resume(crew, who))
            return false;
    }
    for (size_t i = 0; i < self->scenario->faults_count; ++i) {
        const struct fault *fault = &self->scenario->faults[i];
        struct member *victim;
        if (ipcmark_now_ns() < self->next_ns[i] || self->next_ns[i] >= crew->end_ns)
            continue;
        victim = choose(self, crew, fault);
        if (victim != NULL && !strike(crew, fault, victim, show))
            return false;
        while (self->next_ns[i] <= ipcmark_now_ns()) /* what was missed meanwhile is not made up for */
            self->next_ns[i] += to_ns(fault->every);
    }
    return true;
}
