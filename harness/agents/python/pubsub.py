"""pubsub: publish/subscribe between processes over Unix sockets, in the standard library alone.

An endpoint listens on a socket file CHANNEL.ROLE.PROCESS.ID in the directory. Publishers connect to subscribers; a subscriber
that opens connects to each publisher's socket for a moment, which says: look again. Whoever opens later looks at what is
there, and listens before it looks: so of any two, one finds the other. Nobody polls, and there is no heartbeat.

A connection carries, from the publisher: its id, then messages; from the subscriber: one byte, once it is ready for them.
A message is the number of its parts, the size of each (32 bits, little-endian), then their bytes. It is handed to the kernel
whole before publish() returns, and the kernel keeps it until it is read, whoever dies.
"""

import errno
import fcntl
import hashlib
import os
import select
import socket
import stat
import struct
import threading

READ_BYTES = 1 << 16
READ_AHEAD_BYTES = 64 << 20  # of one publisher, while a handler waits in publish()
MAX_MESSAGE_BYTES = 1 << 28
MAX_PARTS = 65535
AGAIN_MS = 20  # a listener that had no room for us is tried again
NO_ROOM = {errno.EAGAIN, errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOBUFS}  # there may be some later
PROCESS = os.urandom(6).hex()

handling = threading.local()  # .subscriber: whose handler this thread is running


