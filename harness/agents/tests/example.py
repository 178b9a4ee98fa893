"""example.py IPCMARK PROTOCOL.md: follows the page's worked example; each step must print what the page says, the clauses
that the page names must pass in the end, and one that asks for what it has not learnt must be refused in words."""

import os
import re
import shlex
import subprocess
import sys
import tempfile

program, page = sys.argv[1:]
PIECE = re.compile(r"```python\n(.*?)```\n```\n(.*?)```", re.S)
VERDICT = re.compile(r"^(?P<verdict>\w+) +mine (?P<clause>\w+-\d+) +[\d.]+ s(?:: (?P<text>[^…\n]*)|, (?P<count>\d+).*)?", re.M)
PROMISED = re.compile(r"^(`--clause .*?) pass as well", re.M)


def play(folder, *clauses):
    command = [program, "conformance", "--agent", shlex.quote(sys.executable) + " mine.py", "--quick"]
    for clause in clauses:
        command += ["--clause", clause]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=150)
    printed = re.sub(r"(?m)^\[\d+/\d+\] ", "", done.stderr + done.stdout)
    return list({found["clause"]: found for found in VERDICT.finditer(printed)}.values()), done


def is_right(expected, seen, exact):
    """Before anybody counts peers, how many had to arrive is a matter of time."""
    return (seen["verdict"] == expected["verdict"] and (expected["text"] or "") in (seen["text"] or "")
            and (not exact or seen["count"] == expected["count"]))


def complain(where, done):
    print(f"{where}, and it prints\n", done.stderr, done.stdout)
    return True


def main():
    with open(page, encoding="utf-8") as file:
        text = file.read()
    pieces = PIECE.findall(text)
    code, faults = "", len(pieces) != 5
    with tempfile.TemporaryDirectory() as folder:
        for number, (piece, shown) in enumerate(pieces, 1):
            code += piece
            with open(os.path.join(folder, "mine.py"), "w", encoding="utf-8") as file:
                file.write(code + "serve()\n")
            expected, (seen, done) = VERDICT.search(shown), play(folder, "DEL-001")
            if len(seen) != 1 or not is_right(expected, seen[0], number == len(pieces)):
                faults = complain(f"step {number}: the page says\n  {expected.group()}", done)
        promised = re.findall(r"'?([A-Z]+-[0-9\[\]-]+)'?", PROMISED.search(text).group(1))
        seen, done = play(folder, *promised)
        if len(promised) < 3 or len(seen) < 7 or done.returncode != 0 or any(each["verdict"] != "pass" for each in seen):
            faults = complain(f"the page says that {' '.join(promised)} pass", done)
        seen, done = play(folder, "KILL-002")
        if len(seen) != 1 or seen[0]["verdict"] != "error" or "not_supported: publish with " not in seen[0]["text"]:
            faults = complain("what it cannot do should be refused", done)
    return faults


sys.exit(main())
