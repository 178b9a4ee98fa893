/* What must come true of a play. Each looks at the ledger as it is now. */
#include "mmipc/mmipc.h"
#include "play.h"

#include <stdio.h>

static bool takes_part(const struct play *play, int actor)
{
    if (!play->started[actor])
        return false;
    return !play_is_victim(play, actor) || !(play->dead || play->stopped || play->left);
}

static bool is_survivor(const struct play *play, int actor)
{
    return play->started[actor] && !play_is_victim(play, actor);
}

static bool is_incident(const struct play *play)
{
    return play->dead || play->stopped || play->left;
}

static bool all_survivors(const struct play *play, bool publishers_too,
                          bool (*holds)(const struct play *play, int actor))
{
    for (int i = 0; i < ACTORS; ++i)
        if (is_survivor(play, i) && (publishers_too || !actor_publishes(i)) && !holds(play, i))
            return false;
    return true;
}

static bool is_ready(const struct play *play, int actor)
{
    return play->ledger->parts[actor].ready;
}

static bool is_done(const struct play *play, int actor)
{
    return play->ledger->parts[actor].done;
}

bool expect_survivors_connected(const struct play *play)
{
    return all_survivors(play, true, is_ready);
}

bool expect_newcomers_ready(const struct play *play)
{
    return is_ready(play, NEW_PUBLISHER) && is_ready(play, NEW_SUBSCRIBER);
}

bool expect_victim_ready(const struct play *play)
{
    return is_incident(play) || play_victim(play)->ready;
}

bool expect_victim_done(const struct play *play)
{
    return is_incident(play) || play_victim(play)->done;
}

bool expect_victim_left(const struct play *play)
{
    return is_incident(play);
}

bool expect_lives_done(const struct play *play)
{
    return all_survivors(play, true, is_done);
}

bool expect_rounds(const struct play *play)
{
    for (int i = 0; i < ACTORS; ++i)
        if (actor_publishes(i) && takes_part(play, i) && play->ledger->parts[i].rounds < play->ledger->rounds)
            return false;
    return true;
}

/* Of all endpoints that can be told of the victim: what does each know of it? */
static bool each_pairing(const struct play *play, bool (*holds)(const struct pairing *pairing))
{
    for (int i = 0; i < ACTORS; ++i)
        for (int seat = 0; is_survivor(play, i) && seat < SEATS; ++seat)
            if (!holds(&play->ledger->parts[i].seats[seat].pairings[play->incident.victim]))
                return false;
    return true;
}

static bool is_suspended(const struct pairing *pairing)
{
    return pairing->connected == pairing->disconnected || pairing->suspended > pairing->resumed;
}

static bool is_disconnected(const struct pairing *pairing)
{
    return pairing->connected == pairing->disconnected;
}

bool expect_suspended(const struct play *play)
{
    return each_pairing(play, is_suspended);
}

bool expect_disconnected(const struct play *play)
{
    return each_pairing(play, is_disconnected);
}

static bool has_all_of(const struct play *play, int subscriber, const struct seat *seat, int publisher)
{
    const struct part *part = &play->ledger->parts[publisher];
    const struct stream *stream = &seat->streams[publisher];
    if (play_is_victim(play, publisher) && is_incident(play)) /* what came later never met it */
        return subscriber == NEW_SUBSCRIBER || stream->next >= part->committed;
    return stream->next == part->committed;
}

/* The newcomers and the victim that was stopped. */
bool expect_met(const struct play *play)
{
    const int victim = play->incident.victim;
    const struct seat *seats = play->ledger->parts[actor_publishes(victim) ? NEW_SUBSCRIBER : NEW_PUBLISHER].seats;
    int met = 0;
    for (int seat = 0; seat < SEATS; ++seat)
        met += seats[seat].pairings[victim].connected - seats[seat].pairings[victim].disconnected;
    return is_incident(play) || met >= SEATS; /* a publisher has one seat, and meets two endpoints */
}

