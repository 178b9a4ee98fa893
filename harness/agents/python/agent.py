#!/usr/bin/env python3
"""agent: makes the publish/subscribe of pubsub.py a participant of ipcmark. PROTOCOL.md is what it does.

    ipcmark conformance --agent 'python3 agent.py'

To test an implementation of yours: keep this file, death.py and record.py, write a pubsub.py with the same Publisher and
Subscriber, and say in IMPLEMENTATION and CAPABILITIES what it is and can do. Needs Python 3.9 and nothing else.
"""

import errno
import json
import os
import random
import sys
import threading
import time

sys.dont_write_bytecode = True  # where we are is no place for our files

import pubsub
from death import DeathAtPublish, death_of
from record import Journals, Maker, name_sum, read_message

IMPLEMENTATION = {
    "name": "pubsub.py",
    "version": "1",
    "language": "Python",
    "homepage": None,
    "summary": "Unix sockets, in Python's standard library alone",
}
CAPABILITIES = {
    "multipart": True,
    "empty_message": True,
    "peers": True,
    "peer_events": True,
    "survives_publisher_death": True,
    "threads": True,
    "no_self_delivery": True,
    "publish_in_handler": True,
    "close_in_handler": True,
    "durable_pause": True,
    "directory_files": True,
    "isolation_directory": True,
    "when_full_block": True,
    "max_message_bytes": pubsub.MAX_MESSAGE_BYTES,
}
NOBODY_RECEIVES_IT = {errno.EAGAIN, errno.EMSGSIZE, errno.EINVAL, errno.ENOSPC, errno.ENOMEM, errno.ETIMEDOUT}
REPLY_THREAD = 64  # of what a handler sends
LOOK_AGAIN = 0.002  # seconds; not every implementation tells when its peers change

journals = None  # or Journals
run = seed = 0
endpoints = {}  # by number: the latest life of each
never = threading.Event()


class Refusal(Exception):
    def __init__(self, code, text):
        super().__init__(text)
        self.code = code


def append(kind, endpoint, **fields):
    if journals:
        journals.append(kind, endpoint.number, endpoint.epoch, **fields)


class Endpoint:
    """One life of a publisher or subscriber."""

    def __init__(self, request):
        self.number, self.epoch = request["endpoint"], request["epoch"]
        self.channel = name_sum(request["channel"])
        self.changed = threading.Condition()  # peers came or went, or what was waited for has arrived
        self.closing = False
        self.inner = None  # the implementation's

    def open(self, make, request, *more):
        death, problem = death_of(request), None
        id = f"{self.number}.{self.epoch}"
        append("open_invoke", self, channel=self.channel)
        death.set()
        try:
            self.inner = make(request["directory"], request["channel"], id, *more, on_peer=self.on_peer)
        except OSError as error:
            self.closing, problem = True, error
        append("open_done", self, channel=self.channel, error=-problem.errno if problem else 0)
        death.await_it()
        if problem:
            raise problem

    def on_peer(self, peer, connected):
        number, _, epoch = peer.partition(".")
        append("peer_up" if connected else "peer_down", self, publisher=int(number), epoch=int(epoch), count=-1)
        send({"ev": "peer", "endpoint": self.number, "peer": peer, "connected": connected})
        with self.changed:
            self.changed.notify_all()

    def peers(self):
        if self.closing:
            raise OSError(errno.ESHUTDOWN, "the endpoint is closed")
        count = self.inner.peers()
        append("peers", self, count=count)
        return count

    def close(self, request=()):
        death = death_of(request)
        with self.changed:
            first, self.closing = not self.closing, True
        if first:
            append("close_invoke", self, channel=self.channel)
            death.set()
            self.inner.close()
            append("close_done", self, channel=self.channel)
        death.set()
        death.await_it()


class Publisher(Endpoint):
    def __init__(self, request):
        super().__init__(request)
        self.makers = {}  # by thread
        self.open(pubsub.Publisher, request)

    def maker(self, thread):
        if thread not in self.makers:
            self.makers[thread] = Maker(run, self.channel, self.number, self.epoch, thread, seed)
        return self.makers[thread]

    def publish(self, maker, size, parts, scheduled=0, overwrite=False, death=None):
        """One message, with its record before and after. Returns its outcome and the error, or None."""
        message, about = maker.make(size, parts, scheduled)
        append("invoke", self, **about)
        if death:
            death.before_call()
        kind, error = "ok", None
        try:
            self.inner.publish(message)
        except OSError as problem:
            kind, error = "failed" if problem.errno in NOBODY_RECEIVES_IT else "unknown", problem
        if death:
            death.after_call()
        append(kind, self, thread=about["thread"], publisher=self.number, epoch=self.epoch, sequence=about["sequence"],
               error=-error.errno if error else 0)
        maker.counts[kind] += 1
        if kind == "ok":
            maker.sent = about["sequence"]
        if overwrite:
            for part in message:
                part[:] = b"\xA5" * len(part)
        return kind, error


