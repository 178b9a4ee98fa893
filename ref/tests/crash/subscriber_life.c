/* A subscriber's life: an endpoint that calls back, and one that pulls; each message is checked, those that are pulled
 * are held for a while and released in another order. */
#include "life.h"
#include "pattern.h"

#include <errno.h>
#include <poll.h>

enum { HELD = 3, BEFORE_DESCRIPTOR = 200 };

static const struct life *own;

static bool nobody_holds(void *context)
{
    const struct ledger *ledger = context;
    for (int i = 0; i < ACTORS; ++i)
        if (ledger->parts[i].hold)
            return false;
    return true;
}

static bool is_whole(const mmipc_part *parts, size_t count, uint64_t name)
{
    if (count != 1 && count != 4)
        return false;
    for (size_t i = 0; i < count; ++i)
        if (!pattern_holds(&parts[i], 1, message_part_name(name, i)))
            return false;
    return true;
}

/* A pair that was dropped may miss messages; only a victim's may be. */
static bool may_miss(const struct seat *seat, int from)
{
    return own->is_victim && seat->pairings[from].disconnected > 0;
}

static void take(struct seat *seat, const mmipc_part *parts, size_t count)
{
    uint64_t name = UINT64_MAX;
    struct stream *stream;
    int from;
    long number;
    if (count > 0 && parts[0].size >= sizeof name)
        memcpy(&name, parts[0].data, sizeof name);
    from = (int)(name >> 48);
    number = (long)(name & ((UINT64_C(1) << 40) - 1));
    if (from < 0 || from >= ACTORS || !is_whole(parts, count, name)) {
        life_complain(own, "a message came damaged", 0);
        return;
    }
    stream = &seat->streams[from];
    if (stream->first < 0)
        stream->first = stream->next = number;
    if (number != stream->next && (number < stream->next || !may_miss(seat, from)))
        ledger_complain(own->ledger, own->me, "message %ld of %s came where %ld was due", number, actor_names[from],
                        stream->next);
    stream->next = number + 1;
    ledger_changed(own->ledger);
}

static void on_message(void *user, const mmipc_part *parts, size_t count)
{
    while (!ledger_await(own->ledger, nobody_holds, own->ledger, 60000))
        ;
    (void)user; /* as options say, it is the seat, but that is for on_peer */
    take(&own->part->seats[0], parts, count);
}

static void release(mmipc_message **held, int *count)
{
    for (int i = *count; i > 0; --i) /* the youngest first */
        mmipc_message_release(held[i - 1]);
    *count = 0;
}

static void pull(mmipc_subscriber *subscriber)
{
    mmipc_message *held[HELD];
    int count = 0, taken = 0;
    struct pollfd polled = {.fd = -1, .events = POLLIN};
    while (!own->part->leave) {
        mmipc_message *message;
        const mmipc_part *parts;
        int error;
        ledger_await(own->ledger, nobody_holds, own->ledger, 100);
        if (taken == BEFORE_DESCRIPTOR && polled.fd < 0)
            polled.fd = mmipc_subscriber_fd(subscriber);
        if (polled.fd >= 0)
            poll(&polled, 1, 20);
        error = mmipc_subscriber_receive(subscriber, &message, polled.fd >= 0 ? 0 : 20);
        if (error == 0) {
            const size_t parts_count = mmipc_message_parts(message, &parts);
            take(&own->part->seats[1], parts, parts_count);
            held[count++] = message;
            ++taken;
        } else if (error != -ETIMEDOUT) {
            life_complain(own, "a receive failed", error);
            break;
        }
        if (count == HELD || error != 0)
            release(held, &count);
    }
    release(held, &count);
}

static void stay(mmipc_subscriber *caller, mmipc_subscriber *puller)
{
    int error = mmipc_subscriber_wait_connected(caller, own->peers, LIFE_CONNECT_MS);
    if (error == 0)
        error = mmipc_subscriber_wait_connected(puller, own->peers, LIFE_CONNECT_MS);
    for (int seat = 0; seat < SEATS && error == 0 && own->is_victim; ++seat)
        error = life_await_first(own, seat, FIRST_PUBLISHER, SECOND_PUBLISHER, 1);
    if (error != 0) {
        life_complain(own, "it was not connected", error);
        return;
    }
    ledger_set(own->ledger, &own->part->ready, 1);
    ledger_set(own->ledger, &own->part->done, 1);
    pull(puller);
}

void subscriber_live(const struct life *life)
{
    mmipc_subscriber *caller = NULL, *puller = NULL;
    mmipc_options options;
    int64_t start_ms;
    int error;
    own = life;
    life_options(life, 0, &options);
    error = mmipc_subscriber_open(&caller, LIFE_CHANNEL, life->directory, on_message, NULL, &options);
    if (error == 0) {
        life_options(life, 1, &options);
        error = mmipc_subscriber_open(&puller, LIFE_CHANNEL, life->directory, NULL, NULL, &options);
    }
    if (error == 0)
        stay(caller, puller);
    else
        life_complain(life, "an endpoint could not be opened", error);
    start_ms = life_now_ms();
    mmipc_subscriber_close(puller);
    life_closed(life, start_ms);
    start_ms = life_now_ms();
    mmipc_subscriber_close(caller);
    life_closed(life, start_ms);
}
