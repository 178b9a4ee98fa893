#include "stream.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "frame.h"

enum { SCAN_MIN_MS = 100, SCAN_MAX_MS = 1000 };

static void digest_channel(const char *channel, char text[IDENTITY_TEXT])
{
    uint64_t hash = 0xcbf29ce484222325u; /* FNV-1a; a collision is found out by the HELLO */
    for (const unsigned char *at = (const unsigned char *)channel; *at != '\0'; ++at)
        hash = (hash ^ *at) * 0x100000001b3u;
    snprintf(text, IDENTITY_TEXT, "%016" PRIx64, hash);
}

int endpoint_copy(struct endpoint *out, const ipcmark_endpoint *in)
{
    unsigned interval;
    if (in == NULL || in->id == NULL || in->directory == NULL || in->channel == NULL || in->channel[0] == '\0')
        return -EINVAL;
    if (strlen(in->id) >= ENDPOINT_NAME || strlen(in->channel) >= ENDPOINT_NAME)
        return -ENAMETOOLONG;
    *out = (struct endpoint){.on_peer = in->on_peer, .peer_context = in->peer_context};
    memcpy(out->id, in->id, strlen(in->id) + 1);
    memcpy(out->channel, in->channel, strlen(in->channel) + 1);
    digest_channel(out->channel, out->digest);
    interval = in->ping_interval_ms == 0 ? SCAN_MAX_MS : in->ping_interval_ms;
    out->scan_interval_ms = (int)(interval < SCAN_MIN_MS   ? SCAN_MIN_MS
                                  : interval > SCAN_MAX_MS ? SCAN_MAX_MS
                                                           : interval);
    out->max_bytes = in->max_message_bytes;
    if (out->max_bytes == 0 || out->max_bytes > FRAME_BYTES_MAX)
        out->max_bytes = FRAME_BYTES_MAX;
    return 0;
}

void endpoint_report(const struct endpoint *endpoint, const char *peer, bool connected)
{
    if (endpoint->on_peer != NULL)
        endpoint->on_peer(endpoint->peer_context, peer, connected);
}

void link_close(struct link *link)
{
    if (link->out >= 0 && link->out != link->in)
        close(link->out);
    if (link->in >= 0)
        close(link->in);
    link->in = link->out = -1;
}

void listener_close(struct listener *listener, const struct directory *directory)
{
    if (listener->advertisement < 0)
        return;
    directory_remove(directory, listener->name);
    if (listener->fd >= 0 && listener->fd != listener->advertisement)
        close(listener->fd);
    close(listener->advertisement);
    listener->advertisement = listener->fd = -1;
}

int greeting_send(const struct transport *transport, int fd, enum greeting_kind kind, const struct endpoint *from,
                  const char token[TOKEN_TEXT])
{
    struct greeting greeting;
    struct iovec vector = {&greeting, sizeof greeting};
    ssize_t sent;
    memset(&greeting, 0, sizeof greeting);
    greeting.magic = GREETING_MAGIC;
    greeting.kind = kind;
    memcpy(greeting.id, from->id, sizeof greeting.id);
    memcpy(greeting.channel, from->channel, sizeof greeting.channel);
    memcpy(greeting.token, token, sizeof greeting.token);
    do
        sent = transport->send(fd, &vector, 1);
    while (sent < 0 && errno == EINTR);
    if (sent < 0)
        return -errno;
    /* It is the first in an empty buffer, where it always fits. */
    return sent == (ssize_t)sizeof greeting ? 0 : -EPROTO;
}

static bool is_terminated(const char *text, size_t size)
{
    return memchr(text, '\0', size) != NULL;
}

int greeting_receive(struct greeter *greeter, int fd, enum greeting_kind kind)
{
    struct greeting *greeting = &greeter->greeting;
    ssize_t got = read(fd, (char *)greeting + greeter->received, sizeof *greeting - greeter->received);
    if (got < 0)
        return errno == EAGAIN || errno == EINTR ? 0 : -errno;
    if (got == 0)
        return -ECONNRESET;
    greeter->received += (size_t)got;
    if (greeter->received < sizeof *greeting)
        return 0;
    greeter->received = 0;
    if (greeting->magic != GREETING_MAGIC || greeting->kind != (uint32_t)kind ||
        !is_terminated(greeting->id, sizeof greeting->id) ||
        !is_terminated(greeting->channel, sizeof greeting->channel) ||
        !is_terminated(greeting->token, sizeof greeting->token))
        return -EPROTO;
    return 1;
}

int bell_open(void)
{
    int bell = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    return bell < 0 ? -errno : bell;
}

void bell_ring(int bell)
{
    uint64_t one = 1;
    ssize_t ignored = write(bell, &one, sizeof one); /* it can only fail when it is ringing already */
    (void)ignored;
}

void bell_clear(int bell)
{
    uint64_t count;
    ssize_t ignored = read(bell, &count, sizeof count);
    (void)ignored;
}

int thread_start(pthread_t *out, void *(*run)(void *), void *argument)
{
    sigset_t all, before;
    int result;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    result = pthread_create(out, NULL, run, argument);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return -result;
}

long long clock_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (long long)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}
