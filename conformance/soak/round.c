/* A round is played in bouts of a few seconds: traffic and faults, then everyone is resumed and restarted, drained, and
 * passes fresh messages. So each bout is judged to its last message, and the next finds a channel that has a past. */
#include "round.h"

#include "case.h"
#include "stage.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    BOUT_MS = 4000,
    TICK_MS = 20,
    CALM_MS = 150, /* from one fault to the next, at least; at most four times as long */
    AWAY_MS = 800, /* how long one that left or died stays away, at most */
    SHORT_PAUSE_MS = 400,
    LONG_PAUSE_MS = 2 * STAGE_PING_MS + 200, /* long enough to be taken for dead */
    MUST_PER_BOUT = 10,                      /* of each pair */
    SIZES = 64
};

/* A way to publish. Together they keep the bytes and the records of a round in bounds. */
typedef struct {
    double rate; /* messages a second of each thread */
    unsigned threads;
    size_t usual, largest; /* bytes; one in eight is anything up to the largest */
} manner;

static const manner manners[] = {{50, 1, 16384, 1048576}, {300, 1, 1024, 65536}, {300, 3, 512, 16384},
                                 {2000, 1, 256, 4096},    {1000, 2, 128, 1024},  {20, 1, 64, 262144}};

/* What is planned for an actor. */
typedef struct {
    uint64_t due_ns; /* when one that is away comes back, and one that is stopped goes on */
    uint64_t stopped_ns;
    bool doomed;     /* its traffic ends with its death */
    bool long_pause; /* planned; the end of the bout may cut it short */
} plan;

typedef struct {
    const soak_options *options;
    soak_round *out;
    stage *scene;
    plan plans[2 * STAGE_MOST];
    bool failed;
} soak;

static const uint64_t ms = 1000000;

/* ---- traffic ----------------------------------------------------------------------------------------------------- */

/* Messages too small for a frame cannot be waited for, so only a publisher that is drained by a sentinel may end with
 * them: the one that stays. */
static size_t draw_size(soak *self, const manner *how, bool stays)
{
    stage *scene = self->scene;
    const uint64_t limit = self->options->implementation->max_message_bytes;
    size_t size = 48 + stage_random(scene, how->usual);
    if (stage_random(scene, 8) == 0)
        size = 48 + stage_random(scene, how->largest - 47);
    if (stays && how->threads == 1 && stage_random(scene, 16) == 0 && stage_claims(scene, IPCMARK_CAP_EMPTY_MESSAGE))
        size = stage_random(scene, 48);
    return limit != 0 && size > limit ? (size_t)limit : size;
}

static bool begin_traffic(soak *self, actor *who, plan *its)
{
    stage *scene = self->scene;
    const manner *how = &manners[stage_random(scene, sizeof manners / sizeof manners[0])];
    const bool stays = who == &scene->publishers[0];
    const double seconds = (double)(300 + stage_random(scene, 1500)) * 1e-3;
    size_t sizes[SIZES];
    ipcmark_publish_options options = {
        .seconds = seconds, .rate = how->rate, .sizes = sizes, .sizes_count = SIZES, .threads = how->threads};
    if (!stage_claims(scene, IPCMARK_CAP_THREADS))
        options.threads = 1;
    for (size_t i = 0; i < SIZES; ++i)
        sizes[i] = draw_size(self, how, stays);
    options.overwrite = stage_random(scene, 2) == 0;
    its->doomed = !stays && stage_random(scene, 10) == 0;
    if (its->doomed) {
        options.kill_self_at = 1 + stage_random(scene, (uint64_t)(how->rate * seconds / 2) + 1);
        options.kill_self_moment = stage_random(scene, 3) > 0 ? IPCMARK_INSIDE : IPCMARK_AFTER;
    }
    stage_log(scene, "%s: %u threads, %.0f/s each, up to %zu bytes, for %.1f s%s", who->name, options.threads,
              how->rate, how->largest, seconds, its->doomed ? "; to kill itself" : "");
    return stage_publish_begin(scene, who, &options);
}

/* ---- faults ------------------------------------------------------------------------------------------------------ */

static void stays_away(soak *self, plan *its)
{
    its->due_ns = ipcmark_now_ns() + (50 + stage_random(self->scene, AWAY_MS - 50)) * ms;
    its->doomed = false;
}

/* The close may have been faster than the beginning of the traffic. */
static bool end_cut_off_traffic(soak *self, actor *who)
{
    if (who->traffic != NULL && ipcmark_await(who->traffic) == IPCMARK_REFUSED &&
        strcmp(who->traffic->code, "ESHUTDOWN") == 0)
        who->traffic = NULL;
    return stage_publish_end(self->scene, who);
}

