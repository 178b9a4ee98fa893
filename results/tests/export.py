"""export.py CASE IPCMARK-EXPORT SAMPLES: what `ipcmark export` writes, held against what its readers ask for."""

import collections
import csv
import io
import json
import math
import os
import pathlib
import statistics
import sys

import cases
import consumers

HERE = pathlib.Path(__file__).resolve().parent
AWKWARD = "mmipc?spin_us=-1&path=a/b"  # a driver's name, parameters and all


def records(samples):
    return [json.loads(line) for line in pathlib.Path(samples, "bench.jsonl").read_text().splitlines()]


def write(path, lines):
    pathlib.Path(path).write_text("".join(json.dumps(line) + "\n" for line in lines))


def renamed(lines, old="mmipc", new=AWKWARD):
    for line in lines:
        if line.get("driver") == old:
            line["row"] = line["row"].replace(f"/{old}/", f"/{new}/")
            line["driver"] = new
        for driver in line.get("drivers", []):
            if driver["name"] == old:
                driver["name"] = new
    return lines


def slower(lines, driver, factor):
    """As if everything of a driver took that much longer."""
    for line in lines:
        if line.get("driver") != driver or line["record"] != "cell":
            continue
        for name in line["metrics"]:
            if name.endswith("_ns"):
                line["metrics"][name] *= factor
            elif name.endswith("_per_second"):
                line["metrics"][name] /= factor
        for histogram in ("histogram", "histogram_uncorrected"):
            if line.get(histogram):
                line[histogram]["counts"] = [[value * factor, count] for value, count in line[histogram]["counts"]]
    return lines


def cells_of(lines):
    """Row to its cells in the order of the blocks."""
    cells = collections.defaultdict(list)
    for line in lines:
        if line["record"] == "cell":
            cells[line["row"]].append(line)
    return {row: sorted(own, key=lambda cell: cell["block"]) for row, own in cells.items()}


def export(program, form, path, *more):
    return cases.run([program, "--format", form, path, *more])[0]


def merged(cells):
    counts = collections.Counter()
    for cell in cells:
        for value, count in cell["histogram"]["counts"]:
            counts[value] += count
    return sorted(counts.items())


def same(one, other):
    return math.isclose(one, other, rel_tol=1e-12)


def value_at(histogram, rank):
    below = 0
    for value, count in histogram:
        below += count
        if below >= rank:
            return value
    raise AssertionError("no such rank")


def the_checks_can_fail(_program, _samples):
    for name, check in consumers.CHECKS.items():
        sample = (HERE / "consumers" / name).read_text()
        assert check(sample), name
        for old, new in consumers.TAKEN.get(name, ()):
            assert old in sample and check(sample.replace(old, new, 1)), f"{name} with {new} in place of {old}"
        for old, new in consumers.SPOILT[name]:
            assert old in sample, f"{name} has no {old}"
            try:
                check(sample.replace(old, new, 1))
            except (consumers.Refused, KeyError, ValueError):
                continue
            raise AssertionError(f"{name} with {new} in place of {old} was taken")


def google_repeats_a_row_once_a_block(program, samples):
    lines = renamed(records(samples))
    write("run.jsonl", lines)
    times = consumers.google(export(program, "google", "run.jsonl"))
    checked = 0
    for row, cells in cells_of(lines).items():
        metrics = [cell["metrics"] for cell in cells]
        if "p50_ns" in metrics[0] and cells[0]["histogram"]:
            expected = [metric["p50_ns"] for metric in metrics]
            histogram = merged(cells)
            total = sum(count for _, count in histogram)
            median = value_at(histogram, total - math.floor(total / 2))
        elif "messages_per_second" in metrics[0]:
            expected = [1e9 / metric["messages_per_second"] for metric in metrics]
            median = statistics.median(expected)
        else:
            continue
        assert len(times[row]) == len(expected) and all(map(same, times[row], expected)), f"{row}: {times[row]} is not {expected}"
        assert math.isclose(times[f"{row}_median"][0], median, rel_tol=0.02), f"{row}: {times[f'{row}_median']}, {median}"
        checked += 1
    assert checked > 20 and any(AWKWARD in row for row in times)


