/* What participants leave behind outside of their sessions and folders is found, said, and cleared away. */
#include "stage.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

static uint16_t subscriber;

/* "… left a process behind: PID (NAME)" is said, and it is no more. */
static void expect_process_found(const char *driver)
{
    stage_open(driver, NULL);
    stage_done(ipcmark_open_subscriber(stage_start(), &subscriber, NULL));
    const int left = ipcmark_trial_stop(trial);
    if (left != 1)
        fail_msg("%d are left:\n%s", left, ipcmark_trial_leftovers(trial));
    assert_int_equal(ipcmark_trial_trouble(trial, 0)->class_, IPCMARK_LEFTOVER);
    const char *text = ipcmark_trial_trouble(trial, 0)->text, *behind = strstr(text, "behind: ");
    assert_non_null(behind);
    assert_int_equal(kill(atoi(behind + strlen("behind: ")), 0), -1);
    stage_close();
}

static void who_left_the_session_is_found(void **state)
{
    (void)state;
    expect_process_found(IPCMARK_TEST_DRIVER "?leave_process=2");
}

static void who_left_the_session_and_its_environment_is_found(void **state)
{
    (void)state;
    expect_process_found(IPCMARK_TEST_DRIVER "?leave_process=3");
}

CASES_MAIN(CASE(who_left_the_session_is_found), CASE(who_left_the_session_and_its_environment_is_found))
