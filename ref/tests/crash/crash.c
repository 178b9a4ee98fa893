/* Kills or stops a publisher and a subscriber at each point of the library where others can notice it; see README.md.
 */
#include "actor.h"
#include "life.h"
#include "play.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { REHEARSALS = 2, MOST_REHEARSALS = 6, TRIES = 3 /* some points are come to only when threads meet */ };
enum { RUNS_A_MISS = 10 /* threads meet by chance */ };
enum { ROLES = 2 };
static const int victims[ROLES] = {SECOND_PUBLISHER, SECOND_SUBSCRIBER};
static const char *const role_names[ROLES] = {"publisher", "subscriber"};
static const char *const action_names[] = {"nothing", "kill", "stop", "stop-kill"};

struct options {
    const char *point, *role, *action, *excuses;
    uint64_t way;
    unsigned hit;
    unsigned long shard, shards, every;
    bool list, rehearse, quick;
};

struct tally {
    unsigned runs[4], missed[4], violations; /* each action's */
};

/* A way on which an undisturbed victim comes to a point, and how often at least. */
struct rehearsed {
    struct point_way way;
    unsigned least;
};

struct rehearsal {
    unsigned hits[POINTS_MAX]; /* of each point; the most */
    struct rehearsed ways[WAYS_MAX];
    size_t count;
};

static void learn_way(struct rehearsal *rehearsal, const struct point_way *way)
{
    struct rehearsed *known = rehearsal->ways;
    if (way->name == 0)
        return;
    while (known < rehearsal->ways + rehearsal->count && known->way.name != way->name)
        ++known;
    if (known == rehearsal->ways + WAYS_MAX)
        return;
    if (known == rehearsal->ways + rehearsal->count) {
        rehearsal->count++;
        memcpy(&known->way, way, sizeof *way);
        known->least = way->hits;
    }
    known->least = way->hits < known->least ? way->hits : known->least;
}

static int compare(const void *a, const void *b)
{
    const struct point_way *one = &((const struct rehearsed *)a)->way, *other = &((const struct rehearsed *)b)->way;
    if (one->point != other->point)
        return one->point < other->point ? -1 : 1;
    return one->name < other->name ? -1 : one->name > other->name;
}

static bool rehearse(int role, struct rehearsal *out)
{
    static struct point_tracks tracks;
    const struct incident nothing = {.victim = victims[role], .action = NOTHING, .point = -1};
    char violation[400];
    if (play_run(&nothing, &tracks, violation, sizeof violation) == VIOLATED) {
        printf("VIOLATION without any incident, role %s: %s\n", role_names[role], violation);
        return false;
    }
    for (size_t at = 0; at < POINTS_MAX; ++at)
        out->hits[at] = tracks.hits[at] > out->hits[at] ? tracks.hits[at] : out->hits[at];
    for (size_t at = 0; at < WAYS_MAX; ++at)
        learn_way(out, &tracks.ways[at]);
    qsort(out->ways, out->count, sizeof out->ways[0], compare);
    return true;
}

/* Lines of the file: a point, and why no life comes to it. Visits each. */
static void for_each_excuse(const char *path, void (*visit)(const char *name, void *context), void *context)
{
    char line[512], name[256];
    FILE *file = path == NULL ? NULL : fopen(path, "re");
    while (file != NULL && fgets(line, sizeof line, file) != NULL)
        if (line[0] != '#' && sscanf(line, "%255s", name) == 1)
            visit(name, context);
    if (file != NULL)
        fclose(file);
}

static void excuse(const char *name, void *context)
{
    bool *is_excused = context;
    const long at = points_find(name);
    if (at >= 0)
        is_excused[at] = true;
    else
        printf("there is no point of this name that would need an excuse: %s\n", name);
    is_excused[POINTS_MAX] |= at < 0;
}

/* A point that no life comes to is neither killed nor stopped at: somebody must have said why. */
static bool is_complete(const bool *is_excused, const struct rehearsal *rehearsals, bool tell)
{
    bool complete = true;
    for (size_t at = 0; at < points_count(); ++at) {
        char *name;
        if (rehearsals[0].hits[at] > 0 || rehearsals[1].hits[at] > 0 || is_excused[at])
            continue;
        complete = false;
        name = points_name(at);
        if (tell)
            printf("no life comes to this point, and no reason is given: %s\n", name);
        free(name);
    }
    return complete;
}

/* 1: every point is come to, or excused; 0: not; -1: there was a violation. */
static int rehearse_all(const struct options *options, struct rehearsal *rehearsals)
{
    static bool is_excused[POINTS_MAX + 1]; /* the last: there was something wrong with an excuse */
    for_each_excuse(options->excuses, excuse, is_excused);
    for (int i = 0; i < REHEARSALS || (i < MOST_REHEARSALS && !is_complete(is_excused, rehearsals, false)); ++i)
        for (int role = 0; role < ROLES; ++role)
            if (!rehearse(role, &rehearsals[role]))
                return -1;
    return is_complete(is_excused, rehearsals, true) && !is_excused[POINTS_MAX];
}