def google_carries_the_counters(program, samples):
    lines = records(samples)
    cell = cells_of(lines)["throughput/fifo/64B/1x1"][3]
    cell["metrics"].update(threads=9, cpu_time=9)  # theirs mean something else
    write("run.jsonl", lines)
    page = consumers.load(export(program, "google", "run.jsonl", "--filter", "^throughput/fifo/64B/"))
    entry = page["benchmarks"][3]
    assert entry["items_per_second"] == cell["metrics"]["messages_per_second"]
    assert entry["bytes_per_second"] == cell["metrics"]["bytes_per_second"]
    assert entry["iterations"] == cell["metrics"]["samples"]
    assert entry["threads"] == 1 and entry["cpu_time"] == 0
    assert page["context"]["num_cpus"] == 8 and page["context"]["host_name"] == ""


def google_has_cpu_times_where_they_are_the_figure(program, samples):
    page = json.loads(export(program, "google", f"{samples}/bench.jsonl", "--filter", "^cost/mmipc/64B"))
    cells = cells_of(records(samples))["cost/mmipc/64B/1x1"]
    entries = page["benchmarks"][:-1]
    assert len(entries) == len(cells) == 12
    for entry, cell in zip(entries, cells):
        assert entry["real_time"] == entry["cpu_time"] and same(entry["cpu_time"],
                                                                1e3 * cell["metrics"]["cpu_seconds_per_million"])


def changes(text):
    """Benchmark to compare.py's changes in time, and to the chance that its U test gives them."""
    found, tests = collections.defaultdict(list), {}
    for line in text.splitlines():
        name, test, chances = line.partition("_pvalue ")
        fields = line.rsplit(None, 6)
        if test:
            tests[name] = float(chances.split()[0])
        elif len(fields) == 7 and fields[1][0] in "+-":
            found[fields[0]].append(float(fields[1]))
    return found, tests


def compare_py():
    """How to call it, and whether it has the libraries for its U test; in their place, as much as it needs to start."""
    script = pathlib.Path(os.environ.get("COMPARE_PY", "/usr/share/benchmark/compare.py"))
    if not script.exists():
        raise cases.Skip("compare.py is not installed; Debian has it in libbenchmark-tools")
    command = [sys.executable, "-B", script, "--no-color"]
    try:
        cases.run([sys.executable, "-c", "import scipy.stats, numpy"])
        return command, dict(os.environ)
    except AssertionError:
        print("without its U test: python3-scipy is not installed")
        return [*command, "--no-utest"], {**os.environ, "PYTHONPATH": str(HERE / "consumers" / "without_scipy")}


def compare_py_prints_the_ratio(program, samples):
    compare, environment = compare_py()
    for name, lines in (("base", renamed(records(samples))), ("new", slower(renamed(records(samples)), AWKWARD, 1.5))):
        write(f"{name}.jsonl", lines)
        export(program, "google", f"{name}.jsonl", "--filter", "^(hot|throughput)/", "-o", f"{name}.json")
    found, tests = changes(cases.run([*compare, "benchmarks", "base.json", "new.json"], env=environment)[0])
    rows = {row: change for row, change in found.items() if row.startswith(("hot/", "throughput/"))}
    for row, change in rows.items():
        assert all(abs(value - (0.5 if AWKWARD in row else 0)) < 0.0051 for value in change), f"{row}: {change}"
        assert len(change) == (1 if row.endswith("_median") else 12), f"{row}: {len(change)} repetitions"
    assert len(rows) > 30 and any(AWKWARD in row for row in rows)
    if "--no-utest" not in compare:
        assert tests[f"throughput/{AWKWARD}/64B/1x1"] < 0.05 <= tests["throughput/fifo/64B/1x1"], tests


def compare_py_prints_the_ratio_of_two_drivers(program, samples):
    compare, environment = compare_py()
    export(program, "google", f"{samples}/bench.jsonl", "-o", "run.json")
    found, _ = changes(cases.run([*compare, "filters", "run.json", "/fifo/", "/tcp/"], env=environment)[0])
    times = consumers.google(pathlib.Path("run.json").read_text())
    ratio = times["throughput/tcp/64B/1x1_median"][0] / times["throughput/fifo/64B/1x1_median"][0]
    printed = [change for row, change in found.items() if row.startswith("throughput") and row.endswith("64B/1x1_median")]
    assert len(printed) == 1 and abs(printed[0][0] - (ratio - 1)) < 0.001, f"{printed} is not {ratio - 1}"


