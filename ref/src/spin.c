#include "spin.h"

#include "os/os.h"

#include <unistd.h>

enum {
    LONGEST_NS = 250000, /* a reader that is fed more often than this stays awake: about ten wake-ups' worth */
    FIRST_NS = 20000,    /* about one wake-up */
    CHECK_NS = 2000000   /* the load is asked for at most this often */
};

void spin_open(struct spin *spin, int option_us)
{
    spin->option_us = option_us;
    spin->load = option_us == 0 ? os_load_open() : -1;
    spin->budget_ns = FIRST_NS;
    spin->checked_ns = INT64_MIN / 2;
    spin->crowded = false;
}

void spin_close(struct spin *spin)
{
    if (spin->load >= 0)
        close(spin->load);
    spin->load = -1;
}

int64_t spin_budget(struct spin *spin, int64_t now_ns)
{
    if (spin->option_us != 0)
        return spin->option_us < 0 ? 0 : (int64_t)spin->option_us * 1000;
    if (spin->budget_ns == 0)
        return 0;
    if (now_ns - spin->checked_ns > CHECK_NS) {
        spin->crowded = os_processors_usable() < 2 || os_load_running(spin->load) > os_processors_online();
        spin->checked_ns = now_ns;
    }
    return spin->crowded ? 0 : spin->budget_ns;
}

void spin_learn(struct spin *spin, int64_t waited_ns)
{
    if (waited_ns > LONGEST_NS)
        spin->budget_ns = 0; /* an idle channel */
    else if (2 * waited_ns > spin->budget_ns)
        spin->budget_ns = 2 * waited_ns > LONGEST_NS ? LONGEST_NS : 2 * waited_ns;
    else
        spin->budget_ns -= (spin->budget_ns - 2 * waited_ns) / 64; /* forgets slowly: gaps vary */
}
