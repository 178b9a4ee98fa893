#include "participant.h"

#include "ipcmark/driver.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "message.h"

enum { WAIT_SECONDS = 20, THREADS_MAX = 16, LINE = 4096, LARGEST = 64 << 20 };

static const ipcmark_driver *driver;
static const char *directory;
static atomic_long *published;
static void *publisher, *subscriber;
static unsigned number; /* of this participant's messages: the last digit of its publisher's name */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* of all below */
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static struct message_log received;
static char shapes[LINE];
static bool gate_closed, at_gate;
static long close_at, closed_with;
static unsigned answered; /* publisher whose messages are answered; 0: none */
static char complaint[256];

static void complain(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void complain(const char *format, ...)
{
    va_list arguments;
    if (complaint[0] != '\0')
        return;
    va_start(arguments, format);
    vsnprintf(complaint, sizeof complaint, format, arguments);
    va_end(arguments);
}

/* Waits until test() holds, with the lock. */
static bool wait_until(bool (*test)(const char *argument), const char *argument)
{
    struct timespec deadline;
    bool holds;
    clock_gettime(CLOCK_REALTIME, &deadline);
    deadline.tv_sec += WAIT_SECONDS;
    while (!(holds = test(argument)) && complaint[0] == '\0')
        if (pthread_cond_timedwait(&changed, &lock, &deadline) == ETIMEDOUT)
            break;
    return holds;
}

static bool gate_is_open(const char *unused)
{
    (void)unused;
    return !gate_closed;
}

static void answer_message(const ipcmark_part *part)
{
    static char memory[LINE * 8];
    static unsigned count;
    ipcmark_part answer = {memory, part->size < sizeof memory ? part->size : sizeof memory};
    message_write(memory, answer.size, answered + 2, ++count);
    if (driver->publish(publisher, &answer, 1) < 0)
        complain("an answer could not be published");
}

static void deliver(void *context, const ipcmark_part *parts, size_t count)
{
    (void)context;
    pthread_mutex_lock(&lock);
    if (gate_closed) {
        at_gate = true;
        pthread_cond_broadcast(&changed);
        wait_until(gate_is_open, NULL);
        at_gate = false;
    }
    if (closed_with > 0)
        complain("delivered after close");
    const char *wrong = message_is_shape(parts, count) ? message_append_shape(shapes, sizeof shapes, parts, count)
                                                       : message_check(&received, parts, count);
    if (wrong != NULL)
        complain("%s", wrong);
    pthread_cond_broadcast(&changed);
    if (answered > 0 && received.last_publisher == answered) {
        pthread_mutex_unlock(&lock);
        answer_message(parts);
        pthread_mutex_lock(&lock);
    }
    if (close_at > 0 && received.total == close_at) {
        closed_with = received.total;
        pthread_mutex_unlock(&lock);
        driver->subscriber_close(subscriber);
        subscriber = NULL;
        return;
    }
    pthread_mutex_unlock(&lock);
}

static void peer_changed(void *context, const char *peer, int connected)
{
    (void)context;
    (void)peer;
    (void)connected;
    pthread_mutex_lock(&lock);
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
}

static ipcmark_endpoint endpoint(const char *id, const char *channel)
{
    const size_t most = driver->max_message_bytes;
    return (ipcmark_endpoint){.size = sizeof(ipcmark_endpoint),
                              .id = id,
                              .directory = directory,
                              .channel = channel,
                              .ping_interval_ms = 200,
                              .max_message_bytes = most != 0 && most < LARGEST ? most : LARGEST,
                              .on_peer = peer_changed};
}

static const char *open_endpoint(bool publishes, const char *id, const char *channel)
{
    ipcmark_endpoint what = endpoint(id, channel);
    int result = publishes ? driver->publisher_open(&publisher, &what)
                           : driver->subscriber_open(&subscriber, &what, deliver, NULL);
    if (publishes)
        number = (unsigned)(id[strlen(id) - 1] - '0');
    return result == 0 ? NULL : strerror(-result);
}

static bool publisher_counts(const char *count)
{
    return driver->publisher_peers(publisher) == atoi(count);
}

static bool subscriber_counts(const char *count)
{
    return driver->subscriber_peers(subscriber) == atoi(count);
}

static bool has_received(const char *argument)
{
    unsigned from, last;
    return sscanf(argument, "%u %u", &from, &last) == 2 && from < MESSAGE_PUBLISHERS && received.next[from] > last;
}

static bool has_seen(const char *argument)
{
    return strcmp(shapes, argument) == 0;
}

static bool has_closed(const char *unused)
{
    (void)unused;
    return closed_with > 0;
}

static bool stands_at_gate(const char *unused)
{
    (void)unused;
    return at_gate;
}

static const char *await(bool (*test)(const char *), const char *argument)
{
    pthread_mutex_lock(&lock);
    bool holds = wait_until(test, argument);
    pthread_mutex_unlock(&lock);
    return holds ? NULL : test == has_seen ? shapes : "waited in vain";
}

struct work {
    unsigned publisher, first, count;
    size_t size;
};

static void *publish_numbered(void *argument)
{
    const struct work *work = argument;
    char *memory = malloc(work->size);
    const char *wrong = NULL;
    for (unsigned i = work->first; i < work->first + work->count && wrong == NULL; ++i) {
        ipcmark_part part = {memory, work->size};
        message_write(memory, work->size, work->publisher, i);
        int result = driver->publish(publisher, &part, 1);
        if (result < 0)
            wrong = strerror(-result);
        else
            atomic_fetch_add(published, 1);
    }
    free(memory);
    return (void *)wrong;
}

static const char *publish(const char *argument)
{
    struct work works[THREADS_MAX] = {{.publisher = number}};
    pthread_t threads[THREADS_MAX];
    unsigned count = 1;
    void *wrong = NULL;
    if (sscanf(argument, "%u %u %zu %u", &works[0].first, &works[0].count, &works[0].size, &count) < 3)
        return "FIRST COUNT SIZE [THREADS]";
    if (count == 1)
        return publish_numbered(&works[0]);
    for (unsigned i = 0; i < count; ++i) {
        works[i] = works[0];
        works[i].publisher = number + i;
        pthread_create(&threads[i], NULL, publish_numbered, &works[i]);
    }
    for (unsigned i = 0; i < count; ++i) {
        void *result;
        pthread_join(threads[i], &result);
        wrong = wrong != NULL ? wrong : result;
    }
    return wrong;
}

static pthread_t unbound_thread;
static atomic_int unbound_task; /* its number in /proc/self/task */
/* It passes here before each call, and is held up from when it is stuck in one until the close has ended: that call may
 * still succeed, and another one would be into what is gone. */
static pthread_mutex_t unbound_next = PTHREAD_MUTEX_INITIALIZER;
static bool unbound_over;

static void *publish_without_end(void *argument)
{
    struct work work = *(const struct work *)argument;
    const unsigned end = work.first + work.count;
    void *wrong = NULL;
    atomic_store(&unbound_task, gettid());
    for (work.count = 1; work.first < end && wrong == NULL; ++work.first) {
        pthread_mutex_lock(&unbound_next);
        const bool over = unbound_over;
        pthread_mutex_unlock(&unbound_next);
        if (over)
            break;
        wrong = publish_numbered(&work);
    }
    return wrong;
}

static const char *publish_unbound(const char *argument)
{
    static struct work work;
    work.publisher = number;
    if (sscanf(argument, "%u %u %zu", &work.first, &work.count, &work.size) != 3)
        return "FIRST COUNT SIZE";
    atomic_store(&unbound_task, 0);
    pthread_create(&unbound_thread, NULL, publish_without_end, &work);
    return NULL;
}

static bool is_asleep(int task)
{
    char path[64], state = '?';
    FILE *stat;
    snprintf(path, sizeof path, "/proc/self/task/%d/stat", task);
    stat = fopen(path, "re");
    if (stat == NULL || fscanf(stat, "%*d (%*[^)]) %c", &state) != 1)
        state = '?';
    if (stat != NULL)
        fclose(stat);
    return state == 'S';
}

/* Until the unbound thread waits in publish: it was asleep, and had published nothing more, at so many looks in a row.
 * Who is short of CPU is not asleep. Then it is kept from the next call, and looked at once more: it is in this one. */
static const char *await_stuck(void)
{
    enum { LOOKS = 10, LOOK_MS = 20 };
    const time_t deadline = time(NULL) + WAIT_SECONDS;
    long before = -1;
    for (int looks = 0;;) {
        if (looks == LOOKS)
            pthread_mutex_lock(&unbound_next);
        const long now = atomic_load(published);
        const bool waits = now == before && is_asleep(atomic_load(&unbound_task));
        if (waits && looks == LOOKS)
            return NULL;
        if (looks == LOOKS)
            pthread_mutex_unlock(&unbound_next);
        looks = waits ? looks + 1 : 0;
        before = now;
        if (time(NULL) > deadline)
            return "it goes on publishing";
        poll(NULL, 0, LOOK_MS);
    }
}

static const char *publish_shapes(char *argument)
{
    for (char *rest, *shape = strtok_r(argument, " ", &rest); shape != NULL; shape = strtok_r(NULL, " ", &rest)) {
        struct message_shape parts;
        message_make_shape(&parts, shape);
        int result = driver->publish(publisher, parts.parts, parts.count);
        if (result < 0)
            return strerror(-result);
    }
    return NULL;
}

static int count_entries(const char *path)
{
    DIR *entries = opendir(path);
    int count = 0;
    while (readdir(entries) != NULL)
        ++count;
    closedir(entries);
    return count;
}

/* Descriptors and threads. A handler that closed its subscriber may still be on its way back, and a thread that has
 * been joined on its way out of the kernel's list. */
static const char *census(void)
{
    static int descriptors, threads;
    time_t deadline = time(NULL) + WAIT_SECONDS;
    bool more_descriptors, more_threads;
    if (descriptors == 0) {
        descriptors = count_entries("/proc/self/fd");
        threads = count_entries("/proc/self/task");
    }
    do {
        more_descriptors = count_entries("/proc/self/fd") != descriptors;
        more_threads = count_entries("/proc/self/task") > threads;
    } while ((more_descriptors || more_threads) && time(NULL) < deadline && sched_yield() == 0);
    return more_descriptors ? "descriptors are left" : more_threads ? "threads are left" : NULL;
}

static const char *close_endpoint(bool publishes)
{
    struct timespec before, after;
    clock_gettime(CLOCK_MONOTONIC, &before);
    if (publishes)
        driver->publisher_close(publisher);
    else
        driver->subscriber_close(subscriber);
    clock_gettime(CLOCK_MONOTONIC, &after);
    if (unbound_thread != 0) {
        unbound_over = true;
        pthread_mutex_unlock(&unbound_next);
        pthread_join(unbound_thread, NULL);
    }
    unbound_thread = 0;
    return after.tv_sec - before.tv_sec > 2 ? "close took longer than a second" : NULL;
}

static const char *rounds(const char *argument)
{
    char channel[256];
    int count;
    const char *wrong = NULL;
    if (sscanf(argument, "%d %255s", &count, channel) != 2)
        return "COUNT CHANNEL";
    for (int i = 0; i < count && wrong == NULL; ++i) {
        wrong = open_endpoint(false, "round", channel);
        if (wrong == NULL)
            wrong = await(subscriber_counts, "1");
        if (wrong == NULL)
            wrong = close_endpoint(false);
    }
    return wrong;
}

static const char *set_gate(bool closed)
{
    pthread_mutex_lock(&lock);
    gate_closed = closed;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
    return NULL;
}

static const char *set_close_at(const char *argument)
{
    pthread_mutex_lock(&lock);
    close_at = atol(argument);
    pthread_mutex_unlock(&lock);
    return NULL;
}

static const char *set_answered(const char *argument)
{
    pthread_mutex_lock(&lock);
    answered = (unsigned)atoi(argument);
    pthread_mutex_unlock(&lock);
    return NULL;
}

static const char *obey(const char *verb, char *rest)
{
    char id[256], channel[512];
    bool publishes = strncmp(rest, "publisher", 9) == 0;
    if (strcmp(verb, "publisher") == 0 || strcmp(verb, "subscriber") == 0)
        return sscanf(rest, "%255s %511s", id, channel) == 2 ? open_endpoint(verb[0] == 'p', id, channel)
                                                             : "NAME CHANNEL";
    if (strcmp(verb, "peers") == 0)
        return await(publishes ? publisher_counts : subscriber_counts, rest + strcspn(rest, " "));
    if (strcmp(verb, "publish") == 0)
        return publish(rest);
    if (strcmp(verb, "unbound") == 0)
        return publish_unbound(rest);
    if (strcmp(verb, "stuck") == 0)
        return await_stuck();
    if (strcmp(verb, "shapes") == 0)
        return publish_shapes(rest);
    if (strcmp(verb, "received") == 0)
        return await(has_received, rest);
    if (strcmp(verb, "seen") == 0)
        return await(has_seen, rest);
    if (strcmp(verb, "gate") == 0)
        return set_gate(strcmp(rest, "closed") == 0);
    if (strcmp(verb, "at_gate") == 0)
        return await(stands_at_gate, NULL);
    if (strcmp(verb, "answer") == 0)
        return set_answered(rest);
    if (strcmp(verb, "close_at") == 0)
        return set_close_at(rest);
    if (strcmp(verb, "closed") == 0)
        return await(has_closed, NULL);
    if (strcmp(verb, "close") == 0)
        return close_endpoint(publishes);
    if (strcmp(verb, "rounds") == 0)
        return rounds(rest);
    if (strcmp(verb, "census") == 0)
        return census();
    return strcmp(verb, "quit") == 0 ? NULL : "no such command";
}

static void reply(const char *wrong)
{
    pthread_mutex_lock(&lock);
    if (complaint[0] != '\0')
        printf("%s\n", complaint);
    else if (wrong != NULL)
        printf("%s\n", wrong);
    else
        printf("ok %ld\n", received.total);
    fflush(stdout);
    pthread_mutex_unlock(&lock);
}

static void *nothing(void *unused)
{
    return unused;
}

/* A sanitizer starts a thread of its own together with the first of ours: that one is not the driver's. */
static void start_census(void)
{
    pthread_t first;
    pthread_create(&first, NULL, nothing, NULL);
    pthread_join(first, NULL);
    census();
}

int participant_main(const char *path, const char *shared_directory)
{
    char line[LINE];
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    void *library = dlopen(path, RTLD_NOW);
    if (library == NULL) {
        fprintf(stderr, "%s\n", dlerror());
        return 1;
    }
    const ipcmark_driver *(*get)(void);
    *(void **)&get = dlsym(library, "ipcmark_driver_get");
    published = mmap(NULL, sizeof *published, PROT_READ | PROT_WRITE, MAP_SHARED, PARTICIPANT_PROGRESS, 0);
    if (get == NULL || published == MAP_FAILED)
        return 1;
    driver = get();
    directory = shared_directory;
    start_census();
    while (fgets(line, sizeof line, stdin) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        char *rest = line + strcspn(line, " ");
        rest += *rest == ' ' ? (*rest = '\0', 1) : 0;
        reply(obey(line, rest));
        if (strcmp(line, "quit") == 0)
            return 0;
    }
    return 1;
}
