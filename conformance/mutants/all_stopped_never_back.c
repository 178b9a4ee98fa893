#include "mutant.h"
#include "others.h"

#include <errno.h>

enum { TOGETHER_MS = 1500 };

static _Atomic(atomic_uint_fast64_t *) publishers_ms; /* when the last publisher was continued */
static atomic_bool is_publisher;

static void share_continued(int signal)
{
    note_continued(signal);
    if (atomic_load(&is_publisher))
        atomic_store(publishers_ms, mutant_now_ms());
}

static int watch(mutant_endpoint *endpoint, const ipcmark_endpoint *options)
{
    const struct sigaction action = {.sa_handler = share_continued, .sa_flags = SA_RESTART};
    if (publishers_ms == NULL)
        publishers_ms = mutant_share(options->directory, sizeof(atomic_uint_fast64_t));
    if (publishers_ms == NULL)
        return -ENOMEM;
    if (!endpoint->subscriber)
        atomic_store(&is_publisher, true);
    sigaction(SIGCONT, &action, NULL);
    return 0;
}

/* Each waits for the other to speak first. Turn: it has come to that. */
static void deliver(mutant_endpoint *endpoint, const ipcmark_part *parts, size_t count)
{
    const uint64_t ours = atomic_load(&continued_ms), theirs = atomic_load(publishers_ms);
    if (ours != 0 && theirs != 0 && ours < theirs + TOGETHER_MS && theirs < ours + TOGETHER_MS)
        endpoint->turn = 1;
    if (endpoint->turn == 0)
        mutant_deliver(endpoint, parts, count);
}

MUTANT(.name = "all_stopped_never_back",
       .fault = "a publisher and a subscriber that were both stopped never meet again", .class_name = "lost hung",
       .must_fail = "PAUSE-006", .may_fail = "CON-008 PAUSE-003 PAUSE-005", .before_open = watch, .deliver = deliver)
