/* KILL-005: participants that kill themselves while they open, connect or close.
 *
 * Where such a death fell is read from what the dead one wrote down; the play goes on until there were enough in each
 * place. */
#include "census.h"
#include "deaths.h"

#include <glob.h>

enum {
    STAY = 2,    /* of each kind */
    VICTIMS = 2, /* likewise */
    RATE = 500,
    ROUNDS_MOST = 40,    /* then the implementation or the machine does not let itself be hit */
    AT_ONCE_NS = 1000000 /* sooner than a kill can follow open */
};

static const double delay_bound = 1.0;

/* Where deaths fell. */
typedef struct {
    unsigned opening;           /* between OPEN_INVOKE and OPEN_DONE */
    unsigned connecting;        /* after OPEN_DONE, and before it was told of all its peers */
    unsigned closing;           /* between CLOSE_INVOKE and CLOSE_DONE */
    unsigned opened;            /* all who got past OPEN_DONE */
    unsigned opened_connected;  /* of these, who had been told of all their peers by then */
    uint64_t open_us, close_us; /* the longest that an open and a close took: where to aim */
} places;

static size_t victims(stage *self, actor *out[2 * VICTIMS])
{
    size_t count = 0;
    for (size_t i = 0; i < VICTIMS; ++i) {
        out[count++] = &self->publishers[STAY + i];
        out[count++] = &self->subscribers[STAY + i];
    }
    return count;
}

/* ---- where it died ----------------------------------------------------------------------------------------------- */

/* What one that died had written down, in all its files. */
typedef struct {
    unsigned counts[IPCMARK_KINDS];
    uint64_t opened_ns;
    uint64_t told_ns[STAY]; /* of its first peers */
} last_words;

static void read_words(last_words *out, const char *path)
{
    struct ipcmark_journal_view view = {0};
    char problem[256];
    if (ipcmark_journal_read(&view, path, problem, sizeof problem) < 0)
        return; /* it died before it wrote anything; whether that is right is for the judgement */
    for (size_t i = 0; i < view.count; ++i) {
        const struct ipcmark_record *record = &view.records[i];
        if (record->error < 0)
            continue;
        if (record->kind == IPCMARK_OPEN_DONE)
            out->opened_ns = record->time_ns;
        if (record->kind == IPCMARK_PEER_UP && out->counts[IPCMARK_PEER_UP] < STAY)
            out->told_ns[out->counts[IPCMARK_PEER_UP]] = record->time_ns;
        ++out->counts[record->kind];
    }
    ipcmark_journal_view_free(&view);
}

static void locate(const stage *self, places *found, uint32_t number)
{
    last_words words = {.opened_ns = 0};
    const unsigned *const counts = words.counts;
    bool connected;
    char pattern[4096];
    glob_t paths = {0};
    snprintf(pattern, sizeof pattern, "%s/journals/%u.*", ipcmark_trial_directory(self->trial), number);
    if (glob(pattern, 0, NULL, &paths) == 0)
        for (size_t i = 0; i < paths.gl_pathc; ++i)
            read_words(&words, paths.gl_pathv[i]);
    globfree(&paths);
    connected = counts[IPCMARK_PEER_UP] >= STAY;
    for (size_t i = 0; i < STAY; ++i)
        connected &= words.told_ns[i] <= words.opened_ns + AT_ONCE_NS;
    found->opened += counts[IPCMARK_OPEN_DONE] > 0;
    found->opened_connected += counts[IPCMARK_OPEN_DONE] > 0 && connected;
    if (counts[IPCMARK_CLOSE_INVOKE] > counts[IPCMARK_CLOSE_DONE])
        ++found->closing;
    else if (counts[IPCMARK_OPEN_INVOKE] > counts[IPCMARK_OPEN_DONE])
        ++found->opening;
    else if (counts[IPCMARK_OPEN_DONE] > 0 && counts[IPCMARK_PEER_UP] < STAY)
        ++found->connecting;
}

