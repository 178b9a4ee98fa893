#!/usr/bin/env python3
"""scarce.py FOLDER: whoever runs out of descriptors finds its peers once there are some, however few it had meanwhile; or it
was refused."""

import errno
import os
import resource
import sys
import tempfile
import threading

sys.path.insert(0, sys.argv[1])
import pubsub  # noqa: E402

PATIENCE = 30  # seconds
MOST = 12


def left(count):
    """From now on so many descriptors can be opened, whose numbers are the lowest that are free."""
    free = os.open("/dev/null", os.O_RDONLY)
    os.close(free)
    taken = {int(name) for name in os.listdir("/proc/self/fd")} - {free}  # which listed them
    limit = free
    while count > 0 or limit in taken:
        count -= limit not in taken
        limit += 1
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))


def plenty():
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 1024), hard))


def other(make, started, end):
    """A process with one endpoint."""
    child = os.fork()
    if child == 0:
        pubsub.PROCESS = os.urandom(6).hex()
        endpoint = make()
        os.write(started, b"+")
        os.read(end, 1)
        os._exit(0 if endpoint else 1)
    return child


def meet(count, ours, theirs):
    """Our endpoint opens with `count` descriptors left, beside one of another process. False: it was refused."""
    met = threading.Event()
    with tempfile.TemporaryDirectory() as directory:
        started, end = os.pipe(), os.pipe()
        child = other(lambda: theirs(directory, lambda *_: None), started[1], end[0])
        os.read(started[0], 1)
        left(count)
        try:
            endpoint = ours(directory, lambda peer, connected: met.set())
        except OSError as error:
            assert error.errno == errno.EMFILE, error
            endpoint = None
        finally:
            plenty()
        found = endpoint is None or met.wait(PATIENCE)
        if endpoint:
            endpoint.close()
        os.write(end[1], b"+")
        os.waitpid(child, 0)
        for descriptor in (*started, *end):
            os.close(descriptor)
        assert found, f"with {count} descriptors it opened, and never found its peer"
        return endpoint is not None


def publisher(directory, on_peer):
    return pubsub.Publisher(directory, "scarce", "p", on_peer)


def subscriber(directory, on_peer):
    return pubsub.Subscriber(directory, "scarce", "s", lambda parts: None, on_peer)


for ours, theirs in ((publisher, subscriber), (subscriber, publisher)):
    opened = [meet(count, ours, theirs) for count in range(MOST)]
    assert not opened[0] and opened[-1], opened
    print(f"{ours.__name__}: opened with {opened.index(True)} descriptors left")
