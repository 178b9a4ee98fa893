"""merge.py CASE IPCMARK-MERGE IPCMARK-EXPORT SAMPLES: the shards of a run become the run again, and nothing else does."""

import copy
import itertools
import json
import os
import pathlib
import re
import sys

import cases

COUNT = 3


def write(path, lines):
    pathlib.Path(path).write_text("".join(json.dumps(line) + "\n" for line in lines))


def read(path):
    return [json.loads(line) for line in pathlib.Path(path).read_text().splitlines()]


def whole(samples):
    """The sample as a run whose header says all that a shard's does, without verdicts: they are of whole runs."""
    lines = [line for line in read(f"{samples}/bench.jsonl") if line["record"] != "target"]
    cells = sum(line["record"] == "cell" for line in lines)
    lines[0].update(blocks=12, suite="quick", cell_seconds=0.35, pin=None, shard=None, planned=cells)
    lines[0]["drivers"][0]["digest"] = "01234567"
    lines[-1]["written"] = cells
    return lines


def shard(lines, index):
    """What `ipcmark bench --shard INDEX/COUNT` would have written."""
    header, footer = copy.deepcopy(lines[0]), copy.deepcopy(lines[-1])
    cells = [line for line in lines if line["record"] == "cell" and line["block"] % COUNT == index - 1]
    header.update(run=f"{index:016x}", shard={"index": index, "count": COUNT}, planned=len(cells),
                  command=f"{header['command']} --shard {index}/{COUNT} --blocks 12", started=f"2024-05-01T12:0{index}:00Z")
    header["environment"]["load"] = index / 10
    sessions = [{"record": "session", "session": number, "started": header["started"], "finished": finished,
                 "load": index / 10, "seconds": 7 if finished else None} for number, finished in
                ((1, None), (1, "2024-05-01T12:04:00Z"))]
    footer.update(written=len(cells) + 2, finished=f"2024-05-01T12:1{index}:00Z", exit=1 if index == 2 else 0)
    return [header, sessions[0], *cells, sessions[1], footer]


def shards(samples):
    lines = whole(samples)
    parts = [shard(lines, index) for index in range(1, COUNT + 1)]
    for index, part in enumerate(parts, 1):
        write(f"{index}.jsonl", part)
    return lines, parts


def refused(merge, files, *words):
    _, said = cases.run([merge, *files, "-o", "merged.jsonl"], code=3)
    for word in words:
        assert word in said, f"no '{word}' in: {said}"
    assert not pathlib.Path("merged.jsonl").exists()


def shards_make_the_run_again(merge, export, samples):
    lines, parts = shards(samples)
    cases.run([merge, "1.jsonl", "2.jsonl", "3.jsonl", "-o", "merged.jsonl"])
    merged = read("merged.jsonl")
    header, footer = merged[0], merged[-1]

    def key(cell):
        return cell["row"], cell["block"]
    cells = [line for line in merged if line["record"] == "cell"]
    assert sorted(cells, key=key) == sorted((line for line in lines if line["record"] == "cell"), key=key)
    assert header["shard"] is None and header["planned"] == len(cells) and header["merged"] == [
        f"{index:016x}" for index in (1, 2, 3)]
    assert header["command"] == lines[0]["command"] + " --blocks 12" and header["started"] == "2024-05-01T12:01:00Z"
    assert header["environment"]["load"] == 0.3
    assert [line["session"] for line in merged if line["record"] == "session"] == [1, 1, 2, 2, 3, 3]
    assert footer["written"] == len(merged) - 2 and footer["exit"] == 1
    assert footer["finished"] == "2024-05-01T12:13:00Z" and footer["interrupted"] is False
    assert header["run"] not in [part[0]["run"] for part in parts]
    write("whole.jsonl", lines)
    for form in ("csv", "csv-cells", "bencher", "github-smaller"):
        wanted = cases.run([export, "-f", form, "whole.jsonl"])[0]
        assert cases.run([export, "-f", form, "merged.jsonl"])[0] == wanted, form
        assert cases.run([export, "-f", form, "3.jsonl", "1.jsonl", "2.jsonl"])[0] == wanted, f"{form} of the shards"