static void replay_of(const struct incident *incident, const char *name, const char *role)
{
    printf("  again: %s --point '%s' --role %s --action %s --way %" PRIx64 " --hit %u\n", actor_program(), name, role,
           action_names[incident->action], incident->way, incident->hit);
}

static void run(const struct incident *incident, int role, struct tally *tally)
{
    char violation[400], *name = points_name((size_t)incident->point);
    enum outcome outcome = NOT_REACHED;
    for (int i = 0; i < TRIES && outcome == NOT_REACHED; ++i)
        outcome = play_run(incident, NULL, violation, sizeof violation);
    if (play_is_interrupted())
        outcome = NOT_REACHED;
    tally->runs[incident->action]++;
    if (outcome == NOT_REACHED) {
        tally->missed[incident->action]++;
    } else if (outcome == VIOLATED) {
        tally->violations++;
        printf("VIOLATION: %s, %s at its hit %u of %s: %s\n", role_names[role],
               incident->action == KILL ? "killed" : "stopped", incident->hit, name, violation);
        replay_of(incident, name, role_names[role]);
    }
    fflush(stdout);
    free(name);
}

/* Which runs are a shard's follows from what they are, not from their order: two rehearsals find slightly different
 * ways. */
static bool is_in_shard(const struct options *options, const struct incident *incident, int role)
{
    const uint64_t key = options->quick ? (uint64_t)incident->point + (uint64_t)role
                                        : (incident->way >> 8) + 2 * (uint64_t)incident->action + (incident->hit > 1);
    return key % (options->shards * options->every) == options->shard;
}

static void run_in_turn(const struct options *options, const struct incident *incident, int role, struct tally *tally)
{
    static unsigned long runs;
    if (play_is_interrupted() || !is_in_shard(options, incident, role))
        return;
    if (isatty(STDERR_FILENO))
        fprintf(stderr, "\r%lu", ++runs);
    run(incident, role, tally);
}

/* At each way's first hit and its last that is certain: kill; at the first: stop. */
static void try_way(const struct options *options, const struct rehearsed *rehearsed, bool is_first, int role,
                    struct tally *tally)
{
    struct incident incident = {victims[role], KILL, (long)rehearsed->way.point, rehearsed->way.name, 1};
    if (options->quick && !is_first)
        return;
    run_in_turn(options, &incident, role, tally);
    if (options->quick)
        return;
    incident.action = STOP;
    run_in_turn(options, &incident, role, tally);
    if (is_first) {
        incident.action = STOP_KILL;
        run_in_turn(options, &incident, role, tally);
    }
    incident.hit = rehearsed->least;
    incident.action = KILL;
    if (incident.hit > 1)
        run_in_turn(options, &incident, role, tally);
    incident.action = STOP;
    if (incident.hit > 1 && is_first)
        run_in_turn(options, &incident, role, tally);
}

static void campaign(const struct options *options, const struct rehearsal *rehearsals, struct tally *tallies)
{
    for (int role = 0; role < ROLES; ++role)
        for (size_t i = 0; i < rehearsals[role].count; ++i) {
            const struct rehearsed *ways = rehearsals[role].ways;
            const bool is_first = i == 0 || ways[i].way.point != ways[i - 1].way.point;
            try_way(options, &ways[i], is_first, role, &tallies[role]);
        }
}

static unsigned sum(const unsigned *of_actions)
{
    return of_actions[NOTHING] + of_actions[KILL] + of_actions[STOP] + of_actions[STOP_KILL];
}

static int replay(const struct options *options)
{
    struct incident incident = {
        .action = KILL, .hit = options->hit, .way = options->way, .point = points_find(options->point)};
    struct tally tally = {0};
    unsigned missed;
    int role = 0;
    if (options->role != NULL)
        role = strcmp(options->role, role_names[0]) == 0 ? 0 : 1;
    for (int action = KILL; options->action != NULL && action <= STOP_KILL; ++action)
        if (strcmp(options->action, action_names[action]) == 0)
            incident.action = (enum action)action;
    if (incident.point < 0) {
        fprintf(stderr, "no point is named %s; --list names them all\n", options->point);
        return 64;
    }
    incident.victim = victims[role];
    run(&incident, role, &tally);
    missed = sum(tally.missed);
    printf("%s\n", tally.violations != 0 ? "violated" : missed != 0 ? "the point was not reached" : "holds");
    return tally.violations != 0 ? 1 : missed != 0 ? 2 : 0;
}

