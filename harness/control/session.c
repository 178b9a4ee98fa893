/* The session: signals, the guard, the calibration of deadlines. */
#include "internal.h"

#include "paths.h"
#include "tree.h"

#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum { CALIBRATION_ROUNDS = 100, CALIBRATION_LOOKS = 3 };
static const double nominal_round_trip_ns = 60e3; /* guard and back, on a common machine that has little to do */
static const double max_scale = 8;
/* What a bound in time has to spare beside how late sleepers are woken, which is no measure of how long anything takes:
 * beside two hogs a CPU no driver that is right was seen to miss one. */
static const double margin = 4;
static const char memory_directory[] = "/dev/shm";
static const uint64_t enough_memory = UINT64_C(512) << 20;

int session_fail(ipcmark_session *session, int error, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(session->text, sizeof session->text, format, arguments);
    va_end(arguments);
    return error;
}

/* Journals are written at the pace of the messages and must not wait for a disk: memory, if there is enough of it
 * (containers often give it 64 MiB). */
static const char *choose_parent(void)
{
    const char *chosen = getenv("TMPDIR");
    struct statvfs space;
    if (chosen != NULL && *chosen != '\0')
        return chosen;
    if (access(memory_directory, W_OK) == 0 && statvfs(memory_directory, &space) == 0 &&
        (uint64_t)space.f_bavail * space.f_frsize >= enough_memory)
        return memory_directory;
    return "/tmp";
}

static void on_signal(uv_signal_t *handle, int number)
{
    ipcmark_session *session = handle->data;
    session->signal = number;
}

void session_turn(ipcmark_session *session)
{
    uv_run(&session->loop, UV_RUN_ONCE);
    uv_idle_stop(&session->poke);
}

static void do_nothing(uv_idle_t *handle)
{
    (void)handle;
}

void session_poke(ipcmark_session *session)
{
    uv_idle_start(&session->poke, do_nothing);
}

/* Once: the next signal of the kind has its usual effect, so that a coordinator that is busy can be ended; the guard
 * cleans up then. */
static int catch_signal(ipcmark_session *session, uv_signal_t *handle, int number)
{
    int error = uv_signal_init(&session->loop, handle);
    if (error == 0) {
        handle->data = session;
        error = uv_signal_start_oneshot(handle, on_signal, number);
        uv_unref((uv_handle_t *)handle);
    }
    return error;
}

static int open_watchdog(ipcmark_session *session)
{
    char program[PATH_MAX];
    int error = paths_program("ipcmark-guard", program, sizeof program);
    if (error == 0)
        error = family_open(&session->family); /* before it has a child of ours */
    if (error == 0)
        error = watchdog_open(&session->watchdog, program, choose_parent(), session->family.run);
    if (error == -ENOENT)
        fputs("ipcmark: ipcmark-guard is missing; it belongs into libexec/ipcmark, or where IPCMARK_EXEC_PATH says\n",
              stderr);
    return error < 0 ? error : family_add(&session->family, session->watchdog.pid);
}

int ipcmark_session_open(ipcmark_session **out)
{
    ipcmark_session *session = calloc(1, sizeof *session);
    if (session == NULL)
        return -ENOMEM;
    int error = uv_loop_init(&session->loop);
    if (error < 0)
        goto out_free;
    /* A participant may die while we write to it. */
    signal(SIGPIPE, SIG_IGN);
    /* Whoever started us may have ignored it, which is inherited: then nobody's end could be waited for. */
    signal(SIGCHLD, SIG_DFL);
    uv_idle_init(&session->loop, &session->poke);
    if ((error = catch_signal(session, &session->interrupt, SIGINT)) < 0 ||
        (error = catch_signal(session, &session->terminate, SIGTERM)) < 0 || (error = open_watchdog(session)) < 0 ||
        (error = ipcmark_session_calibrate(session)) < 0)
        goto out_close;
    *out = session;
    return 0;

out_close:
    ipcmark_session_close(session);
    return error;
out_free:
    free(session);
    return error;
}