class Subscriber(Endpoint):
    def __init__(self, request):
        super().__init__(request)
        self.received, self.bytes, self.highest = 0, 0, {}
        self.waited_for = False
        self.delay, self.reply, self.close_after = 0, None, 0
        self.open(pubsub.Subscriber, request, self.deliver)

    def deliver(self, parts):
        now = time.monotonic_ns()
        about = read_message(parts)
        if journals:
            journals.append("received", self.number, self.epoch, time_ns=now, **about)
        if self.reply and not self.reply.closing:
            self.reply.publish(self.reply.maker(REPLY_THREAD), about["size"], len(parts))
        self.received += 1
        self.bytes += about["size"]
        if not about["flags"] and not about["error"]:
            stream = about["publisher"], about["epoch"], about["thread"]
            if about["sequence"] > self.highest.get(stream, 0):
                self.highest[stream] = about["sequence"]
        if self.waited_for:
            with self.changed:
                self.changed.notify_all()
        if self.delay:
            never.wait(self.delay)  # a slow application: this is its work
        if self.close_after:
            self.close_after -= 1
            if not self.close_after:
                self.close()


# ---- requests ----


def endpoint_of(request, name="endpoint", kind=Endpoint):
    endpoint = endpoints.get(request[name])
    if not isinstance(endpoint, kind):
        raise Refusal("ENOENT", f'"{name}" names no {kind.__name__.lower()} that was opened here')
    return endpoint


def hello(request):
    global journals, run, seed
    run, seed = name_sum(request["run"]), int(request["seed"])  # a large one may be written as 1.5e+15
    if request["journal"] is not None and not journals:
        journals = Journals(request["journal"])
    return {"protocol": 1, "impl": IMPLEMENTATION, "caps": CAPABILITIES}


def open_publisher(request):
    endpoints[request["endpoint"]] = Publisher(request)


def open_subscriber(request):
    endpoints[request["endpoint"]] = Subscriber(request)


def wait_peers(request):
    endpoint, wanted = endpoint_of(request), request["count"]
    end = time.monotonic() + request["timeout_ms"] / 1e3
    while True:
        with endpoint.changed:
            count = endpoint.peers()
            if count == wanted:
                return {"count": count, "at_ns": time.monotonic_ns()}
            if time.monotonic() >= end:
                raise Refusal("ETIMEDOUT", f"{count} peers instead of {wanted}")
            endpoint.changed.wait(LOOK_AGAIN)


def publish(request):
    publisher = endpoint_of(request, kind=Publisher)
    if publisher.closing:
        raise Refusal("ESHUTDOWN", "the publisher is closed")
    threads = request.get("threads", 1)
    makers = [publisher.maker(thread) for thread in range(threads)]
    before = [dict(maker.counts) for maker in makers]
    errors, begin = [], time.monotonic_ns()
    workers = [threading.Thread(target=work, args=(publisher, maker, request, errors)) for maker in makers[1:]]
    for worker in workers:
        worker.start()
    work(publisher, makers[0], request, errors)
    for worker in workers:
        worker.join()
    end = time.monotonic_ns()
    ok, failed, unknown = (
        sum(maker.counts[kind] - old[kind] for maker, old in zip(makers, before)) for kind in ("ok", "failed", "unknown")
    )
    reply = {"attempted": ok + failed + unknown, "published": ok, "failed": failed, "unknown": unknown,
             "last": [[maker.thread, maker.sent] for maker in makers if maker.sent], "first_ns": begin, "last_ns": end,
             "achieved_rate": (ok + failed + unknown) * 1e9 / max(end - begin, 1)}
    if errors:
        reply["last_error"] = errno.errorcode.get(errors[-1].errno, "EIO")
    return reply


def work(publisher, maker, request, errors):
    """What one thread publishes."""
    sizes = request["sizes"] if isinstance(request["sizes"], list) else [request["sizes"]]
    parts, rate, overwrite = request.get("parts", 1), request.get("rate"), request.get("overwrite", False)
    count, start = request.get("count"), request.get("start_at_ns") or time.monotonic_ns()
    end = start + request["seconds"] * 1e9 if "seconds" in request else None
    kill_at = request.get("kill_self_at") if maker.thread == 0 else None
    death = DeathAtPublish(request.get("kill_self_moment", "inside")) if kill_at else None
    wait_until(publisher, start)
    index = 0
    while not publisher.closing and (count is None or index < count) and (end is None or time.monotonic_ns() < end):
        due = 0
        if rate:
            due = start + int((index + request.get("jitter", 0) * random.random()) * 1e9 / rate)
            wait_until(publisher, due)
        index += 1
        if request.get("dry"):
            continue
        _, error = publisher.publish(maker, sizes[(index - 1) % len(sizes)], parts, due, overwrite,
                                     death if index == kill_at else None)
        if error:
            errors.append(error)


def wait_until(publisher, time_ns):
    while not publisher.closing and (left := time_ns - time.monotonic_ns()) > 0:
        with publisher.changed:
            publisher.changed.wait(left / 1e9)


