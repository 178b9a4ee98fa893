/* Asks the living endpoints of a directory what they are doing, many at a time: those that are stopped do not add up.
 */
#include "survey.h"
#include "tool.h"

#include "os/os.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

enum { ASKED_AT_ONCE = 128, ANSWER_BYTES = sizeof(struct status) + STATUS_PAIRS_MAX * sizeof(struct status_pair) };

struct round {
    struct entry *entries[ASKED_AT_ONCE];
    int fds[ASKED_AT_ONCE]; /* -1: done with */
    int count;
};

static void ask(int directory, struct entry *entry, int *out)
{
    struct wire_message question;
    struct os_peer owner;
    char name[SLOT_NAME_BYTES];
    int fd;
    *out = -1;
    slot_socket_name(entry->id, name);
    fd = os_socket_connect(directory, name);
    if (fd == -EAGAIN) {
        entry->state = ENTRY_SUSPENDED;
        entry->note = "too many callers wait for it";
    } else if (fd < 0 && fd != -ENOENT && fd != -ECONNREFUSED) {
        entry->note = mmipc_strerror(fd);
    } else if (fd < 0 && entry->note == NULL) {
        entry->note = "is just coming or going";
    }
    if (fd < 0)
        return;
    if (os_socket_peer(fd, &owner) == 0) {
        entry->pid = owner.pid; /* the kernel's word, against the file's */
        if (owner.pidfd >= 0)
            os_close(owner.pidfd);
    }
    wire_prepare(&question, WIRE_STATUS);
    wire_send(fd, &question, NULL, 0); /* a publisher may have answered and hung up already */
    *out = fd;
}

/* The answer, its sizes checked; NULL and a note if it is none. */
static struct status *check(const void *bytes, size_t size, const char **note)
{
    const struct status *head = bytes;
    struct status *status;
    struct wire_message refusal;
    *note = "gave no answer that this version understands";
    if (size == sizeof refusal) {
        memcpy(&refusal, bytes, sizeof refusal);
        if (refusal.magic == WIRE_MAGIC && refusal.type == WIRE_REJECT)
            *note = wire_reason_text(refusal.reason);
    }
    if (size < sizeof *head || head->magic != WIRE_MAGIC || head->type != WIRE_STATUS ||
        head->status_version != STATUS_VERSION || (size - sizeof *head) % sizeof head->pairs[0] != 0 ||
        (size - sizeof *head) / sizeof head->pairs[0] != head->pair_count)
        return NULL;
    status = malloc(size);
    *note = status == NULL ? "could not be remembered: no memory" : NULL;
    if (status != NULL)
        memcpy(status, bytes, size);
    return status;
}

static void take_answer(struct entry *entry, int fd)
{
    static _Alignas(struct status) char bytes[ANSWER_BYTES];
    int fds[OS_FDS_MAX], count = 0;
    ssize_t got = os_socket_receive(fd, bytes, sizeof bytes, fds, &count);
    if (got == -ECONNRESET) /* it hung up without looking at our question; its answer is behind that */
        got = os_socket_receive(fd, bytes, sizeof bytes, fds, &count);
    for (int i = 0; i < count; ++i)
        os_close(fds[i]);
    if (got > 0)
        entry->status = check(bytes, (size_t)got, &entry->note);
    else if (entry->note == NULL)
        entry->note = "refuses to tell";
}

static int take_answers(struct round *round, int64_t deadline_ns)
{
    int waiting = 0;
    for (int i = 0; i < round->count; ++i)
        waiting += round->fds[i] >= 0;
    while (waiting > 0) {
        struct pollfd polled[ASKED_AT_ONCE];
        enum awaited awaited;
        for (int i = 0; i < round->count; ++i)
            polled[i] = (struct pollfd){.fd = round->fds[i], .events = POLLIN};
        awaited = await_many(polled, round->count, deadline_ns);
        if (awaited != AWAITED_READY)
            return awaited == AWAITED_STOP ? -EINTR : 0;
        for (int i = 0; i < round->count; ++i) {
            if (polled[i].revents == 0)
                continue;
            take_answer(round->entries[i], round->fds[i]);
            os_close(round->fds[i]);
            round->fds[i] = -1;
            --waiting;
        }
    }
    return 0;
}

static int ask_round(struct round *round, int directory, int64_t deadline_ns)
{
    int error;
    for (int i = 0; i < round->count; ++i)
        ask(directory, round->entries[i], &round->fds[i]);
    error = take_answers(round, deadline_ns);
    for (int i = 0; i < round->count; ++i) {
        if (round->fds[i] < 0)
            continue;
        os_close(round->fds[i]);
        round->entries[i]->state = ENTRY_SUSPENDED;
        round->entries[i]->note = "does not answer";
    }
    round->count = 0;
    return error;
}

int ask_all(struct survey *survey, int directory, int timeout_ms)
{
    struct round round = {.count = 0};
    int error = 0;
    for (size_t i = 0; i <= survey->count && error == 0; ++i) {
        if (i < survey->count && survey->entries[i].state != ENTRY_STALE)
            round.entries[round.count++] = &survey->entries[i];
        if (round.count == ASKED_AT_ONCE || i == survey->count)
            error = ask_round(&round, directory, deadline_in(timeout_ms / 1e3));
    }
    return error;
}
