/* One run: two publishers and two subscribers live; something happens to one of them; the others and two that come
 * later must not suffer. */
#ifndef PLAY_H
#define PLAY_H

#include "ledger.h"

#include <sys/types.h>

enum action { NOTHING, KILL, STOP, STOP_KILL }; /* STOP: and then goes on; STOP_KILL: does not */

struct incident {
    int victim; /* SECOND_PUBLISHER or SECOND_SUBSCRIBER */
    enum action action;
    long point;
    uint64_t way; /* to the point: see reach.h; 0: any */
    unsigned hit;
};

enum outcome { HELD, NOT_REACHED, VIOLATED };

struct play {
    struct incident incident;
    struct ledger *ledger;
    char *directory, *stale;
    int ledger_fd, watch;
    pid_t pids[ACTORS]; /* 0: not started, or reaped */
    bool started[ACTORS];
    bool stopped, dead;  /* the victim; dead: by what we did to it */
    bool left;           /* the victim: of its own accord */
    char violation[400]; /* in words; empty: none */
};

/* tracks: where the victim came; may be NULL. Whatever happens, nothing is left afterwards. */
enum outcome play_run(const struct incident *incident, struct point_tracks *tracks, char *violation, size_t size);

/* Ctrl-C ends the run that there is, tidily. */
void play_heed_interruption(void);
bool play_is_interrupted(void);

/* cast.c: starting and ending actors, waiting for what they do */
void play_open(struct play *play, const struct incident *incident);
void play_close(struct play *play);
void play_start(struct play *play, int actor, int peers);
bool play_await(struct play *play, bool (*is_true)(const struct play *play), int timeout_ms, const char *what);
void play_signal(struct play *play, int signal); /* to the victim */
void play_violate(struct play *play, const char *format, ...) __attribute__((format(printf, 2, 3)));
int play_entries(const char *path);

static inline bool play_is_victim(const struct play *play, int actor)
{
    return actor == play->incident.victim;
}

static inline struct part *play_victim(const struct play *play)
{
    return &play->ledger->parts[play->incident.victim];
}

/* expect.c: what must come true */
bool expect_survivors_connected(const struct play *play);
bool expect_newcomers_ready(const struct play *play);
bool expect_victim_ready(const struct play *play); /* or that something has happened to it */
bool expect_victim_done(const struct play *play);  /* the same */
bool expect_victim_left(const struct play *play);  /* the same */
bool expect_lives_done(const struct play *play);   /* of the survivors */
bool expect_rounds(const struct play *play);
bool expect_suspended(const struct play *play);
bool expect_disconnected(const struct play *play);
bool expect_met(const struct play *play);
bool expect_received(const struct play *play);
void expect_tell_lack(const struct play *play, char *text, size_t size); /* what keeps the former from being true */
bool expect_files(const struct play *play);
bool expect_all_left(const struct play *play);
void expect_nothing_more(struct play *play); /* looks once */

#endif
