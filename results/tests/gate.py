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
"""In place of ipcmark-bench. PLAN holds, a line a call: how many times as long the candidate takes (and in which family
alone), or a word."""
import json, os, pathlib, signal, sys
options = dict(zip(sys.argv[1:], sys.argv[2:]))
drivers = [b for a, b in zip(sys.argv, sys.argv[1:]) if a == "--driver"]
here = pathlib.Path(os.environ["GATE_TEST"])
with open(here / "calls", "a") as calls:
    calls.write(" ".join(sys.argv[1:]) + "\n")
if not drivers[0].startswith("candidate="):
    if (here / "others").exists():
        print("fifo is ill", file=sys.stderr)
        sys.exit(3)
    sys.exit(0)
plan = (here / "plan").read_text().splitlines()
word = plan.pop(0)
(here / "plan").write_text("\n".join(plan))
for driver in drivers:
    path = pathlib.Path(driver.split("=", 1)[1].split("?")[0])
    if path.is_absolute():
        with open(here / "files", "a") as files:
            files.write(f"{path.stat().st_ino} {path.read_text()}\n")
if word == "fails":
    print("driver cannot be used: it is too old", file=sys.stderr)
    sys.exit(3)
if word == "hangs":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    (here / "hangs").write_text("hangs\n")
    while True:
        signal.pause()
word, _, slow_family = word.partition(" ")
slower = 1.0 if word in ("lost", "few", "noisy") else float(word)
environment = {"kernel": (here / "kernel").read_text() if (here / "kernel").exists() else "6.1", "cpu": (here / "cpu").read_text() if (here / "cpu").exists() else "A"}
with open(options["--output"], "w") as out:
    def write(record):
        out.write(json.dumps(record) + "\n")
    write({"record": "header", "format": 1, "kind": "bench", "run": os.urandom(8).hex(), "planned": 1,
           "environment": environment, "drivers": [{"name": d.split("=")[0], "driver": d.split("=", 1)[1], "version": "1", "digest": "01234567"} for d in drivers]})
    for block in range(11 if word == "few" else int(options["--blocks"])):
        for driver in [d.split("=")[0] for d in drivers]:
            for family in "hot", "throughput":
                if family not in options["--filter"]:
                    continue
                slow = driver == "candidate" and slow_family in ("", family)
                own = (slower if slow else 1) * (1 + 0.001 * (block % 3))
                if word == "noisy" and driver == "control" and family == slow_family:
                    own *= (3, 1 / 3, 1.3)[block % 3]
                cell = {"record": "cell", "row": f"{family}/{driver}/64B/1x1", "family": family, "driver": driver, "size": 64,
                        "publishers": 1, "subscribers": 1, "block": block, "placement": "cluster", "line_before_ns": 50,
                        "line_after_ns": 50, "metrics": {"p50_ns": 200 * own, "p99_ns": 900 * own, "p99_of_rounds_ns": 800 * own} if family == "hot"
                        else {"messages_per_second": 4e6 / own}}
                if word == "lost" and driver == "candidate" and family == "hot" and block == 1:
                    cell |= {"metrics": {}, "error": "2 messages lost", "fault": "messages"}
                write(cell)
        for limit, of, metrics in (("bare-ring-hot", "hot", {"p50_ns": 100, "p99_ns": 400}),
                                   ("bare-ring", "throughput", {"messages_per_second": 8e6})):
            if "limit/" in options["--filter"] and f"{limit}/64B" in options["--filter"]:
                write({"record": "cell", "row": f"limit/{limit}/64B", "family": "limit", "driver": "limit", "size": 64,
                       "publishers": 1, "subscribers": 1, "block": block, "placement": "cluster", "limit_of": [of],
                       "line_before_ns": 50, "line_after_ns": 50, "limit_kind": "bound", "metrics": metrics})
    write({"record": "footer", "written": 1, "exit": 0, "interrupted": False})