def handler(request):
    subscriber = endpoint_of(request, kind=Subscriber)
    reply = endpoint_of(request, "reply", Publisher) if request.get("reply") else None
    subscriber.delay, subscriber.close_after = request.get("delay_us", 0) / 1e6, request.get("close_after", 0)
    subscriber.reply = reply


def drain(request):
    subscriber = endpoint_of(request, kind=Subscriber)
    end = time.monotonic() + request["timeout_ms"] / 1e3
    with subscriber.changed:
        subscriber.waited_for = True
        while missing := [row for row in request["until"] if subscriber.highest.get(tuple(row[:3]), 0) < row[3]]:
            left = end - time.monotonic()
            if left <= 0 or subscriber.closing:
                raise Refusal("ETIMEDOUT", f"not received: {missing[0]} (publisher, epoch, thread, sequence)")
            subscriber.changed.wait(left)
        subscriber.waited_for = False
    return {"received": subscriber.received}


def peers(request):
    return {"count": endpoint_of(request).peers()}


def stats(request):
    """What clauses look at: how much a publisher got rid of, or a subscriber has been given, up to this moment. The
    figures of benchmarks are not kept."""
    if "endpoint" not in request or request.get("reset") or not journals:
        raise Refusal("not_supported", "this agent keeps no figures for benchmarks")
    if isinstance(endpoint_of(request), Publisher):
        makers = list(endpoint_of(request).makers.values())
        ok, failed, unknown = (sum(maker.counts[kind] for maker in makers) for kind in ("ok", "failed", "unknown"))
        return {"attempted": ok + failed + unknown, "published": ok, "failed": failed, "unknown": unknown,
                "last": [[maker.thread, maker.sent] for maker in makers if maker.sent]}
    subscriber = endpoint_of(request, kind=Subscriber)
    nothing = {"unit": "ns", "significant_digits": 3, "counts": []}
    return {"received": subscriber.received, "bytes": subscriber.bytes, "lost": 0, "torn": 0, "duplicate": 0, "reordered": 0,
            "window": {"messages": 0, "bytes": 0}, "histogram": nothing, "histogram_uncorrected": nothing}


def close(request):
    endpoint_of(request).close(request)


OPERATIONS = {
    operation.__name__: operation
    for operation in (hello, open_publisher, open_subscriber, wait_peers, publish, handler, drain, peers, stats, close)
}
# What is asked for with another field would be carried out by half. (hello says which protocol it is; what stats are asked
# for beyond the counts is refused there.)
FIELDS = {
    "open": "endpoint epoch channel directory ping_interval_ms max_message_bytes params kill_self_after_us",
    "wait_peers": "endpoint count timeout_ms",
    "publish": "endpoint sizes parts threads count seconds rate jitter start_at_ns sleep dry kill_self_at kill_self_moment"
    " overwrite",
    "handler": "endpoint delay_us reply close_after",
    "drain": "endpoint until timeout_ms",
    "peers": "endpoint",
    "stats": "endpoint to_ns reset",
    "close": "endpoint kill_self_after_us",
}


def refuse_unknown(request):
    operation = request["op"]
    if operation not in OPERATIONS:
        raise Refusal("not_supported", f'this agent knows no op "{operation}"')
    fields = FIELDS["open" if operation.startswith("open_") else operation].split() if operation != "hello" else request
    for name in request:
        if name not in fields and name not in ("id", "op"):
            raise Refusal("not_supported", f'this agent knows no "{name}" of {operation}')


# ---- lines ----

output = threading.Lock()


def send(line):
    data = json.dumps(line).encode() + b"\n"
    with output:
        while data:
            data = data[os.write(1, data) :]


def answer(request):
    try:
        refuse_unknown(request)
        reply = OPERATIONS[request["op"]](request) or {}
        send({"id": request["id"], "ok": True, **reply})
    except Refusal as refusal:
        send({"id": request["id"], "error": {"code": refusal.code, "definite": True, "text": str(refusal)}})
    except OSError as error:
        code = errno.errorcode.get(error.errno, "EIO")
        send({"id": request["id"], "error": {"code": code, "definite": True, "text": str(error)}})


def stop():
    for kind in Publisher, Subscriber:  # publishers first: what they flush is still received
        for endpoint in list(endpoints.values()):
            if isinstance(endpoint, kind):
                endpoint.close()
    if journals:
        journals.close()


def give_up(what):
    """Of a thread that fails unexpectedly, a full journal above all: nothing that we say would be true any more."""
    send({"ev": "fatal", "text": f"{what.exc_type.__name__}: {what.exc_value}"})
    sys.__excepthook__(what.exc_type, what.exc_value, what.exc_traceback)
    os._exit(3)


def main():
    threading.excepthook = give_up
    sys.setswitchinterval(0.001)
    for line in sys.stdin.buffer:
        request = json.loads(line)
        if request["op"] == "stop":
            stop()
            send({"id": request["id"], "ok": True})
            os._exit(0)
        if request["op"] == "hello":  # before it has been answered nobody asks anything else
            answer(request)
        else:  # one that blocks must not keep others from being answered
            threading.Thread(target=answer, args=(request,), daemon=True).start()
    os._exit(0)


if __name__ == "__main__":
    main()
