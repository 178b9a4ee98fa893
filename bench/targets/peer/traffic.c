/* Rounds of messages, of one receiver and one sender at most. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <ipcmark/journal.h>

#include "inbox.h"
#include "message.h"
#include "peer.h"

enum { ASLEEP_WITHIN_NS = 1000000000 };

static struct {
    const struct transport *transport;
    void *receiver, *sender;
    struct inbox inbox;
    size_t size;            /* of the messages that are sent */
    unsigned char *message; /* the sender's, written anew for each */
    uint64_t sent;
} traffic;

static int read_place(struct request *request, struct place *out)
{
    *out = (struct place){.directory = request_text(request, "directory"),
                          .name = request_text(request, "name"),
                          .message_bytes = (size_t)request_number(request, "size", 0),
                          .gather = request_number(request, "gather", 0) > 0,
                          .spin_us = (int)request_number(request, "spin_us", 0),
                          .peers = (unsigned)request_number(request, "peers", 1)};
    traffic.transport = transport_find(request_text(request, "transport"));
    if (traffic.transport == NULL)
        return request_fail(request, -EINVAL, "there is no transport \"%.40s\"", request_text(request, "transport"));
    if (out->message_bytes < MESSAGE_LEAST)
        return request_fail(request, -EINVAL, "a message takes %d bytes at least", MESSAGE_LEAST);
    return 0;
}

static enum inbox_work find_work(const char *name)
{
    static const char *const names[] = {"count", "read", "time", "pong", "ping"};
    size_t work = 0;

    while (work + 1 < sizeof names / sizeof names[0] && strcmp(names[work], name) != 0)
        ++work;
    return (enum inbox_work)work;
}

int traffic_receiver(struct request *request)
{
    struct place place;
    int result = read_place(request, &place);

    if (result < 0 || traffic.receiver != NULL)
        return result < 0 ? result : -EBUSY;
    result = inbox_open(&traffic.inbox, find_work(request_text(request, "work")), place.message_bytes);
    if (result < 0)
        return result;
    traffic.inbox.reads = (unsigned)request_number(request, "reads", 1);
    result = traffic.transport->receiver_open(&traffic.receiver, &place, inbox_take, &traffic.inbox);
    if (result < 0) {
        inbox_close(&traffic.inbox);
        traffic.receiver = NULL;
    }
    return result;
}

/* With a receiver that answers, its handler is who sends; but for what sets a ping-pong going. */
int traffic_sender(struct request *request)
{
    struct place place;
    int result = read_place(request, &place);

    if (result < 0 || traffic.sender != NULL)
        return result < 0 ? result : -EBUSY;
    traffic.message = calloc(1, place.message_bytes);
    if (traffic.message == NULL)
        return -ENOMEM;
    traffic.size = place.message_bytes;
    if ((result = traffic.transport->sender_open(&traffic.sender, &place)) < 0)
        return request_fail(request, result, "no connection: %s", strerror(-result));
    traffic.inbox.answers = traffic.transport;
    traffic.inbox.sender = traffic.sender;
    return 0;
}

int traffic_receive(struct request *request)
{
    struct inbox *inbox = &traffic.inbox;
    uint64_t count = (uint64_t)request_number(request, "count", 0);
    int result;

    if (traffic.receiver == NULL || count == 0)
        return -EINVAL;
    result = inbox_round(inbox, count, (uint64_t)request_number(request, "lead", 0));
    if (result == -EBADMSG)
        return request_fail(request, result, "%s", inbox->error);
    if (result < 0)
        return request_fail(request, result, "not all of %llu messages arrived", (unsigned long long)count);
    reply_number(request, "end_ns", (double)inbox->end_ns);
    reply_number(request, "slept", (double)inbox->slept);
    reply_number(request, "thread", (double)inbox->thread);
    if (inbox->histogram->total > 0)
        cJSON_AddItemToObject(request->reply, "histogram", ipcmark_histogram_to_json(inbox->histogram));
    return 0;
}

static int send_one(struct request *request, bool with_time)
{
    int result;

    message_write(traffic.message, traffic.size, traffic.sent++);
    if (with_time)
        message_set_time(traffic.message, ipcmark_now_ns());
    result = traffic.transport->send(traffic.sender, traffic.message, traffic.size);
    return result < 0 ? request_fail(request, result, "message %llu was not sent: %s",
                                     (unsigned long long)(traffic.sent - 1), strerror(-result))
                      : 0;
}

