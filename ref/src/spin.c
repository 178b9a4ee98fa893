#include "spin.h"

#include "os/os.h"

enum {
    LONGEST_NS = 250000, /* a reader that is fed more often than this stays awake: about ten wake-ups' worth */
    FIRST_NS = 20000,    /* about one wake-up */
    CHECK_NS = 2000000,  /* the load is asked for at most this often */
    MOST_SKIPPED = 64
};

void spin_open(struct spin *spin, int option_us, int load, int processors)
{
    spin->option_us = option_us;
    spin->load = load;
    spin->processors = processors;
    spin->budget_ns = FIRST_NS;
    spin->checked_ns = INT64_MIN / 2;
    spin->crowded = false;
    spin->polled = false;
    spin->skip = spin->misses = 0;
}

static int64_t adaptive_budget(struct spin *spin, int64_t now_ns)
{
    if (spin->budget_ns == 0)
        return 0;
    if (spin->skip > 0) {
        spin->skip--;
        return 0;
    }
    if (now_ns - spin->checked_ns > CHECK_NS) {
        spin->crowded = spin->processors == 1 || os_load_running(spin->load) > spin->processors;
        spin->checked_ns = now_ns;
    }
    return spin->crowded ? 0 : spin->budget_ns;
}

int64_t spin_budget(struct spin *spin, int64_t now_ns)
{
    int64_t budget_ns = spin->option_us < 0   ? 0
                        : spin->option_us > 0 ? (int64_t)spin->option_us * 1000
                                              : adaptive_budget(spin, now_ns);
    spin->polled = budget_ns > 0;
    return budget_ns;
}

void spin_learn(struct spin *spin, int64_t waited_ns, bool paid)
{
    /* Polled in vain, and it came soon after: perhaps whoever was to bring it needed this very processor. */
    if (paid)
        spin->misses = 0;
    else if (spin->polled)
        spin->skip = spin->misses = spin->misses == 0             ? 1
                                    : spin->misses < MOST_SKIPPED ? 2 * spin->misses
                                                                  : MOST_SKIPPED;
    if (waited_ns > LONGEST_NS)
        spin->budget_ns = 0; /* an idle channel */
    else if (2 * waited_ns > spin->budget_ns)
        spin->budget_ns = 2 * waited_ns > LONGEST_NS ? LONGEST_NS : 2 * waited_ns;
    else
        spin->budget_ns -= (spin->budget_ns - 2 * waited_ns) / 64; /* forgets slowly: gaps vary */
}
