"""ipcmark gate as its users call it. What measures is a script of the test's own, that writes the cells it is told to, so
nothing here depends on figures."""

import json
import os
import pathlib
import signal
import subprocess
import sys

import cases

MEASURES = r'''#!/usr/bin/env python3
"""In place of ipcmark-bench. PLAN holds, a line a call: how many times as long the candidate takes, or a word."""
import json, os, pathlib, signal, sys
options = dict(zip(sys.argv[1:], sys.argv[2:]))
drivers = [b for a, b in zip(sys.argv, sys.argv[1:]) if a == "--driver"]
here = pathlib.Path(os.environ["GATE_TEST"])
with open(here / "calls", "a") as calls:
    calls.write(" ".join(sys.argv[1:]) + "\n")
if not drivers[0].startswith("candidate="):
    sys.exit(0)
plan = (here / "plan").read_text().splitlines()
word = plan.pop(0)
(here / "plan").write_text("\n".join(plan))
if word == "fails":
    print("driver cannot be used: it is too old", file=sys.stderr)
    sys.exit(3)
if word == "hangs":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    (here / "hangs").write_text("hangs\n")
    while True:
        signal.pause()
slower = 1.0 if word in ("lost", "few") else float(word)
environment = {"cpu": (here / "cpu").read_text() if (here / "cpu").exists() else "A", "commit": (here / "commit").read_text()}
with open(options["--output"], "w") as out:
    def write(record):
        out.write(json.dumps(record) + "\n")
    write({"record": "header", "format": 1, "kind": "bench", "run": os.urandom(8).hex(), "planned": 1,
           "environment": environment, "drivers": [{"name": d.split("=")[0], "digest": "01234567"} for d in drivers]})
    for block in range(11 if word == "few" else int(options["--blocks"])):
        for driver in [d.split("=")[0] for d in drivers]:
            own = (slower if driver == "candidate" else 1) * (1 + 0.001 * (block % 3))
            for family in "hot", "throughput":
                if family not in options["--filter"]:
                    continue
                cell = {"record": "cell", "row": f"{family}/{driver}/64B/1x1", "family": family, "driver": driver, "size": 64,
                        "publishers": 1, "subscribers": 1, "block": block, "placement": "cluster", "line_before_ns": 50,
                        "line_after_ns": 50, "metrics": {"p50_ns": 200 * own, "p99_ns": 900 * own} if family == "hot"
                        else {"messages_per_second": 4e6 / own}}
                if word == "lost" and driver == "candidate" and family == "hot" and block == 1:
                    cell |= {"metrics": {}, "error": "2 messages lost", "fault": "messages"}
                write(cell)
        for limit, of, metrics in (("bare-ring-hot", "hot", {"p50_ns": 100, "p99_ns": 400}),
                                   ("bare-ring", "throughput", {"messages_per_second": 8e6})):
            if "limit/" in options["--filter"]:
                write({"record": "cell", "row": f"limit/{limit}/64B", "family": "limit", "driver": "limit", "size": 64,
                       "publishers": 1, "subscribers": 1, "block": block, "placement": "cluster", "limit_of": [of],
                       "line_before_ns": 50, "line_after_ns": 50, "limit_kind": "bound", "metrics": metrics})
    write({"record": "footer", "written": 1, "exit": 0, "interrupted": False})
sys.exit(1 if word == "lost" else 0)
'''


class Gate:
    """The program, among others that are the test's own."""

    def __init__(self, gate, guard):
        self.here = pathlib.Path.cwd()
        self.gate = gate
        programs = self.here / "programs"
        programs.mkdir()
        (programs / "ipcmark-guard").symlink_to(guard)
        (programs / "slowed.so").write_text("")
        (programs / "ipcmark-bench").write_text(MEASURES)
        (programs / "ipcmark-bench").chmod(0o755)
        (self.here / "temporary").mkdir()
        self.commit("c0ffee")
        self.environment = {k: v for k, v in os.environ.items() if k != "GITHUB_ACTIONS"} | {
            "IPCMARK_EXEC_PATH": str(programs), "GATE_TEST": str(self.here), "TMPDIR": str(self.here / "temporary")}

    def plan(self, *words):
        (self.here / "plan").write_text("\n".join(words))

    def commit(self, name):
        (self.here / "commit").write_text(name)

    def run(self, *arguments, code=0, **more):
        out = cases.run([self.gate, *arguments], code, env=self.environment | more)
        assert not list((self.here / "temporary").iterdir()), "something is left"
        return out

    def calls(self):
        path = self.here / "calls"
        lines = path.read_text().splitlines() if path.exists() else []
        path.unlink(missing_ok=True)
        return [line for line in lines if "candidate=" in line]