static void close_handle(uv_handle_t *handle, void *context)
{
    (void)context;
    if (!uv_is_closing(handle))
        uv_close(handle, NULL);
}

int ipcmark_session_close(ipcmark_session *session)
{
    if (session == NULL)
        return 0;
    int error = watchdog_close(&session->watchdog);
    slowness_end(&session->slowness);
    if (error < 0)
        fprintf(stderr, "ipcmark: the guard did not end and was killed (%s): look for processes and for files in %s\n",
                strerror(-error), session->watchdog.directory);
    if (session->watchdog.directory[0] != '\0')
        tree_remove(session->watchdog.directory); /* it is gone, unless somebody killed the guard */
    uv_walk(&session->loop, close_handle, NULL);
    uv_run(&session->loop, UV_RUN_DEFAULT);
    uv_loop_close(&session->loop);
    signal(SIGPIPE, SIG_DFL);
    family_close(&session->family);
    free(session);
    return error;
}

static int compare(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* For good: its answers could no longer be told from belated ones, and nobody would clean up after us. */
static int lose_guard(ipcmark_session *session, int error)
{
    session->guard_lost = error;
    return session_check_guard(session);
}

int session_check_guard(ipcmark_session *session)
{
    if (session->guard_lost == 0)
        return 0;
    return session_fail(session, session->guard_lost,
                        "the guard is gone (%s): ipcmark-guard was killed or stopped; start again",
                        strerror(-session->guard_lost));
}

/* Of a hundred round trips to the guard the ninth tenth: not the median, for on a machine that is short of CPUs most
 * are quick and some wait for a time slice. */
static int measure_scale(ipcmark_session *session, double *out)
{
    uint64_t rounds[CALIBRATION_ROUNDS];
    for (size_t i = 0; i < CALIBRATION_ROUNDS; ++i) {
        int error = watchdog_ping(&session->watchdog, &rounds[i]);
        if (error < 0)
            return lose_guard(session, error);
    }
    qsort(rounds, CALIBRATION_ROUNDS, sizeof rounds[0], compare);
    *out = (double)rounds[CALIBRATION_ROUNDS * 9 / 10] / nominal_round_trip_ns;
    return 0;
}

/* What lasts for ten milliseconds says nothing of the seconds that follow; a slow machine is slow at each look. */
int ipcmark_session_calibrate(ipcmark_session *session)
{
    double scale = HUGE_VAL;
    for (unsigned look = 0; look < CALIBRATION_LOOKS && scale > 1; ++look) {
        double seen;
        int error = measure_scale(session, &seen);
        if (error < 0)
            return error;
        scale = seen < scale ? seen : scale;
    }
    session->too_slow = scale > max_scale;
    session->scale = scale < 1 ? 1 : scale > max_scale ? max_scale : scale;
    return 0;
}

double ipcmark_session_scale(const ipcmark_session *session)
{
    return session->scale;
}

bool ipcmark_session_too_slow(const ipcmark_session *session)
{
    return session->too_slow;
}

void ipcmark_session_mark(ipcmark_session *session)
{
    session->marked_scale = session->scale;
    slowness_mark(&session->slowness);
}

double ipcmark_session_slowest(ipcmark_session *session)
{
    const double scale = slowness_worst(&session->slowness);
    return scale > 1 && slowness_is_of_others(&session->slowness, 0) ? scale : 1;
}

bool session_outruns(double slowest, double scale)
{
    return slowest > max_scale || slowest > margin * scale;
}

bool ipcmark_session_was_too_slow(ipcmark_session *session)
{
    return session_outruns(ipcmark_session_slowest(session), session->marked_scale);
}

double session_scale_since(ipcmark_session *session, size_t place)
{
    const double scale = slowness_since(&session->slowness, place);
    return scale > max_scale ? max_scale : scale;
}

int ipcmark_session_interrupted(const ipcmark_session *session)
{
    return session->signal;
}

const char *ipcmark_session_text(const ipcmark_session *session)
{
    return session->text;
}
