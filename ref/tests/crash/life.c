#include "life.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

const char LIFE_CHANNEL[] = "crash", LIFE_MISSING[] = ".made/by/endpoint";

/* Its own life's, and where on_peer writes. */
static const struct life *own;

int64_t life_now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void life_complain(const struct life *life, const char *what, int error)
{
    ledger_complain(life->ledger, life->me, error == 0 ? "%s" : "%s: %s", what, mmipc_strerror(error));
}

static void on_peer(void *user, int event, int pid, int reason)
{
    struct seat *seat = user;
    for (int i = 0; i < ACTORS; ++i) {
        struct pairing *pairing = &seat->pairings[i];
        if (own->ledger->parts[i].pid != pid)
            continue;
        if (event == MMIPC_PEER_DISCONNECTED)
            pairing->reason = reason; /* before it is counted */
        *(event == MMIPC_PEER_CONNECTED      ? &pairing->connected
          : event == MMIPC_PEER_DISCONNECTED ? &pairing->disconnected
          : event == MMIPC_PEER_SUSPENDED    ? &pairing->suspended
                                             : &pairing->resumed) += 1;
    }
    ledger_changed(own->ledger);
}

static void on_log(void *user, int level, const char *text)
{
    (void)user;
    (void)level;
    fprintf(stderr, "  %s: %s\n", actor_names[own->me], text);
}

void life_options(const struct life *life, int seat, mmipc_options *options)
{
    mmipc_options_init(options, sizeof *options);
    options->on_peer = on_peer;
    options->user = &life->part->seats[seat];
    if (getenv("CRASH_VERBOSE") != NULL)
        options->on_log = on_log;
    /* A publisher gives memory back after some ticks, so those are short; a subscriber's decide when silence is
     * noticed. */
    options->ping_interval_ms = actor_publishes(life->me) ? 40 : 150;
    if (actor_publishes(life->me) && life->is_victim) {
        options->max_backlog_bytes = 2 << 20; /* is filled on purpose */
        options->publish_timeout_ms = 20;
    }
}

static bool is_set(void *context)
{
    return *(_Atomic int *)context != 0;
}

void life_await(const struct life *life, _Atomic int *what)
{
    while (!ledger_await(life->ledger, is_set, what, 60000))
        ;
}

struct firsts {
    const struct pairing *one, *other;
    int times;
};

static bool are_connected(void *context)
{
    const struct firsts *firsts = context;
    return firsts->one->connected - firsts->one->disconnected >= firsts->times &&
           firsts->other->connected - firsts->other->disconnected >= firsts->times;
}

int life_await_first(const struct life *life, int seat, int one, int other, int times)
{
    const struct pairing *pairings = life->part->seats[seat].pairings;
    struct firsts firsts = {&pairings[one], &pairings[other], times};
    return ledger_await(life->ledger, are_connected, &firsts, LIFE_CONNECT_MS) ? 0 : -ETIMEDOUT;
}

void life_closed(const struct life *life, int64_t began_ms)
{
    const int64_t ms = life_now_ms() - began_ms;
    if (ms > LIFE_LONGEST_CLOSE_MS && !life->is_victim) /* which may have been stopped */
        ledger_complain(life->ledger, life->me, "a close took %d ms", (int)ms);
}

static int entries_of(const char *path)
{
    DIR *directory = opendir(path);
    int count = 0;
    if (directory == NULL)
        return -1;
    while (readdir(directory) != NULL)
        ++count;
    closedir(directory);
    return count;
}

static void open_and_close(const struct life *life, const char *directory, unsigned flags)
{
    mmipc_publisher *publisher = NULL;
    mmipc_subscriber *subscriber = NULL;
    mmipc_options options;
    int error;
    mmipc_options_init(&options, sizeof options);
    options.flags = flags;
    if (actor_publishes(life->me))
        error = mmipc_publisher_open(&publisher, LIFE_CHANNEL, directory, &options);
    else
        error = mmipc_subscriber_open(&subscriber, LIFE_CHANNEL, directory, NULL, NULL, &options);
    if (error != 0)
        life_complain(life, "an endpoint could not be opened", error);
    mmipc_publisher_close(publisher);
    mmipc_subscriber_close(subscriber);
}

/* An endpoint tidies up when it looks at its directory for the first time, which it does even if it is closed at once.
 */
static void before_all(const struct life *life)
{
    char missing[256];
    if (life->is_victim || life->me == NEW_PUBLISHER || life->me == NEW_SUBSCRIBER) /* the latter after it has died */
        open_and_close(life, life->stale, 0);
    snprintf(missing, sizeof missing, "%s%s", life->directory, LIFE_MISSING);
    if (life->is_victim)
        open_and_close(life, missing, MMIPC_ALLOW_OTHER_USERS);
}

static void check_nothing_left(const struct life *life)
{
    char line[512];
    FILE *maps = fopen("/proc/self/maps", "re");
    while (maps != NULL && fgets(line, sizeof line, maps) != NULL)
        if (strstr(line, "memfd:mmipc") != NULL)
            life_complain(life, "shared memory is still mapped after close", 0);
    if (maps != NULL)
        fclose(maps);
    if (entries_of("/proc/self/fd") != life->descriptors)
        ledger_complain(life->ledger, life->me, "%d descriptors are open after close, %d were before",
                        entries_of("/proc/self/fd"), life->descriptors);
    if (entries_of("/proc/self/task") != 3) /* ".", ".." and this thread */
        life_complain(life, "threads are left after close", 0);
}

/* Dies with its files in place. */
static void be_a_ghost(const char *stale)
{
    mmipc_publisher *publisher;
    mmipc_subscriber *subscriber;
    int error = mmipc_publisher_open(&publisher, LIFE_CHANNEL, stale, NULL);
    if (error == 0)
        error = mmipc_subscriber_open(&subscriber, LIFE_CHANNEL, stale, NULL, NULL, NULL);
    _exit(error == 0 ? 0 : 1);
}

/* --actor ME LEDGER DIRECTORY STALE PEERS VICTIM POINT WAY HIT SIGNAL */
void life_main(int argc, char **argv)
{
    struct life life = {0};
    if (argc == 3 && strcmp(argv[1], "--ghost") == 0)
        be_a_ghost(argv[2]);
    if (argc != 12 || strcmp(argv[1], "--actor") != 0)
        return;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    life.me = atoi(argv[2]);
    life.ledger = ledger_join(atoi(argv[3]));
    life.part = &life.ledger->parts[life.me];
    life.directory = argv[4];
    life.stale = argv[5];
    life.peers = atoi(argv[6]);
    life.is_victim = atoi(argv[7]) != 0;
    life.descriptors = entries_of("/proc/self/fd");
    life.part->pid = getpid();
    own = &life;
    if (life.is_victim)
        points_arm(&life.ledger->tracks, &(struct point_order){.index = atol(argv[8]),
                                                               .way = strtoull(argv[9], NULL, 16),
                                                               .hit = (unsigned)atoi(argv[10]),
                                                               .signal = atoi(argv[11])});
    before_all(&life);
    if (actor_publishes(life.me))
        publisher_live(&life);
    else
        subscriber_live(&life);
    check_nothing_left(&life);
    exit(0);
}
