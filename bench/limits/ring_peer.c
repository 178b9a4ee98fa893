#include "ring_peer.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <ipcmark/payload.h>

#include "cpus.h"

extern char **environ;

enum {
    MEMORY_FD = 3,
    REPORT_FD = 4,
    PATIENCE_MS = 5000, /* for the child to be ready, and to report */
    LAST_EPOCH = 1,     /* marks the message after which the child is done */
    SAMPLES = 4096,
    SAMPLE_BYTES = 65536 /* the child reads its clock once in so many bytes */
};

static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* ---- what both sides do with a message: written afresh, read, checked ---- */

static void fill(unsigned char *message, size_t size, uint64_t seed, uint64_t sequence, uint16_t epoch)
{
    struct ipcmark_payload header = {.epoch = epoch, .parts = 1, .size = (uint32_t)size, .sequence = sequence, .nonce = sequence};

    if (epoch == LAST_EPOCH)
        header.scheduled_ns = now_ns();
    ipcmark_payload_stamp(message, &header);
    ipcmark_payload_body_write(message + sizeof header, size - sizeof header, ipcmark_payload_key(seed, header.nonce, 0));
}

struct checker {
    uint64_t seed, next, torn, reordered, last_sent_ns;
    bool ended;
};

static void check(struct checker *checker, const ipcmark_part *part)
{
    struct ipcmark_payload header;

    if (ipcmark_payload_peek(part->data, part->size, &header) < 0 ||
        ipcmark_payload_body_check((const unsigned char *)part->data + sizeof header, part->size - sizeof header,
                                   ipcmark_payload_key(checker->seed, header.nonce, 0)) < 0) {
        ++checker->torn;
        return;
    }
    checker->reordered += header.sequence != checker->next;
    checker->next = header.sequence + 1;
    if (header.epoch == LAST_EPOCH)
        checker->ended = true, checker->last_sent_ns = header.scheduled_ns;
}

/* ---- the child ---- */

struct peer {
    struct ring *there, *back;
    struct checker checker;
    uint64_t received, bytes_since_sample;
    unsigned char *answer;
    struct {
        uint64_t count, at_ns;
    } samples[SAMPLES];
    unsigned sampled;
    uint64_t sample_bytes; /* doubles when the samples are full: then every other one is kept */
};

static __attribute__((noinline)) void take_sample(struct peer *peer)
{
    peer->bytes_since_sample = 0;
    if (peer->sampled == SAMPLES) {
        for (unsigned i = 0; i < SAMPLES / 2; ++i)
            peer->samples[i] = peer->samples[2 * i];
        peer->sampled = SAMPLES / 2;
        peer->sample_bytes *= 2;
    }
    peer->samples[peer->sampled].count = peer->received;
    peer->samples[peer->sampled++].at_ns = now_ns();
}

static void count_message(void *context, const ipcmark_part *parts, size_t count)
{
    struct peer *peer = context;

    (void)count;
    check(&peer->checker, parts);
    ++peer->received;
    peer->bytes_since_sample += parts->size;
    if (peer->bytes_since_sample >= peer->sample_bytes)
        take_sample(peer);
}

static void answer_message(void *context, const ipcmark_part *parts, size_t count)
{
    struct peer *peer = context;
    ipcmark_part part = {.data = peer->answer, .size = parts->size};

    (void)count;
    check(&peer->checker, parts);
    fill(peer->answer, parts->size, peer->checker.seed, peer->received++, 0);
    if (ring_publish(peer->back, &part, 1) < 0)
        ++peer->checker.torn;
}

/* From the first sample to the last one that was taken before the sender stopped. */
static struct ring_report make_report(const struct peer *peer)
{
    struct ring_report report = {.received = peer->received,
                                 .torn = peer->checker.torn,
                                 .reordered = peer->checker.reordered};
    unsigned last = 0;

    for (unsigned i = 0; i < peer->sampled; ++i)
        if (peer->samples[i].at_ns <= peer->checker.last_sent_ns)
            last = i;
    if (last > 0) {
        report.messages = peer->samples[last].count - peer->samples[0].count;
        report.from_ns = peer->samples[0].at_ns;
        report.to_ns = peer->samples[last].at_ns;
    }
    return report;
}

static int run_peer(struct peer *peer, enum ring_work work)
{
    /* volatile: in the other rows, too, the callback is a pointer that the compiler cannot look through */
    ipcmark_deliver_fn *volatile deliver = work == RING_ANSWER ? answer_message : count_message;
    struct ring_report report;

    if (write(REPORT_FD, "", 1) != 1)
        return 3;
    while (!peer->checker.ended)
        (void)ring_receive(peer->there, deliver, peer);
    report = make_report(peer);
    return write(REPORT_FD, &report, sizeof report) == (ssize_t)sizeof report ? 0 : 3;
}

int ring_peer_main(int argc, char **argv)
{
    static struct peer peer = {.sample_bytes = SAMPLE_BYTES};
    int result;

    if (argc != 7)
        return 64;
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != (pid_t)atol(argv[6])) /* the parent died before that took effect */
        return 3;
    peer.checker.seed = strtoull(argv[5], NULL, 10);
    peer.answer = malloc(strtoull(argv[4], NULL, 10));
    if (peer.answer == NULL || cpus_pin(atoi(argv[3])) < 0 || ring_attach(&peer.there, MEMORY_FD, 0) < 0 ||
        ring_attach(&peer.back, MEMORY_FD, 1) < 0)
        result = 3;
    else
        result = run_peer(&peer, strcmp(argv[2], "answer") == 0 ? RING_ANSWER : RING_COUNT);
    ring_detach(peer.there);
    ring_detach(peer.back);
    free(peer.answer);
    return result;
}

