#include "nudge.h"

#include "os/os.h"

int nudge_open(struct nudge *nudge)
{
    pthread_mutex_init(&nudge->lock, NULL);
    pthread_cond_init(&nudge->heard, NULL);
    nudge->sleepers = 0;
    nudge->given = false;
    nudge->event = os_event_create();
    return nudge->event < 0 ? nudge->event : 0;
}

void nudge_close(struct nudge *nudge)
{
    os_close(nudge->event);
    pthread_cond_destroy(&nudge->heard);
    pthread_mutex_destroy(&nudge->lock);
}

void nudge_expect(struct nudge *nudge)
{
    pthread_mutex_lock(&nudge->lock);
    while (nudge->given) /* for the sleepers of before; it would end our sleep at once, too */
        pthread_cond_wait(&nudge->heard, &nudge->lock);
    nudge->sleepers++;
    pthread_mutex_unlock(&nudge->lock);
}

void nudge_over(struct nudge *nudge)
{
    pthread_mutex_lock(&nudge->lock);
    if (--nudge->sleepers == 0 && nudge->given) {
        os_event_clear(nudge->event);
        nudge->given = false;
        pthread_cond_broadcast(&nudge->heard);
    }
    pthread_mutex_unlock(&nudge->lock);
}

void nudge_give(struct nudge *nudge)
{
    pthread_mutex_lock(&nudge->lock);
    if (nudge->sleepers > 0 && !nudge->given) {
        nudge->given = true;
        os_event_signal(nudge->event);
    }
    pthread_mutex_unlock(&nudge->lock);
}