def a_load_that_is_not_known_is_not_known_of_all(merge, _export, samples):
    _, parts = shards(samples)
    for unknown in (1, 2, 3):
        for index, part in enumerate(parts, 1):
            part[0]["environment"]["load"] = None if index == unknown else index
            write(f"{index}.jsonl", part)
        cases.run([merge, "1.jsonl", "2.jsonl", "3.jsonl", "-o", "merged.jsonl"])
        assert read("merged.jsonl")[0]["environment"]["load"] is None


def the_order_does_not_matter(merge, _export, samples):
    shards(samples)
    texts = {cases.run([merge, *order])[0] for order in itertools.permutations(["1.jsonl", "2.jsonl", "3.jsonl"])}
    assert len(texts) == 1


def a_missing_shard_is_named(merge, _export, samples):
    shards(samples)
    refused(merge, ["1.jsonl", "3.jsonl"], "shard 2 of 3 is missing", "--seed 4711 --blocks 12 --shard 2/3\n")
    refused(merge, ["3.jsonl"], "shards 1, 2 of 3 are missing", "--shard 1/3\n")


def a_double_shard_is_named(merge, _export, samples):
    _, parts = shards(samples)
    parts[1][0]["run"] = "f" * 16
    write("again.jsonl", parts[1])
    refused(merge, ["1.jsonl", "2.jsonl", "again.jsonl", "3.jsonl"], "2.jsonl", "again.jsonl", "both shard 2 of 3")
    refused(merge, ["1.jsonl", "2.jsonl", "2.jsonl", "3.jsonl"], "2.jsonl and 2.jsonl")


def a_foreign_shard_is_named(merge, _export, samples):
    _, parts = shards(samples)

    def foreign(change, *words):
        part = copy.deepcopy(parts[1])
        change(part[0])
        write("foreign.jsonl", part)
        refused(merge, ["1.jsonl", "foreign.jsonl", "3.jsonl"], "1.jsonl and foreign.jsonl", *words)
    foreign(lambda header: header.update(seed=1), "seed is 4711 in the one and 1 in the other")
    foreign(lambda header: header.update(manifest="00000000"), "manifest", "89abcdef", "00000000")
    foreign(lambda header: header.update(blocks=24), "blocks is 12")
    foreign(lambda header: header.update(suite="full"), "suite")
    foreign(lambda header: header.update(pin="0,1"), "pin is null")
    foreign(lambda header: header["shard"].update(count=4), "shard.count is 3 in the one and 4")
    foreign(lambda header: header["environment"].update(commit="fedcba9"), "environment.commit")
    foreign(lambda header: header["environment"].update(cpu="Another CPU"), "environment.cpu", "Another CPU")
    foreign(lambda header: header["drivers"][0].update(digest="76543210"), "drivers.mmipc.digest", "76543210")
    foreign(lambda header: header["drivers"].pop(), "drivers is")
    foreign(lambda header: header.update(later=1), "later is not there in the one and 1 in the other")
    foreign(lambda header: header.pop("cell_seconds"), "cell_seconds", "not there")


def a_shard_that_was_cut_short_is_named(merge, _export, samples):
    _, parts = shards(samples)
    for part in (parts[1][:-1], parts[1][:-3] + parts[1][-1:],
                 parts[1][:-1] + [{**parts[1][-1], "interrupted": True}]):
        write("short.jsonl", part)
        refused(merge, ["1.jsonl", "short.jsonl", "3.jsonl"], "short.jsonl: shard 2 of 3 was cut short", "--resume")


def what_is_no_shard_is_named(merge, _export, samples):
    lines, parts = shards(samples)
    write("whole.jsonl", lines)
    refused(merge, ["1.jsonl", "whole.jsonl"], "whole.jsonl is no shard")
    parts[1][0]["shard"] = {"index": 4, "count": 3}
    write("2.jsonl", parts[1])
    refused(merge, ["1.jsonl", "2.jsonl", "3.jsonl"], "2.jsonl is no shard")


def a_block_of_another_shard_is_named(merge, _export, samples):
    _, parts = shards(samples)
    cell = next(line for line in parts[1] if line["record"] == "cell")
    cell["block"] = 0
    write("2.jsonl", parts[1])
    refused(merge, ["1.jsonl", "2.jsonl", "3.jsonl"], "2.jsonl: block 0 of row", "not of shard 2 of 3")


