"""hgrm.py CASE IPCMARK-EXPORT SAMPLES: HdrHistogram's percentile distributions."""

import math
import pathlib
import sys

import cases
import consumers
from export import AWKWARD, HERE, HOSTILE, cells_of, export, merged, records, renamed, value_at, write


def a_file_is_the_merged_histogram(program, samples):
    lines = renamed(records(samples))
    write("run.jsonl", lines)
    row = f"latency/{AWKWARD}/64B/1x1/r10000"
    points, comments = consumers.hgrm(export(program, "hgrm", "run.jsonl", "--filter", f"^latency/{AWKWARD[:5]}.*/64B/"))
    histogram = merged(cells_of(lines)[row])
    total = sum(count for _, count in histogram)
    assert any(row in comment and "Unit = ns" in comment for comment in comments)
    assert points[-1] == (max(value for value, _ in histogram), 1, total)
    for value, percentile, count in points[:-1]:
        assert value == value_at(histogram, max(1, math.ceil(percentile * total - 1e-6))), (value, percentile)
        assert count == sum(own for bucket, own in histogram if bucket <= value)
    assert len(points) > 50


def a_file_is_what_hdrhistogram_prints(program, samples):
    lines = records(samples)
    cell = next(line for line in lines if line["record"] == "cell" and line["family"] == "hot")
    cell["histogram"]["counts"] = [[1, 1], [2, 1], [3, 1], [4, 1]]
    write("run.jsonl", [lines[0], cell])
    text = export(program, "hgrm", "run.jsonl")
    wanted = (HERE / "consumers" / "hdrhistogram.hgrm").read_text()
    assert text.startswith(wanted), text
    assert text[len(wanted):] == f"#[Row = {cell['row']}, Unit = ns]\n"


def a_folder_has_a_file_for_each(program, samples):
    write("run.jsonl", renamed(records(samples)))
    _, said = cases.run([program, "-f", "hgrm", "run.jsonl"], code=3)
    assert "several" in said and "--filter" in said
    export(program, "hgrm", "run.jsonl", "-o", "folder/")
    export(program, "hgrm", "run.jsonl", "-o", "sent", "--uncorrected", "--filter", "^latency/fifo/64B")
    files = sorted(path.name for path in pathlib.Path("folder").iterdir())
    rows = sorted({line["row"] for line in renamed(records(samples)) if line.get("histogram")})
    assert files == sorted(row.replace("/", "_") + ".hgrm" for row in rows)
    assert "from the actual send time" in pathlib.Path("sent").read_text()
    for path in pathlib.Path("folder").iterdir():
        consumers.hgrm(path.read_text())


def each_of_several_histograms_has_a_file(program, samples):
    lines = records(samples)
    for cell in lines:
        if cell.get("row") == "lifecycle/mmipc/64B/1x1":
            block = cell["block"]
            cell["histograms"] = {"open": {"counts": [[10, 1], [20 + block, 2]]}, "a/b" + HOSTILE: {"counts": [[7, 1]]},
                                  "none": {"counts": []}}
    write("run.jsonl", lines)
    chosen = ["run.jsonl", "--filter", "^lifecycle/mmipc/"]
    assert "several" in cases.run([program, "-f", "hgrm", *chosen], code=3)[1]
    cases.run([program, "-f", "hgrm", *chosen, "-u"], code=3)  # these have none from the actual send time
    export(program, "hgrm", *chosen, "-o", "folder/")
    prefix = "lifecycle_mmipc_64B_1x1_"
    files = {path.name: path.read_text() for path in pathlib.Path("folder").iterdir()}
    assert set(files) == {prefix + "open.hgrm", prefix + ("a/b" + HOSTILE).translate(str.maketrans("/\n\1", "__?")) + ".hgrm"}
    points, comments = consumers.hgrm(files[prefix + "open.hgrm"])
    assert points[-1] == (31, 1, 36) and points[0] == (10, 0, 12)
    assert comments[-1] == "#[Row = lifecycle/mmipc/64B/1x1, Unit = ns, open]"
    for text in files.values():
        consumers.hgrm(text)
    for cell in lines:
        if "histograms" in cell:
            cell["histogram_uncorrected"] = {"counts": [[5, 1]]}
    write("run.jsonl", lines)
    assert "Unit = ns, from the actual send time]" in export(program, "hgrm", *chosen, "-u")


if __name__ == "__main__":
    sys.exit(cases.main(globals()))