def github_has_each_figure_on_its_side(program, samples):
    lines = renamed(records(samples))
    write("run.jsonl", lines)
    smaller = consumers.github(export(program, "github-smaller", "run.jsonl"))
    bigger = consumers.github(export(program, "github-bigger", "run.jsonl"))
    assert not set(smaller) & set(bigger)
    for row, cells in cells_of(lines).items():
        rate = cells[0]["metrics"].get("messages_per_second")
        if rate:
            value, unit = bigger[f"{row} messages_per_second"]
            assert unit == "messages/s"
            assert math.isclose(value, statistics.median(cell["metrics"]["messages_per_second"] for cell in cells))
        if cells[0]["histogram"]:
            value, unit = smaller[f"{row} p50_ns"]
            assert unit == "ns" and value > 0 and value <= smaller[f"{row} p99_ns"][0]


def bencher_has_measures_with_bounds(program, samples):
    lines = renamed(records(samples))
    write("run.jsonl", lines)
    found = consumers.bencher(export(program, "bencher", "run.jsonl"))
    hot, stream = found[f"hot/{AWKWARD}/64B/1x1"], found[f"throughput/{AWKWARD}/64B/1x1"]
    assert set(hot) >= {"latency", "p99-ns"} and set(stream) == {"throughput"}
    rates = [cell["metrics"]["messages_per_second"] for cell in cells_of(lines)[f"throughput/{AWKWARD}/64B/1x1"]]
    low, value, high = stream["throughput"]
    assert math.isclose(value, statistics.median(rates)) and low > min(rates) and high < max(rates)


def csv_has_each_number_of_each_cell(program, samples):
    lines = renamed(records(samples))
    next(line for line in lines if line.get("family") == "throughput")["metrics"]["rounds"] = None
    failed = next(line for line in lines if line["record"] == "cell" and line["family"] == "fanout")
    failed["error"], failed["metrics"] = 'lost 3, "torn" 1,\nof 7', {}
    write("run.jsonl", lines)
    table = list(csv.DictReader(io.StringIO(export(program, "csv-cells", "run.jsonl"), newline="")))
    expected = {(line["row"], line["block"], name): value for line in lines if line["record"] == "cell"
                for name, value in line["metrics"].items()}
    found = {(line["row"], int(line["block"]), line["metric"]): float(line["value"]) if line["value"] else None
             for line in table if line["metric"]}
    assert found == expected
    assert [line["error"] for line in table if line["metric"] and not line["value"]] == ["not measured"]
    errors = [line for line in table if line["error"] and not line["metric"]]
    assert [(line["row"], line["error"], line["value"]) for line in errors] == [(failed["row"], failed["error"], "")]
    table = list(csv.DictReader(io.StringIO(export(program, "csv", "run.jsonl"), newline="")))
    assert {line["row"] for line in table} == set(cells_of(lines))
    assert [line["error"] for line in table if line["row"] == failed["row"]] == [failed["error"]]
    assert len([line for line in table if line["value"]]) > 50
    for line in table:
        if line["value"]:
            assert float(line["low"]) <= float(line["value"]) <= float(line["high"]) and line["interval"] == "95%", line
            assert line["unit"] and line["blocks"] == "12", line


def what_is_no_figure_is_named(program, samples):
    lines = records(samples)
    failed = next(line for line in lines if line["record"] == "cell" and line["driver"] == "fifo")
    failed["error"], failed["metrics"] = "lost 3 of 7", {}
    write("run.jsonl", lines)
    for form, read in (("google", consumers.google), ("bencher", consumers.bencher)):
        text, said = cases.run([program, "-f", form, "run.jsonl"])
        assert f"left out {failed['row']}: lost 3 of 7" in said, said
        assert failed["row"] not in read(text)
    for line in lines:
        if line.get("row") == "hot/tcp/64B/1x1":
            line["metrics"], line["histogram"] = {"bytes_per_pair": 7}, None
            line["family"] = "pairs"
    write("run.jsonl", lines)
    text, said = cases.run([program, "-f", "google", "run.jsonl"])
    assert "left out hot/tcp/64B/1x1: it measures no time" in said and "hot/tcp/64B/1x1" not in text, said


HOSTILE = '=1+"x"\n::error::me\u0001\u00e9'  # a formula, an order to a CI service, a control character, two bytes


