"""SIGKILL of ourselves, where the suite asks for it: between what is written down before a call, and what became of it."""

import os
import signal
import threading
import time

never = threading.Event()


def die():
    os.kill(os.getpid(), signal.SIGKILL)
    never.wait()


class Death:
    """By another thread, so many seconds after set()."""

    def __init__(self, after):
        self.order, self.after = threading.Event(), after
        threading.Thread(target=self.shoot, daemon=True).start()

    def set(self):
        self.order.set()

    def shoot(self):
        self.order.wait()
        end = time.monotonic() + self.after
        if self.after > 0.0002:
            never.wait(self.after - 0.0002)
        while time.monotonic() < end:
            pass
        die()

    def await_it(self):
        never.wait()


class NoDeath:
    def set(self):
        pass

    def await_it(self):
        pass


def death_of(request):
    return Death(request["kill_self_after_us"] / 1e6) if "kill_self_after_us" in request else NoDeath()


class DeathAtPublish:
    """Inside: the other thread runs as soon as publish() lets it, which is when it is in the kernel."""

    def __init__(self, moment):
        self.moment = moment
        self.death = Death(0) if moment == "inside" else None

    def before_call(self):
        if self.moment == "before":
            die()
        if self.death:
            self.death.set()

    def after_call(self):
        if self.moment == "after":
            die()
        never.wait()  # the outcome is not recorded
