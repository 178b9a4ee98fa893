#include "ledger.h"

#include <limits.h>
#include <linux/futex.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

const char *const actor_names[ACTORS] = {"the first publisher",   "the second publisher", "the first subscriber",
                                         "the second subscriber", "the new publisher",    "the new subscriber"};

bool actor_publishes(int actor)
{
    return actor == FIRST_PUBLISHER || actor == SECOND_PUBLISHER || actor == NEW_PUBLISHER;
}

static void die(const char *what)
{
    perror(what);
    abort();
}

struct ledger *ledger_join(int fd)
{
    struct ledger *ledger = mmap(NULL, sizeof *ledger, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (ledger == MAP_FAILED)
        die("ledger");
    return ledger;
}

struct ledger *ledger_create(int *fd)
{
    struct ledger *ledger;
    *fd = memfd_create("ledger", 0); /* inherited */
    if (*fd < 0 || ftruncate(*fd, sizeof *ledger) != 0)
        die("ledger");
    ledger = ledger_join(*fd);
    for (int i = 0; i < ACTORS; ++i)
        for (int seat = 0; seat < SEATS; ++seat)
            for (int from = 0; from < ACTORS; ++from)
                ledger->parts[i].seats[seat].streams[from].first = -1;
    return ledger;
}

void ledger_changed(struct ledger *ledger)
{
    ++ledger->changes;
    syscall(SYS_futex, &ledger->changes, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}

void ledger_set(struct ledger *ledger, _Atomic int *what, int value)
{
    *what = value;
    ledger_changed(ledger);
}

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

bool ledger_await(struct ledger *ledger, bool (*is_true)(void *context), void *context, int timeout_ms)
{
    const int64_t end_ms = now_ms() + timeout_ms;
    for (;;) {
        const unsigned changes = ledger->changes; /* before the look: what changes after it ends the wait */
        const int64_t left_ms = end_ms - now_ms();
        const struct timespec left = {.tv_sec = left_ms / 1000, .tv_nsec = left_ms % 1000 * 1000000};
        if (is_true(context))
            return true;
        if (left_ms <= 0)
            return false;
        syscall(SYS_futex, &ledger->changes, FUTEX_WAIT, changes, &left, NULL, 0);
    }
}

void ledger_complain(struct ledger *ledger, int actor, const char *format, ...)
{
    struct part *part = &ledger->parts[actor];
    int expected = 0;
    va_list arguments;
    if (!atomic_compare_exchange_strong(&part->complained, &expected, 1))
        return;
    va_start(arguments, format);
    vsnprintf(part->complaint, sizeof part->complaint, format, arguments);
    va_end(arguments);
    ledger_set(ledger, &part->complained, 2);
}
