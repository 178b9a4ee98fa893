/* What a crash leaves behind. */
#include "stage.h"

#include "../core.h"

#include <elf.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

static char parent[] = "/tmp/ipcmark-core-XXXXXX", keep[64];

static int entry_remove(const char *path, const struct stat *status, int type, struct FTW *walk)
{
    (void)status, (void)type, (void)walk;
    return remove(path);
}

static void parent_make(void)
{
    strcpy(parent + sizeof parent - 7, "XXXXXX");
    assert_non_null(mkdtemp(parent));
    snprintf(keep, sizeof keep, "%s/kept", parent);
}

static void parent_remove(void)
{
    assert_int_equal(nftw(parent, entry_remove, 8, FTW_DEPTH | FTW_PHYS), 0);
}

/* The trial's folder is kept as that of a case that failed. */
static void close_and_keep(void)
{
    ipcmark_trial_stop(trial);
    assert_int_equal(ipcmark_trial_close(trial, keep), 0);
    assert_int_equal(ipcmark_session_close(session), 0);
}

static bool is_kept(const char *name)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", keep, name);
    return access(path, F_OK) == 0;
}

static void crash(ipcmark_participant *participant)
{
    assert_int_equal(kill(ipcmark_participant_pid(participant), SIGSEGV), 0);
    assert_int_equal(ipcmark_await_exit(participant, NULL), 0);
}

/* Whether cores land in the working directory here. */
static bool is_plain(void)
{
    char pattern[256] = "|";
    struct rlimit limit;
    FILE *file = fopen("/proc/sys/kernel/core_pattern", "re");
    if (file != NULL && fgets(pattern, sizeof pattern, file) == NULL)
        pattern[0] = '|';
    if (file != NULL)
        fclose(file);
    return pattern[0] != '|' && strchr(pattern, '/') == NULL && getrlimit(RLIMIT_CORE, &limit) == 0 &&
           limit.rlim_max > 1 << 24;
}

/* The driver is given by a relative path, and yet the participant works elsewhere. */
static void a_crash_leaves_its_core_or_says_where_it_went(void **state)
{
    char here[4096], driver[4096], path[128];
    (void)state;
    parent_make();
    assert_non_null(getcwd(here, sizeof here));
    snprintf(driver, sizeof driver, "%s", IPCMARK_TEST_DRIVER);
    *strrchr(driver, '/') = '\0';
    assert_int_equal(chdir(driver), 0);
    stage_open("./dgram.so", NULL);
    crash(stage_start());
    assert_int_equal(chdir(here), 0);
    assert_int_equal(ipcmark_trial_troubles(trial), 1);
    snprintf(driver, sizeof driver, "%s", ipcmark_trial_trouble(trial, 0)->text);
    close_and_keep();
    assert_non_null(strstr(driver, "p1 was killed by signal 11"));
    if (is_plain()) {
        Elf64_Ehdr header = {0};
        assert_non_null(strstr(driver, "; its core: 1-p1.core"));
        snprintf(path, sizeof path, "%s/1-p1.core", keep);
        int file = open(path, O_RDONLY | O_CLOEXEC);
        assert_int_equal(read(file, &header, sizeof header), sizeof header);
        close(file);
        assert_int_equal(header.e_type, ET_CORE);
        assert_false(is_kept("work"));
    } else if (strstr(driver, "core_pattern") == NULL && strstr(driver, "coredumpctl info") == NULL &&
               strstr(driver, "no core was written") == NULL) {
        fail_msg("nothing is said of a core: %s", driver);
    }
    assert_true(is_kept("history.jsonl") && is_kept("journals") && is_kept("1-p1.stderr"));
    parent_remove();
}

static void of_many_crashes_a_few_cores_are_kept(void **state)
{
    (void)state;
    if (!is_plain())
        CASES_SKIP("cores do not land in the working directory here");
    parent_make();
    stage_open(IPCMARK_TEST_DRIVER, NULL);
    for (int i = 0; i <= MAX_CORES; ++i)
        crash(stage_start());
    assert_non_null(strstr(ipcmark_trial_trouble(trial, MAX_CORES - 1)->text, "; its core: 2-p2.core"));
    assert_non_null(strstr(ipcmark_trial_trouble(trial, MAX_CORES)->text, "; its core was removed: 2 of a trial"));
    close_and_keep();
    assert_true(is_kept("1-p1.core") && is_kept("2-p2.core") && !is_kept("3-p3.core") && !is_kept("work"));
    parent_remove();
}

static void an_intended_death_leaves_none(void **state)
{
    (void)state;
    parent_make();
    stage_open(IPCMARK_TEST_DRIVER, NULL);
    ipcmark_participant *participant = stage_start();
    assert_int_equal(ipcmark_kill(participant), 0);
    assert_int_equal(ipcmark_await_exit(participant, NULL), 0);
    assert_int_equal(ipcmark_trial_troubles(trial), 0);
    close_and_keep();
    assert_true(is_kept("history.jsonl") && !is_kept("1-p1.core") && !is_kept("work"));
    parent_remove();
}

/* As the kernel does when memory is out: a crash, but not one that leaves a core. */
static void nobody_looks_for_a_core_of_a_kill(void **state)
{
    (void)state;
    stage_open(IPCMARK_TEST_DRIVER, NULL);
    ipcmark_participant *participant = stage_start();
    assert_int_equal(kill(ipcmark_participant_pid(participant), SIGKILL), 0);
    assert_int_equal(ipcmark_await_exit(participant, NULL), 0);
    assert_string_equal(ipcmark_trial_trouble(trial, 0)->text, "p1 was killed by signal 9 (Killed)");
    stage_close();
}

static void it_is_said_where_the_system_puts_them(void **state)
{
    (void)state;
    stage_open(IPCMARK_TEST_DRIVER, NULL);
    assert_null(core_place(trial, "core", 7));
    assert_null(core_place(trial, "%e.%p", 7));
    assert_string_equal(core_place(trial, "|/lib/systemd/systemd-coredump %P %u", 7),
                        "; `coredumpctl info 7` shows its core");
    assert_non_null(strstr(core_place(trial, "|/usr/share/apport/apport %p", 7), "went to a program, says /proc/sys/"));
    assert_non_null(strstr(core_place(trial, "/var/crash/core.%p", 7), "core_pattern says: /var/crash/core.%p"));
    stage_close();
}

CASES_MAIN(CASE(a_crash_leaves_its_core_or_says_where_it_went), CASE(of_many_crashes_a_few_cores_are_kept),
           CASE(an_intended_death_leaves_none), CASE(nobody_looks_for_a_core_of_a_kill),
           CASE(it_is_said_where_the_system_puts_them))
