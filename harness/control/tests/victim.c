/* A coordinator in the middle of its work, for end_test.c to end: says who takes part and where, then waits. */
#include "../internal.h"

#include <stdio.h>
#include <stdlib.h>

static void check(int error)
{
    if (error != 0)
        abort();
}

int main(int argc, char **argv)
{
    ipcmark_session *session;
    ipcmark_trial *trial;
    ipcmark_trial_options options = {.seed = 1};
    ipcmark_participant *participants[3];
    uint16_t endpoint;
    options.target.driver = argc == 2 ? argv[1] : "";
    check(ipcmark_session_open(&session));
    check(ipcmark_trial_open(&trial, session, &options));
    for (int i = 0; i < 3; ++i) {
        participants[i] = ipcmark_participant_start(trial, NULL);
        if (participants[i] == NULL)
            abort();
    }
    check((int)ipcmark_await(ipcmark_open_subscriber(participants[0], &endpoint, NULL)));
    check(ipcmark_pause(participants[1]));
    printf("%d %d %d %d %s\n", (int)session->watchdog.pid, ipcmark_participant_pid(participants[0]),
           ipcmark_participant_pid(participants[1]), ipcmark_participant_pid(participants[2]),
           session->watchdog.directory);
    fflush(stdout);
    ipcmark_wait(trial, 60000);
    ipcmark_trial_close(trial, NULL);
    int signal = ipcmark_session_interrupted(session);
    ipcmark_session_close(session);
    return 128 + signal;
}
