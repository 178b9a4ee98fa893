#include "progress.h"

#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

/* Until this much was measured, the rule says more than how the machine compares with it. */
static const double seconds_to_learn = 5;

static size_t terminal_width(void)
{
    struct winsize size;
    return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1 ? size.ws_col : 80;
}

/* Cuts to so many characters, of UTF-8 that may be several bytes each. */
static void cut(char *text, size_t width)
{
    size_t count = 0;
    for (char *at = text; *at != '\0'; ++at)
        if (((unsigned char)*at & 0xC0) != 0x80 && ++count > width) {
            *at = '\0';
            return;
        }
}

void progress_show(const char *format, ...)
{
    char line[1024] = "";
    va_list arguments;
    if (!isatty(STDERR_FILENO))
        return;
    va_start(arguments, format);
    if (format != NULL)
        vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    cut(line, terminal_width() - 1); /* a full line would wrap, and could not be wiped away */
    fprintf(stderr, "\r\033[K%s", line);
    fflush(stderr);
}

/* ---- what goes on ------------------------------------------------------------------------------------------------ */

/* Of a thread of its own: cases wait in many places, and none of them shall have to think of this. */
static struct {
    pthread_mutex_t lock;
    pthread_cond_t over;
    pthread_t thread;
    struct timespec start;
    bool running, ended;       /* running: there is a thread */
    char head[512], tail[512]; /* as run.c makes them; what is shown is cut to the terminal */
} ticking = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void *tick(void *context)
{
    struct timespec next = ticking.start;
    (void)context;
    pthread_mutex_lock(&ticking.lock);
    for (unsigned seconds = 1; !ticking.ended; ++seconds) {
        ++next.tv_sec;
        while (!ticking.ended && pthread_cond_timedwait(&ticking.over, &ticking.lock, &next) == 0) {
        }
        if (!ticking.ended)
            progress_show("%s  %u s  %s", ticking.head, seconds, ticking.tail);
    }
    pthread_mutex_unlock(&ticking.lock);
    return NULL;
}

/* Signals are for the thread that waits for them. */
static bool start_ticking(void)
{
    pthread_condattr_t clock;
    sigset_t all, before;
    int error;
    pthread_condattr_init(&clock);
    pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
    pthread_cond_init(&ticking.over, &clock);
    pthread_condattr_destroy(&clock);
    clock_gettime(CLOCK_MONOTONIC, &ticking.start);
    ticking.ended = false;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    error = pthread_create(&ticking.thread, NULL, tick, NULL);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return error == 0;
}

void progress_begin(const char *head, const char *tail)
{
    if (!isatty(STDERR_FILENO))
        return;
    snprintf(ticking.head, sizeof ticking.head, "%s", head);
    snprintf(ticking.tail, sizeof ticking.tail, "%s", tail);
    progress_show("%s  %s", head, tail);
    ticking.running = start_ticking();
}

void progress_end(void)
{
    if (ticking.running) {
        pthread_mutex_lock(&ticking.lock);
        ticking.ended = true;
        pthread_cond_signal(&ticking.over);
        pthread_mutex_unlock(&ticking.lock);
        pthread_join(ticking.thread, NULL);
        pthread_cond_destroy(&ticking.over);
        ticking.running = false;
    }
    progress_show(NULL);
}

/* ---- what is left ------------------------------------------------------------------------------------------------ */

double progress_left(const progress_kind *kinds, size_t count)
{
    double usual = seconds_to_learn, measured = seconds_to_learn, left = 0;
    for (size_t i = 0; i < count; ++i) {
        usual += kinds[i].usual * kinds[i].ended;
        measured += kinds[i].measured;
    }
    for (size_t i = 0; i < count; ++i) {
        const progress_kind *kind = &kinds[i];
        const double each = kind->ended > 0 ? kind->measured / kind->ended : kind->usual * measured / usual;
        if (kind->planned > kind->ended)
            left += each * (kind->planned - kind->ended);
    }
    return left;
}

const char *progress_text(double seconds, char *text, size_t size)
{
    if (seconds < 1)
        text[0] = '\0';
    else if (seconds < 90)
        snprintf(text, size, "about %.0f s left", seconds);
    else if (seconds < 5400)
        snprintf(text, size, "about %.0f min left", seconds / 60);
    else
        snprintf(text, size, "about %.1f h left", seconds / 3600);
    return text;
}