def what_a_shard_was_gone_on_with_is_counted_for_all(merge, _export, samples):
    lines, parts = shards(samples)
    parts[2].insert(2, {"record": "resumed", "command": "ipcmark bench --resume", "rounds": 1,
                        "planned": parts[2][0]["planned"]})
    parts[2].insert(3, {"record": "target", "target": "stream", "row": "x", "metric": "y"})
    write("3.jsonl", parts[2])
    merged = [json.loads(line) for line in cases.run([merge, "1.jsonl", "2.jsonl", "3.jsonl"])[0].splitlines()]
    assert [line["planned"] for line in merged if line["record"] == "resumed"] == [lines[0]["planned"]]
    assert not [line for line in merged if line["record"] == "target"]


def wrong_use_is_said(merge, _export, samples):
    shards(samples)
    for arguments, code, text in (([], 64, "which shards?"), (["--loud"], 64, "no option --loud"),
                                  (["1.jsonl", "-o"], 64, "a value is missing after -o"), (["absent.jsonl"], 3, "absent.jsonl"),
                                  (["1.jsonl", "2.jsonl", "3.jsonl", "-o", "no/such/file"], 3, "no/such/file")):
        _, said = cases.run([merge, *arguments], code=code)
        assert said.startswith("ipcmark merge: ") and text in said, f"{arguments}: {said}"
    assert "Exit codes" in cases.run([merge, "--help"])[0]
    assert cases.run([merge, "--version"])[0].startswith("ipcmark merge ")


def the_slurm_array_measures_each_shard_once(merge, _export, samples):
    """With a stand-in for sbatch, that runs each task at once, and for ipcmark bench, that has the shards at hand."""
    shards(samples)
    script = pathlib.Path(__file__).resolve().parents[1] / "ci" / "slurm-array.sh"
    here = pathlib.Path.cwd()
    (here / "bin").mkdir()
    (here / "bin/ipcmark").write_text(f"""#!/bin/sh
set -eu
case $1 in
bench) echo "$@" >>{here}/asked; for last; do :; done; cp "{here}/$(basename "$last" | tr -dc 0-9).jsonl" "$last" ;;
merge) shift; exec {merge} "$@" ;;
report) ;;
esac
""")
    (here / "bin/sbatch").write_text("""#!/bin/sh
set -eu
wrap= tasks=
while [ $# -gt 0 ]; do
    case $1 in
    --wrap=*) wrap=${1#--wrap=} ;;
    --array=1-*) tasks=$(seq "${1#--array=1-}") ;;
    --*) ;;
    *) break ;;
    esac
    shift
done
[ -z "$wrap" ] || { sh -c "$wrap"; exit; }
for task in $tasks; do SLURM_ARRAY_TASK_ID=$task sh "$@"; done
echo "17;cluster"
""")
    for program in ("ipcmark", "sbatch"):
        (here / "bin" / program).chmod(0o755)
    environment = {**os.environ, "PATH": f"{here}/bin:{os.environ['PATH']}", "SHARDS": "3", "SEED": "5"}
    cases.run(["sh", script, here / "out put", "--blocks", "12"], env=environment)
    asked = (here / "asked").read_text().splitlines()
    assert [line.split(" --shard ")[1].split()[0] for line in asked] == ["1/3", "2/3", "3/3"], asked
    assert all(line.startswith("bench --seed 5 --blocks 12 ") for line in asked), asked
    assert read(here / "out put/run.jsonl")[0]["merged"]
    assert "usage:" in cases.run(["sh", script], code=64)[1]


def the_examples_for_ci_name_options_that_exist(merge, _export, _samples):
    folder = pathlib.Path(__file__).resolve().parents[1] / "ci"
    text = "".join((folder / name).read_text() for name in ("github-matrix.yml", "github-gate.yml", "slurm-array.sh"))
    calls = [call for command, rest in re.findall(r"ipcmark (bench|merge|export|report|gate) ([^\n&|]*)", text)
             for call in ((command, option) for option in re.findall(r"(?<!\S)--[a-z]+", rest))]
    assert {command for command, _ in calls} == {"bench", "merge", "export", "report", "gate"}, calls
    for command, option in calls:
        program = pathlib.Path(merge).with_name(f"ipcmark-{command}")
        if program.exists():
            assert f"{option} " in cases.run([program, "--help"])[0], f"ipcmark {command} has no {option}"


if __name__ == "__main__":
    sys.exit(cases.main(globals()))
