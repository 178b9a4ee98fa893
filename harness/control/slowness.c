#include "slowness.h"

#include "ipcmark/journal.h"

#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum {
    NOMINAL_US = 1000
}; /* late by less is nobody: neither a timer's slack nor a CPU that was asleep takes so long */

/* ---- samples ----------------------------------------------------------------------------------------------------- */

void slowness_add(struct slowness *self, uint64_t late_ns)
{
    const uint64_t late_us = late_ns / 1000;
    self->late_us[self->count++ % SLOWNESS_KEPT] = late_us < UINT32_MAX ? (uint32_t)late_us : UINT32_MAX;
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
    self->running = pthread_create(&self->thread, NULL, sample, self) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
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
    pthread_cond_destroy(&self->end);
    pthread_mutex_destroy(&self->lock);
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

double slowness_since(struct slowness *self, size_t place)
{
    uint32_t worst = NOMINAL_US;
    lock(self);
    for (size_t from = first_kept(self, place); from < self->count; ++from) {
        const uint32_t late = ninth_tenth(self, from);
        worst = late > worst ? late : worst;
    }
    unlock(self);
    return (double)worst / NOMINAL_US;
}

/* ---- whose fault it is ------------------------------------------------------------------------------------------- */

/* Of all CPUs, time stolen by other machines included; 0: the kernel does not tell. */
static uint64_t read_used_ns(void)
{
    unsigned long long user, nice, system, idle, wait, interrupts, soft, stolen;
    uint64_t ticks = 0;
    FILE *file = fopen("/proc/stat", "re");
    if (file == NULL)
        return 0;
    if (fscanf(file, "cpu %llu %llu %llu %llu %llu %llu %llu %llu", &user, &nice, &system, &idle, &wait, &interrupts,
               &soft, &stolen) == 8)
        ticks = user + nice + system + interrupts + soft + stolen;
    fclose(file);
    return ticks * (UINT64_C(1000000000) / (uint64_t)sysconf(_SC_CLK_TCK));
}

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
    self->mark = slowness_now(self);
    self->begun_ns = ipcmark_now_ns();
    self->begun_used_ns = read_used_ns();
    self->begun_our_ns = our_ns(0);
}

bool slowness_explained(uint64_t slow_ns, uint64_t whole_ns, uint64_t others_ns, unsigned cpus)
{
    return others_ns >= cpus * (slow_ns / 4 + whole_ns / 50);
}

static uint64_t slow_ns(struct slowness *self)
{
    uint64_t periods = 0;
    lock(self);
    for (size_t i = first_kept(self, self->mark); i < self->count; ++i)
        periods += self->late_us[i % SLOWNESS_KEPT] > NOMINAL_US;
    unlock(self);
    return periods * SLOWNESS_PERIOD_MS * 1000000;
}

static unsigned count_cpus(void)
{
    cpu_set_t set;
    return sched_getaffinity(0, sizeof set, &set) == 0 ? (unsigned)CPU_COUNT(&set) : 1;
}

bool slowness_is_of_others(struct slowness *self, uint64_t living_ns)
{
    const uint64_t used_ns = read_used_ns();
    if (used_ns == 0)
        return true;
    const uint64_t others_ns = without(used_ns - self->begun_used_ns, our_ns(living_ns) - self->begun_our_ns);
    return slowness_explained(slow_ns(self), ipcmark_now_ns() - self->begun_ns, others_ns, count_cpus());
}
