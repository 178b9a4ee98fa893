"""record: messages that tell who sent them, and journals that outlive SIGKILL. The byte rulers are in PROTOCOL.md."""

import errno
import mmap
import os
import struct
import threading
import time
import zlib

#                        crc run chan pub ep thr parts size sequence scheduled nonce
HEADER = struct.Struct("<I   I   I    H   H  H   H     I    Q        Q         Q".replace(" ", ""))
#                        endpoint epoch' kind flags thread publisher epoch sequence size time digest run channel parts error count
RECORD = struct.Struct("<H        H      B    B     H      H         H     Q        Q    Q    I      I   I       I     i     i".replace(" ", ""))
KINDS = {
    kind: number
    for number, kind in enumerate(
        ("open_invoke", "open_done", "close_invoke", "close_done", "invoke", "ok", "failed", "unknown", "received",
         "peer_up", "peer_down", "peers"), 1)
}
UNFRAMED = 1
NO_ENDPOINT = 0xFFFF
MASK = (1 << 64) - 1


def name_sum(name):
    return zlib.crc32(name.encode("utf-8", "surrogateescape"))


def digest_of(parts):
    """CRC-32 over the number of parts, the size of each, then all bytes."""
    digest = zlib.crc32(struct.pack("<I%dQ" % len(parts), len(parts), *map(len, parts)))
    for part in parts:
        digest = zlib.crc32(part, digest)
    return digest


