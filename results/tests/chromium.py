"""Headless Chromium over --remote-debugging-pipe: messages in JSON, each ended by a zero byte."""

import fcntl
import json
import os
import select
import shutil
import subprocess
import sys
import tempfile
import time

FLAGS = ("--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
         "--disable-component-update --disable-sync --hide-scrollbars --remote-debugging-pipe").split()

LAUNCHER = ("import os, sys; os.dup2(int(sys.argv[1]), 3); os.dup2(int(sys.argv[2]), 4); "
            "os.execv(sys.argv[3], sys.argv[3:])")


def find():
    """The program, or None."""
    return next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


class Browser:
    """One browser with one page. `events` holds what it said by itself: (method, params)."""

    def __init__(self, program, deadline=250):
        self.until = time.monotonic() + deadline
        self.profile = tempfile.mkdtemp(prefix="ipcmark-chromium.")  # and all else that it leaves
        low_commands, self.commands = os.pipe()
        self.answers, low_answers = os.pipe()
        # Chromium looks at 3 and 4; the launcher puts them there, from numbers that cannot be those.
        commands, answers = (fcntl.fcntl(fd, fcntl.F_DUPFD, 5) for fd in (low_commands, low_answers))
        self.process = subprocess.Popen(
            [sys.executable, "-c", LAUNCHER, str(commands), str(answers), program, *FLAGS,
             f"--user-data-dir={self.profile}", "about:blank"],
            env={**os.environ, "TMPDIR": self.profile}, pass_fds=(commands, answers), stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for fd in (low_commands, low_answers, commands, answers):
            os.close(fd)
        self.events, self.buffer, self.number, self.session = [], b"", 0, None

    def __enter__(self):
        try:
            target = self.call("Target.createTarget", url="about:blank")["targetId"]
            self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
            for domain in ("Page", "Runtime", "Log", "Network"):
                self.call(domain + ".enable")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        """Asked first: one that is killed leaves its children to die while its folder is being removed."""
        try:
            os.write(self.commands, b'{"id":0,"method":"Browser.close"}\0')
            self.process.wait(timeout=20)
        except (OSError, subprocess.TimeoutExpired):
            self.process.kill()
            self.process.wait()
        os.close(self.commands)
        os.close(self.answers)
        shutil.rmtree(self.profile, ignore_errors=True)

    def _read(self):
        while b"\0" not in self.buffer:
            left = self.until - time.monotonic()
            if left <= 0 or not select.select([self.answers], [], [], left)[0]:
                raise TimeoutError("the browser says nothing more")
            some = os.read(self.answers, 1 << 20)
            if not some:
                raise EOFError("the browser has ended")
            self.buffer += some
        message, self.buffer = self.buffer.split(b"\0", 1)
        return json.loads(message)

    def call(self, method, **params):
        """Sends a command and waits for its answer."""
        self.number += 1
        message = {"id": self.number, "method": method, "params": params}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.commands, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._read()
            if "method" in answer:
                self.events.append((answer["method"], answer.get("params", {})))
            elif answer.get("id") == self.number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                return answer.get("result", {})

    def show(self, url, width, height, dark):
        """Loads a page, as a screen of that size shows it, and waits until it has loaded."""
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        self.call("Emulation.setEmulatedMedia",
                  features=[{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])
        self.events.clear()
        self.call("Page.navigate", url=url)
        while not any(method == "Page.loadEventFired" for method, _ in self.events):
            answer = self._read()
            if "method" in answer:
                self.events.append((answer["method"], answer.get("params", {})))

    def value(self, expression):
        """What a piece of JavaScript comes to; a promise is waited for."""
        answer = self.call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(f"{expression}: {answer['exceptionDetails']}")
        return answer["result"].get("value")

    def settle(self):
        """Waits until the page has been laid out and drawn anew."""
        self.value("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done())))")

    def press(self, key, code):
        """A key, as from a keyboard."""
        for kind in ("keyDown", "keyUp"):
            text = {"text": key} if kind == "keyDown" and len(key) == 1 else {}
            self.call("Input.dispatchKeyEvent", type=kind, key=key, code=key if len(key) > 1 else "Space",
                      windowsVirtualKeyCode=code, **text)

    def picture(self, path):
        """The whole page, however long, as PNG."""
        import base64
        data = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=True)["data"]
        with open(path, "wb") as file:
            file.write(base64.b64decode(data))

    def complaints(self, url):
        """What is wrong in the events: requests for anything but the page, errors, words on the console."""
        for method, params in self.events:
            if method == "Network.requestWillBeSent" and params["request"]["url"].split("#")[0] != url:
                yield "asked for " + params["request"]["url"][:200]
            elif method == "Runtime.exceptionThrown":
                yield "exception: " + json.dumps(params["exceptionDetails"])[:500]
            elif method == "Runtime.consoleAPICalled":
                yield "console: " + json.dumps(params["args"])[:500]
            elif method == "Log.entryAdded" and params["entry"]["level"] in ("error", "warning"):
                yield "log: " + params["entry"]["text"][:500]
