#include "slowness.h"

#include "ipcmark/journal.h"
#include "others.h"

#include <signal.h>
#include <sys/resource.h>
#include <time.h>

enum {
    IN_TIME_US = 1000, /* late by no more is in time: a timer's slack, and the waking of a CPU that slept, are less */
    SLICE_US = 4000,   /* how long a kernel lets one run while another waits: about, it may be 3 to 10 ms */
};

/* ---- samples ----------------------------------------------------------------------------------------------------- */

/* The ninth tenth of a whole window; of a shorter one as if the rest had been in time. */
static uint32_t ninth_tenth(const struct slowness *self, size_t from)
{
    uint32_t highest[SLOWNESS_WINDOW / 10 + 1] = {0};
    const size_t last = sizeof highest / sizeof highest[0] - 1;
    for (size_t i = from; i < self->count && i < from + SLOWNESS_WINDOW; ++i) {
        size_t at = last;
        const uint32_t late = self->late_us[i % SLOWNESS_KEPT];
        if (late <= highest[last])
            continue;
        for (; at > 0 && highest[at - 1] < late; --at)
            highest[at] = highest[at - 1];
        highest[at] = late;
    }
    return highest[last];
}

void slowness_add(struct slowness *self, uint64_t late_ns)
{
    const uint64_t late_us = late_ns / 1000;
    self->late_us[self->count++ % SLOWNESS_KEPT] = late_us < UINT32_MAX ? (uint32_t)late_us : UINT32_MAX;
    const size_t in_case = self->count - self->mark;
    const uint32_t late = ninth_tenth(self, in_case < SLOWNESS_WINDOW ? self->mark : self->count - SLOWNESS_WINDOW);
    self->worst_us = late > self->worst_us ? late : self->worst_us;
    self->slow_count += late_us > IN_TIME_US;
}

static void *sample(void *context)
{
    struct slowness *self = context;
    uint64_t due_ns = ipcmark_now_ns();
    pthread_mutex_lock(&self->lock);
    while (!self->ending) {
        /* Moments that it slept through count too, each with its own lateness. */
        due_ns += SLOWNESS_PERIOD_MS * UINT64_C(1000000);
        const struct timespec due = {.tv_sec = (time_t)(due_ns / 1000000000), .tv_nsec = (long)(due_ns % 1000000000)};
        while (!self->ending && ipcmark_now_ns() < due_ns)
            pthread_cond_timedwait(&self->end, &self->lock, &due);
        if (!self->ending)
            slowness_add(self, ipcmark_now_ns() - due_ns);
    }
    pthread_mutex_unlock(&self->lock);
    return NULL;
}

static void destroy(struct slowness *self)
{
    pthread_cond_destroy(&self->end);
    pthread_mutex_destroy(&self->lock);
}

/* No sampler, no samples: then only the snapshots count. */
static void begin(struct slowness *self)
{
    pthread_condattr_t clock;
    sigset_t all, before;
    pthread_mutex_init(&self->lock, NULL);
    pthread_condattr_init(&clock);
    pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
    pthread_cond_init(&self->end, &clock);
    pthread_condattr_destroy(&clock);
    sigfillset(&all); /* signals are for the one that asks for them */
    pthread_sigmask(SIG_SETMASK, &all, &before);
    self->ending = false;
    self->running = pthread_create(&self->thread, NULL, sample, self) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (!self->running)
        destroy(self);
}

void slowness_end(struct slowness *self)
{
    if (!self->running)
        return;
    pthread_mutex_lock(&self->lock);
    self->ending = true;
    pthread_cond_signal(&self->end);
    pthread_mutex_unlock(&self->lock);
    pthread_join(self->thread, NULL);
    destroy(self);
    self->running = false;
}

static void lock(struct slowness *self)
{
    if (self->running)
        pthread_mutex_lock(&self->lock);
}

static void unlock(struct slowness *self)
{
    if (self->running)
        pthread_mutex_unlock(&self->lock);
}

size_t slowness_now(struct slowness *self)
{
    lock(self);
    const size_t now = self->count;
    unlock(self);
    return now;
}

static size_t first_kept(const struct slowness *self, size_t place)
{
    return self->count > place + SLOWNESS_KEPT ? self->count - SLOWNESS_KEPT : place;
}

/* Who waits for as many others as have a slice each, has only its share of a CPU. */
static double scale_of(uint32_t late_us)
{
    return late_us > IN_TIME_US ? 1 + (double)(late_us - IN_TIME_US) / SLICE_US : 1;
}

double slowness_since(struct slowness *self, size_t place)
{
    uint32_t worst = 0;
    lock(self);
    for (size_t from = first_kept(self, place); from < self->count; ++from) {
        const uint32_t late = ninth_tenth(self, from);
        worst = late > worst ? late : worst;
    }
    unlock(self);
    return scale_of(worst);
}

double slowness_worst(struct slowness *self)
{
    lock(self);
    const uint32_t worst = self->worst_us;
    unlock(self);
    return scale_of(worst);
}

/* ---- whose fault it is ------------------------------------------------------------------------------------------- */

static uint64_t used_by(int whom)
{
    struct rusage usage;
    if (getrusage(whom, &usage) < 0)
        return 0;
    return (uint64_t)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000000 +
           (uint64_t)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1000;
}

static uint64_t without(uint64_t all, uint64_t part)
{
    return all > part ? all - part : 0;
}

static uint64_t our_ns(uint64_t living_ns)
{
    return used_by(RUSAGE_SELF) + used_by(RUSAGE_CHILDREN) + living_ns;
}

void slowness_mark(struct slowness *self)
{
    if (!self->running)
        begin(self);
    lock(self);
    self->mark = self->count;
    self->worst_us = 0;
    self->slow_count = 0;
    unlock(self);
    unsigned cpus;
    self->begun_ns = ipcmark_now_ns();
    self->begun_used_ns = others_used_ns(&cpus);
    self->begun_our_ns = our_ns(0);
}

bool slowness_explained(uint64_t slow_ns, uint64_t whole_ns, uint64_t others_ns, uint64_t used_ns, unsigned cpus)
{
    return others_ns >= cpus * (slow_ns / 4 + whole_ns / 50) || used_ns < cpus * (slow_ns / 2);
}

static uint64_t slow_ns(struct slowness *self)
{
    lock(self);
    const uint64_t periods = self->slow_count;
    unlock(self);
    return periods * SLOWNESS_PERIOD_MS * 1000000;
}

bool slowness_is_of_others(struct slowness *self, uint64_t living_ns)
{
    unsigned cpus;
    const uint64_t ever_ns = others_used_ns(&cpus);
    if (ever_ns == 0)
        return true;
    const uint64_t used_ns = without(ever_ns, self->begun_used_ns);
    const uint64_t others_ns = without(used_ns, our_ns(living_ns) - self->begun_our_ns);
    return slowness_explained(slow_ns(self), ipcmark_now_ns() - self->begun_ns, others_ns, used_ns, cpus);
}