class Maker:
    """Makes the messages of one thread of a publisher. Few nonces: bodies are made once and used again."""

    NONCES = 8

    def __init__(self, run, channel, publisher, epoch, thread, seed):
        self.who = run, channel, publisher, epoch, thread
        self.thread, self.seed, self.sequence, self.sent = thread, seed, 0, 0
        self.counts = {"ok": 0, "failed": 0, "unknown": 0}
        self.nonces = [int.from_bytes(os.urandom(8), "little") for _ in range(self.NONCES)]
        self.bodies = {}

    def body(self, nonce, part, size):
        """64-bit words key + k * 0x9E37…15, the first `size` bytes of them."""
        body = self.bodies.get((nonce, part), b"")
        if len(body) < size:
            key = ((self.seed ^ nonce) + 0x9E3779B97F4A7C15 * (part + 1)) & MASK
            key = ((key ^ key >> 30) * 0xBF58476D1CE4E5B9) & MASK
            key = ((key ^ key >> 27) * 0x94D049BB133111EB) & MASK
            key ^= key >> 31
            words = [(key + k * 0x9E3779B97F4A7C15) & MASK for k in range(size // 8 + 1)]
            body = self.bodies[nonce, part] = struct.pack("<%dQ" % len(words), *words)
        return body[:size]

    def split(self, size, parts):
        """The sizes of the parts. The header stays whole; every second part of every second message is empty."""
        head = HEADER.size if size >= HEADER.size else 0
        filled = [not (self.sequence % 2 == 0 and part % 2 == 1) for part in range(parts)]
        share = (size - head) // max(sum(filled), 1)
        sizes = [share if is_filled else 0 for is_filled in filled]
        if sizes:
            sizes[0] = size - share * (sum(filled) - 1)
        return sizes

    def make(self, size, parts, scheduled):
        """The next message, as a list of parts that may be overwritten; and what its record says."""
        self.sequence += 1
        run, channel, publisher, epoch, thread = self.who
        nonce = self.nonces[self.sequence % self.NONCES]
        sizes = [size] if parts == 1 else self.split(size, parts)
        framed = parts > 0 and sizes[0] >= HEADER.size
        message = []
        for part, part_size in enumerate(sizes):
            head = HEADER.size if framed and part == 0 else 0
            message.append(bytearray(head) + self.body(nonce, part, part_size - head))
        if framed:
            HEADER.pack_into(message[0], 0, 0, run, channel, publisher, epoch, thread, parts, size, self.sequence, scheduled,
                             nonce)
            crc = zlib.crc32(memoryview(message[0])[4:])
            for part in message[1:]:
                crc = zlib.crc32(part, crc)
            struct.pack_into("<I", message[0], 0, crc)
        return message, {
            "flags": 0 if framed else UNFRAMED, "thread": thread, "publisher": publisher, "epoch": epoch,
            "sequence": self.sequence, "size": size, "digest": digest_of(message), "run": run, "channel": channel,
            "parts": parts,
        }


def read_message(parts):
    """What a message says of itself, for the record of its arrival. Every byte is looked at."""
    about = {"size": sum(map(len, parts)), "parts": len(parts), "digest": digest_of(parts), "error": 0}
    if not parts or len(parts[0]) < HEADER.size:
        return {**about, "flags": UNFRAMED, "publisher": NO_ENDPOINT, "epoch": 0, "thread": 0, "sequence": 0, "run": 0,
                "channel": 0}
    said, run, channel, publisher, epoch, thread, count, size, sequence, _, _ = HEADER.unpack_from(parts[0])
    crc = zlib.crc32(memoryview(parts[0])[4:])
    for part in parts[1:]:
        crc = zlib.crc32(part, crc)
    if said != crc or count != len(parts) or size != about["size"]:
        about["error"] = -errno.EBADMSG
    return {**about, "flags": 0, "publisher": publisher, "epoch": epoch, "thread": thread, "sequence": sequence, "run": run,
            "channel": channel}


class Journal:
    """One file, written by one thread at a time: mapped, so that what is in it outlives us."""

    CHUNK = 1 << 20
    COMMIT = 0x4B52414D

    def __init__(self, path):
        self.file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
        self.index, self.offset = 0, -self.CHUNK
        self.grow()
        struct.pack_into("<8sIII", self.chunk, 0, b"IPCMARKJ", 1, 64, os.getpid())
        self.at = 64

    def grow(self):
        """Space is reserved before it is used: a full disk is an error, and never a signal."""
        self.offset += self.CHUNK
        os.posix_fallocate(self.file, self.offset, self.CHUNK)
        self.chunk, self.at = mmap.mmap(self.file, self.CHUNK, offset=self.offset), 0

    def append(self, *fields):
        if self.at == self.CHUNK:
            self.grow()
        RECORD.pack_into(self.chunk, self.at + 4, *fields)
        struct.pack_into("<I", self.chunk, self.at, self.COMMIT ^ self.index)  # last: now it counts
        self.index += 1
        self.at += 64

    def close(self):
        os.ftruncate(self.file, 64 + 64 * self.index)


class Lease:
    """A thread's hold on a journal, which is free for another thread when it ends."""

    def __init__(self, pool, journal):
        self.pool, self.append, self.journal = pool, journal.append, journal

    def __del__(self):
        self.pool.append(self.journal)


class Journals:
    def __init__(self, prefix):
        self.prefix, self.all, self.unused = prefix, [], []
        self.lock, self.mine = threading.Lock(), threading.local()

    def lease(self):
        with self.lock:
            if not self.unused:
                self.all.append(Journal(f"{self.prefix}.{len(self.all)}"))
                self.unused.append(self.all[-1])
            self.mine.lease = Lease(self.unused, self.unused.pop())
        return self.mine.lease

    def append(self, kind, endpoint, endpoint_epoch, flags=0, thread=0, publisher=0, epoch=0, sequence=0, size=0, time_ns=0,
               digest=0, run=0, channel=0, parts=0, error=0, count=0):
        lease = getattr(self.mine, "lease", None) or self.lease()
        lease.append(endpoint, endpoint_epoch, KINDS[kind], flags, thread, publisher, epoch, sequence, size,
                     time_ns or time.monotonic_ns(), digest, run, channel, parts, error, count)

    def close(self):
        for journal in self.all:
            journal.close()