def the_same_passes(*programs):
    gate = Gate(*programs)
    gate.plan("1")
    out, _ = gate.run("--candidate", "./new.so", "--baseline", "./old.so", "--seed", "5")
    assert "pass: nothing was measured to be slower by more" in out, out
    call, = gate.calls()
    assert "--driver candidate=./new.so --driver base=./old.so --driver control=./old.so" in call, call
    assert "--seed 5" in call and "--blocks 66 " in call, call
    gate.plan("few")
    out, _ = gate.run("--baseline", "./old.so", code=2)
    assert "inconclusive: " in out and "only 11 of at least 12 blocks" in out, out


def a_regression_is_seen_twice(*programs):
    gate = Gate(*programs)
    gate.plan("1.25", "1.25")
    out, _ = gate.run("--baseline", "./old.so", "--seed", "5", "--output", "kept.jsonl", code=1)
    assert "regression: slower, and seen again in fresh blocks" in out, out
    first, second = gate.calls()
    assert "--seed 5" in first and "--seed 6" in second, second
    assert pathlib.Path("kept.jsonl").exists() and pathlib.Path("kept-fresh.jsonl").exists()
    out, _ = gate.run("--judge", "kept.jsonl", "kept-fresh.jsonl", code=1)
    assert "regression: slower, and seen again" in out, out
    gate.plan("1.25", "1")
    out, _ = gate.run("--baseline", "./old.so")
    assert "pass: fresh blocks do not show again" in out, out


def lost_messages_fail_at_once(*programs):
    gate = Gate(*programs)
    gate.plan("lost")
    out, _ = gate.run("--baseline", "./old.so", code=1)
    assert "2 messages lost" in out and len(gate.calls()) == 1, out


def files_and_annotations(*programs):
    gate = Gate(*programs)
    gate.plan("1.5", "1.5")
    out, _ = gate.run("--baseline", "./old.so", "--markdown", "a.md", "--junit", "a.xml", code=1, GITHUB_ACTIONS="true")
    assert "::error title=ipcmark gate (regression)::slower" in out, out
    assert "### Gate: regression" in pathlib.Path("a.md").read_text()
    assert 'failures="3"' in pathlib.Path("a.xml").read_text()


def what_cannot_be_measured_is_said(*programs):
    gate = Gate(*programs)
    gate.plan("fails")
    pathlib.Path("a.xml").write_text("what an earlier run said")
    _, error = gate.run("--baseline", "./old.so", "--junit", "a.xml", code=3)
    assert "it is too old" in error, error
    assert 'failures="0" errors="1" skipped="0"' in pathlib.Path("a.xml").read_text()


def who_is_interrupted_leaves_nothing(*programs):
    gate = Gate(*programs)
    gate.plan("hangs")
    os.mkfifo(gate.here / "hangs")
    started = subprocess.Popen([gate.gate, "--baseline", "./old.so"], env=gate.environment, stderr=subprocess.DEVNULL)
    assert (gate.here / "hangs").read_text() == "hangs\n"
    started.send_signal(signal.SIGTERM)
    assert started.wait(30) == 128 + signal.SIGTERM
    assert not list((gate.here / "temporary").iterdir())


def a_stored_run_is_accepted_and_compared_with(*programs):
    gate = Gate(*programs)
    gate.plan("1")
    gate.run("--baseline", "kept.jsonl", "--accept", "--reason", "the first one")
    header = json.loads(pathlib.Path("kept.jsonl").read_text().splitlines()[0])
    assert header["accepted"]["reason"] == "the first one" and header["accepted"]["at"].endswith("Z")
    gate.plan("few", "lost", "1", "1.3", "1.3", "1")
    _, error = gate.run("--baseline", "kept.jsonl", "--accept", "--reason", "why not", code=3)
    assert "fewer than 12 blocks" in error, error
    _, error = gate.run("--baseline", "kept.jsonl", "--accept", "--reason", "why not", code=3)
    assert "2 messages lost" in error and "the first one" in pathlib.Path("kept.jsonl").read_text(), error
    out, _ = gate.run("--baseline", "kept.jsonl")
    assert "pass: " in out and "stored" in out, out
    out, _ = gate.run("--baseline", "kept.jsonl", code=1)
    assert "regression: slower, and seen again" in out, out
    (gate.here / "cpu").write_text("B")
    _, error = gate.run("--baseline", "kept.jsonl", code=3)
    assert 'cpu is "B", and was "A"' in error and "--other-environment" in error, error
    gate.plan("1")
    gate.run("--baseline", "kept.jsonl", "--other-environment")


