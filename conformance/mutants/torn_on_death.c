#include "later.h"
#include "others.h"

#include <unistd.h>

enum { FIRST_HALF = 0x68616C31, SECOND_HALF = 0x68616C32 };

/* In front of either half. */
typedef struct {
    uint64_t publisher, sequence; /* publisher: its process, and which one there */
    uint64_t what, size;          /* size: of the whole message */
} label;

/* A message of which the second half has not come. */
typedef struct piece {
    struct piece *next;
    label is;
    char bytes[]; /* the second half is zero until then */
} piece;

static int prepare(mutant_endpoint *endpoint, const ipcmark_endpoint *options)
{
    (void)options;
    return endpoint->subscriber ? 0 : later_open(endpoint, 3);
}

/* Half of a small message goes out at once, and the rest when there is time. */
static int publish_halves(mutant_endpoint *endpoint, const ipcmark_part *parts, size_t count)
{
    label is = {(uint64_t)getpid() << 32 | ((uintptr_t)endpoint >> 4 & 0xFFFFFFFFu), mutant_turn(endpoint), FIRST_HALF,
                count == 1 ? parts[0].size : 0};
    const size_t half = is.size / 2;
    ipcmark_part labelled[2] = {{&is, sizeof is}, {count == 1 ? parts[0].data : NULL, half}};
    int error;
    if (is.size < 2 || is.size > 4096)
        return later_publish(endpoint, parts, count);
    error = mutant_publish(endpoint, labelled, 2);
    if (error < 0)
        return error;
    is.what = SECOND_HALF;
    labelled[1] = (ipcmark_part){(const char *)parts[0].data + half, is.size - half};
    return later_publish(endpoint, labelled, 2);
}

/* ---- the other side ---------------------------------------------------------------------------------------------- */

static piece *keep(const label *is, const ipcmark_part *half)
{
    piece *made = calloc(1, sizeof *made + is->size);
    if (made != NULL) {
        made->is = *is;
        memcpy(made->bytes, half->data, half->size);
    }
    return made;
}

static void deliver_piece(mutant_endpoint *endpoint, piece *one)
{
    const ipcmark_part whole = {one->bytes, one->is.size};
    mutant_deliver(endpoint, &whole, 1);
    free(one);
}

/* Reads what there is, up to where the writer got. A handler may close the endpoint, which clears what is kept: so that
 * is in order before each. */
static void join_halves(mutant_endpoint *endpoint, const ipcmark_part *parts, size_t count)
{
    piece *one, *first, **place = &first;
    label is = {0};
    if (count == 2 && parts[0].size == sizeof is)
        memcpy(&is, parts[0].data, sizeof is);
    while ((one = endpoint->state) != NULL && kill((int)(one->is.publisher >> 32), 0) < 0) {
        endpoint->state = one->next;
        deliver_piece(endpoint, one);
    }
    first = endpoint->state;
    while (*place != NULL && ((*place)->is.publisher != is.publisher || (*place)->is.sequence != is.sequence))
        place = &(*place)->next;
    one = *place;
    if (is.what == FIRST_HALF) {
        *place = keep(&is, &parts[1]);
        endpoint->state = first;
    } else if (is.what != SECOND_HALF) {
        mutant_deliver(endpoint, parts, count);
    } else if (one != NULL) {
        *place = one->next;
        endpoint->state = first;
        memcpy(one->bytes + is.size / 2, parts[1].data, parts[1].size);
        deliver_piece(endpoint, one);
    }
}

static void clear(mutant_endpoint *endpoint)
{
    piece *next;
    for (piece *one = endpoint->subscriber ? endpoint->state : NULL; one != NULL; one = next) {
        next = one->next;
        free(one);
        endpoint->state = NULL;
    }
}

static void flush(mutant_endpoint *endpoint)
{
    if (!endpoint->subscriber)
        later_close(endpoint);
}

MUTANT(.name = "torn_on_death", .fault = "of a publisher that was killed, what was half written is received",
       .class_name = "corrupt", .may_class = "lost leftover", .must_fail = "KILL-002",
       .may_fail = "DEL-013 PACE-007 LIFE-001 KILL-*",
       .needs = IPCMARK_CAP_MULTIPART | IPCMARK_CAP_THREADS | IPCMARK_CAP_PEERS, .base = "mmipc",
       .before_open = prepare, .publish = publish_halves, .deliver = join_halves, .before_close = flush,
       .after_close = clear)
