#include "inbox.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <ipcmark/journal.h>

#include "message.h"

enum { PATIENCE_SECONDS = 8 };

int inbox_open(struct inbox *inbox, enum inbox_work work, size_t size)
{
    pthread_condattr_t monotonic;
    int result;

    *inbox = (struct inbox){.work = work, .size = size, .reads = 1};
    if ((result = ipcmark_histogram_new(&inbox->histogram)) < 0)
        return result;
    inbox->answer = calloc(1, size);
    if (inbox->answer == NULL) {
        ipcmark_histogram_free(inbox->histogram);
        return -ENOMEM;
    }
    pthread_mutex_init(&inbox->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&inbox->changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    return 0;
}

void inbox_release(struct inbox *inbox)
{
    pthread_mutex_lock(&inbox->lock);
    inbox->closing = true;
    pthread_cond_broadcast(&inbox->changed);
    pthread_mutex_unlock(&inbox->lock);
}

void inbox_close(struct inbox *inbox)
{
    ipcmark_histogram_free(inbox->histogram);
    free(inbox->answer);
    pthread_cond_destroy(&inbox->changed);
    pthread_mutex_destroy(&inbox->lock);
}

static uint64_t until(struct inbox *inbox)
{
    return atomic_load_explicit(&inbox->until, memory_order_acquire); /* with it the round's settings */
}

static void complain(struct inbox *inbox, const char *what)
{
    pthread_mutex_lock(&inbox->lock);
    if (inbox->error[0] == '\0')
        snprintf(inbox->error, sizeof inbox->error, "message %llu %s", (unsigned long long)inbox->next, what);
    pthread_cond_broadcast(&inbox->changed);
    pthread_mutex_unlock(&inbox->lock);
}

/* Until the next round. False: there is none. */
static bool hold(struct inbox *inbox)
{
    bool goes_on;

    pthread_mutex_lock(&inbox->lock);
    inbox->holding = true;
    pthread_cond_broadcast(&inbox->changed);
    while (inbox->next == until(inbox) && !inbox->closing)
        pthread_cond_wait(&inbox->changed, &inbox->lock);
    inbox->holding = false;
    goes_on = !inbox->closing;
    pthread_mutex_unlock(&inbox->lock);
    return goes_on;
}

static uint64_t sum_of(const unsigned char *data, size_t size, uint64_t sum)
{
    uint64_t word;

    for (size_t at = 0; at + sizeof word <= size; at += sizeof word) {
        memcpy(&word, data + at, sizeof word);
        sum += word;
    }
    return sum;
}

static void note_sleep(struct inbox *inbox)
{
    struct rusage usage;

    if (getrusage(RUSAGE_THREAD, &usage) != 0)
        return;
    inbox->slept += inbox->next - inbox->started >= inbox->lead && usage.ru_nvcsw != inbox->switches;
    inbox->switches = usage.ru_nvcsw;
}

static void send_next(struct inbox *inbox)
{
    int result;

    message_write(inbox->answer, inbox->size, inbox->sent++);
    result = inbox->answers->send(inbox->sender, inbox->answer, inbox->size);
    if (result < 0)
        complain(inbox, "could not be answered");
}

/* The next message first, then all that only this side needs: it is done while the message is on its way. A trip is
 * from the end of one send to the end of the next. */
static void ping(struct inbox *inbox, bool held)
{
    uint64_t now_ns;

    send_next(inbox);
    now_ns = ipcmark_now_ns();
    if (!held && inbox->next - inbox->started > inbox->lead)
        ipcmark_histogram_record(inbox->histogram, now_ns - inbox->last_ns);
    inbox->last_ns = now_ns;
}

/* What the round is for, beyond checking. */
static void use(struct inbox *inbox, const unsigned char *data, uint64_t now_ns)
{
    for (unsigned i = 0; inbox->work == INBOX_READ && i < inbox->reads; ++i)
        inbox->sum = sum_of(data, inbox->size, inbox->sum);
    if (inbox->work == INBOX_TIME && inbox->next - inbox->started >= inbox->lead)
        ipcmark_histogram_record(inbox->histogram, now_ns - message_time(data));
    if (inbox->work == INBOX_READ || inbox->work == INBOX_TIME)
        note_sleep(inbox);
}

void inbox_take(void *user, const void *data, size_t size)
{
    struct inbox *inbox = user;
    uint64_t now_ns = inbox->work == INBOX_TIME ? ipcmark_now_ns() : 0;
    bool held = false;

    if (inbox->next == until(inbox) && !hold(inbox)) /* nobody has asked for it yet, or will any more */
        return;
    if (size != inbox->size || !message_holds(data, size, inbox->next))
        complain(inbox, "is missing, or not as it was sent");
    else
        use(inbox, data, now_ns);
    ++inbox->next;
    if (inbox->work == INBOX_PONG)
        send_next(inbox);
    if (inbox->next == until(inbox)) {
        inbox->end_ns = ipcmark_now_ns();
        inbox->thread = gettid();
        held = true;
        if (!hold(inbox))
            return;
    }
    if (inbox->work == INBOX_PING)
        ping(inbox, held);
}

/* The counter is the handler's while it does not hold. */
static int await_end(struct inbox *inbox)
{
    const uint64_t round_end = until(inbox);
    struct timespec deadline;
    int result = 0;

    clock_gettime(CLOCK_MONOTONIC, &deadline);
    deadline.tv_sec += PATIENCE_SECONDS;
    while (!(inbox->holding && inbox->next == round_end) && inbox->error[0] == '\0' && result == 0)
        result = -pthread_cond_timedwait(&inbox->changed, &inbox->lock, &deadline);
    return inbox->error[0] != '\0' ? -EBADMSG : result;
}

int inbox_round(struct inbox *inbox, uint64_t count, uint64_t lead)
{
    int result;

    pthread_mutex_lock(&inbox->lock);
    ipcmark_histogram_clear(inbox->histogram);
    inbox->lead = lead;
    inbox->slept = 0;
    inbox->started = until(inbox);
    atomic_store_explicit(&inbox->until, inbox->started + count, memory_order_release);
    pthread_cond_broadcast(&inbox->changed);
    result = await_end(inbox);
    pthread_mutex_unlock(&inbox->lock);
    return result;
}
