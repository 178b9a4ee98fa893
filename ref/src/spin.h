/* How long to poll before sleeping. Polling saves a wake-up (tens of microseconds) when the awaited thing comes soon,
 * and burns a processor when it does not, or when another thread needs that processor to bring it about. */
#ifndef MMIPC_SPIN_H
#define MMIPC_SPIN_H

#include <stdbool.h>
#include <stdint.h>

struct spin {
    int option_us;      /* of mmipc_options: 0 adaptive, > 0 fixed, -1 never */
    int load;           /* descriptor for os_load_running, borrowed; -1: none */
    int64_t budget_ns;  /* adaptive: what has been paying off */
    int64_t checked_ns; /* when crowded was last found out */
    int processors;     /* 1: what polls keeps from running what it waits for */
    bool crowded;       /* more threads want to run than there are processors */
    bool polled;        /* the last budget was not 0 */
    int skip, misses;   /* pollings to leave out, and to leave out after the next one in vain */
};

void spin_open(struct spin *spin, int option_us, int load, int processors);
int64_t spin_budget(struct spin *spin, int64_t now_ns); /* 0: sleep at once */
/* How long the wait was in the end, asleep or not, and whether polling ended it. */
void spin_learn(struct spin *spin, int64_t waited_ns, bool paid);

#endif
