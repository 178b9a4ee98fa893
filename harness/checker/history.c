/* Histories in memory. */
#include "ipcmark/history.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Makes room for one more element of an array of `count`; its capacity is the next power of two. */
static int array_grow(void **array, size_t count, size_t size)
{
    void *grown;
    if (count > 0 && (count & (count - 1)) != 0)
        return 0;
    grown = realloc(*array, (count == 0 ? 1 : count * 2) * size);
    if (grown == NULL)
        return -ENOMEM;
    *array = grown;
    return 0;
}

#define APPEND(history, array, count, element)                                                                         \
    do {                                                                                                               \
        void *grown = (history)->array;                                                                                \
        if (array_grow(&grown, (history)->count, sizeof *(history)->array) < 0)                                        \
            return -ENOMEM;                                                                                            \
        (history)->array = grown;                                                                                      \
        (history)->array[(history)->count++] = (element);                                                              \
    } while (0)

int ipcmark_history_add_process(struct ipcmark_history *history, const struct ipcmark_process *process)
{
    APPEND(history, processes, process_count, *process);
    return 0;
}

int ipcmark_history_add_member(struct ipcmark_history *history, const struct ipcmark_member *member)
{
    struct ipcmark_member copy = *member;
    copy.channel = strdup(member->channel);
    copy.directory = strdup(member->directory);
    APPEND(history, members, member_count, copy);
    return copy.channel == NULL || copy.directory == NULL ? -ENOMEM : 0;
}

int ipcmark_history_add_fault(struct ipcmark_history *history, const struct ipcmark_fault *fault)
{
    APPEND(history, faults, fault_count, *fault);
    return 0;
}

int ipcmark_history_add_drain(struct ipcmark_history *history, const struct ipcmark_drain *drain)
{
    APPEND(history, drains, drain_count, *drain);
    return 0;
}

int ipcmark_history_add_observation(struct ipcmark_history *history, const struct ipcmark_observation *observation)
{
    struct ipcmark_observation copy = *observation;
    copy.text = strdup(observation->text);
    APPEND(history, observations, observation_count, copy);
    return copy.text == NULL ? -ENOMEM : 0;
}

int ipcmark_history_set_expectation(struct ipcmark_history *history, const struct ipcmark_expectation *expectation)
{
    char *run = strdup(expectation->run);
    if (run == NULL)
        return -ENOMEM;
    free((char *)history->expectation.run);
    history->expectation = *expectation;
    history->expectation.run = run;
    history->has_expectation = 1;
    return 0;
}

static int journal_append(struct ipcmark_history *history, struct ipcmark_history_journal journal)
{
    APPEND(history, journals, journal_count, journal);
    return 0;
}

int ipcmark_history_add_journal(struct ipcmark_history *history, uint32_t process, const char *name,
                                struct ipcmark_journal_view *view)
{
    struct ipcmark_history_journal journal = {process, *view, strdup(name)};
    int error = journal.name == NULL ? -ENOMEM : journal_append(history, journal);
    if (error < 0) {
        free(journal.name);
        ipcmark_journal_view_free(view);
    }
    memset(view, 0, sizeof *view);
    return error;
}

void ipcmark_history_free(struct ipcmark_history *history)
{
    for (size_t i = 0; i < history->member_count; ++i) {
        free((char *)history->members[i].channel);
        free((char *)history->members[i].directory);
    }
    for (size_t i = 0; i < history->observation_count; ++i)
        free((char *)history->observations[i].text);
    for (size_t i = 0; i < history->journal_count; ++i) {
        ipcmark_journal_view_free(&history->journals[i].view);
        free(history->journals[i].name);
    }
    free((char *)history->expectation.run);
    free(history->processes);
    free(history->members);
    free(history->faults);
    free(history->drains);
    free(history->observations);
    free(history->journals);
    memset(history, 0, sizeof *history);
}