/* The first stream that lacks something; false: none does. */
static bool find_lack(const struct play *play, int *subscriber, int *seat, int *publisher)
{
    for (int i = 0; i < ACTORS; ++i) {
        if (actor_publishes(i) || !takes_part(play, i) || !is_ready(play, i))
            continue;
        for (int from = 0; from < ACTORS; ++from)
            for (int at = 0; at < SEATS; ++at)
                if (actor_publishes(from) && play->started[from] &&
                    !has_all_of(play, i, &play->ledger->parts[i].seats[at], from)) {
                    *subscriber = i;
                    *seat = at;
                    *publisher = from;
                    return true;
                }
    }
    return false;
}

bool expect_received(const struct play *play)
{
    int subscriber, seat, publisher;
    return !find_lack(play, &subscriber, &seat, &publisher);
}

void expect_tell_lack(const struct play *play, char *text, size_t size)
{
    int subscriber, seat, publisher;
    if (find_lack(play, &subscriber, &seat, &publisher))
        snprintf(text, size, " (%s, %s, has come to message %ld of %s, which has published %ld)",
                 actor_names[subscriber], seat == 0 ? "called back" : "pulling",
                 (long)play->ledger->parts[subscriber].seats[seat].streams[publisher].next, actor_names[publisher],
                 (long)play->ledger->parts[publisher].committed);
}

bool expect_files(const struct play *play)
{
    int expected = 0;
    for (int i = 0; i < ACTORS; ++i)
        if (takes_part(play, i))
            expected += actor_publishes(i) ? 2 : 4; /* an endpoint has a file and a socket */
    return play_entries(play->directory) == expected && play_entries(play->stale) == 0;
}

bool expect_all_left(const struct play *play)
{
    for (int i = 0; i < ACTORS; ++i)
        if (play->pids[i] != 0)
            return false;
    return true;
}

static void look_at_stream(struct play *play, int subscriber, int seat, int publisher)
{
    const struct part *part = &play->ledger->parts[publisher];
    const struct stream *stream = &play->ledger->parts[subscriber].seats[seat].streams[publisher];
    const struct pairing *pairing = &play->ledger->parts[subscriber].seats[seat].pairings[publisher];
    const char *whom = actor_names[subscriber], *by = actor_names[publisher];
    if (stream->next > part->begun)
        play_violate(play, "%s received message %ld of %s, which published no more than %ld", whom, stream->next - 1,
                     by, part->begun);
    if (subscriber == FIRST_SUBSCRIBER && publisher != NEW_PUBLISHER && stream->first > 0)
        play_violate(play, "%s, connected before %s published, missed its first %ld messages", whom, by, stream->first);
    if (!play_is_victim(play, subscriber) && !play_is_victim(play, publisher) && pairing->disconnected != 0)
        play_violate(play, "%s was told that %s, which lives, was disconnected", whom, by);
}

/* Died, or closed, if it came to say so: it is not to be taken for a peer that breaks the protocol. */
static void look_at_reasons(struct play *play, int actor)
{
    for (int seat = 0; seat < SEATS; ++seat) {
        const struct pairing *pairing = &play->ledger->parts[actor].seats[seat].pairings[play->incident.victim];
        if (pairing->disconnected > 0 && pairing->reason != MMIPC_REASON_DIED && pairing->reason != MMIPC_REASON_CLOSED)
            play_violate(play, "%s was told reason %d for the end of the pair with the victim", actor_names[actor],
                         pairing->reason);
    }
}

void expect_nothing_more(struct play *play)
{
    for (int i = 0; i < ACTORS; ++i)
        if (is_survivor(play, i))
            look_at_reasons(play, i);
    for (int i = 0; i < ACTORS; ++i)
        for (int from = 0; from < ACTORS; ++from)
            for (int seat = 0; seat < SEATS; ++seat)
                if (play->started[i] && !actor_publishes(i) && play->started[from] && actor_publishes(from))
                    look_at_stream(play, i, seat, from);
}
