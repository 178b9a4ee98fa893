"""rogues.py IPCMARK MODE: runs `ipcmark conformance` on the rogue of this mode beside a right implementation, and looks at
what is said of each: the rogue is named and blamed, in bounded time; its next clause and the other implementation go on."""

import json
import os
import shlex
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
SECONDS = 120  # of a whole run; most take two
WAIT = 3  # where a deadline is what is waited for; but who is right must keep it, on a busy machine too: at 1 fifo did not
NEXT = "DEL-009"
# mode: clause, verdicts and violation that are right, words of the text; a short deadline where it is what is waited for.
EXPECTED = {
    "silent": ("DEL-001", "error", None, 'did not answer "hello"', WAIT),
    "hung": ("DEL-001", "fail", "hung", "did not answer \"open_", WAIT),
    "crash_at_hello": ("DEL-001", "error", None, "Aborted|134", None),
    "crash_at_open": ("DEL-001", "fail", "crashed", "Aborted|134", None),
    "crash_at_publish": ("DEL-001", "fail", "crashed", "Aborted|134", None),
    "crash_after_close": ("THR-004", "fail", "crashed", "Aborted|134", WAIT),
    "crash_at_close": ("CON-003", "fail", "crashed", "Aborted|134", None),
    "endless_line": ("DEL-001", "error", None, "longer than a mebibyte", None),
    "endless_events": ("DEL-001", "error", None, "floods us with events", None),
    "endless_stderr": ("DEL-001", "error", None, "floods us on its standard error", None),
    "claims_multipart": ("DEL-006", "fail", "corrupt", "", None),
    "claims_peers": ("CON-001", "error", None, "nobody counts", None),
    "refuses_to_drain": ("DEL-001", "error", None, "failed: EIO: no, and ?[2J, where only ETIMEDOUT", None),
    "met_in_the_past": ("CON-006", "error", None, '"at_ns" is not a time between', None),
    "meets_too_few": ("DEL-001", "error", None, "not the one that was to be waited for", None),
    "published_in_the_past": ("DEL-001", "error", None, "are not times between", None),
    "publishes_half": ("DEL-001", "error", None, 'by "last" it went on by', None),
    "attempts_half": ("DEL-001", "error", None, "were asked for", None),
    "invents_the_other_half": ("DEL-001", "error", None, "its journal does not show it", None),
    "ok_without_sending": ("DEL-001", "fail", "lost", "never received message 100", WAIT),
    "received_unseen": ("DEL-001", "fail", "corrupt", "", None),
    "wrong_digest": ("DEL-001", "fail", "corrupt", "", None),
    "same_digest": ("DEL-001", "error", None, "does not come from their bytes", None),
    "reply_before_journal": ("DEL-001", "error", None, "before it recorded that", None),
    "peers_that_do_not_exist": ("CON-001", "fail", "count", "", WAIT),
    "reply_never_asked": ("DEL-001", "error", None, "not made", None),
    "reply_twice": ("DEL-001", "error", None, "second time", WAIT),
    "negative_count": ("DEL-001", "error", None, '"failed" must be a whole number', None),
    "event_of_nobody": ("DEL-001", "error", None, "not asked to open", None),
    "not_text": ("DEL-001", "error", None, "not UTF-8", None),
    "exits_early": ("DEL-001", "fail", "crashed", "exited with status 0", None),
    "leaves_a_child": ("DEL-001", "fail", "leftover", "left a process behind", None),
    "ignores_sigterm": ("DEL-001", "error", None, 'did not answer "stop"', WAIT),
    "closes_stdout": ("DEL-001", "error", None, "closed its standard output", None),
    "well_behaved": ("DEL-001", "pass", None, "", None),
}


def run(program, mode, clause, deadline):
    rogue = f"{shlex.quote(sys.executable)} {shlex.quote(os.path.join(HERE, 'rogue.py'))} {mode}"
    environment = dict(os.environ, **({"IPCMARK_DEADLINE": str(deadline)} if deadline else {}))
    command = [program, "conformance", "--agent", rogue, "--driver", "fifo", "--clause", clause, "--clause", NEXT,
               "--quick", "--format", "jsonl", "--keep", "evidence-" + mode]
    done = subprocess.run(command, env=environment, timeout=SECONDS, capture_output=True, text=True)
    records = [json.loads(line) for line in done.stdout.splitlines()]
    return done, [record for record in records if record.get("record") == "case"]


def find(cases, driver, clause):
    return [case for case in cases if (case["driver"] == "fifo") == (driver == "fifo") and case["clause"] == clause]


def main():
    program, mode = sys.argv[1:]
    clause, verdicts, violation, words, deadline = EXPECTED[mode]
    done, cases = run(program, mode, clause, deadline)
    faults = []
    about = find(cases, "rogue", clause)
    if any(case["verdict"] == "unknown" and "machine was too slow" in case["text"] for case in cases):
        print("nobody can be held to a time on this machine, as busy as it is\n", done.stdout)
        return 77
    if len(about) != 1 or about[0]["verdict"] not in verdicts.split("|"):
        faults.append(f"{clause} should be {verdicts}")
    elif violation and about[0]["class"] != violation:
        faults.append(f"{clause} should be blamed for {violation}")
    elif not any(word in about[0]["text"] for word in words.split("|")):
        faults.append(f"what is said of {clause} lacks '{words}'")
    if len(find(cases, "rogue", NEXT)) != 1:
        faults.append("the rogue's next clause was not run")
    for each in clause, NEXT:
        if [case["verdict"] for case in find(cases, "fifo", each)] != ["pass"]:
            faults.append(f"fifo should pass {each}")
    if (done.returncode == 0) != (mode == "well_behaved"):
        faults.append(f"it exited with {done.returncode}")
    if faults:
        print("\n".join(faults), "\n", done.stdout, done.stderr, sep="\n")
    return 1 if faults else 0


sys.exit(main())
