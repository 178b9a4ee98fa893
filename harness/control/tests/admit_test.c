/* Participants that are another user: what they write into is theirs, and the rest of the trial is not. */
#include "stage.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { STRANGER = 54321 };

static struct stat status_of(const char *name)
{
    struct stat status;
    char path[4096];
    snprintf(path, sizeof path, "%.4000s/%s", ipcmark_trial_directory(trial), name);
    assert_int_equal(lstat(path, &status), 0);
    return status;
}

static void folders_are_handed_over(void **state)
{
    (void)state;
    if (geteuid() != 0)
        CASES_SKIP("only root can give folders away");
    stage_open(IPCMARK_TEST_DRIVER, NULL);
    assert_non_null(ipcmark_trial_new_directory(trial));
    assert_int_equal(ipcmark_trial_admit(trial, STRANGER), 0);
    assert_non_null(ipcmark_trial_new_directory(trial));
    assert_int_equal(status_of("files").st_uid, STRANGER);
    assert_int_equal(status_of("files1").st_uid, STRANGER);
    assert_int_equal(status_of("files2").st_uid, STRANGER);
    assert_int_equal(status_of("journals").st_uid, STRANGER);
    assert_int_equal(status_of("").st_uid, 0);
    assert_int_equal(status_of("").st_mode & 0777, 0711);
    assert_int_equal(status_of("..").st_mode & 0777, 0711);
    assert_int_equal(ipcmark_trial_admit(trial, 0), 0);
    assert_int_equal(status_of("journals").st_uid, 0);
    assert_int_equal(status_of("files2").st_uid, 0);
    stage_close();
}

/* It keeps its journal, can be killed, and leaves nothing behind. */
static void a_stranger_takes_part(void **state)
{
    static const char wrap[] = "setpriv --reuid=54321 --regid=54321 --clear-groups";
    const ipcmark_participant_options options = {.wrap = wrap};
    ipcmark_participant *stranger;
    uint16_t subscriber = 0;
    char path[64];
    struct stat status;
    (void)state;
    if (geteuid() != 0 ||
        system("setpriv --reuid=54321 --regid=54321 --clear-groups test -x " IPCMARK_TEST_DRIVER) != 0)
        CASES_SKIP("another user cannot be had here, or cannot reach the driver");
    stage_open(IPCMARK_TEST_DRIVER, NULL);
    assert_int_equal(ipcmark_trial_admit(trial, STRANGER), 0);
    stranger = ipcmark_participant_start(trial, &options);
    assert_non_null(stranger);
    snprintf(path, sizeof path, "/proc/%d", ipcmark_participant_pid(stranger));
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_uid, STRANGER);
    assert_int_equal(ipcmark_await(ipcmark_open_subscriber(stranger, &subscriber, NULL)), IPCMARK_DONE);
    assert_int_equal(status_of("journals/1.0").st_uid, STRANGER);
    assert_int_equal(ipcmark_kill(stranger), 0);
    assert_int_equal(ipcmark_await_exit(stranger, NULL), 0);
    assert_int_equal(ipcmark_trial_troubles(trial), 0);
    stage_close();
}

CASES_MAIN(CASE(folders_are_handed_over), CASE(a_stranger_takes_part))
