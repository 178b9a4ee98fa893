"""example.py IPCMARK PROTOCOL.md: follows the page's worked example; each step must print what the page says."""

import os
import re
import shlex
import subprocess
import sys
import tempfile

program, page = sys.argv[1:]
PIECE = re.compile(r"```python\n(.*?)```\n```\n(.*?)```", re.S)
EXPECTED = re.compile(r"^(?P<verdict>\w+) +mine DEL-001 +[\d.]+ s(?:: (?P<text>[^…\n]*)|, .*)", re.M)


def play(folder):
    command = [program, "conformance", "--agent", shlex.quote(sys.executable) + " mine.py", "--clause", "DEL-001", "--quick"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120)
    return EXPECTED.search(re.sub(r"(?m)^\[1/1\] ", "", done.stderr + done.stdout)), done


def main():
    with open(page, encoding="utf-8") as file:
        pieces = PIECE.findall(file.read())
    code, faults = "", len(pieces) != 5
    with tempfile.TemporaryDirectory() as folder:
        for number, (piece, shown) in enumerate(pieces, 1):
            code += piece
            with open(os.path.join(folder, "mine.py"), "w", encoding="utf-8") as file:
                file.write(code + "serve()\n")
            expected, (seen, done) = EXPECTED.search(shown), play(folder)
            right = seen and seen["verdict"] == expected["verdict"] and (expected["text"] or "") in (seen["text"] or "")
            if not right:
                print(f"step {number}: the page says\n  {expected.group()}\nand it prints\n", done.stderr, done.stdout)
                faults = True
    return faults


sys.exit(main())
