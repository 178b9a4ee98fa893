#include "mailbox.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "frame.h"
#include "intake.h"

struct mailbox {
    const struct mailbox_kind *kind;
    void *place;
    struct endpoint endpoint;
    struct roster *roster;
    atomic_int publishers;
    struct intake intake;
    struct frame_reader reader;
    ipcmark_deliver_fn *deliver;
    void *context;
};

/* What is not a frame, and nothing but it, is nobody's message. */
static void deliver_frame(struct mailbox *mailbox)
{
    const ipcmark_part *parts;
    size_t count;
    if (frame_reader_next(&mailbox->reader, &parts, &count) > 0 && mailbox->reader.head == mailbox->reader.tail)
        mailbox->deliver(mailbox->context, parts, count);
}

static void receive(void *context)
{
    struct mailbox *mailbox = context;
    while (!intake_is_closing(&mailbox->intake)) {
        void *at;
        size_t room;
        mailbox->reader.head = mailbox->reader.tail = 0;
        if (frame_reader_space(&mailbox->reader, &at, &room) < 0)
            return;
        const ssize_t got = mailbox->kind->receive(mailbox->place, at, room);
        if (got <= 0)
            continue;
        frame_reader_filled(&mailbox->reader, (size_t)got);
        deliver_frame(mailbox);
    }
}

static void wake(void *context)
{
    struct mailbox *mailbox = context;
    mailbox->kind->wake(mailbox->place);
}

static int joined(void *context, const char *id, const char *address, void **out)
{
    struct mailbox *mailbox = context;
    (void)address;
    if ((*out = strdup(id)) == NULL)
        return -ENOMEM;
    atomic_fetch_add(&mailbox->publishers, 1);
    endpoint_report(&mailbox->endpoint, id, true);
    return 0;
}

static void left(void *context, void *what)
{
    struct mailbox *mailbox = context;
    atomic_fetch_sub(&mailbox->publishers, 1);
    if (!intake_is_closing(&mailbox->intake))
        endpoint_report(&mailbox->endpoint, what, false);
    free(what);
}

/* The place goes before its address: killed in between, nobody would know of it. */
static void mailbox_free(void *context)
{
    struct mailbox *mailbox = context;
    mailbox->kind->free(mailbox->place);
    roster_close(mailbox->roster);
    frame_reader_close(&mailbox->reader);
    free(mailbox);
}

/* The address is written down before there is anything at it, for the same reason. */
static int begin(struct mailbox *mailbox, const ipcmark_endpoint *options)
{
    const struct mailbox_kind *kind = mailbox->kind;
    const struct roster_kind roster = {
        .driver = kind->driver, .is_publisher = false, .stale = kind->stale, .joined = joined, .left = left};
    char address[ROSTER_ADDRESS];
    int result = endpoint_copy(&mailbox->endpoint, options);
    if (result == 0)
        result = frame_reader_open(&mailbox->reader, kind->frame_max);
    if (result == 0)
        result = kind->find(mailbox->place, address);
    if (result == 0)
        result = roster_open(&mailbox->roster, &mailbox->endpoint, options->directory, &roster, address, mailbox);
    if (result == 0 && kind->make != NULL)
        result = kind->make(mailbox->place, options);
    return result < 0 ? result : intake_start(&mailbox->intake, receive, mailbox_free, mailbox);
}

int mailbox_open(void **out, const ipcmark_endpoint *options, const struct mailbox_kind *kind, void *place,
                 ipcmark_deliver_fn *deliver, void *context)
{
    struct mailbox *mailbox = calloc(1, sizeof *mailbox);
    if (mailbox == NULL) {
        kind->free(place);
        return -ENOMEM;
    }
    mailbox->kind = kind;
    mailbox->place = place;
    mailbox->deliver = deliver;
    mailbox->context = context;
    int result = begin(mailbox, options);
    if (result < 0) {
        mailbox_free(mailbox);
        return result;
    }
    result = roster_start(mailbox->roster);
    if (result < 0) {
        mailbox_close(mailbox);
        return result;
    }
    *out = mailbox;
    return 0;
}

int mailbox_peers(void *mailbox)
{
    return atomic_load(&((struct mailbox *)mailbox)->publishers);
}

void mailbox_close(void *handle)
{
    struct mailbox *mailbox = handle;
    intake_close(&mailbox->intake, wake);
}
