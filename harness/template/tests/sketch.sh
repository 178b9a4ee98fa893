#!/bin/sh
# sketch.sh PROTOCOL.md INCLUDE WORK: the driver that the page begins with, compiled against a mine.h made up for it, keeps
# the rules of open: what fails leaves *out as it was, and nothing allocated. CC is what the build uses.
set -eu
page=$1 include=$2 work=$3
mkdir -p "$work"
awk '/^```c$/ { inside = 1; next } /^```$/ { inside = 0; done += 1 } inside && !done' "$page" >"$work/mine.c"
grep -q ipcmark_driver_get "$work/mine.c" || { echo "sketch.sh: there is no driver in $page" >&2; exit 1; }
cat >"$work/mine.h" <<'END'
#include <stddef.h>
#define MINE_VERSION "1"
typedef struct mine mine;
typedef void mine_fn(void *context, const void *data, size_t size);
mine *mine_publisher(const char *directory, const char *channel);
mine *mine_subscriber(const char *directory, const char *channel, mine_fn *, void *context);
int mine_publish(mine *, const void *data, size_t size);
void mine_close(mine *);
END
cat >"$work/try.c" <<'END'
#include <ipcmark/driver.h>
#include <errno.h>
#include <mine.h>
#include <stdio.h>
#include <string.h>

struct mine { mine_fn *receive; void *context; };
static struct mine publisher, subscriber;
static int refuse, closed, delivered;

mine *mine_publisher(const char *directory, const char *channel)
{
    errno = EACCES;
    return refuse || strcmp(directory, "/d") != 0 || strcmp(channel, "c") != 0 ? NULL : &publisher;
}
mine *mine_subscriber(const char *directory, const char *channel, mine_fn *receive, void *context)
{
    subscriber = (struct mine){receive, context};
    return mine_publisher(directory, channel) == NULL ? NULL : &subscriber;
}
int mine_publish(mine *self, const void *data, size_t size)
{
    subscriber.receive(subscriber.context, data, size);
    return self == &publisher ? 0 : -EBADF;
}
void mine_close(mine *self) { closed += self == &publisher ? 1 : self == &subscriber ? 2 : 100; }

static void deliver(void *context, const ipcmark_part *parts, size_t count)
{
    delivered += context == &delivered && count == 1 && parts[0].size == 2 && memcmp(parts[0].data, "hi", 2) == 0;
}

#define CHECK(what) do { if (!(what)) return fprintf(stderr, "sketch: not so: %s\n", #what), 1; } while (0)

int main(void)
{
    const ipcmark_driver *d = ipcmark_driver_get();
    const ipcmark_endpoint e = {.size = sizeof e, .directory = "/d", .channel = "c"};
    const ipcmark_part part = {"hi", 2};
    void *p = &refuse, *s = &refuse;
    CHECK(d->abi == IPCMARK_DRIVER_ABI && d->size == sizeof *d);
    refuse = 1;
    CHECK(d->publisher_open(&p, &e) == -EACCES && p == &refuse);
    CHECK(d->subscriber_open(&s, &e, deliver, &delivered) == -EACCES && s == &refuse);
    refuse = 0;
    CHECK(d->publisher_open(&p, &e) == 0 && d->subscriber_open(&s, &e, deliver, &delivered) == 0);
    CHECK(d->publish(p, &part, 1) == 0 && delivered == 1 && d->publish(p, &part, 0) == -EINVAL);
    d->subscriber_close(s);
    d->publisher_close(p);
    CHECK(closed == 3);
    return 0;
}
END
# A leak is seen where the sanitizer is there; the page's own lines get every warning.
leaks=-fsanitize=address
echo 'int main(void) { return 0; }' >"$work/empty.c"
# shellcheck disable=SC2086 # a flag or nothing
{ "$CC" $leaks -o "$work/empty" "$work/empty.c" && "$work/empty"; } >"$work/empty.log" 2>&1 || leaks=
"$CC" -std=c11 -Wall -Wextra -Wpedantic -Werror $leaks -I"$include" -I"$work" -o "$work/try" "$work/mine.c" "$work/try.c"
exec "$work/try"
