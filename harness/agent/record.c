/* A journal belongs to one thread at a time. Threads come and go (a driver may start one for each connection), so the
 * journal of a thread that ended is handed to the next that begins. */
#include "agent.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct journal {
    struct journal *next, *next_free;
    struct ipcmark_journal *file;
};

static char prefix[PATH_MAX];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_key_t at_thread_end;
static struct journal *all, *unused;
static unsigned count;
static _Thread_local struct journal *mine;

static void give_back(void *value)
{
    struct journal *journal = value;
    pthread_mutex_lock(&lock);
    journal->next_free = unused;
    unused = journal;
    pthread_mutex_unlock(&lock);
}

void record_open(const char *path_prefix)
{
    snprintf(prefix, sizeof prefix, "%s", path_prefix);
    if (pthread_key_create(&at_thread_end, give_back) != 0)
        out_fatal("out of thread keys");
    agent.journal = true;
}

static const char *remedy(int error)
{
    return error == -ENOSPC || error == -EDQUOT ? "; make room there, or name another place with TMPDIR" : "";
}

static struct journal *make(void)
{
    char path[PATH_MAX + 16];
    struct journal *journal = limits_allocate(sizeof *journal);
    if (journal == NULL)
        out_fatal("out of memory");
    snprintf(path, sizeof path, "%s.%u", prefix, count++);
    int error = ipcmark_journal_open(&journal->file, path);
    if (limits_lift(error)) {
        error = ipcmark_journal_open(&journal->file, path);
        limits_restore();
    }
    if (error < 0)
        out_fatal("the journal %s cannot be made: %s%s", path, strerror(-error), remedy(error));
    journal->next = all;
    all = journal;
    return journal;
}

static struct journal *take(void)
{
    pthread_mutex_lock(&lock);
    struct journal *journal = unused;
    if (journal != NULL)
        unused = journal->next_free;
    else
        journal = make();
    pthread_mutex_unlock(&lock);
    pthread_setspecific(at_thread_end, journal);
    return journal;
}

void record_append(const struct ipcmark_record *record)
{
    if (!agent.journal)
        return;
    if (mine == NULL)
        mine = take();
    int error = ipcmark_journal_append(mine->file, record);
    if (limits_lift(error)) {
        error = ipcmark_journal_append(mine->file, record);
        limits_restore();
    }
    if (error < 0)
        out_fatal("the journal cannot grow: %s%s", strerror(-error), remedy(error));
}

void record_leave(void)
{
    if (mine == NULL)
        return;
    pthread_setspecific(at_thread_end, NULL);
    give_back(mine);
    mine = NULL;
}

/* The list stays: a driver that left a thread behind may still give a journal back. */
void record_close(void)
{
    pthread_mutex_lock(&lock);
    for (struct journal *journal = all; journal != NULL; journal = journal->next) {
        ipcmark_journal_close(journal->file);
        journal->file = NULL;
    }
    pthread_mutex_unlock(&lock);
}
