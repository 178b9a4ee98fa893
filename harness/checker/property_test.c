/* Whatever happens to an implementation that is right, it passes; and one fault in it is found, for what it is. */
#include "simulation.h"

#include <errno.h>
#include <ftw.h>
#include <sys/stat.h>
#include <unistd.h>

enum { HISTORIES = 1500, FOLDERS = 20, DAMAGES = 12 };

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

/* ---- on disk --------------------------------------------------------------------------------------------------- */

static char folder[] = "/tmp/ipcmark-property-XXXXXX";

static int entry_remove(const char *path, const struct stat *status, int type, struct FTW *walk)
{
    (void)status, (void)type, (void)walk;
    return remove(path);
}

static void folder_write(void)
{
    struct ipcmark_history_log *log;
    const struct ipcmark_history *history = &sim.history;
    char path[80];
    assert_int_equal(ipcmark_history_log_open(&log, folder), 0);
    for (size_t i = 0; i < history->process_count; ++i)
        assert_int_equal(ipcmark_history_log_process(log, &history->processes[i]), 0);
    for (size_t i = 0; i < history->member_count; ++i)
        assert_int_equal(ipcmark_history_log_member(log, &history->members[i]), 0);
    for (size_t i = 0; i < history->fault_count; ++i)
        assert_int_equal(ipcmark_history_log_fault(log, &history->faults[i]), 0);
    for (size_t i = 0; i < history->drain_count; ++i)
        assert_int_equal(ipcmark_history_log_drain(log, &history->drains[i]), 0);
    assert_int_equal(ipcmark_history_log_expectation(log, &sim.expectation), 0);
    assert_int_equal(ipcmark_history_log_end(log), 0);
    ipcmark_history_log_close(log);
    for (size_t j = 0; j < 3 * sim.life_count; ++j) {
        struct ipcmark_journal *journal;
        snprintf(path, sizeof path, "%s/journals/%zu.%zu", folder, j / 3 + 1, j % 3);
        assert_int_equal(ipcmark_journal_open(&journal, path), 0);
        for (size_t i = 0; i < sim.journals[j].count; ++i)
            assert_int_equal(ipcmark_journal_append(journal, &sim.journals[j].records[i]), 0);
        ipcmark_journal_close(journal);
    }
}

/* Overwrites some bytes of a file, or cuts it off. */
static void file_damage(const char *name)
{
    char path[80];
    struct stat status;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    assert_int_equal(stat(path, &status), 0);
    if (sim_random(&sim, 4) == 0) {
        assert_int_equal(truncate(path, (off_t)sim_random(&sim, (uint64_t)status.st_size + 1)), 0);
        return;
    }
    FILE *file = fopen(path, "r+e");
    assert_non_null(file);
    for (uint64_t i = 1 + sim_random(&sim, 3); i-- > 0;) {
        fseek(file, (long)sim_random(&sim, (uint64_t)status.st_size), SEEK_SET);
        fputc((int)sim_random(&sim, 256), file);
    }
    fclose(file);
}

/* The verdict of a folder is that of the history that was written; whatever is done to its files, there is a verdict,
 * or words about why there is none. */
static void folders_are_judged_alike(void **state)
{
    static struct ipcmark_judgement again;
    struct ipcmark_history loaded;
    char problem[700];
    unsigned refused = 0;
    (void)state;
    for (uint64_t seed = 1; seed <= FOLDERS; ++seed) {
        simulate(&sim, seed);
        if (seed % 2 == 0)
            duplicate();
        strcpy(folder + sizeof folder - 7, "XXXXXX");
        assert_non_null(mkdtemp(folder));
        folder_write();
        judge(seed, seed % 2 == 0 ? IPCMARK_FAIL : IPCMARK_PASS, IPCMARK_DUPLICATE, "in memory");
        if (ipcmark_history_load(&loaded, folder, problem, sizeof problem) < 0)
            fail_msg("seed %llu: %s", (unsigned long long)seed, problem);
        assert_int_equal(ipcmark_check(&loaded, &again), 0);
        ipcmark_history_free(&loaded);
        assert_string_equal(again.text, judgement.text);
        assert_true(again.verdict == judgement.verdict && again.must == judgement.must &&
                    again.received == judgement.received);
        for (int i = 0; i < DAMAGES; ++i) {
            char journal[32];
            snprintf(journal, sizeof journal, "journals/%u.%u", (unsigned)sim_random(&sim, sim.life_count) + 1,
                     (unsigned)sim_random(&sim, 3));
            file_damage(i % 2 == 0 ? journal : "history.jsonl");
            int error = ipcmark_history_load(&loaded, folder, problem, sizeof problem);
            char *timeline = NULL;
            if (error == 0 && ipcmark_check(&loaded, &again) == 0)
                timeline = ipcmark_timeline(&loaded, &again, IPCMARK_TIMELINE_LINES);
            assert_true(error == 0 ? timeline != NULL : error == -EBADMSG && problem[0] != '\0');
            refused += error < 0;
            free(timeline);
            ipcmark_history_free(&loaded);
        }
        assert_int_equal(nftw(folder, entry_remove, 8, FTW_DEPTH | FTW_PHYS), 0);
    }
    assert_true(refused > FOLDERS); /* the damage was real */
}

CASES_MAIN(CASE(what_is_right_passes), CASE(one_fault_is_found), CASE(folders_are_judged_alike))
