#include "peer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <unistd.h>

/* The control thread's epoll set: the publisher's bell, the watch on the directory, and what each peer is waited for.
 */
struct discovery {
    struct publisher *publisher;
    int epoll, watch;
};

enum { EVENTS = 64 };

static int wait_for(const struct discovery *discovery, int fd, uint32_t events, void *what)
{
    struct epoll_event event = {.events = events, .data.ptr = what};
    return epoll_ctl(discovery->epoll, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno : 0;
}

static void wait_no_more(const struct discovery *discovery, int fd)
{
    epoll_ctl(discovery->epoll, EPOLL_CTL_DEL, fd, NULL);
}

static bool is_known(const struct publisher *publisher, const char *advertisement)
{
    for (const struct peer *peer = publisher->peers; peer != NULL; peer = peer->next)
        if (strcmp(peer->advertisement, advertisement) == 0)
            return true;
    return false;
}

static void peer_found(void *context, const char *advertisement)
{
    const struct discovery *discovery = context;
    struct publisher *publisher = discovery->publisher;
    struct peer *peer;
    /* DRIVER-CHANNEL-PROCESS-HEX.sub: endpoints of one process do not meet. */
    const char *process = advertisement + strlen(publisher->transport->name) + IDENTITY_TEXT + 1;
    if (strncmp(process, identity_process(), IDENTITY_TEXT - 1) == 0 || is_known(publisher, advertisement))
        return;
    peer = calloc(1, sizeof *peer);
    if (peer == NULL)
        return; /* a later scan tries again, as after every failure here */
    snprintf(peer->advertisement, sizeof peer->advertisement, "%s", advertisement);
    if (publisher->transport->connect(&publisher->directory, advertisement, peer->token, &peer->link) < 0) {
        free(peer);
        return;
    }
    if (wait_for(discovery, peer->link.out, EPOLLOUT, peer) < 0) {
        peer_free(peer);
        return;
    }
    pthread_mutex_lock(&publisher->lock);
    peer->next = publisher->peers;
    publisher->peers = peer;
    pthread_mutex_unlock(&publisher->lock);
}

static void peer_drop(const struct discovery *discovery, struct peer *peer)
{
    struct publisher *publisher = discovery->publisher;
    struct peer **at = &publisher->peers;
    bool was_ready = peer->state == PEER_READY;
    char id[ENDPOINT_NAME];
    memcpy(id, peer->id, sizeof id);
    wait_no_more(discovery, peer->state == PEER_CONNECTING ? peer->link.out : peer->link.in);
    pthread_mutex_lock(&publisher->lock);
    while (*at != peer)
        at = &(*at)->next;
    *at = peer->next;
    if (publisher->publishing) {
        peer->next = publisher->dropped;
        publisher->dropped = peer;
        bell_ring(publisher->retry);
    } else {
        peer_free(peer);
    }
    pthread_mutex_unlock(&publisher->lock);
    if (was_ready)
        endpoint_report(&publisher->endpoint, id, false);
}

/* START goes out before anything is published to the peer, since both need the lock. */
static int peer_start(struct publisher *publisher, struct peer *peer)
{
    int result;
    memcpy(peer->id, peer->greeter.greeting.id, sizeof peer->id);
    pthread_mutex_lock(&publisher->lock);
    result = greeting_send(publisher->transport, peer->link.out, GREETING_START, &publisher->endpoint, peer->token);
    if (result == 0)
        peer->state = PEER_READY;
    pthread_mutex_unlock(&publisher->lock);
    if (result == 0)
        endpoint_report(&publisher->endpoint, peer->id, true);
    return result;
}

/* Only this thread writes it, but publish reads it. */
static void peer_set_state(struct publisher *publisher, struct peer *peer, enum peer_state state)
{
    pthread_mutex_lock(&publisher->lock);
    peer->state = state;
    pthread_mutex_unlock(&publisher->lock);
}

static int peer_greet(const struct discovery *discovery, struct peer *peer)
{
    struct publisher *publisher = discovery->publisher;
    int result;
    wait_no_more(discovery, peer->link.out);
    peer_set_state(publisher, peer, PEER_GREETED);
    result = wait_for(discovery, peer->link.in, EPOLLIN, peer);
    return result < 0
               ? result
               : greeting_send(publisher->transport, peer->link.out, GREETING_HELLO, &publisher->endpoint, peer->token);
}

/* One step on in the handshake; -errno: drop the peer. */
static int peer_advance(const struct discovery *discovery, struct peer *peer)
{
    int result;
    if (peer->state == PEER_CONNECTING)
        return peer_greet(discovery, peer);
    if (peer->state == PEER_READY)
        return -ECONNRESET; /* it has nothing more to say: what can be read is the end */
    result = greeting_receive(&peer->greeter, peer->link.in, GREETING_WELCOME);
    return result > 0 ? peer_start(discovery->publisher, peer) : result;
}

static bool is_broken(struct publisher *publisher, const struct peer *peer)
{
    bool broken;
    pthread_mutex_lock(&publisher->lock);
    broken = peer->broken;
    pthread_mutex_unlock(&publisher->lock);
    return broken;
}

/* A subscriber that has died before it took the link cannot hang up: look whether it still advertises itself. */
static bool is_gone(struct publisher *publisher, const struct peer *peer)
{
    int fd;
    if (peer->state == PEER_READY)
        return false;
    fd = directory_open_live(&publisher->directory, peer->advertisement, O_RDONLY);
    if (fd >= 0)
        close(fd);
    return fd == -ENOENT;
}

typedef bool peer_test(struct publisher *publisher, const struct peer *peer);

static void drop_if(const struct discovery *discovery, peer_test *test)
{
    struct peer *next;
    for (struct peer *peer = discovery->publisher->peers; peer != NULL; peer = next) {
        next = peer->next;
        if (test(discovery->publisher, peer))
            peer_drop(discovery, peer);
    }
}

static void scan(struct discovery *discovery)
{
    const struct publisher *publisher = discovery->publisher;
    directory_scan(&publisher->directory, publisher->endpoint.digest, "sub", peer_found, discovery);
}

static void watch_clear(int watch)
{
    char events[4096] __attribute__((aligned(__alignof__(struct inotify_event))));
    while (read(watch, events, sizeof events) > 0)
        ;
}

static void wait_once(struct discovery *discovery, int timeout_ms)
{
    struct epoll_event events[EVENTS];
    bool rung = false, found = false;
    int count = epoll_wait(discovery->epoll, events, EVENTS, timeout_ms);
    for (int i = 0; i < count; ++i) {
        void *what = events[i].data.ptr;
        if (what == discovery->publisher)
            rung = true;
        else if (what == discovery)
            found = true;
        else if (peer_advance(discovery, what) < 0)
            peer_drop(discovery, what);
    }
    /* Only now: these may drop peers that the events above point to. */
    if (rung) {
        bell_clear(discovery->publisher->bell);
        drop_if(discovery, is_broken);
    }
    if (found) {
        watch_clear(discovery->watch);
        scan(discovery);
    }
}

void *discovery_run(void *argument)
{
    struct publisher *publisher = argument;
    struct discovery discovery = {.publisher = publisher, .epoll = publisher->epoll};
    long long due = 0;
    discovery.watch = directory_watch(&publisher->directory, false);
    if (discovery.watch >= 0)
        wait_for(&discovery, discovery.watch, EPOLLIN, &discovery);
    while (!callers_refused(&publisher->callers)) {
        long long now = clock_ms();
        if (now >= due) {
            drop_if(&discovery, is_gone);
            directory_sweep(&publisher->directory);
            scan(&discovery);
            now = clock_ms();
            due = now + publisher->endpoint.scan_interval_ms;
        }
        wait_once(&discovery, (int)(due - now));
    }
    if (discovery.watch >= 0)
        close(discovery.watch);
    return NULL;
}
