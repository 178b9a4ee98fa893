/* Whatever happens to an implementation that is right, it passes; and one fault in it is found, for what it is. */
#include "simulation.h"

#include <errno.h>
#include <ftw.h>
#include <unistd.h>

enum { HISTORIES = 1500, FOLDERS = 60, DAMAGES = 12 };

static struct simulation sim;
static struct ipcmark_judgement judgement;

static void judge(uint64_t seed, enum ipcmark_verdict verdict, enum ipcmark_class class_, const char *what)
{
    simulation_hand_over(&sim);
    assert_int_equal(ipcmark_check(&sim.history, &judgement), 0);
    if (judgement.verdict != verdict || (verdict == IPCMARK_FAIL && judgement.class_ != class_)) {
        char *timeline = ipcmark_timeline(&sim.history, &judgement, 40);
        fprintf(stderr, "seed %llu, %s: %s %s: %s\n%s", (unsigned long long)seed, what,
                ipcmark_verdict_text(judgement.verdict), judgement.class_ ? ipcmark_class_text(judgement.class_) : "",
                judgement.text, timeline == NULL ? "" : timeline);
        free(timeline);
        fail_msg("seed %llu", (unsigned long long)seed);
    }
    ipcmark_history_free(&sim.history);
}

static void what_is_right_passes(void **state)
{
    uint64_t must = 0, received = 0, kills_inside = 0, joins = 0;
    (void)state;
    for (uint64_t seed = 1; seed <= HISTORIES; ++seed) {
        simulate(&sim, seed);
        judge(seed, IPCMARK_PASS, IPCMARK_CLASS_NONE, "right");
        must += judgement.must, received += judgement.received;
        kills_inside += judgement.kills_inside, joins += judgement.joins;
    }
    print_message("%llu of %llu deliveries had to be, %llu kills inside publish, %llu joins under traffic\n",
                  (unsigned long long)must, (unsigned long long)received, (unsigned long long)kills_inside,
                  (unsigned long long)joins);
    assert_true(must > received / 4 && must < received); /* it is about both kinds */
    assert_true(kills_inside > HISTORIES / 10 && joins > HISTORIES / 10);
}

/* ---- one fault ------------------------------------------------------------------------------------------------- */

static struct ipcmark_journal_view *journal_of(size_t life, unsigned k)
{
    return &sim.journals[3 * life + k];
}

/* A delivery of the final messages that is not the last of its stream, of a subscriber that is there to the end.
 * *journal: where it is. */
static struct ipcmark_record *final_receipt(size_t *journal)
{
    for (;;) {
        size_t life = (size_t)sim_random(&sim, sim.life_count), p = 0;
        struct ipcmark_journal_view *view = &sim.journals[ *journal = 3 * life + 1 + (size_t)sim_random(&sim, 2)];
        struct ipcmark_record *record = view->count == 0 ? NULL : &view->records[sim_random(&sim, view->count)];
        if (record == NULL || !sim.lives[life].open || record->time_ns < sim.final_ns)
            continue;
        while (sim.lives[p].is.endpoint != record->publisher || sim.lives[p].is.epoch != record->epoch)
            ++p;
        if (record->sequence + 1 < sim.lives[p].next[record->thread] &&
            sim.lives[p].next[record->thread] - record->sequence <= 3)
            return record;
    }
}

static struct ipcmark_record *invoke_of(const struct ipcmark_record *receipt)
{
    for (size_t life = 0; life < sim.life_count; ++life)
        for (size_t i = 0; i < sim.journals[3 * life].count; ++i) {
            struct ipcmark_record *record = &sim.journals[3 * life].records[i];
            if (record->kind == IPCMARK_INVOKE && record->publisher == receipt->publisher &&
                record->epoch == receipt->epoch && record->thread == receipt->thread &&
                record->sequence == receipt->sequence)
                return record;
        }
    return NULL;
}

/* The delivery of the message behind it. */
static struct ipcmark_record *next_receipt(const struct ipcmark_record *receipt, size_t journal)
{
    for (size_t j = journal - journal % 3 + 1; j <= journal - journal % 3 + 2; ++j)
        for (size_t i = 0; i < sim.journals[j].count; ++i) {
            struct ipcmark_record *record = &sim.journals[j].records[i];
            if (record->publisher == receipt->publisher && record->epoch == receipt->epoch &&
                record->thread == receipt->thread && record->sequence == receipt->sequence + 1)
                return record;
        }
    return NULL;
}

static int lose(void)
{
    size_t journal;
    struct ipcmark_record *record = final_receipt(&journal);
    struct ipcmark_journal_view *view = &sim.journals[journal];
    memmove(record, record + 1, (size_t)(view->records + --view->count - record) * sizeof *record);
    return 1;
}

static int duplicate(void)
{
    size_t journal;
    struct ipcmark_record record = *final_receipt(&journal);
    sim_write(&sim, journal, record);
    return 1;
}

static int reorder(void)
{
    size_t journal;
    struct ipcmark_record *one = final_receipt(&journal), *other = next_receipt(one, journal), swapped = *one;
    uint64_t first_ns = one->time_ns, second_ns = other->time_ns;
    if (first_ns == second_ns || invoke_of(other)->time_ns > first_ns)
        return 0; /* at one tick, perhaps of two files, nobody can tell */
    *one = *other, *other = swapped;
    one->time_ns = first_ns, other->time_ns = second_ns;
    return 1;
}