class Directory:
    """The socket files of one channel in a directory, by paths that are short enough whatever the directory is."""

    def __init__(self, path, channel):
        self.fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        self.channel = hashlib.sha256(channel.encode("utf-8", "surrogateescape")).hexdigest()[:24]

    def path(self, name):
        return f"/proc/self/fd/{self.fd}/{name}"

    def name(self, role, id):
        return f"{self.channel}.{role}.{PROCESS}.{id}"

    def listen(self, name):
        """Under a lock: a socket that does not listen yet looks like one whose owner is dead."""
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        fcntl.flock(self.fd, fcntl.LOCK_SH)
        try:
            listener.bind(self.path(name))
            listener.listen(1024)
        except OSError as error:
            listener.close()
            if error.errno != errno.EADDRINUSE:
                self.remove(name)
            raise
        finally:
            fcntl.flock(self.fd, fcntl.LOCK_UN)
        return listener

    def others(self, role):
        """Of other processes. Endpoints of one process do not meet. Raises OSError: it cannot be told now."""
        prefix, own = f"{self.channel}.{role}.", f"{self.channel}.{role}.{PROCESS}."
        try:
            return [name for name in os.listdir(self.fd) if name.startswith(prefix) and not name.startswith(own)]
        except OSError as error:
            if error.errno in NO_ROOM:
                raise
            return []  # the directory is gone

    def connect(self, name):
        """A connected socket. Raises OSErrors: in NO_ROOM there is none now, there or here; of others nobody is there."""
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        try:
            connection.connect(self.path(name))
        except OSError:
            connection.close()
            raise
        return connection

    def reach(self, name):
        """As connect(); and where nobody listens any more, what the dead one left is cleared away."""
        try:
            return self.connect(name)
        except ConnectionRefusedError:
            self.sweep(name)
            raise

    def sweep(self, name):
        """Looks again, when nobody is about to listen. What is not a socket is none of our business."""
        try:
            fcntl.flock(self.fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return  # whoever looks next will do it
        try:
            if stat.S_ISSOCK(os.stat(name, dir_fd=self.fd, follow_symlinks=False).st_mode):
                self.connect(name).close()
        except ConnectionRefusedError:
            self.remove(name)
        except OSError:
            pass
        finally:
            fcntl.flock(self.fd, fcntl.LOCK_UN)

    def remove(self, name):
        try:
            os.unlink(name, dir_fd=self.fd)
        except OSError:
            pass

    def close(self):
        os.close(self.fd)


class Endpoint:
    """What both kinds are: a socket file, and a thread that waits for whatever happens to it."""

    def __init__(self, role, directory, channel, id, on_peer):
        self.id, self.on_peer, self.closed = id, on_peer, False
        self.lock = threading.Lock()  # of the peers
        self.directory = Directory(directory, channel)
        self.name = self.directory.name(role, id)
        made = [self.directory]  # what goes again if not all of it can be made
        try:
            self.bell, self.bell_rope = socket.socketpair()
            made += self.bell, self.bell_rope
            self.listener = self.directory.listen(self.name)
        except OSError:
            for thing in reversed(made):
                thing.close()
            raise
        self.poll = select.poll()
        self.poll.register(self.listener, select.POLLIN)
        self.poll.register(self.bell, select.POLLIN)
        self.thread = threading.Thread(target=self.run, daemon=True)

    def start(self):
        try:
            self.thread.start()
        except (RuntimeError, MemoryError) as error:
            self.undo()
            raise OSError(errno.ENOMEM, "no thread can be started") from error

    def undo(self):
        """Of an endpoint that never ran."""
        self.directory.remove(self.name)
        self.bell_rope.close()
        self.clear()

    def accept(self):
        try:
            return self.listener.accept()[0]
        except OSError:
            return None  # it went again

    def close(self):
        with self.lock:
            if self.closed:
                return
            self.closed = True
            self.directory.remove(self.name)
            self.hang_up()
        self.bell_rope.close()  # wakes the thread, which clears away
        if threading.current_thread() is not self.thread:
            self.thread.join()

    def hang_up(self):
        pass

    def clear(self):
        with self.lock:  # close() has set us free before it was through with these
            pass
        for thing in (self.listener, self.bell, self.directory):
            thing.close()


class Publisher(Endpoint):
    def __init__(self, directory, channel, id, on_peer=lambda peer, connected: None):
        super().__init__("p", directory, channel, id, on_peer)
        self.sending = threading.Lock()  # messages do not mix
        self.known = {}  # name of a subscriber's socket file: its connection
        self.greeted = {}  # descriptor: (connection, name) until it is ready
        self.ready = {}  # descriptor: (connection, name) of those that messages go to
        self.gone = []  # connections to close when nobody is writing: their numbers will be others'
        self.start()

    def publish(self, parts):
        """Returns when the kernel has it for each subscriber that is ready. Waits for those whose buffer is full."""
        if len(parts) > MAX_PARTS or sum(map(len, parts)) > MAX_MESSAGE_BYTES:
            raise OSError(errno.EMSGSIZE, "the message is too large")
        message = b"".join((struct.pack("<I%dI" % len(parts), len(parts), *map(len, parts)), *parts))
        with self.sending:
            waiting = []
            for connection, _ in list(self.ready.values()):
                done = self.send(connection, message)
                if done < len(message):
                    waiting.append((connection, memoryview(message)[done:]))
            if waiting:
                self.send_rest(waiting)
            self.bury()
        if self.closed:
            raise OSError(errno.ESHUTDOWN, "closed meanwhile")

    @staticmethod
    def send(connection, data):
        """How much went. All, if it is for one that is gone: the thread finds out and says so."""
        try:
            return connection.send(data, socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL)
        except BlockingIOError:
            return 0
        except OSError:
            return len(data)

    def send_rest(self, waiting):
        """All at once. Whoever waits here inside a handler reads on meanwhile: two that answer each other would lock up."""
        rest = {connection.fileno(): (connection, data) for connection, data in waiting}
        subscriber = getattr(handling, "subscriber", None)
        poll = select.poll()
        for descriptor in rest:
            poll.register(descriptor, select.POLLOUT)
        incoming = subscriber.register_incoming(poll) if subscriber else ()
        while rest:
            for descriptor, _ in poll.poll():
                if descriptor in rest:
                    connection, data = rest[descriptor]
                    data = data[self.send(connection, data) :]
                    rest[descriptor] = connection, data
                    if not data:
                        del rest[descriptor]
                        poll.unregister(descriptor)
                elif descriptor in incoming and not subscriber.read_ahead(descriptor):
                    poll.unregister(descriptor)

    def bury(self):
        while self.gone:
            self.gone.pop().close()

    def peers(self):
        return len(self.ready)

    def look(self):
        """Connects to the subscribers that are new. False: one has to be tried again."""
        all_tried = True
        try:
            names = self.directory.others("s")
        except OSError:
            return False
        for name in names:
            if name in self.known:
                continue
            try:
                connection = self.directory.reach(name)
            except OSError as error:
                all_tried = all_tried and error.errno not in NO_ROOM
                continue
            with self.lock:
                self.known[name] = connection
                self.greeted[connection.fileno()] = connection, name
            id = self.id.encode()
            self.send(connection, bytes((len(id),)) + id)  # the first bytes always have room
            self.poll.register(connection, select.POLLIN)
        return all_tried

    def heard(self, descriptor):
        """A subscriber says that it is ready, once; anything else is its end."""
        connection, name = self.greeted.get(descriptor) or self.ready[descriptor]
        peer = name.split(".", 3)[3]
        try:
            is_ready = descriptor in self.greeted and connection.recv(1) == b"+"
        except BlockingIOError:
            return
        except OSError:
            is_ready = False
        if is_ready:
            del self.greeted[descriptor]
            with self.lock:
                self.ready[descriptor] = connection, name
            self.on_peer(peer, True)
            return
        self.poll.unregister(descriptor)
        with self.lock:
            was_ready = self.ready.pop(descriptor, None) is not None
            self.greeted.pop(descriptor, None)
            del self.known[name]
        self.gone.append(connection)
        if was_ready and not self.closed:
            self.on_peer(peer, False)

    def run(self):
        all_tried = self.look()
        while not self.closed:
            for descriptor, _ in self.poll.poll(None if all_tried else AGAIN_MS):
                if descriptor == self.listener.fileno():
                    caller = self.accept()
                    if caller:
                        caller.close()
                        all_tried = False
                elif descriptor != self.bell.fileno():
                    self.heard(descriptor)
            if not all_tried:
                all_tried = self.look()
            if self.gone and self.sending.acquire(blocking=False):  # else publish() does it
                self.bury()
                self.sending.release()
        with self.sending, self.lock:
            self.bury()
            for connection in self.known.values():
                connection.close()
            self.ready.clear()
        self.clear()

    def hang_up(self):
        for connection, _ in self.ready.values():  # whoever waits in publish() comes back; what was sent stays sent
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


class Source:
    """A publisher's connection as its subscriber sees it: bytes, until they are messages."""

    def __init__(self, connection):
        self.connection, self.buffer, self.peer, self.ended = connection, bytearray(), None, False

    def read(self):
        try:
            data = self.connection.recv(READ_BYTES)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        self.buffer += data
        self.ended = not data

    def take_id(self):
        """The publisher's id, once all of it is there."""
        if self.buffer and len(self.buffer) > self.buffer[0]:
            size = self.buffer[0]
            self.peer = self.buffer[1 : 1 + size].decode("utf-8", "replace")
            del self.buffer[: 1 + size]

    def take_messages(self):
        """Each whole message that is there, as a list of parts. More may be read while they are taken."""
        at = 0
        try:
            while len(self.buffer) >= at + 4:
                (count,) = struct.unpack_from("<I", self.buffer, at)
                begin = at + 4 + 4 * count
                if len(self.buffer) < begin:
                    return
                sizes = struct.unpack_from("<%dI" % count, self.buffer, at + 4)
                if len(self.buffer) < begin + sum(sizes):
                    return
                parts = []
                for size in sizes:
                    parts.append(self.buffer[begin : begin + size])
                    begin += size
                at = begin
                yield parts
        finally:
            del self.buffer[:at]


class Subscriber(Endpoint):
    def __init__(self, directory, channel, id, deliver, on_peer=lambda peer, connected: None):
        super().__init__("s", directory, channel, id, on_peer)
        self.deliver = deliver
        self.sources = {}  # by descriptor
        self.ahead = set()  # descriptors of those that were read while a handler waited
        try:
            self.ring()
        except OSError:
            self.undo()
            raise
        self.start()

    def ring(self):
        """Publishers shall look again. Who has no room for us will look because of the others."""
        for name in self.directory.others("p"):
            try:
                self.directory.reach(name).close()
            except BlockingIOError:
                pass
            except OSError as error:
                if error.errno in NO_ROOM:
                    raise

    def peers(self):
        with self.lock:
            return sum(source.peer is not None for source in self.sources.values())

    def register_incoming(self, poll):
        for descriptor in self.sources:
            poll.register(descriptor, select.POLLIN)
        return set(self.sources)

    def read_ahead(self, descriptor):
        """For a handler that waits. False: there is no more to come, or no more room."""
        source = self.sources[descriptor]
        source.read()
        self.ahead.add(descriptor)
        return not source.ended and len(source.buffer) < READ_AHEAD_BYTES

    def handle(self, descriptor):
        """What has arrived of one, up to the moment at which we are closed."""
        source = self.sources[descriptor]
        self.take(source)
        if source.ended:
            self.drop(descriptor)

    def take(self, source):
        if source.peer is None:
            source.take_id()
            if source.peer is None:
                return
            self.on_peer(source.peer, True)
            try:
                source.connection.send(b"+", socket.MSG_NOSIGNAL)
            except OSError:
                source.ended = True
        handling.subscriber = self
        for parts in source.take_messages():
            if self.closed:
                break
            self.deliver(parts)
        handling.subscriber = None

    def drop(self, descriptor):
        self.poll.unregister(descriptor)
        with self.lock:
            source = self.sources.pop(descriptor)
        source.connection.close()
        if source.peer is not None and not self.closed:
            self.on_peer(source.peer, False)

    def run(self):
        while not self.closed:
            for descriptor, _ in self.poll.poll():
                if descriptor == self.listener.fileno():
                    connection = self.accept()
                    if connection:
                        connection.setblocking(False)
                        with self.lock:
                            self.sources[connection.fileno()] = Source(connection)
                        self.poll.register(connection, select.POLLIN)
                elif descriptor in self.sources and not self.closed:
                    self.sources[descriptor].read()
                    self.handle(descriptor)
            while self.ahead and not self.closed:
                descriptor = self.ahead.pop()
                if descriptor in self.sources:
                    self.handle(descriptor)
        for source in self.sources.values():
            source.connection.close()
        self.clear()