static uint64_t cpu_ns(void)
{
    struct timespec used;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    return (uint64_t)used.tv_sec * 1000000000u + (uint64_t)used.tv_nsec;
}

int traffic_send(struct request *request)
{
    uint64_t count = (uint64_t)request_number(request, "count", 0), lead = (uint64_t)request_number(request, "lead", 0);
    uint64_t before_ns = cpu_ns();
    const uint64_t first_ns = ipcmark_now_ns();
    int result = traffic.sender == NULL || count <= lead ? -EINVAL : 0;

    for (uint64_t i = 0; i < count && result == 0; ++i) {
        if (i == lead)
            before_ns = cpu_ns();
        result = send_one(request, false);
    }
    reply_number(request, "first_ns", (double)first_ns);
    reply_number(request, "cpu_ns", (double)(cpu_ns() - before_ns));
    traffic.inbox.sent = traffic.sent; /* if a handler goes on from here */
    return result;
}

/* The third field of /proc/PID/task/TID/stat, behind the name in parentheses, which may hold anything. */
static char state_of(int stat)
{
    char text[512], *end;
    ssize_t length = pread(stat, text, sizeof text - 1, 0);

    if (length <= 0)
        return '?';
    text[length] = '\0';
    end = strrchr(text, ')');
    if (end == NULL || end[1] == '\0')
        return '?';
    return end[2];
}

static void spin_until(uint64_t due_ns)
{
    while (ipcmark_now_ns() < due_ns)
        continue;
}

/* The reader sleeps half a gap after the last message, and still does after the other half. Once would not do: a thread
 * is said to sleep from a moment before it lets go of its CPU. */
static int await_sleep(struct request *request, int stat, uint64_t gap_ns)
{
    uint64_t start_ns = ipcmark_now_ns(), due_ns = start_ns;
    char states[2] = "??";

    while (ipcmark_now_ns() - start_ns < ASLEEP_WITHIN_NS) {
        for (int half = 0; half < 2; ++half) {
            spin_until(due_ns += gap_ns / 2);
            states[half] = state_of(stat);
        }
        if (states[0] == 'S' && states[1] == 'S')
            return 0;
        due_ns = ipcmark_now_ns();
    }
    return request_fail(request, -ETIMEDOUT, "the reader did not fall asleep within a second (state %c)", states[1]);
}

/* We stay awake: it is the reader's waking up that is measured. */
static int pace(struct request *request, int stat)
{
    uint64_t count = (uint64_t)request_number(request, "count", 0);
    uint64_t gap_ns = (uint64_t)request_number(request, "gap_us", 1000) * 1000;
    int result = 0;

    for (uint64_t i = 0; i < count && result == 0; ++i)
        if ((result = await_sleep(request, stat, gap_ns)) == 0)
            result = send_one(request, true);
    return result;
}

int traffic_pace(struct request *request)
{
    char path[64];
    int stat, result;

    if (traffic.sender == NULL)
        return -EINVAL;
    snprintf(path, sizeof path, "/proc/%d/task/%d/stat", (int)request_number(request, "reader_pid", 0),
             (int)request_number(request, "reader_thread", 0));
    stat = open(path, O_RDONLY | O_CLOEXEC);
    if (stat < 0)
        return request_fail(request, -errno, "the reader's state cannot be read: %s", path);
    result = pace(request, stat);
    close(stat);
    return result;
}

int traffic_let_go(struct request *request)
{
    (void)request;
    if (traffic.receiver == NULL)
        return -EINVAL;
    inbox_release(&traffic.inbox);
    return 0;
}

void traffic_close(void)
{
    if (traffic.sender != NULL && traffic.receiver == NULL)
        traffic.transport->sender_close(traffic.sender);
    if (traffic.receiver == NULL)
        goto out;
    inbox_release(&traffic.inbox); /* its handler may be sending: the sender ends after the receiver */
    traffic.transport->receiver_close(traffic.receiver);
    inbox_close(&traffic.inbox);
    if (traffic.sender != NULL)
        traffic.transport->sender_close(traffic.sender);
out:
    free(traffic.message);
}