static bool leave(soak *self, actor *who, plan *its)
{
    stage *scene = self->scene;
    ++self->out->faults.leaves;
    /* Where publish and close may overlap, half of them close in the middle of it. */
    const bool waits = !stage_claims(scene, IPCMARK_CAP_THREADS) || stage_random(scene, 2) == 0;
    stays_away(self, its);
    if (who->subscriber)
        stage_excuse(scene, who);
    return (!waits || stage_publish_end(scene, who)) && stage_close(scene, who) && end_cut_off_traffic(self, who);
}

static void count_pause(soak *self, const plan *its)
{
    const bool was_long = ipcmark_now_ns() - its->stopped_ns >= 2ull * STAGE_PING_MS * ms;
    ++*(was_long ? &self->out->faults.long_pauses : &self->out->faults.short_pauses);
}

static bool kill_one(soak *self, actor *who, plan *its)
{
    ++self->out->faults.kills;
    if (who->paused)
        count_pause(self, its);
    stays_away(self, its);
    return stage_kill(self->scene, who) && stage_publish_end(self->scene, who);
}

/* A long pause may cost connections: from then on nothing is owed that was under way. */
static bool pause_one(soak *self, actor *who, plan *its)
{
    its->long_pause = stage_random(self->scene, 3) == 0;
    its->stopped_ns = ipcmark_now_ns();
    its->due_ns = ipcmark_now_ns() + (its->long_pause ? LONG_PAUSE_MS : 0) * ms +
                  (1 + stage_random(self->scene, SHORT_PAUSE_MS)) * ms;
    if (its->long_pause)
        stage_excuse(self->scene, who);
    return stage_pause(self->scene, who);
}

static bool resume_one(soak *self, actor *who, const plan *its)
{
    count_pause(self, its);
    if (its->long_pause)
        self->scene->ambiguous_ns = ipcmark_now_ns() + 2ull * STAGE_PING_MS * ms;
    return stage_resume(self->scene, who);
}

static bool join(soak *self, actor *who)
{
    ++self->out->faults.joins;
    return (who->participant != NULL || stage_start(self->scene, who)) && stage_open(self->scene, who);
}

static bool is_dead(const actor *who)
{
    return who->traffic != NULL && ipcmark_ended(who->traffic) && who->traffic->status == IPCMARK_GONE;
}

/* What is due at an actor. */
static bool tend(soak *self, actor *who, plan *its)
{
    const bool due = ipcmark_now_ns() >= its->due_ns;
    if (is_dead(who)) {
        self->out->faults.kills += its->doomed;
        stays_away(self, its);
        return stage_publish_end(self->scene, who);
    }
    if (who->paused)
        return !due || resume_one(self, who, its);
    if (!who->open)
        return !due || join(self, who);
    if (who->subscriber || (who->traffic != NULL && !ipcmark_ended(who->traffic)))
        return true;
    return stage_publish_end(self->scene, who) && (who->participant == NULL || begin_traffic(self, who, its));
}

/* Something happens to one of those that do not stay, or nothing if the dice fall on one that is away. */
static bool strike(soak *self)
{
    stage *scene = self->scene;
    const size_t publishers = scene->publisher_count - 1, subscribers = scene->subscriber_count - 1;
    if (publishers + subscribers == 0)
        return true;
    const size_t which = stage_random(scene, publishers + subscribers);
    const size_t index = which < publishers ? which + 1 : which + 2;
    actor *who = stage_actor(scene, index);
    plan *its = &self->plans[index];
    const uint64_t die = stage_random(scene, 3);
    if (!who->open || its->doomed)
        return true;
    if (who->paused) /* death is all that can befall it */
        return die != 0 || kill_one(self, who, its);
    return (die == 0 ? kill_one : die == 1 ? leave : pause_one)(self, who, its);
}

/* ---- bouts ------------------------------------------------------------------------------------------------------- */

static bool end_bout(soak *self)
{
    actor *who;
    for (size_t i = 0; (who = stage_actor(self->scene, i)) != NULL; ++i)
        if (who->paused && !resume_one(self, who, &self->plans[i]))
            return false;
    for (size_t i = 0; (who = stage_actor(self->scene, i)) != NULL; ++i) {
        const bool doomed = self->plans[i].doomed;
        if (!stage_publish_end(self->scene, who))
            return false;
        self->out->faults.kills += doomed && who->participant == NULL;
    }
    memset(self->plans, 0, sizeof self->plans);
    return stage_recover(self->scene);
}