static int damage(void)
{
    size_t journal;
    struct ipcmark_record *record = final_receipt(&journal);
    switch (sim_random(&sim, 4)) {
    case 0:
        record->digest ^= 1u << sim_random(&sim, 32);
        break;
    case 1:
        record->size += 1;
        break;
    case 2:
        record->parts += 1;
        break;
    default:
        record->error = -EBADMSG;
    }
    return 1;
}

static int invent(void)
{
    size_t journal;
    struct ipcmark_record record = *final_receipt(&journal);
    record.sequence += 1000;
    sim_write(&sim, journal, record);
    return 1;
}

static int deliver_failed(void)
{
    size_t journal;
    struct ipcmark_record found = *final_receipt(&journal);
    for (size_t i = 0; i < 3 * sim.life_count; i += 3)
        for (size_t k = 0; k < sim.journals[i].count; ++k)
            if (sim.journals[i].records[k].kind == IPCMARK_FAILED) {
                struct ipcmark_record record = sim.journals[i].records[k];
                record.kind = IPCMARK_RECEIVED;
                record.endpoint = found.endpoint, record.endpoint_epoch = found.endpoint_epoch;
                sim_write(&sim, journal, record);
                return 1;
            }
    return 0;
}

static int leak(void)
{
    size_t journal;
    final_receipt(&journal)->run ^= 1;
    return 1;
}

static int deliver_late(void)
{
    size_t journal;
    struct ipcmark_record record = *final_receipt(&journal);
    for (size_t life = 0; life < sim.life_count; ++life)
        if (sim.lives[life].gone && !sim.lives[life].killed && !is_publisher(&sim.lives[life])) {
            record.endpoint = sim.lives[life].is.endpoint, record.endpoint_epoch = sim.lives[life].is.epoch;
            sim_write(&sim, 3 * life + 1, record);
            return 1;
        }
    return 0;
}

static int disconnect(void)
{
    size_t journal;
    const struct ipcmark_record *record = final_receipt(&journal);
    const struct ipcmark_record down = {.publisher = record->publisher, .epoch = record->epoch, .count = -1};
    sim_event(&sim, journal / 3, IPCMARK_PEER_DOWN, down);
    return 1;
}

static int hang(void)
{
    for (size_t life = 0; life < sim.life_count; ++life)
        if (sim.lives[life].open && is_publisher(&sim.lives[life])) {
            struct ipcmark_journal_view *view = journal_of(life, 0);
            assert_int_equal(view->records[view->count - 1].kind, IPCMARK_OK);
            --view->count;
            return 1;
        }
    return 0;
}

static int foresee(void)
{
    size_t journal;
    struct ipcmark_record *record = final_receipt(&journal);
    record->time_ns = invoke_of(record)->time_ns - 1;
    return 1;
}

static void one_fault_is_found(void **state)
{
    static const struct {
        const char *name;
        int (*inject)(void); /* 0: there is no occasion for it here */
        enum ipcmark_verdict verdict;
        enum ipcmark_class class_;
    } faults[] = {
        {"lose", lose, IPCMARK_FAIL, IPCMARK_LOST},
        {"duplicate", duplicate, IPCMARK_FAIL, IPCMARK_DUPLICATE},
        {"reorder", reorder, IPCMARK_FAIL, IPCMARK_REORDERED},
        {"damage", damage, IPCMARK_FAIL, IPCMARK_CORRUPT},
        {"invent", invent, IPCMARK_FAIL, IPCMARK_PHANTOM},
        {"deliver what failed", deliver_failed, IPCMARK_FAIL, IPCMARK_PHANTOM},
        {"leak from another run", leak, IPCMARK_FAIL, IPCMARK_LEAKED},
        {"deliver after close", deliver_late, IPCMARK_FAIL, IPCMARK_LATE},
        {"disconnect", disconnect, IPCMARK_FAIL, IPCMARK_DISCONNECT},
        {"hang", hang, IPCMARK_FAIL, IPCMARK_HUNG},
        {"receive before it is invoked", foresee, IPCMARK_ERROR, IPCMARK_CLASS_NONE},
    };
    enum { KINDS = sizeof faults / sizeof faults[0] };
    unsigned injected[KINDS] = {0};
    (void)state;
    for (uint64_t seed = 1; seed <= HISTORIES; ++seed) {
        size_t kind = seed % KINDS;
        simulate(&sim, seed);
        int occasion = faults[kind].inject();
        injected[kind] += (unsigned)occasion;
        if (occasion)
            judge(seed, faults[kind].verdict, faults[kind].class_, faults[kind].name);
        else
            judge(seed, IPCMARK_PASS, IPCMARK_CLASS_NONE, "right");
    }
    for (size_t i = 0; i < KINDS; ++i)
        if (injected[i] < HISTORIES / KINDS / 4)
            fail_msg("%s: injected %u times only", faults[i].name, injected[i]);
}

CASES_MAIN(CASE(what_is_right_passes), CASE(one_fault_is_found))
