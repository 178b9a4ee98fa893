/* records.h — what participants wrote down, as the tests of the coordinator look at it. */
#ifndef TESTS_RECORDS_H
#define TESTS_RECORDS_H

#include "cases.h"

#include "ipcmark/checker.h"
#include "ipcmark/control.h"

static inline void records_load(struct ipcmark_history *history, const ipcmark_trial *of)
{
    char problem[256] = "";
    *history = (struct ipcmark_history){0};
    if (ipcmark_history_load(history, ipcmark_trial_directory(of), problem, sizeof problem) < 0)
        fail_msg("%s", problem);
}

/* How often the endpoint recorded this, in all its lives. */
static inline int records_count(const ipcmark_trial *of, uint16_t endpoint, enum ipcmark_kind kind)
{
    struct ipcmark_history history;
    int count = 0;
    records_load(&history, of);
    for (size_t i = 0; i < history.journal_count; ++i)
        for (size_t k = 0; k < history.journals[i].view.count; ++k)
            count += history.journals[i].view.records[k].endpoint == endpoint &&
                     history.journals[i].view.records[k].kind == kind;
    ipcmark_history_free(&history);
    return count;
}

/* Stops the trial and has it judged: it must pass, and so many deliveries must have had to be. */
static inline void records_expect_pass(ipcmark_trial *of, uint64_t must)
{
    struct ipcmark_history history;
    struct ipcmark_judgement judgement;
    ipcmark_trial_stop(of);
    records_load(&history, of);
    assert_int_equal(ipcmark_check(&history, &judgement), 0);
    ipcmark_history_free(&history);
    if (judgement.verdict != IPCMARK_PASS)
        fail_msg("%s: %s", ipcmark_verdict_text(judgement.verdict), judgement.text);
    assert_int_equal(judgement.must, must);
    assert_int_equal(judgement.received, must);
}

#endif
