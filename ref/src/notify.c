#include "notify.h"

#include "thread.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINES_MAX = 256, LINE_BYTES = 256, EVENTS_MAX = 4096 };

struct notice {
    struct notice *next;
    int event, pid, reason; /* of a peer; event 0: a log line */
    int level;
    char text[]; /* a log line's; LINE_BYTES */
};

static void call(struct notifier *notifier, const struct notice *notice)
{
    const unsigned forks = thread_before_call();
    if (notice->event != 0)
        notifier->on_peer(notifier->user, notice->event, notice->pid, notice->reason);
    else
        notifier->on_log(notifier->user, notice->level, notice->text);
    thread_after_call(forks);
}

static void *run(void *argument)
{
    struct notifier *notifier = argument;
    void (*at_end)(void *);
    thread_is_callback_thread = true;
    pthread_mutex_lock(&notifier->lock);
    for (;;) {
        struct notice *notice = notifier->first;
        bool muted;
        if (notifier->at_end != NULL || (notice == NULL && notifier->stopping))
            break;
        if (notice == NULL) {
            pthread_cond_wait(&notifier->ready, &notifier->lock);
            continue;
        }
        notifier->first = notice->next;
        if (notifier->first == NULL)
            notifier->last = &notifier->first;
        notifier->lines -= notice->event == 0;
        notifier->events -= notice->event != 0;
        muted = notifier->muted;
        pthread_mutex_unlock(&notifier->lock);
        if (!muted)
            call(notifier, notice);
        free(notice);
        pthread_mutex_lock(&notifier->lock);
    }
    at_end = notifier->at_end;
    pthread_mutex_unlock(&notifier->lock);
    if (at_end != NULL) {
        pthread_detach(pthread_self());
        at_end(notifier->at_end_argument);
    }
    return NULL;
}

int notifier_open(struct notifier *notifier, const mmipc_options *options)
{
    int error;
    memset(notifier, 0, sizeof *notifier);
    notifier->on_peer = options->on_peer;
    notifier->on_log = options->on_log;
    notifier->user = options->user;
    notifier->last = &notifier->first;
    pthread_mutex_init(&notifier->lock, NULL);
    pthread_cond_init(&notifier->ready, NULL);
    if (notifier->on_peer == NULL && notifier->on_log == NULL)
        return 0;
    error = thread_start(&notifier->thread, run, notifier);
    notifier->running = error == 0;
    return error;
}

/* Takes the notice. */
static void push(struct notifier *notifier, struct notice *notice)
{
    notice->next = NULL;
    *notifier->last = notice;
    notifier->last = &notice->next;
    pthread_cond_broadcast(&notifier->ready);
}

int notifier_reserve(struct notifier *notifier, struct notice **reserved)
{
    bool lags;
    if (notifier->on_peer == NULL)
        return 0;
    pthread_mutex_lock(&notifier->lock);
    lags = notifier->events >= EVENTS_MAX;
    pthread_mutex_unlock(&notifier->lock);
    if (lags)
        return -EAGAIN;
    for (int i = 0; i < 2; ++i) {
        struct notice *notice = calloc(1, sizeof *notice);
        if (notice == NULL)
            return -ENOMEM;
        notice->next = *reserved;
        *reserved = notice;
    }
    return 0;
}

void notifier_unreserve(struct notice **reserved)
{
    while (*reserved != NULL) {
        struct notice *notice = *reserved;
        *reserved = notice->next;
        free(notice);
    }
}

void notifier_peer(struct notifier *notifier, struct notice **reserved, int event, int pid, int reason)
{
    struct notice *notice = *reserved;
    if (notice == NULL)
        return;
    *reserved = notice->next;
    notice->event = event;
    notice->pid = pid;
    notice->reason = reason;
    pthread_mutex_lock(&notifier->lock);
    notifier->events++;
    push(notifier, notice);
    pthread_mutex_unlock(&notifier->lock);
}

void notifier_log(struct notifier *notifier, int level, const char *format, ...)
{
    struct notice *notice;
    va_list arguments;
    if (notifier->on_log == NULL || (notice = calloc(1, sizeof *notice + LINE_BYTES)) == NULL)
        return;
    notice->level = level;
    va_start(arguments, format);
    vsnprintf(notice->text, LINE_BYTES, format, arguments);
    va_end(arguments);
    pthread_mutex_lock(&notifier->lock);
    if (notifier->lines >= LINES_MAX) {
        notifier->dropped++;
        free(notice);
    } else {
        if (notifier->dropped != 0) {
            size_t length = strlen(notice->text);
            snprintf(notice->text + length, LINE_BYTES - length, " (after %zu lost lines)", notifier->dropped);
            notifier->dropped = 0;
        }
        notifier->lines++;
        push(notifier, notice);
    }
    pthread_mutex_unlock(&notifier->lock);
}

bool notifier_is_current(const struct notifier *notifier)
{
    return notifier->running && pthread_equal(pthread_self(), notifier->thread);
}

void notifier_finish_with(struct notifier *notifier, void (*at_end)(void *), void *argument)
{
    pthread_mutex_lock(&notifier->lock);
    notifier->at_end_argument = argument;
    notifier->at_end = at_end;
    pthread_mutex_unlock(&notifier->lock);
}

void notifier_mute(struct notifier *notifier)
{
    pthread_mutex_lock(&notifier->lock);
    notifier->muted = true;
    pthread_mutex_unlock(&notifier->lock);
}

void notifier_close(struct notifier *notifier)
{
    if (notifier->running && !notifier_is_current(notifier)) {
        pthread_mutex_lock(&notifier->lock);
        notifier->stopping = true;
        pthread_cond_broadcast(&notifier->ready);
        pthread_mutex_unlock(&notifier->lock);
        pthread_join(notifier->thread, NULL);
    }
    while (notifier->first != NULL) {
        struct notice *notice = notifier->first;
        notifier->first = notice->next;
        free(notice);
    }
    pthread_cond_destroy(&notifier->ready);
    pthread_mutex_destroy(&notifier->lock);
}
