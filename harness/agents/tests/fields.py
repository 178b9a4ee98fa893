"""fields.py AGENT [ARGUMENT …]: what it is asked for beyond what it can do, it refuses by name, and does not do the rest of it."""

import json
import os
import subprocess
import sys
import tempfile


class Agent:
    def __init__(self, path, *arguments):
        command = [sys.executable, path] if path.endswith(".py") else [path, *arguments]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.id = 0

    def ask(self, op, **fields):
        self.id += 1
        self.process.stdin.write(json.dumps({"id": self.id, "op": op, **fields}) + "\n")
        self.process.stdin.flush()
        while True:
            reply = json.loads(self.process.stdout.readline())
            if reply.get("id") == self.id:
                return reply

    def refuses(self, name, op, **fields):
        reply = self.ask(op, **fields)
        error = reply.get("error", {})
        assert error.get("code") == "not_supported" and error["definite"] and f'"{name}"' in error["text"], (op, name, reply)

    def does(self, op, **fields):
        reply = self.ask(op, **fields)
        assert reply.get("ok"), (op, fields, reply)
        return reply


def main():
    with tempfile.TemporaryDirectory() as directory:
        reader, writer = Agent(*sys.argv[1:]), Agent(*sys.argv[1:])
        for name, agent in ("reader", reader), ("writer", writer):
            journal = os.path.join(directory, name)
            agent.does("hello", protocol=1, run="0" * 16, journal=journal, seed=1, news=True)
        end = {"epoch": 1, "channel": "c", "directory": directory, "ping_interval_ms": 1000, "max_message_bytes": 4096,
               "params": {}}
        for name in "small_frames", "count_only", "count_sleeps", "what_comes_later":
            reader.refuses(name, "open_subscriber", endpoint=1, **end, **{name: True})
        writer.refuses("small_frames", "open_publisher", endpoint=2, **end, small_frames=True)
        assert reader.ask("peers", endpoint=1)["error"]["code"] == "ENOENT"  # none of them is open
        reader.does("open_subscriber", endpoint=1, **end)
        writer.does("open_publisher", endpoint=2, **end)
        writer.does("wait_peers", endpoint=2, count=1, timeout_ms=20000)
        writer.refuses("burst", "publish", endpoint=2, sizes=[64], parts=1, threads=1, count=5, burst=2)
        writer.does("publish", endpoint=2, sizes=[64], parts=1, threads=1, count=3, sleep=True)
        reader.does("drain", endpoint=1, until=[[2, 1, 0, 3]], timeout_ms=20000)
        assert reader.does("stats", endpoint=1, to_ns=0, reset=False)["received"] == 3
        writer.refuses("ping", "ping", endpoint=2, subscriber=1, count=1, size=64)
        for agent in writer, reader:
            agent.does("stop")
            assert agent.process.wait(20) == 0


main()
