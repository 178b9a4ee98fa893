/* stage.h — what the tests of the coordinator begin and end with. */
#ifndef TESTS_STAGE_H
#define TESTS_STAGE_H

#include "cases.h"

#include "ipcmark/control.h"

static ipcmark_session *session;
static ipcmark_trial *trial;
/* Of each call. No right answer takes so long, on whatever machine; cases about missing it set it lower for themselves.
 */
enum { STAGE_DEADLINE_SECONDS = 20 };
static double stage_deadline_seconds = STAGE_DEADLINE_SECONDS;

/* libuv keeps two descriptors for signals from its first use on; they are no leak of a case. */
__attribute__((constructor)) static void warm_up(void)
{
    if (ipcmark_session_open(&session) == 0)
        ipcmark_session_close(session);
}

static inline void stage_open(const char *driver, const char *agent)
{
    ipcmark_trial_options options = {.seed = 1, .deadline_seconds = stage_deadline_seconds};
    options.target.driver = driver;
    options.target.agent = agent;
    assert_int_equal(ipcmark_session_open(&session), 0);
    if (ipcmark_trial_open(&trial, session, &options) < 0)
        fail_msg("%s", ipcmark_session_text(session));
}

static inline void stage_close(void)
{
    assert_int_equal(ipcmark_trial_close(trial, NULL), 0);
    assert_int_equal(ipcmark_session_close(session), 0);
    stage_deadline_seconds = STAGE_DEADLINE_SECONDS;
}

static inline ipcmark_participant *stage_start(void)
{
    ipcmark_participant *participant = ipcmark_participant_start(trial, NULL);
    if (participant == NULL)
        fail_msg("%s", ipcmark_session_text(session));
    return participant;
}

static inline void stage_done(ipcmark_call *call)
{
    if (ipcmark_await(call) != IPCMARK_DONE)
        fail_msg("%s", call->text);
}

static inline void stage_no_troubles(void)
{
    assert_int_equal(ipcmark_trial_stop(trial), 0);
    if (ipcmark_trial_troubles(trial) > 0)
        fail_msg("%s", ipcmark_trial_trouble(trial, 0)->text);
}

#endif