def clauses_are_compared(*programs):
    gate = Gate(*programs)
    for name, verdict in ("old", "pass"), ("new", "fail"):
        pathlib.Path(f"{name}.jsonl").write_text("".join(json.dumps(record) + "\n" for record in (
            {"record": "header", "format": 1, "kind": "conformance", "planned": 1, "environment": {}},
            {"record": "case", "driver": "mmipc", "clause": "DEL-001", "level": "MUST", "title": "t", "verdict": verdict,
             "text": "3 lost"})))
    out, _ = gate.run("--verdicts", "old.jsonl", "--conformance", "new.jsonl", code=1)
    assert "a clause newly fails: DEL-001 fails: 3 lost" in out, out
    gate.run("--verdicts", "old.jsonl", "--conformance", "new.jsonl", "--accept", "--reason", "it was never kept")
    out, _ = gate.run("--verdicts", "old.jsonl", "--conformance", "new.jsonl")
    assert "pass: no clause newly fails" in out, out


def the_self_test_counts_over_sessions(*programs):
    gate = Gate(*programs)
    gate.plan("1", "1", "1.3", "1.3", "1")
    out, _ = gate.run("--self-test", "aa", "--repeat", "2", "--output", "aa.jsonl")
    assert out.endswith("aa: 2 of 2: 0 alarms, 0 inconclusive\n"), out
    out, _ = gate.run("--self-test", "aa", "--repeat", "4", "--output", "aa.jsonl", "--resume", code=1)
    assert out.endswith("aa: 4 of 4: 1 alarms, 0 inconclusive\n"), out
    records = [json.loads(line) for line in pathlib.Path("aa.jsonl").read_text().splitlines()]
    assert [r["verdict"] for r in records] == ["pass", "pass", "regression", "pass"]
    assert all(r["commit"] == "c0ffee" for r in records) and records[2]["fresh"][0]["slower"] > 1.2
    gate.commit("another")
    gate.plan("1")
    _, error = gate.run("--self-test", "aa", "--repeat", "5", "--output", "aa.jsonl", "--resume", code=3)
    assert "another commit" in error and len(pathlib.Path("aa.jsonl").read_text().splitlines()) == 4, error
    _, error = gate.run("--self-test", "slowed", "--repeat", "5", "--output", "aa.jsonl", "--resume", code=3)
    assert "another self-test" in error, error
    gate.calls()
    gate.plan("1.25", "1.25", "1")
    out, _ = gate.run("--self-test", "slowed", "--repeat", "2", "--output", "slowed.jsonl", code=1)
    assert out.endswith("slowed: 2 of 2: 1 caught, 1 missed, 0 inconclusive\n"), out
    assert "slowed.so?percent=25 --driver base=" in gate.calls()[0]


def wrong_use_is_said(*programs):
    gate = Gate(*programs)
    for words, part in (([], "beside what?"), (["--baseline", "a.so", "--seconds", "20"], "12 blocks"),
                        (["--accept", "--baseline", "a.jsonl"], "--reason"),
                        (["--accept", "--reason", "x", "--baseline", "a.so"], "FILE.jsonl"),
                        (["--judge"], "takes one run"), (["--verdicts", "a.jsonl"], "go together"),
                        (["--self-test", "b", "--output", "x"], "aa or slowed"), (["--nothing"], "no option"),
                        (["--baseline"], "missing"), (["--repeat", "0"], "--repeat"), (["more"], "no such arguments")):
        _, error = gate.run(*words, code=64)
        assert part in error, error
    _, error = gate.run("--judge", "nowhere.jsonl", code=3)
    assert "nowhere.jsonl" in error, error
    out, _ = gate.run("--help")
    assert "Exit codes: 0 pass" in out
    assert gate.calls() == []


if __name__ == "__main__":
    sys.exit(cases.main(globals()))