static bool play_bout(soak *self)
{
    const double seconds = self->options->seconds < BOUT_MS * 1e-3 ? self->options->seconds : BOUT_MS * 1e-3;
    const uint64_t end_ns = ipcmark_now_ns() + (uint64_t)(seconds * 1e9);
    uint64_t strike_ns = 0;
    actor *who;
    stage_log(self->scene, "bout %u", ++self->out->bouts);
    self->scene->demands.min_must += (uint64_t)MUST_PER_BOUT * self->options->publishers * self->options->subscribers;
    while (ipcmark_now_ns() < end_ns) {
        for (size_t i = 0; (who = stage_actor(self->scene, i)) != NULL; ++i)
            if (!tend(self, who, &self->plans[i]))
                return false;
        if (ipcmark_now_ns() >= strike_ns) {
            if (!strike(self))
                return false;
            strike_ns = ipcmark_now_ns() + (CALM_MS + stage_random(self->scene, 3ull * CALM_MS)) * ms;
        }
        if (!ipcmark_wait(self->scene->trial, TICK_MS))
            return false;
    }
    return end_bout(self);
}

/* ---- memory ------------------------------------------------------------------------------------------------------ */

static bool take_memory(soak *self, size_t when)
{
    char journals[PATH_MAX];
    stage *scene = self->scene;
    snprintf(journals, sizeof journals, "%s/journals", ipcmark_trial_directory(scene->trial));
    if (memory_take(&self->out->publisher[when], ipcmark_participant_pid(scene->publishers[0].participant), journals) <
            0 ||
        memory_take(&self->out->subscriber[when], ipcmark_participant_pid(scene->subscribers[0].participant),
                    journals) < 0 ||
        memory_take(&self->out->coordinator[when], getpid(), journals) < 0)
        return stage_object(scene, IPCMARK_CLASS_NONE, "/proc of one that stays cannot be read");
    return true;
}

static bool is_more(const memory *before, const memory *after)
{
    return after->descriptors > before->descriptors || after->threads > before->threads;
}

/* Memory is reported, for allocators have their habits; descriptors and threads must be as many as before. One that
 * has done its work may need a moment to be gone. */
static bool compare_memory(soak *self)
{
    const soak_round *out = self->out;
    const memory *worse = NULL;
    for (unsigned patience = 0; patience < 200; ++patience) {
        if (!take_memory(self, 1))
            return false;
        worse = is_more(&out->publisher[0], &out->publisher[1])     ? out->publisher
                : is_more(&out->subscriber[0], &out->subscriber[1]) ? out->subscriber
                                                                    : NULL;
        if (worse == NULL)
            return true;
        if (!ipcmark_wait(self->scene->trial, 10))
            return false;
    }
    return stage_object(self->scene, IPCMARK_LEFTOVER,
                        "the %s that stayed has %d descriptors (%d after the first bout) and %d threads (%d)",
                        worse == out->publisher ? "publisher" : "subscriber", worse[1].descriptors,
                        worse[0].descriptors, worse[1].threads, worse[0].threads);
}

/* ---- a round ----------------------------------------------------------------------------------------------------- */

static bool play(stage *scene)
{
    soak *self = scene->context;
    const uint64_t start_ns = ipcmark_now_ns(), end_ns = start_ns + (uint64_t)(self->options->seconds * 1e9);
    bool goes_on;
    self->scene = scene;
    goes_on = stage_cast(scene, self->options->publishers, self->options->subscribers) && play_bout(self) &&
              take_memory(self, 0);
    while (goes_on && ipcmark_now_ns() < end_ns)
        goes_on = play_bout(self);
    goes_on = goes_on && compare_memory(self);
    self->out->seconds = (double)(ipcmark_now_ns() - start_ns) * 1e-9;
    return goes_on;
}

bool soak_round_run(soak_round *out, ipcmark_session *session, const soak_options *options)
{
    const clause round = {.id = "soak",
                          .promise = "Nothing is lost however long participants come and go.",
                          .publishers = options->publishers,
                          .subscribers = options->subscribers,
                          .message_bytes = 1048576,
                          .play = play};
    soak self = {.options = options, .out = out};
    const case_options how = {.target = options->target,
                              .implementation = options->implementation,
                              .name = options->name,
                              .seed = options->seed,
                              .keep = options->keep,
                              .context = &self};
    memset(out, 0, sizeof *out);
    if (!case_run(&out->result, session, &round, &how)) {
        soak_round_clear(out);
        return false;
    }
    out->result.clause = NULL; /* it was ours, and ends here */
    return true;
}

void soak_round_clear(soak_round *self)
{
    result_clear(&self->result);
    memset(self, 0, sizeof *self);
}
