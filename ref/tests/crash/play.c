#include "play.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

enum { SOON_MS = 5000, LIFE_MS = 15000, LEAVE_MS = 4000 };

static void start_all(struct play *play)
{
    const bool it_publishes = actor_publishes(play->incident.victim);
    play_start(play, FIRST_PUBLISHER, it_publishes ? 4 : 2);
    play_start(play, FIRST_SUBSCRIBER, it_publishes ? 1 : 2);
    if (it_publishes)
        play_start(play, SECOND_SUBSCRIBER, 1);
    else
        play_start(play, SECOND_PUBLISHER, 2);
    if (!play_await(play, expect_survivors_connected, SOON_MS, "the survivors-to-be are connected"))
        return;
    play_start(play, play->incident.victim, it_publishes ? 4 : 2);
    play_await(play, expect_victim_ready, LIFE_MS, "the victim is connected");
    ledger_set(play->ledger, &play->ledger->begin, 1);
}

/* Until the incident, at the latest while the victim closes. */
static void live(struct play *play)
{
    if (!play_await(play, expect_victim_done, LIFE_MS, "the victim has lived its life") || play->dead || play->stopped)
        return;
    if (!play_await(play, expect_lives_done, LIFE_MS, "the others have lived their lives") || play->dead ||
        play->stopped)
        return;
    ledger_set(play->ledger, &play_victim(play)->leave, 1);
    play_await(play, expect_victim_left, LEAVE_MS, "the victim closes and exits");
}

/* Everybody who takes part publishes a mixture again. */
static void exchange(struct play *play, const char *what)
{
    size_t length;
    ledger_set(play->ledger, &play->ledger->rounds, play->ledger->rounds + 1);
    if (!play_await(play, expect_rounds, SOON_MS, "all publishers that run publish on") ||
        play_await(play, expect_received, SOON_MS, what))
        return;
    length = strlen(play->violation);
    expect_tell_lack(play, play->violation + length, sizeof play->violation - length);
}

static void bring_newcomers(struct play *play)
{
    const bool it_publishes = actor_publishes(play->incident.victim);
    play_start(play, NEW_PUBLISHER, it_publishes ? 6 : 4);
    play_start(play, NEW_SUBSCRIBER, it_publishes ? 2 : 3);
    if (play_await(play, expect_newcomers_ready, SOON_MS, "a new publisher and a new subscriber are connected"))
        exchange(play, "everybody, the new ones too, receives everything that was published");
}

static void go_on_without(struct play *play)
{
    play_await(play, expect_lives_done, LIFE_MS, "the survivors live on");
    exchange(play, "the survivors receive everything that was published, the victim's messages too");
}

static void after_death(struct play *play)
{
    play_await(play, expect_disconnected, SOON_MS, "all endpoints that were connected to the dead are told of its end");
    go_on_without(play);
    if (!play->started[NEW_PUBLISHER])
        bring_newcomers(play);
    play_await(play, expect_files, SOON_MS, "the directories hold the files of the living and no others");
}

static void after_stop(struct play *play)
{
    play_await(play, expect_suspended, SOON_MS,
               "all endpoints that are connected to the stopped are told of its silence");
    go_on_without(play);
    if (play->incident.action == STOP_KILL) {
        play_signal(play, SIGKILL);
        play_await(play, expect_victim_left, SOON_MS, "the stopped victim dies");
        after_death(play);
        return;
    }
    bring_newcomers(play);
    play_signal(play, SIGCONT);
    if (play_victim(play)->leave) {
        play_await(play, expect_victim_left, LEAVE_MS, "the victim, which was about to close, exits");
        after_death(play); /* all the same to the others */
        return;
    }
    play_await(play, expect_victim_done, LIFE_MS, "the victim lives on");
    play_await(play, expect_met, SOON_MS, "the victim and the newcomers are connected");
    exchange(play, "everybody, the victim that was stopped too, receives everything that was published");
}

static void end(struct play *play)
{
    expect_nothing_more(play);
    for (int i = 0; i < ACTORS; ++i)
        ledger_set(play->ledger, &play->ledger->parts[i].leave, 1);
    play_await(play, expect_all_left, LEAVE_MS, "everybody closes and exits");
    if (play->violation[0] == '\0' && play_entries(play->directory) + play_entries(play->stale) != 0)
        play_violate(play, "files are left in the directories when all have closed");
}

enum outcome play_run(const struct incident *incident, struct point_tracks *tracks, char *violation, size_t size)
{
    struct play play;
    bool reached;
    play_open(&play, incident);
    start_all(&play);
    if (play.violation[0] == '\0')
        live(&play);
    ledger_set(play.ledger, &play_victim(&play)->hold, 0);
    reached = play.dead || play.stopped;
    if (play.violation[0] != '\0')
        ;
    else if (play.stopped)
        after_stop(&play);
    else if (play.dead)
        after_death(&play);
    if (play.violation[0] == '\0')
        end(&play);
    if (tracks != NULL)
        memcpy(tracks, &play.ledger->tracks, sizeof *tracks);
    snprintf(violation, size, "%s", play.violation);
    play_close(&play);
    return violation[0] != '\0' ? VIOLATED : reached || incident->action == NOTHING ? HELD : NOT_REACHED;
}