sys.exit(1 if word == "lost" else 0)
'''


# As many blocks as the gate takes by itself need a second for each verdict, without optimisation.
BRIEF = "--seconds", "30"


class Gate:
    """The program, among others that are the test's own."""

    def __init__(self, gate, guard):
        self.here = pathlib.Path.cwd()
        self.gate = gate
        programs = self.here / "programs"
        programs.mkdir()
        (programs / "ipcmark-guard").symlink_to(guard)
        for driver in "slowed.so", "mmipc.so":
            (programs / driver).write_text(driver)
        (programs / "ipcmark-bench").write_text(MEASURES)
        (programs / "ipcmark-bench").chmod(0o755)
        (self.here / "temporary").mkdir()
        self.environment = {k: v for k, v in os.environ.items() if k != "GITHUB_ACTIONS"} | {
            "IPCMARK_EXEC_PATH": str(programs), "IPCMARK_DRIVER_PATH": str(programs), "GATE_TEST": str(self.here), "TMPDIR": str(self.here / "temporary")}

    def plan(self, *words):
        (self.here / "plan").write_text("\n".join(words))

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
    gate.plan("few", "few")
    out, _ = gate.run("--baseline", "./old.so", "--output", "few.jsonl", code=2)
    assert "inconclusive: " in out and "only 11 of at least 12 blocks" in out, out
    out, _ = gate.run("--judge", "few.jsonl", code=2)
    assert "only 11 of at least 12 blocks" in out, out


def a_regression_is_seen_twice(*programs):
    gate = Gate(*programs)
    gate.plan("1.25", "1.25")
    out, _ = gate.run("--baseline", "./old.so", *BRIEF, "--seed", "5", "--output", "kept.jsonl", code=1)
    assert "regression: slower, and seen again in fresh blocks" in out, out
    first, second = gate.calls()
    assert "--seed 5" in first and "--seed 6" in second, second
    assert pathlib.Path("kept.jsonl").exists() and pathlib.Path("kept-fresh.jsonl").exists()
    out, _ = gate.run("--judge", "kept.jsonl", "kept-fresh.jsonl", code=1)
    assert "regression: slower, and seen again" in out, out
    gate.plan("1.25", "1")
    out, _ = gate.run("--baseline", "./old.so", *BRIEF)
    assert "pass: fresh blocks do not show again" in out, out


def what_cannot_be_told_is_looked_at_again(*programs):
    gate = Gate(*programs)
    gate.plan("noisy hot", "1")
    out, error = gate.run("--baseline", "./old.so", *BRIEF, "--seed", "5", "--output", "kept.jsonl")
    assert "some of it cannot be told yet" in error and "pass: nothing was measured to be slower" in out, out + error
    assert "Again, what could not be told, " in out and out.count("throughput, 64 B") == 1, out
    first, again = gate.calls()
    assert "hot|throughput" in first and "(hot)/" in again and "--seed 7" in again, again
    for files, code, words in (["kept.jsonl"], 2, "more noise than"), (["kept.jsonl", "kept-again.jsonl"], 0, "pass: "):
        out, _ = gate.run("--judge", *files, code=code)
        assert words in out, out
    gate.plan("noisy hot", "1.3", "1.3")
    out, _ = gate.run("--baseline", "./old.so", *BRIEF, "--seed", "5", "--junit", "a.xml", "--markdown", "a.md", code=1)
    assert "regression: slower, and seen again in fresh blocks: one way (both awake) p50" in out, out
    assert [call.split("--seed ")[1].split()[0] for call in gate.calls()] == ["5", "7", "6"]
    assert 'failures="2" errors="0" skipped="0"' in pathlib.Path("a.xml").read_text()
    assert "Again, what could not be told, " in pathlib.Path("a.md").read_text()
    gate.plan("noisy throughput", "noisy throughput")
    out, _ = gate.run("--baseline", "./old.so", *BRIEF, "--junit", "a.xml", code=2)
    assert "inconclusive: it cannot be told, nor could it be when it was measured again: throughput, 64 B" in out, out
    assert len(gate.calls()) == 2 and 'skipped="1"' in pathlib.Path("a.xml").read_text()
    gate.plan("noisy hot", "lost")
    out, _ = gate.run("--baseline", "./old.so", *BRIEF, code=1)
    assert "2 messages lost" in out and len(gate.calls()) == 2, out
    # What is slower in one metric is confirmed, too, when another had to be looked at again.
    gate.plan("1.3 throughput", "1 throughput")
    gate.run("--baseline", "./old.so", *BRIEF)
    assert len(gate.calls()) == 2


def lost_messages_fail_at_once(*programs):
    gate = Gate(*programs)
    gate.plan("lost")
    out, _ = gate.run("--baseline", "./old.so", code=1)
    assert "2 messages lost" in out and len(gate.calls()) == 1, out


def files_and_annotations(*programs):
    gate = Gate(*programs)
    gate.plan("1.5", "1.5")
    out, _ = gate.run("--baseline", "./old.so", *BRIEF, "--markdown", "a.md", "--junit", "a.xml", code=1, GITHUB_ACTIONS="true")
    assert "::error title=ipcmark gate (regression)::slower" in out, out
    assert "### Gate: regression" in pathlib.Path("a.md").read_text()
    assert 'failures="3"' in pathlib.Path("a.xml").read_text()


def what_cannot_be_measured_is_said(*programs):
    gate = Gate(*programs)
    gate.plan("fails")
    pathlib.Path("a.xml").write_text("what an earlier run said")
    pathlib.Path("a.md").write_text("what an earlier run said")
    _, error = gate.run("--baseline", "./old.so", "--junit", "a.xml", "--markdown", "a.md", code=3)
    assert "it is too old" in error, error
    assert pathlib.Path("a.md").read_text().startswith("### Gate: no verdict\n\nipcmark gate ended with 3 before")
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


def what_does_not_count_as_a_run_is_refused(*programs):
    gate = Gate(*programs)
    gate.plan("1.5", "1", "1.5")
    gate.run("--baseline", "kept.jsonl", "--accept", "--reason", "why not")
    gate.plan("1.5", "1.5")
    gate.run("--baseline", "./old.so", "--output", "slow.jsonl", code=1)
    for name, files in ("slow", []), ("slow", ["slow-fresh.jsonl"]), ("kept", None):
        header, *rest = pathlib.Path(f"{name}.jsonl").read_text().splitlines(keepends=True)
        shard = json.dumps(json.loads(header) | {"shard": {"index": 1, "count": 2}}) + "\n"
        for lines, why in (([header, *rest, rest[0]], "which would count double"), ([shard, *rest], "is a shard")):
            pathlib.Path("bad.jsonl").write_text("".join(lines))
            _, error = gate.run(*(["--baseline", "bad.jsonl"] if files is None else ["--judge", "bad.jsonl", *files]), code=3)
            assert why in error, error
    _, error = gate.run("--judge", "slow.jsonl", "slow.jsonl", code=3)
    assert "are the same run" in error, error
    # As many blocks as there are, not as their numbers go.
    cells = [json.loads(line) for line in pathlib.Path("slow.jsonl").read_text().splitlines()]
    few = [cell for cell in cells if cell.get("block", 0) % 6 == 0]
    pathlib.Path("few.jsonl").write_text("".join(json.dumps(cell) + "\n" for cell in few))
    out, _ = gate.run("--judge", "few.jsonl", code=2)
    assert "only 11 of at least 12 blocks" in out, out


def what_is_beside_decides_nothing(*programs):
    gate = Gate(*programs)
    gate.plan("1")
    (gate.here / "others").write_text("3")
    out, error = gate.run("--baseline", "./old.so", *BRIEF)
    assert "pass: " in out and "fifo is ill" in error, out + error
    gate.plan("1.5", "1.5")
    gate.run("--baseline", "./old.so", *BRIEF, code=1)


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
    out, _ = gate.run("--baseline", "kept.jsonl", "--markdown", "a.md")
    assert "pass: " in out and "1.00 times as long, over the limit beside it, (1.00 to 1.00)" in out, out
    assert "time over its machine's limit, candidate" in pathlib.Path("a.md").read_text()
    out, _ = gate.run("--baseline", "kept.jsonl", code=1)
    assert "regression: slower, and seen again" in out and "Not as it was" not in out, out
    gate.plan("1", "1")
    out, _ = gate.run("--baseline", "kept.jsonl", "--candidate", "fifo")
    assert 'Not as it was when the baseline was stored: driver is "fifo", and was "mmipc"\n' in out, out
    (gate.here / "cpu").write_text("B")
    (gate.here / "kernel").write_text("6.2")
    _, error = gate.run("--baseline", "kept.jsonl", code=3)
    assert 'cpu is "B", and was "A"' in error and "--other-environment" in error, error
    gate.plan("1")
    out, _ = gate.run("--baseline", "kept.jsonl", "--other-environment", "--markdown", "a.md")
    for text in out, pathlib.Path("a.md").read_text():
        assert 'Not as it was when the baseline was stored: cpu is "B", and was "A"; kernel is "6.2", and was "6.1"' in text, text


def what_was_not_accepted_is_not_compared_with(*programs):
    gate = Gate(*programs)
    gate.plan("1", "1")
    gate.run("--baseline", "./old.so", "--output", "several.jsonl")  # three drivers
    gate.run("--baseline", "kept.jsonl", "--accept", "--reason", "the first one")
    header, *rest = pathlib.Path("kept.jsonl").read_text().splitlines(keepends=True)
    _, *others = pathlib.Path("several.jsonl").read_text().splitlines(keepends=True)
    plain = json.loads(header)
    del plain["accepted"]
    for name, lines, why in (("plain", [json.dumps(plain) + "\n", *rest], "was not stored by --accept"),
                             ("several", [header, *others], "more than one driver"),
                             ("none", [header, *(line for line in rest if '"driver": "limit"' in line)], "no driver was measured")):
        pathlib.Path(f"{name}.jsonl").write_text("".join(lines))
        _, error = gate.run("--baseline", f"{name}.jsonl", code=3)
        assert f"{name}.jsonl cannot be compared with: " in error and why in error, error
    assert len(gate.calls()) == 2  # nothing was measured for it


def what_seemed_slower_is_confirmed_alone(*programs):
    gate = Gate(*programs)
    gate.plan("1")
    gate.run("--baseline", "kept.jsonl", *BRIEF, "--accept", "--reason", "the first one")
    for baseline in "./old.so", "kept.jsonl":
        gate.calls()
        gate.plan("1.3 throughput", "1 throughput")
        out, _ = gate.run("--baseline", baseline, *BRIEF)
        first, second = gate.calls()
        assert "hot|throughput" in first and "hot|" not in second and "(throughput)/" in second, second
        if baseline == "kept.jsonl":  # each with the limits that it is taken over, and no others
            assert "limit/(line|bare-ring-hot/64B|bare-ring/64B)" in first and "limit/(bare-ring/64B)" in second, second
        assert "fresh blocks do not show again what was slower at first: throughput, 64 B" in out, out
        assert "not measured" not in out and out.count("one way (both awake) p50") == 1, out
        gate.plan("1.3 throughput", "1.3 throughput")
        out, _ = gate.run("--baseline", baseline, *BRIEF, code=1)
        assert "seen again in fresh blocks: throughput, 64 B" in out and out.count("one way (both awake) p50") == 1, out


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
    pathlib.Path("empty.jsonl").write_text('{"record": "header", "format": 1, "kind": "conformance", "planned": 1, "environment": {}}\n')
    _, error = gate.run("--verdicts", "old.jsonl", "--conformance", "empty.jsonl", "--accept", "--reason", "why not", code=3)
    assert "holds no case" in error and "it was never kept" in pathlib.Path("old.jsonl").read_text(), error
    gate.run("--baseline", "kept.jsonl", "--verdicts", "old.jsonl", "--conformance", "empty.jsonl", "--accept", "--reason", "why not", code=3)
    assert not pathlib.Path("kept.jsonl").exists() and gate.calls() == []  # both are stored, or none


def the_self_test_counts_over_sessions(*programs):
    gate = Gate(*programs)
    gate.plan("1", "1", "1.3", "1.3", "1")
    again = ["--self-test", "aa", "--output", "aa.jsonl", "--resume", "--seed", "10", "--repeat"]
    out, _ = gate.run("--self-test", "aa", "--repeat", "2", "--output", "aa.jsonl", "--seed", "10", code=2)
    assert "aa: 0 of 2: 0 alarms, 0 inconclusive; at least 3 min left\nrun 1: pass: " in out, out
    assert out.endswith("aa: 2 of 2: 0 alarms, 0 inconclusive; at most 0 and 0 may be: too few to tell, 50 are needed; "
                        "--repeat 50 --resume goes on\n"), out
    out, _ = gate.run(*again, "4", code=1)
    assert out.startswith("aa: 2 of 4: 0 alarms, 0 inconclusive; about 1 min left\nrun 3: regression: "), out
    assert out.endswith("aa: 4 of 4: 1 alarms, 0 inconclusive; at most 0 and 0 may be: the gate is NOT right often enough\n"), out
    records = [json.loads(line) for line in pathlib.Path("aa.jsonl").read_text().splitlines()]
    assert [r["verdict"] for r in records] == ["pass", "pass", "regression", "pass"]
    assert [r["seed"] for r in records] == [10, 13, 16, 19]  # also of those that were added
    assert all(r["cpus"] == os.cpu_count() and r["kernel"] == os.uname().release for r in records), records[0]
    assert records[2]["fresh"][0]["slower"] > 1.2
    calls = gate.calls()
    gate.plan()
    out, _ = gate.run(*again, "4", code=1)
    assert gate.calls() == [] and out.startswith("aa: 4 of 4: 1 alarms"), out
    # Each run has two files of its own that are alike: candidate, and base, which is the control as well.
    files = [line.split() for line in pathlib.Path("files").read_text().splitlines()]
    assert len(files) == 3 * len(calls) and {text for _, text in files} == {"mmipc.so"}, files
    assert all(len({number for number, _ in files[i:i + 3]}) == 2 and files[i + 1] == files[i + 2]
               for i in range(0, len(files), 3)), files


def the_self_test_of_a_slowed_driver(*programs):
    gate = Gate(*programs)
    gate.plan("1.25", "1.25", "1")
    out, _ = gate.run("--self-test", "slowed", "--repeat", "2", "--output", "slowed.jsonl", code=1)
    assert out.endswith("slowed: 2 of 2: 1 caught, 1 missed, 0 inconclusive; at most 0 may not be caught: the gate is NOT right "
                        "often enough\n"), out
    assert "candidate.so?percent=25 --driver base=" in gate.calls()[0]
    assert pathlib.Path("files").read_text().split()[1] == "slowed.so"


def the_self_test_adds_up_only_what_is_the_same(*programs):
    gate = Gate(*programs)
    gate.plan("1")
    gate.run("--self-test", "aa", "--output", "aa.jsonl", code=2)
    kept = pathlib.Path("aa.jsonl").read_text()
    more = ["--self-test", "aa", "--repeat", "2", "--output", "aa.jsonl"]
    _, error = gate.run(*more, code=3)
    assert "--resume adds to it" in error, error
    for name, value, shown in (("commit", "another", '"another"'), ("digest", "01234567", '"01234567"'), ("pin", "0,1", '"0,1"'),
                               ("seconds_asked", 60, "60"), ("cell_seconds", 0.5, "0.5"), ("self_test", "slowed", '"slowed"'),
                               ("tolerances", {"p50_ns": 0.2}, '{"p50_ns":0.2}')):
        pathlib.Path("aa.jsonl").write_text(json.dumps(json.loads(kept) | {name: value}) + "\n")
        _, error = gate.run(*more, "--resume", code=3)
        assert f"holds a self-test whose {name} is {shown}, and this one's is " in error, error
        _, error = gate.run(*more[:2], *more[4:], "--resume", code=3)  # nor are they counted when none is to be added
        assert f"holds a self-test whose {name}" in error, error
    pathlib.Path("aa.jsonl").write_text(kept)
    pathlib.Path("tolerances.json").write_text('{"p99_ns": 0.3}')
    for option, name, shown in (("--pin", "pin", '"0,1"'), ("--seconds", "seconds_asked", "100"), ("--tolerances", "tolerances", "0.3")):
        _, error = gate.run(*more, "--resume", option, {"--pin": "0,1", "--seconds": "100"}.get(option, "tolerances.json"), code=3)
        assert f"holds a self-test whose {name} is" in error and shown in error.split("this one's is")[1], error
    pathlib.Path("aa.jsonl").write_text(kept + '{"record": "header"}\n')
    _, error = gate.run(*more, "--resume", code=3)
    assert "no record of a self-test" in error, error
    assert len(gate.calls()) == 1
    # Killed while it wrote: the record that is not whole is measured again.
    pathlib.Path("aa.jsonl").write_text(kept + kept[:100])
    gate.plan("1")
    out, _ = gate.run(*more, "--resume", code=2)
    assert "aa: 2 of 2" in out and pathlib.Path("aa.jsonl").read_text().startswith(kept), out
    assert [json.loads(line)["verdict"] for line in pathlib.Path("aa.jsonl").read_text().splitlines()] == ["pass", "pass"]


def the_self_test_can_be_interrupted(*programs):
    gate = Gate(*programs)
    gate.plan("1", "hangs")
    os.mkfifo(gate.here / "hangs")
    words = ["--self-test", "aa", "--repeat", "3", "--output", "aa.jsonl"]
    started = subprocess.Popen([gate.gate, *words], env=gate.environment, stdout=subprocess.DEVNULL,
                               stderr=subprocess.PIPE, text=True)
    assert (gate.here / "hangs").read_text() == "hangs\n"
    started.send_signal(signal.SIGINT)
    _, error = started.communicate(timeout=30)
    assert started.returncode == 128 + signal.SIGINT and "1 of 3 runs are done; --resume goes on" in error, error
    assert not list((gate.here / "temporary").iterdir())
    gate.plan("1", "1")
    out, _ = gate.run(*words, "--resume", code=2)
    assert "aa: 3 of 3: 0 alarms" in out, out


def wrong_use_is_said(*programs):
    gate = Gate(*programs)
    for words, part in (([], "beside what?"), (["--baseline", "a.so", "--seconds", "20"], "12 blocks"),
                        (["--accept", "--baseline", "a.jsonl"], "--reason"),
                        (["--accept", "--reason", "x", "--baseline", "a.so"], "FILE.jsonl"),
                        (["--accept", "--reason", "x", "--judge", "a.jsonl"], "not with --judge"),
                        (["--accept", "--reason", "x", "--self-test", "aa", "--output", "x"], "or --self-test"),
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
