"""rogue.py MODE: the Python agent, and one thing wrong with it. rogues.py says what becomes of each."""

import os
import signal
import subprocess
import sys
import threading
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "python"))
import agent
import pubsub
import record

mode = sys.argv[1]
right = dict(agent.OPERATIONS)
right_send = agent.send


def instead(operation, what):
    agent.OPERATIONS[operation] = what


def before(operation, what):
    """Does something first, then what is right."""
    instead(operation, lambda request: (what(), right[operation](request))[1])


def hang(*_):
    threading.Event().wait()


def crash(*_):
    os.abort()


def forever(data, descriptor):
    while True:
        os.write(descriptor, data)


def in_background(what, *arguments):
    threading.Thread(target=what, args=arguments, daemon=True).start()


# ---- hung, silent, crashing, flooding ----


def silent():
    hang()


def hung():
    for operation in right:
        if operation != "hello":
            instead(operation, hang)


def crash_at_hello():
    instead("hello", crash)


def crash_at_open():
    instead("open_publisher", crash)


def crash_at_publish():
    pubsub.Publisher.publish = crash


def crash_at_close():
    pubsub.Subscriber.close = crash


def crash_after_close():
    """Of several threads that publish: the close is answered, they never are."""
    closing, closed = threading.Event(), threading.Event()

    def send(line):
        right_send(line)
        if closing.is_set():
            closed.set()

    def publish(request):
        reply = right["publish"](request)
        if request.get("threads", 1) > 1:
            closed.wait()
            crash()
        return reply

    agent.send = send
    before("close", closing.set)
    instead("publish", publish)


def endless_line():
    before("open_publisher", lambda: forever(b"x" * 4096, 1))


def endless_events():
    line = b'{"ev":"peer","endpoint":1,"peer":null,"connected":true}\n'
    before("publish", lambda: forever(line * 64, 1))


def endless_stderr():
    before("open_publisher", lambda: forever(b"and another thing\n" * 512, 2))


# ---- lying ----


def claims_multipart():
    join = pubsub.Publisher.publish
    pubsub.Publisher.publish = lambda self, parts: join(self, [b"".join(parts)])


def claims_peers():
    agent.CAPABILITIES = {**agent.CAPABILITIES, "peer_events": False}
    agent.Endpoint.on_peer = lambda self, peer, connected: None
    instead("wait_peers", lambda request: {"count": request["count"], "at_ns": time.monotonic_ns()})

    def peers(request):
        raise agent.Refusal("not_supported", "nobody counts")

    instead("peers", peers)


def refuse(request):
    raise agent.Refusal("EIO", "no, and \x1b[2J")


def refuses_to_drain():
    instead("drain", refuse)


def met_in_the_past():
    instead("wait_peers", lambda request: {**right["wait_peers"](request), "at_ns": 1})


def meets_too_few():
    instead("wait_peers", lambda request: {**right["wait_peers"](request), "count": request["count"] - 1})


def published_in_the_past():
    instead("publish", lambda request: {**right["publish"](request), "first_ns": 1})


def publishes_half(**claims):
    def publish(request):
        asked = request["count"]
        reply = right["publish"]({**request, "count": asked // 2 + 1})
        return {**reply, "attempted": asked, "published": asked, "failed": 0, "unknown": 0, **claims}

    instead("publish", publish)


def attempts_half():
    instead("publish", lambda request: right["publish"]({**request, "count": request["count"] // 2}))


def invents_the_other_half():
    """And has received it, too."""
    publishes_half(last=[[0, 1000000]])
    instead("drain", lambda request: {"received": 1000000})


def ok_without_sending():
    """Every hundredth."""
    send, count = pubsub.Publisher.publish, [0]

    def publish(self, parts):
        count[0] += 1
        if count[0] % 100:
            send(self, parts)

    pubsub.Publisher.publish = publish


def received_unseen():
    """The digest is that of the header alone: of a body that nobody looked at."""
    read = agent.read_message

    def glance(parts):
        head = [parts[0][:48]] if parts else []
        return {**read(parts), "digest": agent.name_sum(repr(bytes(head[0])) if head else ""), "error": 0}

    agent.read_message = glance


def wrong_digest():
    read = agent.read_message
    agent.read_message = lambda parts: {**read(parts), "digest": 4711}


def same_digest():
    """Of whatever is sent or received."""
    record.digest_of = lambda parts: 4711


def reply_before_journal():
    """What became of a message is written down when the next one is asked for."""
    late, append, publish = [], agent.append, right["publish"]

    def keep(kind, *arguments, **fields):
        if kind == "ok":
            late.append((arguments, fields))
        else:
            append(kind, *arguments, **fields)

    def flush(request):
        for arguments, fields in late:
            append("ok", *arguments, **fields)
        late.clear()
        return publish(request)

    agent.append = keep
    instead("publish", flush)
    instead("close", lambda request: (flush_all(late, append), right["close"](request))[1])
    stop = agent.stop
    agent.stop = lambda: (flush_all(late, append), stop())


def flush_all(late, append):
    for arguments, fields in late:
        append("ok", *arguments, **fields)
    late.clear()


def peers_that_do_not_exist():
    count = pubsub.Publisher.peers
    pubsub.Publisher.peers = lambda self: count(self) + 1


def reply_never_asked():
    before("publish", lambda: right_send({"id": 4711, "ok": True}))


def reply_twice():
    agent.send = lambda line: (right_send(line), right_send(line) if line.get("last") else None)


def negative_count():
    instead("publish", lambda request: {**right["publish"](request), "failed": -1})


def event_of_nobody():
    before("publish", lambda: right_send({"ev": "peer", "endpoint": 4711, "peer": None, "connected": True}))


def not_text():
    before("publish", lambda: os.write(1, b'{"ev":"fatal","text":"\xff\x1b[2J"}\n'))


# ---- ending badly ----


def exits_early():
    before("publish", lambda: os._exit(0))


def leaves_a_child():
    before("open_publisher", lambda: subprocess.Popen(["sleep", "1000"], stdin=subprocess.DEVNULL,
                                                      stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))


def ignores_sigterm():
    """And every other way to end it but one."""
    for number in signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT:
        signal.signal(number, signal.SIG_IGN)
    agent.stop = hang


def closes_stdout():
    """Something else takes its number: else the next journal would, and get every line that is sent."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    before("publish", lambda: os.dup2(nowhere, 1))
    agent.send = lambda line: None if line.get("last") else right_send(line)


def well_behaved():
    pass


globals()[mode]()
agent.main()