/* ---- this process ---- */

static int read_from_child(const struct ring_pair *pair, void *bytes, size_t size)
{
    struct pollfd ready = {.fd = pair->pipe, .events = POLLIN};
    ssize_t got;

    do
        got = poll(&ready, 1, PATIENCE_MS) == 1 ? read(pair->pipe, bytes, size) : -ETIMEDOUT;
    while (got == -1 && errno == EINTR);
    return got == (ssize_t)size ? 0 : got == -ETIMEDOUT ? -ETIMEDOUT : -ECHILD;
}

static int spawn_child(struct ring_pair *pair, enum ring_work work, int cpu, int memory, int report)
{
    char cpu_text[16], size_text[24], seed_text[24], parent_text[24];
    char *arguments[] = {"ipcmark-bench-rows", "--ring-peer", work == RING_ANSWER ? "answer" : "count",
                         cpu_text, size_text, seed_text, parent_text, NULL};
    posix_spawn_file_actions_t actions;
    int error;

    snprintf(cpu_text, sizeof cpu_text, "%d", cpu);
    snprintf(size_text, sizeof size_text, "%zu", pair->size);
    snprintf(seed_text, sizeof seed_text, "%llu", (unsigned long long)pair->seed);
    snprintf(parent_text, sizeof parent_text, "%ld", (long)getpid());
    if (posix_spawn_file_actions_init(&actions) != 0)
        return -ENOMEM;
    error = posix_spawn_file_actions_adddup2(&actions, memory, MEMORY_FD);
    if (error == 0)
        error = posix_spawn_file_actions_adddup2(&actions, report, REPORT_FD);
    if (error == 0)
        error = posix_spawn(&pair->child, "/proc/self/exe", &actions, NULL, arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
    return -error;
}

/* A copy of the descriptor above those that the child gets, so that none of them can be overwritten by another. */
static int move_up(int *fd)
{
    int high = fcntl(*fd, F_DUPFD_CLOEXEC, REPORT_FD + 1);
    if (high < 0)
        return -errno;
    close(*fd);
    *fd = high;
    return 0;
}

int ring_pair_open(struct ring_pair *pair, enum ring_work work, int child_cpu, size_t size, uint64_t seed)
{
    int memory = -1, ends[2] = {-1, -1}, result;
    char ready;

    *pair = (struct ring_pair){.child = -1, .pipe = -1, .seed = seed, .size = size};
    pair->message = malloc(size);
    if (pair->message == NULL)
        return -ENOMEM;
    if ((result = ring_memory_create(&memory, 2)) < 0 || (result = move_up(&memory)) < 0)
        goto out;
    if (pipe2(ends, O_CLOEXEC) != 0) {
        result = -errno;
        goto out;
    }
    pair->pipe = ends[0];
    if ((result = move_up(&ends[1])) < 0 || (result = ring_attach(&pair->there, memory, 0)) < 0 ||
        (result = ring_attach(&pair->back, memory, 1)) < 0 ||
        (result = spawn_child(pair, work, child_cpu, memory, ends[1])) < 0)
        goto out;
    close(ends[1]); /* or the child's death would not show */
    ends[1] = -1;
    result = read_from_child(pair, &ready, 1);
out:
    if (memory >= 0)
        close(memory);
    if (ends[1] >= 0)
        close(ends[1]);
    return result;
}

static int send_message(struct ring_pair *pair, uint16_t epoch)
{
    int (*volatile publish)(void *, const ipcmark_part *, size_t) = ring_publish; /* as a driver's: a pointer */
    ipcmark_part part = {.data = pair->message, .size = pair->size};

    fill(pair->message, pair->size, pair->seed, pair->sequence++, epoch);
    return publish(pair->there, &part, 1);
}

int ring_pair_stream(struct ring_pair *pair, double seconds)
{
    uint64_t end = now_ns() + (uint64_t)(seconds * 1e9), bytes = 0;

    do {
        int result = send_message(pair, 0);
        if (result < 0)
            return result;
        bytes += pair->size;
        if (bytes < SAMPLE_BYTES)
            continue;
        bytes = 0;
        if (now_ns() >= end)
            return 0;
    } while (true);
}

static void check_answer(void *context, const ipcmark_part *parts, size_t count)
{
    (void)count;
    check(context, parts);
}

int ring_pair_ping(struct ring_pair *pair, uint64_t count, struct ipcmark_histogram *histogram)
{
    ipcmark_deliver_fn *volatile deliver = check_answer;
    struct checker checker = {.seed = pair->seed};
    uint64_t before = now_ns();

    for (uint64_t i = 0; i < count; ++i) {
        uint64_t after;
        unsigned long looks = 0;
        int result = send_message(pair, 0);
        if (result < 0)
            return result;
        while (!ring_receive(pair->back, deliver, &checker))
            if (++looks % (1 << 20) == 0 && now_ns() - before > 1000000000u)
                return -ETIME;
        after = now_ns();
        ipcmark_histogram_record(histogram, after - before);
        before = after;
    }
    return checker.torn + checker.reordered == 0 ? 0 : -EBADMSG;
}

int ring_pair_finish(struct ring_pair *pair, struct ring_report *report)
{
    int result = send_message(pair, LAST_EPOCH);

    if (result < 0)
        return result;
    return read_from_child(pair, report, sizeof *report);
}

void ring_pair_close(struct ring_pair *pair)
{
    if (pair->child > 0) {
        kill(pair->child, SIGKILL); /* it has reported, or never will */
        while (waitpid(pair->child, NULL, 0) < 0 && errno == EINTR)
            continue;
    }
    if (pair->pipe >= 0)
        close(pair->pipe);
    ring_detach(pair->there);
    ring_detach(pair->back);
    free(pair->message);
}