/* An open or close that ends in death. Whoever lives on all the same is killed now. */
static bool bury(stage *self, actor *who, ipcmark_call *call, places *found)
{
    const uint32_t number = ipcmark_participant_number(who->participant);
    const ipcmark_status status = ipcmark_await(call);
    if (status != IPCMARK_GONE && status != IPCMARK_DONE && status != IPCMARK_REFUSED)
        return stage_await(self, call, IPCMARK_HUNG);
    if (!(status == IPCMARK_GONE ? stage_buried(self, who) : stage_kill(self, who)))
        return false;
    locate(self, found, number);
    return true;
}

static uint64_t longer(uint64_t most_us, const ipcmark_call *call)
{
    const uint64_t took_us = (call->ended_ns - call->begun_ns) / 1000;
    return took_us > most_us ? took_us : most_us;
}

/* Any moment up to `most_us`; every other time one of the first: what comes first is not over in equal parts. */
static unsigned random_moment(stage *self, uint64_t most_us)
{
    const uint64_t below = stage_random(self, 2) == 0 ? most_us : (uint64_t)10 << stage_random(self, 8);
    return 1 + (unsigned)stage_random(self, below);
}

/* ---- dying ------------------------------------------------------------------------------------------------------- */

static ipcmark_call *open_dying(stage *self, actor *who, uint64_t open_us)
{
    const ipcmark_endpoint_options options = {.endpoint = who->endpoint,
                                              .kill_self_after_us = random_moment(self, open_us)};
    ++who->epoch;
    stage_log(self, "%s opens, and is to die %u us later", who->name, options.kill_self_after_us);
    return (who->subscriber ? ipcmark_open_subscriber : ipcmark_open_publisher)(who->participant, &who->endpoint,
                                                                                &options);
}

static bool die_opening(stage *self, places *found)
{
    actor *doomed[2 * VICTIMS];
    ipcmark_call *calls[2 * VICTIMS];
    const size_t count = victims(self, doomed);
    bool well = true;
    for (size_t i = 0; i < count; ++i)
        if (!stage_start(self, doomed[i]))
            return false;
    for (size_t i = 0; i < count; ++i)
        calls[i] = open_dying(self, doomed[i], found->open_us);
    for (size_t i = 0; i < count; ++i)
        well &= bury(self, doomed[i], calls[i], found);
    return well;
}

/* Killed as soon as they say that they are open: connecting takes longer than a message to here. */
static bool die_connecting(stage *self, places *found)
{
    actor *doomed[2 * VICTIMS];
    ipcmark_call *calls[2 * VICTIMS];
    const size_t count = victims(self, doomed);
    bool well = true;
    for (size_t i = 0; i < count; ++i)
        if (!stage_start(self, doomed[i]))
            return false;
    for (size_t i = 0; i < count; ++i)
        calls[i] = stage_open_begin(self, doomed[i]);
    for (size_t i = 0; i < count; ++i)
        if (ipcmark_await(calls[i]) == IPCMARK_DONE)
            ipcmark_kill(doomed[i]->participant);
    for (size_t i = 0; i < count; ++i) {
        well &= stage_open_end(self, doomed[i], calls[i]);
        found->open_us = longer(found->open_us, calls[i]);
    }
    for (size_t i = 0; well && i < count; ++i) {
        const uint32_t number = ipcmark_participant_number(doomed[i]->participant);
        well = stage_buried(self, doomed[i]);
        locate(self, found, number);
    }
    return well;
}

/* What they published has been drained: that is not asked for again. */
static bool die_closing(stage *self, places *found)
{
    actor *doomed[2 * VICTIMS];
    ipcmark_call *calls[2 * VICTIMS];
    const size_t count = victims(self, doomed);
    bool well = true;
    for (size_t i = 0; i < count; ++i) {
        const unsigned moment = random_moment(self, found->close_us);
        stage_log(self, "%s closes, and is to die %u us later", doomed[i]->name, moment);
        stage_excuse(self, doomed[i]);
        calls[i] = ipcmark_close_dying(self->trial, doomed[i]->endpoint, moment);
    }
    for (size_t i = 0; i < count; ++i)
        well &= bury(self, doomed[i], calls[i], found);
    return well;
}

