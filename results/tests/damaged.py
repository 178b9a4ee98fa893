"""damaged.py CASE REPORT EXPORT MERGE GATE SAMPLES: what each command says of a file that is none, or no longer whole."""

import json
import pathlib
import random
import subprocess
import sys

import cases

FOREIGN = {  # what the file holds: and what is said of it
    b"": "empty",
    b"\n\n": "empty",
    b'{"record":"hea': "cut off within its first line",
    b"hello\n": ":1: not JSON",
    b"\0\xff\x7fELF\n": ":1: not JSON",
    b'{"a":1}\n': ":1: not a record of a result file",
    b"[1]\n": ":1: not a record of a result file",
    b'{"record":"header","format":2,"kind":"bench"}\n': ":1: format 2",
    b'{"record":"header","format":1,"kind":"mutants"}\n': ':1: a file of kind "mutants"',
    b'{"record":"header","format":1,"kind":"bench"}\n{}{}\n{"record":"footer"}\n': ":2: not JSON",
}


def small(samples):
    """A few rows in two blocks, as a shard, so that merge reads them as well."""
    lines = [json.loads(line) for line in pathlib.Path(samples, "bench.jsonl").read_text().splitlines()]
    cells = [line for line in lines if line["record"] == "cell" and line["block"] < 2
             and line["family"] in ("hot", "throughput", "limit") and line.get("size") == 64]
    for cell in cells:
        if cell.get("histogram"):
            cell["histogram"]["counts"] = cell["histogram"]["counts"][:6]
    lines[0].update(planned=len(cells), blocks=2, shard={"index": 1, "count": 1})
    return "".join(json.dumps(line) + "\n" for line in (lines[0], *cells, lines[-1])).encode()


def commands(report, export, merge, gate):
    return {"report": [report, "-f", "text", "run.jsonl"], "export": [export, "-f", "csv", "run.jsonl"],
            "merge": [merge, "run.jsonl"], "gate": [gate, "--judge", "run.jsonl"]}


def run(command):
    done = subprocess.run(command, capture_output=True, timeout=60, check=False)
    return done.returncode, done.stderr.decode()


def what_is_no_result_file_is_said(*arguments):
    for content, wanted in FOREIGN.items():
        pathlib.Path("run.jsonl").write_bytes(content)
        for name, command in commands(*arguments[:4]).items():
            code, said = run(command)
            assert code == 3 and said.startswith(f"ipcmark {name}: run.jsonl:") and wanted in said, f"{name}: {code}: {said}"
            assert said.count("\n") == 1, said
    pathlib.Path("run.jsonl").unlink()
    pathlib.Path("run.jsonl").mkdir()
    for name, command in commands(*arguments[:4]).items():
        code, said = run(command)
        assert code == 3 and said == f"ipcmark {name}: run.jsonl: cannot be read: Is a directory\n", said


def a_damaged_file_ends_no_command(*arguments):
    whole = small(arguments[4])
    pathlib.Path("run.jsonl").write_bytes(whole)
    codes = {name: [run(command)[0]] for name, command in commands(*arguments[:4]).items()}
    assert codes["report"] == codes["export"] == codes["merge"] == [0], codes
    drawn = random.Random(1)
    for number in range(24):
        at = drawn.randrange(whole.index(b"\n") + 1, len(whole)) if number % 2 else drawn.randrange(len(whole))
        damaged = whole[:at] if number % 3 == 0 else whole[:at] + drawn.choice((b"\xff", b"\n", b'"', b"}", b"9")) + whole[at + 1:]
        pathlib.Path("run.jsonl").write_bytes(damaged)
        for name, command in commands(*arguments[:4]).items():
            code, said = run(command)
            assert "Sanitizer" not in said, said
            assert code in ((0, 1, 2, 3) if name == "gate" else (0, 3)), f"{name}, byte {at}: {code}: {said}"
            assert code != 3 or said.startswith(f"ipcmark {name}: "), said
            codes[name].append(code)
    assert all(3 in own for own in codes.values()) and 0 in codes["report"][1:], codes


if __name__ == "__main__":
    sys.exit(cases.main(globals()))