def csv_computes_nothing(program, samples):
    lines = records(samples)
    for cell in lines:
        if cell.get("driver") == "fifo":
            cell["driver"] = HOSTILE
            cell["row"] = HOSTILE + cell["row"]
            cell["placement"] = "-cluster"
        elif cell.get("driver") == "tcp":
            cell["error"], cell["metrics"] = "@SUM(A1)", {}
        elif cell.get("metrics"):
            cell["metrics"]["+1"] = -1
    write("run.jsonl", lines)
    for form in ("csv", "csv-cells"):
        table = list(csv.reader(io.StringIO(export(program, form, "run.jsonl"), newline="")))
        fields = {field for line in table for field in line}
        harmful = {field for field in fields if field[:1] in "=+-@\t\n" and field and field != "-1"}
        assert not harmful, harmful
        assert "'" + HOSTILE.replace("\u0001", "?") in fields and "'@SUM(A1)" in fields
        assert len({len(line) for line in table}) == 1
    assert {"-1", "'+1", "'-cluster"} <= fields


def names_are_whole_and_on_one_line(program, samples):
    lines = records(samples)
    name = "hot/" + "\u20ac" * 500 + "/64B/1x1"
    for cell in lines:
        if cell.get("row") == "hot/fifo/64B/1x1":
            cell["row"] = name
        elif cell.get("row") == "hot/tcp/64B/1x1":
            cell["row"] += HOSTILE
            cell["error"] = HOSTILE
    write("run.jsonl", lines)
    for form, read, wanted in (("google", consumers.google, f"{name}_median"),
                               ("github-smaller", consumers.github, f"{name} p50_ns"), ("bencher", consumers.bencher, name)):
        text, said = cases.run([program, "-f", form, "-F", "^hot/", "run.jsonl"])
        assert wanted in read(text)
        assert said.count("\n") == 1 and said.startswith("ipcmark export: left out hot/tcp/"), said


def not_applicable_is_no_figure(program, samples):
    lines = records(samples)
    for line in lines:
        if line.get("row") == "hot/fifo/64B/1x1":
            line.update(not_applicable="it does not sleep", metrics={}, histogram=None, histogram_uncorrected=None)
    write("run.jsonl", lines)
    for form, read in (("google", consumers.google), ("bencher", consumers.bencher)):
        text, said = cases.run([program, "-f", form, "--filter", "^hot/", "run.jsonl"])
        assert "hot/fifo/64B/1x1" not in read(text) and "hot/tcp/64B/1x1" in read(text) and not said, said
    table = list(csv.DictReader(io.StringIO(export(program, "csv", "run.jsonl"))))
    assert [(line["value"], line["error"]) for line in table if line["row"] == "hot/fifo/64B/1x1"] == [
        ("", "it does not sleep")]


def markdown_is_the_reports(program, samples):
    text = export(program, "markdown", f"{samples}/bench.jsonl")
    assert "| mmipc |" in text and text.startswith("|"), text[:200]


def wrong_use_is_said(program, samples):
    bench, conformance = f"{samples}/bench.jsonl", f"{samples}/conformance.jsonl"
    other = records(samples)
    other[0]["run"] = "0123456789abcdef"
    write("other.jsonl", other)
    for arguments, code, text in (([], 64, "which format?"), (["-f", "pdf", bench], 64, "no format pdf"),
                                  (["-f", "csv"], 64, "which result files?"), (["--loud"], 64, "no option --loud"),
                                  (["-f"], 64, "a value is missing after -f"),
                                  (["-f", "csv", "-F", "a", "-F", "b", bench], 64, "--filter is given twice"),
                                  (["-f", "csv", bench, bench], 3, "are the same run"),
                                  (["-f", "markdown", bench, "-o", "no/such/file"], 3, "no/such/file"),
                                  (["-f", "hgrm", bench, "-o", "no/such/folder/"], 3, "no/such/folder/"),
                                  (["-f", "csv", "-F", "(", bench], 64, "--filter '('"),
                                  (["-f", "csv", "-u", bench], 64, "--uncorrected"),
                                  (["-f", "csv", "-F", "nothing", bench], 3, "no row that --filter finds"),
                                  (["-f", "csv", "absent.jsonl"], 3, "absent.jsonl"),
                                  (["-f", "csv", conformance], 3, "no benchmark"),
                                  (["-f", "csv", bench, "other.jsonl"], 3, "several runs"),
                                  (["-f", "csv", bench, "-o", "no/such/file"], 3, "no/such/file")):
        _, said = cases.run([program, *arguments], code=code)
        assert said.startswith("ipcmark export: ") and text in said, f"{arguments}: {said}"
    assert "Exit codes" in cases.run([program, "--help"])[0]
    assert cases.run([program, "--version"])[0].startswith("ipcmark export ")
    assert sorted(path.name for path in pathlib.Path(".").iterdir()) == ["other.jsonl"]


if __name__ == "__main__":
    sys.exit(cases.main(globals()))