static void sum_up(const struct rehearsal *rehearsals, const struct tally *tallies)
{
    printf("%zu points", points_count());
    for (int role = 0; role < ROLES; ++role) {
        const struct tally *tally = &tallies[role];
        unsigned reached = 0;
        for (size_t at = 0; at < points_count(); ++at)
            reached += rehearsals[role].hits[at] > 0;
        printf(
            "; role %s: reached %u on %zu ways, killed %u, stopped %u, stopped and killed %u, missed %u, violations %u",
            role_names[role], reached, rehearsals[role].count, tally->runs[KILL], tally->runs[STOP],
            tally->runs[STOP_KILL], sum(tally->missed), tally->violations);
    }
    printf("\n");
}

/* Runs in which nothing happened to the victim show nothing. */
static bool has_happened(const struct tally *tallies)
{
    bool happened = true;
    for (int role = 0; role < ROLES; ++role) {
        const struct tally *tally = &tallies[role];
        for (int action = KILL; action <= STOP_KILL; ++action)
            if (tally->runs[action] > 0 && tally->missed[action] == tally->runs[action]) {
                printf("role %s: %s never happened\n", role_names[role], action_names[action]);
                happened = false;
            }
        if (sum(tally->missed) > 1 + sum(tally->runs) / RUNS_A_MISS) {
            printf("role %s: too many runs missed their points\n", role_names[role]);
            happened = false;
        }
    }
    return happened;
}

static int run_all(const struct options *options)
{
    static struct rehearsal rehearsals[ROLES];
    struct tally tallies[ROLES] = {0};
    const int complete = rehearse_all(options, rehearsals);
    if (complete < 0)
        return 1;
    if (!options->rehearse)
        campaign(options, rehearsals, tallies);
    sum_up(rehearsals, tallies);
    if (play_is_interrupted())
        printf("interrupted\n");
    return !has_happened(tallies) || tallies[0].violations + tallies[1].violations != 0 || complete == 0 ||
           play_is_interrupted();
}

static int list(void)
{
    for (size_t at = 0; at < points_count(); ++at) {
        char *name = points_name(at);
        puts(name);
        free(name);
    }
    return 0;
}

static int usage(int result)
{
    fprintf(result == 0 ? stdout : stderr,
            "ref_crash --excuses FILE [--quick] [--every N] [--shard I/N]   kill and stop at all points, or some\n"
            "ref_crash --excuses FILE --rehearse                            only: is every point reached?\n"
            "ref_crash --point NAME [--role publisher|subscriber] [--action kill|stop|stop-kill] [--way W] [--hit N]\n"
            "ref_crash --list\n"
            "quick: each point once, kills alone. every: one of N, always the same. CRASH_VERBOSE=1 shows the actors' "
            "logs.\n"
            "Exit: 0 holds, 1 a violation or an unreached point, 2 the point was not reached, 64 usage.\n");
    return result;
}

int main(int argc, char **argv)
{
    static const struct option names[] = {{"point", required_argument, NULL, 'p'},
                                          {"role", required_argument, NULL, 'r'},
                                          {"action", required_argument, NULL, 'a'},
                                          {"hit", required_argument, NULL, 'n'},
                                          {"way", required_argument, NULL, 'w'},
                                          {"shard", required_argument, NULL, 's'},
                                          {"every", required_argument, NULL, 'e'},
                                          {"excuses", required_argument, NULL, 'x'},
                                          {"quick", no_argument, NULL, 'q'},
                                          {"rehearse", no_argument, NULL, 'R'},
                                          {"list", no_argument, NULL, 'l'},
                                          {"help", no_argument, NULL, 'h'},
                                          {NULL, 0, NULL, 0}};
    struct options options = {.hit = 1, .shards = 1, .every = 1};
    int option;
    life_main(argc, argv);
    play_heed_interruption();
    while ((option = getopt_long(argc, argv, "", names, NULL)) >= 0) {
        bool understood = true;
        switch (option) {
        case 'p':
            options.point = optarg;
            break;
        case 'r':
            options.role = optarg;
            break;
        case 'a':
            options.action = optarg;
            break;
        case 'x':
            options.excuses = optarg;
            break;
        case 'n':
            understood = sscanf(optarg, "%u", &options.hit) == 1;
            break;
        case 'w':
            understood = sscanf(optarg, "%" SCNx64, &options.way) == 1;
            break;
        case 's':
            understood = sscanf(optarg, "%lu/%lu", &options.shard, &options.shards) == 2;
            break;
        case 'e':
            understood = sscanf(optarg, "%lu", &options.every) == 1;
            break;
        case 'q':
            options.quick = true;
            break;
        case 'R':
            options.rehearse = true;
            break;
        case 'l':
            options.list = true;
            break;
        case 'h':
            return usage(0);
        default:
            understood = false;
        }
        if (!understood)
            return usage(64);
    }
    if (optind != argc || options.shards == 0 || options.every == 0 || options.shard >= options.shards)
        return usage(64);
    return options.list ? list() : options.point != NULL ? replay(&options) : run_all(&options);
}