static bool rehearse_close(stage *self, places *found)
{
    actor *doomed[2 * VICTIMS];
    for (size_t i = victims(self, doomed); i-- > 0;) {
        ipcmark_call *call = ipcmark_close(self->trial, doomed[i]->endpoint);
        doomed[i]->open = false;
        if (!stage_await(self, call, IPCMARK_HUNG))
            return false;
        found->close_us = longer(found->close_us, call);
    }
    return true;
}

static bool begin_traffic(stage *self)
{
    const ipcmark_publish_options stream = {.seconds = 0.1, .rate = RATE};
    for (size_t i = 0; i < STAY; ++i)
        if (!stage_publish_begin(self, &self->publishers[i], &stream))
            return false;
    return true;
}

/* They die while they open, and while they connect; then they come back and everyone passes messages; then they die
 * while they close. */
static bool play_round(stage *self, places *found)
{
    return begin_traffic(self) && die_opening(self, found) && stage_settle(self) && die_connecting(self, found) &&
           stage_recover(self) && begin_traffic(self) && die_closing(self, found) && stage_publish_end_all(self) &&
           stage_settle(self);
}

/* Where peers are not reported, nobody can tell who died while connecting; where open returns connected, as with a
 * broker, nobody can. */
static bool is_covered(const stage *self, const places *found)
{
    const unsigned enough = stage_amount(self, 6, 3, 60);
    const bool connects_later = found->opened == 0 || found->opened_connected < found->opened;
    return found->opening >= enough && found->closing >= enough / 2 &&
           (found->connecting >= enough / 3 || !connects_later || !stage_claims(self, IPCMARK_CAP_PEER_EVENTS));
}

bool play_killed_inside(stage *self)
{
    const unsigned least = stage_amount(self, 4, 2, 40);
    places found = {.open_us = 1000, .close_us = 1000};
    actor *doomed[2 * VICTIMS];
    char text[CENSUS_TEXT];
    litter clean;
    int left;
    self->demands.min_must = (uint64_t)STAY * STAY * RATE / 10;
    if (!stage_cast(self, STAY + VICTIMS, STAY + VICTIMS) || !rehearse_close(self, &found) || !stage_close_all(self))
        return false;
    clean = census_litter(self);
    for (size_t i = 0; i < STAY; ++i)
        if (!stage_open(self, &self->publishers[i]) || !stage_open(self, &self->subscribers[i]))
            return false;
    for (size_t i = victims(self, doomed); i-- > 0;)
        if (!stage_kill(self, doomed[i]))
            return false;
    if (!stage_settle(self))
        return false;
    self->from_ns = ipcmark_now_ns();
    for (unsigned i = 0; i < least || (i < ROUNDS_MOST && !is_covered(self, &found)); ++i)
        if (!play_round(self, &found))
            return false;
    self->until_ns = ipcmark_now_ns();
    stage_log(self, "killed while opening %u, while connecting %u, while closing %u", found.opening, found.connecting,
              found.closing);
    if (found.opened_connected == found.opened)
        stage_log(self, "all %u who opened were connected when open returned", found.opened);
    stage_figure(self, "killed while opening", found.opening, "");
    stage_figure(self, "killed while connecting", found.connecting, "");
    stage_figure(self, "killed while closing", found.closing, "");
    if (!stage_recover(self) || !stage_close_all(self))
        return false;
    left = census_litter_left(self, &clean, text, sizeof text);
    if (left > 0)
        return stage_object(self, IPCMARK_LEFTOVER, "those who died while opening or closing left %s", text);
    return left == 0 && is_covered(self, &found);
}

void examine_killed_inside(stage *self, const struct ipcmark_history *history)
{
    for (size_t i = 0; i < STAY; ++i)
        stage_examine_delays(self, history, &self->subscribers[i], delay_bound,
                             "while others died opening and closing");
}
