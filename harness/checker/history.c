/* Histories in memory. */
#include "ipcmark/history.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Appends to an array of `count` elements, given the address of its pointer, whatever its type. The capacity is the
 * next power of two. 0 or -ENOMEM. */
static int array_append(void *pointer, size_t *count, const void *element, size_t size)
{
    char *array;
    memcpy(&array, pointer, sizeof array);
    if ((*count & (*count - 1)) == 0) {
        array = realloc(array, (*count == 0 ? 1 : *count * 2) * size);
        if (array == NULL)
            return -ENOMEM;
        memcpy(pointer, &array, sizeof array);
    }
    memcpy(array + *count * size, element, size);
    ++*count;
    return 0;
}

int ipcmark_history_add_process(struct ipcmark_history *history, const struct ipcmark_process *process)
{
    return array_append(&history->processes, &history->process_count, process, sizeof *process);
}

int ipcmark_history_add_member(struct ipcmark_history *history, const struct ipcmark_member *member)
{
    struct ipcmark_member copy = *member;
    char *channel = strdup(member->channel), *directory = strdup(member->directory);
    char *name = member->name == NULL ? NULL : strdup(member->name);
    int error = -ENOMEM;
    copy.channel = channel;
    copy.directory = directory;
    copy.name = name;
    if (channel != NULL && directory != NULL && (name != NULL || member->name == NULL))
        error = array_append(&history->members, &history->member_count, &copy, sizeof copy);
    if (error < 0) {
        free(channel);
        free(directory);
        free(name);
    }
    return error;
}

int ipcmark_history_add_fault(struct ipcmark_history *history, const struct ipcmark_fault *fault)
{
    return array_append(&history->faults, &history->fault_count, fault, sizeof *fault);
}

int ipcmark_history_add_drain(struct ipcmark_history *history, const struct ipcmark_drain *drain)
{
    return array_append(&history->drains, &history->drain_count, drain, sizeof *drain);
}

int ipcmark_history_add_observation(struct ipcmark_history *history, const struct ipcmark_observation *observation)
{
    struct ipcmark_observation copy = *observation;
    char *text = strdup(observation->text);
    int error = -ENOMEM;
    copy.text = text;
    if (text != NULL)
        error = array_append(&history->observations, &history->observation_count, &copy, sizeof copy);
    if (error < 0)
        free(text);
    return error;
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

int ipcmark_history_add_journal(struct ipcmark_history *history, uint32_t process, const char *name,
                                struct ipcmark_journal_view *view)
{
    struct ipcmark_history_journal journal = {process, *view, strdup(name)};
    int error = -ENOMEM;
    if (journal.name != NULL)
        error = array_append(&history->journals, &history->journal_count, &journal, sizeof journal);
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
        free((char *)history->members[i].name);
    }
    for (size_t i = 0; i < history->observation_count; ++i)
        free((char *)history->observations[i].text);
    for (size_t i = 0; i < history->journal_count; ++i) {
        ipcmark_journal_view_free(&history->journals[i].view);
        free(history->journals[i].name);
    }
    free((char *)history->expectation.run);
    free(history->schedule);
    free(history->processes);
    free(history->members);
    free(history->faults);
    free(history->drains);
    free(history->observations);
    free(history->journals);
    memset(history, 0, sizeof *history);
}
